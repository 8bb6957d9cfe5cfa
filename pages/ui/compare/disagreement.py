"""How page Compare draws where two models disagree: colors, legend, and why there may be none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.similarity.colormaps import hex_color, palette

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pages.ui.protocol import Legend

COLORMAP = "viridis"  # not that of similarity: what is bright here is not what is similar
_LEAST_SPAN = 0.1
_LEVELS, _TICKS = 256, 5


def limits_of(values: NDArray[np.float32]) -> tuple[float, float]:
    """What the colors reach from and to: all but the 2 % of the cells at either end, in steps of 0.05."""
    low, high = (float(each) for each in np.percentile(values, [2, 98]))
    low, high = math.floor(low * 20) / 20, math.ceil(high * 20) / 20
    return (low, high) if high - low >= _LEAST_SPAN else (max(0.0, high - _LEAST_SPAN), max(high, _LEAST_SPAN))


def colors_of(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Colors of cells, (n, 3) sRGB."""
    low, high = limits_of(values)
    level = np.clip((values - low) / (high - low), 0, 1) * (_LEVELS - 1)
    colors: NDArray[np.uint8] = palette(COLORMAP, _LEVELS)[np.rint(level).astype(np.intp)]
    return colors


def legend_of(values: NDArray[np.float32], other: str) -> Legend:
    """The legend of a map.

    Args:
        values: Of the cells.
        other: Title of the model that this one disagrees with.
    """
    low, high = limits_of(values)
    fractions = np.linspace(0, 1, 17).tolist()
    shades = palette(COLORMAP, 17)
    return {
        "title": f"Disagreement with {other}",
        "stops": [(each, low + each * (high - low), hex_color(shades[i])) for i, each in enumerate(fractions)],
        "ticks": [(each, f"{low + each * (high - low):.2f}") for each in np.linspace(0, 1, _TICKS).tolist()],
        "low": "more neighbors shared",
        "high": "fewer",
        "words": f"Mean {float(values.mean()):.2f}; 1 is no neighbor in common.",
    }


def explanation_of() -> str:
    """What the colors stand for, with every choice that was made."""
    from unigeoclip.compare.disagreement import CANDIDATES, EXCLUDED, SHARE

    return (
        f"Disagreement is the share of a cell's neighbors under one model that are not its neighbors under the other. "
        f"Neighbors are the {100 * SHARE:.0f} % of the region, of {CANDIDATES:,} cells sampled by area, that a model "
        f"finds most similar to the cell, without those closer than {100 * EXCLUDED:.0f} % of the region's shorter "
        f"side, which every model finds similar. By chance it would be {1 - SHARE:.2f}."
    )


def reason_for_none(count: int, cells: int) -> str:
    """Why two models have no disagreement.

    Args:
        count: Cells for which both have vectors.
        cells: Of the region.
    """
    from unigeoclip.compare.disagreement import LEAST_CELLS

    if count < LEAST_CELLS:
        have = "This region has" if count == cells else "Both models have vectors for"
        return f"{have} {count} cells; disagreement needs {LEAST_CELLS} or more. Choose a larger region."
    return "One of the two models hardly varies here, so it has no neighbors to compare."
