"""Which held-out places the scatter shows: at random, of a cluster, near a point, inside a rectangle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.errors import InputError
from unigeoclip.geo import distance_m

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pages.ui.modalities.link import View
    from unigeoclip.geo import Bounds

LEAST = 3  # places of a scatter


def selected_items(view: View, latlon: NDArray[np.float64], clusters: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers of the held-out items that a view shows.

    Args:
        view: How they are chosen, and how many at most.
        latlon: (n, 2) degrees of all items.
        clusters: (n,) cluster of each.

    Returns:
        (m,) numbers: by distance for a point, else rising; of more than ``view.count`` candidates some at random.

    Raises:
        InputError: Fewer than `LEAST` are there.
    """
    if view.selection == "map" and view.bounds is None and view.point is not None:
        return np.argsort(distance_m(view.point, latlon), kind="stable")[: view.count].astype(np.int64)
    candidates, where = np.arange(len(latlon)), "the atlas"
    if view.selection == "cluster":
        candidates, where = np.flatnonzero(clusters == view.cluster), "this cluster"
    elif view.selection == "map" and view.bounds is not None:
        candidates, where = np.flatnonzero(inside(latlon, view.bounds)), "this rectangle"
    if len(candidates) < LEAST:
        raise InputError(f"There are {len(candidates)} held-out places in {where}; choose a part with {LEAST} or more.")
    drawn = np.random.default_rng(view.seed).permutation(candidates)[: view.count]
    return np.sort(drawn).astype(np.int64)


def inside(latlon: NDArray[np.float64], bounds: Bounds) -> NDArray[np.bool_]:
    """Which points (n, 2) lie in a rectangle, (n,)."""
    south, west, north, east = bounds
    lat, lon = latlon.T
    found: NDArray[np.bool_] = (lat >= south) & (lat <= north) & (lon >= west) & (lon <= east)
    return found
