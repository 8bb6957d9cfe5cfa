"""A table as it was in a file, whatever the format, its limits, and how it travels between processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["MAX_COLUMNS", "MAX_ROWS", "MAX_TABLE_BYTES", "FileTable", "TableRequest", "check_counts", "unique_names"]

MAX_ROWS = 200_000
MAX_COLUMNS = 5_000
MAX_TABLE_BYTES = 100 * 2**20  # of a file; what it unpacks to is limited by MAX_UNPACKED_BYTES
MAX_UNPACKED_BYTES = 400 * 2**20
MAX_ANSWER_BYTES = 400 * 2**20
MAX_NAME_CHARACTERS = 200  # of a column
MAX_LAYERS = 200
_POSITION = ("\0lat", "\0lon")  # columns of the positions on their way; no column of a file has a NUL in its name
_TYPES = (pa.float64(), pa.bool_(), pa.string(), pa.timestamp("us"))


@dataclass(frozen=True)
class TableRequest:
    """What of a file is wanted.

    Attributes:
        columns: Names of the columns; None for all that hold numbers, text, dates or true and false.
        layer: Of a file with several layers; None for the only one, or the only one with the wanted columns.
        sample: At most so many rows, evenly spread over the file; None for all.
        crs: Coordinate reference system of the geometries, in place of what the file says; empty for that.
    """

    columns: tuple[str, ...] | None = None
    layer: str | None = None
    sample: int | None = None
    crs: str = ""

    def as_json(self) -> dict[str, Any]:
        """As the process that decodes gets it."""
        columns = None if self.columns is None else list(self.columns)
        return {"columns": columns, "layer": self.layer, "sample": self.sample, "crs": self.crs}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> TableRequest:
        """The inverse of `as_json`."""
        columns = None if value["columns"] is None else tuple(value["columns"])
        return cls(columns, value["layer"], value["sample"], value["crs"])


@dataclass(frozen=True, eq=False)
class FileTable:
    """A table of a file.

    Attributes:
        format: "CSV", "Parquet", "GeoJSON", "GeoPackage" or "shapefile".
        rows: How many the file has; more than ``columns`` has if only a sample was wanted.
        columns: Names, each once, and values: float64, bool, string or timestamp (microseconds); null where missing.
        latlon: (n, 2) float64 degrees of the geometries, NaN where there is none; None if the file has no geometries.
            Polygons are at their centroids, lines at their midpoints.
        geometry: What the geometries are: "points", "polygons", "lines", "mixed"; empty for none.
        crs: Name of the coordinate reference system that they were in; empty for none.
        layer: Name of the layer; empty for formats without layers.
        layers: Names of all layers.
        left_out: Columns of types that hold no target, such as lists.
        notes: What was changed on the way, in sentences.
    """

    format: str
    rows: int
    columns: pa.Table
    latlon: NDArray[np.float64] | None = None
    geometry: str = ""
    crs: str = ""
    layer: str = ""
    layers: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def packed(self) -> tuple[dict[str, Any], bytes]:
        """As a message between processes: what is small as JSON, the columns as a stream of Arrow."""
        table = self.columns.combine_chunks()
        if self.latlon is not None:
            for name, values in zip(_POSITION, self.latlon.T, strict=True):
                table = table.append_column(name, pa.array(np.ascontiguousarray(values)))
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        message = {
            "format": self.format, "rows": self.rows, "placed": self.latlon is not None, "n": table.num_rows,
            "geometry": self.geometry, "crs": self.crs, "layer": self.layer, "layers": list(self.layers[:MAX_LAYERS]),
            "left_out": list(self.left_out[:20]), "notes": list(self.notes),
        }  # fmt: skip
        return message, sink.getvalue().to_pybytes()

    @classmethod
    def unpacked(cls, message: dict[str, Any], content: bytes) -> FileTable:
        """The inverse of `packed`, which trusts nothing of what it is given.

        Raises:
            ValueError: It is no such message.
        """
        table = pa.ipc.open_stream(content).read_all()
        table.validate(full=True)
        if table.num_rows > MAX_ROWS or not set(table.schema.types) <= set(_TYPES):
            raise ValueError("the table is not of the form that was agreed upon")
        latlon = None
        if message["placed"]:
            latlon = np.stack([table.column(name).to_numpy().astype(np.float64) for name in _POSITION], axis=1)
            table = table.drop_columns(list(_POSITION))
        texts = {key: str(message[key]) for key in ("format", "geometry", "crs", "layer")}
        lists = {key: tuple(str(each) for each in message[key]) for key in ("layers", "left_out", "notes")}
        return cls(rows=int(message["rows"]), columns=table, latlon=latlon, **texts, **lists)  # type: ignore[arg-type]


def check_counts(rows: int, columns: int) -> None:
    """Refuse tables that are empty or too large.

    Raises:
        InputError: Says which.
    """
    if columns > MAX_COLUMNS:
        raise InputError(
            f"The file has {columns:,} columns, at most {MAX_COLUMNS:,} are read: keep the position, the target and a"
            " column of folds."
        )
    if rows == 0:
        raise InputError("The file has columns but no rows.")
    if rows > MAX_ROWS:
        raise InputError(
            f"The file has more than the {MAX_ROWS:,} rows that are read at most: take a random sample of them."
        )


def unique_names(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names of columns, each once and none empty, and notes on those that were changed.

    Raises:
        InputError: A name is longer than any name of a column.
    """
    found: dict[str, None] = {}
    twice: list[str] = []
    taken = set(names)
    for number, name in enumerate(names, start=1):
        plain = name.replace("\0", "").strip() or f"column {number}"
        if len(plain) > MAX_NAME_CHARACTERS:
            raise InputError(
                f"Column {number} has a name of {len(plain):,} characters, at most {MAX_NAME_CHARACTERS} are read: is"
                " the first line a header?"
            )
        free, count = plain, 1
        while free in found or (free != plain and free in taken):
            count += 1
            free = f"{plain} ({count})"
        if count > 1:
            twice.append(plain)
        found[free] = None
    again = dict.fromkeys(twice)
    notes = [f"Several columns are called {name!r}; all but the first got a number." for name in list(again)[:5]]
    return list(found), notes
