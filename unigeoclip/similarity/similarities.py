"""Similarities of a query to the cells of a grid: the best, their ranks by area, the hottest share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.atlas.provenance import Provenance
    from unigeoclip.geo import Bounds
    from unigeoclip.similarity.grid import Grid

__all__ = ["MOST_LEVELS", "Best", "Levels", "Similarities"]

MOST_LEVELS = 255
_STEPS = (0.0005, 0.001, 0.002, 0.005, 0.01)  # the last suffices for all of [-1, 1]
_DIGITS = 4


class Best(NamedTuple):
    """The hottest cell of a heatmap: its centre in degrees and its similarity."""

    lat: float
    lon: float
    similarity: float


class Levels(NamedTuple):
    """Similarities in equal steps.

    Attributes:
        low: The lowest step's similarity, a multiple of ``step``.
        step: Between two of them.
        codes: (n,) uint8, one a cell: how many of the similarities ``low``, ``low + step``, ... the cell reaches.
    """

    low: float
    step: float
    codes: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Similarities:
    """Similarity of a query to every cell of a grid.

    Attributes:
        grid: The cells.
        values: (n,) float32 similarities in [-1, 1], one per cell.
        provenance: What was asked of which model and atlas; written into every file.

    Raises:
        InputError: The number of values is not that of the cells, or one is not finite.
    """

    grid: Grid
    values: NDArray[np.float32]
    provenance: Provenance | None = None

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.grid),):
            raise InputError(f"A heatmap over {len(self.grid)} cells needs as many values; got {self.values.shape}.")
        if not np.isfinite(self.values).all():
            raise InputError("A heatmap cannot be drawn: some similarities are not finite numbers.")

    @property
    def bounds(self) -> Bounds:
        """Corners (south, west, north, east) of the picture of ``png``, degrees; latitude ends at 85.0511."""
        return self.grid.mercator_bounds

    def raster(self) -> NDArray[np.float32]:
        """The values on the whole grid, (h, w) float32, row 0 in the north; NaN where cells do not count."""
        raster = np.full(self.grid.shape, np.nan, dtype=np.float32)
        raster[self.grid.mask] = self.values
        return raster

    def best(self) -> Best:
        """The hottest cell."""
        cell = int(np.argmax(self.values))
        lat, lon = self.grid.cells[cell].tolist()
        return Best(lat, lon, float(self.values[cell]))

    def value_at(self, lat: float, lon: float) -> float:
        """Similarity of the cell a point lies in; NaN where there is none.

        Raises:
            InputError: The coordinates are not a point on the globe.
        """
        cell = self.grid.cell_at(lat, lon)
        return float("nan") if cell is None else float(self.values[cell])

    @cached_property
    def _ranks(self) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.intp]]:
        """Sorted values, the share of the area at or below each of them, and the order that sorts."""
        order = np.argsort(self.values)
        area = np.cumsum(self.grid.area_km2[order])
        return self.values[order], area / area[-1], order

    def percentile(self, similarity: float) -> float:
        """Percentage of the grid's area that is less similar than this, 0 to 100."""
        values, below, _ = self._ranks
        place = int(np.searchsorted(values, np.float32(similarity), side="left"))
        return 100 * float(below[place - 1]) if place else 0.0

    def similarity_at(self, percentile: float) -> float:
        """The similarity that this percentage (0 to 100) of the grid's area does not exceed.

        Raises:
            InputError: The percentage is outside [0, 100].
        """
        if not 0 <= percentile <= 100:
            raise InputError(f"A percentile lies between 0 and 100; this one is {percentile:g}.")
        values, below, _ = self._ranks
        # A rounding error of the running sum must not move the answer to the next cell.
        return float(values[min(int(np.searchsorted(below, percentile / 100 - 1e-12)), len(values) - 1)])

    def area_above(self, similarity: float) -> float:
        """Area of the cells that are at least as similar as this, square kilometers; they count as a whole."""
        return float(self.grid.area_km2[self.values >= np.float32(similarity)].sum())

    def levels(self) -> Levels:
        """The values in steps of similarity that are round numbers, at most `MOST_LEVELS` of them."""
        low, high = float(self.values.min()), float(self.values.max())
        step = next(step for step in _STEPS if math.floor(high / step) - math.floor(low / step) < MOST_LEVELS)
        first = math.floor(low / step)
        edges = np.round(np.arange(first, math.floor(high / step) + 1) * step, _DIGITS).astype(np.float32)
        codes = np.searchsorted(edges, self.values, side="right").astype(np.uint8)
        return Levels(
            round(first * step, _DIGITS), step, np.maximum(codes, 1)
        )  # rounding may have raised the lowest edge

    def hottest(self, share: float) -> NDArray[np.bool_]:
        """The hottest cells that together cover at most ``share`` of the grid's area (at least one cell), (n,) bool.

        Raises:
            InputError: The share is not in (0, 1].
        """
        if not 0 < share <= 1:
            raise InputError(f"The share of the area must lie above 0 and at most at 1; it is {share:g}.")
        _, _, order = self._ranks
        from_top = order[::-1]
        covered = np.cumsum(self.grid.area_km2[from_top])
        count = max(1, int(np.searchsorted(covered, share * covered[-1] * (1 + 1e-12), side="right")))
        chosen = np.zeros(len(self.values), dtype=bool)
        chosen[from_top[:count]] = True
        return chosen
