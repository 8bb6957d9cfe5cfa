"""Grids of locations: regular in latitude and longitude, with a mask of the cells that count."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.errors import InputError
from unigeoclip.geo import EARTH_RADIUS_M, as_latlon, wrap_lon_deg
from unigeoclip.similarity.picture_plan import PicturePlan, within_mercator

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from unigeoclip.geo import Bounds

__all__ = ["MAX_PICTURE_WIDTH_PX", "PICTURE_WIDTH_PX", "Grid"]

PICTURE_WIDTH_PX = 1024  # of grids that have so much to show; others are drawn with two pixels a cell
LEAST_WIDTH_PX = 512
MAX_PICTURE_WIDTH_PX = 4096


@dataclass(frozen=True, eq=False)
class Grid:
    """A regular grid of latitude and longitude, of which only some cells count (land, say).

    Attributes:
        bounds: Outer edges (south, west, north, east) in degrees; east exceeds 180 where a grid crosses the date line.
        mask: (h, w) bool, row 0 in the north: the cells that count. Numbered row by row they are the grid's ``cells``.

    Raises:
        InputError: The bounds are empty or leave the globe, or no cell counts.
    """

    bounds: Bounds
    mask: NDArray[np.bool_]

    def __post_init__(self) -> None:
        south, west, north, east = self.bounds
        if not (-90 <= south < north <= 90 and -180 <= west < 180 and west < east <= west + 360):
            raise InputError(
                f"Grid bounds (south, west, north, east) = {self.bounds} do not describe a part of the globe."
            )
        if self.mask.ndim != 2 or not self.mask.any():
            raise InputError(f"The grid over {self.bounds} has no cells: its mask {self.mask.shape} is empty.")

    @classmethod
    def over(
        cls, bounds: Bounds, step_deg: float, keep: Callable[[NDArray[np.float64]], NDArray[np.bool_]] | None = None
    ) -> Grid:
        """Cover bounds with cells of about ``step_deg`` (an exact number of them fits).

        Args:
            bounds: (south, west, north, east) degrees.
            step_deg: Height and width of a cell in degrees.
            keep: Takes cell centres (n, 2) degrees and says which count, (n,) bool; all by default.

        Raises:
            InputError: The step is not positive, or no cell counts.
        """
        if not step_deg > 0:
            raise InputError(f"The grid step must be a positive number of degrees; it is {step_deg:g}.")
        south, west, north, east = bounds
        shape = (max(1, round((north - south) / step_deg)), max(1, round((east - west) / step_deg)))
        full = cls(bounds, np.ones(shape, dtype=bool))
        return full if keep is None else cls(bounds, keep(full.cells).reshape(shape))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        return self.mask.shape[0], self.mask.shape[1]

    @property
    def step_deg(self) -> tuple[float, float]:
        """Height and width of a cell in degrees."""
        south, west, north, east = self.bounds
        return (north - south) / self.shape[0], (east - west) / self.shape[1]

    @property
    def mercator_bounds(self) -> Bounds:
        """The bounds, cut off where the Web Mercator square ends: the corners of a heatmap's picture, degrees."""
        return within_mercator(self.bounds)

    def __len__(self) -> int:
        return len(self.cells)

    @cached_property
    def cells(self) -> NDArray[np.float64]:
        """Centres of the cells that count, (n, 2) degrees, from the north-west, row by row."""
        return self.cells_of_rows(0, self.shape[0])

    def cells_of_rows(self, first: int, last: int) -> NDArray[np.float64]:
        """`cells` of the rows from ``first`` to before ``last``, (n, 2) degrees, without those of all others."""
        lat_step, lon_step = self.step_deg
        rows, columns = np.nonzero(self.mask[first:last])
        lat = self.bounds[2] - (rows + first + 0.5) * lat_step
        return np.stack([lat, wrap_lon_deg(self.bounds[1] + (columns + 0.5) * lon_step)], axis=1)

    def only(self, keep: NDArray[np.bool_]) -> Grid:
        """The same grid with some of its cells, (n,) bool in the order of ``cells``.

        Raises:
            InputError: No cell is kept.
        """
        mask = np.zeros(self.shape, dtype=bool)
        mask[self.mask] = keep
        return Grid(self.bounds, mask)

    @cached_property
    def area_km2(self) -> NDArray[np.float64]:
        """Area of each cell on the mean sphere, (n,) square kilometres."""
        lat_step, lon_step = self.step_deg
        edges = np.radians(self.bounds[2] - np.arange(self.shape[0] + 1) * lat_step)
        row_km2 = (EARTH_RADIUS_M / 1000) ** 2 * np.radians(lon_step) * -np.diff(np.sin(edges))
        area: NDArray[np.float64] = row_km2[np.nonzero(self.mask)[0]]
        return area

    @cached_property
    def _numbers(self) -> NDArray[np.int32]:
        """Number of each cell that counts, -1 elsewhere, (h, w)."""
        numbers = np.full(self.shape, -1, dtype=np.int32)
        numbers[self.mask] = np.arange(self.mask.sum(), dtype=np.int32)
        return numbers

    def cell_at(self, lat: float, lon: float) -> int | None:
        """Number of the cell a point lies in; None outside the grid or where the cell does not count.

        Raises:
            InputError: The coordinates are not a point on the globe.
        """
        (lat, lon) = as_latlon([(lat, lon)])[0]
        lat_step, lon_step = self.step_deg
        row = min(int((self.bounds[2] - lat) // lat_step), self.shape[0] - (lat == self.bounds[0]))
        column = int(((lon - self.bounds[1]) % 360) // lon_step)
        if not (0 <= row < self.shape[0] and column < self.shape[1]):
            return None
        number = int(self._numbers[row, column])
        return number if number >= 0 else None

    def cells_at(self, latlon: NDArray[np.float64]) -> NDArray[np.int32]:
        """`cell_at` for many points, (n, 2) degrees -> (n,); -1 outside the grid or where the cell does not count."""
        lat_step, lon_step = self.step_deg
        rows = ((self.bounds[2] - latlon[:, 0]) // lat_step).astype(np.int64)
        rows -= latlon[:, 0] == self.bounds[0]
        columns = (((latlon[:, 1] - self.bounds[1]) % 360) // lon_step).astype(np.int64)
        inside = (rows >= 0) & (rows < self.shape[0]) & (columns < self.shape[1])
        found = np.full(len(latlon), -1, np.int32)
        found[inside] = self._numbers[rows[inside], columns[inside]]
        return found

    def rows_of(self, other: Grid) -> NDArray[np.int32]:
        """Numbers here of the cells of another grid of the same bounds and shape, (len(other),); -1 for those not here.

        Raises:
            InputError: The other grid has other bounds or another shape.
        """
        if (other.bounds, other.shape) != (self.bounds, self.shape):
            raise InputError("Cells of grids with the same bounds and shape are compared.")
        return self._numbers[other.mask]

    def rows_in_common(self, other: Grid) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Numbers of the cells that two grids have in common, here and there; see `rows_of`."""
        there = self.rows_of(other)
        return there[there >= 0], np.flatnonzero(there >= 0).astype(np.int32)

    @property
    def picture_width_px(self) -> int:
        """Width of a picture of the grid: two pixels a cell, as far as that is reasonable."""
        return min(max(2 * self.shape[1], LEAST_WIDTH_PX), PICTURE_WIDTH_PX)

    @cached_property
    def _default_plan(self) -> PicturePlan:
        return PicturePlan.of(self.bounds, self._numbers, self.picture_width_px)

    def picture_plan(self, width_px: int) -> PicturePlan:
        """How cells become pixels of a picture of that width; that of the usual width is computed once."""
        usual = width_px == self.picture_width_px
        return self._default_plan if usual else PicturePlan.of(self.bounds, self._numbers, width_px)
