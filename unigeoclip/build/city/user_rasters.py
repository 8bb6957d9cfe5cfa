"""A person's own aerial picture and heights, brought onto the pixels of a city; what they do not cover stays unknown.

Unknown is what the raster declares as such (no-data value, mask, alpha band), what lies outside of it, and what plainly
is a filling though it is not declared: black that reaches the edge of a picture, heights that the Earth does not have.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import CRSError, RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds
from rasterio.windows import Window
from scipy import ndimage

from unigeoclip.city.layers import CRS
from unigeoclip.city.raster_storage import transform_of
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from numpy.typing import NDArray
    from rasterio.io import DatasetReader

    from unigeoclip.city.layers import CityGrid

LEAST_COVERED = 0.01  # of the city, by the raster's outline
LEAST_BORDER_M2 = 2_500.0  # undeclared black at the edge that is smaller is taken for a part of the picture
HEIGHTS_M = (-500.0, 9_000.0)  # what the surface of the Earth and its buildings can have
LARGEST_BLOCK_BYTES = 256_000_000  # GDAL holds a whole block of a file at least
MOST_SOURCE_PX = 60_000_000_000  # under the city: 50 x 50 km in pixels of 0.2 m
CACHE_BYTES = 256_000_000  # of decoded blocks
_ROWS_AT_ONCE = 1024
_ANYWHERE = np.ones((3, 3), bool)  # neighbours, corners included


@dataclass(frozen=True)
class OwnPicture:
    """A picture on the grid of a city.

    Attributes:
        rgb: (h, w, 3) uint8; where it is unknown the mean colour of what is known, so that a window at the edge shows
            nothing that is not there.
        valid: (h, w) whether a pixel is known.
        notes: What a person should know of it, in whole sentences.
    """

    rgb: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class OwnHeights:
    """Heights on the grid of a city.

    Attributes:
        height_m: (h, w) float32 metres, NaN where unknown.
        notes: What a person should know of them, in whole sentences.
    """

    height_m: NDArray[np.float32]
    notes: tuple[str, ...] = ()

    @property
    def valid(self) -> NDArray[np.bool_]:
        """(h, w) whether a pixel is known."""
        return np.isfinite(self.height_m)


def check(grid: CityGrid, aerial: Path | None, surface: Path | None) -> None:
    """Check rasters before anything is built, without reading a pixel.

    Raises:
        InputError: Not a raster, without CRS, hardly covering the city, of the wrong kind of bands, or so large that
            reading it would exhaust the memory or take days.
    """
    for path, what in ((aerial, "--aerial"), (surface, "--surface")):
        if path is not None:
            with _bounded_cache(), _open(path, what) as dataset:
                _check_blocks(dataset, path, what)
                _check_place(dataset, path, what, grid)
                (_check_picture if path is aerial else _check_heights)(dataset, path)


def read_picture(path: Path, grid: CityGrid) -> OwnPicture:
    """The picture on the grid.

    Raises:
        InputError: The file is damaged, or no pixel of the city is known.
    """
    rgb = np.empty((*grid.shape, 3), np.uint8)
    valid = np.empty(grid.shape, bool)
    for rows, pixels, known in _warped(path, "--aerial", grid, [1, 2, 3], "uint8"):
        rgb[rows] = np.moveaxis(pixels, 0, -1)
        valid[rows] = known
    notes = []
    border = _black_border(rgb, valid, grid.ground_px_m)
    if border.any():
        valid &= ~border
        notes.append(
            f"{border.mean():.1%} of the city is plain black in {path.name}, up to the edge of the picture and not "
            "declared as no data: it is taken for no picture. To say so in the file: gdal_edit.py -a_nodata 0 "
            f"{path.name}"
        )
    _refuse_empty(valid, path, "--aerial")
    rgb[~valid] = _mean_color(rgb, valid)
    return OwnPicture(rgb, valid, tuple(notes))


def read_heights(path: Path, grid: CityGrid) -> OwnHeights:
    """Heights on the grid.

    Raises:
        InputError: The file is damaged, or no height of the city is known.
    """
    heights = np.empty(grid.shape, np.float32)
    for rows, pixels, known in _warped(path, "--surface", grid, [1], "float32"):
        heights[rows] = np.where(known, pixels[0], np.nan)
    notes = []
    low, high = HEIGHTS_M
    odd = np.isfinite(heights) & ((heights < low) | (heights > high)) | np.isinf(heights)
    if odd.any():
        notes.append(
            f"{odd.mean():.1%} of the city has heights below {low:g} or above {high:g} m in {path.name}, not declared "
            "as no data: they are taken for unknown."
        )
        # What is interpolated between such a filling and a height is neither.
        heights[ndimage.binary_dilation(odd, _ANYWHERE)] = np.nan
    _refuse_empty(np.isfinite(heights), path, "--surface")
    return OwnHeights(heights, tuple(notes))


def _bounded_cache() -> AbstractContextManager[Any]:
    env: AbstractContextManager[Any] = rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES)
    return env


def _open(path: Path, what: str) -> DatasetReader:
    try:
        return rasterio.open(path)
    except RasterioError as error:
        raise InputError(f"{what} {path} cannot be read as a raster: {error}.") from error


def _check_blocks(dataset: DatasetReader, path: Path, what: str) -> None:
    """GDAL reads a file block by block: one block must fit into memory, whatever the size of the whole."""
    rows, cols = np.max(dataset.block_shapes, axis=0).tolist()
    itemsize = max(np.dtype(kind).itemsize for kind in dataset.dtypes)
    held = rows * cols * itemsize * dataset.count
    if held > LARGEST_BLOCK_BYTES:
        raise InputError(
            f"{what} {path} is stored in blocks of {cols:,} x {rows:,} pixels, {held / 1e6:,.0f} MB each; at most "
            f"{LARGEST_BLOCK_BYTES / 1e6:,.0f} MB are read at once. Store it in tiles: gdal_translate -of COG "
            f"{path.name} tiled.tif"
        )


def _check_place(dataset: DatasetReader, path: Path, what: str, grid: CityGrid) -> None:
    if dataset.crs is None:
        raise InputError(
            f"{what} {path} has no coordinate reference system. Say which it is in: "
            f"gdal_edit.py -a_srs EPSG:XXXX {path.name}"
        )
    try:
        left, lower, right, upper = transform_bounds(dataset.crs, CRS, *dataset.bounds)
    except (CRSError, RasterioError) as error:
        raise InputError(f"{what} {path}: its {dataset.crs.to_string()[:60]} cannot be brought to {CRS}.") from error
    west, south, east, north = grid.bounds_m
    across = max(0.0, min(right, east) - max(left, west))
    down = max(0.0, min(upper, north) - max(lower, south))
    share = across * down / ((east - west) * (north - south))
    if not share >= LEAST_COVERED:  # NaN, too
        raise InputError(
            f"{what} {path} covers {share:.1%} of the city (latitudes and longitudes "
            f"{', '.join(f'{edge:.4f}' for edge in grid.bounds_deg)}). Give one that covers more of it, a mosaic of "
            "several (gdalbuildvrt mosaic.vrt *.tif), or a smaller --bbox."
        )
    used = across * down / max((right - left) * (upper - lower), 1e-9) * dataset.width * dataset.height
    if used > MOST_SOURCE_PX:
        raise InputError(
            f"{what} {path} has {used / 1e9:,.0f} billion pixels over the city, which would take days to read. Make "
            f"it coarser: gdalwarp -t_srs {CRS} -tr 0.5 0.5 {path.name} coarser.tif"
        )


def _check_picture(dataset: DatasetReader, path: Path) -> None:
    if dataset.count < 3 or any(kind != "uint8" for kind in dataset.dtypes[:3]):
        raise InputError(
            f"--aerial {path} has {dataset.count} bands of {dataset.dtypes[0]}; red, green and blue of 8 bits are "
            "needed."
        )


def _check_heights(dataset: DatasetReader, path: Path) -> None:
    if dataset.count - bool(_alpha_band(dataset)) != 1 or dataset.dtypes[0] == "uint8":
        raise InputError(
            f"--surface {path} has {dataset.count} bands of {dataset.dtypes[0]}; one band of metres is needed "
            "(float32 or int16)."
        )


def _alpha_band(dataset: DatasetReader) -> int:
    """Number of the band that says how opaque a pixel is, 0 if there is none."""
    return next((band for band, kind in zip(dataset.indexes, dataset.colorinterp, strict=True)
                 if kind == ColorInterp.alpha), 0)  # fmt: skip


def _warped(
    path: Path, what: str, grid: CityGrid, bands: list[int], dtype: str
) -> Iterator[tuple[slice, NDArray[Any], NDArray[np.bool_]]]:
    """Some rows of the grid at a time: which, the bands (c, rows, w), and where they are known (rows, w).

    A pixel counts as known where anything known goes into it; of what is unknown nothing does.
    """
    with _bounded_cache(), _open(path, what) as dataset:
        alpha = _alpha_band(dataset)
        options: dict[str, Any] = {
            "crs": CRS,
            "transform": transform_of(grid),
            "width": grid.width,
            "height": grid.height,
            "dtype": dtype,
            "resampling": Resampling.bilinear,
            # A picture's pixel is unknown where all its bands have the no-data value, not where one does.
            "warp_extras": {"UNIFIED_SRC_NODATA": "YES"},
        }
        options |= {} if alpha else {"add_alpha": True}
        try:
            with WarpedVRT(dataset, **options) as warped:
                known = alpha or warped.count
                for first in range(0, grid.height, _ROWS_AT_ONCE):
                    count = min(_ROWS_AT_ONCE, grid.height - first)
                    read = warped.read([*bands, known], window=Window(0, first, grid.width, count))
                    yield slice(first, first + count), read[:-1], read[-1] > 0
        except RasterioError as error:
            raise InputError(f"{what} {path} is damaged: {error}.") from error


def _black_border(rgb: NDArray[np.uint8], valid: NDArray[np.bool_], ground_px_m: float) -> NDArray[np.bool_]:
    """Known pixels that are plain black in one piece with the edge of the picture, and the mixed ones beside them."""
    black = valid & ~rgb.any(axis=-1)
    pieces, count = ndimage.label(black, _ANYWHERE)
    if not count:
        return np.zeros(valid.shape, bool)
    edge = ndimage.binary_dilation(~valid, _ANYWHERE) if not valid.all() else np.zeros(valid.shape, bool)
    edge[[0, -1]] = edge[:, [0, -1]] = True
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    at_edge = np.zeros(count + 1, bool)
    at_edge[np.unique(pieces[edge])] = True
    at_edge &= sizes >= math.ceil(LEAST_BORDER_M2 / ground_px_m**2)
    at_edge[0] = False
    found: NDArray[np.bool_] = at_edge[pieces]
    if found.any():
        found = ndimage.binary_dilation(found, _ANYWHERE) & valid
    return found


def _mean_color(rgb: NDArray[np.uint8], valid: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Mean of the known pixels, (3,) uint8, from some rows at a time: the whole as numbers would not fit."""
    total, count = np.zeros(3), 0
    for first in range(0, len(rgb), _ROWS_AT_ONCE):
        known = rgb[first : first + _ROWS_AT_ONCE][valid[first : first + _ROWS_AT_ONCE]]
        total += known.sum(axis=0, dtype=np.float64)
        count += len(known)
    return np.rint(total / max(count, 1)).astype(np.uint8)


def _refuse_empty(valid: NDArray[np.bool_], path: Path, what: str) -> None:
    if not valid.any():
        raise InputError(f"{what} {path} has no pixel inside the city that is not empty. Check the file and --bbox.")
