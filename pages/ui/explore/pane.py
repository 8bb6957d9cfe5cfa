"""The map of page Explore: heatmap, legend and markers of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.ui.formatting import coordinates, distance, similarity, title, weight
from pages.ui.map import legend as legends
from pages.ui.overlays import overlay_url
from unigeoclip.geo import distance_m
from unigeoclip.search.query import ANY

if TYPE_CHECKING:
    from pages.ui.atlas_scale import Scale
    from pages.ui.explore.model import Answer, Drawn, Spot
    from pages.ui.protocol import Legend, Marker, Pane
    from pages.ui.view_options import Display
    from unigeoclip.geo import Bounds
    from unigeoclip.similarity.heatmap import Heatmap


def answer_pane(
    answer: Answer | None,
    size: Scale,
    drawn: Drawn | None = None,
    display: Display | None = None,
    *,
    hides_results: bool = False,
    searched: str = "",
    area: Bounds | None = None,
) -> Pane:
    """The pane of one answer: heatmap, legend, and markers of the query, of its best match and of the results.

    Args:
        answer: The answer; None before there is one.
        size: Of the atlas.
        drawn: The pictures of the answer.
        display: How it is shown.
        hides_results: Whether there are no markers of results, as nothing in the atlas is like the query.
        searched: Which places are searched, where they are not the atlas's own, see `Explorer.searched`.
        area: South, west, north, east in degrees within which queries are answered; None for everywhere.
    """
    pane: Pane = {
        "id": "main",
        "label": "Map. Arrow keys move it, plus and minus zoom, Enter queries its center.",
    }
    if searched:
        pane["title"], pane["meaning"] = searched, _SEARCHED
    if area is not None:
        pane["area"] = area
    if answer is None or drawn is None or display is None:
        return pane
    land = answer.scope.land or size.land
    best, heat = answer.best, answer.heatmap
    pane["overlay"] = {"url": overlay_url(drawn.overlay), "bounds": heat.bounds}
    _add_readings(pane, heat, drawn, land)
    if drawn.outline is not None:
        pane["outline"] = overlay_url(drawn.outline, "geojson")
    pane["legend"] = pane_legend(answer, drawn, display, land)
    away = "" if answer.query.origin is None else distance(float(distance_m(answer.query.origin, best[:2])))
    of_query = [_query_marker(spot, size.digits) for spot in answer.spots]
    if hides_results:
        pane["markers"] = of_query
        return pane
    pane["markers"] = [
        *of_query,
        *_match_markers(answer),
        {
            "id": "best", "kind": "best", "lat": best.lat, "lng": best.lon,
            "label": f"Best match, {similarity(best.similarity)}: {coordinates(best.lat, best.lon, size.best_digits)}"
            + (f", {away} away" if away else ""),
        },
    ]  # fmt: skip
    return pane


def _match_markers(answer: Answer) -> list[Marker]:
    return [
        {
            "id": f"{name}-{match.place_id}", "card": f"{name}-{match.place_id}", "kind": "match",
            "lat": match.lat, "lng": match.lon, "heading": match.heading_deg,
            "label": f"{title(name)}: {match.name}, {similarity(match.similarity)}",
        }
        for name, matches in answer.matches.items() for match in matches
    ]  # fmt: skip


def _add_readings(pane: Pane, heat: Heatmap, drawn: Drawn, land: str) -> None:
    """Add what the browser reads out of the heatmap: percentiles under the pointer, and areas above a threshold."""
    pane["values"] = {
        "url": overlay_url(drawn.percentiles), "bounds": heat.grid.bounds, "land": land,
        "similarities": [similarity(heat.similarity_at(percentile)) for percentile in range(100)],
    }  # fmt: skip
    pane["areas"] = {
        "url": overlay_url(drawn.steps.png), "bounds": heat.grid.bounds, "land": land,
        "low": drawn.steps.low, "step": drawn.steps.step,
    }  # fmt: skip


_SEARCHED = "Results are places of this index, ranked by their similarity alone. The heatmap is the atlas's."
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


def pane_legend(answer: Answer, drawn: Drawn, display: Display, land: str = "the land") -> Legend:
    """Color bar, its figures and its words; ``land`` is what shares are shares of."""
    legend = _items_legend(answer, drawn, display) if display.items else _heatmap_legend(answer, drawn, display, land)
    if answer.query.is_foreign:
        legend["words"] = " ".join(part for part in ("Nothing here is like that.", legend.get("words", "")) if part)
        legend["weak"] = True
    return legend


def _heatmap_legend(answer: Answer, drawn: Drawn, display: Display, land: str) -> Legend:
    stops = answer.heatmap.legend(**drawn.colors, stops=17)
    bar = legends.color_bar(stops)
    if drawn.levels is not None and drawn.colors["scale"] == "absolute":
        painted = f"Only the best {display.best} % of {land} is shown." if display.best else ""
        heading = "Similarity to your query"
        return {
            **bar,
            **legends.absolute_legend(heading, drawn.levels, answer.best.similarity, painted, _outlined(display)),
        }
    floor = max(drawn.colors["floor_percentile"], 100 - display.best if display.best else 0)
    ranked = drawn.colors["scale"] == "percentile"
    verdict = "" if drawn.levels is None else legends.verdict(drawn.levels, answer.best.similarity)
    unmeasured = _unmeasured(answer) if display.scale == "absolute" else verdict
    return {
        "stops": bar["stops"],
        "ticks": bar["ticks"],
        "title": f"Similarity to {_asked(answer)}, {'by rank' if ranked else 'its own range'}",
        "low": f"half of {land} is lower" if floor == 50 else f"{floor:.0f} % of {land} is lower",
        "high": "most similar",
        "words": " ".join(part for part in (unmeasured, _outlined(display)) if part),
    }


def _asked(answer: Answer) -> str:
    return "the closest of your examples" if answer.query.combine == ANY else "your query"


def _unmeasured(answer: Answer) -> str:
    """Why an answer has no absolute scale, in a sentence."""
    what = "this model and kind of query"
    if answer.query.combine == ANY:
        what = "the closest of several examples"
    elif len(answer.items) > 1 or answer.items[0].weight <= 0:
        what = "sums and differences of items"
    elif answer.items[0].modality == "place":
        what = "full places"
    return f"No absolute scale was measured for {what}: colors span the range of this answer, however weak it is."


def _items_legend(answer: Answer, drawn: Drawn, display: Display) -> Legend:
    """Dots are colored from the median item to the best one."""
    from unigeoclip.similarity.colormaps import hex_color, palette

    colors = [hex_color(rgb) for rgb in palette(display.colors, 17)]
    best = max((match.similarity for match in answer.matches.get(display.items, ())), default=0.0)
    kind = "Places" if display.items == "location" else title(display.items)
    return {
        "title": f"{kind}: {drawn.dots}",
        "stops": [(number / 16, 0.0, color) for number, color in enumerate(colors)],
        "ticks": [(1.0, similarity(best))],
        "low": "half of them are lower",
        "high": "most similar",
        "words": _outlined(display),
    }


def _outlined(display: Display) -> str:
    return f"The line encloses the best {display.outline} % of the map." if display.outline else ""
