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

__all__ = ["MAX_RADIUS_M", "MIN_RADIUS_M", "POINTS", "spread"]

MIN_RADIUS_M, MAX_RADIUS_M = 10.0, 1_000_000.0
POINTS = 32  # of the neighborhood of a position
_POINTS_OF_AREA = 2  # for each point of an area, whose many points already lie apart
_GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))


def spread(table: LabelTable, radius_m: float) -> LabelTable:
    """A table whose rows are averaged over discs round their positions, or round all points of their areas.

    Args:
        table: The table.
        radius_m: Of the discs, 10 m to 1,000 km. The points of a disc lie on a spiral (Vogel 1979), evenly and the
            same for every row, so that the same table gives the same points.

    Raises:
        InputError: The radius is out of range.
    """
    if not MIN_RADIUS_M <= radius_m <= MAX_RADIUS_M:
        raise InputError(f"A neighborhood has a radius of 10 m to 1,000 km, not {radius_m:g} m.")
    if table.areas is None:
        areas = _shifted(table.latlon[:, None, :], _disc(POINTS) * radius_m)
        return replace(table, areas=areas)
    count = table.areas.shape[1]
    offsets = _disc(_POINTS_OF_AREA * count) * radius_m
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
