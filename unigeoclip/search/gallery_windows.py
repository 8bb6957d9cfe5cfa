"""Where the gallery looks at its places: at their centers and, in a city, at some of their cameras.

Windows of a city are trained within 25 m of a camera (`training.sampling.street_sampler`), but the center of a place
may lie a hundred meters from the next street. So aerial images and surface models of a place are indexed at several
points, and the place is as similar to a query as the best of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.geo import distance_m

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas

__all__ = ["MOST_WINDOWS", "Windows", "gallery_rows", "gallery_windows"]

MOST_WINDOWS = 4  # of a place: its center and three cameras; four times the memory and the time of encoding
APART_M = 25.0  # windows nearer to each other were trained as one


@dataclass(frozen=True)
class Windows:
    """Items of a gallery in one modality: all places at their centers first, then their other windows.

    Attributes:
        rows: (n,) row of the place in the atlas, of each item.
        latlon: (n, 2) degrees, where its window is taken.
        places: How many places there are: the first so many items are their centers.
    """

    rows: NDArray[np.int64]
    latlon: NDArray[np.float64]
    places: int

    def __len__(self) -> int:
        return len(self.rows)


def gallery_rows(atlas: Atlas, modality: str = "location") -> NDArray[np.int64]:
    """Row numbers of the places that are shown and searched, of those among them that have the modality."""
    return np.flatnonzero(atlas.places["gallery"].to_numpy() & atlas.present(modality))


def gallery_windows(atlas: Atlas, modality: str, rows: NDArray[np.int64] | None = None) -> Windows:
    """The items that stand for places in one modality.

    Args:
        atlas: The atlas.
        modality: Only "aerial" and "surface", and only in an atlas with street views, have more than one a place.
        rows: (n,) of the places; by default those of the gallery (`gallery_rows`).

    Returns:
        The centers in the order of ``rows``; then, place by place, cameras that are far from the center and from each
        other, at most `MOST_WINDOWS` windows a place. Held-out cameras are no exception: the gallery knows no splits.
    """
    rows = gallery_rows(atlas, modality) if rows is None else rows
    centers = atlas.places[["lat", "lon"]].to_numpy(np.float64)[rows]
    if modality not in ("aerial", "surface") or "street" not in atlas.manifest.modalities:
        return Windows(rows, centers, len(rows))
    number_of = {place: number for number, place in enumerate(atlas.places["place_id"].iloc[rows])}
    numbers = np.array([number_of.get(place, -1) for place in atlas.views["place_id"]], np.int64)
    cameras = np.flatnonzero(numbers >= 0)
    cameras = cameras[np.argsort(numbers[cameras], kind="stable")]
    positions = atlas.views[["lat", "lon"]].to_numpy(np.float64)[cameras]
    known = atlas.present_at(modality, positions)
    owners, positions = numbers[cameras][known], positions[known]
    more_rows, more = [rows], [centers]
    for number, some in zip(*_grouped(owners, positions), strict=True):
        chosen = _far_apart(centers[number], some)
        more_rows.append(np.full(len(chosen), rows[number], np.int64))
        more.append(chosen)
    return Windows(np.concatenate(more_rows), np.concatenate(more), len(rows))


def _grouped(owners: NDArray[np.int64], positions: NDArray[np.float64]) -> tuple[list[int], list[NDArray[np.float64]]]:
    """The owners, each once, and the positions of each; both are sorted by owner already."""
    distinct, starts = np.unique(owners, return_index=True)
    return distinct.tolist(), np.split(positions, starts[1:]) if len(distinct) else []


def _far_apart(center: NDArray[np.float64], positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Positions chosen one after the other, each the farthest from the center and from those before: (m, 2)."""
    chosen: list[int] = []
    away = distance_m(center, positions)
    while len(chosen) < MOST_WINDOWS - 1 and away.max() >= APART_M:
        chosen.append(int(away.argmax()))
        away = np.minimum(away, distance_m(positions[chosen[-1]], positions))
    return positions[chosen]
