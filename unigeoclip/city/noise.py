"""Hashes of positions: variation without a random number, so that the same map always gives the same city.

Stored atlases and rendered views depend on every bit of these functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.city.jit import compiled, compiled_strictly

if TYPE_CHECKING:
    from numpy.typing import NDArray


def hash_numbers(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A number without pattern for each number, (n,) -> (n,): the finalizer of MurmurHash3."""
    mixed = numbers
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(33))


def hash_points(xy_m: NDArray[np.float64], salt: int) -> NDArray[np.uint32]:
    """A number without pattern for each point (n, 2) of mercator metres, the same wherever the map is cut.

    Points are rounded to 4 m. Different salts give unrelated numbers: each modality has its own.
    """
    cells = np.floor(xy_m / 4.0).astype(np.int64).astype(np.uint64)
    mixed = cells[:, 0] * np.uint64(0x9E3779B97F4A7C15) ^ cells[:, 1] * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed ^= np.uint64((salt * 0x165667B19E3779F9) % 2**64)
    return (hash_numbers(mixed) >> np.uint64(32)).astype(np.uint32)


@compiled
def hash_pair(a: int, b: int, salt: int) -> Any:  # pragma: no cover - compiled
    """A number without pattern in [0, 1), float32, of two whole numbers."""
    mixed = np.uint32(a) * np.uint32(0x9E3779B1) ^ np.uint32(b) * np.uint32(0x85EBCA77) ^ np.uint32(salt * 0x27D4EB2F)
    mixed = np.uint32((mixed ^ (mixed >> np.uint32(15))) * np.uint32(0x2C1B3C6D))
    mixed = np.uint32((mixed ^ (mixed >> np.uint32(12))) * np.uint32(0x297A2D39))
    return np.float32((mixed ^ (mixed >> np.uint32(15))) & np.uint32(0xFFFFFF)) * np.float32(1 / 16777216)


@compiled
def hash_quickly(a: Any, b: Any) -> Any:  # pragma: no cover - compiled
    """As `hash_pair`, in half the steps and less thoroughly mixed: for every pixel of the leaves of a tree."""
    mixed = np.uint32((np.uint32(a) ^ np.uint32(b)) * np.uint32(0x9E3779B1))
    mixed = np.uint32((mixed ^ (mixed >> np.uint32(15))) * np.uint32(0x2C1B3C6D))
    return np.float32(mixed >> np.uint32(8)) * np.float32(1 / 16777216)


@compiled_strictly
def hash_pixel(x: int, y: int, seed: int) -> Any:  # pragma: no cover - compiled
    """A number without pattern in [0, 1), float64, of a pixel of the aerial picture; mixed in 64 bits."""
    mixed = (
        np.uint32(x) * np.uint32(0x9E3779B1)
        ^ np.uint32(y) * np.uint32(0x85EBCA77)
        ^ np.uint32(seed) * np.uint32(0xC2B2AE3D)
    )
    mixed = (mixed ^ (mixed >> np.uint32(15))) * np.uint32(0x2C1B3C6D)
    mixed = (mixed ^ (mixed >> np.uint32(12))) * np.uint32(0x297A2D39)
    return np.float64((mixed ^ (mixed >> np.uint32(15))) & np.uint32(0xFFFFFF)) / 16777216.0


@compiled_strictly
def mottle(x: int, y: int, size_px: float, seed: int) -> Any:  # pragma: no cover - compiled
    """Smooth noise from -1 to 1 with spots of ``size_px`` pixels."""
    u, v = x / size_px, y / size_px
    i, j = int(np.floor(u)), int(np.floor(v))
    u, v = u - i, v - j
    u, v = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
    upper = hash_pixel(i, j, seed) * (1 - u) + hash_pixel(i + 1, j, seed) * u
    lower = hash_pixel(i, j + 1, seed) * (1 - u) + hash_pixel(i + 1, j + 1, seed) * u
    return 2.0 * (upper * (1 - v) + lower * v) - 1.0
