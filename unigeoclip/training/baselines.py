"""Baselines on the budget of ours: SatCLIP's and GeoCLIP's location encoders, each against one kind of picture.

SatCLIP pairs locations with aerial pictures; GeoCLIP with street views, in an atlas without them with aerial pictures.
Batch, steps, sampling and loss are those of our own training; the pictures are read by encoders of the same shape.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from unigeoclip.checkpoint import compact_state
from unigeoclip.config import to_dict, write_json
from unigeoclip.devices import machine
from unigeoclip.embedders.retrained import BASELINES, RECORD, WEIGHTS, Baseline, RetrainedLocation
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.evaluation.pairs import measured_pairs
from unigeoclip.files.atomic import atomic
from unigeoclip.model import UniGeoCLIP
from unigeoclip.training.configs import ALONE, TrainConfig, named_config
from unigeoclip.training.loop import Trainer, run_training
from unigeoclip.training.runs import Run, chosen_split
from unigeoclip.training.sampling.draws import DrawConfig

if TYPE_CHECKING:
    from pathlib import Path

    from unigeoclip.atlas.store import Atlas

__all__ = ["train_baseline"]

# Size of a stored weight's step, see `compact_state`: the largest that cost no recall in four trainings. GeoCLIP's
# updates are small beside the published weights and bear a larger one.
_STEP = {"satclip": 0.15, "geoclip": 0.25}
RATE, RESTART_RATE = 3e-4, 1.5e-4  # both networks were published with smaller rates than ours takes


@dataclass(frozen=True)
class _BaselineRun(Run):
    baseline: Baseline


class _BaselineTrainer(Trainer):
    """The training of a model whose location encoder is a baseline's."""

    run: _BaselineRun

    def build(self) -> UniGeoCLIP:
        model = super().build()
        model.encoders["location"] = RetrainedLocation(self.run.baseline)
        return model

    def finish(self) -> dict[str, Any]:
        """Write the location encoder as it ships, and measure exactly that."""
        location = cast("RetrainedLocation", self.model.encoders["location"])
        folder = self.out / "baseline"
        folder.mkdir(exist_ok=True)
        learned = {key: value.contiguous() for key, value in location.own_state().items()}
        with atomic(folder / WEIGHTS, error=CheckpointError, failures=(SafetensorError,)) as temporary:
            save_file(compact_state(learned, _STEP[self.run.baseline.kind]), temporary)
        location.load_own_state(load_file(folder / WEIGHTS))
        self.model.eval()
        retrieval = measured_pairs(self.model, self.atlas, self.run.split)
        record = {
            "atlas": self.run.atlas,
            "data": self.run.data,
            "pictures": self.atlas.pictures_hash,
            "split": self.run.split,
            "baseline": to_dict(self.run.baseline),
            "pair": "-".join(sorted(self.model.modalities, reverse=True)),
            "sha256": hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest(),
            "training": to_dict(self.config) | {"seconds": round(self.seconds), "machine": machine(self.model)},
            "retrieval": retrieval,
        }
        write_json(folder / RECORD, record)
        return record


def train_baseline(
    atlas: Atlas,
    name: str,
    out: Path,
    *,
    config: str | TrainConfig = "mini",
    split: str | None = None,
    seed: int = 0,
    steps: int | None = None,
    resume: bool = False,
) -> dict[str, Any]:
    """Train a baseline on an atlas, on the steps and batches of one of our configurations.

    ``out`` receives what a training does, and at the end ``baseline/`` with weights and record: what ships.

    Args:
        atlas: The atlas.
        name: Key of `embedders.retrained.BASELINES`.
        out: Folder of the run; new, unless ``resume``.
        config: Ours, whose budget and picture encoders are taken.
        split: As for `training.loop.train`.
        seed: Of initial weights and all draws.
        steps: In place of the configuration's.
        resume: Go on from the last checkpoint in ``out``.

    Returns:
        The record.

    Raises:
        InputError: No such baseline, configuration or split, or ``out`` holds another run.
        CheckpointError: Nothing to resume.
    """
    if name not in BASELINES:
        raise InputError(f"Unknown baseline {name!r}. Known: {', '.join(BASELINES)}.")
    baseline, run_config = planned_baseline(atlas, name, config, steps)
    run = _BaselineRun(atlas.name, atlas.data_hash, chosen_split(atlas, split), seed, run_config, baseline)
    return run_training(_BaselineTrainer, atlas, run, out, resume)


def planned_baseline(
    atlas: Atlas, name: str, config: str | TrainConfig, steps: int | None
) -> tuple[Baseline, TrainConfig]:
    """The baseline and the configuration that ``train --baseline`` follows, given its options.

    Args:
        atlas: The atlas.
        name: Key of `embedders.retrained.BASELINES`.
        config: Ours, or its name.
        steps: In place of the configuration's.

    Raises:
        InputError: Unknown configuration.
    """
    kind, suited = BASELINES[name]
    baseline = Baseline.suited(kind, atlas.manifest.bounds) if suited else Baseline(kind)
    city = "street" in atlas.manifest.modalities
    ours = named_config(config, city=city) if isinstance(config, str) else config
    return baseline, _of_pair(ours if steps is None else ours.shortened(steps), baseline, city)


def _of_pair(ours: TrainConfig, baseline: Baseline, city: bool) -> TrainConfig:
    """Our configuration with location and the one kind of picture that the baseline learns from."""
    picture = "street" if baseline.kind == "geoclip" and city else "aerial"
    encoders = {name: options for name, options in ours.model.encoders.items() if name in ("location", picture)}
    model = replace(ours.model, dim=baseline.dim, encoders=encoders, temperature_per_pair=False)
    plain: dict[str, Any] = {f"{name}_steps": 0 for name in ALONE} | {"draws": DrawConfig(), "weights": {}}
    plain["fine_tuning"] = ours.fine_tuning.only(encoders)
    return replace(ours, model=model, learning_rate=RATE, restart_rate=RESTART_RATE, **plain)
