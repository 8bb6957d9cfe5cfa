"""Rasters of an atlas: square windows round points, Web-Mercator tiles, values at points.

A raster is a Cloud-Optimized GeoTIFF in EPSG:4326 (degrees) or EPSG:3857 (metres), north up. Small ones are decoded
into memory once; large ones are read window by window.
"""

from __future__ import annotations

import math
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.windows import Window

from unigeoclip import geo
from unigeoclip.atlas.resample import MAX_SUBSAMPLES, sample_grid, sample_windows
from unigeoclip.errors import AtlasError, InputError
from unigeoclip.parsing.numbers import check_tile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray
    from rasterio.io import DatasetReader

IN_MEMORY_BYTES = 200_000_000  # decoded rasters up to this size are kept whole
WHOLE_BYTES = 4_000_000_000  # and up to this size while tens of thousands of windows are cut
WINDOW_M_PER_DEG = 111_195.0  # metres of one degree of latitude, as the window size of an atlas is defined
MIN_COS_LAT = 0.2  # windows stop growing in longitude beyond 78.5 degrees, see geo.offset_m
MAX_WINDOW_PX = 4096
_STRIP_ROWS = 512  # of a raster that is not in memory, read at once
_MEMORY_DTYPES = ("uint8", "int16", "float32")


