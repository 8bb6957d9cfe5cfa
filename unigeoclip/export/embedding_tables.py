"""Tables of points: CSV in, embeddings as parquet out, part by part, so that a long table needs no more memory.

A table is read twice. The first time everything is checked and the kind of every column is found, over all rows; the
second time it is embedded and written. Nothing is written of a table that is refused.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from unigeoclip.embedders.base import PartialEmbedder
from unigeoclip.errors import InputError
from unigeoclip.export.point_tables import PARQUET_START, PointTable
from unigeoclip.files.atomic import atomic, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from unigeoclip.atlas.provenance import Provenance
    from unigeoclip.embedders.base import Embedder

__all__ = ["EMBEDDING", "EmbeddedTable", "check_out", "check_spare", "embed_csv", "metadata_of", "read_points"]

EMBEDDING = "embedding"  # the column that embed_csv adds


class EmbeddedTable(NamedTuple):
    """What `embed_csv` has written.

    Attributes:
        rows: Rows of the table.
        dim: Numbers of a vector.
        empty: Rows without a vector.
    """

    rows: int
    dim: int
    empty: int


def read_points(path: Path, lat: str, lon: str) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Read a CSV with a header and check the coordinates in it.

    Args:
        path: The file, UTF-8, with commas, semicolons or tabs between the values; plain, or packed with gzip, bzip2 or
            xz. At most `MAX_ROWS` rows and `MAX_BYTES` bytes.
        lat: Column of the latitudes, degrees.
        lon: Column of the longitudes, degrees.

    Returns:
        The table as it is, and (n, 2) float64 degrees, longitudes wrapped to [-180, 180).

    Raises:
        InputError: The file cannot be read, a column is missing, a row has more or fewer values than the header, or is
            no point; names file and row (row 1 is the first after the header; empty lines do not count).
    """
    table = PointTable.checked(path, lat, lon)
    parts = list(table.parts())
    points = np.concatenate([points for _, points in parts])
    return pa.concat_tables([part for part, _ in parts]).to_pandas(), points


def check_out(path: Path, out: Path) -> None:
    """Check that embeddings of the table ``path`` can be written to ``out`` without loss of something else.

    Raises:
        InputError: ``out`` does not end in .parquet, is the table itself (by whatever name), is there and is no
            parquet file, or its folder does not exist.
    """
    if out.suffix.lower() != ".parquet":
        raise InputError(f"{out}: embeddings are written as parquet; give --out a name that ends in .parquet.")
    try:
        mode = out.stat().st_mode
        if out.samefile(path):
            raise InputError(f"--out {out} is the table itself, and would overwrite it. Give another --out.")
        if not stat.S_ISREG(mode):
            raise InputError(f"{out} is no regular file and cannot be written. Give another --out.")
        with out.open("rb") as file:
            start = file.read(len(PARQUET_START))
    except FileNotFoundError:
        start = b""
    except (OSError, ValueError) as error:
        raise InputError(f"{out} cannot be written: {reason(error)}. Give another --out.") from error
    if start not in (b"", PARQUET_START):
        raise InputError(f"{out} is there and is no parquet file: move it away, or give another --out.")
    if not out.parent.is_dir():
        raise InputError(f"{out} cannot be written: the folder {out.parent} does not exist. Make it, or give another.")


def embed_csv(
    embedder: Embedder,
    path: Path,
    lat: str,
    lon: str,
    out: Path,
    *,
    progress: Callable[[str, float], None] | None = None,
    provenance: Provenance | None = None,
) -> EmbeddedTable:
    """Add the embedding of every row of a CSV and write the table as parquet, whole or not at all.

    Args:
        embedder: Turns coordinates into vectors.
        path: The CSV, see `read_points`.
        lat: Column of the latitudes, degrees.
        lon: Column of the longitudes, degrees.
        out: Parquet file: the columns of the CSV, then "embedding", a list of ``embedder.dim`` float32 numbers. A
            column is whole numbers, numbers, true and false, or else text, whichever all its rows are. A row for which
            a `PartialEmbedder` has no vector has null.
        progress: Called with what is being done, and the share of it that is done.
        provenance: Kept in the file's metadata under "provenance", as JSON.

    Raises:
        InputError: The CSV cannot be used (see ``read_points``) or has that column, or ``out`` cannot be written (see
            `check_out`).
    """
    check_out(path, out)
    table = PointTable.checked(path, lat, lon)
    check_spare(path, table.names)
    vector = pa.field(EMBEDDING, pa.list_(pa.float32(), embedder.dim), nullable=isinstance(embedder, PartialEmbedder))
    schema = table.schema().append(vector).with_metadata(metadata_of(embedder, provenance))
    done = empty = 0
    with atomic(out) as temporary, pq.ParquetWriter(temporary, schema) as writer:
        for part, points in table.parts():
            vectors = embedder.embed(points)
            missing = np.isnan(vectors).any(axis=1)
            mask = pa.array(missing) if missing.any() else None
            column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), embedder.dim, mask=mask)
            empty += int(missing.sum())
            writer.write_table(part.append_column(vector, column).cast(schema))
            done += len(points)
            if progress is not None:
                progress("Embedding", done / table.rows)
    return EmbeddedTable(done, embedder.dim, empty)


def check_spare(path: Path, names: Sequence[str]) -> None:
    """Check that a table has no column of the name of the one that is added.

    Raises:
        InputError: It has.
    """
    if EMBEDDING in names:
        raise InputError(f"{path} has a column {EMBEDDING!r} already: rename it, since that is what will be added.")


def metadata_of(embedder: Embedder, provenance: Provenance | None) -> dict[bytes, bytes]:
    """What a parquet file of embeddings says of itself."""
    metadata = {b"embedder": embedder.name.encode()}
    return metadata if provenance is None else metadata | {b"provenance": provenance.json().encode()}
