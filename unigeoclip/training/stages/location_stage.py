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
from torch import Tensor

from unigeoclip.devices import autocast
from unigeoclip.training.gradients import decay_groups, descend
from unigeoclip.training.losses import all_to_all_loss
from unigeoclip.training.sampling.draws import with_neighbors
from unigeoclip.training.stages.pools import Pool, drawn_pool
from unigeoclip.training.stages.progress import EVERY, Kept

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
STEPS_A_POOL = EVERY  # so that a stage that goes on draws the pool that would be next
RATE = 5e-4
WARM_STEPS = 50
TEACHER_WEIGHT = 1.0  # beside the contrastive loss
TOWN_SHARE = 1 / 3  # of a step's positions, in addition
_SEED = 11  # beside that of the training: draws of its own


class _Lesson(NamedTuple):
    """What a teacher says of a pool.

    Attributes:
        pool: (n, components), of its positions.
        towns: (m, 2) degrees of positions near towns, which a teacher alone speaks of.
        near_towns: (m, components), of those.
    """

    pool: Tensor
    towns: NDArray[np.float64]
    near_towns: Tensor


def tune_location(
    model: UniGeoCLIP,
    sampler: PlaceSampler | Mixture,
    config: TrainConfig,
    seed: int,
    teacher: Teacher | None = None,
    kept: Kept | None = None,
) -> None:
    """Train the location encoder, in place; a pure function of model, atlas, configuration and seed.

    Args:
        model: With location and another modality.
        sampler: Of the training; of several atlases each has a pool of its own, and each step is of one of them.
        config: Its ``location_steps``, share of neighbors and weights count.
        seed: Of the draws.
        teacher: What else the vectors have to explain; its linear function learns, too.
        kept: Where the stage is kept, so that it can go on in another process.
    """
    steps, frozen = config.location_steps, [p for p in model.parameters() if p.requires_grad]
    encoder = model.encoders[LOCATION]
    model.eval().requires_grad_(False)
    encoder.train().requires_grad_(True)
    groups = decay_groups(encoder, config.weight_decay)
    if teacher is not None:
        groups.append({"params": list(teacher.parameters()), "weight_decay": 0.0})
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98))
    pools: dict[PlaceSampler, tuple[Pool, _Lesson | None]] = {}
    parts: dict[str, torch.nn.Module | torch.optim.Optimizer] = {"encoder": encoder, "optimizer": optimizer}
    if teacher is not None:
        parts["teacher"] = teacher
    for step in (kept or Kept()).steps(steps, seed, "Location alone", parts):
        if step % STEPS_A_POOL == 0:
            pools.clear()
        if (here := sampler.at(step)) not in pools:
            drawn = drawn_pool(model, here, POOL, (seed, _SEED, step), bf16=config.bf16)
            pools[here] = drawn, None if teacher is None else _lesson(drawn, here, teacher, (seed, _SEED, step, 2))
        current, lesson = pools[here]
        rng = np.random.default_rng((seed, _SEED, step, 1))
        rows = with_neighbors(rng.integers(len(current.latlon), size=BATCH), current.tree, config.draws.near, rng)
        own, loss = _loss(model, current, rows, config)
        if teacher is not None and lesson is not None:
            loss = loss + TEACHER_WEIGHT * _teaching_loss(model, teacher, lesson, rows, own, rng)
        rate = RATE * min(1, (step + 1) / WARM_STEPS) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))
        descend(optimizer, loss, encoder, rate, config.clip_norm)
    for parameter in frozen:
        parameter.requires_grad_(True)
    model.eval()


def _loss(model: UniGeoCLIP, pool: Pool, rows: NDArray[np.int64], config: TrainConfig) -> tuple[Tensor, Tensor]:
    """The vectors of some positions of a pool, and their contrastive loss with every other modality."""
    device = model.log_scale.device
    with autocast(device, config.bf16):
        own = model(model.prepare({LOCATION: pool.latlon[rows]}))
    at = torch.from_numpy(rows).to(device)
    embeddings = own | {name: vectors[at] for name, vectors in pool.others.items()}
    present = {name: here[at] for name, here in pool.present.items()}
    return own[LOCATION], all_to_all_loss(embeddings, model.pair_log_scale, present, LOCATION, config.weights)


def _teaching_loss(
    model: UniGeoCLIP,
    teacher: Teacher,
    lesson: _Lesson,
    rows: NDArray[np.int64],
    own: Tensor,
    rng: np.random.Generator,
) -> Tensor:
    """How far the vectors of positions, and of others near towns, are from what the teacher says."""
    some = rng.integers(len(lesson.towns), size=round(TOWN_SHARE * len(rows)))
    near = model(model.prepare({LOCATION: lesson.towns[some]}))[LOCATION]
    said = [
        values[torch.from_numpy(at).to(own.device)] for values, at in ((lesson.pool, rows), (lesson.near_towns, some))
    ]
    return teacher.loss(torch.cat([own, near]), torch.cat(said))


def _lesson(pool: Pool, sampler: PlaceSampler, teacher: Teacher, seed: tuple[int, ...]) -> _Lesson:
    """What a teacher says of a pool, and of as many positions again that lie near towns."""
    towns = sampler.near_towns(len(pool.latlon), np.random.default_rng(seed))
    return _Lesson(teacher.targets(pool.latlon), towns, teacher.targets(towns))
