"""One part of a store: GeoParquet 1.1 in memory, the same bytes for the same vectors."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from unigeoclip.encoding.manifest import DTYPES, Embeddings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["decoded", "part_bytes", "part_schema", "stored"]

_ROW_GROUP = 8_192  # rows that are skipped or read together: small enough for a rectangle to miss most of them
_BOX = ("xmin", "ymin", "xmax", "ymax")
_NUMBERS = {"float16": pa.float16(), "int8": pa.int8()}


def part_schema(emb: Embeddings) -> pa.Schema:
    """Columns of a part: place_id, modality, lat, lon, vector, geometry, bbox."""
    box = pa.struct([pa.field(name, pa.float64(), nullable=False) for name in _BOX])
    kinds = {
        "place_id": pa.string(),
        "modality": pa.dictionary(pa.int8(), pa.string()),
        "lat": pa.float64(),
        "lon": pa.float64(),
        "vector": pa.list_(pa.field("element", _NUMBERS[emb.dtype], nullable=False), emb.dim),
        "geometry": pa.binary(),
        "bbox": box,
    }
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in kinds.items()])


def stored(vectors: NDArray[np.float32], dtype: str) -> NDArray[np.float16] | NDArray[np.int8]:
    """Unit vectors (n, dim) as a part holds them: rounded to float16, or to steps of 1/127."""
    if dtype == "float16":
        return vectors.astype(np.float16)
    steps: NDArray[np.int8] = np.clip(np.rint(vectors / np.float32(DTYPES[dtype])), -127, 127).astype(np.int8)
    return steps


def decoded(table: pa.Table, emb: Embeddings) -> NDArray[np.float32]:
    """The column "vector" of a table as (n, dim) float32 of norm 1.

    Args:
        table: Of `read_parts`.
        emb: Of its store's manifest.
    """
    column = table.column("vector").combine_chunks()
    flat = column.flatten().to_numpy(zero_copy_only=False)
    vectors: NDArray[np.float32] = flat.reshape(len(table), emb.dim).astype(np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return vectors


def part_bytes(
    emb: Embeddings,
    place_ids: Sequence[str],
    latlon: NDArray[np.float64],
    vectors: Mapping[str, tuple[NDArray[np.int64], NDArray[np.float16] | NDArray[np.int8]]],
) -> bytes:
    """A part as a Parquet file.

    Args:
        emb: What the vectors are.
        place_ids: Of the n places, sorted along S2.
        latlon: (n, 2) degrees.
        vectors: Modality -> numbers (m,) of the places that have it, and their vectors (m, dim) as `stored`.

    Returns:
        The file: rows in the order of the places, those of one place in the order of ``vectors``.
    """
    owners = np.concatenate([numbers for numbers, _ in vectors.values()])
    kinds = np.repeat(np.arange(len(vectors), dtype=np.int8), [len(numbers) for numbers, _ in vectors.values()])
    order = np.lexsort((kinds, owners))
    owners, kinds = owners[order], kinds[order]
    values = np.concatenate([some for _, some in vectors.values()])[order]
    lat, lon = np.ascontiguousarray(latlon[owners].T)
    schema = part_schema(emb)
    columns = {
        "place_id": pa.array(place_ids, pa.string()).take(pa.array(owners)),
        "modality": pa.DictionaryArray.from_arrays(pa.array(kinds), pa.array(list(vectors), pa.string())),
        "lat": pa.array(lat),
        "lon": pa.array(lon),
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), type=schema.field("vector").type),
        "geometry": pa.array(shapely.to_wkb(shapely.points(lon, lat)), pa.binary()),
        "bbox": pa.StructArray.from_arrays([pa.array(each) for each in (lon, lat, lon, lat)],
                                           fields=list(schema.field("bbox").type)),
    }  # fmt: skip
    metadata = {b"geo": _geo(lat, lon), b"emb": emb.json().encode()}
    table = pa.table(columns, schema=schema.with_metadata(metadata))
    sink = io.BytesIO()
    # int8 stands in Parquet as 32 bits, but as one byte each where the distinct values are listed beforehand.
    listed = ["place_id", "modality", *(["vector.list.element"] if emb.dtype == "int8" else [])]
    plain = ["lat", "lon", "geometry", *(f"bbox.{name}" for name in _BOX)]
    pq.write_table(
        table, sink, row_group_size=_ROW_GROUP, compression="zstd", use_dictionary=listed,
        write_statistics=["place_id", "modality", *plain],
    )  # fmt: skip
    return sink.getvalue()


def _geo(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> bytes:
    """Metadata of GeoParquet 1.1; without "crs" coordinates are longitude, latitude on WGS 84 (OGC:CRS84)."""
    column = {
        "encoding": "WKB",
        "geometry_types": ["Point"],
        "bbox": [float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())],
        "covering": {"bbox": {name: ["bbox", name] for name in _BOX}},
    }
    return json.dumps({"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}).encode()
