"""CSV tables, those of points above all: every row checked, the kind of every column found, then read part by part."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import itertools
import lzma
import stat
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from unigeoclip.errors import InputError
from unigeoclip.files.atomic import reason
from unigeoclip.geo import as_latlon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["MAX_BYTES", "MAX_ROWS", "PARQUET_START", "PART_ROWS", "CsvTable", "PointTable"]

MAX_ROWS = 10_000_000
MAX_BYTES = 2_000_000_000  # of the table, unpacked
MAX_COLUMNS = 5_000
MAX_LINE_CHARACTERS = 1_000_000  # without a limit, a file of one endless line would be read into memory
# A part is embedded and written at once: 32,768 rows of 512 dimensions are 67 MB. Wide tables have shorter parts.
PART_ROWS, PART_CELLS, PART_CHARACTERS = 32_768, 1_000_000, 16_000_000
DELIMITERS = (",", ";", "\t")
PARQUET_START = b"PAR1"  # how a parquet file begins

# By how a file begins.
_OPENERS: dict[bytes, tuple[str, Callable[[IO[bytes]], io.BufferedIOBase]]] = {
    b"\x1f\x8b": ("gzip", lambda file: gzip.GzipFile(fileobj=file)),
    b"BZh": ("bzip2", bz2.BZ2File),
    b"\xfd7zXZ\x00": ("xz", lzma.LZMAFile),
}
_OTHERS = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook: unpack it, or save the sheet as CSV",
    b"\x28\xb5\x2f\xfd": "compressed with Zstandard: unpack it with 'unzstd', or use gzip",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive: unpack it",
    PARQUET_START: "a parquet file: save it as CSV",
    b"\xff\xfe": "UTF-16: save it as UTF-8",
    b"\xfe\xff": "UTF-16: save it as UTF-8",
}
_UNPACKING = (OSError, EOFError, zlib.error, lzma.LZMAError)

_MISSING = pa.array(["", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "null", "NULL", "None"])
_TRUE, _FALSE = (pa.array([word.upper(), word.title(), word]) for word in ("true", "false"))
_DECIMAL = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
_NUMBER = r"^\s*[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[iI]nf(inity)?)\s*$"
_WHOLE = r"^\s*[+-]?\d{1,18}\s*$"  # surely within 64 bits
_MANY_DIGITS = r"^\s*[+-]?\d{16,}\s*$"  # more than a float holds
_PADDED = r"^\s*[+-]?0\d"  # a post code, not a number
_COMMA = r"^\s*[+-]?\d+,\d+\s*$"


@dataclass
class _Column:
    """What all values of a column so far have in common."""

    seen: bool = False
    whole: bool = True
    number: bool = True
    boolean: bool = True
    many_digits: bool = False

    def look(self, values: pa.StringArray) -> None:
        """Take more values into account."""
        present = values.filter(pc.invert(pc.is_in(values, value_set=_MISSING)))
        if not len(present):
            return
        self.seen = True
        self.boolean = self.boolean and _all(pc.is_in(present, value_set=pa.concat_arrays([_TRUE, _FALSE])))
        if self.number:
            self.number = _all(pc.match_substring_regex(present, _NUMBER))
            self.number = self.number and not _any(pc.match_substring_regex(present, _PADDED))
        if self.number:
            self.whole = self.whole and _all(pc.match_substring_regex(present, _WHOLE))
            self.many_digits = self.many_digits or _any(pc.match_substring_regex(present, _MANY_DIGITS))

    @property
    def kind(self) -> pa.DataType:
        """The narrowest type that loses nothing of any value."""
        if self.seen and self.boolean:
            return pa.bool_()
        if self.seen and self.number and self.whole:
            return pa.int64()
        if self.seen and self.number and not self.many_digits:
            return pa.float64()
        return pa.string()


def _converted(values: pa.StringArray, kind: pa.DataType) -> pa.Array:
    """Values as that type; what is missing is null. Of text only empty values are: NA may be a name."""
    missing = pc.equal(values, "") if pa.types.is_string(kind) else pc.is_in(values, value_set=_MISSING)
    known = pc.if_else(missing, None, values)
    if pa.types.is_boolean(kind):
        return pc.if_else(missing, None, pc.is_in(values, value_set=_TRUE))
    if pa.types.is_string(kind):
        return known
    read = int if pa.types.is_integer(kind) else float
    return pa.array([None if value is None else read(value) for value in known.to_pylist()], kind)


def _all(mask: pa.BooleanArray) -> bool:
    return bool(pc.all(mask).as_py())


def _any(mask: pa.BooleanArray) -> bool:
    return bool(pc.any(mask).as_py())


@dataclass
class CsvTable:
    """A CSV that is read twice: to check every row and find the kinds of the columns, then part by part.

    Attributes:
        path: The file.
        wanted: Option that names a column -> the column, which must be there once.
        names: Names of all columns, each once.
        columns: What the values of each have in common.
        rows: How many there are.
        before: How many come before the part that is looked at.
    """

    path: Path
    wanted: dict[str, str]
    names: list[str] = field(default_factory=list)
    columns: list[_Column] = field(default_factory=list)
    rows: int = 0
    before: int = 0

    def check(self, part: list[pa.StringArray]) -> None:
        """Refuse rows, which come after ``before`` others, that cannot be used."""

    def schema(self) -> pa.Schema:
        """Names and types of the columns."""
        return pa.schema([(name, column.kind) for name, column in zip(self.names, self.columns, strict=True)])

    def read_once(self) -> None:
        """Read the table whole.

        Raises:
            InputError: See `embedding_tables.read_points`.
        """
        for names, part in self._values():
            self.names = names
            self.columns = self.columns or [_Column() for _ in names]
            for column, values in zip(self.columns, part, strict=True):
                column.look(values)
            self.check(part)
            self.before += len(part[0])
        self.rows = self.before
        if not self.rows:
            raise InputError(f"{self.path} has a header but no rows.")

    def read_again(self) -> Iterator[tuple[pa.Table, list[pa.StringArray]]]:
        """The table in parts, and the values of each as they are written in the file.

        Raises:
            InputError: The file is another one than was read before.
        """
        schema, self.before = self.schema(), 0
        for names, part in self._values():
            if names != self.names:
                raise InputError(f"{self.path} was changed while it was read. Run the command again.")
            try:
                columns = [_converted(values, kind) for values, kind in zip(part, schema.types, strict=True)]
            except ValueError as error:
                raise InputError(f"{self.path} was changed while it was read. Run the command again.") from error
            yield pa.table(columns, schema=schema), part
            self.before += len(part[0])
        if self.before != self.rows:
            raise InputError(f"{self.path} was changed while it was read. Run the command again.")

    def _values(self) -> Iterator[tuple[list[str], list[pa.StringArray]]]:
        """The names of the columns and the values of some rows, part by part."""
        wanted = tuple(self.wanted.values())
        with _lines(self.path) as lines:
            head = _head(self.path, lines, wanted)
            delimiter = _delimiter(head, wanted)
            rows = csv.reader(itertools.chain(head, lines), delimiter=delimiter, strict=True)
            try:
                names = self._header(next(rows))
                for part in _columns(self.path, rows, len(names)):
                    yield names, part
            except csv.Error as error:
                raise InputError(f"{self.path} is not a CSV file: {error} in line {rows.line_num}.") from error

    def _header(self, names: list[str]) -> list[str]:
        """Names of the columns, each once; what pandas calls columns without a name, and of one name."""
        if len(names) > MAX_COLUMNS:
            raise InputError(f"{self.path} has {len(names):,} columns, at most {MAX_COLUMNS:,} are read.")
        for option, name in self.wanted.items():
            if name not in names or not name:
                columns = ", ".join(names[:20])
                raise InputError(
                    f"{self.path} has no column {name!r}: name the right one with {option}; there are {columns}."
                )
            if names.count(name) > 1:
                raise InputError(f"{self.path} has {names.count(name)} columns {name!r}: rename all but one.")
        unique: list[str] = []
        taken = set(names)
        for number, name in enumerate(names):
            plain = name or f"Unnamed: {number}"
            spare = (f"{plain}.{count}" for count in itertools.count(1))
            unique.append(plain if plain not in unique else next(other for other in spare if other not in taken))
            taken.add(unique[-1])
        return unique


@dataclass
class PointTable(CsvTable):
    """A CSV of points whose every row has been checked."""

    @classmethod
    def checked(cls, path: Path, lat: str, lon: str) -> PointTable:
        """Read a table once, whole.

        Raises:
            InputError: See `embedding_tables.read_points`.
        """
        if lat == lon:
            raise InputError(f"Both --lat and --lon name the column {lat!r}; latitudes and longitudes are two columns.")
        table = cls(path, {"--lat": lat, "--lon": lon})
        table.read_once()
        return table

    def check(self, part: list[pa.StringArray]) -> None:
        """See `CsvTable.check`."""
        self._points(part)

    def parts(self) -> Iterator[tuple[pa.Table, NDArray[np.float64]]]:
        """The table in parts, with the points of each, (n, 2) degrees.

        Raises:
            InputError: The file is another one than was checked.
        """
        for table, part in self.read_again():
            yield table, self._points(part)

    def _points(self, part: list[pa.StringArray]) -> NDArray[np.float64]:
        """The points of a part, after ``before`` rows."""
        columns = [self._degrees(part[self.names.index(name)], name) for name in self.wanted.values()]
        points = np.stack(columns, axis=1)
        outside = np.flatnonzero(np.abs(points[:, 0]) > 90)
        if len(outside):
            row = int(outside[0])
            raise InputError(
                f"{self.path}, row {self.before + row + 1}: latitude {points[row, 0]:g} lies outside [-90, 90]; are "
                "columns swapped?"
            )
        return as_latlon(points)

    def _degrees(self, values: pa.StringArray, name: str) -> NDArray[np.float64]:
        known = np.asarray(pc.match_substring_regex(values, _DECIMAL))
        numbers = np.full(len(values), np.nan)
        numbers[known] = [float(value) for value in values.filter(pa.array(known)).to_pylist()]
        bad = np.flatnonzero(~np.isfinite(numbers))
        if len(bad):
            row = int(bad[0])
            value = values[row].as_py()
            where = f"{self.path}, row {self.before + row + 1}: {name!r} is"
            if not value.strip():
                raise InputError(f"{where} missing, not a number of degrees.")
            hint = (
                "; write a decimal point, not a comma"
                if _any(pc.match_substring_regex(values[row:][:1], _COMMA))
                else ""
            )
            raise InputError(f"{where} {value[:60]!r}, not a number of degrees{hint}.")
        return numbers


def _columns(path: Path, rows: Iterator[list[str]], width: int) -> Iterator[list[pa.StringArray]]:
    """Rows, turned into columns part by part."""
    count, part, characters = 0, [], 0
    for row in rows:
        if not row:  # an empty line
            continue
        count += 1
        if len(row) != width:
            raise InputError(
                f"{path}, row {count}: {len(row)} values, but the header names {width} columns. Correct the row, or "
                "put quotation marks around values with a comma in them."
            )
        if count > MAX_ROWS:
            raise InputError(f"{path} has more than {MAX_ROWS:,} rows. Split it into several files.")
        part.append(row)
        characters += sum(map(len, row))
        if len(part) >= PART_ROWS or len(part) * width >= PART_CELLS or characters >= PART_CHARACTERS:
            yield _turned(part)
            part, characters = [], 0
    if part:
        yield _turned(part)


def _turned(rows: list[list[str]]) -> list[pa.StringArray]:
    return [pa.array(values, pa.string()) for values in zip(*rows, strict=True)]


# The text of a file


def _head(path: Path, lines: Iterator[str], wanted: tuple[str, ...]) -> list[str]:
    """The first line that is neither empty nor a comment: the header. Files that we export begin with comments."""
    for line in lines:
        if line.startswith("#") and not _named(line, wanted):
            continue
        if line.strip():
            return [line]
    raise InputError(f"{path} is not a CSV file: it is empty.")


def _delimiter(head: list[str], wanted: tuple[str, ...]) -> str:
    """The one that gives a header with the columns that are wanted; a comma if none does."""
    return _named(head[0], wanted) or DELIMITERS[0]


def _named(line: str, wanted: tuple[str, ...]) -> str | None:
    """The delimiter with which a line is a header with the columns that are wanted; None if it is none."""
    for delimiter in DELIMITERS:
        try:
            names = next(csv.reader([line], delimiter=delimiter))
        except (csv.Error, StopIteration):
            continue
        if set(wanted) <= set(names):
            return delimiter
    return None


@contextmanager
def _lines(path: Path) -> Iterator[Iterator[str]]:
    """The lines of a file with their ends, unpacked, never more than the limits.

    Raises:
        InputError: It cannot be read, is no text in UTF-8, or is too large.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # before opening: a pipe would wait, a device never ends
            raise InputError(f"{path} cannot be read: it is no regular file. Give the path of a CSV file.")
        if status.st_size > MAX_BYTES:
            raise InputError(
                f"{path} has {status.st_size / 1e9:.1f} GB, at most {MAX_BYTES / 1e9:.0f} are read. Split it."
            )
        file = path.open("rb")
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {reason(error)}.") from error
    packed = ""
    with file:
        try:
            packed, content = _unpacked(path, file)
            with io.TextIOWrapper(content, encoding="utf-8-sig", newline="") as text:  # type: ignore[type-var]
                yield _bounded(path, text)
        except UnicodeDecodeError as error:
            raise InputError(f"{path} is not a CSV file in UTF-8: {error}. Save it as UTF-8.") from error
        except _UNPACKING as error:
            kind = f"a {packed} file that is damaged" if packed else "unreadable"
            raise InputError(f"{path} is {kind}: {reason(error)}. Get or pack it again.") from error


