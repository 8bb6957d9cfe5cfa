"""How far the heatmaps that a browser computes from the compact grid are from the exact ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from unigeoclip.search.query_items import QueryItem
from unigeoclip.similarity.browser.point_encoder import rounded
from unigeoclip.similarity.heatmap import Heatmap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from unigeoclip.modalities.location import LocationEncoder
    from unigeoclip.search.explorer import Explorer
    from unigeoclip.similarity.browser.compact import CompactGrid

__all__ = ["QUERIES", "compact_errors", "encoded_by_browser", "points_of", "spread"]

QUERIES = 1000
HOTTEST = 0.01  # share of the area whose overlap is measured
SEED = 0
CONSTANT = 1e-6  # standard deviation of similarities below which a heatmap is that of a constant


def compact_errors(explorer: Explorer, queries: int = QUERIES, seed: int = SEED) -> dict[str, Any]:
    """Compare heatmaps of the compact grid with exact ones.

    Queries are, equally many, points anywhere in cells that are drawn by area, centers of such cells, and items of
    every other modality of the gallery. A point is asked as the browser does while the pointer moves, by the rounded
    weights of the location encoder or, where that is too large, by a vector interpolated between cells; exactly, by the
    location encoder.

    Args:
        explorer: Of the atlas.
        queries: How many, of all kinds together.
        seed: Of the draws.

    Returns:
        "bytes" of the file; "components"; "seed"; "queries": kind -> "n", "correlation" and "overlap" of the hottest
        hundredth of the area, each with its median and its 5th percentile.
    """
    compact, rng = explorer.compact_grid(), np.random.default_rng(seed)
    kinds = [name for name in explorer.modalities if name != "location"]
    share = queries // (2 + len(kinds))

    def vector_of(lat: float, lon: float) -> NDArray[np.floating]:
        return explorer.query([QueryItem("location", (lat, lon))]).vector

    encoded = encoded_by_browser(explorer.location_encoder, compact) if explorer.has_browser_encoder else None
    first, cells = queries - share * (1 + len(kinds)), explorer.cells
    errors = {
        "points": spread(compact, cells, points_of(vector_of, compact, first, 1.0, rng, encoded)),
        "centers": spread(compact, cells, points_of(vector_of, compact, share, 0.0, rng, encoded)),
    }
    for name in kinds:
        vectors = explorer.vectors(name)
        chosen = vectors[rng.choice(len(vectors), min(share, len(vectors)), replace=False)]
        errors[name] = spread(compact, cells, ((vector, vector) for vector in chosen))
    return {"bytes": len(compact.to_bytes()), "components": len(compact.codes), "seed": seed, "queries": errors}


def points_of(
    vector_of: Callable[[float, float], NDArray[np.floating]],
    compact: CompactGrid,
    count: int,
    width: float,
    rng: np.random.Generator,
    encoded: Callable[[float, float], NDArray[np.floating]] | None = None,
) -> Iterator[tuple[NDArray[np.floating], NDArray[np.floating]]]:
    """Vectors of points, exact and as the browser has them; within that share of the width of a cell.

    Args:
        vector_of: Of the exact vector of latitude and longitude.
        compact: The grid.
        count: Points.
        width: Of a cell that they lie in, 0 for its center.
        rng: Of the draws.
        encoded: What the browser encodes points by; None: it interpolates.
    """
    grid = compact.grid
    cells = rng.choice(len(grid), count, p=grid.area_km2 / grid.area_km2.sum())
    within = (rng.random((count, 2)) - 0.5) * grid.step_deg * width
    for lat, lon in (grid.cells[cells] + within).tolist():
        approximate = compact.vector_at(lat, lon)
        if approximate is not None:
            yield vector_of(lat, lon), approximate if encoded is None else encoded(lat, lon)


def encoded_by_browser(
    location: LocationEncoder, compact: CompactGrid
) -> Callable[[float, float], NDArray[np.floating]]:
    """What returns the vectors of latitudes and longitudes by the rounded weights that a browser has."""
    encoder = rounded(location, compact)

    @torch.inference_mode()
    def encoded(lat: float, lon: float) -> NDArray[np.floating]:
        vector: NDArray[np.float32] = encoder(encoder.prepare([(lat, lon)]))[0].numpy()
        return vector / np.linalg.norm(vector)

    return encoded


def spread(
    compact: CompactGrid,
    cells: NDArray[np.float32],
    queries: Iterator[tuple[NDArray[np.floating], NDArray[np.floating]]],
) -> dict[str, Any]:
    """How far heatmaps of a compact grid are from exact ones.

    Args:
        compact: The grid.
        cells: (cells, dim): what exact heatmaps are made of.
        queries: Vectors, exact and as the browser has them.

    Returns:
        "n", of the queries whose heatmap is no constant; if there are any, "correlation" and "overlap" of the hottest
        hundredth of the area, each with "median" and "p5".
    """
    correlations, overlaps, grid = [], [], compact.grid
    for exact, approximate in queries:
        ours, theirs = cells @ exact.astype(np.float32), compact.similarities(approximate)
        if min(ours.std(), theirs.std()) < CONSTANT:
            continue
        correlations.append(float(np.corrcoef(ours, theirs)[0, 1]))
        overlaps.append(_overlap(Heatmap(grid, ours), Heatmap(grid, theirs)))
    found = {"correlation": correlations, "overlap": overlaps} if correlations else {}
    summary = {name: {"median": round(float(np.median(each)), 4), "p5": round(float(np.percentile(each, 5)), 4)}
               for name, each in found.items()}  # fmt: skip
    return {"n": len(correlations), **summary}


def _overlap(one: Heatmap, other: Heatmap) -> float:
    """Share of the hottest `HOTTEST` of the area in one heatmap that is among the hottest of the other."""
    area, hottest = one.grid.area_km2, one.hottest(HOTTEST)
    return float(area[hottest & other.hottest(HOTTEST)].sum() / area[hottest].sum())
