"""Cells of S2, which divide the Earth at every scale: their numbers for whole arrays of points.

The S2 library, one point at a time, would take minutes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unigeoclip import geo

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["cell_ids", "leaf_range", "parents", "token"]

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


def parents(ids: NDArray[np.uint64], level: int) -> NDArray[np.uint64]:
    """Cells of a level that hold finer ones.

    Args:
        ids: (n,) uint64 numbers of cells, each at this level or below.
        level: 0 to 30.

    Returns:
        (n,) uint64.
    """
    lowest = np.uint64(1) << np.uint64(2 * (_MAX_LEVEL - level))
    above: NDArray[np.uint64] = (ids & ~(lowest - np.uint64(1))) | lowest
    return above


def leaf_range(cell_id: int) -> tuple[int, int]:
    """The first and the last number of the cells of level 30 that lie in a cell."""
    half = (cell_id & -cell_id) - 1
    return cell_id - half, cell_id + half


def token(cell_id: int) -> str:
    """The short name of a cell: its number in hexadecimal without the zeros at the end."""
    return f"{int(cell_id):016x}".rstrip("0") or "X"