def _unpacked(path: Path, file: io.BufferedReader) -> tuple[str, io.BufferedIOBase]:
    """How a file is packed, "" for not at all, and its content; told by how it begins, whatever its name."""
    start = _start(file)
    for sign, (kind, opened) in _OPENERS.items():
        if start.startswith(sign):
            content = opened(file)
            _check_start(path, _start(content), kind)
            return kind, content
    _check_start(path, start, "")
    return "", file


def _start(file: io.BufferedIOBase) -> bytes:
    start = file.read(8)
    file.seek(0)
    return start


def _check_start(path: Path, start: bytes, packed: str) -> None:
    for sign, what in _OTHERS.items():
        if start.startswith(sign):
            raise InputError(f"{path} is not a CSV file but {what}.")
    if packed and any(start.startswith(sign) for sign in _OPENERS):
        raise InputError(f"{path} is packed twice: unpack it once.")


def _bounded(path: Path, text: IO[str]) -> Iterator[str]:
    total = 0
    while line := text.readline(MAX_LINE_CHARACTERS):
        if len(line) == MAX_LINE_CHARACTERS and line[-1] not in "\r\n":
            raise InputError(
                f"{path} is not a CSV file: it has a line of more than {MAX_LINE_CHARACTERS:,} characters."
            )
        total += len(line)
        if total > MAX_BYTES:
            raise InputError(f"{path} unfolds to more than {MAX_BYTES / 1e9:.0f} GB. Split it into several files.")
        yield line
