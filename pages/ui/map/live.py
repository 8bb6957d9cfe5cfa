"""Heatmaps that the browser computes while a pointer moves over a map: of what, and how they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.ui.formatting import similarity
from pages.ui.map import legend as legends

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pages.ui.protocol import Legend, LiveGrid
    from unigeoclip.geo import Bounds
    from unigeoclip.similarity.heatmap import Scale
    from unigeoclip.similarity.levels import Levels

_COLORS = 64
_STOPS = 17  # of the legend's bar


_POINT = "Similarity to the point under the pointer"
_FROM_CELLS = "Approximate: computed in this browser from the cells around the point. Click for the exact answer."
_ENCODED = "Computed in this browser. Click for the exact answer and its results."


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
    encoder: str | None = None,
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
        encoder: Address of what the browser encodes points by; None: it interpolates between cells.
    """
    from unigeoclip.similarity.colormaps import hex_color, palette

    colors = [hex_color(rgb) for rgb in palette(colormap, _COLORS)]
    legend = live_legend(_POINT + heading, _FROM_CELLS if encoder is None else _ENCODED, colors, fixed=fixed)
    if levels is not None:
        legend["ticks"] = [(0.0, similarity(levels.limits[0])), (1.0, similarity(levels.limits[1]))]
        legend |= {"marks": legends.marks(levels), "low": "as unrelated places", "high": legends.high_end(levels)}
    grid: LiveGrid = {
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
    if encoder is not None:
        grid["encoder"] = encoder
    return grid


def live_legend(heading: str, words: str, colors: Sequence[str], *, fixed: bool = False) -> Legend:
    """The legend of heatmaps that the browser computes, of which nobody knows the range yet.

    Args:
        heading: Of the legend.
        words: Below the bar.
        colors: From low to high, as CSS writes them.
        fixed: Whether it has no opacity slider of its own.
    """
    fractions = [number / (_STOPS - 1) for number in range(_STOPS)]
    return {
        "title": heading,
        "stops": [(fraction, 0.0, colors[round(fraction * (len(colors) - 1))]) for fraction in fractions],
        "low": "less similar",
        "high": "more similar",
        "words": words,
        "fixed": fixed,
    }
