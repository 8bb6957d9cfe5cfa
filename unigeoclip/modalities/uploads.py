"""Files that people upload: from bytes of any kind to what the image encoders take, or a clear refusal.

A picture may be of any size, colour mode and orientation; heights must be heights in metres. What had to be decided
along the way (cropped, first frame taken, put on grey) comes back as notes.
"""

from __future__ import annotations

import io
import struct
import tokenize
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "Decoded",
    "decode_picture",
    "decode_surface",
    "guess_modality",
    "read_picture",
    "read_surface",
    "read_upload",
]

MAX_FILE_BYTES = 50_000_000
MAX_PIXELS = 50_000_000  # what a telephone takes; decoding holds two copies of four bytes each in memory
LOWEST_M, HIGHEST_M = -12_000.0, 9_000.0  # deeper than any trench, higher than any summit
_CUSTOMARY_NO_DATA_M = -9999.0  # what many files mean by no data without declaring it

_PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
# What Pillow's decoders are known to raise on damaged files.
_DECODING_ERRORS = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, struct.error)
_WORTH_A_WORD = 0.98  # share of a picture: less than that taken of it is said
_NEARLY_SQUARE = 1.15  # pictures from above are cut square, photos hardly ever
_GREY = (128, 128, 128)  # what shows through transparency: neither light nor dark
_NUMPY_MAGIC = b"\x93NUMPY"
_TIFF_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # little and big endian, classic and BigTIFF
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_HEIGHTS_WANTED = (
    "heights in metres are needed: a GeoTIFF, a 16-bit PNG whose values are metres, or a NumPy .npy file of two"
    " dimensions"
)


@dataclass(frozen=True, eq=False)
class Decoded:
    """A decoded upload.

    Attributes:
        array: uint8 (3, px, px) of a picture, or float32 (1, px, px) metres of heights.
        notes: What was done to it that a person may want to know, in whole sentences.
    """

    array: NDArray[Any]
    notes: tuple[str, ...] = ()


def decode_picture(data: bytes, width: int, height: int | None = None) -> NDArray[np.uint8]:
    """The array of :func:`read_picture`."""
    return read_picture(data, width, height).array


def decode_surface(data: bytes, px: int) -> NDArray[np.float32]:
    """The array of :func:`read_surface`."""
    return read_surface(data, px).array


def guess_modality(data: bytes, known: Sequence[str]) -> str:
    """Which modality a file is likely to be of: heights by its numbers, a street view by its shape or camera.

    Args:
        data: Content of the file; what cannot be read counts as a picture.
        known: The modalities to choose among, one at least.

    Returns:
        One of ``known``.
    """
    kind = "surface" if data[: len(_NUMPY_MAGIC)] == _NUMPY_MAGIC else _guess_of_picture(data)
    return kind if kind in known else known[0]


def _guess_of_picture(data: bytes) -> str:
    try:
        with _opened(data) as image:
            width, height = image.size
            if image.mode.startswith("I") or image.mode == "F":
                return "surface"
            by_camera = bool(image.getexif().get(ExifTags.Base.Make))
    except (InputError, *_DECODING_ERRORS):
        return "aerial"
    return "street" if by_camera or max(width, height) > _NEARLY_SQUARE * min(width, height) else "aerial"


def read_upload(kind: str, data: bytes, size: tuple[int, int]) -> Decoded:
    """Decode what a person brings for a modality: heights for "surface", else a picture.

    Args:
        kind: The modality.
        data: Content of the file.
        size: Width and height in pixels that its encoder takes.

    Raises:
        InputError: See `read_picture` and `read_surface`.
    """
    return read_surface(data, size[0]) if kind == "surface" else read_picture(data, *size)


