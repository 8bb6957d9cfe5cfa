"""Reading a table of points: every row is kept, and one without a usable position says why."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.errors import InputError, excerpt
from unigeoclip.tasks.columns import describe, guess_positions
from unigeoclip.tasks.label_positions import positions_of_columns, positions_of_geometries
from unigeoclip.uploads.tables import read_table

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from unigeoclip.geo import Bounds

__all__ = ["MAX_POINTS", "PointFile", "read_point_file"]

MAX_POINTS = 100_000
_SAMPLE_ROWS = 2_000  # that tell what a column holds
_LEFT_OUT = "Left out:"  # how notes on rows begin that a table of labels would leave out


@dataclass(frozen=True, eq=False)
class PointFile:
    """A table of points.

    Attributes:
        name: Of the file.
        columns: As they were in the file.
        latlon: (n, 2) degrees; NaN in rows without a usable position.
        problems: (n,) why a row has no position; empty where it has one.
        notes: What was changed on the way, in sentences.
        position: Columns of the position; empty for geometries.
    """

    name: str
    columns: pa.Table
    latlon: NDArray[np.float64]
    problems: NDArray[np.object_]
    notes: tuple[str, ...] = ()
    position: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.latlon)

    @property
    def usable(self) -> NDArray[np.bool_]:
        """(n,) rows with a position."""
        lat, lon = self.latlon.T
        usable: NDArray[np.bool_] = np.isfinite(lat) & np.isfinite(lon)
        return usable

    def outside(self, bounds: Bounds) -> NDArray[np.bool_]:
        """(n,) rows with a position that is not within bounds (south, west, north, east)."""
        south, west, north, east = bounds
        lat, lon = self.latlon.T
        with np.errstate(invalid="ignore"):
            inside = (lat >= south) & (lat <= north) & ((lon - west) % 360 <= east - west)
        outside: NDArray[np.bool_] = self.usable & ~inside
        return outside


def read_point_file(data: bytes, filename: str, *, lat: str = "", lon: str = "") -> PointFile:
    """Read a table of points that anybody may have sent.

    Args:
        data: CSV, Parquet, GeoJSON, GeoPackage or a zipped shapefile, see `uploads.tables.read_table`.
        filename: Its name.
        lat: Column of the latitudes; guessed by default, or geometries are taken.
        lon: Column of the longitudes.

    Raises:
        InputError: It cannot be read, has more than `MAX_POINTS` rows, or no columns or geometries that are positions.
    """
    name = excerpt(Path(filename).name or "points", 80)
    table = read_table(data)
    if table.rows > MAX_POINTS:
        raise InputError(
            f"{name} has {table.rows:,} rows; at most {MAX_POINTS:,} points are read. Take a random sample of them."
        )
    notes = list(table.notes)
    if table.left_out:
        notes.append(f"Columns of lists, objects or bytes were left out: {excerpt(', '.join(table.left_out), 80)}.")
    if table.latlon is not None and not lat:
        latlon, said = positions_of_geometries(table.latlon)
        problems = np.where(np.isfinite(latlon).all(axis=1), "", "no geometry with a position on Earth").astype(object)
        return PointFile(name, table.columns, latlon, problems, _kept(notes, said))
    names = table.columns.column_names
    sample = table.columns.slice(0, _SAMPLE_ROWS)
    guessed = guess_positions([describe(each, sample.column(each)) for each in names])
    lat, lon = lat or guessed[0] or "", lon or guessed[1] or ""
    if lat not in names or lon not in names or lat == lon:
        listed = excerpt(", ".join(names), 200)
        raise InputError(
            f"{name}: no columns of latitude and longitude were recognized. Name them lat and lon; the columns are"
            f" {listed}."
        )
    columns = [table.columns.column(each).combine_chunks() for each in (lat, lon)]
    latlon, said = positions_of_columns(columns[0], columns[1], lat, lon)
    problems = np.full(len(latlon), "", dtype=object)
    for row in np.flatnonzero(~np.isfinite(latlon).all(axis=1)).tolist():
        north, east = (column[row].as_py() for column in columns)
        problems[row] = _problem(north, east)
    return PointFile(name, table.columns, latlon, problems, _kept(notes, said), (lat, lon))


def _problem(lat: object, lon: object) -> str:
    if lat is None or lon is None:
        return "no latitude" if lon is not None else "no longitude" if lat is not None else "no position"
    return f"'{excerpt(str(lat), 30)}', '{excerpt(str(lon), 30)}' is no latitude and longitude"


def _kept(notes: list[str], said: list[str]) -> tuple[str, ...]:
    """Notes without those on rows, which say themselves what is wrong with them."""
    return (*notes, *(note for note in said if not note.startswith(_LEFT_OUT)))
