"""Which format a file has, by how it begins, and files that are packed: unpacked within limits, or refused."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import IO

from unigeoclip.errors import InputError, excerpt
from unigeoclip.uploads.tables.file_table import MAX_TABLE_BYTES, MAX_UNPACKED_BYTES

__all__ = ["CSV", "GEOJSON", "GEOPACKAGE", "PARQUET", "SHAPEFILE", "check_table_size", "is_plain", "opened"]

CSV, PARQUET, GEOJSON, GEOPACKAGE, SHAPEFILE = "CSV", "Parquet", "GeoJSON", "GeoPackage", "shapefile"
READABLE = "CSV, Parquet, GeoJSON, GeoPackage or a zipped shapefile"
MAX_MEMBERS = 1_000  # files of a ZIP archive
_PARQUET, _SQLITE, _ZIP, _GZIP = b"PAR1", b"SQLite format 3\0", b"PK\x03\x04", b"\x1f\x8b"
_PARTS = (".shp", ".dbf", ".shx", ".prj", ".cpg")  # what is read of a shapefile
_SINGLE = (".csv", ".tsv", ".txt", ".parquet", ".geoparquet", ".geojson", ".json", ".gpkg")
# Other things by how they begin, and what to do with them.
_OTHERS = {
    b"PK\x05\x06": "an empty ZIP archive",
    b"\x28\xb5\x2f\xfd": "compressed with Zstandard: unpack it",
    b"BZh": "compressed with bzip2: unpack it",
    b"\xfd7zXZ\0": "compressed with xz: unpack it",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive: unpack it",
    b"Rar!": "a RAR archive: unpack it",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save the sheet as CSV",
    b"\0\0\x27\x0a": "the .shp of a shapefile alone: put .shp, .dbf, .shx and .prj into one ZIP archive",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"II*\0": "a TIFF",
    b"MM\0*": "a TIFF",
    b"\x93NUMPY": "an array of NumPy: write its columns as CSV",
    b"\x89HDF": "HDF5: write the table as CSV or Parquet",
    b"ARROW1": "an Arrow or Feather file: save it as Parquet",
    b"fgb\x03": "FlatGeobuf: save it as GeoPackage",
}
_MARKUP = {
    "kml": "KML: save it as GeoJSON or GeoPackage",
    "gml": "GML: save it as GeoJSON or GeoPackage",
    "gpx": "GPX: save it as GeoJSON or GeoPackage",
    "ogrvrtdatasource": "a virtual data set of GDAL, which names other files: give these files themselves",
    "html": "a web page: download the file itself",
}


def check_table_size(data: bytes) -> None:
    """Refuse empty and too large files.

    Raises:
        InputError: Says which.
    """
    if not data:
        raise InputError("The file is empty.")
    if len(data) > MAX_TABLE_BYTES:
        raise InputError(
            f"The file has {len(data) / 2**20:.0f} MB, at most {MAX_TABLE_BYTES / 2**20:.0f} MB are read: keep only the"
            " columns for the position and the target, or save it as Parquet."
        )


def is_plain(data: bytes) -> bool:
    """Whether a file is read without GDAL."""
    head = data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    return not (data.startswith((_SQLITE, _ZIP, _GZIP)) or head[:1] in (b"{", b"["))


def opened(data: bytes) -> tuple[str, bytes]:
    """The format of a file and its content, unpacked if it came in a ZIP archive or compressed with gzip.

    Returns:
        One of `CSV`, `PARQUET`, `GEOJSON`, `GEOPACKAGE`, `SHAPEFILE`; of a shapefile a ZIP archive that holds its parts
        alone.

    Raises:
        InputError: Of another kind, damaged, or too large.
    """
    check_table_size(data)
    if data.startswith(_ZIP):
        return _from_archive(data)
    if data.startswith(_GZIP):
        data = _gunzipped(data)
    return _format(data), data


def _format(data: bytes) -> str:
    if data.startswith(_PARQUET):
        return PARQUET
    if data.startswith(_SQLITE):
        return GEOPACKAGE
    for start, what in _OTHERS.items():
        if data.startswith(start):
            raise InputError(f"The file is {what}. Labels are read from {READABLE}.")
    if data.startswith((_ZIP, _GZIP)):
        raise InputError("The file is packed twice: unpack it once.")
    head = data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head[:1] == b"<":
        words = head.lower()
        found = next((what for name, what in _MARKUP.items() if b"<" + name.encode() in words), "XML or a web page")
        raise InputError(f"The file is {found}. Labels are read from {READABLE}.")
    if head[:1] in (b"{", b"["):
        return GEOJSON
    return CSV


def _gunzipped(data: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        content = unpacker.decompress(data, MAX_UNPACKED_BYTES)
    except zlib.error as error:
        raise InputError(f"The file is gzip that is damaged ({error}): get or pack it again.") from error
    if unpacker.unconsumed_tail:
        raise _too_large()
    if not unpacker.eof:
        raise InputError("The file is gzip that is cut short: get or pack it again.")
    return content


def _too_large() -> InputError:
    return InputError(f"The file unpacks to more than {MAX_UNPACKED_BYTES / 2**20:.0f} MB: keep fewer columns or rows.")


def _from_archive(data: bytes) -> tuple[str, bytes]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise InputError(f"The file is a ZIP archive that is damaged ({error}): pack it again.") from error
    with archive:
        members = _checked_members(archive)
        if any(name.startswith(("xl/", "[Content_Types]")) for name in members):
            raise InputError(f"The file is an Excel workbook: save the sheet as CSV. Labels are read from {READABLE}.")
        shapes = [name for name in members if PurePosixPath(name).suffix.lower() == ".shp"]
        singles = [name for name in members if PurePosixPath(name).suffix.lower() in _SINGLE]
        if len(shapes) == 1:
            return SHAPEFILE, _shapefile(archive, members, shapes[0])
        if shapes or len(singles) > 1:
            some = ", ".join(excerpt(PurePosixPath(name).name, 30) for name in (shapes or singles)[:5])
            raise InputError(f"The ZIP archive holds several tables ({some}): pack one of them.")
        if singles:
            content = _member(archive, members[singles[0]])
            return _format(content), content
        raise InputError("The ZIP archive holds no shapefile (.shp) and no other table: pack one of them.")


def _checked_members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The files of an archive by name.

    Raises:
        InputError: There are too many, they are too large, encrypted or links, or a name leads out of the archive.
    """
    everything = archive.infolist()
    if len(everything) > MAX_MEMBERS:
        raise InputError(f"The ZIP archive holds {len(everything):,} files, at most {MAX_MEMBERS:,} are looked at.")
    members = {}
    for each in everything:
        path, shown = PurePosixPath(each.filename.replace("\\", "/")), excerpt(each.filename, 60)
        if path.is_absolute() or ".." in path.parts or ":" in each.filename or "\0" in each.filename:
            raise InputError(f"The ZIP archive holds {shown!r}, a name that leads out of the archive: pack it again.")
        if stat.S_ISLNK(each.external_attr >> 16):
            raise InputError(f"The ZIP archive holds {shown!r}, a link: pack the file itself.")
        if each.is_dir() or path.parts[:1] == ("__MACOSX",) or path.name.startswith("."):
            continue
        if each.flag_bits & 1:
            raise InputError("The ZIP archive is encrypted: pack it without a password.")
        members[each.filename] = each
    if sum(each.file_size for each in members.values()) > MAX_UNPACKED_BYTES:
        raise _too_large()
    return members


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """The content of one file, never more than the archive says of it."""
    try:
        with archive.open(member) as file:
            return _at_most(file, member.file_size)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise InputError(f"The ZIP archive is damaged ({excerpt(error)}): pack it again.") from error


def _at_most(file: IO[bytes], size: int) -> bytes:
    content = file.read(size + 1)
    if len(content) > size:
        raise InputError("The ZIP archive holds more than it announces: pack it again.")
    return content


def _shapefile(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], shape: str) -> bytes:
    """The parts of one shapefile alone, under plain names, as an archive that is not compressed."""
    stem = shape[: -len(".shp")]
    parts = {
        suffix: name for suffix in _PARTS for name in members if name[: len(stem)] == stem and
        name[len(stem) :].lower() == suffix
    }  # fmt: skip
    if ".dbf" not in parts:
        raise InputError(
            "The shapefile has no .dbf, which holds its columns: put .shp, .dbf, .shx and .prj into the ZIP."
        )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as plain:
        for suffix, name in parts.items():
            plain.writestr(f"table{suffix}", _member(archive, members[name]))
    return file.getvalue()
