"""Cells of S2, which divide the Earth at every scale: numbers of whole arrays of points, centres, corners.

Numbers are computed here for whole arrays at once; the S2 library, one point at a time, would take minutes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unigeoclip import geo
from unigeoclip.extras import needs_extra

if TYPE_CHECKING:
    from numpy.typing import NDArray

with needs_extra("build"):
    import s2sphere

_MAX_LEVEL = 30

# The Hilbert curve: orientation and quadrant (i, j) -> position along the curve and next orientation.
_POSITION = np.array([[0, 1, 3, 2], [0, 3, 1, 2], [2, 3, 1, 0], [2, 1, 3, 0]])
_TURN = np.array([1, 0, 0, 3])  # by position: the next orientation is this one with these bits flipped


def cell_ids(latlon: NDArray[np.float64], level: int) -> NDArray[np.uint64]:
    """Number of the S2 cell that holds each point.

    Args:
        latlon: (n, 2) degrees.
        level: 0 (a face of the cube) to 30 (a centimetre).

    Returns:
        (n,) uint64, the same as those of the S2 library.
    """
    xyz = geo.unit_xyz(latlon)
    face = np.argmax(np.abs(xyz), axis=1)
    face = np.where(np.take_along_axis(xyz, face[:, None], 1)[:, 0] < 0, face + 3, face)
    x, y, z = xyz.T
    upper = np.choose(face, [y, -x, -x, z, z, -y])
    right = np.choose(face, [z, z, -y, y, -x, -x])
    along = np.choose(face, [x, y, z, x, y, z])
    i, j = _ij(upper / along), _ij(right / along)
    turn = face & 1
    number = face.astype(np.uint64)
    for bit in range(_MAX_LEVEL - 1, _MAX_LEVEL - 1 - level, -1):
        quadrant = ((i >> bit) & 1) * 2 + ((j >> bit) & 1)
        position = _POSITION[turn, quadrant]
        number = (number << np.uint64(2)) | position.astype(np.uint64)
        turn = turn ^ _TURN[position]
    lowest = np.uint64(1) << np.uint64(2 * (_MAX_LEVEL - level))
    ids: NDArray[np.uint64] = (number << np.uint64(2 * (_MAX_LEVEL - level) + 1)) | lowest
    return ids


def _ij(tangent: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole-number coordinate on a face, from the tangent of the angle: S2's quadratic transform."""
    root = np.sqrt(1 + 3 * np.abs(tangent))
    st = np.where(tangent >= 0, 0.5 * root, 1 - 0.5 * root)
    whole: NDArray[np.int64] = np.clip(np.floor(st * 2**_MAX_LEVEL), 0, 2**_MAX_LEVEL - 1).astype(np.int64)
    return whole


def token(cell_id: int) -> str:
    """The short name of a cell: its number in hexadecimal without the zeros at the end."""
    return f"{int(cell_id):016x}".rstrip("0") or "X"


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
