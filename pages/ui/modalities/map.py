"""The map of page Modalities: where the places of the scatter are; a click or a rectangle chooses others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.ui.map import component

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pages.ui.modalities.items import ItemViews
    from pages.ui.modalities.state import ModalitiesState
    from pages.ui.protocol import MapClick, Marker, Pane
    from unigeoclip.atlas import Atlas
    from unigeoclip.evaluation.held_out import HeldOut
    from unigeoclip.geo import Bounds

_LABEL = "Map of the places. Arrow keys move it, plus and minus zoom, Enter shows the places nearest to its center."


def show(
    atlas: Atlas,
    state: ModalitiesState,
    items: HeldOut | None = None,
    places: NDArray[np.int64] | None = None,
    views: ItemViews | None = None,
    opened: int = -1,
) -> None:
    """Draw the map.

    Args:
        atlas: What it shows.
        state: Of the page, which a click changes.
        items: Held-out items; without them the map is bare.
        places: Numbers of those that are shown.
        views: Of items.
        opened: Number of the item that is open.
    """
    pane: Pane = {"id": "modalities", "label": _LABEL}
    if items is not None and places is not None and views is not None:
        pane["markers"] = [_marker(items, number, views, is_open=number == opened) for number in places.tolist()]
    component.show(
        atlas, [pane], nonce=state.revision, key=f"modalities-map-{atlas.name}",
        on_click=lambda click: _clicked(state, click), on_region=lambda bounds: _region(state, bounds),
        region_label="Places",
        focus=state.view.bounds if state.view.selection == "map" else None,
    )  # fmt: skip


def _marker(items: HeldOut, number: int, views: ItemViews, *, is_open: bool) -> Marker:
    lat, lon = items.latlon[number].tolist()
    place_id = views.place_id(items, number)
    return {
        "id": place_id, "card": place_id, "kind": "best" if is_open else "match", "lat": lat, "lng": lon,
        "label": views.name(items, number),
    }  # fmt: skip


def _clicked(state: ModalitiesState, click: MapClick) -> None:
    point = round(click["lat"], 5), round((click["lng"] + 180) % 360 - 180, 5)
    state.select(selection="map", point=point, bounds=None)


def _region(state: ModalitiesState, bounds: Bounds | None) -> None:
    if bounds is None:
        state.select(selection="random", point=None, bounds=None)
    else:
        south, west, north, east = (round(value, 5) for value in bounds)
        state.select(selection="map", point=None, bounds=(south, west, north, east))