def read_picture(data: bytes, width: int, height: int | None = None) -> Decoded:
    """Decode a picture, turn it upright, cut out its central part and resize that.

    Args:
        data: Content of a PNG, JPEG, WebP, GIF, BMP or TIFF file, in any colour mode.
        width: Of the result in pixels.
        height: Of the result in pixels; by default it is square.

    Returns:
        uint8 (3, height, width) RGB, and notes.

    Raises:
        InputError: Empty, larger than 50 MB or 50 megapixels, no picture, or a damaged one.
    """
    height = width if height is None else height
    _check_size(data, min(width, height))
    notes: list[str] = []
    with _opened(data) as image:
        _check_pixels(*image.size)
        size = image.size
        upright = _upright(image, max(width, height), notes)
    colours = _in_colours(upright, notes)
    # The largest part of the wanted shape that fits.
    scale = min(colours.width / width, colours.height / height)
    across, down = max(1, int(width * scale)), max(1, int(height * scale))
    left, top = (colours.width - across) // 2, (colours.height - down) // 2
    if across * down < _WORTH_A_WORD * colours.width * colours.height:
        shape = "square" if width == height else f"part of {width} : {height}"
        notes.insert(0, f"The picture is {size[0]} x {size[1]} pixels: its central {shape} was taken.")
    box = (left, top, left + across, top + down)
    small = colours.resize((width, height), Image.Resampling.LANCZOS, box, reducing_gap=3.0)
    rgb = _on_grey(small, notes)
    return Decoded(np.ascontiguousarray(np.asarray(rgb, dtype=np.uint8).transpose(2, 0, 1)), tuple(notes))


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
    _check_size(data, px)
    if data.startswith(_NUMPY_MAGIC):
        heights = _heights_of_numpy(data)
    elif data.startswith(_TIFF_MAGICS):
        heights = _heights_of_geotiff(data)
    elif data.startswith(_PNG_MAGIC):
        heights = _heights_of_png(data)
    else:
        raise InputError(f"This file holds no heights that can be read; {_HEIGHTS_WANTED}.")
    notes: list[str] = []
    square = _central_square(heights, notes)
    if (undeclared := square == _CUSTOMARY_NO_DATA_M).any():
        notes.append(f"Heights of exactly {_CUSTOMARY_NO_DATA_M:g} were taken as no data.")
        square = np.where(undeclared, np.float32(np.nan), square)
    known = np.isfinite(square)
    if not known.any():
        raise InputError("The heights are all no data: there is nothing to compare. Choose a part that has data.")
    lowest, highest = float(square[known].min()), float(square[known].max())
    if lowest < LOWEST_M or highest > HIGHEST_M:
        raise InputError(
            f"The values run from {lowest:g} to {highest:g}, which cannot be metres above the sea"
            f" ({LOWEST_M:,.0f} to {HIGHEST_M:,.0f}): convert them to metres, and declare the value for no data."
        )
    if not known.all():
        notes.append(f"{1 - known.mean():.0%} of the heights are no data.")
    return Decoded(_resized_heights(square, px)[None], tuple(notes))


def _check_size(data: bytes, px: int) -> None:
    if px < 1:
        raise InputError(f"A picture cannot be decoded to {px} pixels: ask for at least 1.")
    if not data:
        raise InputError("The file is empty.")
    if len(data) > MAX_FILE_BYTES:
        raise InputError(
            f"The file is too large: {len(data) / 1e6:.0f} MB, at most {MAX_FILE_BYTES / 1e6:.0f} MB. Make it smaller."
        )


def _check_pixels(width: int, height: int) -> None:
    """Refuse by the header alone: a small file can unfold to more pixels than memory holds."""
    if width * height > MAX_PIXELS:
        raise InputError(
            f"The picture is too large: {width:,} x {height:,} pixels, at most {MAX_PIXELS / 1e6:.0f} megapixels."
            " Make it smaller."
        )


# Pictures


def _opened(data: bytes) -> Image.Image:
    """Read the header of a picture file."""
    try:
        with warnings.catch_warnings():
            # Pillow's own warning of large pictures; _check_pixels is stricter.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(data), formats=_PICTURE_FORMATS)
    except UnidentifiedImageError as error:
        raise InputError(
            "This is not a picture that can be read, whatever its name says: use PNG, JPEG, WebP, GIF, BMP or TIFF."
        ) from error
    except Image.DecompressionBombError as error:
        raise InputError(
            f"The picture is too large: at most {MAX_PIXELS / 1e6:.0f} megapixels. Make it smaller."
        ) from error
    except _DECODING_ERRORS as error:
        raise _damaged(error) from error


def _damaged(error: BaseException) -> InputError:
    return InputError(f"The picture is damaged or cut short ({error}): export or download it again.")


def _upright(image: Image.Image, px: int, notes: list[str]) -> Image.Image:
    """Decode the pixels of an opened picture, the first frame of several, and turn it as its camera was held."""
    try:
        if getattr(image, "is_animated", False):
            notes.append("The file holds several pictures: the first was taken.")
        if image.format == "JPEG":
            # The decoder itself can halve a large picture several times; twice what is wanted keeps it sharp.
            image.draft(None, (2 * px, 2 * px))
        image.load()
        return ImageOps.exif_transpose(image)
    except _DECODING_ERRORS as error:
        raise _damaged(error) from error


def _in_colours(image: Image.Image, notes: list[str]) -> Image.Image:
    """Any colour mode to RGB, or to RGBA if it is transparent anywhere."""
    if image.mode.startswith("I") or image.mode == "F":
        notes.append("The picture is grey with more than 8 bits: its darkest value became black, its lightest white.")
        image = _stretched(image)
    elif image.mode == "CMYK":
        notes.append("The picture is made for print (CMYK): its colours were converted.")
    wanted = "RGBA" if image.has_transparency_data else "RGB"
    try:
        return image if image.mode == wanted else image.convert(wanted)
    except ValueError as error:
        raise InputError(f"The picture's colours ({image.mode}) cannot be read: export it in RGB.") from error


def _on_grey(image: Image.Image, notes: list[str]) -> Image.Image:
    """RGB as it is, RGBA over a neutral grey."""
    if image.mode == "RGB":
        return image
    if image.getchannel("A").getextrema() != (255, 255):
        notes.append("The picture is transparent in places: grey was put behind it.")
    ground = Image.new("RGBA", image.size, (*_GREY, 255))
    return Image.alpha_composite(ground, image).convert("RGB")


