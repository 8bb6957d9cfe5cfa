"""A run: which training is asked for, and whether a folder holds that one, another, or none."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from tqdm import tqdm

from unigeoclip.config import from_dict, read_json, to_dict, write_json
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.files.atomic import remove_leftovers
from unigeoclip.training.configs import TrainConfig, centered, named_config

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from unigeoclip.atlas.store import Atlas

__all__ = ["Run", "chosen_split", "claimed", "planned_config"]

_BUDGET = ("steps", "restart_steps", "location_steps", "text_steps")


AnyRun = TypeVar("AnyRun", bound="Run")


@dataclass(frozen=True)
class Run:
    """One training: what, on which territory, with which seed."""

    atlas: str
    data: str  # checksum of the atlas's data, so that a result names what it was trained on
    split: str
    seed: int
    config: TrainConfig
    start: str | None = field(default=None, kw_only=True)  # checksum of the model whose weights it starts from


def planned_config(
    atlas: Atlas, config: str | TrainConfig, steps: int | None, modalities: Sequence[str] | None = None
) -> TrainConfig:
    """The configuration that a training on an atlas follows, given the options of ``train``.

    Args:
        atlas: The atlas.
        config: Name of a configuration, or one.
        steps: In place of the configuration's.
        modalities: Those to train; all of the configuration by default.

    Raises:
        InputError: Unknown configuration or modality.
    """
    city = "street" in atlas.manifest.modalities
    config = named_config(config, city=city) if isinstance(config, str) else config
    config = config if modalities is None else config.with_only(modalities)
    return centered(config if steps is None else config.shortened(steps), atlas.manifest.bounds)


def chosen_split(atlas: Atlas, split: str | None) -> str:
    """The split asked for, or the first one of the kind of atlas.

    Raises:
        InputError: The atlas has no such split.
    """
    split = split or ("views" if "street" in atlas.manifest.modalities else "random")
    if split not in atlas.places:
        raise InputError(f"The atlas {atlas.name} has no split {split!r}.")
    return split


def claimed(out: Path, run: AnyRun, resume: bool) -> tuple[AnyRun, bool]:
    """Make the folder of a run, or check that it holds this very run.

    Args:
        out: The folder.
        run: As asked for.
        resume: Whether to go on from a checkpoint. A run that is asked for more steps than it was planned with goes on
            with the further ones as a warm restart of the learning rate.

    Returns:
        The run as it is done, and whether there is a checkpoint to restore.

    Raises:
        CheckpointError: Nothing to resume.
        InputError: The folder holds another run, or this one and ``resume`` is not asked for.
    """
    record, checkpoint = out / "run.json", out / "checkpoint.pt"
    if not record.exists():
        if resume:
            raise CheckpointError(f"{out} has no checkpoint.pt to resume from; start without --resume.")
        out.mkdir(parents=True, exist_ok=True)
        write_json(record, run)
        return run, False
    if checkpoint.exists() and not resume:
        raise InputError(f"{out} holds a training already; continue it with --resume or give another --out.")
    recorded, asked = from_dict(type(run), read_json(record)), from_dict(type(run), to_dict(run))
    planned = _extended(recorded, asked)
    if planned is None or not (resume or planned == recorded):
        raise InputError(f"{record} describes another training than asked for; give the same options or another --out.")
    remove_leftovers(out)
    if planned != recorded:
        write_json(record, planned)
    if not checkpoint.exists():  # the training ended before it wrote one
        tqdm.write(
            f"{out} holds this training, but no checkpoint of it yet: it starts from the beginning.", file=sys.stderr
        )
        (out / "history.csv").unlink(missing_ok=True)
    return planned, checkpoint.exists()


def _extended(recorded: AnyRun, asked: AnyRun) -> AnyRun | None:
    """The recorded run, with further steps if so many are asked for; None if they differ in anything else."""
    start = recorded.start if asked.start is None else asked.start  # its weights are in the checkpoint
    steps = {name: getattr(recorded.config, name) for name in _BUDGET}
    if replace(asked, start=start, config=replace(asked.config, **steps)) != recorded:
        return None
    if asked.config.all_steps == recorded.config.all_steps:
        return recorded
    further = asked.config.all_steps - recorded.config.steps
    if asked.config.all_steps < recorded.config.all_steps:
        return None
    return replace(recorded, config=replace(asked.config, steps=recorded.config.steps, restart_steps=further))
