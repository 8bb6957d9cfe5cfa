"""How the map of page Explore is drawn while it follows the pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.ui.explore.display import LOW_OPACITY, coloring
from pages.ui.formatting import similarity
from pages.ui.http.urls import urls
from pages.ui.map import legend as legends
from unigeoclip.similarity.levels import levels_of_modality

if TYPE_CHECKING:
    from pages.ui.protocol import Legend, LiveGrid
    from pages.ui.view_options import Display
    from unigeoclip.search.explorer import Explorer

_COLORS = 64


def live_grid(explorer: Explorer, display: Display) -> LiveGrid:
    """What the browser needs to compute the heatmaps of points, drawn as answers are in a display."""
    from unigeoclip.similarity.calibration import calibration  # brings torch along
    from unigeoclip.similarity.colormaps import hex_color, palette

    levels = levels_of_modality(calibration(explorer.atlas), "location")
    options = coloring(display.scale, levels)
    colors = [hex_color(rgb) for rgb in palette(display.colors, _COLORS)]
    bar = [(number / 16, 0.0, colors[round(number / 16 * (_COLORS - 1))]) for number in range(17)]
    legend: Legend = {
        "title": "Similarity to the point under the pointer",
        "stops": bar,
        "low": "less similar",
        "high": "more similar",
        "words": "Approximate: computed in this browser. Click for the exact answer and its results.",
    }
    if (limits := options.get("limits")) is not None and levels is not None:
        legend["ticks"] = [(0.0, similarity(limits[0])), (1.0, similarity(limits[1]))]
        legend |= {"marks": legends.marks(levels), "low": "as unrelated places", "high": legends.high_end(levels)}
    return {
        "url": urls.live(explorer.atlas, explorer.model_id),
        "bounds": explorer.grid.mercator_bounds,
        "scale": options["scale"],
        "limits": limits,
        "floor": options.get("floor_percentile", 0.0),
        "share": display.best / 100,
        "low_opacity": LOW_OPACITY,
        "colors": colors,
        "legend": legend,
    }
