"""A late part of a training: the street encoder alone, against the other encoders, which are frozen.

A panorama has to be distinguished from tens of thousands of places, but is contrasted with some hundred in a batch of
the training. The embeddings of frozen encoders can be reused: those of a pool of fresh positions are computed once, and
each panorama is contrasted with thousands of them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from unigeoclip.devices import autocast
from unigeoclip.training.gradients import decay_groups, descend
from unigeoclip.training.losses import MAX_SCALE
from unigeoclip.training.sampling.draws import with_neighbors
from unigeoclip.training.stages.pools import Pool, drawn_pool

if TYPE_CHECKING:
    from unigeoclip.model import UniGeoCLIP
    from unigeoclip.training.configs import TrainConfig
    from unigeoclip.training.sampling.mixture import Mixture
    from unigeoclip.training.sampling.sampler import PlaceSampler

STREET = "street"
BATCH = 320  # spots with views
POOL = 20_480  # positions; several atlases share them
STEPS_A_POOL = 150  # each spot is then seen some three times
AGAINST = 4096  # further positions of the pool that a panorama is contrasted with
RATE = 6e-4
WARM_STEPS = 100
_SEED = 13  # beside that of the training: draws of its own


def tune_street(model: UniGeoCLIP, sampler: PlaceSampler | Mixture, config: TrainConfig, seed: int) -> None:
    """Train the street encoder, in place; a pure function of model, atlas, configuration and seed.

    Args:
        model: With street and another modality.
        sampler: Of the training; of several atlases each with street views has a pool of its own.
        config: Its ``street_steps``, share of neighbors, colors and weights count.
        seed: Of the draws.
    """
    steps, frozen = config.street_steps, [p for p in model.parameters() if p.requires_grad]
    encoder = model.encoders[STREET]
    model.eval().requires_grad_(False)
    encoder.train().requires_grad_(True)
    optimizer = torch.optim.AdamW(decay_groups(encoder, config.weight_decay), betas=(0.9, 0.98))
    pools: dict[PlaceSampler, Pool] = {}
    for step in tqdm(range(steps), desc="Street views alone", unit="step", mininterval=5):
        if step % STEPS_A_POOL == 0:
            pools.clear()
        here = sampler.at(step)
        if STREET not in here.atlas.manifest.modalities:
            continue
        if here not in pools:
            pools[here] = drawn_pool(
                model, here, STREET, POOL, (seed, _SEED, step), bf16=config.bf16, recolored=config.draws.recolored
            )
        loss = _loss(model, pools[here], config, np.random.default_rng((seed, _SEED, step, 1)))
        rate = RATE * min(1, (step + 1) / WARM_STEPS) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))
        descend(optimizer, loss, encoder, rate, config.clip_norm)
    for parameter in frozen:
        parameter.requires_grad_(True)
    model.eval()


def _loss(model: UniGeoCLIP, pool: Pool, config: TrainConfig, rng: np.random.Generator) -> Tensor:
    """The contrastive loss of some spots of a pool with every other modality, and with the mean of these.

    The mean is what a search by all modalities compares with.
    """
    assert pool.street is not None
    having = np.flatnonzero(pool.present[STREET].cpu().numpy())
    rows = having[rng.integers(len(having), size=BATCH)]
    near = with_neighbors(rows, pool.tree, config.draws.near, rng)
    rows = np.where(np.isin(near, having), near, rows)  # a neighbour may have no view
    keys = np.concatenate([rows, rng.integers(len(pool.latlon), size=AGAINST)])
    device = model.log_scale.device
    with autocast(device, config.bf16):
        own = model({STREET: pool.street.rows(torch.from_numpy(rows)).to(device)})[STREET]
    at, index = torch.from_numpy(keys).to(device), torch.arange(BATCH, device=device)
    of = {name: (vectors[at], pool.present[name][at]) for name, vectors in pool.others.items()}
    of["mean"] = _mean(of)
    scales = {name: model.pair_log_scale(STREET, name) for name in pool.others}
    scales["mean"] = torch.stack(list(scales.values())).mean()
    losses, total = [], 0.0
    for name, (vectors, present) in of.items():
        both, weight = index[present[:BATCH]], config.weights.get(name, 1.0)
        if not len(both) or not weight:
            continue
        scale = scales[name].clamp(max=math.log(MAX_SCALE)).exp()
        there = (scale * own @ vectors.T).masked_fill(~present, -torch.inf)
        back = scale * vectors[:BATCH] @ own.T
        losses.append(weight * (F.cross_entropy(there[both], both) + F.cross_entropy(back[both], both)) / 2)
        total += weight
    return torch.stack(losses).sum() / total


def _mean(of: dict[str, tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Unit means of the vectors that are present, and where there are any."""
    total = torch.stack([vectors * present[:, None] for vectors, present in of.values()]).sum(0)
    return F.normalize(total, dim=1), torch.stack([present for _, present in of.values()]).any(0)
