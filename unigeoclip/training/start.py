"""Start a training from the weights of another model: an atlas's, or one of an earlier training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unigeoclip.atlas.models import refuse_other_window
from unigeoclip.errors import InputError
from unigeoclip.evaluation.report import METRICS_FILE
from unigeoclip.files.json_files import read_json
from unigeoclip.model import load_model

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from unigeoclip.model import UniGeoCLIP

__all__ = ["start_from", "trained_how"]


def start_from(model: UniGeoCLIP, folder: Path) -> list[str]:
    """Take over the weights of another model, encoder by encoder, in place.

    An encoder of another shape keeps its random weights; the temperature is taken over if the modalities are the same.

    Args:
        model: With random weights.
        folder: Of the other model.

    Returns:
        Modalities whose encoders took weights over.

    Raises:
        CheckpointError: The folder holds no model, or one of windows of another size, see `refuse_other_window`.
        InputError: No encoder fits.
    """
    other = load_model(folder)
    taken = [name for name in model.modalities if name in other.encoders and _fits(model, other, name)]
    if not taken:
        raise InputError(f"No encoder of the model in {folder} has the shape of one that is trained here.")
    if {"aerial", "surface"} & set(taken):
        refuse_other_window(other, folder, model.config.window_m, "those that are trained on now")
    for name in taken:
        model.encoders[name].load_state_dict(other.encoders[name].state_dict())
    if model.modalities == other.modalities and model.log_scale.shape == other.log_scale.shape:
        model.log_scale.data.copy_(other.log_scale.data)
    return taken


def trained_how(folder: Path) -> dict[str, Any] | None:
    """What the metrics of a model say of its training; None if they say nothing.

    Where that training started from another model, too, what is known of the other's stands under "before".
    """
    try:
        metrics = read_json(folder / METRICS_FILE)
    except InputError:
        return None
    training = metrics.get("training") if isinstance(metrics, dict) else None
    if not isinstance(training, dict):
        return None
    return training | ({"before": metrics.get("training_before")} if metrics.get("start") else {})


def _fits(model: UniGeoCLIP, other: UniGeoCLIP, name: str) -> bool:
    return _shapes(model.encoders[name]) == _shapes(other.encoders[name])


def _shapes(encoder: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in encoder.state_dict().items()}
