"""Colors, sharpness and seasons of drawn pictures, varied: photographs never have the ones a renderer was given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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


@dataclass(frozen=True)
class Recoloring:
    """How each of n pictures is varied.

    Attributes:
        chosen: (n,) whether it is varied at all.
        saturation: (n,) factors.
        green: (n,) factors of what is green.
        gain: (n, 3) factors of the channels.
        gamma: (n,) exponents.
        blur_px: (n,) standard deviations, 0 where it stays sharp.
    """

    chosen: NDArray[np.bool_]
    saturation: NDArray[np.float32]
    green: NDArray[np.float32]
    gain: NDArray[np.float32]
    gamma: NDArray[np.float32]
    blur_px: NDArray[np.float32]

    def __getitem__(self, rows: slice | NDArray[np.integer[Any]] | NDArray[np.bool_]) -> Recoloring:
        """Of some of the pictures."""
        return Recoloring(**{name: value[rows] for name, value in vars(self).items()})


def drawn_recoloring(count: int, share: float, rng: np.random.Generator) -> Recoloring:
    """Draw how each of ``count`` pictures is varied, a share of them (0 to 1) at all."""
    chosen = np.zeros(count, bool)
    chosen[rng.permutation(count)[: round(share * count)]] = True
    saturation, green, gamma, blur_px = (_each(span, (count,), rng) for span in (SATURATION, GREEN, GAMMA, BLUR_PX))
    sharp = rng.random(count) >= BLURRED
    return Recoloring(chosen, saturation, green, _each(GAIN, (count, 3), rng), gamma, np.where(sharp, 0, blur_px))


def recolored(pictures: NDArray[np.uint8], how: Recoloring) -> NDArray[np.uint8]:
    """Vary every picture by itself.

    Args:
        pictures: (n, 3, height, width) RGB.
        how: Of each of them.

    Returns:
        Pictures of the same shape.
    """
    colors = pictures.astype(np.float32) / 255
    gray = np.einsum("nchw,c->nhw", colors, _LUMA)[:, None]
    greenness = np.clip(colors[:, 1:2] - (colors[:, :1] + colors[:, 2:]) / 2, 0, None) * 4
    saturation, green, gamma = (each[:, None, None, None] for each in (how.saturation, how.green, how.gamma))
    colors = gray + saturation * (colors - gray)
    colors = colors * (1 + np.clip(greenness, 0, 1) * (green - 1)) * how.gain[:, :, None, None]
    colors = np.clip(colors, 0, 1) ** gamma
    for number in np.flatnonzero(how.blur_px):
        width = how.blur_px[number]
        colors[number] = gaussian_filter(colors[number], (0, width, width), mode="nearest")
    out: NDArray[np.uint8] = np.round(colors * 255).astype(np.uint8)
    return out


def _each(span: tuple[float, float], shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Factors drawn evenly in their logarithm."""
    low, high = np.log(span)
    return np.exp(rng.uniform(low, high, shape)).astype(np.float32)
