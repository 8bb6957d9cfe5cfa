"""Surface: heights in metres over a square window, north up (digital surface or elevation model)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from unigeoclip.errors import InputError
from unigeoclip.modalities.convolution import ConvConfig, ConvEncoder

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class SurfaceConfig(ConvConfig):
    """Shape of the surface encoder and the heights it is made for."""

    relief_m: float = 300.0  # a typical height difference inside a window
    level_m: float = 2000.0  # a typical height of a whole window


class SurfaceEncoder(nn.Module):
    """Encode windows of heights, see `height_channels`."""

    def __init__(self, config: SurfaceConfig, dim: int) -> None:
        super().__init__()
        self.config = config
        self.trunk = ConvEncoder(config, channels=3, dim=dim)

    def prepare(self, heights: NDArray[np.float32]) -> Tensor:
        """See `prepared_heights`."""
        return prepared_heights(heights, self.config.px)

    def forward(self, heights: Tensor) -> Tensor:
        """(n, 1, px, px) metres -> (n, dim), not normalised."""
        channels = height_channels(heights, self.config.relief_m, self.config.level_m)
        out: Tensor = self.trunk(channels.contiguous(memory_format=torch.channels_last))
        return out


def prepared_heights(heights: NDArray[np.float32], px: int) -> Tensor:
    """Check (n, 1, px, px) metres, NaN for no data, and return it as a float32 tensor.

    Raises:
        InputError: Another shape, not floating point, or infinite.
    """
    if heights.ndim != 4 or heights.shape[1:] != (1, px, px) or heights.dtype.kind != "f":
        found = f"{heights.dtype} {heights.shape}"
        raise InputError(f"Surface windows must be metres (float) of shape (n, 1, {px}, {px}); these are {found}.")
    if np.isinf(heights).any():
        raise InputError("Surface windows must be finite metres, with NaN where there is no data.")
    return torch.from_numpy(np.ascontiguousarray(heights, dtype=np.float32))


def height_channels(heights: Tensor, relief_m: float, level_m: float) -> Tensor:
    """(n, 1, px, px) metres -> (n, 3, px, px): relief about the window's mean, its level, and no data.

    Relief goes through asinh, so that both a coastal plain of a few metres and the Himalaya stay in range.

    Args:
        heights: NaN where there are no data.
        relief_m: A typical height difference inside a window.
        level_m: A typical height of a whole window.
    """
    missing = heights.isnan()
    filled = heights.nan_to_num(0.0)
    known = (~missing).sum((2, 3), keepdim=True).clamp(min=1)
    level = filled.sum((2, 3), keepdim=True) / known  # (n, 1, 1, 1), metres
    relief = torch.asinh((filled - level) / relief_m).masked_fill(missing, 0.0)
    return torch.cat([relief, (level / level_m).expand_as(relief), missing.to(relief.dtype)], dim=1)
