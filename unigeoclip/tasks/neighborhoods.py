"""Tables whose rows stand for the neighborhood of a place: vectors are averaged over points round it.

A location encoder with fine waves tells apart places that lie close together; what a whole district has in common is in
the mean of its vectors over the district.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip import geo
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.tasks.label_table import LabelTable

__all__ = ["MAX_RADIUS_M", "MIN_RADIUS_M", "MOST_POINTS", "POINTS", "check_radius", "points_around", "spread"]

MIN_RADIUS_M, MAX_RADIUS_M = 10.0, 1_000_000.0
POINTS = 32  # of the neighborhood of a position
# For each point of an area. Vectors with fine waves differ so much within a disc that the mean of 80 is a tenth of that
# off, which cost a probe of degrees in Boston a sixth of its R2.
_POINTS_OF_AREA = 6
MOST_POINTS = 4_000_000  # to be embedded in all: some twenty minutes
_GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))


def check_radius(radius_m: float) -> None:
    """Check the radius of a neighborhood, meters.

    Raises:
        InputError: It is out of range.
    """
    if not MIN_RADIUS_M <= radius_m <= MAX_RADIUS_M:
        raise InputError(f"A neighborhood has a radius of 10 m to 1,000 km, not {radius_m:g} m.")


def points_around(latlon: NDArray[np.float64], radius_m: float) -> NDArray[np.float64]:
    """`POINTS` points spread evenly over a disc round each position, the same way for each.

    Args:
        latlon: (n, 2) degrees.
        radius_m: Of the discs, meters.

    Returns:
        (n, `POINTS`, 2) degrees. They lie on a spiral (Vogel 1979).

    Raises:
        InputError: The radius is out of range.
    """
    check_radius(radius_m)
    return _shifted(latlon[:, None, :], _disc(POINTS) * radius_m)


def spread(table: LabelTable, radius_m: float) -> LabelTable:
    """A table whose rows are averaged over discs round their positions, or round all points of their areas.

    Args:
        table: The table.
        radius_m: Of the discs, 10 m to 1,000 km; the same table gives the same points.

    Raises:
        InputError: The radius is out of range, or there would be more than `MOST_POINTS` points.
    """
    check_radius(radius_m)
    each = POINTS if table.areas is None else _POINTS_OF_AREA * table.areas.shape[1]
    if len(table) * each > MOST_POINTS:
        raise InputError(
            f"{len(table):,} neighborhoods of {each} points are {len(table) * each:,} points, at most {MOST_POINTS:,} "
            "are embedded: use fewer rows, or the embedder without a neighborhood."
        )
    if table.areas is None:
        return replace(table, areas=points_around(table.latlon, radius_m))
    offsets = _disc(each) * radius_m
    # In random order, as rows with fewer points use the first ones only.
    order = np.random.default_rng(0).permutation(len(offsets))
    parts = np.split(offsets[order], _POINTS_OF_AREA)
    return replace(table, areas=np.concatenate([_shifted(table.areas, part) for part in parts], axis=1))


def _disc(count: int) -> NDArray[np.float64]:
    """(count, 2) points spread evenly over the unit disc."""
    number = np.arange(count)
    radius, angle = np.sqrt((number + 0.5) / count), number * _GOLDEN_ANGLE
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _shifted(points: NDArray[np.float64], offset_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (n, k, 2) or (n, 1, 2) moved by (k, 2) meters east and north; NaN stays NaN."""
    known = np.isfinite(points)
    moved = geo.offset_m(np.where(known, points, 0.0), offset_m[:, 0], offset_m[:, 1])
    return np.where(np.broadcast_to(known, moved.shape), moved, np.nan)
