"""What the composer offers, by atlas: queries that show something in one click, and what its empty fields say.

Items are written as in links.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pages.ui import scale

if TYPE_CHECKING:
    from unigeoclip.atlas.schema import Manifest


class Example(NamedTuple):
    """One ready query."""

    title: str
    link: tuple[str, ...]


class Hints(NamedTuple):
    """What stands in the empty fields."""

    words: str
    latitude: str
    longitude: str


_TABLE: dict[str, tuple[Example, ...]] = {
    "boston": (
        Example("park by the river", ("text:park by the river",)),
        Example("harbour with docks", ("text:harbour with docks",)),
        Example("downtown towers", ("text:downtown towers",)),
        Example("university campus", ("text:university campus",)),
        Example("quiet residential streets", ("text:quiet residential streets",)),
        Example("airport", ("text:airport",)),
        Example("Fenway", ("text:Fenway",)),
        Example("Harvard Square", ("at:42.3734,-71.119",)),
        Example("restaurants − nightlife", ("text:restaurants", "-0.5*text:nightlife")),
    ),
    "world": (
        Example("hot desert", ("text:hot desert",)),
        Example("Himalaya", ("text:Himalaya",)),
        Example("big city by the sea", ("text:big city by the sea",)),
        Example("tropical rainforest", ("text:tropical rainforest",)),
        Example("like Naples", ("at:40.85,14.27",)),
        Example("Switzerland − mountains + sea", ("text:Switzerland", "-1*text:mountains", "text:sea")),
    ),
}
# Words that mean something in any city.
_ANY_CITY = tuple(
    Example(words, (f"text:{words}",))
    for words in ("park by the water", "quiet residential streets", "railway station", "office towers", "industry")
)
_HINTS = {
    "boston": Hints("park by the river, downtown towers, Fenway …", "42.3601", "-71.0589"),
    "world": Hints("hot desert, fjords, big city by the sea …", "48.85", "2.35"),
}


def examples(manifest: Manifest) -> tuple[Example, ...]:
    """Examples for an atlas; for a city without a line of its own, some that fit any city."""
    return _TABLE.get(manifest.name, _ANY_CITY if scale.of(manifest).is_city else ())


def hints(manifest: Manifest) -> Hints:
    """What the empty fields say for an atlas; without a line of its own, its middle."""
    if manifest.name in _HINTS:
        return _HINTS[manifest.name]
    south, west, north, east = manifest.bounds
    digits = scale.of(manifest).digits
    words = (
        "park by the water, quiet residential streets …" if scale.of(manifest).is_city else "mountains, by the sea …"
    )
    return Hints(words, f"{(south + north) / 2:.{digits}f}", f"{(west + east) / 2:.{digits}f}")
