"""Surface models through a vision transformer that is trained from scratch, as in UniGeoCLIP (arXiv 2604.11668)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from unigeoclip.errors import InputError
from unigeoclip.modalities.convolution import PictureConfig
from unigeoclip.modalities.location import Block
from unigeoclip.modalities.surface import height_channels, prepared_heights
from unigeoclip.modalities.towers.pictures import check_heads

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["KIND", "SurfaceVit", "SurfaceVitConfig"]

KIND = "vit"
_CHANNELS = 3  # see `height_channels`


@dataclass(frozen=True)
class SurfaceVitConfig(PictureConfig):
    """Shape of the transformer, by default that of ViT-B/16, and the heights it is made for."""

    kind: str = KIND
    px: int = 224
    patch: int = 16
    width: int = 768
    depth: int = 12
    heads: int = 12
    mlp_ratio: float = 4.0
    relief_m: float = 300.0  # a typical height difference inside a window
    level_m: float = 2000.0  # a typical height of a whole window

    def __post_init__(self) -> None:
        """Check that the parts fit.

        Raises:
            InputError: They do not.
        """
        check_heads(self.width, self.heads)
        if self.patch < 1 or self.px < self.patch or self.px % self.patch or self.depth < 1:
            raise InputError(
                f"px ({self.px}) must be a multiple of patch ({self.patch}), and depth ({self.depth}) 1 or more."
            )


class SurfaceVit(nn.Module):
    """Patches of heights -> tokens with learned positions -> pre-norm blocks -> their mean -> embedding."""

    def __init__(self, config: SurfaceVitConfig, dim: int) -> None:
        super().__init__()
        self.config = config
        width, side = config.width, config.px // config.patch
        self.patches = nn.Conv2d(_CHANNELS, width, config.patch, stride=config.patch)
        self.positions = nn.Parameter(torch.randn(side * side, width) * 0.02)
        self.blocks = nn.ModuleList(Block(width, config.heads, config.mlp_ratio) for _ in range(config.depth))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, dim)

    @property
    def layers(self) -> list[nn.Module]:
        """The blocks, from the input on."""
        return list(self.blocks)

    def prepare(self, heights: NDArray[np.float32]) -> Tensor:
        """See `surface.prepared_heights`."""
        return prepared_heights(heights, self.config.px)

    def forward(self, heights: Tensor) -> Tensor:
        """(n, 1, px, px) metres -> (n, dim), not normalised."""
        channels = height_channels(heights, self.config.relief_m, self.config.level_m)
        tokens = self.patches(channels).flatten(2).transpose(1, 2) + self.positions  # (n, patches, width)
        for block in self.blocks[:-1]:
            tokens = block(tokens)
        out: Tensor = self.head(self.norm(self.blocks[-1](tokens, pool=tokens.shape[1])))
        return out
