"""Named training configurations."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.config import from_dict, read_json
from unigeoclip.errors import InputError, excerpt
from unigeoclip.geo import equal_earth
from unigeoclip.modalities.surface_vit import KIND as VIT
from unigeoclip.modalities.towers.pretrained import DINOV2, SIGLIP2
from unigeoclip.model import ModelConfig
from unigeoclip.training.fine_tuning.options import FineTuning
from unigeoclip.training.sampling.draws import DrawConfig

if TYPE_CHECKING:
    from collections.abc import Iterable

    from unigeoclip.geo import Bounds

ALONE = ("location", "street", "text")  # modalities that have a stage of their own, in this order
PRETRAINED = (SIGLIP2, DINOV2)
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
    street_steps: int = 0  # and then the street encoder alone, see `street_stage`
    text_steps: int = 0  # at the end only the head of text learns, see `text_stage`
    single_sentences: float = 0.85  # share of the texts of that stage; the others are what is said of a place
    draws: DrawConfig = field(default_factory=DrawConfig)
    weights: dict[str, float] = field(default_factory=dict)  # of modalities in the loss, see `losses.all_to_all_loss`
    averaged: float = 0.0  # decay of the moving average of the weights, which is what is kept; 0: the last ones are
    micro_batch: int = 0  # places whose activations are kept at once, see `gradients`; 0: those of the whole batch
    fine_tuning: FineTuning = field(default_factory=FineTuning)  # how pretrained towers learn, where there are any
    bf16: bool = False  # encoders compute in bfloat16 where that is safe; the loss never does
    weight_decay: float = 0.05
    clip_norm: float = 1.0
    pivot: str | None = None  # None: all-to-all
    evaluate_every: int = 500
    checkpoint_every: int = 100

    def __post_init__(self) -> None:
        """Check that the parts go together.

        Raises:
            InputError: A stage that a text tower does not have.
        """
        if self.text_steps and "kind" in self.model.encoders.get("text", {}):
            raise InputError("text_steps belong to the head on frozen sentence vectors; a text tower has none: set 0.")

    @property
    def all_steps(self) -> int:
        """Steps in which all encoders learn."""
        return self.steps + self.restart_steps

    def shortened(self, steps: int) -> TrainConfig:
        """The same with so many steps, without a restart, and no more steps of one modality alone than that."""
        last: dict[str, Any] = {f"{name}_steps": min(getattr(self, f"{name}_steps"), steps) for name in ALONE}
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
        alone: dict[str, Any] = {
            f"{name}_steps": getattr(self, f"{name}_steps") if name in wanted else 0 for name in ALONE
        }
        weights = {name: weight for name, weight in self.weights.items() if name in wanted}
        model = replace(self.model, encoders=encoders)
        tuning = self.fine_tuning.only(wanted)
        changed = replace(self, model=model, weights=weights, fine_tuning=tuning)
        return replace(changed, **alone)

    def with_towers(self, sources: str) -> TrainConfig:
        """The same with weights of pretrained towers from elsewhere.

        Args:
            sources: A folder, an id of the hub or ``random`` for all towers, or ``aerial=SOURCE,text=SOURCE``.

        Raises:
            InputError: The configuration has no towers, or none of that modality.
        """
        known = [name for name, options in self.model.encoders.items() if options.get("kind") in PRETRAINED]
        if not known:
            raise InputError("--towers belongs to configurations with pretrained towers, such as base.")
        weights = dict.fromkeys(known, sources)
        if "=" in sources:
            parts = [part.strip().partition("=") for part in sources.split(",")]
            named = {name: source for name, _, source in parts}
            if wrong := [name for name, source in named.items() if name not in known or not source]:
                raise InputError(f"--towers takes MODALITY=SOURCE with {', '.join(known)}; not {excerpt(wrong[0])!r}.")
            weights = self.fine_tuning.weights | named
        return replace(self, fine_tuning=replace(self.fine_tuning, weights=weights))


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
# For the world, in all the ways that were added since.
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
# Then, from that model (`--init-from`): text learns more than everything else, and nothing but text goes on. The model
# that ships was trained so.
CONFIGS["wide-text"] = replace(CONFIGS["wide"], steps=0, location_steps=0, text_steps=10_000)
# For a city, as `wide` for the world.
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
# Then, from that model: only the street encoder learns, against the windows that a search goes through.
CONFIGS["wide-street"] = replace(
    CONFIGS["wide-city"], steps=0, restart_steps=0, location_steps=0, street_steps=5000, text_steps=0
)
# For cities and the world in one model: `wide` with the scales of both and no centre. The Equal Earth unit is
# 17,244 km, so that a float32 position is good to half a metre. With it the phases of the finest scale, of 269 m, are
# wrong by 0.0017 of a turn (root mean square; 0.02 at most) in Boston and by 0.0035 (0.034) at 180 degrees east, where
# it is worst: less than a metre. Windows of a city are 225 m and those of the world 334 km wide, of as many pixels.
CONFIGS["joint"] = replace(
    CONFIGS["wide-city"],
    model=replace(
        CONFIGS["wide-city"].model,
        dim=512,
        encoders=CONFIGS["wide-city"].model.encoders
        | {
            "location": CONFIGS["wide-city"].model.encoders["location"]
            | {
                "scales": [2.0, 8.0, 32.0, 128.0, 1e3, 4e3, 1.6e4, 6.4e4],
                "pooled_ratio": 7.0,
                "coarse": 6,  # all of the world's, and of a city's the two that `wide-city` has
                "centre": [0.0, 0.0],
            },
            # Geometric means of the heights of both; relief goes through asinh.
            "surface": CONFIGS["wide-city"].model.encoders["surface"] | {"relief_m": 55.0, "level_m": 200.0},
        },
    ),
    steps=4000,
    location_steps=1000,
)
# The paper's (arXiv 2604.11668), for GPUs; what a step costs is in docs/scale.md. The paper says: towers of SigLIP 2
# ViT-B, a surface encoder that is a ViT from scratch, and the location encoder in full. The rest is chosen here:
# - the surface encoder has the size of the towers, and heights are scaled as in our other configurations;
# - 4,096 places a batch, as contrast gains by more negatives, of which 64 keep their activations at once;
# - 20,000 steps draw each of 800,000 cells a hundred times, at other positions, views and sentences each time;
# - what starts at random learns at a rate usual for ViT-B; towers, which know pictures and words already, at a tenth of
#   it in their last layer and less by 0.8 in each before, as is usual where ViT-B is fine-tuned.
_SIGLIP2 = "google/siglip2-base-patch16-224"
_TOWER = {"kind": SIGLIP2, "px": 224, "patch": 16, "width": 768, "depth": 12, "heads": 12}
CONFIGS["base"] = TrainConfig(
    model=ModelConfig(
        dim=768,
        encoders={
            # As in the paper: no MLPs on the pooled vector, no path past the transformer.
            "location": {
                "scales": [1.0, 16.0, 256.0, 4096.0],
                "width": 768,
                "depth": 12,
                "heads": 12,
                "mlp_ratio": 4.0,
                "registers": 4,
                "pooled_blocks": 0,
            },
            "aerial": _TOWER,
            "surface": _TOWER | {"kind": VIT, "mlp_ratio": 4.0},
            "text": {"kind": SIGLIP2, "vocabulary": 256_000, "tokens": 64, "width": 768, "depth": 12, "heads": 12},
        },
    ),
    steps=20_000,
    batch=4096,
    micro_batch=64,
    learning_rate=5e-4,
    fine_tuning=FineTuning({"aerial": _SIGLIP2, "text": _SIGLIP2}, rate=0.1, layer_decay=0.8),
    bf16=True,
    evaluate_every=1000,
    checkpoint_every=500,
)
CONFIGS["base-city"] = replace(
    CONFIGS["base"],
    model=replace(
        CONFIGS["base"].model,
        encoders=CONFIGS["base"].model.encoders
        | {
            "street": _TOWER,
            "surface": CONFIGS["base"].model.encoders["surface"] | {"relief_m": 10.0, "level_m": 20.0},
        },
    ),
    fine_tuning=replace(CONFIGS["base"].fine_tuning, weights=dict.fromkeys(("aerial", "street", "text"), _SIGLIP2)),
)
# What a name stands for where an atlas has street views.
_IN_CITIES = {"mini": "city", "wide": "wide-city", "base": "base-city"}


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


def opened_config(name: str, *, city: bool, towers: str | None = None) -> TrainConfig:
    """A configuration as the command line names it.

    Args:
        name: A key of `CONFIGS`, or a file ``....json`` with the fields of a `TrainConfig`, such as part "config" of
            a ``run.json``; what it leaves out has its default.
        city: See `named_config`.
        towers: See `TrainConfig.with_towers`.

    Raises:
        InputError: There is no such configuration or file, or it says what no training has.
    """
    if name.endswith(".json"):
        config = from_dict(TrainConfig, read_json(Path(name)), where=name)
    else:
        config = named_config(name, city=city)
    return config if towers is None else config.with_towers(towers)
