"""Colors, sharpness and seasons of drawn pictures, varied: photographs never have the ones a renderer was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

GAMMA = (0.65, 1.5)  # brightness of the middle tones
GAIN = (0.85, 1.15)  # of each channel: haze, film, time of day
SATURATION = (0.2, 1.5)  # from a hazy winter's day to a painted summer
GREEN = (0.8, 1.15)  # further gain of what is green: leaves of the seasons
BLURRED = 0.4  # share of pictures that lose sharpness
BLUR_PX = (0.4, 1.1)  # standard deviation
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def recolored(pictures: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Vary every picture by itself.

    Args:
        pictures: (n, 3, height, width) RGB.
        rng: Of the draws.

    Returns:
        Pictures of the same shape.
    """
    count = len(pictures)
    colors = pictures.astype(np.float32) / 255
    gray = np.einsum("nchw,c->nhw", colors, _LUMA)[:, None]
    greenness = np.clip(colors[:, 1:2] - (colors[:, :1] + colors[:, 2:]) / 2, 0, None) * 4
    green = _each(GREEN, (count, 1, 1, 1), rng)
    colors = gray + _each(SATURATION, (count, 1, 1, 1), rng) * (colors - gray)
    colors = colors * (1 + np.clip(greenness, 0, 1) * (green - 1)) * _each(GAIN, (count, 3, 1, 1), rng)
    colors = np.clip(colors, 0, 1) ** _each(GAMMA, (count, 1, 1, 1), rng)
    widths = _each(BLUR_PX, (count,), rng)
    for number in np.flatnonzero(rng.random(count) < BLURRED):
        colors[number] = gaussian_filter(colors[number], (0, widths[number], widths[number]), mode="nearest")
    out: NDArray[np.uint8] = np.round(colors * 255).astype(np.uint8)
    return out


def _each(span: tuple[float, float], shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Factors drawn evenly in their logarithm."""
    low, high = np.log(span)
    return np.exp(rng.uniform(low, high, shape)).astype(np.float32)
