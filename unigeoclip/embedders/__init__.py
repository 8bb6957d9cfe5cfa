"""Embedders of coordinates: UniGeoCLIP's own, and those it is compared with.

A new embedder is one new file and one line in :data:`EMBEDDERS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from unigeoclip.embedders.base import Embedder, Provenance
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from unigeoclip.atlas.store import Atlas

__all__ = ["EMBEDDERS", "Embedder", "Provenance", "load_embedder"]


# Importing an embedder imports what it needs, and most people need one of them: the factories import late.
def _unigeoclip(atlas: Atlas | None) -> Embedder:
    from unigeoclip.embedders.unigeoclip import UniGeoCLIPEmbedder

    if atlas is None:
        raise InputError("The embedder 'unigeoclip' is the location encoder of an atlas's model: name an atlas.")
    return UniGeoCLIPEmbedder.from_atlas(atlas)


def _geoclip(_: Atlas | None) -> Embedder:
    from unigeoclip.embedders.geoclip import GeoCLIPEmbedder

    return GeoCLIPEmbedder.from_folder()


def _coordinates(_: Atlas | None) -> Embedder:
    from unigeoclip.embedders.coordinates import CoordinatesEmbedder

    return CoordinatesEmbedder()


EMBEDDERS: dict[str, Callable[[Atlas | None], Embedder]] = {
    "unigeoclip": _unigeoclip,
    "geoclip": _geoclip,
    "coordinates": _coordinates,
}


def load_embedder(name: str, atlas: Atlas | None = None) -> Embedder:
    """Make an embedder ready for use.

    Args:
        name: A key of :data:`EMBEDDERS`.
        atlas: The atlas whose model is meant; only "unigeoclip" needs one.

    Raises:
        InputError: There is no such embedder, or it needs an atlas.
        CheckpointError: Its weights are missing or damaged.
    """
    if name not in EMBEDDERS:
        raise InputError(f"There is no embedder {name!r}; there are {', '.join(EMBEDDERS)}.")
    return EMBEDDERS[name](atlas)
