"""Equirectangular panoramas cut into pictures as a level camera would take them.

A panorama of 360 x 180 degrees has the heading in its columns, that of the camera in the middle one, and the angle
above the horizon in its rows. A pinhole camera of horizontal field of view ``fov`` sees in its pixel (x, y), counted
from the middle to the right and upward in units of half the width, the direction (x tan(fov / 2), y tan(fov / 2), 1);
https://en.wikipedia.org/wiki/Gnomonic_projection.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FOV_DEG", "TURNS_DEG", "cut", "is_panorama"]

FOV_DEG = 90.0  # as of the rendered street views
TURNS_DEG = (0.0, 90.0, 180.0, 270.0)  # clockwise from the middle of the panorama
LEAST_WIDTH_PX = 1000  # with less, a picture of a quarter turn has 250 pixels


def is_panorama(width: int, height: int) -> bool:
    """Whether a picture of this size is taken for a panorama where nobody says: twice as wide as high, and large."""
    return width == 2 * height and width >= LEAST_WIDTH_PX


def cut(
    panorama: NDArray[np.uint8], turn_deg: float, width: int, height: int, fov_deg: float = FOV_DEG
) -> NDArray[np.uint8]:
    """What a level camera sees of a panorama, bilinear.

    Args:
        panorama: (h, w, c), w = 2 h: 360 degrees from left to right, +90 to -90 from top to bottom.
        turn_deg: Direction of the camera, clockwise from the middle of the panorama.
        width: Of the result in pixels.
        height: Of the result; pixels are square.
        fov_deg: Width of the result, in (0, 170].

    Returns:
        (height, width, c) uint8.
    """
    rows, cols, bands = panorama.shape
    pixels = panorama.reshape(-1, bands)
    seen = np.zeros((height * width, bands), np.float32)
    for at, weight in _neighbors(rows, cols, turn_deg, width, height, fov_deg):
        seen += weight * pixels.take(at, axis=0)
    return np.rint(seen).astype(np.uint8).reshape(height, width, bands)


@lru_cache(maxsize=len(TURNS_DEG))  # some 15 MB each; a city has thousands of panoramas of one size
def _neighbors(
    rows: int, cols: int, turn_deg: float, width: int, height: int, fov_deg: float
) -> list[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """For each of the four pixels round every direction: its number (height x width,) and its weight (.., 1)."""
    tangent = np.tan(np.radians(fov_deg / 2))
    x = (2 * (np.arange(width) + 0.5) / width - 1) * tangent
    y = (height - 2 * (np.arange(height) + 0.5)) / width * tangent
    heading = np.degrees(np.arctan(x)) + turn_deg
    up = np.degrees(np.arctan2(y[:, None], np.hypot(x, 1.0)[None]))
    row = (0.5 - up / 180) * rows - 0.5
    col = np.broadcast_to((heading / 360 + 0.5) * cols - 0.5, row.shape)
    top, left = np.floor(row), np.floor(col)
    found = []
    for down, right in product((0, 1), (0, 1)):
        # Columns wrap, rows do not.
        at = np.clip(top + down, 0, rows - 1) * cols + (left + right) % cols
        weight = np.abs(1 - down - (row - top)) * np.abs(1 - right - (col - left))
        found.append((at.astype(np.intp).ravel(), weight.astype(np.float32).reshape(-1, 1)))
    return found
