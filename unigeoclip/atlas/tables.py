"""The tables of an atlas: read and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import safetensors
import safetensors.numpy
from pyarrow import ArrowException

from unigeoclip.atlas import schema
from unigeoclip.atlas.sentence_vectors import are_vectors, count_vectors
from unigeoclip.errors import AtlasError
from unigeoclip.sentences import SENTENCE_DIM

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["check_sentence_rows", "read_places", "read_sentence_vectors", "read_table"]


def read_places(file: Path) -> gpd.GeoDataFrame:
    """Read the GeoParquet table of places, with "lat" and "lon" in degrees.

    Raises:
        AtlasError: It cannot be read, or is not as it must be; the message says how to mend it.
    """
    try:
        places = gpd.read_parquet(file)
        places = places.assign(lat=places.geometry.y, lon=places.geometry.x)
    except (ArrowException, ValueError, OSError) as error:
        raise AtlasError(
            f"{file} is not a readable GeoParquet table: {error}. Restore it or build the atlas again."
        ) from error
    split = next((name for name in schema.SPLITS if name in places), schema.SPLITS[0])
    _check_columns(file, places, schema.place_columns(split))
    if places.empty:
        raise AtlasError(f"{file} holds no place. Build the atlas again.")
    if places["place_id"].duplicated().any():
        twice = places.loc[places["place_id"].duplicated(), "place_id"].iloc[0]
        raise AtlasError(f"{file}: the place_id {twice!r} occurs twice; ids must be unique.")
    latlon = places[["lat", "lon"]].to_numpy(np.float64)
    bad = ~((np.abs(latlon[:, 0]) <= 90) & (latlon[:, 1] >= -180) & (latlon[:, 1] < 180))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise AtlasError(
            f"{file}: row {row} has lat, lon = {latlon[row, 0]}, {latlon[row, 1]}, which is no point on Earth."
        )
    return places.reset_index(drop=True)


def read_table(file: Path, columns: dict[str, Any]) -> pd.DataFrame:
    """Read a Parquet table that has these columns, see `schema`.

    Raises:
        AtlasError: It cannot be read, or is not as it must be; the message says how to mend it.
    """
    try:
        table = pd.read_parquet(file)
    except (ArrowException, ValueError, OSError) as error:
        raise AtlasError(
            f"{file} is not a readable Parquet table: {error}. Restore it or build the atlas again."
        ) from error
    _check_columns(file, table, columns)
    return table.reset_index(drop=True)


def _check_columns(file: Path, table: pd.DataFrame, columns: dict[str, Any]) -> None:
    if missing := [column for column in columns if column not in table]:
        raise AtlasError(f"{file} lacks the column {missing[0]!r}; it has {', '.join(map(str, table.columns))}.")
    for column, kind in columns.items():
        values = table[column]
        if kind == "number" and not pd.api.types.is_float_dtype(values):
            raise AtlasError(f"{file}: the column {column!r} must hold decimal numbers, not {values.dtype}.")
        if kind == "truth" and not pd.api.types.is_bool_dtype(values):
            raise AtlasError(f"{file}: the column {column!r} must hold true or false, not {values.dtype}.")
        if isinstance(kind, tuple) and not values.isin(kind).all():
            wrong = values[~values.isin(kind)].iloc[0]
            raise AtlasError(f"{file}: the column {column!r} holds {wrong!r}; allowed are {', '.join(kind)}.")
        if values.isna().any():
            row = int(np.flatnonzero(values.isna())[0])
            raise AtlasError(f"{file}: row {row} has no value in the column {column!r}.")


def read_sentence_vectors(file: Path) -> dict[str, NDArray[Any]]:
    """Read the stored vectors of sentences, as `sentence_vectors.unpack_vectors` takes them.

    Raises:
        AtlasError: It cannot be read, or is not as it must be; the message says how to mend it.
    """
    try:
        stored = safetensors.numpy.load_file(file)
    except (safetensors.SafetensorError, OSError) as error:
        raise AtlasError(
            f"{file} is not a readable safetensors file: {error}. Restore it or build the atlas again."
        ) from error
    shapes = {name: array.shape for name, array in stored.items()}
    if not are_vectors(shapes):
        raise AtlasError(
            f"{file} holds {shapes}; expected vectors (m, {SENTENCE_DIM}) and scale (m,), or codes. "
            "Build the atlas again."
        )
    return stored


def check_sentence_rows(path: Path, places: gpd.GeoDataFrame, sentences: pd.DataFrame) -> None:
    """Check that rows exist, sentences of gallery places have a vector, and no place is without a sentence.

    Raises:
        AtlasError: It cannot be read, or is not as it must be; the message says how to mend it.
    """
    lengths = places["sentences"].map(len).to_numpy()
    if (lengths == 0).any():
        raise AtlasError(f"{path / schema.PLACES}: row {int(np.flatnonzero(lengths == 0)[0])} has no sentence.")
    rows = np.concatenate(places["sentences"].to_numpy())
    if rows.min() < 0 or rows.max() >= len(sentences):
        raise AtlasError(
            f"{path / schema.PLACES}: sentence {rows.max()} is used, {schema.SENTENCES} has {len(sentences)} rows."
        )
    try:
        with safetensors.safe_open(path / schema.SENTENCE_VECTORS, "numpy") as opened:
            names = list(opened.keys())
            count = count_vectors({name: tuple(opened.get_slice(name).get_shape()) for name in names})
    except (safetensors.SafetensorError, OSError) as error:
        raise AtlasError(
            f"{path / schema.SENTENCE_VECTORS} cannot be read: {error}. Restore it or build the atlas again."
        ) from error
    shown = np.repeat(places["gallery"].to_numpy(), lengths)
    if shown.any() and rows[shown].max() >= count:
        raise AtlasError(
            f"{path / schema.SENTENCE_VECTORS} has {count} vectors, but places of the gallery use sentence "
            f"{rows[shown].max()}. Build the atlas again."
        )
