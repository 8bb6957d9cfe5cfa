"""Positions drawn as a training does, and what frozen encoders say of them, for an encoder that learns alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from unigeoclip.devices import autocast
from unigeoclip.geo import unit_xyz
from unigeoclip.modalities.street import StreetBatch
from unigeoclip.training.gradients import presence
from unigeoclip.training.sampling.draws import DrawConfig, changed, drawn_changes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.model import UniGeoCLIP
    from unigeoclip.training.sampling.sampler import PlaceSampler

__all__ = ["Pool", "drawn_pool"]

_LOCATION, _STREET = "location", "street"
_AT_ONCE = 512


@dataclass(frozen=True)
class Pool:
    """Positions, and what the frozen encoders say of them.

    Attributes:
        latlon: (n, 2) degrees.
        others: Modality -> (n, dim) unit vectors.
        present: Modality -> (n,) which positions have it.
        tree: Of the positions.
        street: Views of the positions, where the street encoder is the one that learns.
    """

    latlon: NDArray[np.float64]
    others: dict[str, Tensor]
    present: dict[str, Tensor]
    tree: cKDTree
    street: StreetBatch | None = None


@torch.no_grad()
def drawn_pool(
    model: UniGeoCLIP,
    sampler: PlaceSampler,
    learns: str,
    size: int,
    seed: tuple[int, ...],
    *,
    bf16: bool = False,
    recolored: float = 0.0,
) -> Pool:
    """Draw positions as a step of the training does, and encode all modalities but one.

    Args:
        model: The model.
        sampler: Of the training; a mixture's takes its share of the positions.
        learns: The modality that is left out, location or street.
        size: Number of positions.
        seed: Of the draws.
        bf16: Whether encoders may compute in bfloat16.
        recolored: See `DrawConfig`.
    """
    names = [name for name in model.modalities if name != learns and name in sampler.atlas.manifest.modalities]
    size, device = max(1, round(size * sampler.share)), model.log_scale.device
    latlon, others, present, streets = [], [], [], []
    for start in range(0, size, _AT_ONCE):
        rng = np.random.default_rng((*seed, start))
        inputs = _inputs(sampler, min(_AT_ONCE, size - start), recolored, rng)
        prepared = model.prepare({name: inputs[name] for name in names})
        with autocast(device, bf16):
            others.append(model(prepared))
        if learns == _STREET:
            streets.append(prepared_street := model.prepare({_STREET: inputs[_STREET]})[_STREET])
            prepared = prepared | {_STREET: prepared_street}
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
        StreetBatch.joined(streets) if streets else None,
    )


def _inputs(sampler: PlaceSampler, size: int, recolored: float, rng: np.random.Generator) -> dict[str, Any]:
    inputs = sampler.drawn_inputs(size, rng)
    if not recolored:
        return inputs
    return changed(inputs, drawn_changes(size, DrawConfig(recolored=recolored), (), rng), ())
