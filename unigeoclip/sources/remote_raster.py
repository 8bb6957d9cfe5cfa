"""Windows of GeoTIFFs on servers: only the bytes that they need, through the same client as all other requests.

GDAL could ask the server by itself, but would follow it to any host, at any pace, and count nothing. It is given files
that it reads through `Web` instead. Nothing but GeoTIFF is opened: other formats of GDAL may name further files.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from rasterio.abc import MultiByteRangeResourceContainer
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, Interleaving
from rasterio.errors import CRSError, RasterioError
from rasterio.warp import transform_bounds
from rasterio.windows import Window, from_bounds

from unigeoclip.errors import DownloadError, UniGeoError
from unigeoclip.files.atomic import atomic, reason
from unigeoclip.geo import METERS_PER_DEGREE
from unigeoclip.sources.web import RefusedError, UnusableError, bare

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rasterio.io import DatasetReader

    from unigeoclip.sources.base import Wanted
    from unigeoclip.sources.web import Web

__all__ = ["RemoteFile", "copy_window"]

READ_AHEAD = 1 << 15  # what is read at least: headers are read in small steps
MOST_JOINED = 1 << 22  # neighboring parts are asked for at once up to this size
KEPT_BYTES = 1 << 25  # of a file's parts, in memory
LARGEST_BLOCK_BYTES = 64_000_000  # GDAL holds a whole block of a file at least
MOST_PX = 400_000_000  # of a window
ROWS_AT_ONCE = 512
MOST_VALUES = 500_000_000  # that are read together
_NAME = "remote.tif"


class RemoteFile:
    """The parts of a file on a server that have been read.

    `read` is called by GDAL, through which no exception finds its way: what fails is kept in ``failure``, from where on
    there are zeros, and whoever uses the file has to look at it.

    Args:
        web: Asks for the parts.
        address: Address to read from; True as argument asks for a new one, after a signature has expired.
    """

    def __init__(self, web: Web, address: Callable[[bool], str]) -> None:
        self._web, self._address = web, address
        self._version = ""
        self._parts: dict[tuple[int, int], bytes] = {}
        self.failure: UniGeoError | None = None
        self.size = self._load(0, READ_AHEAD - 1)

    def read(self, first: int, count: int) -> bytes:
        """Bytes from a position on, fewer at the end of the file."""
        end = min(first + count, self.size)
        if end <= first:
            return b""
        for (begin, stop), data in self._parts.items():
            if begin <= first and end <= stop:
                return data[first - begin : end - begin]
        last = max(end, min(first + READ_AHEAD, self.size)) - 1
        if self.failure is None:
            try:
                self._load(first, last)
                return self._parts[first, last + 1][: end - first]
            except UniGeoError as error:
                self.failure = error
        return bytes(end - first)

    def _load(self, first: int, last: int) -> int:
        """Ask for a part and keep it; returns the size of the file."""
        try:
            part = self._web.get_part(self._address(False), first, last, self._version)
        except RefusedError:
            part = self._web.get_part(self._address(True), first, last, self._version)
        self._version = part.version
        while self._parts and sum(map(len, self._parts.values())) + len(part.data) > KEPT_BYTES:
            del self._parts[next(iter(self._parts))]
        self._parts[first, first + len(part.data)] = part.data
        return part.total


class _Handle:
    """A file that GDAL has opened."""

    def __init__(self, file: RemoteFile) -> None:
        self._file, self._at = file, 0

    def __enter__(self) -> _Handle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is held open between two requests."""

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move, as files do."""
        self._at = offset + (0, self._at, self._file.size)[whence]
        return self._at

    def read(self, count: int = -1) -> bytes:
        """Bytes from here on."""
        data = self._file.read(self._at, self._file.size - self._at if count < 0 else count)
        self._at += len(data)
        return data

    def get_byte_ranges(self, offsets: list[int], sizes: list[int]) -> list[bytes]:
        """Several parts; those that touch are asked for together."""
        joined: list[list[int]] = []
        for first, size in sorted(zip(offsets, sizes, strict=True)):
            if joined and first <= joined[-1][1] and first + size - joined[-1][0] <= MOST_JOINED:
                joined[-1][1] = max(joined[-1][1], first + size)
            else:
                joined.append([first, first + size])
        for first, end in joined:
            self._file.read(first, end - first)
        return [self._file.read(first, size) for first, size in zip(offsets, sizes, strict=True)]


class _OneFile(MultiByteRangeResourceContainer):  # type: ignore[misc]
    """What GDAL sees of the network: one file."""

    def __init__(self, file: RemoteFile) -> None:
        self._file = file

    def open(self, path: str, mode: str = "r", **_: Any) -> _Handle:
        """See rasterio's FileContainer."""
        if not self.isfile(path):
            raise FileNotFoundError(path)
        return _Handle(self._file)

    def isfile(self, path: str) -> bool:
        """See rasterio's FileContainer."""
        return path.rpartition("/")[2] == _NAME

    def isdir(self, path: str) -> bool:
        """See rasterio's FileContainer."""
        return not self.isfile(path)

    def ls(self, path: str) -> list[str]:
        """See rasterio's FileContainer."""
        return [_NAME]

    def mtime(self, path: str) -> int:
        """See rasterio's FileContainer."""
        return 0

    def size(self, path: str) -> int:
        """See rasterio's FileContainer."""
        return self._file.size

    def rm(self, path: str) -> None:
        """See rasterio's FileContainer."""
        raise PermissionError(path)


