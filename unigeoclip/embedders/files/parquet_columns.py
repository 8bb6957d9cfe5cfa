"""The columns of Parquet files of embeddings: which hold the vectors and the positions, and how they are read."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from unigeoclip.errors import InputError, UniGeoError, excerpt
from unigeoclip.geo import wrap_lon_deg

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow.parquet as pq
    from numpy.typing import NDArray

    from unigeoclip.embedders.files.address import FileAddress

__all__ = ["Columns", "opened_table", "positions_of", "vectors_of"]

_VECTORS = ("embedding", "embeddings", "vector", "vectors")  # as publishers call them, the likeliest first
_LATITUDES = ("lat", "latitude", "centre_lat", "center_lat")
_LONGITUDES = ("lon", "longitude", "centre_lon", "center_lon")
_MODALITY = "modality"
_MOST_DIM = 4096
_WGS84 = "EPSG:4326"
_LIMITS = {"thrift_string_size_limit": 20_000_000, "thrift_container_size_limit": 1_000_000}


@contextlib.contextmanager
def opened_table(source: Path | bytes, name: str) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file as a stream; what is wrong with it while it is open is an `InputError` that names it."""
    import pyarrow.parquet as pq

    try:
        read = pa.BufferReader(source) if isinstance(source, bytes) else source
        with pq.ParquetFile(read, buffer_size=2**20, pre_buffer=False, **_LIMITS) as file:
            yield file
    except UniGeoError:
        raise
    except (OSError, ValueError, pa.ArrowException) as error:
        raise InputError(f"{name} cannot be read as Parquet: {excerpt(error, 200)}.") from error


@dataclass(frozen=True)
class Columns:
    """Which columns are read.

    Attributes:
        vector: Lists of numbers.
        lat: Latitudes, degrees; empty where geometries are read.
        lon: Longitudes.
        geometry: Geometries as WKB, whose centers are the positions; empty where columns of degrees are read.
        crs: Of the geometries; empty for longitude and latitude.
        is_major_tom: Whether these are the columns of Major TOM's files.
    """

    vector: str
    lat: str
    lon: str
    geometry: str
    crs: str
    is_major_tom: bool

    @classmethod
    def of(cls, schema: pa.Schema, name: str, address: FileAddress) -> Columns:
        """Recognize them by name and type.

        Raises:
            InputError: There are no vectors or no positions, or several that may be meant.
        """
        vector = _vector_column(schema, name, address.column)
        if _MODALITY in schema.names and address.modality is None and _is_text(schema.field(_MODALITY).type):
            raise InputError(f"{name} has vectors of several modalities: say which, such as modality=aerial.")
        if address.modality is not None and _MODALITY not in schema.names:
            raise InputError(f"{name} has no column {_MODALITY!r}: leave out modality=.")
        names = {each.lower(): each for each in schema.names}
        lat = next((names[each] for each in _LATITUDES if each in names), "")
        lon = next((names[each] for each in _LONGITUDES if each in names), "")
        tom = {"grid_cell", "centre_lat", "centre_lon"} <= set(names)
        if lat and lon and all(_is_number(schema.field(each).type) for each in (lat, lon)):
            return cls(vector, lat, lon, "", "", tom)
        geometry, crs = _geometry(schema, name)
        return cls(vector, "", "", geometry, crs, tom)

    def wanted(self, *, modality: bool) -> list[str]:
        """Columns of the positions, and the modality."""
        return [each for each in (self.lat, self.lon, self.geometry) if each] + ([_MODALITY] if modality else [])

    def missing_in(self, schema: pa.Schema) -> bool:
        """Whether another file lacks some of the columns."""
        return not {self.vector, *self.wanted(modality=False)} <= set(schema.names)


def _vector_column(schema: pa.Schema, name: str, asked: str | None) -> str:
    lists = [field.name for field in schema if _is_vector(field.type)]
    if asked is not None:
        if asked not in lists:
            raise InputError(
                f"{name} has no column {excerpt(asked)!r} of lists of numbers. There are: "
                f"{excerpt(', '.join(lists), 200) or 'none'}."
            )
        return asked
    usual = [each for each in _VECTORS if each in lists]
    found = usual[:1] or lists
    if len(found) != 1:
        raise InputError(
            f"{name} has {'several columns' if lists else 'no column'} of lists of numbers"
            + (
                f": {excerpt(', '.join(lists), 200)}. Say which, such as column={lists[0]}."
                if lists
                else ", so no vectors."
            )
        )
    return found[0]


