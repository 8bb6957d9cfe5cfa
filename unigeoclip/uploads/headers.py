"""What a file announces, checked before anything is decoded: a few bytes can ask for more memory than there is.

Decoders allocate what the header says. So the header is read here, by code that allocates nothing, and refused where it
asks for more than a picture of its kind needs: pixels, tiles, strips, chunks, scans.
"""

from __future__ import annotations

import contextlib
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unigeoclip.errors import InputError, UniGeoError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "JPEG_MAGIC",
    "MAX_FILE_BYTES",
    "MAX_PIXELS",
    "NUMPY_MAGIC",
    "PNG_MAGIC",
    "TIFF_MAGICS",
    "check_container",
    "check_pixels",
    "check_size",
    "damaged",
    "refusing",
]

MAX_FILE_BYTES = 50 * 2**20  # as Streamlit counts megabytes: `maxUploadSize` in .streamlit/config.toml says the same
MAX_PIXELS = 50_000_000  # what a telephone takes
MAX_SIDE_PX = 65_535  # of a JPEG; a row longer than that is no picture
NUMPY_MAGIC = b"\x93NUMPY"
TIFF_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # little and big endian, classic and BigTIFF
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8\xff"

# Pictures of 50 megapixels by common writers have some 6,000 chunks of data (8 KB each) and a handful of others.
MAX_PNG_CHUNKS, MAX_PNG_EXTRAS = 30_000, 1_000
MAX_JPEG_SCANS = 100  # progressive pictures have about ten; each scan goes over the whole picture once more
MAX_BLOCK_PX = 4096 * 4096  # of a TIFF's tile; a strip may be as large as the picture
MAX_BLOCKS = 200_000  # tiles or strips: 16 x 16 pixels are the smallest tile, one row the smallest strip
MAX_BANDS = 8  # Pillow knows colours with up to four, and a few to spare
MAX_TIFF_TAGS = 1_000  # of one directory
_WORDS = 200  # letters of another library's message that are repeated

# A marker of JPEG: not a stuffed zero, not a restart, not fill.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_SOS, _EOI, _SOI, _TEM = 0xDA, 0xD9, 0xD8, 0x01


def damaged(error: BaseException, what: str = "picture") -> InputError:
    """The refusal of a file that a decoder stumbled over."""
    words = " ".join(str(error).split())
    words = (words[:_WORDS] + "…" if len(words) > _WORDS else words) or type(error).__name__
    return InputError(f"The {what} is damaged or cut short ({words}): export or download it again.")


@contextlib.contextmanager
def refusing(what: str) -> Iterator[None]:
    """Turn whatever a decoder raises over a strange file into a refusal; decoders promise nothing about that.

    Raises:
        InputError: Something else than an error of ours was raised; that one is its cause.
    """
    try:
        yield
    except UniGeoError:
        raise
    except MemoryError as error:
        raise InputError(f"The {what} takes too much memory to decode: make it smaller.") from error
    except Exception as error:
        raise damaged(error, what) from error


def check_size(data: bytes, px: int) -> None:
    """Refuse empty and too large files, and a result without pixels.

    Raises:
        InputError: Says which.
    """
    if px < 1:
        raise InputError(f"A picture cannot be decoded to {px} pixels: ask for at least 1.")
    if not data:
        raise InputError("The file is empty.")
    if len(data) > MAX_FILE_BYTES:
        raise InputError(
            f"The file is too large: {len(data) / 2**20:.1f} MB, at most {MAX_FILE_BYTES / 2**20:.0f} MB."
            " Make it smaller."
        )


def check_pixels(width: int, height: int) -> None:
    """Refuse by the header alone: a small file can unfold to more pixels than memory holds.

    Raises:
        InputError: More than `MAX_PIXELS`, or a side longer than `MAX_SIDE_PX`.
    """
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE_PX:
        raise InputError(
            f"The picture is too large: {width:,} x {height:,} pixels, at most {MAX_PIXELS / 1e6:.0f} megapixels and"
            f" {MAX_SIDE_PX:,} pixels a side. Make it smaller."
        )


