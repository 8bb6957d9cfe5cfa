"""Named training configurations."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.errors import InputError
from unigeoclip.geo import equal_earth
from unigeoclip.model import ModelConfig
from unigeoclip.training.sampling.draws import DrawConfig

if TYPE_CHECKING:
    from collections.abc import Iterable

    from unigeoclip.geo import Bounds

SMALL_DEG = 20.0  # an atlas no wider than that has its own centre of coordinates


@dataclass(frozen=True)
class TrainConfig:
    """What a training is, saved beside its result."""

    model: ModelConfig = field(default_factory=ModelConfig)
    steps: int = 3000
    batch: int = 512
    learning_rate: float = 1e-3
    warmup: float = 0.05  # share of the steps
    restart_steps: int = 0  # a second, shorter cosine after the first: a warm restart (Loshchilov & Hutter, ICLR 2017)
    restart_rate: float = 4e-4
    location_steps: int = 0  # after that only the location encoder learns, see `location_stage`
    text_steps: int = 0  # at the end only the head of text learns, see `text_stage`
    single_sentences: float = 0.85  # share of the texts of that stage; the others are what is said of a place
    draws: DrawConfig = field(default_factory=DrawConfig)
    weights: dict[str, float] = field(default_factory=dict)  # of modalities in the loss, see `losses.all_to_all_loss`
    averaged: float = 0.0  # decay of the moving average of the weights, which is what is kept; 0: the last ones are
    micro_batch: int = 0  # places whose activations are kept at once, see `gradients`; 0: those of the whole batch
    bf16: bool = False  # encoders compute in bfloat16 where that is safe; the loss never does
    weight_decay: float = 0.05
    clip_norm: float = 1.0
    pivot: str | None = None  # None: all-to-all
    evaluate_every: int = 500
    checkpoint_every: int = 100

    @property
    def all_steps(self) -> int:
        """Steps in which all encoders learn."""
        return self.steps + self.restart_steps

    def shortened(self, steps: int) -> TrainConfig:
        """The same with so many steps, without a restart, and no more steps of location or text alone than that."""
        last = {name: min(getattr(self, name), steps) for name in ("location_steps", "text_steps")}
        return replace(self, steps=steps, restart_steps=0, **last)

    def with_only(self, modalities: Iterable[str]) -> TrainConfig:
        """The same with encoders of these modalities alone.

        Raises:
            InputError: Fewer than two, or one that the configuration does not have.
        """
        wanted, known = set(modalities), self.model.encoders
        if unknown := sorted(wanted - set(known)):
            raise InputError(f"The configuration has no modality {unknown[0]!r}. It has: {', '.join(known)}.")
        if len(wanted) < 2:
            raise InputError("Contrastive training takes two modalities or more, such as location,aerial.")
        encoders = {name: options for name, options in known.items() if name in wanted}
        text_steps = self.text_steps if "text" in wanted else 0
        location_steps = self.location_steps if "location" in wanted else 0
        weights = {name: weight for name, weight in self.weights.items() if name in wanted}
        model = replace(self.model, encoders=encoders)
        return replace(self, model=model, weights=weights, location_steps=location_steps, text_steps=text_steps)


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
    # For a city on two CPU cores: a window is 225 m, the finest scale sees some 270 m, the coarsest all of the city.
    "city": TrainConfig(
        model=ModelConfig(
            dim=256,
            encoders={
                "location": {
                    "scales": [1e3, 4e3, 1.6e4, 6.4e4],
                    "width": 256,
                    "depth": 1,
                    "pooled_blocks": 3,
                    "pooled_ratio": 5.0,
                },
                "aerial": {"px": 64, "widths": [48, 96, 192], "blocks": [0, 1, 0], "hidden": 256},
                "street": {"px": 64, "height_px": 48, "widths": [48, 96, 192], "blocks": [0, 1, 0], "hidden": 320},
                "surface": {
                    "px": 64,
                    "widths": [32, 64, 128],
                    "blocks": [0, 1, 0],
                    "hidden": 256,
                    "relief_m": 10.0,
                    "level_m": 20.0,
                },
                "text": {"hidden": 768},
            },
        ),
        steps=2000,
        restart_steps=600,
        text_steps=8000,
        batch=384,
        evaluate_every=400,
    ),
}

_WORLD, _CITY = CONFIGS["mini"], CONFIGS["city"]
# For the world, in all the ways that were added since. The model that ships was trained so.
CONFIGS["wide"] = TrainConfig(
    model=replace(
        _WORLD.model,
        dim=512,  # as GeoCLIP's
        encoders=_WORLD.model.encoders
        | {
            "location": _WORLD.model.encoders["location"] | {"pooled_ratio": 7.0, "coarse": 2},
            "text": {"weighted": True},
        },
        temperature_per_pair=True,
    ),
    steps=5000,
    location_steps=1000,
    text_steps=5000,
    single_sentences=0.4,
    draws=DrawConfig(turned=0.25, unlocated=0.1, near=0.25),
    averaged=0.99,
    bf16=True,
)
# For a city, likewise.
CONFIGS["wide-city"] = replace(
    _CITY,
    model=replace(
        _CITY.model,
        encoders=_CITY.model.encoders
        | {
            "location": _CITY.model.encoders["location"] | {"coarse": 2},
            "text": _CITY.model.encoders["text"] | {"weighted": True},
        },
        temperature_per_pair=True,
    ),
    restart_steps=1600,
    location_steps=600,
    draws=DrawConfig(turned=0.15, unlocated=0.1, near=0.25, recolored=0.2),
    averaged=0.99,
    bf16=True,
)
# What a name stands for where an atlas has street views.
_IN_CITIES = {"mini": "city", "wide": "wide-city"}


def centered(config: TrainConfig, bounds: Bounds) -> TrainConfig:
    """The configuration with the location encoder centred on an atlas that is a small part of the Earth.

    Args:
        config: The configuration.
        bounds: South, west, north, east of the atlas, degrees.
    """
    south, west, north, east = bounds
    location = config.model.encoders.get("location")
    if location is None or "centre" in location or max(north - south, east - west) > SMALL_DEG:
        return config
    centre = equal_earth(np.array([[(south + north) / 2, (west + east) / 2]]))[0].round(6).tolist()
    encoders = config.model.encoders | {"location": location | {"centre": centre}}
    return replace(config, model=replace(config.model, encoders=encoders))


def named_config(name: str, *, city: bool = False) -> TrainConfig:
    """The configuration of that name.

    Args:
        name: A key of `CONFIGS`.
        city: Whether it is for an atlas with street views: its "mini" is "city", its "wide" is "wide-city".

    Raises:
        InputError: There is none; the message lists those there are.
    """
    if name not in CONFIGS:
        raise InputError(f"Unknown configuration {name!r}. Known: {', '.join(CONFIGS)}.")
    return CONFIGS[_IN_CITIES.get(name, name) if city else name]
