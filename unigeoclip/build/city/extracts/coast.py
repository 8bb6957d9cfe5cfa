"""The sea out of coastlines, which OpenStreetMap has as lines with the land on their left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["sea_polygons"]

_ASIDE_M = 1.0  # so far to the right of the middle of a coastline there is sea


def sea_polygons(coastlines: NDArray[Any], box: tuple[float, float, float, float]) -> NDArray[np.object_]:
    """The parts of a box that lie to the right of a coastline.

    Args:
        coastlines: (n,) lines in mercator meters.
        box: Left, lower, right, upper edge.

    Returns:
        (m,) polygons; none without coastlines, where nobody can tell land from sea.
    """
    lines = shapely.get_parts(shapely.clip_by_rect(coastlines, *box))
    lines = lines[shapely.length(lines) > 0]
    if not len(lines):
        return np.array([], dtype=object)
    frame = shapely.box(*box).exterior
    network = shapely.node(shapely.GeometryCollection([*lines, frame]))
    cells = shapely.get_parts(shapely.polygonize(shapely.get_parts(network)))
    starts, ends = _longest_pieces(lines)
    middles, along = (starts + ends) / 2, ends - starts
    length = np.linalg.norm(along, axis=1, keepdims=True)
    right = np.stack([along[:, 1], -along[:, 0]], axis=1) / np.maximum(length, 1e-9)
    reach = np.minimum(_ASIDE_M, length / 4)
    tree = shapely.STRtree(cells)

    def beside(offset: NDArray[np.float64]) -> NDArray[np.int64]:
        """How many coastlines each cell lies beside, on one side of them."""
        _, cell = tree.query(shapely.points(middles + offset), predicate="within")
        return np.bincount(cell, minlength=len(cells))

    wet, dry = beside(right * reach), beside(-right * reach)
    sea: NDArray[np.object_] = cells[wet > dry]
    return sea


def _longest_pieces(lines: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both ends (n, 2) of the longest straight piece of each line."""
    xy, line = shapely.get_coordinates(lines, return_index=True)
    first = np.flatnonzero(line[1:] == line[:-1])
    length = np.hypot(*(xy[first + 1] - xy[first]).T)
    order = np.lexsort((-length, line[first]))
    _, longest = np.unique(line[first][order], return_index=True)
    return xy[first[order[longest]]], xy[first[order[longest]] + 1]
