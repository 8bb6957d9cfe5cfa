"""Writing the tables of an atlas as Parquet: small files, the same bytes each time.

What is written once and fetched by many is packed as well as Parquet can: Brotli, positions one significance at a time,
ids and sentences as they are, since a dictionary of values that hardly repeat only adds to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from unigeoclip.atlas import schema
from unigeoclip.errors import AtlasError
from unigeoclip.files.atomic import atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

_PARQUET = {"compression": "brotli", "compression_level": 11, "row_group_size": 1 << 20}
_BY_SIGNIFICANCE, _BY_PREFIX = "BYTE_STREAM_SPLIT", "DELTA_BYTE_ARRAY"


def write_places(path: Path, table: pd.DataFrame) -> None:
    """Write places as GeoParquet.

    Args:
        path: The file.
        table: Columns of `schema.place_columns` but ``geometry``. Latitude and longitude become the points, and do not
            stand there a second time.
    """
    words = [name for name in table if name not in ("place_id", "lat", "lon", "gallery", "sentences")]
    points = gpd.points_from_xy(table["lon"], table["lat"], crs="EPSG:4326")
    rows = [np.asarray(some, np.int32) for some in table["sentences"]]
    frame = gpd.GeoDataFrame(table.drop(columns=["lat", "lon"]).assign(sentences=rows), geometry=points)
    encoding = {"place_id": _BY_PREFIX, "geometry.x": _BY_SIGNIFICANCE, "geometry.y": _BY_SIGNIFICANCE}
    options: dict[str, Any] = {"use_dictionary": words, "column_encoding": encoding, **_PARQUET}
    _whole(path, lambda file: frame.to_parquet(file, index=False, geometry_encoding="geoarrow", **options))


def write_views(path: Path, views: pd.DataFrame) -> None:
    """Write street views, columns of `schema.VIEW_COLUMNS` and those of `schema.PHOTO_COLUMNS` that there are."""
    packed = {"place_id": _BY_PREFIX, "lat": _BY_SIGNIFICANCE, "lon": _BY_SIGNIFICANCE}
    columns = [*schema.VIEW_COLUMNS, *(name for name in schema.PHOTO_COLUMNS if name in views)]
    table = pa.Table.from_pandas(views[columns], preserve_index=False)
    words = [name for name in columns if name not in packed]
    _whole(path, lambda file: pq.write_table(table, file, use_dictionary=words, column_encoding=packed, **_PARQUET))


def write_sentences(path: Path, sentences: Sequence[tuple[str, str]]) -> None:
    """Write distinct sentences, (kind, text) each."""
    table = pa.table({"kind": [kind for kind, _ in sentences], "text": [text for _, text in sentences]})
    _whole(path, lambda file: pq.write_table(table, file, use_dictionary=["kind"], **_PARQUET))


def _whole(path: Path, write: Callable[[Path], None]) -> None:
    """Under a temporary name first."""
    with atomic(path, error=AtlasError) as temporary:
        write(temporary)
