"""The map as a Streamlit component around the vendored Leaflet: one or several panes, one event, the click.

The whole wished-for state goes in on every run, and the browser changes what differs; so nothing is built twice, and
panning, zooming and opacity do not come here at all.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui import atlas_scale
from pages.ui.formatting import origin, title
from pages.ui.http.urls import urls
from pages.ui.widgets.components import component, stylesheet
from unigeoclip.atlas.schema import SOURCE_OF
from unigeoclip.geo import MERCATOR_HALF_M

if TYPE_CHECKING:
    from collections.abc import Callable

    from pages.ui.protocol import BaseMap, BaseStyle, MapClick, MapProps, Pane
    from unigeoclip.atlas import Atlas
    from unigeoclip.geo import Bounds

BASE_TITLES = {"photographed": "Photograph", "rendered": "Rendered", "measured": "Measured"}
CLOSE_UP_PX = 300  # "Show on map" in a city makes the place's window about that wide

# The one thing in the app that uses the internet, and only when somebody chooses it.
ONLINE: BaseStyle = {
    "id": "online", "label": "Online", "online": True, "tiles": "https://tile.openstreetmap.org/{z}/{x}/{y}.png",
    "max_native_zoom": 19, "attribution": "© OpenStreetMap contributors",
    "meaning": "OpenStreetMap's own map, which your browser fetches from tile.openstreetmap.org",
}  # fmt: skip
_HTML = f"""
{stylesheet("leaflet/leaflet.css")}
{stylesheet("components/map/map.css")}
{stylesheet("components/map/controls.css")}
{stylesheet("components/map/find.css")}
<div class="ugc-map"></div>
"""
_component = partial(component, "map", _HTML)


def show(
    atlas: Atlas,
    panes: list[Pane],
    *,
    nonce: int,
    key: str,
    on_click: Callable[[MapClick], None],
    query_by: bool = False,
    find_places: bool = False,
    on_region: Callable[[Bounds | None], None] | None = None,
    region_label: str = "Compare",
    on_painted: Callable[[], None] | None = None,
    focus: Bounds | None = None,
    memory: str = "",
) -> None:
    """Draw the map.

    Args:
        atlas: What the map shows.
        panes: What it shows of one answer or of several models, see ``map.js``.
        nonce: Changes when a question is settled.
        key: The map's own, one for each atlas.
        on_click: Called with a click in the run that it causes.
        query_by: Whether a click may query the full place instead of the point.
        find_places: Whether the map has a search for names of places; to choose one is a click there.
        on_region: Called with a region in the run that its choice causes, or with None for the whole atlas; without it
            there is none to choose.
        region_label: What stands before the buttons that choose a region.
        on_painted: Called, in a run of its own, when the pictures of all panes are shown.
        focus: The part that the map shows when this is another than before; None for all of the atlas.
        memory: Key of the map whose view and display this one takes over; its own by default.
    """
    _, west, _, east = atlas.manifest.bounds
    data: MapProps = {
        # Other panes make another map; its view and display stay.
        "id": "-".join([key, atlas.name, *(pane["id"] for pane in panes)]),
        "memory": f"{memory or key}-{atlas.name}",
        "nonce": nonce,
        "bounds": atlas.manifest.bounds,
        "whole_earth": east - west >= atlas_scale.WHOLE_EARTH_DEG,
        "is_city": atlas_scale.of(atlas.manifest).is_city,
        "close_zoom": _close_zoom(atlas) if atlas_scale.of(atlas.manifest).is_city else None,
        "ask_by": query_by,
        "names": urls.names(atlas) if find_places else "",
        "region": region_label if on_region is not None else "",
        "tells_painted": on_painted is not None,
        "focus": focus,
        "base": base_map(atlas),
        "panes": panes,
    }

    _component()(key=key, data=data, **_events(key, on_click, on_region, on_painted))


def _events(
    key: str,
    on_click: Callable[[MapClick], None],
    on_region: Callable[[Bounds | None], None] | None,
    on_painted: Callable[[], None] | None,
) -> dict[str, Callable[[], None]]:
    """The callbacks of `show` as those of the component, which get no arguments: what happened is in the session."""

    def clicked() -> None:
        click: MapClick | None = _event(key, "click")
        if click is not None:
            on_click(click)

    events: dict[str, Callable[[], None]] = {"on_click_change": clicked}
    if on_region is not None:

        def region_chosen() -> None:
            event = _event(key, "region")
            bounds: list[float] | None = event["bounds"] if event else None
            on_region(None if not bounds else (bounds[0], bounds[1], bounds[2], bounds[3]))

        events["on_region_change"] = region_chosen
    if on_painted is not None:
        events["on_painted_change"] = on_painted
    return events


def _event(key: str, name: str) -> Any:
    """The event of a map that caused this run, if there is one."""
    return getattr(st.session_state.get(key), name, None) or None


def base_map(atlas: Atlas) -> BaseMap:
    """Base maps of an atlas: its picture, its relief and its lines, served from its folder; one from the internet."""
    aerial, surface = atlas.raster("aerial"), atlas.raster("surface")
    pictures = atlas.manifest.pictures
    styles = [
        ("photo", "aerial", BASE_TITLES.get(pictures.get("aerial", ""), "Picture"), _native_zoom(aerial), "aerial.tif"),
        ("plain", "surface", "Relief", _native_zoom(surface), "surface.tif"),
    ]
    native = max(zoom for _, _, _, zoom, _ in styles)
    own: list[BaseStyle] = [
        {
            "id": name,
            "label": label,
            "tiles": urls.tiles(atlas, name),
            "max_native_zoom": zoom,
            "attribution": _attribution(atlas, modality, file, "vectors/"),
            "meaning": ", ".join(part for part in (title(modality), origin(atlas.manifest, modality)) if part),
        }
        for name, modality, label, zoom, file in styles
    ]
    return {
        "styles": [*own, ONLINE],
        "max_zoom": native + 3,
        "vectors": [{"kind": layer, "url": urls.vectors(atlas, layer)} for layer in atlas.line_layers()],
    }


# Beginnings of what sources of a person's own data and of rules say they are: no map shows those but the one they name.
_OF_ONE_THING = ("rules", *SOURCE_OF.values())


def _attribution(atlas: Atlas, modality: str, *files: str) -> str:
    """How a picture came about, and who made what stands in these files, each once."""
    sources = atlas.manifest.sources
    makers = [source.attribution for file in files for source in sources if source.what.startswith(file)]
    # Sources that name no file stand for all of them, those of the rules for what no map shows.
    makers = makers or [source.attribution for source in sources if not source.what.startswith(_OF_ONE_THING)]
    makers = [maker for maker in makers if maker]  # atlases of earlier versions hold empty ones
    made = origin(atlas.manifest, modality) if atlas.manifest.pictures.get(modality) == "rendered" else ""
    return " · ".join(dict.fromkeys([made[:1].upper() + made[1:], *makers] if made else makers))


def _close_zoom(atlas: Atlas) -> float:
    """The zoom at which a place fills a good part of the map."""
    south, _, north, _ = atlas.manifest.bounds
    circle_m = 2 * MERCATOR_HALF_M * math.cos(math.radians((south + north) / 2))
    return round(math.log2(circle_m / 256 * CLOSE_UP_PX / atlas.window_m) * 4) / 4


def _native_zoom(raster: Any) -> int:
    """The zoom at which a tile pixel is about a raster pixel."""
    _, west, _, east = raster.bounds
    return max(0, round(math.log2(360 / (east - west) * raster.shape[1] / 256)))
