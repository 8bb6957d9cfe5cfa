"""Whether a file of OpenStreetMap data is whole: of a damaged one GDAL gives the part before the damage, silently."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING
from xml.parsers import expat

from unigeoclip.build.city.vector_tiles import message_fields, varint
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

__all__ = ["check_osm_file"]

_LARGEST_HEADER, _LARGEST_BLOB = 64 << 10, 32 << 20  # of the PBF format
_CHUNK_BYTES = 1 << 20


def check_osm_file(path: Path, progress: Callable[[float], None]) -> None:
    """Read a file .osm.pbf or .osm from end to end.

    Args:
        path: The file.
        progress: Called with the share done.

    Raises:
        InputError: It is none, is cut short, or has changed bytes.
    """
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            if path.suffix == ".pbf":
                _check_pbf(file, lambda: progress(file.tell() / size))
            else:
                _check_xml(file)
    except (ValueError, EOFError, zlib.error, expat.ExpatError) as error:
        raise InputError(
            f"{path} is no OpenStreetMap data, or is damaged ({error}). Fetch or extract it again."
        ) from error


def _check_pbf(file: BinaryIO, step: Callable[[], None]) -> None:
    """See https://wiki.openstreetmap.org/wiki/PBF_Format; GDAL reads blobs that are packed by zlib or not packed."""
    first = True
    while length := file.read(4):
        header = _whole(file, int.from_bytes(length, "big"), _LARGEST_HEADER)
        found = {number: (start, end) for number, start, end in message_fields(header, 0, len(header))}
        if first and header[slice(*found.get(1, (0, 0)))] != b"OSMHeader":
            raise ValueError("it does not begin as .osm.pbf files do")
        first = False
        blob = _whole(file, varint(header, *found.get(3, (0, 0)))[0], _LARGEST_BLOB)
        for number, start, end in message_fields(blob, 0, len(blob)):
            if number == 3:
                unpacking = zlib.decompressobj()
                unpacking.decompress(blob[start:end], _LARGEST_BLOB + 1)
                if not unpacking.eof:
                    raise ValueError("a block is cut short or too large")
        step()
    if first:
        raise ValueError("it is empty")


def _whole(file: BinaryIO, length: int, most: int) -> bytes:
    """So many bytes of a file, exactly."""
    if length > most:
        raise ValueError("a block is too large")
    data = file.read(length)
    if len(data) < length:
        raise ValueError("it is cut short")
    return data


def _check_xml(file: BinaryIO) -> None:
    """Well-formed to the end, and OpenStreetMap's."""
    parser, roots = expat.ParserCreate(), []

    def started(name: str, _attributes: dict[str, str]) -> None:
        roots.append(name)
        parser.StartElementHandler = None

    parser.StartElementHandler = started
    while data := file.read(_CHUNK_BYTES):
        parser.Parse(data, False)
        if roots and roots[0] != "osm":
            raise ValueError(f"its first element is {roots[0][:20]!r}")
    parser.Parse(b"", True)
