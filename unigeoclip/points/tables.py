"""What is written beside the columns of a table of points: vectors of an encoder, the nearest places of an atlas."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from unigeoclip.errors import InputError
from unigeoclip.geo import EARTH_RADIUS_M, unit_xyz

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    from unigeoclip.embedders import Embedder
    from unigeoclip.points.files import PointFile

__all__ = ["MAX_CSV_VALUES", "csv_of", "parquet_of", "with_nearest", "with_vectors"]

MAX_CSV_VALUES = 3_000_000  # numbers of vectors in a CSV, some 30 MB
MAX_VALUES = 60_000_000  # of vectors in memory, 240 MB: 100,000 points of 512 numbers fit
PROBLEM, EMBEDDING = "problem", "embedding"
_ROWS_AT_ONCE = 4_096
_SIGNIFICANT = 7  # digits of a float32


def with_vectors(
    points: PointFile, embedder: Embedder, progress: Callable[[float], None] = lambda _share: None
) -> pa.Table:
    """The table with a column "embedding" of an encoder of locations; null in rows without a position.

    Args:
        points: The table.
        embedder: Its vectors are float32 of norm 1.
        progress: Called with the share that is done, 0 to 1.

    Raises:
        InputError: The vectors have more than `MAX_VALUES` numbers.
    """
    rows = np.flatnonzero(points.usable)
    if len(rows) * embedder.dim > MAX_VALUES:
        raise InputError(
            f"{len(rows):,} vectors of {embedder.dim} numbers are more than the {MAX_VALUES:,} numbers that one visitor"
            f" gets: take {MAX_VALUES // embedder.dim:,} rows, or an encoder with shorter vectors."
        )
    vectors = np.empty((len(rows), embedder.dim), np.float32)
    for begin in range(0, len(rows), _ROWS_AT_ONCE):
        progress(begin / max(1, len(rows)))
        part = rows[begin : begin + _ROWS_AT_ONCE]
        vectors[begin : begin + len(part)] = embedder.embed(points.latlon[part])
    offsets = np.concatenate([[0], np.cumsum(points.usable) * embedder.dim]).astype(np.int32)
    column = pa.ListArray.from_arrays(
        pa.array(offsets), pa.array(vectors.ravel()), mask=pa.array(~points.usable) if len(rows) < len(points) else None
    )
    return _beside(points, {EMBEDDING: column})


def with_nearest(points: PointFile, places: pd.DataFrame) -> pa.Table:
    """The table with the nearest place of an atlas: its id and name, and how far it is in kilometers.

    Args:
        points: The table.
        places: Columns place_id, name, lat, lon.
    """
    from scipy.spatial import KDTree

    rows = np.flatnonzero(points.usable)
    tree = KDTree(unit_xyz(places[["lat", "lon"]].to_numpy(np.float64)))
    chords, found = tree.query(unit_xyz(points.latlon[rows]), k=1)
    kilometers = np.full(len(points), np.nan)
    kilometers[rows] = 2 * EARTH_RADIUS_M / 1000 * np.arcsin(np.clip(chords / 2, 0, 1))
    texts = {}
    for name in ("place_id", "name"):
        column = np.full(len(points), None, dtype=object)
        column[rows] = places[name].to_numpy(object)[found]
        texts[f"nearest_{name}"] = pa.array(column, pa.string())
    return _beside(points, {**texts, "nearest_km": pa.array(np.round(kilometers, 4), from_pandas=True)})


def _beside(points: PointFile, added: dict[str, Any]) -> pa.Table:
    """The columns of the file, the position that was read, what is wrong with a row, and more; each name once."""
    lat, lon = (pa.array(axis, from_pandas=True) for axis in points.latlon.T)
    problems = pa.array([text or None for text in points.problems], pa.string())
    table = points.columns
    for name, column in {"latitude_read": lat, "longitude_read": lon, PROBLEM: problems, **added}.items():
        free = name
        while free in table.column_names:
            free += "_"
        table = table.append_column(free, column)
    return table


def parquet_of(table: pa.Table) -> bytes:
    """A table as Parquet."""
    import pyarrow.parquet

    file = io.BytesIO()
    pyarrow.parquet.write_table(table, file, compression="zstd")
    return file.getvalue()


def csv_of(table: pa.Table) -> bytes:
    """A table as CSV in UTF-8; a vector takes a column for each of its numbers: embedding_0, embedding_1, ...

    Raises:
        InputError: Its vectors have more than `MAX_CSV_VALUES` numbers.
    """
    lists = [name for name, kind in zip(table.column_names, table.schema.types, strict=True) if pa.types.is_list(kind)]
    frame = table.drop_columns(lists).to_pandas()
    for name in lists:
        column = table.column(name).combine_chunks()
        lengths = column.value_lengths().drop_null()
        dim = int(lengths[0].as_py()) if len(lengths) else 0
        if dim * len(table) > MAX_CSV_VALUES:
            raise InputError(
                f"{len(table):,} vectors of {dim} numbers are too many for a CSV: download them as Parquet."
            )
        numbers: NDArray[np.float32] = np.full((len(table), dim), np.nan, np.float32)
        numbers[column.is_valid().to_numpy(zero_copy_only=False)] = column.flatten().to_numpy().reshape(-1, dim)
        for each in range(dim):
            frame[f"{name}_{each}"] = numbers[:, each]
        frame = frame.copy()  # pandas is slow with columns that were added one by one
    text: str = frame.to_csv(index=False, float_format=f"%.{_SIGNIFICANT + 3}g")
    return text.encode()
