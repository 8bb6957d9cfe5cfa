"""The compact convolutional trunk that the image-like modalities share in the mini configuration."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from unigeoclip.errors import InputError


@dataclass(frozen=True)
class ConvConfig:
    """Shape of a compact image encoder."""

    px: int = 48  # side of the square input
    widths: tuple[int, ...] = (32, 64, 128, 256)  # channels; each stage halves the side
    hidden: int = 512  # of the two-layer head

    def __post_init__(self) -> None:
        if not self.widths or self.px % 2 ** len(self.widths):
            raise InputError(f"px ({self.px}) must be a multiple of 2 ** {len(self.widths)}, the number of stages.")
        if any(width % 8 for width in self.widths):
            raise InputError(f"widths {self.widths} must be multiples of 8, the channels of one normalisation group.")


class Stage(nn.Module):
    """Halve the side, then one residual convolution: (n, c, s, s) -> (n, width, s/2, s/2)."""

    def __init__(self, channels: int, width: int, residual: bool) -> None:
        super().__init__()
        # GroupNorm and not BatchNorm: a place's embedding must not depend on the batch it is computed in.
        self.down = nn.Sequential(
            nn.Conv2d(channels, width, 3, stride=2, padding=1, bias=False), nn.GroupNorm(width // 8, width), nn.GELU()
        )
        self.residual = (
            nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.GroupNorm(width // 8, width), nn.GELU())
            if residual
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """Apply the stage."""
        down: Tensor = self.down(x)
        return down if self.residual is None else down + self.residual(down)


class ConvEncoder(nn.Module):
    """Strided convolutions, then a two-layer head over all positions: (n, channels, px, px) -> (n, dim).

    The head sees every position rather than their mean: where in the window the coast runs is what tells places apart.
    """

    def __init__(self, config: ConvConfig, channels: int, dim: int) -> None:
        super().__init__()
        inputs = (channels, *config.widths[:-1])
        self.stages = nn.Sequential(
            *(Stage(a, b, residual=i >= 2) for i, (a, b) in enumerate(zip(inputs, config.widths, strict=True)))
        )
        side = config.px // 2 ** len(config.widths)
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(config.widths[-1] * side * side, config.hidden),
            nn.GELU(),
            nn.Linear(config.hidden, dim),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Encode images that are already scaled to about [-1, 1]."""
        out: Tensor = self.head(self.stages(x))
        return out
