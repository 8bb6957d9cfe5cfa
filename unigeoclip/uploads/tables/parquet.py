"""Parquet and GeoParquet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from unigeoclip.errors import InputError, excerpt
from unigeoclip.uploads.tables.file_table import (
    MAX_UNPACKED_BYTES,
    FileTable,
    TableRequest,
    check_counts,
    unique_names,
)
from unigeoclip.uploads.tables.formats import PARQUET

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["read_parquet", "usable"]

MAX_FOOTER_BYTES = 20_000_000
WKB = "WKB"


def read_parquet(data: bytes, request: TableRequest) -> FileTable:
    """Read a Parquet file; of a GeoParquet file the primary geometry too.

    Raises:
        InputError: It is damaged or too large, or its geometries are not WKB.
    """
    import pyarrow.parquet as pq

    if not data.endswith(b"PAR1") or len(data) < 12:
        raise InputError("The Parquet file is cut short: export or download it again.")
    limits = {"thrift_string_size_limit": MAX_FOOTER_BYTES, "thrift_container_size_limit": 1_000_000}
    file = pq.ParquetFile(pa.BufferReader(data), **limits)
    schema = file.schema_arrow
    check_counts(file.metadata.num_rows, len(schema))
    geo = _geo(schema.metadata)
    geometry = "" if geo is None else geo["primary_column"]
    names = [name for name in schema.names if name != geometry]
    if len(set(schema.names)) < len(schema.names):
        raise InputError("Several columns of the Parquet file have one name: rename all but one.")
    good = [name for name in names if usable(schema.field(name).type)]
    wanted = good if request.columns is None else [name for name in good if name in request.columns]
    _check_unpacked(file, [*wanted, geometry])
    table = file.read(columns=[*wanted, *([geometry] if geometry else [])], use_threads=False)
    rows = table.num_rows
    if request.sample is not None and rows > request.sample:
        table = table.take([rows * each // request.sample for each in range(request.sample)])
    columns = pa.table([as_agreed(table.column(name)) for name in wanted], names=unique_names(wanted)[0])
    if not wanted:
        columns = pa.table({"row": pa.array(range(table.num_rows), pa.float64())})
    left_out = tuple(name for name in names if name not in good)
    if geo is None:
        return FileTable(PARQUET, rows, columns, left_out=left_out)
    latlon, kind, crs, notes = _placed(table.column(geometry), geo, request.crs)
    return FileTable(PARQUET, rows, columns, latlon, kind, crs, left_out=left_out, notes=tuple(notes))


def usable(kind: pa.DataType) -> bool:
    """Whether a column of that type can be a position, a target or folds."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind) or pa.types.is_timestamp(kind) or pa.types.is_date(kind)
    )  # fmt: skip


def as_agreed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A usable column as float64, bool, string or timestamp in microseconds."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_boolean(column.type):
        return column
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        if pa.types.is_timestamp(column.type) and column.type.tz is not None:
            column = column.cast(pa.timestamp(column.type.unit))
        return column.cast(pa.timestamp("us"), safe=False)
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type) or pa.types.is_decimal(column.type):
        return column.cast(pa.float64(), safe=False)
    text = column.cast(pa.string())
    return pc.if_else(pc.equal(text, ""), None, text)


def _check_unpacked(file: Any, columns: list[str]) -> None:
    """Refuse a file that announces more than is read; what it does not announce, the process's memory limits."""
    total = 0
    for group in range(file.metadata.num_row_groups):
        part = file.metadata.row_group(group)
        for number in range(part.num_columns):
            chunk = part.column(number)
            if chunk.path_in_schema.partition(".")[0] in columns:
                total += chunk.total_uncompressed_size
    if total > MAX_UNPACKED_BYTES:
        raise InputError(
            f"The columns unpack to {total / 2**20:,.0f} MB, at most {MAX_UNPACKED_BYTES / 2**20:.0f} MB are read: keep"
            " fewer columns or rows."
        )


def _geo(metadata: dict[bytes, bytes] | None) -> dict[str, Any] | None:
    """What GeoParquet says of the primary geometry: "primary_column", and the members of that column."""
    if not metadata or b"geo" not in metadata:
        return None
    try:
        geo = json.loads(metadata[b"geo"])
        primary = geo["primary_column"]
        described = geo["columns"][primary]
        encoding = str(described["encoding"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError("The metadata 'geo' of the GeoParquet file are damaged: write the file again.") from error
    if encoding.upper() != WKB:
        raise InputError(
            f"The geometries of the GeoParquet file are encoded as {excerpt(encoding, 20)!r}; WKB is read. With"
            " geopandas: frame.to_parquet(path, geometry_encoding='WKB')."
        )
    return {**described, "primary_column": str(primary)}


def _placed(column: pa.ChunkedArray, geo: dict[str, Any], crs: str) -> tuple[NDArray[np.float64], str, str, list[str]]:
    import geopandas

    from unigeoclip.uploads.tables.geometries import positions

    # As the specification has it: longitude and latitude if nothing is said, an unknown system if it is null.
    said = crs or geo.get("crs", "OGC:CRS84")
    values = column.cast(pa.binary()).to_numpy(zero_copy_only=False)
    return positions(geopandas.GeoSeries.from_wkb(values, crs=said, on_invalid="ignore"))
