"""All late parts of a training, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unigeoclip.training.configs import ALONE
from unigeoclip.training.stages.location_stage import tune_location
from unigeoclip.training.stages.progress import Kept
from unigeoclip.training.stages.street_stage import tune_street
from unigeoclip.training.stages.text_stage import tune_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from unigeoclip.model import UniGeoCLIP
    from unigeoclip.training.configs import TrainConfig
    from unigeoclip.training.sampling.mixture import Mixture
    from unigeoclip.training.sampling.sampler import PlaceSampler

__all__ = ["forget_stages", "learn_alone"]

_STAGES: dict[str, Callable[..., None]] = dict(zip(ALONE, (tune_location, tune_street, tune_text), strict=True))


def learn_alone(
    model: UniGeoCLIP, sampler: PlaceSampler | Mixture, config: TrainConfig, seed: int, folder: Path
) -> float:
    """Train some encoders alone, in place, as far as that was not done by a process that ended before.

    Args:
        model: The model.
        sampler: Of the training.
        config: Its steps of each stage count.
        seed: Of the draws.
        folder: Of the training, where stages are kept.

    Returns:
        Seconds that processes before took for them.

    Raises:
        CheckpointError: What was kept of a stage is damaged, or cannot be written.
    """
    earlier_s = 0.0
    for name, tune in _STAGES.items():
        if getattr(config, f"{name}_steps"):
            kept = Kept(_file(folder, name))
            tune(model, sampler, config, seed, kept=kept)
            earlier_s += kept.earlier_s
    return earlier_s


def forget_stages(folder: Path) -> None:
    """Remove what was kept of stages, when the model is finished."""
    for name in ALONE:
        _file(folder, name).unlink(missing_ok=True)


def _file(folder: Path, name: str) -> Path:
    return folder / f"checkpoint-{name}.pt"
