"""Retrieval: arrays in, numbers out. Percentages run from 0 to 100."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.geo import distance_m

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK = 1024  # queries scored at once: 1,024 x 5,000 float32 similarities are 20 MB
SMALL_CHUNK = 256  # of queries against all places of a city
FEWEST = 30  # items: of fewer no figure is given ...
TOO_FEW = "too_few"  # ... but this key
WITHIN_M = 100.0


def ranks(queries: NDArray[np.float32], gallery: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rank of each query's own item, and the item found first.

    Args:
        queries: (n, dim) unit vectors.
        gallery: (n, dim) unit vectors; item i belongs to query i.

    Returns:
        (n,) ranks, 1 is best, ties counted against the query; (n,) indices of the most similar items.
    """
    rank, first = np.empty(len(queries), np.int64), np.empty(len(queries), np.int64)
    for start in range(0, len(queries), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(queries)))
        similarity = queries[rows] @ gallery.T
        own = similarity[np.arange(len(rows)), rows]
        rank[rows] = (similarity >= own[:, None]).sum(1)
        first[rows] = similarity.argmax(1)
    return rank, first


def nearest(queries: NDArray[np.float32], gallery: NDArray[np.float32]) -> NDArray[np.int64]:
    """Index of the item of a gallery (m, dim) that is most similar to each query (n, dim): (n,)."""
    parts = (queries[start : start + SMALL_CHUNK] for start in range(0, len(queries), SMALL_CHUNK))
    return np.concatenate([(part @ gallery.T).argmax(1) for part in parts]).astype(np.int64)


def retrieval(
    queries: NDArray[np.float32], gallery: NDArray[np.float32], latlon: NDArray[np.float64]
) -> dict[str, float | bool]:
    """Held-out retrieval of one modality by another.

    Args:
        queries: (n, dim) unit vectors of the query modality.
        gallery: (n, dim) unit vectors of the target modality, item i of the same place as query i.
        latlon: (n, 2) degrees of the places.

    Returns:
        ``recall@1`` and ``recall@10`` in %, ``acc@100m`` (share of queries whose first item lies within 100 m, %),
        ``median_m`` (median distance to the first item) and ``n``, which is also the size of the gallery. Of fewer than
        `FEWEST` items only ``n`` and ``"too_few": true``: among a handful whatever is asked is found.
    """
    if len(queries) < FEWEST:
        return {"n": len(queries), TOO_FEW: True}
    return figures(*ranks(queries, gallery), latlon)


def figures(rank: NDArray[np.int64], first: NDArray[np.int64], latlon: NDArray[np.float64]) -> dict[str, float | bool]:
    """The figures of `retrieval` from what `ranks` found.

    Args:
        rank: (n,) rank of each query's own item.
        first: (n,) index of the item found first.
        latlon: (n, 2) degrees of the items.
    """
    if len(rank) < FEWEST:
        return {"n": len(rank), TOO_FEW: True}
    meters = distance_m(latlon, latlon[first])
    return {
        "recall@1": 100 * float((rank == 1).mean()),
        "recall@10": 100 * float((rank <= 10).mean()),
        "acc@100m": 100 * float((meters <= WITHIN_M).mean()),
        "median_m": float(np.median(meters)),
        "n": len(rank),
    }


def share_interval(share: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of n queries (Wilson's), in percent as the share is."""
    from scipy.stats import binomtest

    found = binomtest(round(share * n / 100), n).proportion_ci(0.95, method="wilson")
    return 100 * float(found.low), 100 * float(found.high)


def ensemble(embeddings: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Normalised mean of several modalities of the same places, (n, dim) each."""
    mean = np.mean(embeddings, axis=0)
    joined: NDArray[np.float32] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    return joined
