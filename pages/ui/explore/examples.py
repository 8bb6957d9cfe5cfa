"""Examples of the composer, by atlas: queries that show something in one click, and placeholders of its fields.

Items are written as in links.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from pages.ui import atlas_scale
from pages.ui.http.urls import urls
from pages.ui.widgets.components import component, stylesheet

if TYPE_CHECKING:
    from collections.abc import Callable

    from pages.ui.protocol import ExamplesProps, ExampleTake, ExampleTile
    from unigeoclip.atlas import Atlas
    from unigeoclip.atlas.schema import Manifest


class Example(NamedTuple):
    """One ready query; ``at`` is where its picture is taken, latitude and longitude."""

    title: str
    link: tuple[str, ...]
    at: tuple[float, float] | None = None


class Hints(NamedTuple):
    """Placeholders of the empty fields."""

    words: str
    latitude: str
    longitude: str


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
_HINTS = {
    "boston": Hints("park by the river, downtown towers, Fenway …", "42.3601", "-71.0589"),
    "world": Hints("hot desert, fjords, big city by the sea …", "48.85", "2.35"),
}


def examples(manifest: Manifest) -> tuple[Example, ...]:
    """Examples for an atlas; for a city that is not in the table, some that fit any city."""
    return _TABLE.get(manifest.name, _ANY_CITY if atlas_scale.of(manifest).is_city else ())


_HTML = stylesheet("components/examples/examples.css") + '<ul class="ugc-examples"></ul>'
_component = partial(component, "examples", _HTML)


def tiles(atlas: Atlas, take: Callable[[Example], None]) -> None:
    """Draw the examples of an atlas as pictures; a press calls ``take`` in the run that it causes."""
    offered, key = examples(atlas.manifest), f"examples-{atlas.name}"
    drawn: list[ExampleTile] = [
        {"title": each.title, "picture": urls.picture(atlas, "aerial", *each.at) if each.at else None}
        for each in offered
    ]

    def taken() -> None:
        pressed: ExampleTake | None = getattr(st.session_state.get(key), "take", None)
        if pressed:
            take(offered[pressed["index"]])

    data: ExamplesProps = {"examples": drawn}
    _component()(key=key, data=data, on_take_change=taken)


def hints(manifest: Manifest) -> Hints:
    """Placeholders for an atlas; the coordinates of its center where the table has none."""
    if manifest.name in _HINTS:
        return _HINTS[manifest.name]
    south, west, north, east = manifest.bounds
    digits = atlas_scale.of(manifest).digits
    words = (
        "park by the water, quiet residential streets …"
        if atlas_scale.of(manifest).is_city
        else "mountains, by the sea …"
    )
    return Hints(words, f"{(south + north) / 2:.{digits}f}", f"{(west + east) / 2:.{digits}f}")
