"""Tables of points: CSV in, embeddings as parquet out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from unigeoclip.errors import InputError
from unigeoclip.files import atomic
from unigeoclip.geo import as_latlon

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from unigeoclip.embedders.base import Embedder

__all__ = ["EMBEDDING", "embed_csv", "read_points"]

EMBEDDING = "embedding"  # the column that embed_csv adds


def read_points(path: Path, lat: str, lon: str) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Read a CSV with a header and check the coordinates in it.

    Args:
        path: The file, UTF-8, comma-separated.
        lat: Column of the latitudes, degrees.
        lon: Column of the longitudes, degrees.

    Returns:
        The table as it is, and (n, 2) float64 degrees, longitudes wrapped to [-180, 180).

    Raises:
        InputError: The file cannot be read, a column is missing, or a row is no point; names file and row (row 1 is
            the first after the header).
    """
    try:
        table = pd.read_csv(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, pd.errors.EmptyDataError, pd.errors.ParserError) as error:
        raise InputError(f"{path} is not a CSV file in UTF-8: {error}.") from error
    for option, name in (("--lat", lat), ("--lon", lon)):
        if name not in table:
            columns = ", ".join(map(str, table.columns[:20]))
            raise InputError(f"{path} has no column {name!r}: name the right one with {option}; there are {columns}.")
    if table.empty:
        raise InputError(f"{path} has a header but no rows.")
    points = np.stack([_numbers(path, table, lat), _numbers(path, table, lon)], axis=1)
    outside = np.flatnonzero(np.abs(points[:, 0]) > 90)
    if len(outside):
        row = int(outside[0])
        raise InputError(
            f"{path}, row {row + 1}: latitude {points[row, 0]:g} lies outside [-90, 90]; are columns swapped?"
        )
    return table, as_latlon(points)


def _numbers(path: Path, table: pd.DataFrame, column: str) -> NDArray[np.float64]:
    numbers: NDArray[np.float64] = pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64)
    bad = np.flatnonzero(~np.isfinite(numbers))
    if len(bad):
        row = int(bad[0])
        found = "missing" if table[column].isna().iloc[row] else repr(str(table[column].iloc[row]))
        raise InputError(f"{path}, row {row + 1}: {column!r} is {found}, not a number of degrees.")
    return numbers


def embed_csv(embedder: Embedder, path: Path, lat: str, lon: str, out: Path) -> tuple[int, int]:
    """Add the embedding of every row of a CSV and write the table as parquet, whole or not at all.

    Args:
        embedder: Turns coordinates into vectors.
        path: The CSV.
        lat: Column of the latitudes, degrees.
        lon: Column of the longitudes, degrees.
        out: Parquet file: the columns of the CSV, then "embedding", a list of ``embedder.dim`` float32 numbers.

    Returns:
        Number of rows, and of dimensions.

    Raises:
        InputError: The CSV cannot be used (see ``read_points``) or has that column, or ``out`` cannot be written.
    """
    table, points = read_points(path, lat, lon)
    if EMBEDDING in table:
        raise InputError(f"{path} has a column {EMBEDDING!r} already: rename it, since that is what will be added.")
    vectors = embedder.embed(points)
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), embedder.dim)
    arrow = pa.Table.from_pandas(table, preserve_index=False).append_column(EMBEDDING, column)
    arrow = arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), b"embedder": embedder.name.encode()})
    with atomic(out) as temporary:
        pq.write_table(arrow, temporary)
    return len(vectors), embedder.dim
