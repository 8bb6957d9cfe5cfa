"""How pretrained towers learn: the part of a training's configuration that is about them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FROZEN", "FULL", "LORA", "RANDOM", "FineTuning"]

FULL, LORA, FROZEN = "full", "lora", "frozen"
RANDOM = "random"  # in place of a folder: towers that start without pretrained weights


@dataclass(frozen=True)
class FineTuning:
    """What is done with towers.

    Attributes:
        weights: Modality -> folder in the layout of the hub, id of the hub, or ``random``. Every tower needs an entry,
            so that none starts at random unless that is asked for.
        mode: ``full``: all their weights learn. ``lora``: low-rank adapters in their attention and MLPs do (Hu et al.,
            LoRA, ICLR 2022), which are merged into the weights when the model is written. ``frozen``: none do, only
            the projection behind them.
        rate: Share of the learning rate that the last layer of a tower gets, above 0 to 1; of ``full`` only.
        layer_decay: Each layer before has so much of the rate of the next, above 0 to 1; of ``full`` only.
        lora_rank: Of the adapters.
        recompute: Keep only the inputs of the layers of transformers for the backward pass, and compute what is inside
            again (activation checkpointing): a third more computation, several times less memory.
    """

    weights: dict[str, str] = field(default_factory=dict)
    mode: str = FULL
    rate: float = 1.0
    layer_decay: float = 1.0
    lora_rank: int = 16
    recompute: bool = False

    def only(self, modalities: Iterable[str]) -> FineTuning:
        """The same with weights for some modalities."""
        wanted = set(modalities)
        return replace(self, weights={name: source for name, source in self.weights.items() if name in wanted})

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            InputError: One is out of range.
        """
        if self.mode not in (FULL, LORA, FROZEN):
            raise InputError(f"fine_tuning.mode is {FULL}, {LORA} or {FROZEN}, not {self.mode[:40]!r}.")
        for name in ("rate", "layer_decay"):
            if not 0 < getattr(self, name) <= 1:
                raise InputError(f"fine_tuning.{name} must be above 0 and at most 1, not {getattr(self, name)}.")
        if not 1 <= self.lora_rank <= 1024:
            raise InputError(f"fine_tuning.lora_rank must be 1 to 1024, not {self.lora_rank}.")
