"""Pictures through a pretrained transformer that is trained end to end: SigLIP 2 or DINOv2.

`AerialTower` and `StreetTower` take what `AerialEncoder` and `StreetEncoder` take. A tower has random weights until it
is filled, by `towers.pretrained.read_tower` at the start of a training or together with the whole model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from unigeoclip.errors import InputError
from unigeoclip.modalities.aerial import prepared_pictures
from unigeoclip.modalities.convolution import PictureConfig
from unigeoclip.modalities.street import COMPASS, StreetBatch, compass_waves, mean_over_views, prepared_views
from unigeoclip.modalities.towers.pretrained import DINOV2, SIGLIP2, dinov2, siglip_pictures, tower_layers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["AerialTower", "StreetTower", "TowerConfig", "TowerEncoder", "check_heads", "identity_head"]

# Mean and standard deviation by channel, as each was trained.
_SCALING = {
    SIGLIP2: ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    DINOV2: ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}


@dataclass(frozen=True)
class TowerConfig(PictureConfig):
    """Shape of a tower of pictures; the defaults are SigLIP 2 ViT-B/16, and DINOv2 ViT-B/14 with ``patch`` 14."""

    kind: str = SIGLIP2
    px: int = 224
    patch: int = 16
    width: int = 768
    depth: int = 12
    heads: int = 12

    def __post_init__(self) -> None:
        """Check that the parts fit.

        Raises:
            InputError: They do not.
        """
        check_heads(self.width, self.heads)
        if self.patch < 1 or self.px < self.patch or self.px % self.patch:
            raise InputError(f"px ({self.px}) must be a multiple of patch ({self.patch}), the side of its patches.")


def check_heads(width: int, heads: int) -> None:
    """Raises InputError unless a width can be shared by so many heads of attention."""
    if heads < 1 or width < heads or width % heads:
        raise InputError(f"width ({width}) must be a multiple of heads ({heads}), which share it.")


def identity_head(width: int, dim: int) -> nn.Linear:
    """The projection of a tower's vector to the shared space, which at first changes nothing if they are as wide.

    The towers of SigLIP 2 agree on pictures and texts when a training starts; random projections would undo that.
    """
    head = nn.Linear(width, dim)
    if width == dim:
        nn.init.eye_(head.weight)
        nn.init.zeros_(head.bias)
    return head


class TowerEncoder(nn.Module):
    """An encoder round a pretrained tower.

    Attributes:
        tower: The transformer; its parameters are the pretrained ones, all others of the encoder are new.
    """

    tower: nn.Module

    @property
    def layers(self) -> list[nn.Module]:
        """The layers of the tower, from the input on."""
        return tower_layers(self.tower)


class _PictureTower(TowerEncoder):
    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        self.config = config
        shape = config.patch, config.width, config.depth, config.heads
        self.tower = dinov2(*shape) if config.kind == DINOV2 else siglip_pictures(config.px, *shape)
        for name, values in zip(("mean", "std"), _SCALING[config.kind], strict=True):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)
        self.mean: Tensor
        self.std: Tensor

    def features(self, pictures: Tensor) -> Tensor:
        """(n, 3, px, px) uint8 -> (n, width)."""
        output: Any = self.tower((pictures.float() / 255 - self.mean) / self.std)
        pooled: Tensor = output.pooler_output
        return pooled


class AerialTower(_PictureTower):
    """Aerial images through a tower."""

    def __init__(self, config: TowerConfig, dim: int) -> None:
        super().__init__(config)
        self.head = identity_head(config.width, dim)

    def prepare(self, pictures: NDArray[np.uint8]) -> Tensor:
        """See `aerial.prepared_pictures`."""
        return prepared_pictures(pictures, self.config.px)

    def forward(self, pictures: Tensor) -> Tensor:
        """(n, 3, px, px) uint8 -> (n, dim), not normalised."""
        out: Tensor = self.head(self.features(pictures))
        return out


class StreetTower(_PictureTower):
    """Bags of square street views through a tower, each read by its heading, averaged by spot."""

    def __init__(self, config: TowerConfig, dim: int) -> None:
        super().__init__(config)
        # As in `StreetEncoder`, but without effect at first: what the tower says counts, whatever the heading.
        self.compass = nn.Linear(COMPASS, 2 * config.width)
        nn.init.zeros_(self.compass.weight)
        nn.init.zeros_(self.compass.bias)
        self.head = identity_head(config.width, dim)

    def prepare(self, views: StreetBatch | NDArray[np.uint8]) -> StreetBatch:
        """See `street.prepared_views`."""
        return prepared_views(views, self.config.size)

    def forward(self, views: StreetBatch) -> Tensor:
        """(n spots) -> (n, dim), not normalised."""
        if len(views.pictures):
            features = self.features(views.pictures)
        else:  # nothing to look at in this part of a batch: other processes that share the tower compute with it now
            features = self.features(views.pictures.new_zeros(1, *views.pictures.shape[1:]))[:0]
        scale, shift = self.compass(compass_waves(views.headings_deg)).chunk(2, dim=1)
        out: Tensor = self.head(mean_over_views(features * (1 + scale) + shift, views.lengths))
        return out
