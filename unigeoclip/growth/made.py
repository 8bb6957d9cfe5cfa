"""Made-up embeddings of any number of places, chunk by chunk, the same at every run.

Real embeddings lie in clusters, vary in fewer directions than they have dimensions, and queries of another modality lie
apart from what they ask for. So do these: 2,000 clusters in 50 groups, 32 directions in which a cluster is wide (eight
sets of them) and a little noise in all; queries are made likewise, noisier, and moved by one vector, the gap between
modalities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["CHUNK", "DIM", "MODALITY", "chunks", "made_batches", "made_queries", "row_schema"]

DIM = 256
MODALITY = "aerial"
CHUNK = 50_000
_GROUPS, _CLUSTERS, _SETS, _DIRECTIONS = 50, 2000, 8, 32
_NOISE, _QUERY_NOISE, _GAP = 0.15, 0.4, 0.5
_SEED = 0


class _Shape(NamedTuple):
    centers: NDArray[np.float32]
    directions: NDArray[np.float32]
    gap: NDArray[np.float32]
    latlon: NDArray[np.float64]


def _shape() -> _Shape:
    rng = np.random.default_rng(_SEED)
    groups = rng.standard_normal((_GROUPS, DIM), np.float32)
    centers = groups[rng.integers(_GROUPS, size=_CLUSTERS)] + 0.7 * rng.standard_normal((_CLUSTERS, DIM), np.float32)
    directions = rng.standard_normal((_SETS, _DIRECTIONS, DIM), np.float32) / np.sqrt(_DIRECTIONS)
    latlon = rng.uniform((-60, -180), (70, 180), (_CLUSTERS, 2))
    return _Shape(centers, directions, rng.standard_normal(DIM, np.float32), latlon)


def _draw(
    shape: _Shape, rng: np.random.Generator, count: int, noise: float, gap: float
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    of = rng.integers(_CLUSTERS, size=count)
    vectors, wide = shape.centers[of], rng.standard_normal((count, _DIRECTIONS), np.float32)
    for number in range(_SETS):
        members = of % _SETS == number
        vectors[members] += wide[members] @ shape.directions[number]
    vectors += noise * rng.standard_normal((count, DIM), np.float32) + gap * shape.gap
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), of


def chunks(count: int) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float64]]]:
    """Places: (n, `DIM`) float32 unit vectors and (n, 2) degrees, `CHUNK` at a time.

    Places of a cluster lie within about 300 km of each other or, one in ten, anywhere.
    """
    shape = _shape()
    for start in range(0, count, CHUNK):
        rng = np.random.default_rng([_SEED, 1, start])
        size = min(CHUNK, count - start)
        vectors, of = _draw(shape, rng, size, _NOISE, 0.0)
        latlon = shape.latlon[of] + rng.normal(0, 2, (size, 2))
        anywhere = rng.random(size) < 0.1
        latlon[anywhere] = rng.uniform((-60, -180), (70, 180), (int(anywhere.sum()), 2))
        latlon[:, 1] = (latlon[:, 1] + 180) % 360 - 180
        yield vectors, latlon


def made_queries(count: int) -> NDArray[np.float32]:
    """Queries of another modality than the places, (count, `DIM`) unit vectors."""
    return _draw(_shape(), np.random.default_rng([_SEED, 2]), count, _QUERY_NOISE, _GAP)[0]


def row_schema() -> pa.Schema:
    """Of `made_batches`: rows of a store."""
    own = [("place_id", pa.string()), ("lat", pa.float64()), ("lon", pa.float64())]
    return pa.schema([*own, ("vector", pa.list_(pa.float32(), DIM))])


def made_batches(count: int) -> Iterator[pa.RecordBatch]:
    """`chunks` as batches of rows of a store."""
    done = 0
    for vectors, latlon in chunks(count):
        ids = pa.array([f"p{done + row}" for row in range(len(vectors))])
        stored = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), DIM)
        yield pa.record_batch([ids, pa.array(latlon[:, 0]), pa.array(latlon[:, 1]), stored], schema=row_schema())
        done += len(vectors)