def _stretched(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits -> 8 bits over the range of its values; Pillow would cut it off at 255."""
    values = np.asarray(image, dtype=np.float64)
    finite = np.isfinite(values)
    if not finite.any():
        raise InputError("The picture has no pixel with a finite value.")
    lowest, highest = values[finite].min(), values[finite].max()
    scaled = (np.where(finite, values, lowest) - lowest) * (255 / max(highest - lowest, 1e-12))
    return Image.fromarray(scaled.round().astype(np.uint8))


# Heights


def _heights_of_numpy(data: bytes) -> NDArray[np.float32]:
    """Content of a .npy file -> (h, w) float32, NaN for no data; never unpickles."""
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(stream)
        if len(shape) != 2 or dtype.kind not in "fiu" or 0 in shape:
            raise InputError(f"The .npy file holds an array of shape {shape} and type {dtype}: {_HEIGHTS_WANTED}.")
        _check_pixels(shape[1], shape[0])
        stream.seek(0)
        array = np.load(stream, allow_pickle=False)
    except (ValueError, EOFError, OSError, SyntaxError, tokenize.TokenError) as error:
        raise InputError(f"The .npy file is damaged or cut short ({error}): save it again.") from error
    return _float32(array)


def _heights_of_png(data: bytes) -> NDArray[np.float32]:
    """16-bit grey PNG, a value is metres -> (h, w) float32."""
    with _opened(data) as image:
        _check_pixels(*image.size)
        if not image.mode.startswith("I;16") and image.mode != "I":
            raise InputError(
                "This PNG is a picture (8 bits or colours): brightness, of a shaded relief for instance, is not height;"
                f" {_HEIGHTS_WANTED}."
            )
        try:
            image.load()
        except _DECODING_ERRORS as error:
            raise _damaged(error) from error
        return _float32(np.asarray(image))


def _heights_of_geotiff(data: bytes) -> NDArray[np.float32]:
    """GeoTIFF of one band, or a plain TIFF -> (h, w) float32 metres, NaN for no data."""
    from rasterio.errors import NotGeoreferencedWarning, RasterioError
    from rasterio.io import MemoryFile

    try:
        with warnings.catch_warnings():  # heights need not say where they are
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with MemoryFile(data) as file, file.open(driver="GTiff") as raster:
                _check_pixels(raster.width, raster.height)
                _check_band(raster)
                heights = raster.read(1, masked=True)
                scale, offset, unit = raster.scales[0], raster.offsets[0], (raster.units[0] or "").strip().lower()
                south_up = raster.transform.e > 0 and not raster.transform.is_identity
    except RasterioError as error:
        raise InputError(f"The GeoTIFF is damaged or cut short ({error}): export or download it again.") from error
    if unit not in ("", "m", "metre", "metres", "meter", "meters"):
        raise InputError(f"The GeoTIFF gives its heights in {unit!r}: convert them to metres.")
    metres: NDArray[np.float64] = heights.astype(np.float64).filled(np.nan) * scale + offset
    return _float32(metres[::-1] if south_up else metres)


def _check_band(raster: Any) -> None:
    """Refuse rasters that are pictures or that hold other than real numbers."""
    kind = np.dtype(raster.dtypes[0])
    if raster.count != 1:
        raise InputError(f"The GeoTIFF has {raster.count} bands, as a picture has; {_HEIGHTS_WANTED}, of one band.")
    if kind == np.uint8 or kind.kind not in "fiu":
        raise InputError(
            f"The GeoTIFF holds values of type {kind}: brightness, of a shaded relief for instance, is not height;"
            f" {_HEIGHTS_WANTED}."
        )


def _float32(values: NDArray[Any]) -> NDArray[np.float32]:
    """To float32, with NaN for whatever is not finite or too large for it."""
    with np.errstate(over="ignore"):
        heights = values.astype(np.float32)
    heights[~np.isfinite(heights)] = np.nan
    return heights


def _central_square(heights: NDArray[np.float32], notes: list[str]) -> NDArray[np.float32]:
    height, width = heights.shape
    side = min(height, width)
    if height != width:
        notes.append(f"The heights are {width} x {height} pixels: their central square was taken.")
    top, left = (height - side) // 2, (width - side) // 2
    return heights[top : top + side, left : left + side]


def _resized_heights(square: NDArray[np.float32], px: int) -> NDArray[np.float32]:
    """(s, s) -> (px, px): area mean when it shrinks, bilinear when it grows, over what has data.

    A pixel of the result is NaN where less than half of what it covers has data.
    """
    known = np.isfinite(square)
    filter_ = Image.Resampling.BOX if len(square) >= px else Image.Resampling.BILINEAR
    share = np.asarray(Image.fromarray(known.astype(np.float32)).resize((px, px), filter_))
    total = np.asarray(Image.fromarray(np.where(known, square, np.float32(0))).resize((px, px), filter_))
    with np.errstate(invalid="ignore", divide="ignore"):
        resized: NDArray[np.float32] = np.where(share >= 0.5, total / share, np.float32(np.nan)).astype(np.float32)
    return resized
