"""What is known of rasters before their pixels are read: where they lie, how fine they are, if they can be used."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import rasterio
from rasterio.enums import ColorInterp
from rasterio.errors import CRSError, RasterioError
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from unigeoclip.city.layers import CRS
from unigeoclip.errors import InputError, excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray
    from rasterio.io import DatasetReader

    from unigeoclip.build.city.own.raster_files import RasterFile
    from unigeoclip.city.layers import CityGrid

__all__ = ["CACHE_BYTES", "Survey", "Surveyed", "alpha_band", "opened", "survey_heights", "survey_pictures"]

LARGEST_BLOCK_BYTES = 256_000_000  # GDAL holds a whole block of a file at least
MOST_SOURCE_PX = 60_000_000_000  # under the city: 50 x 50 km in pixels of 0.2 m
CACHE_BYTES = 256_000_000  # of decoded blocks
NAMED = 3  # of the files that are left out
_LOOKS, _LOOK_PX = 16, 64  # at a band that is declared as opacity


@dataclass(frozen=True)
class Surveyed:
    """A raster that can be read.

    Attributes:
        file: What it is and whose.
        opened_as: What GDAL opens.
        bounds_m: Left, lower, right, upper edge in EPSG:3857.
        px_m: Side of its pixels on the ground, metres.
        dtype: Of its bands.
        size_m: Its shorter side on the ground, metres.
    """

    file: RasterFile
    opened_as: str
    bounds_m: tuple[float, float, float, float]
    px_m: float
    dtype: str
    size_m: float


@dataclass(frozen=True)
class Survey:
    """Rasters of one modality.

    Attributes:
        what: The option that names them, for messages.
        rasters: That which lies on top first.
        notes: What was left out, in whole sentences.
    """

    what: str
    rasters: tuple[Surveyed, ...]
    notes: tuple[str, ...] = ()

    @property
    def px_m(self) -> float:
        """Side of the finest pixels on the ground, metres."""
        return min(raster.px_m for raster in self.rasters)

    def over(self, grid: CityGrid) -> list[Surveyed]:
        """Those that touch a grid, in their order."""
        left, lower, right, upper = grid.bounds_m
        edges = self._edges
        touch = (edges[:, 0] < right) & (edges[:, 2] > left) & (edges[:, 1] < upper) & (edges[:, 3] > lower)
        return [self.rasters[row] for row in np.flatnonzero(touch)]

    @functools.cached_property
    def _edges(self) -> NDArray[np.float64]:
        return np.array([raster.bounds_m for raster in self.rasters])

    def named(self) -> str:
        """Names for a message."""
        names = [raster.file.path.name for raster in self.rasters]
        return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")


def survey_pictures(files: Sequence[RasterFile], grid: CityGrid) -> Survey:
    """Survey pictures: three bands or more, of 8 or 16 bits.

    Args:
        files: That which lies on top first.
        grid: Of the city.

    Raises:
        InputError: Not one can be used, or they are so large that reading them would exhaust the memory or take days.
    """
    return _survey(files, "--aerial", grid, _check_picture)


def survey_heights(files: Sequence[RasterFile], grid: CityGrid) -> Survey:
    """Survey heights: one band of metres; see `survey_pictures`."""
    return _survey(files, "--surface", grid, _check_heights)


def _survey(
    files: Sequence[RasterFile], what: str, grid: CityGrid, check: Callable[[DatasetReader, RasterFile], str]
) -> Survey:
    found: list[Surveyed] = []
    away: list[Surveyed] = []
    refused: list[InputError] = []
    for file in files:
        try:
            with opened(str(file.path), file, what) as dataset:
                _check_blocks(dataset, file, what)
                surveyed = _placed(dataset, file, what, grid)
                opened_as = check(dataset, file)
        except InputError as error:
            refused.append(error)
            continue
        surveyed = replace(surveyed, opened_as=opened_as)
        (found if Survey(what, (surveyed,)).over(grid) else away).append(surveyed)
    if not found:
        if refused:
            raise refused[0]
        raise InputError(
            f"{what} {Survey(what, tuple(away)).named()} covers nothing of the city (latitudes and longitudes "
            f"{', '.join(f'{edge:.4f}' for edge in grid.bounds_deg)}). Check its coordinate reference system and "
            "--bbox."
        )
    notes = [f"Left out: {error}" for error in refused[:NAMED]]
    if len(refused) > NAMED:
        notes.append(f"{len(refused) - NAMED:,} more rasters of {what} are left out for such reasons.")
    if away:
        notes.append(f"{len(away):,} rasters of {what} lie outside the city: {Survey(what, tuple(away)).named()}.")
    made = Survey(what, tuple(found), tuple(notes))
    _refuse_days(made, grid)
    return made


@contextmanager
def opened(opened_as: str, file: RasterFile, what: str) -> Iterator[DatasetReader]:
    """Open a raster with a bounded cache; whatever GDAL says against it names the file.

    Raises:
        InputError: It cannot be read.
    """
    try:
        with rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES), rasterio.open(opened_as) as dataset:
            yield dataset
    except RasterioError as error:
        raise InputError(f"{what} {file.path} cannot be read as a raster: {excerpt(error)}.") from error


def _check_blocks(dataset: DatasetReader, file: RasterFile, what: str) -> None:
    """GDAL reads a file block by block: one block must fit into memory, whatever the size of the whole."""
    rows, cols = np.max(dataset.block_shapes, axis=0).tolist()
    itemsize = max(np.dtype(kind).itemsize for kind in dataset.dtypes)
    held = rows * cols * itemsize * dataset.count
    if held > LARGEST_BLOCK_BYTES:
        raise InputError(
            f"{what} {file.path} is stored in blocks of {cols:,} x {rows:,} pixels, {held / 1e6:,.0f} MB each; at most "
            f"{LARGEST_BLOCK_BYTES / 1e6:,.0f} MB are read at once. Store it in tiles: gdal_translate -of COG "
            f"{file.path.name} tiled.tif"
        )


def _placed(dataset: DatasetReader, file: RasterFile, what: str, grid: CityGrid) -> Surveyed:
    if dataset.crs is None:
        raise InputError(
            f"{what} {file.path} has no coordinate reference system. Say which it is in: "
            f"gdal_edit.py -a_srs EPSG:XXXX {file.path.name}"
        )
    try:
        left, lower, right, upper = transform_bounds(dataset.crs, CRS, *dataset.bounds)
    except (CRSError, RasterioError) as error:
        raise InputError(
            f"{what} {file.path}: its {dataset.crs.to_string()[:60]} cannot be brought to {CRS}."
        ) from error
    if not np.isfinite([left, lower, right, upper]).all():
        raise InputError(f"{what} {file.path} does not lie on the Web-Mercator map. Cut out the city: gdalwarp -te ...")
    ground = grid.ground_per_mercator
    wide, high = (right - left) * ground, (upper - lower) * ground
    px_m = min(wide / dataset.width, high / dataset.height)
    return Surveyed(file, "", (left, lower, right, upper), px_m, dataset.dtypes[0], min(wide, high))


def _refuse_days(survey: Survey, grid: CityGrid) -> None:
    west, south, east, north = grid.bounds_m
    used = 0.0
    for raster in survey.rasters:
        left, lower, right, upper = raster.bounds_m
        across, down = min(right, east) - max(left, west), min(upper, north) - max(lower, south)
        used += across * down * (grid.ground_per_mercator / raster.px_m) ** 2
    if used > MOST_SOURCE_PX:
        raise InputError(
            f"{survey.what} {survey.named()} has {used / 1e9:,.0f} billion pixels over the city, which would take days "
            f"to read. Make it coarser: gdalwarp -t_srs {CRS} -tr 0.5 0.5 in.tif coarser.tif"
        )


def _check_picture(dataset: DatasetReader, file: RasterFile) -> str:
    """What GDAL opens of a picture: the file, or its first three bands where the fourth is no opacity."""
    kinds = set(dataset.dtypes[:3])
    if dataset.count < 3 or kinds not in ({"uint8"}, {"uint16"}):
        to_bytes = (
            f" To make it so: gdal_translate -ot Byte -scale {file.path.name} 8bit.tif" if dataset.count > 2 else ""
        )
        raise InputError(
            f"--aerial {file.path} has {dataset.count} bands of {dataset.dtypes[0]}; red, green and blue of 8 or 16 "
            f"bits are needed.{to_bytes}"
        )
    alpha = alpha_band(dataset)
    if alpha and not _is_opacity(dataset, alpha):  # GDAL takes a fourth band for opacity, of NAIP it is infrared
        if "?" in str(file.path):
            raise InputError(f"--aerial {file.path}: its fourth band is infrared; rename it without a question mark.")
        return f"vrt://{file.path}?bands=1,2,3"
    return str(file.path)


def _check_heights(dataset: DatasetReader, file: RasterFile) -> str:
    if dataset.count - bool(alpha_band(dataset)) != 1 or dataset.dtypes[0] == "uint8":
        raise InputError(
            f"--surface {file.path} has {dataset.count} bands of {dataset.dtypes[0]}; one band of metres is needed "
            "(float32 or int16)."
        )
    return str(file.path)


def alpha_band(dataset: DatasetReader) -> int:
    """Number of the band that says how opaque a pixel is, 0 if there is none."""
    return next((band for band, kind in zip(dataset.indexes, dataset.colorinterp, strict=True)
                 if kind == ColorInterp.alpha), 0)  # fmt: skip


def _is_opacity(dataset: DatasetReader, band: int) -> bool:
    """Whether a band says how opaque pixels are: nearly all of them not at all or wholly, in some windows of it."""
    whole = np.iinfo(dataset.dtypes[band - 1]).max
    looks: list[NDArray[np.bool_]] = []
    for row in np.linspace(0, max(0, dataset.height - _LOOK_PX), 4).astype(int):
        for col in np.linspace(0, max(0, dataset.width - _LOOK_PX), _LOOKS // 4).astype(int):
            size = min(_LOOK_PX, dataset.width - col), min(_LOOK_PX, dataset.height - row)
            seen = dataset.read(band, window=Window(int(col), int(row), *map(int, size)))
            looks.append(np.isin(seen, (0, whole)).ravel())
    return float(np.concatenate(looks).mean()) > 0.9
