"""The rasters of a city: written into an atlas folder, read back without loss, and what is worked out of them again.

One file holds the land under the buildings, the buildings and their roofs. Trees follow from these three, so that
heights are drawn anew when an atlas is first opened; they are kept in the cache folder with the land classes, in files
that can be read window by window.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioIOError
from rasterio.io import MemoryFile
from rasterio.transform import Affine
from rasterio.windows import Window

from unigeoclip.city.city_model import raise_city
from unigeoclip.city.layers import CRS, LAND, CityGrid, CityRasters
from unigeoclip.errors import AtlasError
from unigeoclip.files.cache import cache_folder, hold, is_sound, write_cached
from unigeoclip.files.cog import cog_by_blocks, write_cog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray
    from rasterio.io import DatasetWriter

    from unigeoclip.geo import Bounds

_BLOCK_PX = 512
_SAME_PX = 0.01  # an edge that is so near to that of a pixel is the same
_CITY_OPTIONS: dict[str, Any] = {
    "compress": "WEBP",
    "quality": 100,
    "overviews": "NONE",
}  # lossless; classes have no means
PHOTO_QUALITY = 70  # of a person's own picture
AERIAL_QUALITY = 8  # of WebP: roof edges and streets stay clear; more bytes go into the mottling of lawns
_DRAWN = 1  # raised when the same atlas is drawn otherwise
_drawing = threading.Lock()
_in_memory: dict[str, dict[str, MemoryFile]] = {}  # rasters that could not be kept


def transform_of(grid: CityGrid) -> Affine:
    """Pixel to mercator metres."""
    return Affine(grid.px_m, 0.0, grid.west_m, 0.0, -grid.px_m, grid.north_m)


def write_aerial(path: Path, grid: CityGrid, picture: NDArray[np.uint8], quality: int = AERIAL_QUALITY) -> None:
    """Write the aerial picture (h, w, 3) as WebP of that quality, 1 to 99."""
    write_cog(
        path, np.moveaxis(picture, -1, 0), transform_of(grid), crs=CRS, blocksize=_BLOCK_PX, **_aerial_options(quality)
    )


def _aerial_options(quality: int) -> dict[str, Any]:
    return {"compress": "WEBP", "quality": quality, "overview_quality": quality, "overview_resampling": "average"}


def aerial_by_blocks(
    path: Path, grid: CityGrid, quality: int = AERIAL_QUALITY
) -> AbstractContextManager[DatasetWriter]:
    """An aerial picture that is written window by window, see `files.cog.cog_by_blocks`."""
    return cog_by_blocks(path, (3, *grid.shape), "uint8", transform_of(grid), crs=CRS, **_aerial_options(quality))


def heights_by_blocks(path: Path, grid: CityGrid, max_error_m: float) -> AbstractContextManager[DatasetWriter]:
    """Measured heights in metres, NaN where unknown, written window by window."""
    options: dict[str, Any] = {"compress": "LERC_ZSTD", "max_z_error": max_error_m, "level": 19}
    # Means of many roofs pack badly: overviews would take half as much as the raster itself.
    return cog_by_blocks(path, (1, *grid.shape), "float32", transform_of(grid), crs=CRS, nodata=float("nan"),
                         overviews="NONE", **options)  # fmt: skip


def validity_by_blocks(path: Path, grid: CityGrid) -> AbstractContextManager[DatasetWriter]:
    """Which pixels of a raster are known, 255 or 0, written window by window."""
    options: dict[str, Any] = {"compress": "ZSTD", "overview_resampling": "average"}
    return cog_by_blocks(path, (1, *grid.shape), "uint8", transform_of(grid), crs=CRS, **options)


def city_by_blocks(path: Path, grid: CityGrid) -> AbstractContextManager[DatasetWriter]:
    """What `write_city` writes, window by window: land under buildings, façade codes and roof levels."""
    return cog_by_blocks(path, (3, *grid.shape), "uint8", transform_of(grid), crs=CRS, **_CITY_OPTIONS)


def part_over(whole: CityGrid, bounds_deg: Bounds) -> CityGrid:
    """The pixels of a grid that touch south, west, north, east degrees."""
    south, west, north, east = bounds_deg
    first = np.floor(whole.latlon_to_pixel((north, west)) + _SAME_PX).astype(int)
    last = np.ceil(whole.latlon_to_pixel((south, east)) - _SAME_PX).astype(int)
    (col, row), (end_col, end_row) = np.maximum(first, 0).tolist(), np.minimum(last, whole.shape[::-1]).tolist()
    return whole.part(row, col, max(1, end_row - row), max(1, end_col - col))


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
        blocksize=_BLOCK_PX,
        **_CITY_OPTIONS,
    )


@dataclass(frozen=True)
class StoredCity:
    """Where a city is stored.

    Attributes:
        path: The raster of the land under the buildings, the buildings and their roofs.
        key: Names the content: what is drawn of it is cached under this name.
        areas: Bounds in degrees of several cities that share the raster; none where it is one.
    """

    path: Path
    key: str
    areas: tuple[Bounds, ...] = ()

    @property
    def grid(self) -> CityGrid:
        """Where its pixels are.

        Raises:
            AtlasError: The raster cannot be read.
        """
        try:
            with rasterio.open(self.path) as dataset:
                t = dataset.transform
                return CityGrid(t.c, t.f, t.a, dataset.width, dataset.height)
        except RasterioIOError as error:
            raise _unreadable(self.path, error) from error

    def read(self) -> CityRasters:
        """Read what street views are rendered from; the same arrays that the builder drew.

        Raises:
            AtlasError: A raster cannot be read.
        """
        return self._assemble(None)

    def read_crop(self, center: tuple[float, float], half_px: int, align_px: int) -> CityRasters:
        """A square of a city round a point (col, row), cut where ``align_px`` divides the pixels of the whole.

        Raises:
            AtlasError: A raster cannot be read.
        """
        whole = self.grid
        size = (whole.width, whole.height)
        first = [max(0, int(at - half_px) // align_px * align_px) for at in center]
        beyond = [int(at + half_px) // align_px * align_px + align_px for at in center]
        last = [min(one, other) for one, other in zip(beyond, size, strict=True)]
        return self._assemble(Window(first[0], first[1], last[0] - first[0], last[1] - first[1]))

    def read_cities(self, align_px: int) -> Iterator[CityRasters]:
        """The cities that share the raster one after the other, cut where ``align_px`` divides the pixels of the whole.

        Raises:
            AtlasError: A raster cannot be read.
        """
        whole = self.grid
        for area in self.areas:
            window = window_in(whole, part_over(whole, area))
            col, row = (first // align_px * align_px for first in (window.col_off, window.row_off))
            yield self._assemble(
                Window(col, row, window.col_off + window.width - col, window.row_off + window.height - row)
            )

    def drawn_raster(self, name: str) -> Path:
        """Path of the land classes ("land") or the heights ("surface").

        They are drawn into the cache the first time, and again when what lies there is damaged. Where the cache cannot
        be written they are drawn into memory, some 30 MB, for as long as the process runs.

        Raises:
            AtlasError: The raster of the city cannot be read.
        """
        key = f"{self.key}-drawn{_DRAWN}"
        paths = {each: cache_folder() / key / f"{each}.tif" for each in ("land", "surface")}
        with _drawing:
            if key in _in_memory:
                return Path(_in_memory[key][name].name)
            hold(paths[name])
            if is_sound(paths[name]):
                return paths[name]
            files = self._drawn()
            if _all_kept(files, paths):
                hold(paths[name])
                return paths[name]
            _in_memory[key] = files
            return Path(files[name].name)

    def _drawn(self) -> dict[str, MemoryFile]:
        """Land classes and heights, drawn one city after the other."""
        whole = self.grid
        files = {"land": MemoryFile(), "surface": MemoryFile()}
        kinds = {"land": "uint8", "surface": "int16"}
        with ExitStack() as stack:
            opened = {name: stack.enter_context(_open_drawn(file, whole, kinds[name])) for name, file in files.items()}
            for area in self.areas or (None,):
                part = whole if area is None else part_over(whole, area)
                window = window_in(whole, part)
                _, (bare, building_id, roof) = _read(self.path, window)
                rasters = raise_city(part, bare, building_id, roof)[0]
                opened["land"].write(rasters.land, 1, window=window)
                opened["surface"].write(rasters.height_m.astype(np.int16), 1, window=window)
            for dataset in opened.values():
                dataset.build_overviews([2, 4, 8, 16, 32], Resampling.average)  # base maps of all read these
        return files

    def _assemble(self, window: Window | None) -> CityRasters:
        """The rasters of the city, or of a window of it, from what is stored and what is drawn from that."""
        grid, (bare, building_id, _) = _read(self.path, window)
        _, (height_m,) = _read(self.drawn_raster("surface"), window)
        land = np.where(building_id > 0, np.uint8(LAND["building"]), bare)
        return CityRasters(grid, height_m.astype(np.float32), building_id, (height_m > 0) & (building_id == 0), land)


def _all_kept(files: dict[str, MemoryFile], paths: dict[str, Path]) -> bool:
    """Copy rasters from memory into the cache; Python does it, since GDAL may say too late that a disk is full."""
    for name, file in files.items():
        content = bytes(file.getbuffer())

        def write(path: Path, content: bytes = content) -> None:
            path.write_bytes(content)

        if not write_cached(paths[name], write):
            return False
    for file in files.values():
        file.close()
    return True


def _open_drawn(file: MemoryFile, grid: CityGrid, dtype: str) -> DatasetWriter:
    """A raster that is quick to read window by window, in memory."""
    profile = {"driver": "GTiff", "count": 1, "height": grid.height, "width": grid.width, "dtype": dtype,
               "crs": CRS, "transform": transform_of(grid), "tiled": True, "blockxsize": _BLOCK_PX,
               "blockysize": _BLOCK_PX, "compress": "ZSTD", "zstd_level": 1, "sparse_ok": True}  # fmt: skip
    opened: DatasetWriter = file.open(**profile)
    return opened


def window_in(whole: CityGrid, part: CityGrid) -> Window:
    """Where a part of a grid lies in it."""
    col, row = np.rint(whole.to_pixel((part.west_m, part.north_m))).astype(int).tolist()
    return Window(col, row, part.width, part.height)


def _unreadable(path: Path, error: RasterioIOError) -> AtlasError:
    return AtlasError(f"{path} cannot be read ({error}). Restore it or build the atlas again.")


def _read(path: Path, window: Window | None = None) -> tuple[CityGrid, NDArray[Any]]:
    """Pixels (bands, h, w) of a raster or of a window of it, and where they are."""
    try:
        with rasterio.open(path) as dataset:
            t, array = dataset.transform, dataset.read(window=window)
    except RasterioIOError as error:
        raise _unreadable(path, error) from error
    left, top = (0, 0) if window is None else (window.col_off, window.row_off)
    return CityGrid(t.c + left * t.a, t.f - top * t.a, t.a, array.shape[2], array.shape[1]), array
