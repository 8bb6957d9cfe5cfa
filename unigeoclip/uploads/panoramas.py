"""Equirectangular panoramas cut into pictures as a level camera would take them.

A panorama of 360 x 180 degrees has the heading in its columns, that of the camera in the middle one, and the angle
above the horizon in its rows. A pinhole camera of horizontal field of view ``fov`` sees in its pixel (x, y), counted
from the middle to the right and upward in units of half the width, the direction (x tan(fov / 2), y tan(fov / 2), 1);
https://en.wikipedia.org/wiki/Gnomonic_projection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

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
    rows, cols = panorama.shape[:2]
    tangent = np.tan(np.radians(fov_deg / 2))
    x = (2 * (np.arange(width) + 0.5) / width - 1) * tangent
    y = (height - 2 * (np.arange(height) + 0.5)) / width * tangent
    heading = np.degrees(np.arctan(x)) + turn_deg
    up = np.degrees(np.arctan2(y[:, None], np.hypot(x, 1.0)[None]))
    col = (heading / 360 + 0.5) * cols - 0.5
    at = np.stack(np.broadcast_arrays((0.5 - up / 180) * rows - 0.5, col[None] % cols))
    # The columns wrap; one more at the right, the first again, is what lies between the last and the first.
    wrapped = np.concatenate([panorama, panorama[:, :1]], axis=1)
    bands = [
        ndimage.map_coordinates(wrapped[..., band].astype(np.float32), at, order=1, mode="nearest")
        for band in range(panorama.shape[2])
    ]
    seen: NDArray[np.uint8] = np.rint(np.stack(bands, axis=-1)).astype(np.uint8)
    return seen
