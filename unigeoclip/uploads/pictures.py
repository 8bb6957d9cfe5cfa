"""Pictures of any size, color mode and orientation -> what the image encoders take.

What had to be decided along the way (cropped, first frame taken, put on grey) comes back as notes.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from unigeoclip.errors import InputError
from unigeoclip.uploads.headers import MAX_PIXELS, NUMPY_MAGIC, check_container, check_pixels, check_size, refusing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["Decoded", "decode_picture", "guess", "opened", "read_picture"]

_PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
_WORTH_A_WORD = 0.98  # share of a picture: less than that taken of it is said
_NEARLY_SQUARE = 1.15  # pictures from above are cut square, photos hardly ever
_GRAY = (128, 128, 128)  # what shows through transparency: neither light nor dark
_STRIP_PX = 2_000_000  # of a large grey picture looked at in one go


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


def guess(data: bytes, known: Sequence[str]) -> str:
    """Which modality a file is likely to be of: heights by its numbers, a street view by its shape or camera.

    Args:
        data: Content of the file; what cannot be read counts as a picture.
        known: The modalities to choose among, one at least.

    Returns:
        One of ``known``.
    """
    kind = "surface" if data.startswith(NUMPY_MAGIC) else _guess_of_picture(data)
    return kind if kind in known else known[0]


def _guess_of_picture(data: bytes) -> str:
    try:
        with refusing("picture"):
            check_size(data, 1)
            with opened(data) as image:
                width, height = image.size
                if image.mode.startswith("I") or image.mode == "F":
                    return "surface"
                by_camera = bool(image.getexif().get(ExifTags.Base.Make))
    except InputError:
        return "aerial"
    return "street" if by_camera or max(width, height) > _NEARLY_SQUARE * min(width, height) else "aerial"


def read_picture(data: bytes, width: int, height: int | None = None) -> Decoded:
    """Decode a picture, turn it upright, cut out its central part and resize that.

    Args:
        data: Content of a PNG, JPEG, WebP, GIF, BMP or TIFF file, in any colour mode.
        width: Of the result in pixels.
        height: Of the result in pixels; by default it is square.

    Returns:
        uint8 (3, height, width) RGB, and notes.

    Raises:
        InputError: Empty, larger than 50 MB or 50 megapixels, no picture, a damaged one, or one whose file is put
            together in a way that would take far more memory or time than its pixels.
    """
    height = width if height is None else height
    check_size(data, min(width, height))
    with refusing("picture"):
        return _read(data, width, height)


def _read(data: bytes, width: int, height: int) -> Decoded:
    notes: list[str] = []
    with opened(data) as image:
        size = image.size
        _load(image, max(width, height), notes)
        colors = _in_colors(image, notes)
    # The largest part of the wanted shape that fits.
    scale = min(colors.width / width, colors.height / height)
    across, down = max(1, int(width * scale)), max(1, int(height * scale))
    left, top = (colors.width - across) // 2, (colors.height - down) // 2
    if across * down < _WORTH_A_WORD * colors.width * colors.height:
        shape = "square" if width == height else f"part of {width} : {height}"
        notes.insert(0, f"The picture is {size[0]} x {size[1]} pixels: its central {shape} was taken.")
    box = (left, top, left + across, top + down)
    small = colors.resize((width, height), Image.Resampling.LANCZOS, box, reducing_gap=3.0)
    rgb = _on_gray(small, notes)
    return Decoded(np.ascontiguousarray(np.asarray(rgb, dtype=np.uint8).transpose(2, 0, 1)), tuple(notes))


def opened(data: bytes) -> Image.Image:
    """Check and read the header of a picture file; its pixels are not decoded yet.

    Raises:
        InputError: No picture, or one that asks for too much.
        Exception: Whatever Pillow raises over a damaged header; see `headers.refusing`.
    """
    check_container(data)
    try:
        with warnings.catch_warnings():
            # Pillow's own warning of large pictures (`check_pixels` is stricter), and those of odd metadata.
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=_PICTURE_FORMATS)
    except UnidentifiedImageError as error:
        raise InputError(
            "This is not a picture that can be read, whatever its name says: use PNG, JPEG, WebP, GIF, BMP or TIFF."
        ) from error
    except Image.DecompressionBombError as error:
        raise InputError(
            f"The picture is too large: at most {MAX_PIXELS / 1e6:.0f} megapixels. Make it smaller."
        ) from error
    check_pixels(*image.size)
    return image


def _load(image: Image.Image, px: int, notes: list[str]) -> None:
    """Decode the pixels of an opened picture, the first frame of several, and turn it as its camera was held."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if getattr(image, "is_animated", False):
            notes.append("The file holds several pictures: the first was taken.")
        if image.format == "JPEG":
            # The decoder itself can halve a large picture several times; twice what is wanted keeps it sharp.
            image.draft(None, (2 * px, 2 * px))
        image.load()
        check_pixels(*image.size)
        ImageOps.exif_transpose(image, in_place=True)


def _in_colors(image: Image.Image, notes: list[str]) -> Image.Image:
    """Any color mode to RGB or 8-bit grey, or to RGBA if it is transparent anywhere."""
    if image.mode.startswith("I") or image.mode == "F":
        notes.append("The picture is grey with more than 8 bits: its darkest value became black, its lightest white.")
        image = _stretched(image)
    elif image.mode == "CMYK":
        notes.append("The picture is made for print (CMYK): its colours were converted.")
    if image.mode == "L" and not image.has_transparency_data:
        return image  # a quarter of its size in RGB, which the result becomes
    wanted = "RGBA" if image.has_transparency_data else "RGB"
    try:
        return image if image.mode == wanted else image.convert(wanted)
    except ValueError as error:
        raise InputError(f"The picture's colours ({image.mode}) cannot be read: export it in RGB.") from error


def _on_gray(image: Image.Image, notes: list[str]) -> Image.Image:
    """RGB as it is, RGBA over a neutral grey, grey as RGB."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    if image.getchannel("A").getextrema() != (255, 255):
        notes.append("The picture is transparent in places: grey was put behind it.")
    ground = Image.new("RGBA", image.size, (*_GRAY, 255))
    return Image.alpha_composite(ground, image).convert("RGB")


def _stretched(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits -> 8 bits over the range of its values; Pillow would cut it off at 255."""
    lowest, highest = np.inf, -np.inf
    for _, values in _strips(image):
        if (finite := values[np.isfinite(values)]).size:
            lowest, highest = min(lowest, float(finite.min())), max(highest, float(finite.max()))
    if lowest > highest:
        raise InputError("The picture has no pixel with a finite value.")
    gray = Image.new("L", image.size)
    for top, values in _strips(image):
        above = np.where(np.isfinite(values), values, lowest) - lowest
        # Divided before it is multiplied: 255 times the largest float is infinite.
        scaled = above / max(highest - lowest, 1e-12) * 255
        gray.paste(Image.fromarray(scaled.round().astype(np.uint8)), (0, top))
    return gray


def _strips(image: Image.Image) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Rows of a grey picture, some at a time: a copy of all of them in float64 would be twice the picture."""
    rows = max(1, _STRIP_PX // image.width)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        yield top, np.asarray(strip, dtype=np.float64)
