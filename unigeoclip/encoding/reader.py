"""Reading a store of embeddings part by part."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from unigeoclip.encoding.manifest import read_manifest
from unigeoclip.encoding.part_file import part_schema
from unigeoclip.encoding.storage import open_storage
from unigeoclip.errors import InputError
from unigeoclip.files.atomic import reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from unigeoclip.encoding.manifest import Part, StoreManifest
    from unigeoclip.encoding.storage import Storage

__all__ = ["read_parts", "store_manifest"]

Bounds = tuple[float, float, float, float]


def store_manifest(store: str | Path) -> StoreManifest:
    """What a store says of itself.

    Args:
        store: A folder, or s3://, gs:// or az:// with bucket and prefix.

    Raises:
        InputError: There is no store, or it cannot be read.
    """
    return read_manifest(open_storage(store))


def read_parts(
    store: str | Path, columns: Sequence[str] | None = None, bbox: Bounds | None = None
) -> Iterator[pa.Table]:
    """Read a finished store, one Arrow table a part, in the order of S2; memory for one part is needed.

    Args:
        store: A folder, or s3://, gs:// or az:// with bucket and prefix.
        columns: Some of place_id, modality, lat, lon, vector, geometry, bbox; all by default.
        bbox: South, west, north, east in degrees, edges included; west > east goes over the date line. Only parts and
            row groups that can have places there are read.

    Yields:
        Tables with at least one row.

    Raises:
        InputError: There is no store, it is not finished or damaged, or there is no such column or rectangle.
    """
    storage = open_storage(store)
    manifest = read_manifest(storage)
    known = part_schema(manifest.emb).names
    if unknown := sorted(set(columns or ()) - set(known)):
        raise InputError(f"A store has no column {unknown[0]!r}; it has {', '.join(known)}.")
    if bbox is not None and not (len(bbox) == 4 and all(map(math.isfinite, bbox)) and bbox[0] <= bbox[2]):
        raise InputError(f"{bbox} is no rectangle: give south, west, north, east in degrees.")
    if missing := manifest.missing(storage):
        raise InputError(
            f"{storage.address} is not finished: {len(missing)} of {len(manifest.partitions)} parts are missing. Run "
            "'encode' again with the same options; what is there is kept."
        )
    for part in manifest.partitions:
        if bbox is None or _may_meet(part.bounds, bbox):
            table = _read(storage, manifest, part, columns, bbox)
            if len(table):
                yield table


def _may_meet(bounds: Bounds, bbox: Bounds) -> bool:
    south, west, north, east = bbox
    if bounds[0] > north or bounds[2] < south:
        return False
    return (bounds[1] <= east and bounds[3] >= west) if west <= east else (bounds[3] >= west or bounds[1] <= east)


def _read(
    storage: Storage, manifest: StoreManifest, part: Part, columns: Sequence[str] | None, bbox: Bounds | None
) -> pa.Table:
    where = f"{storage.address}/{part.file}"
    try:
        with storage.open(part.file) as opened:
            file = pq.ParquetFile(opened)
            same = (file.schema_arrow.metadata or {}).get(b"emb") == manifest.emb.json().encode()
            if not same or file.metadata.num_rows != part.rows:
                raise InputError(f"{where} is not of this store, or damaged: remove it and run 'encode' again.")
            opened.seek(0)
            names = None if columns is None else list(columns)
            return pq.read_table(opened, columns=names, filters=None if bbox is None else _inside(bbox))
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{where} cannot be read ({reason(error)}): remove it and run 'encode' again.") from error


def _inside(bbox: Bounds) -> pc.Expression:
    south, west, north, east = bbox
    lat, lon = pc.field("lat"), pc.field("lon")
    between = (lon >= west) & (lon <= east) if west <= east else (lon >= west) | (lon <= east)
    return (lat >= south) & (lat <= north) & between