def check_container(data: bytes) -> None:
    """Refuse a PNG, JPEG, WebP or TIFF file whose structure asks for more work or memory than a picture needs.

    Files of other kinds pass: their decoders need no more than their pixels, which `check_pixels` bounds.

    Raises:
        InputError: Says what there is too much of.
    """
    if data.startswith(PNG_MAGIC):
        _check_png(data)
    elif data.startswith(JPEG_MAGIC):
        _check_jpeg(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        _check_webp(data)
    elif data.startswith(TIFF_MAGICS):
        _check_tiff(data)


def _check_png(data: bytes) -> None:
    at, chunks, extras = len(PNG_MAGIC), 0, 0
    while at + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind = data[at + 4 : at + 8]
        chunks += 1
        extras += kind not in (b"IDAT", b"fdAT")
        if chunks > MAX_PNG_CHUNKS or extras > MAX_PNG_EXTRAS:
            raise InputError(
                "The PNG file has too many chunks of text or data to be a picture"
                f" (at most {MAX_PNG_EXTRAS:,} beside the pixels): export it again without metadata."
            )
        if kind == b"IEND":
            return
        at += 12 + length


def _check_jpeg(data: bytes) -> None:
    at, scans = 2, 0
    while marker := _JPEG_MARKER.search(data, at):
        kind, at = data[marker.start() + 1], marker.end()
        if kind == _EOI:
            return
        scans += kind == _SOS
        if scans > MAX_JPEG_SCANS:
            raise InputError(
                f"The JPEG file has more than {MAX_JPEG_SCANS} scans: no camera writes that many. Export it again."
            )
        if kind not in (_SOI, _TEM) and at + 2 <= len(data):
            at += struct.unpack_from(">H", data, at)[0]


def _check_webp(data: bytes) -> None:
    """Look at the size: to open the file is enough for its decoder to ask for two canvases."""
    kind, head = data[12:16], data[20:30]
    if len(head) < 10:
        return  # too short for a picture, which its decoder says
    if kind == b"VP8X":
        check_pixels(int.from_bytes(head[4:7], "little") + 1, int.from_bytes(head[7:10], "little") + 1)
    elif kind == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        check_pixels((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    elif kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", head, 6)
        check_pixels(width & 0x3FFF, height & 0x3FFF)


# TIFF


@dataclass(frozen=True)
class _Layout:
    """How a TIFF file's numbers are packed, classic or BigTIFF."""

    order: str  # of bytes, as struct spells it
    count: str  # code of the number of tags
    word: str  # code of a count and an offset
    entry_bytes: int

    def read(self, code: str, data: bytes, at: int) -> int:
        value: int = struct.unpack_from(self.order + code, data, at)[0]
        return value


_WIDTH, _HEIGHT, _ROWS, _TILE_WIDTH, _TILE_HEIGHT = 256, 257, 278, 322, 323
_SAMPLES = 277
_OFFSETS = (273, 324)  # of strips, of tiles
_WANTED = (_WIDTH, _HEIGHT, _SAMPLES, _ROWS, _TILE_WIDTH, _TILE_HEIGHT)
# TIFF's types of whole numbers; the signed ones are read as unsigned: a negative size is too large either way.
_CODES = {1: "B", 3: "H", 4: "I", 6: "B", 8: "H", 9: "I", 13: "I", 16: "Q", 17: "Q", 18: "Q"}


def _check_tiff(data: bytes) -> None:
    """Look at the first directory, the one that is decoded."""
    try:
        tags, blocks = _first_directory(data)
    except struct.error as error:
        raise damaged(error, "TIFF file") from error
    width, height = tags.get(_WIDTH, 0), tags.get(_HEIGHT, 0)
    if not width or not height:
        raise InputError("The TIFF file does not say how large its picture is: export or download it again.")
    check_pixels(width, height)
    if tags.get(_SAMPLES, 1) > MAX_BANDS:
        raise InputError(f"The TIFF file has {tags[_SAMPLES]:,} bands, at most {MAX_BANDS}: choose one or three.")
    if _TILE_WIDTH in tags or _TILE_HEIGHT in tags:
        across, down = tags.get(_TILE_WIDTH, 0), tags.get(_TILE_HEIGHT, 0)
        if not across or not down:
            raise InputError("The TIFF file does not say how large its tiles are: export or download it again.")
        if across * down > MAX_BLOCK_PX:
            raise InputError(
                f"The TIFF file is cut into tiles of {across:,} x {down:,} pixels, which are too large to read:"
                " export it with tiles of 256 or 512."
            )
    else:
        across, down = width, min(tags.get(_ROWS, height) or height, height)
    expected = -(-width // across) * -(-height // down) * tags.get(_SAMPLES, 1)
    if max(expected, blocks) > MAX_BLOCKS:
        raise InputError(
            f"The TIFF file is cut into {max(expected, blocks):,} tiles or strips, at most {MAX_BLOCKS:,}: export it"
            " with tiles of 256 or 512."
        )


def _first_directory(data: bytes) -> tuple[dict[int, int], int]:
    """The whole numbers that matter of the first directory, and how many tiles or strips it lists.

    Raises:
        struct.error: The file ends before.
    """
    order = "<" if data[:2] == b"II" else ">"
    if b"+" in data[2:4]:
        layout = _Layout(order, "Q", "Q", 20)
        at = layout.read("Q", data, 8)
    else:
        layout = _Layout(order, "H", "I", 12)
        at = layout.read("I", data, 4)
    if at > len(data):
        raise struct.error("it points behind its end")
    count = layout.read(layout.count, data, at)
    if count > MAX_TIFF_TAGS:
        raise InputError(f"The TIFF file has {count:,} tags, at most {MAX_TIFF_TAGS:,}: export it without metadata.")
    at += struct.calcsize("<" + layout.count)
    tags: dict[int, int] = {}
    blocks = 0
    for entry in range(at, at + count * layout.entry_bytes, layout.entry_bytes):
        tag, kind = layout.read("H", data, entry), layout.read("H", data, entry + 2)
        number = layout.read(layout.word, data, entry + 4)
        if tag in _OFFSETS:
            blocks = max(blocks, number)
        if tag in _WANTED and kind in _CODES and number:
            value = layout.read(_CODES[kind], data, entry + 4 + struct.calcsize("<" + layout.word))
            tags[tag] = max(value, tags.get(tag, 0))  # of a tag given twice, libraries do not agree which counts
    return tags, blocks
