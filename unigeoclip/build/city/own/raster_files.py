"""Which rasters people bring: files, folders and VRTs, with the license, credit and year of each.

A folder may hold ``sources.csv``, one row a raster: path (or a pattern such as ``2020/*.tif``), license, credit, year,
url. It is read beside a single file, too.
"""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from unigeoclip.errors import InputError, excerpt

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SOURCES", "RasterFile", "list_rasters"]

SOURCES = "sources.csv"
MOST_FILES = 50_000
MOST_TABLE_BYTES = 50_000_000
ENDINGS = (".tif", ".tiff", ".jp2")  # in a folder; a VRT in it would show the same pictures once more
_COLUMNS = ("path", "license", "credit", "year", "url")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?:(?!\d)|(?=[01]\d[0-3]\d(?!\d)))")  # 2020, or 20200424


@dataclass(frozen=True)
class RasterFile:
    """A raster that somebody brings.

    Attributes:
        path: The file.
        license: Such as "CC BY 4.0"; empty where it is not stated.
        credit: Whom to name; empty where it is not stated.
        year: When it was taken; None where nobody says.
        url: Where it comes from, or empty.
    """

    path: Path
    license: str = ""
    credit: str = ""
    year: int | None = None
    url: str = ""


def list_rasters(
    paths: Sequence[Path], what: str, year: int | None = None
) -> tuple[tuple[RasterFile, ...], tuple[str, ...]]:
    """List the rasters of files and folders, that which lies on top first.

    A later year lies over an earlier one and over none; in the same year what is given first lies on top: in the order
    of the paths, in a folder in that of the rows of ``sources.csv``, then of the names.

    Args:
        paths: Files, and folders with rasters in any depth.
        what: The option that names them, for messages.
        year: Only those of this year.

    Returns:
        The rasters, and notes on what was left out, in whole sentences.

    Raises:
        InputError: No raster, too many, a table that is none, or none of the year.
    """
    listed: dict[Path, RasterFile] = {}
    unlicensed: list[str] = []
    for path in paths:
        for each, licensed in _of(path, what):
            if not licensed:
                unlicensed.append(each.path.name)
            elif len(listed) >= MOST_FILES:
                raise InputError(f"{what}: there are more than {MOST_FILES:,} rasters. Make a mosaic: gdalbuildvrt")
            else:
                listed.setdefault(each.path.resolve(), each)
    notes = []
    if unlicensed:
        notes.append(
            f"{len(unlicensed):,} rasters of {what} are left out: {SOURCES} states no license for them ("
            f"{', '.join(unlicensed[:3])}{', ...' if len(unlicensed) > 3 else ''})."
        )
    found = sorted(listed.values(), key=lambda each: -(each.year or 0))  # stable: the first given stays on top
    if year is not None:
        found = _of_year(found, year, what)
    elif len(years := {each.year for each in found if each.year}) > 1:
        notes.append(
            f"{what} has rasters of {len(years)} years ({min(years)} to {max(years)}): where they overlap, the latest "
            "is on top."
        )
    if not found:
        raise InputError(f"{what}: no raster is left. {' '.join(notes)}")
    return tuple(found), tuple(notes)


def _of_year(found: list[RasterFile], year: int, what: str) -> list[RasterFile]:
    chosen = [each for each in found if each.year == year]
    if not chosen:
        counts = Counter(str(each.year or "no year") for each in found)
        said = ", ".join(f"{name} ({count:,})" for name, count in sorted(counts.items()))
        raise InputError(
            f"{what} has no raster of {year}, but of {said}. The year is that of {SOURCES}, or the first in the name."
        )
    return chosen


def _of(path: Path, what: str) -> list[tuple[RasterFile, bool]]:
    """The rasters of one path, and whether each may be shown."""
    folder = path if path.is_dir() else path.parent
    if path.is_file():
        files = [path]
    else:
        files = sorted(each for each in path.rglob("*") if each.suffix.lower() in ENDINGS and each.is_file())
        if not files:
            raise InputError(f"{what} {path} holds no raster ({', '.join(ENDINGS)}), nor do its sub-folders.")
    tables: dict[Path, _Table] = {}
    ranked = []
    for file in files:
        place, rank, row = _said_of(file, folder, tables)
        year = row.year if row.year is not None else _year_in(file.name)
        named = rank < len(tables[place].rows)
        licensed = bool(row.license) or not (named and tables[place].states_licenses)
        order = not named, place.relative_to(folder).as_posix(), rank
        ranked.append((order, RasterFile(file, row.license, row.credit, year, row.url), licensed))
    return [(made, licensed) for _, made, licensed in sorted(ranked, key=lambda each: each[0])]


def _said_of(file: Path, top: Path, tables: dict[Path, _Table]) -> tuple[Path, int, RasterFile]:
    """What the nearest table above a file says that names it; its folder, the number of the row, and the row.

    Args:
        file: In ``top`` or below.
        top: The folder above which no table counts.
        tables: Those read so far, by folder; filled.
    """
    folder = file.parent
    while True:
        if folder not in tables:
            tables[folder] = _Table.read(folder / SOURCES)
        rank, row = tables[folder].row_of(file.relative_to(folder).as_posix())
        if folder == top or rank < len(tables[folder].rows):
            return folder, rank, row
        folder = folder.parent


def _year_in(name: str) -> int | None:
    found = _YEAR.search(name)
    return int(found[1]) if found else None


@dataclass(frozen=True)
class _Table:
    """What ``sources.csv`` says.

    Attributes:
        rows: Path or pattern -> what is said of it, in the order of the rows.
        numbers: Path or pattern -> number of the row.
        states_licenses: Whether it has a column for licenses.
    """

    rows: dict[str, RasterFile]
    numbers: dict[str, int]
    states_licenses: bool

    def row_of(self, name: str) -> tuple[int, RasterFile]:
        """What is said of a file, by its path, else by the first pattern that fits; and the row's number."""
        if name not in self.rows:
            name = next((each for each in self.rows if fnmatch.fnmatchcase(name, each)), "")
        return self.numbers.get(name, len(self.rows)), self.rows.get(name, RasterFile(Path()))

    @classmethod
    def read(cls, file: Path) -> _Table:
        """Read a table; without one nothing is said."""
        if not file.is_file():
            return cls({}, {}, False)
        if file.stat().st_size > MOST_TABLE_BYTES:
            raise InputError(f"{file} is larger than {MOST_TABLE_BYTES / 1e6:,.0f} MB: no table of rasters.")
        try:
            table = pd.read_csv(file, dtype=str, keep_default_na=False, index_col=False)
        except (OSError, ValueError) as error:
            raise InputError(f"{file} cannot be read as a CSV table: {excerpt(error)}.") from error
        if "path" not in table:
            raise InputError(f"{file} needs a column 'path'; it has {excerpt(', '.join(map(str, table.columns)))}.")
        rows: dict[str, RasterFile] = {}
        texts = table.reindex(columns=list(_COLUMNS), fill_value="")
        for number, values in enumerate(texts.itertuples(index=False), start=2):  # the header is line 1
            name, license_, credit, said, url = (" ".join(str(value).split()) for value in values)
            if said and not (said.isdecimal() and len(said) == 4):
                raise InputError(f"{file}, line {number}: the year is {excerpt(said)!r}, not four digits such as 2020.")
            year = int(said) if said else None
            rows.setdefault(name.removeprefix("./"), RasterFile(file.parent / name, license_, credit, year, url))
        return cls(rows, {name: number for number, name in enumerate(rows)}, "license" in table)
