"""The rasters of a city, written into an atlas folder and read back without loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from rasterio.transform import Affine

from unigeoclip.atlas import schema
from unigeoclip.atlas.render.layers import CRS, HEIGHT_STEP_M, LAND, CityGrid, CityRasters
from unigeoclip.atlas.sources.cog import write_cog
from unigeoclip.errors import AtlasError, InputError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_BLOCK_PX = 512
AERIAL_QUALITY = 26  # of WebP: roof edges and streets stay clear; more bytes go into the mottling of lawns


def transform_of(grid: CityGrid) -> Affine:
    """Pixel to mercator metres."""
    return Affine(grid.px_m, 0.0, grid.west_m, 0.0, -grid.px_m, grid.north_m)


def write_aerial(path: Path, grid: CityGrid, picture: NDArray[np.uint8]) -> None:
    """Write the aerial picture (h, w, 3)."""
    write_cog(
        path,
        np.moveaxis(picture, -1, 0),
        transform_of(grid),
        crs=CRS,
        compress="WEBP",
        quality=AERIAL_QUALITY,
        overview_quality=16,
        overview_resampling="average",
        blocksize=_BLOCK_PX,
    )


def write_heights(path: Path, grid: CityGrid, height_m: NDArray[np.float32], max_error_m: float | None = None) -> None:
    """Write heights (h, w) in metres, NaN where unknown; exact where they are whole steps of `HEIGHT_STEP_M`."""
    write_cog(
        path,
        height_m[None],
        transform_of(grid),
        crs=CRS,
        nodata=float("nan"),
        compress="LERC_ZSTD",
        max_z_error=HEIGHT_STEP_M / 2 if max_error_m is None else max_error_m,
        level=19,
        overviews="NONE",  # means of many roofs pack badly: they would take half as much as the raster itself
        blocksize=_BLOCK_PX,
    )


def write_classes(path: Path, grid: CityGrid, codes: NDArray[np.uint8]) -> None:
    """Write land classes or façade codes (h, w)."""
    write_cog(
        path,
        codes[None],
        transform_of(grid),
        crs=CRS,
        compress="DEFLATE",
        level=9,
        overviews="NONE",
        blocksize=_BLOCK_PX,
    )


def read_city_rasters(folder: Path, manifest: schema.Manifest) -> CityRasters:
    """Read what street views are rendered from; the same arrays that were written.

    Raises:
        InputError: The atlas has no rendered street views.
        AtlasError: The rasters do not fit each other.
    """
    if schema.BUILDINGS not in manifest.files:
        raise InputError(f"The atlas {manifest.name} has no rendered street views.")
    heights = schema.HEIGHTS if schema.HEIGHTS in manifest.files else schema.RASTERS["surface"]
    grid, height_m = _read(folder / heights)
    arrays = []
    for name in (schema.BUILDINGS, schema.LAND):
        other, array = _read(folder / name)
        if other != grid:
            raise AtlasError(f"{folder / name} has other pixels than {heights}. Build the atlas again.")
        arrays.append(array)
    building, bare = arrays
    land = np.where(building > 0, np.uint8(LAND["building"]), bare)
    return CityRasters(grid, height_m, building, (height_m > 0) & (building == 0), land)


def _read(path: Path) -> tuple[CityGrid, NDArray[Any]]:
    try:
        with rasterio.open(path) as dataset:
            t = dataset.transform
            return CityGrid(t.c, t.f, t.a, dataset.width, dataset.height), dataset.read(1)
    except rasterio.errors.RasterioIOError as error:
        raise AtlasError(f"{path} cannot be read ({error}). Restore it or build the atlas again.") from error
