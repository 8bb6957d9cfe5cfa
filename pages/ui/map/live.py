"""Heatmaps that the browser computes while a pointer moves over a map: of what, and how they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.ui.formatting import similarity
from pages.ui.map import legend as legends

if TYPE_CHECKING:
    from pages.ui.protocol import Legend, LiveGrid
    from unigeoclip.geo import Bounds
    from unigeoclip.similarity.heatmap import Scale
    from unigeoclip.similarity.levels import Levels

_COLORS = 64
_STOPS = 17  # of the legend's bar


def live_grid(
    url: str,
    bounds: Bounds,
    colormap: str,
    *,
    scale: Scale,
    levels: Levels | None,
    least_span: float,
    low_opacity: float,
    heading: str = "",
    floor: float = 0.0,
    share: float = 0.0,
    fixed: bool = False,
    area: Bounds | None = None,
) -> LiveGrid:
    """What the browser needs to compute and draw the heatmaps of points.

    Args:
        url: Of the compact grid.
        bounds: Of its picture, south, west, north, east, degrees.
        colormap: One of ``colormaps.COLORMAPS``.
        scale: As `Heatmap.png` takes it.
        levels: What similarities mean, for the scale "absolute".
        least_span: Of similarity that colors of an own range reach over; ranks that vary by less are drawn so.
        low_opacity: At the low end of the colors.
        heading: Added to the legend's title.
        floor: Percentile at which colors start.
        share: Of the area that is painted; 0 for all.
        fixed: Whether the legend has no opacity slider of its own.
        area: South, west, north, east in degrees to which heatmaps are limited; None for none.
    """
    from unigeoclip.similarity.colormaps import hex_color, palette

    colors = [hex_color(rgb) for rgb in palette(colormap, _COLORS)]
    fractions = [number / (_STOPS - 1) for number in range(_STOPS)]
    legend: Legend = {
        "title": "Similarity to the point under the pointer" + heading,
        "stops": [(fraction, 0.0, colors[round(fraction * (_COLORS - 1))]) for fraction in fractions],
        "low": "less similar",
        "high": "more similar",
        "words": "Approximate: computed in this browser. Click for the exact answer.",
        "fixed": fixed,
    }
    if levels is not None:
        legend["ticks"] = [(0.0, similarity(levels.limits[0])), (1.0, similarity(levels.limits[1]))]
        legend |= {"marks": legends.marks(levels), "low": "as unrelated places", "high": legends.high_end(levels)}
    return {
        "url": url,
        "bounds": bounds,
        "area": area,
        "scale": scale,
        "limits": None if levels is None else levels.limits,
        "floor": floor,
        "share": share,
        "least_span": least_span,
        "low_opacity": low_opacity,
        "colors": colors,
        "legend": legend,
    }
