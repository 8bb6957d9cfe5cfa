"""Heights in metres, from a GeoTIFF, a 16-bit PNG or a NumPy file -> what the surface encoder takes.

A file is read in strips and shrunk as it is read, so that of a large one there is never a copy in memory that is larger
than the decoder's own.
"""

from __future__ import annotations

import contextlib
import io
import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from unigeoclip.errors import InputError
from unigeoclip.uploads.headers import (
    MAX_BLOCK_PX,
    NUMPY_MAGIC,
    PNG_MAGIC,
    TIFF_MAGICS,
    check_container,
    check_pixels,
    check_size,
    refusing,
)
from unigeoclip.uploads.pictures import Decoded, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

__all__ = ["HIGHEST_M", "LOWEST_M", "decode_surface", "read_surface"]

LOWEST_M, HIGHEST_M = -12_000.0, 9_000.0  # deeper than any trench, higher than any summit
_CUSTOMARY_NO_DATA_M = -9999.0  # what many files mean by no data without declaring it
_STRIP_PX = 2_000_000  # read in one go
_FINER = 16  # times the resolution of the result that strips are shrunk to; the rest is left to the resizing
_GDAL_OPTIONS = {
    "GDAL_CACHEMAX": 256,  # MB; by default a share of the machine's memory. Holds one row of large tiles
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_NUM_THREADS": "1",
}
_METERS = ("", "m", "metre", "metres", "meter", "meters")
_MAX_NUMPY_HEADER = 1_000  # letters; those of two dimensions have 118
_HEIGHTS_WANTED = (
    "heights in metres are needed: a GeoTIFF, a 16-bit PNG whose values are metres, or a NumPy .npy file of two"
    " dimensions"
)


@dataclass(frozen=True, eq=False)
class _Heights:
    """Heights that can be read in parts.

    Attributes:
        width: Of all in pixels.
        height: Of all in pixels.
        part: (left, top, right, bottom) in pixels -> (bottom - top, right - left) of any real type; what has no data is
            NaN or infinite.
    """

    width: int
    height: int
    part: Callable[[int, int, int, int], NDArray[Any]]


def decode_surface(data: bytes, px: int) -> NDArray[np.float32]:
    """The array of :func:`read_surface`."""
    return read_surface(data, px).array


def read_surface(data: bytes, px: int) -> Decoded:
    """Decode heights, cut out their central square and resize that, leaving out what has no data.

    Args:
        data: Content of a GeoTIFF of one band (its no-data value, scale and offset are honoured), of a 16-bit grey PNG
            (a value is metres), or of a .npy file of two dimensions (NaN for no data).
        px: Side of the result in pixels.

    Returns:
        float32 (1, px, px) metres with NaN for no data, and notes.

    Raises:
        InputError: Empty, larger than 50 MB or 50 megapixels, damaged, all no data, outside -12,000 to 9,000 m, or a
            picture, a shaded relief for instance: brightness is not height.
    """
    check_size(data, px)
    if data.startswith(NUMPY_MAGIC):
        what, source = ".npy file", _of_numpy
    elif data.startswith(TIFF_MAGICS):
        what, source = "GeoTIFF", _of_geotiff
    elif data.startswith(PNG_MAGIC):
        what, source = "picture", _of_png
    else:
        raise InputError(f"This file holds no heights that can be read; {_HEIGHTS_WANTED}.")
    with refusing(what), source(data) as heights:
        return _read(heights, px)


