"""Examples by atlas: queries that show something in one click; items are spelled as `parse_item` reads them."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Example", "of_atlas"]


class Example(NamedTuple):
    """One ready query; ``at`` is where its picture is taken, latitude and longitude."""

    title: str
    link: tuple[str, ...]
    at: tuple[float, float] | None = None


_TABLE: dict[str, tuple[Example, ...]] = {
    "boston": (
        Example("park by the river", ("text:park by the river",), (42.3685, -71.132)),
        Example("harbour with docks", ("text:harbour with docks",), (42.3625, -71.035)),
        Example("downtown towers", ("text:downtown towers",), (42.3591, -71.0594)),
        Example("university campus", ("text:university campus",), (42.3742, -71.1203)),
        Example("quiet residential streets", ("text:quiet residential streets",), (42.3746, -71.1857)),
        Example("airport", ("text:airport",), (42.3649, -71.0104)),
        Example("Fenway", ("text:Fenway",), (42.3427, -71.1025)),
        Example("Harvard Square", ("at:42.3734,-71.119",), (42.3735, -71.119)),
        Example("restaurants − nightlife", ("text:restaurants", "-0.5*text:nightlife"), (42.3849, -71.0995)),
    ),
    "world": (
        Example("hot desert", ("text:hot desert",), (27.6121, 38.0782)),
        Example("Himalaya", ("text:Himalaya",), (30.083, 80.757)),
        Example("big city by the sea", ("text:big city by the sea",), (25.2529, 55.3273)),
        Example("tropical rainforest", ("text:tropical rainforest",), (5.75, -56.75)),
        Example("like Naples", ("at:40.85,14.27",), (40.75, 14.25)),
        Example(
            "Switzerland − mountains + sea",
            ("text:Switzerland", "-1.5*text:mountains", "1.5*text:sea"),
            (52.77, 4.8),
        ),
    ),
}
# Words that mean something in any city.
_ANY_CITY = tuple(
    Example(words, (f"text:{words}",))
    for words in ("park by the water", "quiet residential streets", "railway station", "office towers", "industry")
)


def of_atlas(name: str, *, is_city: bool) -> tuple[Example, ...]:
    """Examples for an atlas; for one that is not in the table, some that fit any city, or none."""
    return _TABLE.get(name, _ANY_CITY if is_city else ())
