"""A person's own aerial picture and heights, brought onto the pixels of a city."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import CRSError, RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds

from unigeoclip.atlas.render.layers import CRS
from unigeoclip.atlas.render.stored import transform_of
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from rasterio.io import DatasetReader

    from unigeoclip.atlas.render.layers import CityGrid

LEAST_COVERED = 0.98  # of the city, by the raster's outline


def check(grid: CityGrid, aerial: Path | None, surface: Path | None) -> None:
    """Check rasters before anything is built.

    Raises:
        InputError: Not a raster, without CRS, not covering the city, or of the wrong kind of bands.
    """
    for path, what in ((aerial, "--aerial"), (surface, "--surface")):
        if path is not None:
            with _open(path, what) as dataset:
                _check_place(dataset, path, what, grid)
                (_check_picture if path is aerial else _check_heights)(dataset, path)


def read_picture(path: Path, grid: CityGrid) -> NDArray[np.uint8]:
    """The picture on the grid, (h, w, 3) uint8; black where it has none."""
    return np.ascontiguousarray(np.moveaxis(_warp(path, "--aerial", grid, [1, 2, 3]), 0, -1))


def read_heights(path: Path, grid: CityGrid) -> NDArray[np.float32]:
    """Heights on the grid, (h, w) float32 metres, NaN where there are none."""
    heights: NDArray[np.float32] = _warp(path, "--surface", grid, [1])[0]
    return heights


def _open(path: Path, what: str) -> DatasetReader:
    try:
        return rasterio.open(path)
    except RasterioError as error:
        raise InputError(f"{what} {path} cannot be read as a raster: {error}.") from error


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
    across = max(0.0, min(right, east) - max(left, west)) / (east - west)
    down = max(0.0, min(upper, north) - max(lower, south)) / (north - south)
    if across * down < LEAST_COVERED:
        raise InputError(
            f"{what} {path} covers {across * down:.0%} of the city (latitudes and longitudes "
            f"{', '.join(f'{edge:.4f}' for edge in grid.bounds_deg)}). Give one that covers it, or a smaller --bbox."
        )


def _check_picture(dataset: DatasetReader, path: Path) -> None:
    if dataset.count < 3 or any(kind != "uint8" for kind in dataset.dtypes[:3]):
        raise InputError(
            f"--aerial {path} has {dataset.count} bands of {dataset.dtypes[0]}; red, green and blue of 8 bits are "
            "needed."
        )


def _check_heights(dataset: DatasetReader, path: Path) -> None:
    if dataset.count != 1 or dataset.dtypes[0] == "uint8":
        raise InputError(
            f"--surface {path} has {dataset.count} bands of {dataset.dtypes[0]}; one band of metres is needed "
            "(float32 or int16)."
        )


def _warp(path: Path, what: str, grid: CityGrid, bands: list[int]) -> NDArray[Any]:
    with _open(path, what) as dataset:
        options: dict[str, Any] = {
            "crs": CRS,
            "transform": transform_of(grid),
            "width": grid.width,
            "height": grid.height,
        }
        is_height = len(bands) == 1
        if is_height:
            options |= {"dtype": "float32", "nodata": float("nan")}
        try:
            with WarpedVRT(dataset, resampling=Resampling.bilinear, **options) as warped:
                array: NDArray[Any] = warped.read(bands)
        except RasterioError as error:
            raise InputError(f"{what} {path} is damaged: {error}.") from error
    return array.astype(np.float32) if is_height else array
