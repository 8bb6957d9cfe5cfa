"""How far the heatmaps that a browser computes for page Compare are from the exact ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.evaluation.compact import SEED, encoded_by_browser, points_of, spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.compare.regions import Embedded

__all__ = ["QUERIES", "region_errors"]

QUERIES = 200


def region_errors(embedded: Embedded, queries: int = QUERIES, seed: int = SEED) -> dict[str, Any]:
    """Compare heatmaps of the compact grid of a model on page Compare with exact ones.

    Args:
        embedded: A region under the model.
        queries: How many, half of them points anywhere in cells that are drawn by area, half centers of such cells.
        seed: Of the draws.

    Returns:
        As `evaluation.compact.compact_errors`.
    """
    compact, rng, half = embedded.compact_grid(), np.random.default_rng(seed), queries // 2

    def vector_of(lat: float, lon: float) -> NDArray[np.floating]:
        vector: NDArray[np.floating] = embedded.embedder.embed([(lat, lon)])[0]
        return vector

    encoder = embedded.browser_encoder
    encoded = None if encoder is None else encoded_by_browser(encoder, compact)
    errors = {
        name: spread(compact, embedded.vectors, points_of(vector_of, compact, half, width, rng, encoded))
        for name, width in (("points", 1.0), ("centers", 0.0))
    }
    return {"bytes": len(compact.to_bytes()), "components": len(compact.codes), "seed": seed, "queries": errors}
