"""Which modalities of an atlas come from one map: they agree more than what sensors see, and figures must say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unigeoclip.atlas import schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unigeoclip.atlas.schema import Manifest

RENDERED = "rendered"
ALL_DRAWN = "five renderings of one map; an upper bound, not comparable with the paper's figures"
NAMES = {"aerial": "aerial images", "street": "street views", "surface": "heights", "text": "texts"}
_REAL = {"photographed": "photographs", "measured": "measured"}


def map_name(manifest: Manifest) -> str:
    """Name of the map that pictures of a city are rendered from, and that says what its places are."""
    is_overture = any(source.name == schema.OVERTURE for source in manifest.sources)
    return schema.OVERTURE if is_overture else "OpenStreetMap"


def from_one_map(manifest: Manifest) -> tuple[str, ...]:
    """Modalities that are drawn, or written, from one vector map, in the order of the manifest; often none."""
    drawn = {name for name, origin in manifest.pictures.items() if origin == RENDERED}
    if not drawn and schema.CITY not in manifest.files:
        return ()
    return tuple(name for name in manifest.modalities if name in drawn or name == "text")


def is_upper_bound(manifest: Manifest, query: str, target: str) -> bool:
    """Whether both sides of a pair of modalities come from one map, so that figures of it are an upper bound."""
    drawn = from_one_map(manifest)
    return query in drawn and target in drawn


def upper_bound(manifest: Manifest) -> str:
    """The reservation that stands beside figures, for exactly the modalities it holds for; empty where it does not."""
    drawn = from_one_map(manifest)
    if len(drawn) < 2:
        return ""
    real = [name for name in manifest.modalities if name not in (*drawn, "location")]
    if not real:
        return ALL_DRAWN
    said = [
        f"{_listed([NAMES[name] for name in real if manifest.pictures.get(name) == origin])} are {words}"
        for origin, words in _REAL.items()
        if any(manifest.pictures.get(name) == origin for name in real)
    ]
    return (
        f"{'; '.join(said)}; {_listed([NAMES[name] for name in drawn])} come from {map_name(manifest)}: what these "
        "find of each other is an upper bound, not comparable with the paper's figures"
    )


def made(manifest: Manifest, *origins: str) -> list[str]:
    """Names of the pictures that came about in one of these ways, in the order of the manifest."""
    return [NAMES[name] for name in manifest.modalities if manifest.pictures.get(name) in origins and name in NAMES]


def _listed(names: Sequence[str]) -> str:
    """Names in a sentence: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""
