"""The command that trains a recorded model again, found from its record: it is checked, not remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unigeoclip.atlas.store import load_atlas
from unigeoclip.config import from_dict
from unigeoclip.errors import AtlasError, InputError
from unigeoclip.training.baselines import planned_baseline
from unigeoclip.training.configs import CONFIGS, TrainConfig
from unigeoclip.training.runs import chosen_split, planned_config

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from unigeoclip.atlas.store import Atlas

__all__ = ["recorded_config", "train_command"]

_NOT_CONFIG = ("seconds", "machine", "before")  # what a record of a training holds beside its configuration
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

    Where the training started from another model whose training is recorded, two commands or more, one a line.

    Args:
        atlas: Where it was trained.
        record: Content of ``metrics.json``, or of ``baseline.json``.
        baseline: Key of `embedders.retrained.BASELINES`, where the record is of one.

    Raises:
        InputError: The record has no training, or one of another form.
    """
    wanted = recorded_config(record)
    split = record.get("split")
    if record.get("start"):
        return _commands_of_all(atlas, record)
    parts = record.get("atlases") or []
    try:
        atlases = [atlas if part["atlas"] == atlas.name else load_atlas(part["atlas"]) for part in parts] or [atlas]
    except AtlasError:  # one of several is not here
        return None
    for name in CONFIGS:
        for steps in (None, wanted.steps):
            if not _leads_to(wanted, atlases, name, steps, baseline):
                continue
            options = [f"--atlas {','.join(each.name for each in atlases)}"]
            if len({part["weight"] for part in parts}) > 1:
                options += [f"--atlas-weights {','.join(format(part['weight'], 'g') for part in parts)}"]
            options += [f"--baseline {baseline}" if baseline else f"--config {name}"]
            options += [f"--config {name}"] if baseline and name != "mini" else []
            options += [f"--steps {steps}"] if steps is not None else []
            some = wanted.model.encoders
            whole = baseline or set(some) == set(planned_config(atlases, name, None).model.encoders)
            options += [] if whole else [f"--modalities {','.join(some)}"]
            options += [f"--split {split}"] if split != chosen_split(atlas, None) else []
            options += [f"--seed {record['seed']}"] if record.get("seed") else []
            return f"python -m unigeoclip train {' '.join(options)}"
    return None


def _commands_of_all(atlas: Atlas, record: Mapping[str, Any]) -> str | None:
    """The command of a training that started from another model, after those of the others, the first one first."""
    alone = {key: value for key, value in record.items() if key not in ("start", "training_before")}
    trainings, before = [record["training"]], record.get("training_before")
    while before is not None:
        trainings.append(before)
        if "before" not in before:
            break
        before = before["before"]
    else:  # a record knows the model before it by its checksum alone
        return None
    lines: list[str] = []
    for earlier, training in reversed(list(enumerate(trainings))):
        command = train_command(atlas, alone | {"training": training})
        if command is None:
            return None
        command += f" --init-from {_folder(atlas, earlier + 1)}/model" if lines else ""
        lines.append(command + (f" --out {_folder(atlas, earlier)}" if earlier else ""))
    return "\n".join(lines)


def _folder(atlas: Atlas, earlier: int) -> str:
    """Where the training that is so many before the last puts its model."""
    return f"runs/{atlas.name}{'-before' * earlier}"


def _leads_to(
    wanted: TrainConfig, atlases: Sequence[Atlas], name: str, steps: int | None, baseline: str | None
) -> bool:
    """Whether the command of these options trains what is wanted, of the same modalities where there are more."""
    if baseline is not None:
        return _same(planned_baseline(atlases[0], baseline, name, steps)[1], wanted)
    some = wanted.model.encoders
    try:
        has = planned_config(atlases, name, None).model.encoders
        only = list(some) if len(some) > 1 and set(some) < set(has) else None
        return _same(planned_config(atlases, name, steps, only), wanted)
    except InputError:  # it does not serve all of the atlases
        return False


def _same(one: TrainConfig, other: TrainConfig) -> bool:
    """Whether two trainings lead to the same weights; the rate of a restart that is not taken does not matter."""
    a, b = vars(one).copy(), vars(other).copy()
    ignored = (*_BUDGET, *(("restart_rate",) if not (one.restart_steps or other.restart_steps) else ()))
    for key in ignored:
        a.pop(key)
        b.pop(key)
    return a == b
