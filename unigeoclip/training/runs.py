"""A run: which training is asked for, and whether a folder holds that one, another, or none."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from tqdm import tqdm

from unigeoclip.atlas.models import unserved
from unigeoclip.config import from_dict, read_json, to_dict, write_json
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.files.atomic import remove_leftovers
from unigeoclip.modalities.location import LocationConfig
from unigeoclip.training.configs import ALONE, TrainConfig, centered, named_config

if TYPE_CHECKING:
    from pathlib import Path

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.model import ModelConfig

__all__ = ["Run", "Territory", "chosen_split", "claimed", "of_windows", "planned_config", "several"]

_BUDGET = ("steps", "restart_steps", *(f"{name}_steps" for name in ALONE))


AnyRun = TypeVar("AnyRun", bound="Run")


@dataclass(frozen=True)
class Territory:
    """One of several atlases in a training.

    Attributes:
        atlas: Its name.
        data: Checksum of its data.
        split: What is held out of it.
        weight: How often steps draw from it, relative to the others.
    """

    atlas: str
    data: str
    split: str
    weight: float


@dataclass(frozen=True)
class Run:
    """One training: what, on which territory, with which seed; of several atlases the first one is named alone, too."""

    atlas: str
    data: str  # checksum of the atlas's data, so that a result names what it was trained on
    split: str
    seed: int
    config: TrainConfig
    start: str | None = field(default=None, kw_only=True)  # checksum of the model whose weights it starts from
    atlases: tuple[Territory, ...] = field(default=(), kw_only=True)  # all of them, where there are several


def several(
    atlases: Sequence[Atlas], split: str | None, weights: Sequence[float] | None = None
) -> tuple[Territory, ...]:
    """Several atlases as a run records them; none for one alone, which needs no weight.

    Args:
        atlases: The atlases.
        split: Of each, see `chosen_split`.
        weights: Of each; all 1 by default.

    Raises:
        InputError: An atlas is given twice, weights are not as many or not above 0, or an atlas has no such split.
    """
    names = [atlas.name for atlas in atlases]
    if twice := next((name for number, name in enumerate(names) if name in names[:number]), None):
        raise InputError(f"The atlas {twice!r} is given twice; give each one once, and a larger weight to count more.")
    if weights is not None and len(weights) != len(atlases):
        raise InputError(
            f"{len(weights)} weight{'s'[: len(weights) > 1]} for {len(atlases)} atlas{'es'[: 2 * (len(atlases) > 1)]} "
            f"({', '.join(names)}): give one for each."
        )
    if wrong := [weight for weight in weights or () if not (0 < weight < float("inf"))]:
        raise InputError(f"The weight of an atlas is a number above 0, not {wrong[0]:g}: leave out what is not wanted.")
    if len(atlases) == 1:
        return ()
    each = weights or [1.0] * len(atlases)
    return tuple(
        Territory(atlas.name, atlas.data_hash, chosen_split(atlas, split), float(weight))
        for atlas, weight in zip(atlases, each, strict=True)
    )


def planned_config(
    atlas: Atlas | Sequence[Atlas],
    config: str | TrainConfig,
    steps: int | None,
    modalities: Sequence[str] | None = None,
) -> TrainConfig:
    """The configuration that a training on an atlas, or on several, follows, given the options of ``train``.

    Args:
        atlas: The atlas, or all of them.
        config: Name of a configuration, or one.
        steps: In place of the configuration's.
        modalities: Those to train; all of the configuration by default.

    Raises:
        InputError: Unknown configuration or modality, or one that does not serve every one of several atlases.
    """
    atlases = list(atlas) if isinstance(atlas, Sequence) else [atlas]
    known = {name for each in atlases for name in each.manifest.modalities}
    config = named_config(config, city="street" in known) if isinstance(config, str) else config
    if modalities is None:  # what no atlas has is left out; asked for by name it is an error
        modalities = [name for name in config.model.encoders if name in known]
    elif nowhere := [name for name in modalities if name in config.model.encoders and name not in known]:
        raise InputError(f"No atlas has {nowhere[0]!r}: leave it out of the modalities to train.")
    if set(modalities) != set(config.model.encoders):
        config = config.with_only(modalities)
    config = config if steps is None else config.shortened(steps)
    if len(atlases) == 1:
        return centered(config, atlases[0].manifest.bounds)
    for each in atlases:
        _check_serves(config, each)
    return config


def _check_serves(config: TrainConfig, atlas: Atlas) -> None:
    """Raises InputError unless a training of several atlases can use one of them."""
    own = [name for name in config.model.encoders if name in atlas.manifest.modalities]
    pivot = config.pivot if config.pivot is not None else own[0] if own else None
    if len(own) < 2 or pivot not in own:
        raise InputError(
            f"The atlas {atlas.name} has {', '.join(own) or 'none'} of the modalities that are trained; every step "
            f"contrasts two of one atlas{f', one of them {config.pivot}' if config.pivot else ''}: leave the atlas out."
        )
    options = config.model.encoders.get("location")
    if options is None:
        return
    remedy = "Several atlases need one location encoder for all of them: give --config joint, or scales for all."
    shape = from_dict(LocationConfig, to_dict(options), where="encoders.location")
    if any(shape.centre):
        raise InputError(f"The location encoder of this configuration is centered on one atlas. {remedy}")
    if why := unserved(shape, atlas):
        raise InputError(f"The location encoder of this configuration {why}. {remedy}")


def of_windows(shape: ModelConfig, atlases: Sequence[Atlas]) -> ModelConfig:
    """The shape of a model with the side of the windows that it is trained on, if that is one."""
    sizes = {atlas.window_m for atlas in atlases}
    return replace(shape, window_m=sizes.pop() if len(sizes) == 1 else None)


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