def _read(heights: _Heights, px: int) -> Decoded:
    notes: list[str] = []
    side = min(heights.width, heights.height)
    if heights.height != heights.width:
        notes.append(f"The heights are {heights.width} x {heights.height} pixels: their central square was taken.")
    square = _Square(side, px)
    for strip in _strips(heights, side, square.factor):
        square.add(strip)
    if square.undeclared:
        notes.append(f"Heights of exactly {_CUSTOMARY_NO_DATA_M:g} were taken as no data.")
    if not square.known:
        raise InputError("The heights are all no data: there is nothing to compare. Choose a part that has data.")
    if square.lowest < LOWEST_M or square.highest > HIGHEST_M:
        raise InputError(
            f"The values run from {square.lowest:g} to {square.highest:g}, which cannot be metres above the sea"
            f" ({LOWEST_M:,.0f} to {HIGHEST_M:,.0f}): convert them to metres, and declare the value for no data."
        )
    if square.known < side * side:
        notes.append(f"{1 - square.known / side**2:.0%} of the heights are no data.")
    return Decoded(square.resized()[None], tuple(notes))


def _strips(heights: _Heights, side: int, factor: int) -> Iterator[NDArray[np.float32]]:
    """The central square from north to south in strips whose rows are a multiple of ``factor``, NaN for no data."""
    left, above = (heights.width - side) // 2, (heights.height - side) // 2
    rows = max(1, _STRIP_PX // (side * factor)) * factor
    for top in range(0, side, rows):
        bottom = min(top + rows, side)
        with np.errstate(over="ignore"):
            strip = heights.part(left, above + top, left + side, above + bottom).astype(np.float32)
        strip[~np.isfinite(strip)] = np.nan
        yield strip


class _Square:
    """Heights of a square, shrunk strip by strip by a whole factor, so that means stay exact, and then resized.

    Attributes:
        factor: Rows and columns that become one.
        known: Pixels with data so far.
        undeclared: Pixels that hold the customary value for no data.
        lowest: Of the heights so far, metres.
        highest: Of the heights so far, metres.
    """

    def __init__(self, side: int, px: int) -> None:
        self.factor = max(1, side // (_FINER * px))
        self.known = self.undeclared = 0
        self.lowest, self.highest = math.inf, -math.inf
        self._side, self._px = side, px
        cells = -(-side // self.factor)
        self._share, self._mean = (np.zeros((cells, cells), np.float32) for _ in range(2))
        self._rows = 0

    def add(self, strip: NDArray[np.float32]) -> None:
        """Take the next rows: a multiple of the factor, or the last."""
        undeclared = strip == _CUSTOMARY_NO_DATA_M
        self.undeclared += int(undeclared.sum())
        known = np.isfinite(strip) & ~undeclared
        if count := int(known.sum()):
            self.known += count
            self.lowest = min(self.lowest, float(strip.min(where=known, initial=np.inf)))
            self.highest = max(self.highest, float(strip.max(where=known, initial=-np.inf)))
        at = slice(self._rows, self._rows + -(-len(strip) // self.factor))
        self._rows = at.stop
        # Cells at the edges hold fewer pixels: what is kept is relative to what they hold.
        pixels = self._sums(np.ones(1, np.float32), strip.shape)
        self._share[at] = self._sums(known, strip.shape) / pixels
        self._mean[at] = self._sums(np.where(known, strip, np.float32(0)), strip.shape) / pixels

    def _sums(self, values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Sums over cells of ``factor`` x ``factor`` pixels, fewer at the edges."""
        values = np.broadcast_to(values, shape)
        if self.factor == 1:
            return values.astype(np.float64)
        rows, columns = (np.arange(0, length, self.factor) for length in shape)
        sums: NDArray[np.float64] = np.add.reduceat(
            np.add.reduceat(values, columns, axis=1, dtype=np.float64), rows, axis=0
        )
        return sums

    def resized(self) -> NDArray[np.float32]:
        """(px, px): area mean when it shrinks, bilinear when it grows, over what has data.

        A pixel of the result is NaN where less than half of what it covers has data.
        """
        filter_ = Image.Resampling.BOX if self._side >= self._px else Image.Resampling.BILINEAR
        box = (0, 0, self._side / self.factor, self._side / self.factor)
        share, total = (
            np.asarray(Image.fromarray(values).resize((self._px, self._px), filter_, box))
            for values in (self._share, self._mean)
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            resized: NDArray[np.float32] = np.where(share >= 0.5, total / share, np.float32(np.nan)).astype(np.float32)
        return resized


@contextlib.contextmanager
def _of_numpy(data: bytes) -> Iterator[_Heights]:
    """Content of a .npy file; never unpickles, and takes its numbers from where they lie."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # headers by Python 2
        shape, by_columns, dtype = read_header(stream, max_header_size=_MAX_NUMPY_HEADER)
    if len(shape) != 2 or any(type(length) is not int or length < 1 for length in shape) or dtype.kind not in "fiu":
        raise InputError(f"The .npy file holds an array of shape {shape} and type {dtype}: {_HEIGHTS_WANTED}.")
    height, width = shape
    check_pixels(width, height)
    # By the size that the header says: what is missing is an error here, and is not allocated.
    flat = np.frombuffer(data, dtype, count=height * width, offset=stream.tell())
    array = flat.reshape(shape, order="F" if by_columns else "C")
    yield _Heights(width, height, lambda left, top, right, bottom: array[top:bottom, left:right])


@contextlib.contextmanager
def _of_png(data: bytes) -> Iterator[_Heights]:
    """16-bit grey PNG, a value is metres."""
    with opened(data) as image:
        if not image.mode.startswith("I;16") and image.mode != "I":
            raise InputError(
                "This PNG is a picture (8 bits or colours): brightness, of a shaded relief for instance, is not height;"
                f" {_HEIGHTS_WANTED}."
            )
        image.load()
        yield _Heights(*image.size, lambda *box: np.asarray(image.crop(box)))


@contextlib.contextmanager
def _of_geotiff(data: bytes) -> Iterator[_Heights]:
    """GeoTIFF of one band, or a plain TIFF."""
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning
    from rasterio.io import MemoryFile

    check_container(data)
    with warnings.catch_warnings(), rasterio.Env(**_GDAL_OPTIONS):
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # heights need not say where they are
        with MemoryFile(data) as file, file.open(driver="GTiff") as raster:
            check_pixels(raster.width, raster.height)
            _check_band(raster)
            yield _Heights(raster.width, raster.height, _reader(raster))


def _reader(raster: Any) -> Callable[[int, int, int, int], NDArray[Any]]:
    """What reads parts of a raster in metres, north up."""
    from rasterio.windows import Window

    scale, offset = raster.scales[0], raster.offsets[0]
    south_up = raster.transform.e > 0 and not raster.transform.is_identity

    def part(left: int, top: int, right: int, bottom: int) -> NDArray[Any]:
        first = raster.height - bottom if south_up else top
        values = raster.read(1, masked=True, window=Window(left, first, right - left, bottom - top))
        meters: NDArray[Any] = values.astype(np.float64).filled(np.nan) * scale + offset
        return meters[::-1] if south_up else meters

    return part


def _check_band(raster: Any) -> None:
    """Refuse rasters that are pictures, that hold other than real numbers, or are cut into parts that are too large."""
    kind = np.dtype(raster.dtypes[0])
    if raster.count != 1:
        raise InputError(f"The GeoTIFF has {raster.count} bands, as a picture has; {_HEIGHTS_WANTED}, of one band.")
    if kind == np.uint8 or kind.kind not in "fiu":
        raise InputError(
            f"The GeoTIFF holds values of type {kind}: brightness, of a shaded relief for instance, is not height;"
            f" {_HEIGHTS_WANTED}."
        )
    down, across = raster.block_shapes[0]
    # GDAL allocates one of them whole, however small the picture.
    if down * across > max(MAX_BLOCK_PX, raster.width * raster.height):
        raise InputError(f"The GeoTIFF is cut into tiles of {across:,} x {down:,} pixels: export it with tiles of 512.")
    unit = (raster.units[0] or "").strip().lower()
    if unit not in _METERS:
        raise InputError(f"The GeoTIFF gives its heights in {unit[:40]!r}: convert them to metres.")
