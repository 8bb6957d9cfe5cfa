"""CSV in any common encoding and with any common delimiter, as columns of text."""

from __future__ import annotations

import csv
import io
import itertools
import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from unigeoclip.errors import InputError, excerpt
from unigeoclip.uploads.tables.file_table import MAX_ROWS, FileTable, TableRequest, check_counts, unique_names
from unigeoclip.uploads.tables.formats import CSV

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["read_delimited"]

DELIMITERS = (",", ";", "\t", "|")
MAX_HEADER_CHARACTERS = 1_000_000
BLOCK_BYTES = 16 * 2**20  # read at once; a row must fit into it
_SHAPE_NAMES = ("wkt", "geometry", "geom", "the_geom", "shape")
_WKT = re.compile(r"\s*(SRID=\d+;)?\s*(MULTI)?(POINT|LINESTRING|POLYGON)[ ZM]*\(", re.IGNORECASE)
_LOOKED_AT = 4  # rows after the header that judge a delimiter


def read_delimited(data: bytes, request: TableRequest) -> FileTable:
    """Read a CSV whole; every value is text, and an empty one is missing.

    Raises:
        InputError: It is no CSV, has no header or no rows, or is too large.
    """
    data, notes = _as_utf8(data)
    delimiter, header, body = _header(data)
    check_counts(1, len(header))
    names, changed = unique_names(header)
    if all(_is_number(name) for name in names):
        raise InputError(
            f"The first line holds numbers ({excerpt(', '.join(names), 40)}) and not names of columns: add a header,"
            " such as lat,lon,value."
        )
    table = _columns(memoryview(data)[body:], delimiter, names, request)
    rows = table.num_rows
    check_counts(rows, len(names))
    if request.sample is not None and rows > request.sample:
        table = table.take([rows * each // request.sample for each in range(request.sample)])
    shapes = next((name for name in _shape_columns(names, request) if _holds_wkt(table.column(name))), None)
    notes = [*notes, *changed]
    if shapes is None:
        return FileTable(CSV, rows, table, notes=tuple(notes))
    latlon, kind, crs, said = _placed(table.column(shapes), request.crs)
    return FileTable(CSV, rows, table.drop_columns([shapes]), latlon, kind, crs, notes=(*notes, *said))


def _shape_columns(names: list[str], request: TableRequest) -> list[str]:
    """Columns that may hold geometries as text, and are not asked for as columns."""
    return [name for name in names if name.lower() in _SHAPE_NAMES and name not in (request.columns or ())]


def _holds_wkt(column: pa.ChunkedArray) -> bool:
    first = column.drop_null().slice(0, 1).to_pylist()
    return bool(first) and _WKT.match(first[0]) is not None


def _placed(column: pa.ChunkedArray, crs: str) -> tuple[NDArray[np.float64], str, str, list[str]]:
    import geopandas

    from unigeoclip.uploads.tables.geometries import positions

    texts = column.to_pandas().str.replace(r"^\s*SRID=\d+;", "", regex=True)
    return positions(geopandas.GeoSeries.from_wkt(texts, crs=crs or "EPSG:4326", on_invalid="ignore"))


def _as_utf8(data: bytes) -> tuple[bytes, list[str]]:
    """The text in UTF-8 without a byte order mark, and what was done about it."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16").encode(), ["The file was read as UTF-16."]
        except UnicodeDecodeError as error:
            raise InputError("The file looks like UTF-16 but is damaged: save it as CSV in UTF-8.") from error
    data = data.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in data:
        raise InputError("The file is no text: it holds zero bytes. Labels are read from CSV, Parquet, GeoJSON,"
                         " GeoPackage or a zipped shapefile.")  # fmt: skip
    try:
        data.decode()
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
        return text.encode(), ["The file is not UTF-8; it was read as Windows-1252 (Latin). Check names with accents."]
    return data, []


def _header(data: bytes) -> tuple[str, list[str], int]:
    """The delimiter, the names of the columns, and where the first row begins."""
    begin = 0
    while True:  # files that we export begin with comments
        end = data.find(b"\n", begin) + 1 or len(data)
        line = data[begin:end].strip()
        if end - begin > MAX_HEADER_CHARACTERS:
            raise InputError("The file is not a CSV file: its first line has more than a million characters.")
        if line and not (line.startswith(b"#") and begin < len(data)):
            break
        begin = end
        if begin >= len(data):
            raise InputError("The file is empty: it has no line with names of columns.")
    start = data[begin : begin + MAX_HEADER_CHARACTERS].decode(errors="ignore")
    best: tuple[int, int, str, list[str], int] | None = None
    for order, delimiter in enumerate(DELIMITERS):
        try:
            lines = list(itertools.islice(_counted(start, delimiter), _LOOKED_AT + 1))
        except csv.Error:
            continue
        width = len(lines[0][0])
        like = sum(len(row) == width for row, _ in lines) if width > 1 else 0
        if best is None or (like * width, -order) > best[:2]:
            best = (like * width, -order, delimiter, *lines[0])
    if best is None:
        raise InputError("The file is not a CSV file: its quotation marks do not match. Save it as CSV again.")
    *_, delimiter, names, length = best
    return delimiter, names, begin + len(start[:length].encode())


def _counted(text: str, delimiter: str) -> Iterator[tuple[list[str], int]]:
    """Rows of the beginning of a CSV, each with the number of characters up to its end."""
    done = 0

    def lines() -> Iterator[str]:
        nonlocal done
        for line in io.StringIO(text, newline=""):
            done += len(line)
            yield line

    for row in csv.reader(lines(), delimiter=delimiter):
        yield row, done


def _columns(body: memoryview, delimiter: str, names: list[str], request: TableRequest) -> pa.Table:
    import pyarrow.csv

    bad: list[str] = []

    def note(row: Any) -> str:
        if len(bad) < 1:
            where = "" if row.number is None else f"Row {row.number}: "
            bad.append(
                f"{where}{row.actual_columns} values, but the header names {row.expected_columns} columns"
                f" ({excerpt(row.text or '', 40)})"
            )
        return "error"

    also = _shape_columns(names, request)
    wanted = names if request.columns is None else [name for name in names if name in (*request.columns, *also)]
    parts, rows = [], 0
    try:
        reader = pyarrow.csv.open_csv(
            pa.BufferReader(pa.py_buffer(body)) if len(body) else pa.BufferReader(b""),
            pyarrow.csv.ReadOptions(use_threads=False, column_names=names, block_size=BLOCK_BYTES),
            pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=note),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), include_columns=wanted or names[:1],
                strings_can_be_null=True, quoted_strings_can_be_null=True, null_values=[""],
            ),
        )  # fmt: skip
        for batch in reader:
            rows += batch.num_rows
            check_counts(min(rows, MAX_ROWS + 1) or 1, len(names))
            parts.append(batch)
        schema = reader.schema
    except pa.ArrowInvalid as error:
        if bad:
            raise InputError(
                f"{bad[0]}. Correct it, or put quotation marks around values that hold the delimiter {delimiter!r}."
            ) from error
        if "empty" in str(error).lower():
            raise InputError("The file has a header but no rows.") from error
        raise InputError(f"The file is not a CSV file ({excerpt(error)}): save it as CSV again.") from error
    return pa.Table.from_batches(parts, schema)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
