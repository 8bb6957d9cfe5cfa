"""Embedders of coordinates: UniGeoCLIP's own, and those it is compared with.

A new embedder is one new file and one line in :data:`EMBEDDERS`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from unigeoclip.embedders.base import WITHOUT, Embedder, PartialEmbedder, PictureEmbedder, Provenance
from unigeoclip.embedders.files import FileAddress, FileEmbedder, is_file
from unigeoclip.embedders.files.named import named_files
from unigeoclip.errors import CheckpointError, InputError

if TYPE_CHECKING:
    from unigeoclip.atlas.store import Atlas
    from unigeoclip.embedders.unigeoclip import UniGeoCLIPEmbedder

__all__ = [
    "EMBEDDERS",
    "WITHOUT",
    "Embedder",
    "Entry",
    "PartialEmbedder",
    "PictureEmbedder",
    "Provenance",
    "first_compared",
    "is_file",
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


@dataclass(frozen=True)
class Entry:
    """How an embedder of the table is made. Its module is imported when it is asked for: most people need one.

    Attributes:
        factory: "module.Class" or "module.Class.method", of a module in this folder.
        atlas: Whether the factory takes an atlas: None for no, "optional" for an atlas or None, or "required".
        arguments: What it takes before the atlas.
    """

    factory: str
    atlas: Literal["optional", "required"] | None = None
    arguments: tuple[str, ...] = ()

    def make(self, name: str, atlas: Atlas | None) -> Embedder:
        """Make the embedder.

        Raises:
            InputError: It needs an atlas and there is none.
            CheckpointError: Its weights are missing or damaged.
        """
        if self.atlas == "required" and atlas is None:
            raise InputError(f"The embedder {name!r} was trained on an atlas: name an atlas.")
        module, *attributes = self.factory.split(".")
        factory: Any = import_module(f"{__name__}.{module}")
        for attribute in attributes:
            factory = getattr(factory, attribute)
        return cast("Embedder", factory(*self.arguments, *([] if self.atlas is None else [atlas])))


EMBEDDERS: dict[str, Entry] = {
    "unigeoclip": Entry("unigeoclip.UniGeoCLIPEmbedder.from_atlas", "required"),
    "unigeoclip-taught": Entry("taught.TaughtEmbedder.from_atlas", "required"),
    "satclip": Entry("satclip.SatCLIPEmbedder.from_cache"),
    "geoclip": Entry("geoclip.GeoCLIPEmbedder.from_package"),
    "coordinates": Entry("coordinates.CoordinatesEmbedder"),
    "fourier": Entry("coordinates.FourierEmbedder.for_atlas", "optional"),
    **{name: Entry("retrained.RetrainedEmbedder.from_atlas", "required", (name,)) for name in RETRAINED},
}


def load_embedder(name: str, atlas: Atlas | None = None, weights: Path | None = None) -> Embedder:
    """Make an embedder ready for use.

    Args:
        name: A key of :data:`EMBEDDERS`; "unigeoclip-without-2": ours with its second spatial scale switched off; or
            "file:PATH": embeddings of others in a file, see :mod:`unigeoclip.embedders.files`; or "file-NAME": one of
            the files that ``UNIGEOCLIP_EMBEDDING_FILES`` names.
        atlas: The atlas whose model is meant; "unigeoclip" and the retrained ones need one, "fourier" takes its scale
            from it.
        weights: A checkpoint in SatCLIP's official layout, in place of the one that was downloaded; "satclip" only.

    Raises:
        InputError: There is no such embedder, it needs an atlas, or it takes no weights.
        CheckpointError: Its weights are missing or damaged.
    """
    if weights is None and (scale := _WITHOUT.fullmatch(name)):
        return cast("UniGeoCLIPEmbedder", EMBEDDERS["unigeoclip"].make("unigeoclip", atlas)).without_scale(
            int(scale[1]) - 1
        )
    if weights is None and is_file(name):
        return FileEmbedder.from_address(FileAddress.parse(name))
    if weights is None and (address := named_files().get(name)):
        return FileEmbedder.from_address(address, name)
    if name not in EMBEDDERS and not is_file(name):
        known = ", ".join(EMBEDDERS)
        raise InputError(f"Unknown embedder {name!r}. Known: {known}, unigeoclip-without-1, file:PATH.")
    if weights is None:
        return EMBEDDERS[name].make(name, atlas)
    if name != "satclip":
        raise InputError(f"The embedder {name!r} takes no weights from a file; 'satclip' does.")
    from unigeoclip.embedders.satclip import SatCLIPEmbedder

    return SatCLIPEmbedder.from_file(weights)


def is_of_an_atlas(name: str) -> bool:
    """Whether an embedder of that name depends on an atlas."""
    return bool(_WITHOUT.fullmatch(name)) or (name in EMBEDDERS and EMBEDDERS[name].atlas is not None)


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
