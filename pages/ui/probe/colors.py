"""Colors of targets, predictions and residuals on the maps of page Probe, and their legends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pages.ui.formatting import number
from unigeoclip.similarity.class_colors import class_colors
from unigeoclip.similarity.colormaps import hex_color, palette

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pages.ui.protocol import Legend
    from unigeoclip.tasks.label_table import LabelTable

    Values = NDArray[np.float64] | NDArray[np.str_]

COLORMAP = "viridis"
LEVELS = 256
TAILS = (2.0, 98.0)  # percentiles of the target at which the colors end: one outlier must not make all others equal
# Blue, near white, red: perceptually even, and safe for the color-blind.
_DIVERGING = ("#2166ac", "#67a9cf", "#f4f4f2", "#ef8a62", "#b2182b")
MOST_SWATCHES, SHORT = 8, 12  # classes in a legend; characters of a short name
RIGHT, WRONG = "#56b4e9", "#d55e00"


def scale_of(table: LabelTable) -> NumberScale | ClassScale:
    """The colors of a table's target."""
    if table.kind == "classification":
        names, counts = np.unique(table.target, return_counts=True)
        return ClassScale(tuple(names.tolist()), tuple((counts / len(table)).tolist()))
    target = np.asarray(table.target, np.float64)
    low, high = np.percentile(target, TAILS).tolist()
    high = high if high > low else low + 1.0
    spread = float(np.percentile(np.abs(target - np.median(target)), 90))
    return NumberScale(low, high, spread or 1.0, table.unit)


@dataclass(frozen=True)
class NumberScale:
    """Colors of numbers.

    Attributes:
        low: Value of the lowest color.
        high: Value of the highest color.
        spread: Residual at which the colors of residuals end.
        unit: Of the values, for people.
    """

    low: float
    high: float
    spread: float
    unit: str = ""

    def rgb(self, values: Values) -> NDArray[np.uint8]:
        """Colors of values, (n, 3) sRGB."""
        span = max(self.high - self.low, 1e-12)
        return _by_fraction((np.asarray(values, np.float64) - self.low) / span, palette(COLORMAP, LEVELS))

    def legend(self, title: str) -> Legend:
        """Their legend."""
        fractions = np.linspace(0, 1, 5).tolist()
        at = [self.low + fraction * (self.high - self.low) for fraction in fractions]
        return _bar(_titled(title, self.unit), palette(COLORMAP, 17), list(zip(fractions, at, strict=True)))

    def repeated_legend(self, title: str) -> Legend:
        """The legend beside a map that has it in full."""
        return self.legend(title)

    def residual_rgb(self, truth: Values, predicted: Values) -> NDArray[np.uint8]:
        """Colors of what a prediction is off by, (n, 3) sRGB."""
        off = np.asarray(truth, np.float64) - np.asarray(predicted, np.float64)
        return _by_fraction(off / (2 * self.spread) + 0.5, _diverging(LEVELS))

    def residual_legend(self) -> Legend:
        """Legend of residuals."""
        ticks = [(0.0, -self.spread), (0.5, 0.0), (1.0, self.spread)]
        made = _bar(_titled("Truth − prediction", self.unit), _diverging(17), ticks)
        return {**made, "low": "predicted too high", "high": "predicted too low"}


@dataclass(frozen=True)
class ClassScale:
    """Colors of classes: those of `PredictionMap`, which numbers classes in the order of their names.

    Attributes:
        names: Of the classes, sorted.
        shares: Share of the rows of each, 0 to 1.
    """

    names: tuple[str, ...]
    shares: tuple[float, ...]

    def rgb(self, values: Values) -> NDArray[np.uint8]:
        """Colors of values, (n, 3) sRGB."""
        return class_colors(len(self.names))[np.searchsorted(np.array(self.names), np.asarray(values, np.str_))]

    def legend(self, title: str) -> Legend:
        """Their legend: the most frequent classes."""
        colors = class_colors(len(self.names))
        frequent = sorted(range(len(self.names)), key=lambda number: -self.shares[number])[:MOST_SWATCHES]
        swatches: list[tuple[str, str] | tuple[str, str, str]] = [
            (hex_color(colors[number]), self.names[number], f"{100 * self.shares[number]:.0f} %") for number in frequent
        ]
        rest = len(self.names) - len(frequent)
        # Short names stand beside each other: three maps leave little room for a legend.
        long = max(len(self.names[number]) for number in frequent) > SHORT
        return {
            "title": title,
            "swatches": swatches,
            "named": long,
            "words": f"and {rest} more classes" if rest else "",
        }

    def repeated_legend(self, title: str) -> Legend:
        """The legend beside a map that has it in full."""
        return {"title": title, "words": "Colors as on the map of the truth."}

    def residual_rgb(self, truth: Values, predicted: Values) -> NDArray[np.uint8]:
        """Colors of what a prediction is off by, (n, 3) sRGB."""
        right = np.asarray(truth) == np.asarray(predicted)
        colors: NDArray[np.uint8] = np.array([_bytes(WRONG), _bytes(RIGHT)], np.uint8)[right.astype(np.int64)]
        return colors

    def residual_legend(self) -> Legend:
        """Legend of residuals."""
        return {"title": "Errors", "swatches": [(RIGHT, "right"), (WRONG, "wrong")]}


def _titled(title: str, unit: str) -> str:
    return f"{title}, {unit}" if unit else title


def _bar(title: str, colors: NDArray[np.uint8], ticks: list[tuple[float, float]]) -> Legend:
    count = len(colors) - 1
    return {
        "title": title,
        "stops": [(place / count, 0.0, hex_color(color)) for place, color in enumerate(colors)],
        "ticks": [(fraction, number(value)) for fraction, value in ticks],
    }


def _by_fraction(fractions: NDArray[np.float64], colors: NDArray[np.uint8]) -> NDArray[np.uint8]:
    last = len(colors) - 1
    return colors[np.clip(np.rint(np.nan_to_num(fractions) * last), 0, last).astype(np.int64)]


def _diverging(levels: int) -> NDArray[np.uint8]:
    anchors = np.array([_bytes(color) for color in _DIVERGING], np.float64)
    at = np.linspace(0, len(anchors) - 1, levels)
    channels = [np.interp(at, np.arange(len(anchors)), anchors[:, channel]) for channel in range(3)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)


def _bytes(color: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(color[1:])
    return red, green, blue
