"""Colors of classes, told apart by people with any color vision as far as so many colors can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DISTINCT", "class_colors"]

# The palette of M. Okabe and K. Ito (2008, "Color Universal Design"), its black as gray, since maps are dark in places.
_BASE = "e69f00 56b4e9 009e73 f0e442 0072b2 d55e00 cc79a7 999999"
DISTINCT = 24  # classes with a color of their own: the eight, lighter ones and darker ones; then they repeat


def class_colors(count: int) -> NDArray[np.uint8]:
    """Colors of so many classes, (count, 3) sRGB; from `DISTINCT` classes on they repeat."""
    base = np.frombuffer(bytes.fromhex(_BASE), np.uint8).reshape(-1, 3).astype(np.float64)
    lighter, darker = base + (255 - base) * 0.55, base * 0.5
    colors = np.round(np.concatenate([base, lighter, darker])).astype(np.uint8)
    return colors[np.arange(count) % len(colors)]