@dataclass(frozen=True)
class _Block:
    """A piece of a raster: pixels (c, h, w), the source row and column it starts at, its pixels per source pixel."""

    array: NDArray[Any]
    start: NDArray[np.float64]
    scale: NDArray[np.float64]
    wraps: bool = False

    def at(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Positions (n, 2) of source pixel centres -> positions in this piece."""
        return (positions - self.start + 0.5) * self.scale - 0.5


class Raster:
    """One raster, opened. Safe to share between threads.

    Attributes:
        path: The file.
        kind: "picture" (uint8: 3 bands, or 1 for masks) or "heights" (metres as float32, NaN where there is no data).
        bands: Number of bands.
        is_geographic: True for EPSG:4326, False for EPSG:3857.
    """

    def __init__(self, path: Path, dataset: DatasetReader) -> None:
        """Use `Raster.open`."""
        self.path = path
        self.bands: int = dataset.count
        self.kind = "picture" if dataset.dtypes[0] == "uint8" else "heights"
        self.is_geographic = dataset.crs.to_epsg() == 4326
        self.shape: tuple[int, int] = (dataset.height, dataset.width)
        transform = dataset.transform
        self._origin = (transform.f, transform.c)  # y and x of the outer corner of the first pixel
        self._step = (-transform.e, transform.a)  # positive sizes of a pixel in CRS units
        self._nodata = dataset.nodata
        self._wraps = self.is_geographic and abs(dataset.width * transform.a - 360.0) < transform.a / 2
        # Value outside the raster, and what is added before a value is stored: pictures hold whole numbers.
        self._fill = (0.0, 0.5) if self.kind == "picture" else (math.nan, 0.0)
        self._dtype: np.dtype[Any] = np.dtype(np.uint8 if self.kind == "picture" else np.float32)
        self._local = threading.local()
        self._lock = threading.Lock()
        self._levels: dict[int, NDArray[Any]] = {}
        self.decoded_bytes = self.bands * self.shape[0] * self.shape[1] * self._dtype.itemsize
        self.in_memory = self.decoded_bytes <= IN_MEMORY_BYTES

    @classmethod
    def open(cls, path: str | Path) -> Raster:
        """Open a raster and check that windows can be cut from it.

        Raises:
            AtlasError: Not a raster, a CRS other than EPSG:4326 and EPSG:3857, not north up, or another data type.
        """
        path = Path(path)
        try:
            with rasterio.open(path) as dataset:
                cls._check(path, dataset)
                return cls(path, dataset)
        except rasterio.errors.RasterioIOError as error:
            raise AtlasError(
                f"{path} cannot be read as a raster ({error}). Rebuild the atlas or restore the file."
            ) from error

    @staticmethod
    def _check(path: Path, dataset: DatasetReader) -> None:
        if dataset.crs is None:
            raise AtlasError(
                f"{path} has no coordinate reference system. Set one: gdal_edit.py -a_srs EPSG:4326 {path.name}"
            )
        if dataset.crs.to_epsg() not in (4326, 3857):
            raise AtlasError(
                f"{path} is in {dataset.crs.to_string()[:60]}; windows are cut in EPSG:4326 or EPSG:3857. "
                f"Reproject it: gdalwarp -of COG -t_srs EPSG:3857 {path.name} out.tif"
            )
        transform = dataset.transform
        if transform.a <= 0 or transform.e >= 0 or transform.b or transform.d:
            raise AtlasError(
                f"{path} is not north up (rotated, mirrored or without georeference). Warp it with gdalwarp."
            )
        if dataset.dtypes[0] not in _MEMORY_DTYPES or len(set(dataset.dtypes)) > 1:
            raise AtlasError(
                f"{path} has bands of type {dataset.dtypes[0]}; expected one of {', '.join(_MEMORY_DTYPES)}."
            )

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Hold the decoded raster in memory meanwhile, if it has room: for cutting tens of thousands of windows."""
        before, self.in_memory = self.in_memory, self.decoded_bytes <= WHOLE_BYTES
        try:
            yield
        finally:
            self.in_memory = before
            if not before:
                self._levels.clear()

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """South, west, north, east in degrees."""
        north, west = self._origin
        south, east = north - self.shape[0] * self._step[0], west + self.shape[1] * self._step[1]
        if self.is_geographic:
            return south, west, north, east
        (south, west), (north, east) = geo.inverse_web_mercator(np.array([[west, south], [east, north]]))
        return float(south), float(west), float(north), float(east)

    def windows(self, latlon: ArrayLike, size_m: float, px: int) -> NDArray[Any]:
        """Cut square north-up windows round points, bilinear, averaging where the source is finer than the output.

        Args:
            latlon: (n, 2) degrees, window centres.
            size_m: Side of the windows in local metres.
            px: Side of the windows in pixels.

        Returns:
            (n, c, px, px): uint8 for pictures (0 outside the raster), float32 metres for heights (NaN outside and where
            there is no data).

        Raises:
            InputError: Bad coordinates, or a size that is not positive.
        """
        points = geo.as_latlon(latlon)
        if not (0 < px <= MAX_WINDOW_PX and 0 < size_m < 2e7):
            raise InputError(
                f"A window needs 1 to {MAX_WINDOW_PX} px and a side under 20,000 km; got {px} px, {size_m} m."
            )
        centers, sizes_px = self._window_geometry(points, size_m)
        out = np.empty((len(points), self.bands, px, px), self._dtype)
        levels = _levels_for(sizes_px[:, 0] / px / MAX_SUBSAMPLES)
        # From memory all windows of a level at once, from a file one by one.
        groups = [np.flatnonzero(levels == level) for level in np.unique(levels)]
        for group in groups if self.in_memory else [[i] for i in range(len(points))]:
            half = sizes_px[group].max(axis=0) / 2 + 2
            first, last = centers[group].min(axis=0) - half, centers[group].max(axis=0) + half
            block = self._block(first, last, int(levels[group[0]]))
            part = np.empty((len(group), *out.shape[1:]), self._dtype)
            sample_windows(
                block.array, block.at(centers[group]), sizes_px[group] * block.scale, block.wraps, *self._fill, part
            )
            out[group] = part
        return out

    def window(self, latlon: ArrayLike, size_m: float, px: int) -> NDArray[Any]:
        """One window, (c, px, px); see `windows`."""
        window: NDArray[Any] = self.windows(np.asarray(latlon, dtype=np.float64).reshape(1, 2), size_m, px)[0]
        return window

    def values(self, latlon: ArrayLike) -> NDArray[Any]:
        """Nearest-pixel values at points, (n, c) of the raster's type; 0 (pictures) or NaN (heights) outside."""
        points = geo.as_latlon(latlon)
        rows, cols = self._nearest(points[:, 0], points[:, 1])
        inside = (rows >= 0) & (cols >= 0)
        out: NDArray[Any] = np.full((len(points), self.bands), self._fill[0], self._dtype)
        if self.in_memory:
            out[inside] = self._level(0)[:, rows[inside], cols[inside]].T
        else:
            for i in np.flatnonzero(inside):
                out[i] = self._read(Window(cols[i], rows[i], 1, 1), (1, 1))[:, 0, 0]
        return out

    def values_on_grid(self, lats: NDArray[np.float64], lons: NDArray[np.float64]) -> NDArray[Any]:
        """Nearest-pixel values where latitudes and longitudes cross, (c, len(lats), len(lons)); see `values`."""
        count = max(len(lats), len(lons))
        rows, cols = self._nearest(np.resize(lats, count), np.resize(lons, count))
        rows, cols = rows[: len(lats)], cols[: len(lons)]
        out: NDArray[Any]
        if self.in_memory:
            out = self._level(0)[:, np.maximum(rows, 0)[:, None], np.maximum(cols, 0)]
        else:
            out = np.empty((self.bands, len(lats), len(lons)), self._dtype)
            low = np.maximum(rows, 0)
            for strip in np.unique(low // _STRIP_ROWS):
                here, first = low // _STRIP_ROWS == strip, int(strip) * _STRIP_ROWS
                size = min(_STRIP_ROWS, self.shape[0] - first), self.shape[1]
                read = self._read(Window(0, first, size[1], size[0]), size)
                out[:, here] = read[:, low[here][:, None] - first, np.maximum(cols, 0)]
        out[:, rows < 0], out[:, :, cols < 0] = self._fill[0], self._fill[0]
        return out

    def _nearest(
        self, lats: NDArray[np.float64], lons: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Row and column of the pixel each point lies in, -1 outside."""
        centers, _ = self._window_geometry(np.stack([lats, lons], axis=1), 1.0)
        rows, cols = np.floor(centers + 0.5).astype(np.int64).T
        if self._wraps:
            cols %= self.shape[1]
        rows[lats <= self.bounds[0]] -= rows[lats <= self.bounds[0]] == self.shape[0]  # the southern edge is inside
        rows[(rows < 0) | (rows >= self.shape[0])] = -1
        cols[(cols < 0) | (cols >= self.shape[1])] = -1
        return rows, cols

    def tile(self, z: int, x: int, y: int, px: int = 256) -> NDArray[Any]:
        """Web-Mercator tile of the XYZ scheme (y counts from the north), (c, px, px), types as in `windows`.

        Raises:
            InputError: No such tile.
        """
        check_tile(z, x, y)
        if not 1 <= px <= MAX_WINDOW_PX:
            raise InputError(f"A tile needs 1 to {MAX_WINDOW_PX} px; got {px}.")
        side_m = 2 * geo.MERCATOR_HALF_M / 2**z
        fractions = (np.arange(px) + 0.5) / px
        mercator_x = -geo.MERCATOR_HALF_M + (x + fractions) * side_m
        mercator_y = geo.MERCATOR_HALF_M - (y + fractions) * side_m
        if self.is_geographic:
            ys = geo.inverse_web_mercator(np.stack([np.zeros(px), mercator_y], axis=1))[:, 0]
            xs = np.degrees(mercator_x / geo.MERCATOR_RADIUS_M)
        else:
            ys, xs = mercator_y, mercator_x
        rows = (self._origin[0] - ys) / self._step[0] - 0.5
        cols = (xs - self._origin[1]) / self._step[1] - 0.5
        out = np.empty((self.bands, px, px), self._dtype)
        step_px = (cols[-1] - cols[0]) / max(px - 1, 1) if px > 1 else side_m / self._step[1]
        level = int(_levels_for(np.array([step_px]))[0])
        margin = 2 * 2**level
        first, last = np.array([rows[0], cols[0]]) - margin, np.array([rows[-1], cols[-1]]) + margin
        block = self._block(first, last, level)
        at = block.at(np.stack([rows, cols], axis=1))
        sample_grid(block.array, at[:, 0].copy(), at[:, 1].copy(), block.wraps, *self._fill, out)
        return out

    def _window_geometry(
        self, points: NDArray[np.float64], size_m: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Centres (n, 2) as (row, col) pixel-centre positions and sides (n, 2) in source pixels."""
        cos_lat = np.cos(np.radians(points[:, 0]))
        if self.is_geographic:
            y, x = points[:, 0], points[:, 1]
            height = np.full(len(points), size_m / WINDOW_M_PER_DEG)
            width = height / np.maximum(cos_lat, MIN_COS_LAT)
        else:
            x, y = geo.web_mercator(points).T
            height = width = size_m / np.maximum(cos_lat, MIN_COS_LAT)  # Mercator stretches lengths by 1 / cos(lat)
        rows = (self._origin[0] - y) / self._step[0] - 0.5
        cols = (x - self._origin[1]) / self._step[1] - 0.5
        return np.stack([rows, cols], axis=1), np.stack([height / self._step[0], width / self._step[1]], axis=1)

    def _level(self, level: int) -> NDArray[Any]:
        """The raster in memory, coarser by 2 ** level; read once."""
        if level not in self._levels:
            with self._lock:
                if level not in self._levels:
                    rows, cols = self.shape
                    coarse = (-(-rows // 2**level), -(-cols // 2**level))
                    self._levels[level] = self._read(Window(0, 0, cols, rows), coarse)
        return self._levels[level]

    def _block(self, first: NDArray[np.float64], last: NDArray[np.float64], level: int) -> _Block:
        """Source pixels that cover positions ``first`` to ``last`` (row, col), coarser by 2 ** level."""
        if self.in_memory:
            array = self._level(level)
            return _Block(array, np.zeros(2), np.array(array.shape[1:]) / self.shape, self._wraps)
        height, width = self.shape
        factor = 2**level
        low, high = np.floor(first).astype(int) // factor * factor, np.ceil(last).astype(int) + 1
        low[0], high[0] = max(low[0], 0), min(high[0], height)
        if self._wraps and (low[1] < 0 or high[1] > width):  # over the date line: whole rows, then the columns of it
            strip = self._read(Window(0, low[0], width, high[0] - low[0]), (high[0] - low[0], width))
            return _Block(strip[:, :, np.arange(low[1], high[1]) % width], low.astype(np.float64), np.ones(2))
        low[1], high[1] = max(low[1], 0), min(high[1], width)
        size = high - low
        if (size <= 0).any():  # nothing of the raster: a pixel so far away that all is outside
            return _Block(np.zeros((self.bands, 1, 1), self._dtype), np.full(2, -1e9), np.ones(2))
        shape = -(-size // factor)
        array = self._read(Window(low[1], low[0], size[1], size[0]), (int(shape[0]), int(shape[1])))
        return _Block(array, low.astype(np.float64), shape / size)

    def _read(self, window: Window, shape: tuple[int, int]) -> NDArray[Any]:
        """Read a window into (c, *shape), coarser through overviews; no-data heights become NaN."""
        try:
            dataset = getattr(self._local, "dataset", None)
            if dataset is None:  # GDAL handles must not be shared between threads
                dataset = self._local.dataset = rasterio.open(self.path)
            out_shape = (self.bands, *shape)
            array: NDArray[Any] = dataset.read(window=window, out_shape=out_shape, resampling=Resampling.average)
        except rasterio.errors.RasterioIOError as error:
            raise AtlasError(f"{self.path} is damaged ({error}). Restore it or build the atlas again.") from error
        if self.kind == "heights":
            heights = array.astype(np.float32)
            if self._nodata is not None and not math.isnan(self._nodata):
                heights[array == self._nodata] = np.nan
            return heights
        return array


def _levels_for(steps_px: NDArray[np.float64]) -> NDArray[np.int64]:
    """How often to halve the source so that one output pixel is at most about 1.5 source pixels."""
    return np.maximum(0, np.ceil(np.log2(np.maximum(steps_px, 1e-9) / 1.5))).astype(np.int64)
