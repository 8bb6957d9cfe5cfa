"""Embedders of coordinates: UniGeoCLIP's own, and those it is compared with.

A new embedder is one new file and one line in :data:`EMBEDDERS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from unigeoclip.embedders.base import WITHOUT, Embedder, PictureEmbedder, Provenance
from unigeoclip.errors import CheckpointError, InputError

if TYPE_CHECKING:
    from unigeoclip.atlas.store import Atlas
    from unigeoclip.embedders.unigeoclip import UniGeoCLIPEmbedder

__all__ = [
    "EMBEDDERS",
    "WITHOUT",
    "Embedder",
    "PictureEmbedder",
    "Provenance",
    "first_compared",
    "is_of_an_atlas",
    "load_all",
    "load_embedder",
]


# The published architectures with our weights, each with the published scales and with those of an atlas.
RETRAINED = ("satclip-retrained", "satclip-retrained-city", "geoclip-retrained", "geoclip-retrained-city")
_WITHOUT = re.compile(rf"{WITHOUT}(\d{{1,3}})")
# Compared at first beside ours: the published ones; where one is not on this machine, what stands in for it.
_PUBLISHED = (("geoclip",), ("satclip", "satclip-retrained-city", "satclip-retrained"))
_COMPARED = 3
# What needs no atlas to be named.
_OF_THE_EARTH = ("satclip", "geoclip", "coordinates")


# Importing an embedder imports what it needs, and most people need one of them: the factories import late.
def _unigeoclip(atlas: Atlas | None) -> Embedder:
    from unigeoclip.embedders.unigeoclip import UniGeoCLIPEmbedder

    if atlas is None:
        raise InputError("The embedder 'unigeoclip' is the location encoder of an atlas's model: name an atlas.")
    return UniGeoCLIPEmbedder.from_atlas(atlas)


def _satclip(_: Atlas | None) -> Embedder:
    from unigeoclip.embedders.satclip import SatCLIPEmbedder

    return SatCLIPEmbedder.from_cache()


def _geoclip(_: Atlas | None) -> Embedder:
    from unigeoclip.embedders.geoclip import GeoCLIPEmbedder

    return GeoCLIPEmbedder.from_package()


def _coordinates(_: Atlas | None) -> Embedder:
    from unigeoclip.embedders.coordinates import CoordinatesEmbedder

    return CoordinatesEmbedder()


def _fourier(atlas: Atlas | None) -> Embedder:
    from unigeoclip.embedders.coordinates import FourierEmbedder

    return FourierEmbedder.for_atlas(atlas)


def _retrained(name: str, atlas: Atlas | None) -> Embedder:
    from unigeoclip.embedders.retrained import RetrainedEmbedder

    if atlas is None:
        raise InputError(f"The embedder {name!r} was trained on an atlas: name one.")
    return RetrainedEmbedder.from_atlas(name, atlas)


EMBEDDERS: dict[str, Callable[[Atlas | None], Embedder]] = {
    "unigeoclip": _unigeoclip,
    "satclip": _satclip,
    "geoclip": _geoclip,
    "coordinates": _coordinates,
    "fourier": _fourier,
    **{name: partial(_retrained, name) for name in RETRAINED},
}


def load_embedder(name: str, atlas: Atlas | None = None, weights: Path | None = None) -> Embedder:
    """Make an embedder ready for use.

    Args:
        name: A key of :data:`EMBEDDERS`, or "unigeoclip-without-2": ours with its second spatial scale switched off.
        atlas: The atlas whose model is meant; "unigeoclip" and the retrained ones need one, "fourier" takes its scale
            from it.
        weights: A checkpoint in SatCLIP's official layout, in place of the one that was downloaded; "satclip" only.

    Raises:
        InputError: There is no such embedder, it needs an atlas, or it takes no weights.
        CheckpointError: Its weights are missing or damaged.
    """
    if weights is None and (scale := _WITHOUT.fullmatch(name)):
        return cast("UniGeoCLIPEmbedder", _unigeoclip(atlas)).without_scale(int(scale[1]) - 1)
    if name not in EMBEDDERS:
        raise InputError(f"Unknown embedder {name!r}. Known: {', '.join(EMBEDDERS)}, unigeoclip-without-1.")
    if weights is None:
        return EMBEDDERS[name](atlas)
    if name != "satclip":
        raise InputError(f"The embedder {name!r} takes no weights from a file; 'satclip' does.")
    from unigeoclip.embedders.satclip import SatCLIPEmbedder

    return SatCLIPEmbedder.from_file(weights)


def is_of_an_atlas(name: str) -> bool:
    """Whether an embedder of that name depends on an atlas."""
    return bool(_WITHOUT.fullmatch(name)) or (name in EMBEDDERS and name not in _OF_THE_EARTH)


def first_compared(names: Sequence[str]) -> list[str]:
    """Which three of these to look at first: the first one, which is ours, the published ones, then whichever follow.

    Returns:
        Names in the order of ``names``.
    """
    published = [next((name for name in some if name in names), "") for some in _PUBLISHED]
    wanted = [name for name in dict.fromkeys([*names[:1], *published, *names]) if name][:_COMPARED]
    return [name for name in names if name in wanted]


def load_all(atlas: Atlas) -> tuple[dict[str, Embedder], dict[str, str]]:
    """All embedders that can be used on this machine, and why the others cannot, by name."""
    found: dict[str, Embedder] = {}
    missing: dict[str, str] = {}
    for name in EMBEDDERS:
        try:
            found[name] = load_embedder(name, atlas)
        except CheckpointError as error:
            missing[name] = str(error)
    return found, missing