def copy_window(web: Web, address: Callable[[bool], str], wanted: Wanted, path: Path, crs: str = "") -> bool:
    """Write what a remote GeoTIFF has of an area as a local one, at the coarsest level that is fine enough.

    Args:
        web: Asks for the bytes.
        address: See `RemoteFile`.
        wanted: Area, modality and ground resolution. Of an aerial picture the first three bands are kept.
        path: The local file.
        crs: Coordinate reference system of a file that does not say so itself.

    Returns:
        Whether the file has any pixel of the area.

    Raises:
        AbsentError: There is no such file.
        UnusableError: It is no GeoTIFF that can be placed on the Earth.
        DownloadError: It cannot be read.
    """
    file = RemoteFile(web, address)
    where = bare(address(False))
    try:
        with rasterio.Env(GDAL_CACHEMAX=2 * LARGEST_BLOCK_BYTES, GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"):
            with _open(file) as dataset:
                system, level = _system(dataset, crs, where), _level(dataset, crs, wanted)
            with _open(file, **({} if level is None else {"overview_level": level})) as dataset:
                window = _window(dataset, system, wanted, where)
                if window is None:
                    return False
                with atomic(path, error=DownloadError, failures=(RasterioError,)) as temporary:
                    _copy(dataset, window, system, wanted, temporary)
                    if file.failure is not None:
                        raise file.failure
    except RasterioError as error:
        raise file.failure or UnusableError(f"{where} cannot be read as a GeoTIFF: {reason(error)}.") from error
    return True


def _open(file: RemoteFile, **options: int) -> DatasetReader:
    return rasterio.open(_NAME, opener=_OneFile(file), driver="GTiff", **options)


def _system(dataset: DatasetReader, stated: str, where: str) -> CRS:
    if dataset.crs is not None:
        return dataset.crs
    try:
        return CRS.from_user_input(stated)
    except (CRSError, ValueError) as error:
        raise UnusableError(f"{where} has no coordinate reference system.") from error


def _level(dataset: DatasetReader, stated: str, wanted: Wanted) -> int | None:
    """Number of the overview to read; None for the picture itself."""
    system = _system(dataset, stated, "")
    size = math.sqrt(abs(dataset.transform.determinant))
    size *= METERS_PER_DEGREE if system.is_geographic else system.linear_units_factor[1]
    fits = [number for number, factor in enumerate(dataset.overviews(1)) if size * factor <= wanted.ground_px_m * 1.01]
    return max(fits, default=None)


def _window(dataset: DatasetReader, system: CRS, wanted: Wanted, where: str) -> Window | None:
    """The pixels of the area, whole ones; None if there are none."""
    rows, columns = np.max(dataset.block_shapes, axis=0).tolist()
    itemsize = max(np.dtype(kind).itemsize for kind in dataset.dtypes)
    together = dataset.count if dataset.interleaving == Interleaving.pixel else 1  # bands of a block
    if rows * columns * itemsize * together > LARGEST_BLOCK_BYTES:
        raise UnusableError(f"{where} is stored in blocks of {columns:,} x {rows:,} pixels, too large to be read.")
    south, west, north, east = wanted.bounds
    try:
        bounds = transform_bounds("EPSG:4326", system, west, south, east, north, densify_pts=21)
    except (CRSError, RasterioError) as error:
        raise UnusableError(f"{where}: its {system.to_string()[:60]} cannot be used here.") from error
    if not all(math.isfinite(edge) for edge in bounds):
        return None
    left, lower, right, upper = bounds
    if dataset.transform.e > 0:  # rows from south to north
        lower, upper = upper, lower
    across = from_bounds(left, lower, right, upper, transform=dataset.transform)
    first_row, first_column = max(0, math.floor(across.row_off)), max(0, math.floor(across.col_off))
    last_row = min(dataset.height, math.ceil(across.row_off + across.height))
    last_column = min(dataset.width, math.ceil(across.col_off + across.width))
    if last_row <= first_row or last_column <= first_column:
        return None
    if (last_row - first_row) * (last_column - first_column) > MOST_PX:
        raise UnusableError(f"{where} has more than {MOST_PX:,} pixels in the area. Choose a smaller --bbox.")
    return Window(first_column, first_row, last_column - first_column, last_row - first_row)


def _copy(dataset: DatasetReader, window: Window, system: CRS, wanted: Wanted, path: Path) -> None:
    """Write the window some rows at a time."""
    alpha = [band for band, kind in zip(dataset.indexes, dataset.colorinterp, strict=True) if kind == ColorInterp.alpha]
    bands = list(dataset.indexes)
    if wanted.modality == "aerial" and dataset.count >= 3:
        bands = [1, 2, 3, *(band for band in alpha if band > 3)]
    profile = {
        "driver": "GTiff",
        "count": len(bands),
        "dtype": dataset.dtypes[0],
        "width": window.width,
        "height": window.height,
        "crs": system,
        "transform": dataset.window_transform(window),
        "nodata": dataset.nodata,
        "tiled": True,
        "compress": "deflate",
        "bigtiff": "if_safer",
    }
    if wanted.modality == "aerial" and len(bands) >= 3:
        profile["photometric"] = "rgb"
    with rasterio.open(path, "w", **profile) as written:
        if alpha and len(bands) == 4:
            written.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
        begin, end = window.row_off, window.row_off + window.height
        # In steps of whole blocks, each of which is then read once.
        step = max(ROWS_AT_ONCE, int(np.max(dataset.block_shapes, axis=0)[0]))
        if step * window.width * len(bands) > MOST_VALUES:
            step = ROWS_AT_ONCE
        edges = [begin, *range((begin // step + 1) * step, end, step), end]
        for first, last in itertools.pairwise(edges):
            read = dataset.read(bands, window=Window(window.col_off, first, window.width, last - first))
            written.write(read, window=Window(0, first - begin, window.width, last - first))