def _is_vector(kind: pa.DataType) -> bool:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(each(kind) for each in lists) and _is_number(kind.value_type)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _geometry(schema: pa.Schema, name: str) -> tuple[str, str]:
    """The column of geometries and their coordinate reference system.

    Raises:
        InputError: There is none, or one that is not WKB.
    """
    try:
        geo: Any = json.loads((schema.metadata or {}).get(b"geo", b"{}"))
        column = geo.get("primary_column", "geometry")
        told = geo.get("columns", {}).get(column, {})
    except (ValueError, AttributeError) as error:
        raise InputError(f"{name} has damaged GeoParquet metadata: write it again.") from error
    if column not in schema.names or not (
        pa.types.is_binary(schema.field(column).type) or pa.types.is_large_binary(schema.field(column).type)
    ):
        raise InputError(
            f"{name} has no positions: it needs columns lat and lon in degrees (or latitude and longitude, centre_lat "
            "and centre_lon), or a column of geometries as WKB, as GeoParquet has it."
        )
    if told.get("encoding", "WKB") != "WKB":
        raise InputError(f"The geometries of {name} are not WKB: write them as WKB, or add columns lat and lon.")
    crs = told.get("crs")
    return column, json.dumps(crs) if isinstance(crs, dict) else ""


def positions_of(batch: pa.RecordBatch, columns: Columns, name: str, first: int) -> NDArray[np.float64]:
    """Positions of rows, (n, 2) degrees, longitudes wrapped; NaN for a row without one.

    Raises:
        InputError: A row has a latitude or longitude that is none.
    """
    if columns.geometry:
        x, y = _centers(batch.column(batch.schema.get_field_index(columns.geometry)), columns.crs, name)
    else:
        y, x = (
            batch.column(batch.schema.get_field_index(each)).cast(pa.float64()).to_numpy(zero_copy_only=False)
            for each in (columns.lat, columns.lon)
        )
    bad = np.flatnonzero((np.abs(y) > 90) | (np.abs(x) > 540))
    if len(bad):
        raise InputError(
            f"Row {first + bad[0] + 1:,} of {name} has latitude {y[bad[0]]:g} and longitude {x[bad[0]]:g}: these "
            "are no degrees."
        )
    return np.stack([y, wrap_lon_deg(x)], axis=1)


def _centers(column: pa.Array, crs: str, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centers of geometries: longitude, latitude."""
    import shapely
    from rasterio.crs import CRS
    from rasterio.errors import RasterioError
    from rasterio.warp import transform

    try:
        centers = shapely.centroid(shapely.from_wkb(column.to_numpy(zero_copy_only=False)))
    except shapely.errors.ShapelyError as error:
        raise InputError(f"{name} has geometries that cannot be read: {excerpt(error)}.") from error
    x, y = shapely.get_x(centers), shapely.get_y(centers)
    if not crs:
        return x, y
    try:
        given = CRS.from_user_input(crs)
        if given.is_geographic:
            return x, y
        there = np.isfinite(x) & np.isfinite(y)
        x[there], y[there] = transform(given, _WGS84, x[there].tolist(), y[there].tolist())
    except RasterioError as error:
        raise InputError(f"{name} has an unknown coordinate reference system: {excerpt(error)}.") from error
    return x, y


def vectors_of(column: pa.Array, name: str, first: int, dim: int | None = None) -> NDArray[np.float32]:
    """Vectors of rows, (n, dim) float32; NaN for a row without one.

    Args:
        column: Lists of numbers.
        name: Of the file.
        first: Number of the first row, for messages.
        dim: What all must have; by default what the first has, and 0 where no row has one.

    Raises:
        InputError: A row has another number of numbers, or too many.
    """
    there = column.is_valid().to_numpy(zero_copy_only=False)
    some = column.drop_null()
    lengths = (
        np.full(len(some), column.type.list_size)
        if pa.types.is_fixed_size_list(column.type)
        else some.value_lengths().to_numpy(zero_copy_only=False)
    )
    length = int(lengths[0]) if dim is None and len(lengths) else dim or 0
    if not 0 <= length <= _MOST_DIM:
        raise InputError(f"{name} has vectors of {length:,} numbers; at most {_MOST_DIM:,} are read.")
    if len(odd := np.flatnonzero(lengths != length)):
        raise InputError(
            f"Near row {first + int(np.flatnonzero(there)[odd[0]]) + 1:,} of {name}: a vector of "
            f"{lengths[odd[0]]} numbers among vectors of {length}."
        )
    vectors = np.full((len(column), length), np.nan, np.float32)
    if not length or not len(some):
        return vectors
    vectors[there] = some.flatten().to_numpy(zero_copy_only=False).astype(np.float32).reshape(-1, length)
    return vectors
