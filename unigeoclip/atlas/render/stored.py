"""The rasters of a city: written into an atlas folder, read back without loss, and what is worked out of them again.

``city.tif`` holds the land under the buildings, the buildings and their roofs. Trees follow from these three, so that
heights are drawn anew when an atlas is first opened; they are kept in the cache folder with the land classes, in files
that can be read window by window.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioIOError
from rasterio.transform import Affine
from rasterio.windows import Window

from unigeoclip.atlas import schema
from unigeoclip.atlas.cache import cache_folder
from unigeoclip.atlas.render.layers import CRS, LAND, CityGrid, CityRasters
from unigeoclip.atlas.render.surface import raise_city
from unigeoclip.atlas.sources.cog import write_cog
from unigeoclip.errors import AtlasError, InputError
from unigeoclip.files import atomic

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas

_BLOCK_PX = 512
PHOTO_QUALITY = 70  # of a person's own picture
AERIAL_QUALITY = 8  # of WebP: roof edges and streets stay clear; more bytes go into the mottling of lawns
_DRAWN = 1  # raised when the same atlas is drawn otherwise
_drawing = threading.Lock()


def transform_of(grid: CityGrid) -> Affine:
    """Pixel to mercator metres."""
    return Affine(grid.px_m, 0.0, grid.west_m, 0.0, -grid.px_m, grid.north_m)


def write_aerial(path: Path, grid: CityGrid, picture: NDArray[np.uint8], quality: int = AERIAL_QUALITY) -> None:
    """Write the aerial picture (h, w, 3) as WebP of that quality, 1 to 99."""
    write_cog(
        path,
        np.moveaxis(picture, -1, 0),
        transform_of(grid),
        crs=CRS,
        compress="WEBP",
        quality=quality,
        overview_quality=quality,
        overview_resampling="average",
        blocksize=_BLOCK_PX,
    )


def write_heights(path: Path, grid: CityGrid, height_m: NDArray[np.float32], max_error_m: float) -> None:
    """Write measured heights (h, w) in metres, NaN where unknown."""
    write_cog(
        path,
        height_m[None],
        transform_of(grid),
        crs=CRS,
        nodata=float("nan"),
        compress="LERC_ZSTD",
        max_z_error=max_error_m,
        level=19,
        overviews="NONE",  # means of many roofs pack badly: they would take half as much as the raster itself
        blocksize=_BLOCK_PX,
    )


def write_city(
    path: Path, grid: CityGrid, bare: NDArray[np.uint8], building_id: NDArray[np.uint8], roof: NDArray[np.uint8]
) -> None:
    """Write land under buildings, façade codes and roof levels, (h, w) each.

    Lossless WebP packs the three together: a run of pixels of one building is one thing to it, not three.
    """
    write_cog(
        path,
        np.stack([bare, building_id, roof]),
        transform_of(grid),
        crs=CRS,
        compress="WEBP",
        quality=100,  # lossless
        overviews="NONE",  # classes have no means
        blocksize=_BLOCK_PX,
    )


def read_city_rasters(atlas: Atlas) -> CityRasters:
    """Read what street views are rendered from; the same arrays that the builder drew.

    Raises:
        InputError: The atlas has no rendered street views.
        AtlasError: A raster cannot be read, or the cache folder cannot be written.
    """
    if schema.CITY not in atlas.manifest.files:
        raise InputError(f"The atlas {atlas.name} has no rendered street views.")
    return _assembled(atlas, None)


def drawn_raster(atlas: Atlas, name: str) -> Path:
    """Path of the land classes ("land") or the heights ("surface") of a city, drawn into the cache the first time.

    Raises:
        AtlasError: The raster of the city cannot be read, or the cache folder cannot be written.
    """
    folder = cache_folder() / f"{atlas.name}-{atlas.data_hash}-drawn{_DRAWN}"
    path = folder / f"{name}.tif"
    with _drawing:
        if not path.is_file():
            grid, (bare, building_id, roof) = _read(atlas.path / schema.CITY)
            rasters = raise_city(grid, bare, building_id, roof)[0]
            try:
                folder.mkdir(parents=True, exist_ok=True)
                _keep(folder / "land.tif", rasters.grid, rasters.land)
                _keep(folder / "surface.tif", rasters.grid, rasters.height_m.astype(np.int16))
            except OSError as error:
                raise AtlasError(
                    f"{folder} cannot be written ({error}): name another cache folder in UNIGEOCLIP_CACHE."
                ) from error
    return path


def _keep(path: Path, grid: CityGrid, array: NDArray[Any]) -> None:
    """Write a raster that is quick to read window by window, under a temporary name first."""
    profile = {"driver": "GTiff", "count": 1, "height": grid.height, "width": grid.width, "dtype": array.dtype.name,
               "crs": CRS, "transform": transform_of(grid), "tiled": True, "blockxsize": _BLOCK_PX,
               "blockysize": _BLOCK_PX, "compress": "ZSTD", "zstd_level": 1}  # fmt: skip
    with atomic(path, error=AtlasError) as temporary, rasterio.open(temporary, "w", **profile) as dataset:
        dataset.write(array, 1)
        dataset.build_overviews([2, 4, 8, 16, 32], Resampling.average)  # base maps of the whole city read these


def city_grid(folder: Path) -> CityGrid:
    """Where the pixels of a city are.

    Raises:
        AtlasError: The raster cannot be read.
    """
    try:
        with rasterio.open(folder / schema.CITY) as dataset:
            t = dataset.transform
            return CityGrid(t.c, t.f, t.a, dataset.width, dataset.height)
    except RasterioIOError as error:
        raise AtlasError(
            f"{folder / schema.CITY} cannot be read ({error}). Restore it or build the atlas again."
        ) from error


def read_crop(atlas: Atlas, centre: tuple[float, float], half_px: int, align_px: int) -> CityRasters:
    """A square of a city round a point (col, row), cut where ``align_px`` divides the pixels of the whole.

    Raises:
        AtlasError: A raster cannot be read.
    """
    whole = city_grid(atlas.path)
    size = (whole.width, whole.height)
    first = [max(0, int(at - half_px) // align_px * align_px) for at in centre]
    beyond = [int(at + half_px) // align_px * align_px + align_px for at in centre]
    last = [min(one, other) for one, other in zip(beyond, size, strict=True)]
    return _assembled(atlas, Window(first[0], first[1], last[0] - first[0], last[1] - first[1]))


def _assembled(atlas: Atlas, window: Window | None) -> CityRasters:
    """The rasters of a city, or of a window of it, from what is stored and what is drawn from that."""
    grid, (bare, building_id, _) = _read(atlas.path / schema.CITY, window)
    _, (height_m,) = _read(drawn_raster(atlas, "surface"), window)
    land = np.where(building_id > 0, np.uint8(LAND["building"]), bare)
    return CityRasters(grid, height_m.astype(np.float32), building_id, (height_m > 0) & (building_id == 0), land)


def _read(path: Path, window: Window | None = None) -> tuple[CityGrid, NDArray[Any]]:
    """Pixels (bands, h, w) of a raster or of a window of it, and where they are."""
    try:
        with rasterio.open(path) as dataset:
            t, array = dataset.transform, dataset.read(window=window)
    except RasterioIOError as error:
        raise AtlasError(f"{path} cannot be read ({error}). Restore it or build the atlas again.") from error
    left, top = (0, 0) if window is None else (window.col_off, window.row_off)
    return CityGrid(t.c + left * t.a, t.f - top * t.a, t.a, array.shape[2], array.shape[1]), array
