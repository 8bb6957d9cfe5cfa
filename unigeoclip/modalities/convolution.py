"""The compact convolutional trunk that the image-like modalities share in the mini configuration."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from unigeoclip.errors import InputError

GROUP = 8  # channels normalised together


@dataclass(frozen=True)
class PictureConfig:
    """What an encoder of pictures takes, whatever it is made of."""

    px: int = 48  # width of the input, and its height too unless `size` says otherwise

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the input in pixels."""
        return self.px, self.px


@dataclass(frozen=True)
class ConvConfig(PictureConfig):
    """Shape of a compact image encoder."""

    patch: int = 4  # side of the patches that the first stage turns into one position each
    widths: tuple[int, ...] = (64, 128, 256)  # channels of the stages; each after the first halves the side
    blocks: tuple[int, ...] = (0, 1, 0)  # residual convolutions of each stage
    hidden: int = 512  # of the two-layer head

    def __post_init__(self) -> None:
        """Check that the stages fit the input.

        Raises:
            InputError: They do not.
        """
        if len(self.widths) != len(self.blocks) or not self.widths:
            raise InputError(f"widths {self.widths} and blocks {self.blocks} must have one entry for each stage.")
        for px in self.size:
            if px % self.step:
                raise InputError(
                    f"px ({px}) must be a multiple of {self.step}: the patch, halved by each further stage."
                )
        if any(width % GROUP for width in self.widths):
            raise InputError(f"widths {self.widths} must be multiples of {GROUP}, the channels normalised together.")

    @property
    def step(self) -> int:
        """Input pixels to one position of the last stage."""
        return int(self.patch * 2 ** (len(self.widths) - 1))


class ConvNormAct(nn.Sequential):
    """Convolution, group normalisation, GELU."""

    def __init__(self, channels: int, width: int, kernel: int, stride: int) -> None:
        padding = (kernel - stride + 1) // 2
        super().__init__(
            nn.Conv2d(channels, width, kernel, stride=stride, padding=padding, bias=False),
            # GroupNorm and not BatchNorm: a place's embedding must not depend on the batch it is computed in.
            nn.GroupNorm(width // GROUP, width),
            nn.GELU(),
        )


class Residual(nn.Module):
    """x + convolution(x), same shape."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch = ConvNormAct(width, width, kernel=3, stride=1)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        branch: Tensor = self.branch(x)
        return x + branch


class ConvStages(nn.Sequential):
    """Patches, then strided convolutions: (n, channels, height, width) -> (n, last width, rows, columns).

    Attributes:
        features: How many numbers an output has: last width x rows x columns.
    """

    def __init__(self, config: ConvConfig, channels: int) -> None:
        layers: list[nn.Module] = []
        for stage, (width, blocks) in enumerate(zip(config.widths, config.blocks, strict=True)):
            kernel, stride = (config.patch, config.patch) if stage == 0 else (3, 2)
            layers.append(ConvNormAct(channels, width, kernel, stride))
            layers.extend(Residual(width) for _ in range(blocks))
            channels = width
        super().__init__(*layers)
        height, width = config.size
        self.features = channels * (height // config.step) * (width // config.step)


class ConvEncoder(nn.Module):
    """`ConvStages`, then a two-layer head over all positions: (n, channels, px, px) -> (n, dim).

    The head sees every position rather than their mean: where in the window the coast runs is what tells places apart.
    """

    def __init__(self, config: ConvConfig, channels: int, dim: int) -> None:
        super().__init__()
        self.stages = ConvStages(config, channels)
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(self.stages.features, config.hidden), nn.GELU(), nn.Linear(config.hidden, dim)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Encode images that are already scaled to about [-1, 1]."""
        out: Tensor = self.head(self.stages(x))
        return out
