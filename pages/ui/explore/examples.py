"""Examples of the composer: queries that show something in one click, and placeholders of its fields."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from pages.ui import atlas_scale
from pages.ui.http.urls import urls
from pages.ui.widgets.components import component, stylesheet
from unigeoclip.atlas.examples import of_atlas

if TYPE_CHECKING:
    from collections.abc import Callable

    from pages.ui.protocol import ExamplesProps, ExampleTake, ExampleTile
    from unigeoclip.atlas import Atlas
    from unigeoclip.atlas.examples import Example
    from unigeoclip.atlas.schema import Manifest


class Hints(NamedTuple):
    """Placeholders of the empty fields."""

    words: str
    latitude: str
    longitude: str


_HINTS = {
    "boston": Hints("park by the river, downtown towers, Fenway …", "42.3601", "-71.0589"),
    "world": Hints("hot desert, fjords, big city by the sea …", "48.85", "2.35"),
}


def examples(manifest: Manifest) -> tuple[Example, ...]:
    """Examples for an atlas; for a city that is not in the table, some that fit any city."""
    return of_atlas(manifest.name, is_city=atlas_scale.of(manifest).is_city)


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
