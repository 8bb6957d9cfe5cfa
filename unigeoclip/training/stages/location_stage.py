"""A late part of a training: the location encoder alone, against the other encoders, which keep still.

The location encoder has to memorize places, and keeps improving after the other encoders have converged. Alone it sees
twice as many places in a step, at a fraction of the cost: the embeddings of a pool of fresh positions in all other
modalities are computed once, and used for some hundred steps before the next pool.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor, nn
from tqdm import tqdm

from unigeoclip.devices import autocast
from unigeoclip.geo import unit_xyz
from unigeoclip.training.gradients import decay_groups, presence
from unigeoclip.training.losses import all_to_all_loss
from unigeoclip.training.sampling.draws import with_neighbors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.model import UniGeoCLIP
    from unigeoclip.training.configs import TrainConfig
    from unigeoclip.training.sampling.mixture import Mixture
    from unigeoclip.training.sampling.sampler import PlaceSampler
    from unigeoclip.training.stages.teacher import Teacher

LOCATION = "location"
BATCH = 1024
POOL = 40_960  # positions whose pictures and texts are embedded together; several atlases share them
STEPS_A_POOL = 250
RATE = 5e-4
WARM_STEPS = 50
TEACHER_WEIGHT = 1.0  # beside the contrastive loss
TOWN_SHARE = 1 / 3  # of a step's positions, in addition
_POOL_BATCH = 512
_SEED = 11  # beside that of the training: draws of its own


class _Pool(NamedTuple):
    """Positions, and what the frozen encoders say of them.

    Attributes:
        latlon: (n, 2) degrees.
        others: Modality -> (n, dim) unit vectors.
        present: Modality -> (n,) which positions have it.
        tree: Of the positions.
        lesson: What a teacher says of them, (n, components); None without one.
        towns: (m, 2) degrees of positions near towns, which a teacher alone speaks of.
        towns_lesson: What it says, (m, components).
    """

    latlon: NDArray[np.float64]
    others: dict[str, Tensor]
    present: dict[str, Tensor]
    tree: cKDTree
    lesson: Tensor | None = None
    towns: NDArray[np.float64] | None = None
    towns_lesson: Tensor | None = None


def tune_location(
    model: UniGeoCLIP,
    sampler: PlaceSampler | Mixture,
    config: TrainConfig,
    seed: int,
    teacher: Teacher | None = None,
) -> None:
    """Train the location encoder, in place; a pure function of model, atlas, configuration and seed.

    Args:
        model: With location and another modality.
        sampler: Of the training; of several atlases each has a pool of its own, and each step is of one of them.
        config: Its ``location_steps``, share of neighbors and weights count.
        seed: Of the draws.
        teacher: What else the vectors have to explain; its linear function learns, too.
    """
    steps, frozen = config.location_steps, [p for p in model.parameters() if p.requires_grad]
    encoder = model.encoders[LOCATION]
    model.eval().requires_grad_(False)
    encoder.train().requires_grad_(True)
    groups = decay_groups(encoder, config.weight_decay)
    if teacher is not None:
        groups.append({"params": list(teacher.parameters()), "weight_decay": 0.0})
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98))
    pools: dict[PlaceSampler, _Pool] = {}
    for step in tqdm(range(steps), desc="Location alone", unit="step", mininterval=5):
        if step % STEPS_A_POOL == 0:
            pools.clear()
        if (here := sampler.at(step)) not in pools:
            pools[here] = _pool(model, here, (seed, _SEED, step), config.bf16)
            if teacher is not None:
                pools[here] = _taught(pools[here], here, teacher, (seed, _SEED, step, 2))
        current = pools[here]
        rng = np.random.default_rng((seed, _SEED, step, 1))
        rows = with_neighbors(rng.integers(len(current.latlon), size=BATCH), current.tree, config.draws.near, rng)
        loss = _loss(model, current, rows, config, teacher, rng)
        rate = RATE * min(1, (step + 1) / WARM_STEPS) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(encoder.parameters(), config.clip_norm)
        optimizer.step()
    for parameter in frozen:
        parameter.requires_grad_(True)
    model.eval()


def _loss(
    model: UniGeoCLIP,
    pool: _Pool,
    rows: NDArray[np.int64],
    config: TrainConfig,
    teacher: Teacher | None,
    rng: np.random.Generator,
) -> Tensor:
    """The contrastive loss of location with every other modality, on some positions of a pool, and the teacher's."""
    device = model.log_scale.device
    with autocast(device, config.bf16):
        own = model(model.prepare({LOCATION: pool.latlon[rows]}))
    at = torch.from_numpy(rows).to(device)
    embeddings = own | {name: vectors[at] for name, vectors in pool.others.items()}
    present = {name: here[at] for name, here in pool.present.items()}
    loss = all_to_all_loss(embeddings, model.pair_log_scale, present, LOCATION, config.weights)
    if teacher is None or pool.lesson is None or pool.towns is None or pool.towns_lesson is None:
        return loss
    some = rng.integers(len(pool.towns), size=round(TOWN_SHARE * len(rows)))
    near = model(model.prepare({LOCATION: pool.towns[some]}))[LOCATION]
    lesson = torch.cat([pool.lesson[at], pool.towns_lesson[torch.from_numpy(some).to(device)]])
    return loss + TEACHER_WEIGHT * teacher.loss(torch.cat([own[LOCATION], near]), lesson)


def _taught(pool: _Pool, sampler: PlaceSampler, teacher: Teacher, seed: tuple[int, ...]) -> _Pool:
    """A pool with what a teacher says of it, and of as many positions again that lie near towns."""
    towns = sampler.near_towns(len(pool.latlon), np.random.default_rng(seed))
    return pool._replace(lesson=teacher.targets(pool.latlon), towns=towns, towns_lesson=teacher.targets(towns))


@torch.no_grad()
def _pool(model: UniGeoCLIP, sampler: PlaceSampler, seed: tuple[int, ...], bf16: bool) -> _Pool:
    """Draw positions as a step of the training does, and encode all but the location."""
    names = [name for name in model.modalities if name != LOCATION and name in sampler.atlas.manifest.modalities]
    size = max(1, round(POOL * sampler.share))
    latlon, others, present, device = [], [], [], model.log_scale.device
    for start in range(0, size, _POOL_BATCH):
        rng = np.random.default_rng((*seed, start))
        inputs = sampler.drawn_inputs(min(_POOL_BATCH, size - start), rng)
        prepared = model.prepare({name: inputs[name] for name in names})
        with autocast(device, bf16):
            others.append(model(prepared))
        here = presence(inputs, prepared, device)
        everywhere = torch.ones(len(inputs[LOCATION]), dtype=torch.bool, device=device)
        present.append({name: here.get(name, everywhere) for name in names})
        latlon.append(inputs[LOCATION])
    where = np.concatenate(latlon)
    return _Pool(
        where,
        {name: torch.cat([part[name] for part in others]) for name in names},
        {name: torch.cat([part[name] for part in present]) for name in names},
        cKDTree(unit_xyz(where)),
    )
