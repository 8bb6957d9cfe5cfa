"""Street: what a camera at eye level sees, as a bag of one or more views from one spot.

A panorama is four views, a photo is one. Every view goes through the same trunk; the direction it looks in, where that
is known, says how to read it; the mean over the views of a spot goes on. So any number of views in any order will do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from unigeoclip.errors import InputError
from unigeoclip.modalities.convolution import ConvConfig, ConvStages

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

COMPASS = 5  # known or not, and two harmonics of the heading


@dataclass(frozen=True)
class StreetConfig(ConvConfig):
    """Shape of the street encoder; ``px`` is the width of a view."""

    px: int = 64
    height_px: int = 48
    blocks: tuple[int, ...] = (0, 1, 1)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a view in pixels."""
        return self.height_px, self.px


@dataclass(frozen=True)
class StreetBatch:
    """Views of n spots laid end to end.

    Attributes:
        pictures: (m, 3, h, w) uint8 RGB.
        headings_deg: (m,) float32 middle of each view, clockwise from north; NaN where it is not known.
        lengths: (n,) int64 views of each spot, with sum m. A spot without a view has an embedding without meaning.
    """

    pictures: Tensor
    headings_deg: Tensor
    lengths: Tensor

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, spots: slice) -> StreetBatch:
        """The batch of some consecutive spots."""
        ends = self.lengths.cumsum(0)
        lengths = self.lengths[spots]
        stop = int(ends[spots][-1]) if len(lengths) else 0
        views = slice(stop - int(lengths.sum()), stop)
        return StreetBatch(self.pictures[views], self.headings_deg[views], lengths)

    def to(self, device: torch.device | str) -> StreetBatch:
        """The same batch on another device."""
        return StreetBatch(self.pictures.to(device), self.headings_deg.to(device), self.lengths.to(device))


def street_batch(panoramas: NDArray[np.uint8], headings_deg: ArrayLike) -> StreetBatch:
    """Panoramas as a batch.

    Args:
        panoramas: (n, 3, h, k * w) uint8: k views of a spot side by side.
        headings_deg: (n, k) degrees of each view, clockwise from north; NaN where unknown.
    """
    headings = np.asarray(headings_deg, dtype=np.float32)
    count, channels, height, width = panoramas.shape
    views = headings.shape[1]
    apart = panoramas.reshape(count, channels, height, views, width // views).transpose(0, 3, 1, 2, 4)
    pictures = torch.from_numpy(np.ascontiguousarray(apart.reshape(count * views, channels, height, width // views)))
    lengths = torch.full((count,), views, dtype=torch.int64)
    return StreetBatch(pictures, torch.from_numpy(headings.ravel().copy()), lengths)


class StreetEncoder(nn.Module):
    """Bags of street views -> embeddings."""

    def __init__(self, config: StreetConfig, dim: int) -> None:
        super().__init__()
        self.config = config
        hidden = config.hidden
        self.stages = ConvStages(config, channels=3)
        self.seen = nn.Sequential(nn.Flatten(), nn.Linear(self.stages.features, hidden))
        # The same picture means another place when it is seen to the south: the compass scales and shifts features.
        self.compass = nn.Linear(COMPASS, 2 * hidden)
        self.each = nn.Sequential(nn.GELU(), nn.Linear(hidden, hidden), nn.GELU())
        self.together = nn.Sequential(
            nn.LayerNorm(hidden), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, dim)
        )

    def prepare(self, views: StreetBatch | NDArray[np.uint8]) -> StreetBatch:
        """See `prepared_views`."""
        return prepared_views(views, self.config.size)

    def forward(self, views: StreetBatch) -> Tensor:
        """(n spots) -> (n, dim), not normalised."""
        scaled = views.pictures.float() / 127.5 - 1
        features = self.seen(self.stages(scaled.contiguous(memory_format=torch.channels_last)))  # (m, hidden)
        scale, shift = self.compass(compass_waves(views.headings_deg)).chunk(2, dim=1)
        each = self.each(features * (1 + scale) + shift)
        out: Tensor = self.together(mean_over_views(each, views.lengths))
        return out


def prepared_views(views: StreetBatch | NDArray[np.uint8], size: tuple[int, int]) -> StreetBatch:
    """Check views and return them as a batch; an array (n, 3, h, w) is one view a spot, heading unknown.

    Args:
        views: A batch, or uint8 pictures.
        size: Height and width they must have.

    Raises:
        InputError: Another shape or type.
    """
    if isinstance(views, StreetBatch):
        _check(tuple(views.pictures.shape), size, views.pictures.dtype == torch.uint8, views.pictures.dtype)
        return views
    _check(views.shape, size, views.dtype == np.uint8, views.dtype)
    return street_batch(views, np.full((len(views), 1), np.nan))


def _check(shape: tuple[int, ...], size: tuple[int, int], is_uint8: bool, dtype: Any) -> None:
    height, width = size
    if len(shape) != 4 or shape[1:] != (3, height, width) or not is_uint8:
        raise InputError(f"Street views must be uint8 of shape (n, 3, {height}, {width}); these are {dtype} {shape}.")


def mean_over_views(each: Tensor, lengths: Tensor) -> Tensor:
    """Features of views (m, d), of so many views each spot (n,) -> their means (n, d), zeros where there is no view."""
    spot = torch.repeat_interleave(lengths)  # (m,): the row each view belongs to
    total = each.new_zeros(len(lengths), each.shape[1]).index_add_(0, spot, each)
    return total / lengths.clamp(min=1)[:, None]


def compass_waves(headings_deg: Tensor) -> Tensor:
    """(m,) degrees -> (m, 5): whether it is known, then sine and cosine of the heading and of twice it."""
    known = ~headings_deg.isnan()
    turn = headings_deg.nan_to_num(0.0) * (math.pi / 180)
    waves = torch.stack([turn.sin(), turn.cos(), (2 * turn).sin(), (2 * turn).cos()], dim=1)
    return torch.cat([known[:, None].float(), waves * known[:, None]], dim=1)
