"""Learning rates by step, and by layer: what a tower knows changes the less, the nearer it is to the input.

Layer-wise learning-rate decay as in Howard & Ruder (ULMFiT, ACL 2018) and BEiT (Bao et al., ICLR 2022).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from unigeoclip.training.fine_tuning.options import FULL, FineTuning
from unigeoclip.training.fine_tuning.weights import towers_of
from unigeoclip.training.gradients import decay_groups

if TYPE_CHECKING:
    from unigeoclip.model import UniGeoCLIP
    from unigeoclip.training.configs import TrainConfig

__all__ = ["SHARE", "learning_rate", "parameter_groups"]

SHARE = "share"  # of the learning rate that the parameters of a group have; 1 where a group does not say


def learning_rate(config: TrainConfig, step: int) -> float:
    """Linear warm-up, then a cosine to a hundredth; after that the second cosine, if there is one."""
    if step >= config.steps and config.restart_steps:
        return _cosine(config.restart_rate, (step - config.steps) / config.restart_steps)
    warm = max(1, round(config.warmup * config.steps))
    if step < warm:
        return config.learning_rate * (step + 1) / warm
    return _cosine(config.learning_rate, (step - warm) / max(1, config.steps - warm))


def _cosine(rate: float, progress: float) -> float:
    return rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0))))


def parameter_groups(model: UniGeoCLIP, options: FineTuning, weight_decay: float) -> list[dict[str, Any]]:
    """What an optimizer takes: every parameter that learns, in exactly one group.

    Args:
        model: After `weights.prepare_towers`.
        options: How towers learn.
        weight_decay: Of matrices; see `gradients.decay_groups`.

    Returns:
        Groups with ``params``, ``weight_decay`` and, of layers of towers, `SHARE`. A model without towers has the
        groups of `decay_groups`.
    """
    shares = _shares(model, options) if options.mode == FULL else {}
    found: list[dict[str, Any]] = []
    for group in decay_groups(model, weight_decay):
        by_share: dict[float, list[Any]] = {}
        for parameter in group["params"]:
            by_share.setdefault(shares.get(id(parameter), 1.0), []).append(parameter)
        found += [group | {"params": some} | ({} if share == 1 else {SHARE: share}) for share, some in by_share.items()]
    return found


def _shares(model: UniGeoCLIP, options: FineTuning) -> dict[int, float]:
    """Share of the learning rate of each parameter of a tower, by its identity."""
    shares: dict[int, float] = {}
    for encoder in towers_of(model).values():
        tower: Any = encoder.tower
        # From the output to the input; what is after the layers (norm, pooling) goes with the last of them.
        for before, part in enumerate([*reversed(encoder.layers), tower.embeddings]):
            shares |= {id(each): options.rate * options.layer_decay**before for each in part.parameters()}
        for each in tower.parameters():
            shares.setdefault(id(each), options.rate)
    return shares
