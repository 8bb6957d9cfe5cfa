"""Centers, corners and outlines of S2 cells; their numbers are computed in `s2_cells`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.extras import needs_extra

if TYPE_CHECKING:
    from numpy.typing import NDArray

with needs_extra("build"):
    import s2sphere


def cell_centers(cells: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Centres of cells, (n,) -> (n, 2) degrees, rounded to a centimetre."""
    centers = np.empty((len(cells), 2))
    for row, cell in enumerate(cells):
        at = s2sphere.CellId(int(cell)).to_lat_lng()
        centers[row] = at.lat().degrees, at.lng().degrees
    return np.round(centers, 7)


def cell_corners(cell: int) -> NDArray[np.float64]:
    """Corners of a cell, (4, 2) degrees."""
    vertices = s2sphere.Cell(s2sphere.CellId(cell))
    corners = [s2sphere.LatLng.from_point(vertices.get_vertex(i)) for i in range(4)]
    return np.array([[corner.lat().degrees, corner.lng().degrees] for corner in corners])


def cell_outline(cell: int, points_per_edge: int) -> NDArray[np.float64]:
    """Points along the four great-circle edges of a cell, (4 * points_per_edge, 2) degrees."""
    vertices = s2sphere.Cell(s2sphere.CellId(cell))
    corners = np.array([[vertices.get_vertex(i)[axis] for axis in range(3)] for i in range(4)])
    steps = np.arange(points_per_edge)[:, None] / points_per_edge
    edges = [corners[i] * (1 - steps) + corners[(i + 1) % 4] * steps for i in range(4)]
    xyz = np.concatenate(edges)
    xyz /= np.linalg.norm(xyz, axis=1, keepdims=True)
    latlon: NDArray[np.float64] = np.degrees(np.stack([np.arcsin(xyz[:, 2]), np.arctan2(xyz[:, 1], xyz[:, 0])], axis=1))
    return latlon
