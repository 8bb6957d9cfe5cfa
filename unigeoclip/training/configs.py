"""Named training configurations."""

from __future__ import annotations

from dataclasses import dataclass, field

from unigeoclip.errors import InputError
from unigeoclip.model import ModelConfig


@dataclass(frozen=True)
class TrainConfig:
    """What a training is, saved beside its result."""

    model: ModelConfig = field(default_factory=ModelConfig)
    steps: int = 3000
    batch: int = 512
    learning_rate: float = 1e-3
    warmup: float = 0.05  # share of the steps
    weight_decay: float = 0.05
    clip_norm: float = 1.0
    pivot: str | None = None  # None: all-to-all
    evaluate_every: int = 500
    checkpoint_every: int = 100


CONFIGS = {
    # For the world on two CPU cores: one Equal Earth unit is 17,244 km, a window 334 km.
    "mini": TrainConfig(
        model=ModelConfig(
            dim=256,
            encoders={
                # One transformer block and three residual MLPs on the pooled vector: of the shapes that keep up with
                # GeoCLIP's encoder, the one that told most places apart in a short trial.
                "location": {"scales": [2.0, 8.0, 32.0, 128.0], "width": 256, "depth": 1, "pooled_blocks": 3},
                "aerial": {"px": 48},
                "surface": {"px": 32},
                "text": {},
            },
        ),
    ),
}


def named_config(name: str) -> TrainConfig:
    """The configuration of that name.

    Raises:
        InputError: There is none; the message lists those there are.
    """
    if name not in CONFIGS:
        raise InputError(f"There is no configuration {name!r}; there is {', '.join(CONFIGS)}.")
    return CONFIGS[name]
