"""The map as a Streamlit component around the vendored Leaflet: one or several panes, one event, the click.

The whole wished-for state goes in on every run, and the browser changes what differs; so nothing is built twice, and
panning, zooming and opacity do not come here at all.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict

import streamlit as st

from pages.ui import atlas_scale
from pages.ui.components import component, stylesheet
from pages.ui.formatting import coordinates, distance, origin, similarity, title, weight
from pages.ui.http.urls import urls
from pages.ui.overlays import overlay_url
from unigeoclip.atlas.schema import SOURCE_OF
from unigeoclip.geo import distance_m

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pages.ui.atlas_scale import Scale
    from pages.ui.explore.display import Display, Drawn
    from pages.ui.explore.session import Answer, Spot
    from pages.ui.protocol import BaseMap, BaseStyle, Legend, MapClick, MapProps, Marker, Pane
    from unigeoclip.atlas import Atlas
    from unigeoclip.geo import Bounds
    from unigeoclip.similarity.heatmap import LegendStop
    from unigeoclip.similarity.levels import Levels

MARKS_APART = 0.2  # of the legend's width, so that the names of two marks do not overlap
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
<div class="ugc-map"></div>
"""
_component = partial(component, "map", _HTML)


class ColorBar(TypedDict):
    """The part of a `Legend` that is its bar and the figures below."""

    stops: list[tuple[float, float, str]]
    ticks: list[tuple[float, str]]


