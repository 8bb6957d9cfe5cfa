"""Positions drawn as a training does, and what frozen encoders say of them, while the location encoder learns alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.spatial import cKDTree

from unigeoclip.devices import autocast
from unigeoclip.geo import unit_xyz
from unigeoclip.training.gradients import presence

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from unigeoclip.model import UniGeoCLIP
    from unigeoclip.training.sampling.sampler import PlaceSampler

__all__ = ["Pool", "drawn_pool"]

_LOCATION = "location"
_AT_ONCE = 512


@dataclass(frozen=True)
class Pool:
    """Positions, and what the frozen encoders say of them.

    Attributes:
        latlon: (n, 2) degrees.
        others: Modality -> (n, dim) unit vectors.
        present: Modality -> (n,) which positions have it.
        tree: Of the positions.
    """

    latlon: NDArray[np.float64]
    others: dict[str, Tensor]
    present: dict[str, Tensor]
    tree: cKDTree


@torch.no_grad()
def drawn_pool(
    model: UniGeoCLIP, sampler: PlaceSampler, size: int, seed: tuple[int, ...], *, bf16: bool = False
) -> Pool:
    """Draw positions as a step of the training does, and encode all modalities but location.

    Args:
        model: The model.
        sampler: Of the training; a mixture's takes its share of the positions.
        size: Number of positions.
        seed: Of the draws.
        bf16: Whether encoders may compute in bfloat16.
    """
    names = [name for name in model.modalities if name != _LOCATION and name in sampler.atlas.manifest.modalities]
    size, device = max(1, round(size * sampler.share)), model.log_scale.device
    latlon, others, present = [], [], []
    for start in range(0, size, _AT_ONCE):
        inputs = sampler.drawn_inputs(min(_AT_ONCE, size - start), np.random.default_rng((*seed, start)))
        prepared = model.prepare({name: inputs[name] for name in names})
        with autocast(device, bf16):
            others.append(model(prepared))
        here = presence(inputs, prepared, device)
        everywhere = torch.ones(len(inputs[_LOCATION]), dtype=torch.bool, device=device)
        present.append({name: here.get(name, everywhere) for name in prepared})
        latlon.append(inputs[_LOCATION])
    where = np.concatenate(latlon)
    return Pool(
        where,
        {name: torch.cat([part[name] for part in others]) for name in names},
        {name: torch.cat([part[name] for part in present]) for name in present[0]},
        cKDTree(unit_xyz(where)),
    )
