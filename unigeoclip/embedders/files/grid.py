"""Vectors in the pixels of a grid: which pixels points lie in, read in windows, or interpolated between pixels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from affine import Affine
    from numpy.typing import NDArray
    from rasterio.crs import CRS

    from unigeoclip.embedders.files.products import Product
    from unigeoclip.geo import Bounds

    Read = Callable[[int, int, int, int], NDArray[np.float32]]

__all__ = ["GridVectors", "PixelGrid"]

_WINDOW_BYTES = 32 * 2**20  # of the vectors that are read together
_SIDES = (16, 512)  # of a window, pixels
_MARGIN = 0.01  # of its extent, around a raster: its edges are curved in degrees
_WGS84 = "EPSG:4326"


@dataclass(frozen=True)
class PixelGrid:
    """Where the pixels of a raster are.

    Attributes:
        height: Rows.
        width: Columns.
        transform: (column, row) of pixel corners -> coordinates; rows may go either way.
        crs: Of the coordinates.
    """

    height: int
    width: int
    transform: Affine
    crs: CRS

    @cached_property
    def bounds(self) -> Bounds:
        """South, west, north, east in degrees; east exceeds 180 over the date line.

        Raises:
            InputError: The raster lies nowhere on the Earth.
        """
        from rasterio.errors import RasterioError
        from rasterio.transform import array_bounds
        from rasterio.warp import transform_bounds

        try:
            west, south, east, north = transform_bounds(
                self.crs, _WGS84, *array_bounds(self.height, self.width, self.transform)
            )
        except RasterioError as error:
            raise InputError(f"The raster lies outside of its coordinate reference system: {error}.") from error
        if not np.isfinite([west, south, east, north]).all():
            raise InputError("The raster lies outside of its coordinate reference system.")
        return max(south, -90.0), west, min(north, 90.0), east + 360 if east < west else east

    def pixels(self, latlon: NDArray[np.float64]) -> NDArray[np.float64]:
        """Row and column of points, (n, 2) degrees -> (n, 2) in pixels from the outer corner; NaN far outside.

        Projections are not defined everywhere: points outside of `bounds` are not projected.
        """
        from rasterio.warp import transform

        south, west, north, east = self.bounds
        more_lat, more_lon = _MARGIN * (north - south), _MARGIN * (east - west)
        lat, lon = latlon.T
        near = (lat >= south - more_lat) & (lat <= north + more_lat)
        near &= (lon - west + more_lon) % 360 <= east - west + 2 * more_lon
        found = np.full(latlon.shape, np.nan)
        if not near.any():
            return found
        x, y = (np.asarray(axis) for axis in transform(_WGS84, self.crs, lon[near].tolist(), lat[near].tolist()))
        if self.crs.is_geographic:  # some count longitudes from 0 to 360
            left = min(self.transform.c, self.transform.c + self.transform.a * self.width)
            x = left + (x - left) % 360
        back = ~self.transform
        found[near] = np.stack([back.d * x + back.e * y + back.f, back.a * x + back.b * y + back.c], axis=1)
        found[~np.isfinite(found).all(axis=1)] = np.nan
        return found


class GridVectors(ABC):
    """A vector in each pixel of a grid, or none."""

    def __init__(self, grid: PixelGrid, dim: int, product: Product, described: str, *, bilinear: bool) -> None:
        """Note where the pixels are.

        Args:
            grid: Where.
            dim: Length of the vectors.
            product: What they are.
            described: How they were read, for the provenance.
            bilinear: Whether vectors are interpolated between the four pixels around a point.
        """
        self.grid, self.dim, self.product, self._bilinear = grid, dim, product, bilinear
        self.described = f"{described}, {grid.crs.to_string()[:40]}{', bilinear' if bilinear else ''}"
        self._side = int(np.clip((_WINDOW_BYTES / (4 * dim)) ** 0.5, *_SIDES))

    @property
    def coverage(self) -> Bounds:
        """South, west, north, east, degrees."""
        return self.grid.bounds

    @abstractmethod
    def _opened(self) -> AbstractContextManager[Read]:
        """What reads rows from, to, columns from, to as (rows, columns, dim) float32; NaN where there is no vector."""

    def at(self, latlon: NDArray[np.float64]) -> NDArray[np.float32]:
        """Vectors at points, (n, 2) degrees -> (n, dim), of any length; NaN where there is none."""
        pixels = self.grid.pixels(latlon)
        inside = (pixels >= 0).all(axis=1) & (pixels < (self.grid.height, self.grid.width)).all(axis=1)
        vectors = np.full((len(latlon), self.dim), np.nan, np.float32)
        if inside.any():
            with self._opened() as read:
                some = pixels[inside]
                found = self._of_pixels(read, some.astype(np.int64))
                vectors[inside] = self._interpolated(read, some, found) if self._bilinear else found
        return vectors

    def _of_pixels(self, read: Read, cells: NDArray[np.int64]) -> NDArray[np.float32]:
        """Vectors of pixels by row and column, (n, 2); those of one window are read together."""
        vectors = np.empty((len(cells), self.dim), np.float32)
        windows = cells // self._side
        order = np.lexsort((windows[:, 1], windows[:, 0]))
        changes = np.flatnonzero((np.diff(windows[order], axis=0) != 0).any(axis=1)) + 1
        for group in np.split(order, changes):
            (top, left), (bottom, right) = cells[group].min(axis=0).tolist(), (cells[group].max(axis=0) + 1).tolist()
            block = read(top, bottom, left, right)
            vectors[group] = block[cells[group, 0] - top, cells[group, 1] - left]
        return vectors

    def _interpolated(
        self, read: Read, pixels: NDArray[np.float64], nearest: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Between the four pixels around each point, of those that have a vector; NaN where the nearest has none."""
        first = np.floor(pixels - 0.5).astype(np.int64)
        share = pixels - 0.5 - first
        total = np.zeros((len(pixels), self.dim), np.float32)
        for down in (0, 1):
            for right in (0, 1):
                cells = np.clip(first + np.array([down, right]), 0, (self.grid.height - 1, self.grid.width - 1))
                weights = np.abs(1 - down - share[:, 0]) * np.abs(1 - right - share[:, 1])
                some = self._of_pixels(read, cells)
                total += np.nan_to_num(some) * weights[:, None].astype(np.float32)
        total[np.isnan(nearest).any(axis=1)] = np.nan
        return total