def show(
    atlas: Atlas,
    panes: list[Pane],
    *,
    nonce: int,
    key: str,
    on_click: Callable[[], None],
    ask_by: bool = False,
    on_region: Callable[[], None] | None = None,
    focus: Bounds | None = None,
    memory: str = "",
) -> None:
    """Draw the map; a click calls ``on_click``, which finds it by `clicked`.

    Args:
        atlas: What the map shows.
        panes: From `answer_pane`.
        nonce: Changes when a question is settled.
        key: The map's own, one for each atlas.
        on_click: Called in the run that a click causes.
        ask_by: Whether a click may ask by the whole place instead of the point.
        on_region: Called in the run that the choice of a region causes, which `region` then tells; without it there is
            none to choose.
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
        "ask_by": ask_by,
        "region": on_region is not None,
        "focus": focus,
        "base": base_map(atlas),
        "panes": panes,
    }
    heard = {"on_click_change": on_click} | ({} if on_region is None else {"on_region_change": on_region})
    _component()(key=key, data=data, **heard)


def clicked(key: str) -> MapClick | None:
    """The click that caused this run."""
    value: MapClick | None = getattr(st.session_state.get(key), "click", None)
    return value or None


def region(key: str) -> Bounds | None:
    """The region whose choice caused this run: south, west, north, east, or None for the whole atlas."""
    value = getattr(st.session_state.get(key), "region", None)
    return tuple(value["bounds"]) if value and value["bounds"] else None


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
            "meaning": ", ".join(part for part in (title(modality), origin(pictures, modality)) if part),
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
    made = origin(atlas.manifest.pictures, modality) if atlas.manifest.pictures.get(modality) == "rendered" else ""
    return " · ".join(dict.fromkeys([made[:1].upper() + made[1:], *makers] if made else makers))


def _close_zoom(atlas: Atlas) -> float:
    """The zoom at which a place fills a good part of the map."""
    south, _, north, _ = atlas.manifest.bounds
    circle_m = 40_075_017 * math.cos(math.radians((south + north) / 2))
    return round(math.log2(circle_m / 256 * CLOSE_UP_PX / atlas.window_m) * 4) / 4


def _native_zoom(raster: Any) -> int:
    """The zoom at which a tile pixel is about a raster pixel."""
    _, west, _, east = raster.bounds
    return max(0, round(math.log2(360 / (east - west) * raster.shape[1] / 256)))


def answer_pane(answer: Answer | None, size: Scale, drawn: Drawn | None = None, how: Display | None = None) -> Pane:
    """The pane of one answer: heatmap, legend, and markers of the query, of its best match and of the results."""
    pane: Pane = {
        "id": "main",
        "label": "Map. Arrow keys move it, plus and minus zoom, Enter asks about its centre.",
    }
    if answer is None or drawn is None or how is None:
        return pane
    best, heat = answer.best, answer.heatmap
    pane["overlay"] = {"url": overlay_url(drawn.overlay), "bounds": heat.bounds}
    pane["values"] = {
        "url": overlay_url(drawn.percentiles), "bounds": heat.grid.bounds, "land": size.land,
        "similarities": [similarity(heat.similarity_at(percentile)) for percentile in range(100)],
    }  # fmt: skip
    if drawn.outline is not None:
        pane["outline"] = overlay_url(drawn.outline, "geojson")
    pane["legend"] = legend(answer, drawn, how, size.land)
    away = "" if answer.query.origin is None else distance(float(distance_m(answer.query.origin, best[:2])))
    found: list[Marker] = [
        {
            "id": f"{name}-{match.place_id}", "card": f"{name}-{match.place_id}", "kind": "match",
            "lat": match.lat, "lng": match.lon, "heading": match.heading_deg,
            "label": f"{title(name)}: {match.name}, {similarity(match.similarity)}",
        }
        for name, matches in answer.matches.items() for match in matches
    ]  # fmt: skip
    pane["markers"] = [
        *(_query_marker(spot, size.digits) for spot in answer.spots),
        *found,
        {
            "id": "best", "kind": "best", "lat": best.lat, "lng": best.lon,
            "label": f"Best match, {similarity(best.similarity)}: {coordinates(best.lat, best.lon, size.best_digits)}"
            + (f", {away} away" if away else ""),
        },
    ]  # fmt: skip
    return pane


_SPOT_TITLES = {"place": "Your place", "view": "Your view"}


def _query_marker(spot: Spot, digits: int) -> Marker:
    item = spot.item
    where = coordinates(spot.lat, spot.lon, digits) if item.modality == "location" else item.label
    return {
        "id": f"query-{spot.index}",
        "kind": "query",
        "lat": spot.lat,
        "lng": spot.lon,
        "heading": spot.heading_deg,
        "sign": "" if item.weight > 0 else "−",
        "label": f"{_SPOT_TITLES.get(item.modality, 'Your point')} ({weight(item.weight)}): {where}",
    }


def legend(answer: Answer, drawn: Drawn, how: Display, land: str = "the land") -> Legend:
    """Colour bar, its figures and its words; ``land`` is what shares are shares of."""
    if how.items:
        return _items_legend(answer, how)
    stops = answer.heatmap.legend(**drawn.colors, stops=17)
    bar = color_bar(stops)
    if drawn.levels is not None and drawn.colors["scale"] == "absolute":
        painted = f"Only the best {how.best} % of {land} are painted." if how.best else ""
        heading = "Similarity to your query"
        return {**bar, **absolute_legend(heading, drawn.levels, answer.best.similarity, painted, _outlined(how))}
    floor = max(drawn.colors["floor_percentile"], 100 - how.best if how.best else 0)
    ranked = drawn.colors["scale"] == "percentile"
    verdict = "" if drawn.levels is None else _verdict(drawn.levels, answer.best.similarity)
    unmeasured = _unmeasured(answer) if how.scale == "absolute" else verdict
    return {
        "stops": bar["stops"],
        "ticks": bar["ticks"],
        "title": f"Similarity to your query, {'by rank' if ranked else 'its own range'}",
        "low": f"half of {land} is lower" if floor == 50 else f"{floor:.0f} % of {land} is lower",
        "high": "most alike",
        "words": " ".join(part for part in (unmeasured, _outlined(how)) if part),
    }


def color_bar(stops: Sequence[LegendStop]) -> ColorBar:
    """The bar of a legend, and five figures below it."""
    return {
        "stops": list(stops),
        "ticks": [(stop.fraction, similarity(stop.similarity)) for stop in stops[::4]],
    }


def absolute_legend(heading: str, levels: Levels, best: float, *more: str) -> Legend:
    """What colours of the absolute scale mean, in words and with marks.

    Args:
        heading: Of the legend.
        levels: What similarities mean.
        best: The highest similarity of the map.
        more: Further sentences.
    """
    return {
        "title": f"{heading}, absolute",
        "marks": _marks(levels),
        "low": "as unrelated places",
        "high": "as held-out matches" if levels.separates else "as the best of 1,000 unrelated",
        "words": " ".join(part for part in (_verdict(levels, best), *more) if part),
        "weak": levels.separates and levels.is_chance(best),
    }


def _marks(levels: Levels) -> list[tuple[float, str]]:
    """Where on the colour bar chance ends and an ordinary match is; one name for both where two would overlap."""
    marks = sorted([(levels.fraction(levels.chance), "chance"), (levels.fraction(levels.match), "match")])
    (first, one), (second, other) = marks
    return marks if second - first > MARKS_APART else [(first, f"{one}, {other}"), (second, "")]


def _verdict(levels: Levels, best: float) -> str:
    """How good the best similarity of a map is, in a sentence or two."""
    said, chance, match = (similarity(value) for value in (best, levels.chance, levels.match))
    if not levels.separates:  # right answers can be as low as this: nothing is said of the one that is shown
        return (
            f"Best {said}. One of 1,000 unrelated places reaches {chance}, half of held-out matches only {match}: for "
            "queries of this kind the height of a similarity tells little."
        )
    if levels.is_chance(best):
        return f"Best {said}: no more than chance; one of 1,000 unrelated places reaches {chance}."
    if levels.is_match(best):
        return f"Best {said}: as similar as held-out matches, of which half reach {match}; chance ends at {chance}."
    return f"Best {said}: more than chance, which ends at {chance}; half of held-out matches reach {match}."


def _unmeasured(answer: Answer) -> str:
    """Why an answer has no absolute scale, in a sentence."""
    what = "this model and kind of query"
    if len(answer.items) > 1 or answer.items[0].weight <= 0:
        what = "sums and differences of items"
    elif answer.items[0].modality == "place":
        what = "whole places"
    return f"No absolute scale was measured for {what}: colours span the range of this answer, however weak it is."


def _items_legend(answer: Answer, how: Display) -> Legend:
    """Dots are coloured from the median item to the best one."""
    from unigeoclip.similarity.colormaps import hex_color, palette

    colors = [hex_color(rgb) for rgb in palette(how.colours, 17)]
    best = answer.matches[how.items][0].similarity if answer.matches.get(how.items) else 0.0
    kind = "Places" if how.items == "location" else title(how.items)
    return {
        "title": f"{kind}: every dot is one of the gallery",
        "stops": [(number / 16, 0.0, color) for number, color in enumerate(colors)],
        "ticks": [(1.0, similarity(best))],
        "low": "half of them are lower",
        "high": "most alike",
        "words": _outlined(how),
    }


def _outlined(how: Display) -> str:
    return f"The line is round the best {how.outline} % of the map." if how.outline else ""
