"""A taught location encoder: ours, going on alone with the vectors of a published embedder as one more view.

What ships as "unigeoclip" never saw another model's vectors and is the one that is compared with them. This one has,
says so in its name, and is what to use when the best features count.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.config import to_dict, write_json
from unigeoclip.devices import machine
from unigeoclip.embedders import load_embedder
from unigeoclip.embedders.taught import RECORD, TEACHERS
from unigeoclip.errors import InputError
from unigeoclip.evaluation.pairs import measured_pairs
from unigeoclip.model import UniGeoCLIP, load_model, save_model
from unigeoclip.training.configs import TrainConfig, named_config
from unigeoclip.training.loop import Trainer, run_training
from unigeoclip.training.runs import Run, chosen_split
from unigeoclip.training.stages.location_stage import LOCATION, tune_location
from unigeoclip.training.stages.teacher import Teacher

if TYPE_CHECKING:
    from pathlib import Path

    from unigeoclip.atlas.store import Atlas

__all__ = ["STEPS", "teach"]

STEPS = 10_000
_POSITIONS = 20_000  # to find the teacher's components from
_SEED = 13


@dataclass(frozen=True)
class _TaughtRun(Run):
    """A run that starts from a model.

    Attributes:
        teacher: Name of the embedder.
        student: Checksum of the model it starts from.
    """

    teacher: str
    student: str


class _TaughtTrainer(Trainer):
    run: _TaughtRun

    def build(self) -> UniGeoCLIP:
        return load_model(self.atlas.model_path)

    def finish(self) -> dict[str, Any]:
        """Teach, write the location encoder alone, and measure exactly that, beside the encoders it learned from."""
        run = self.run
        rng = np.random.default_rng((run.seed, _SEED))
        torch.manual_seed(run.seed)
        teacher = Teacher(load_embedder(run.teacher), self.model.dim, self.sampler.at(0).positions(_POSITIONS, rng)[0])
        started = time.monotonic()
        tune_location(self.model, self.sampler, self.config, run.seed, teacher)
        self.seconds += time.monotonic() - started
        folder = self.out / "model"
        alone = UniGeoCLIP(self.model.config.only([LOCATION])).eval()
        alone.encoders[LOCATION].load_state_dict(self.model.encoders[LOCATION].state_dict())
        save_model(alone, folder, compact=True)
        self.model.encoders[LOCATION] = load_model(folder).encoders[LOCATION]
        self.model.eval()
        pairs = [f"{a}->{b}" for a in self.model.modalities for b in self.model.modalities if LOCATION in (a, b)]
        record = {
            **{name: getattr(run, name) for name in ("atlas", "data", "split", "seed", "teacher", "student")},
            "training": to_dict(self.config) | {"seconds": round(self.seconds), "machine": machine(self.model)},
            "retrieval": measured_pairs(self.model, self.atlas, run.split, only=pairs),
        }
        write_json(folder / RECORD, record)
        return record


def teach(
    atlas: Atlas,
    teacher: str,
    out: Path,
    *,
    config: str | TrainConfig = "mini",
    split: str | None = None,
    seed: int = 0,
    steps: int | None = None,
    resume: bool = False,
) -> dict[str, Any]:
    """Teach the location encoder of an atlas's model.

    Args:
        atlas: The atlas, whose model is the start.
        teacher: One of `TEACHERS`.
        out: Folder of the run; new. It receives ``model/`` with the location encoder and ``taught.json``.
        config: Named configuration, whose batches are drawn.
        split: As for `training.loop.train`.
        seed: Of all draws.
        steps: Of `location_stage.BATCH` positions; `STEPS` by default.
        resume: It cannot.

    Returns:
        The record.

    Raises:
        InputError: No such teacher, configuration or split, ``out`` holds another run, or ``resume``.
        CheckpointError: The atlas has no model, or the teacher's weights are missing.
    """
    if teacher not in TEACHERS:
        raise InputError(f"Unknown teacher {teacher!r}. Known: {', '.join(TEACHERS)}.")
    if resume:
        raise InputError("A taught training keeps no checkpoints and cannot be resumed: leave out --resume.")
    city = "street" in atlas.manifest.modalities
    named = named_config(config, city=city) if isinstance(config, str) else config
    model = load_model(atlas.model_path).config
    planned = replace(
        named, model=model, steps=0, restart_steps=0, text_steps=0, averaged=0.0, location_steps=steps or STEPS
    )
    student = checkpoint_id(atlas.model_path)
    run = _TaughtRun(atlas.name, atlas.data_hash, chosen_split(atlas, split), seed, planned, teacher, student)
    return run_training(_TaughtTrainer, atlas, run, out, resume)
