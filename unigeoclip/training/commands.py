"""The command that trains a recorded model again, found from its record: it is checked, not remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unigeoclip.config import from_dict
from unigeoclip.training.baselines import planned_baseline
from unigeoclip.training.configs import CONFIGS, TrainConfig
from unigeoclip.training.runs import chosen_split, planned_config

if TYPE_CHECKING:
    from collections.abc import Mapping

    from unigeoclip.atlas.store import Atlas

__all__ = ["recorded_config", "train_command"]

_NOT_CONFIG = ("seconds", "machine")  # what a record of a training holds beside its configuration
_BUDGET = ("evaluate_every", "checkpoint_every", "micro_batch")  # changes no weight, but for rounding


def recorded_config(record: Mapping[str, Any]) -> TrainConfig:
    """The configuration in the record of a training; what a record of an earlier version lacks has its default.

    Args:
        record: Content of ``metrics.json``, or of ``baseline.json``.

    Raises:
        InputError: The record has no training, or one of another form.
    """
    training = record.get("training")
    known = {key: value for key, value in training.items() if key not in _NOT_CONFIG} if training else training
    return from_dict(TrainConfig, known, where="training")


def train_command(atlas: Atlas, record: Mapping[str, Any], baseline: str | None = None) -> str | None:
    """The command that repeats a recorded training; None if no named configuration leads to it.

    Args:
        atlas: Where it was trained.
        record: Content of ``metrics.json``, or of ``baseline.json``.
        baseline: Key of `embedders.retrained.BASELINES`, where the record is of one.

    Raises:
        InputError: The record has no training, or one of another form.
    """
    wanted = recorded_config(record)
    split = record.get("split")
    if record.get("start"):  # from a model that the record knows by its checksum alone
        return None
    for name in CONFIGS:
        for steps in (None, wanted.steps):
            if not _same(_planned(atlas, name, steps, baseline, wanted), wanted):
                continue
            options = [f"--atlas {atlas.name}", f"--baseline {baseline}" if baseline else f"--config {name}"]
            options += [f"--config {name}"] if baseline and name != "mini" else []
            options += [f"--steps {steps}"] if steps is not None else []
            some = wanted.model.encoders
            whole = baseline or set(some) == set(planned_config(atlas, name, None).model.encoders)
            options += [] if whole else [f"--modalities {','.join(some)}"]
            options += [f"--split {split}"] if split != chosen_split(atlas, None) else []
            options += [f"--seed {record['seed']}"] if record.get("seed") else []
            return f"python -m unigeoclip train {' '.join(options)}"
    return None


def _planned(atlas: Atlas, name: str, steps: int | None, baseline: str | None, wanted: TrainConfig) -> TrainConfig:
    """What the command of these options trains; of the modalities of the record, where the configuration has them."""
    if baseline is None:
        some = wanted.model.encoders
        has = planned_config(atlas, name, None).model.encoders
        return planned_config(atlas, name, steps, list(some) if len(some) > 1 and set(some) < set(has) else None)
    return planned_baseline(atlas, baseline, name, steps)[1]


def _same(one: TrainConfig, other: TrainConfig) -> bool:
    """Whether two trainings lead to the same weights; the rate of a restart that is not taken does not matter."""
    a, b = vars(one).copy(), vars(other).copy()
    ignored = (*_BUDGET, *(("restart_rate",) if not (one.restart_steps or other.restart_steps) else ()))
    for key in ignored:
        a.pop(key)
        b.pop(key)
    return a == b
