"""One column of a street view: colors laid behind one another from front to back, with their coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.city.jit import compiled

if TYPE_CHECKING:
    from unigeoclip.city.scene import Array, Real

HAZE = (203.0, 212.0, 221.0)
OPAQUE = 0.96  # coverage from which nothing behind is drawn
_HAZE_LENGTH_M = 900.0


@compiled
def lay(column: Array, row: int, red: Real, green: Real, blue: Real, alpha: Real) -> None:  # pragma: no cover
    """Put a colour behind what a pixel of the column shows; column is (rows, 4): red, green, blue, coverage."""
    part = (1 - column[row, 3]) * alpha
    column[row, 0] += part * red
    column[row, 1] += part * green
    column[row, 2] += part * blue
    column[row, 3] += part


@compiled
def haze_at(distance_m: Real) -> Any:  # pragma: no cover - compiled
    """Share of the haze in the color of a thing so far away, 0 to 1, float32."""
    return np.float32(1 - np.exp(-distance_m / _HAZE_LENGTH_M))


@compiled
def lay_in_haze(
    column: Array, row: int, red: Real, green: Real, blue: Real, haze: Real, alpha: Real
) -> None:  # pragma: no cover - compiled
    """As `lay`, of a thing that is seen through haze."""
    clear = 1 - haze
    lay(column, row, red * clear + HAZE[0] * haze, green * clear + HAZE[1] * haze, blue * clear + HAZE[2] * haze, alpha)


@compiled
def stripes(at: Real, period: Real, start: Real, stop: Real, footprint: Real) -> Any:  # pragma: no cover
    """How much of ``footprint`` round a position lies in stripes [start, stop) of every period: exact, no aliasing."""
    low, high = (at - footprint / 2) / period, (at + footprint / 2) / period
    a, b = start / period, stop / period
    low_floor, high_floor = np.floor(low), np.floor(high)
    below = low_floor * (b - a) + min(max(low - low_floor - a, 0.0), b - a)
    above = high_floor * (b - a) + min(max(high - high_floor - a, 0.0), b - a)
    return np.float32((above - below) / max(high - low, 1e-9))


@compiled
def band(at: Real, start: Real, stop: Real, per_footprint: Real) -> Any:  # pragma: no cover - compiled
    """How much of a footprint (its inverse is given) round a position lies between start and stop."""
    half = np.float32(0.5) / per_footprint
    return max((min(at + half, stop) - max(at - half, start)) * per_footprint, np.float32(0))
