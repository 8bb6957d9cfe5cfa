"""Aerial: a square picture of the ground from above, north up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from unigeoclip.errors import InputError
from unigeoclip.modalities.convolution import ConvConfig, ConvEncoder

if TYPE_CHECKING:
    from numpy.typing import NDArray


class AerialEncoder(nn.Module):
    """Encode uint8 RGB windows of the side the configuration names."""

    def __init__(self, config: ConvConfig, dim: int) -> None:
        super().__init__()
        self.config = config
        self.trunk = ConvEncoder(config, channels=3, dim=dim)

    def prepare(self, pictures: NDArray[np.uint8]) -> Tensor:
        """See `prepared_pictures`."""
        return prepared_pictures(pictures, self.config.px)

    def scaled(self, pictures: Tensor) -> Tensor:
        """(n, 3, px, px) uint8 -> float32 of about [-1, 1]: what the trunk takes."""
        # The square root spreads the dark end: the texture of forests lies below a tenth of full brightness.
        scaled = (pictures.float() / 255).sqrt() * 2 - 1
        return scaled.contiguous(memory_format=torch.channels_last)

    def forward(self, pictures: Tensor) -> Tensor:
        """(n, 3, px, px) uint8 -> (n, dim), not normalised."""
        out: Tensor = self.trunk(self.scaled(pictures))
        return out


def prepared_pictures(pictures: NDArray[np.uint8], px: int) -> Tensor:
    """Check (n, 3, px, px) uint8 and return it as a tensor.

    Raises:
        InputError: Another shape or type.
    """
    if pictures.ndim != 4 or pictures.shape[1:] != (3, px, px) or pictures.dtype != np.uint8:
        found = f"{pictures.dtype} {pictures.shape}"
        raise InputError(f"Aerial pictures must be uint8 of shape (n, 3, {px}, {px}); these are {found}.")
    return torch.from_numpy(np.ascontiguousarray(pictures))
