"""Tiny twins of the base configuration, of the same classes, and folders of tiny "pretrained" towers."""

from dataclasses import replace
from pathlib import Path

import torch
from transformers import Dinov2Config, Dinov2Model, SiglipConfig, SiglipModel

from unigeoclip.modalities.towers.tokens import words_tokenizer
from unigeoclip.model import ModelConfig
from unigeoclip.training.configs import CONFIGS, TrainConfig
from unigeoclip.training.fine_tuning.options import FineTuning

PX, PATCH, WIDTH, DEPTH, HEADS, TOKENS, VOCABULARY = 32, 8, 32, 2, 2, 12, 200
_SHAPE = {"width": WIDTH, "depth": DEPTH, "heads": HEADS}


def tiny(name: str = "base", **changes) -> TrainConfig:
    """The configuration of that name with everything small, its towers at random unless `changes` say otherwise."""
    base = CONFIGS[name]
    encoders = {}
    for modality, options in base.model.encoders.items():
        small = {"px": PX, "patch": PATCH, "vocabulary": VOCABULARY, "tokens": TOKENS} | _SHAPE
        encoders[modality] = options | {key: value for key, value in small.items() if key in options}
    model = ModelConfig(dim=WIDTH, encoders=encoders)
    tuning = replace(base.fine_tuning, weights=dict.fromkeys(base.fine_tuning.weights, "random"))
    short = {"steps": 4, "batch": 12, "micro_batch": 0, "evaluate_every": 4, "checkpoint_every": 2, "bf16": False}
    return replace(base, **({"model": model, "fine_tuning": tuning} | short | changes))


def tuned(config: TrainConfig, **changes) -> TrainConfig:
    """The configuration with other options of fine-tuning."""
    return replace(config, fine_tuning=FineTuning(**(vars(config.fine_tuning) | changes)))


def write_siglip(folder: Path) -> SiglipModel:
    """Write a tiny SigLIP model, towers of both kinds and a tokenizer, in the layout of the hub."""
    shape = {
        "hidden_size": WIDTH,
        "intermediate_size": 4 * WIDTH,
        "num_hidden_layers": DEPTH,
        "num_attention_heads": HEADS,
    }
    text = shape | {"vocab_size": VOCABULARY, "max_position_embeddings": TOKENS, "projection_size": WIDTH}
    text |= {"pad_token_id": 0, "bos_token_id": None, "eos_token_id": 1}
    torch.manual_seed(5)
    model = SiglipModel(SiglipConfig(text_config=text, vision_config=shape | {"image_size": PX, "patch_size": PATCH}))
    model.save_pretrained(folder)
    words_tokenizer(["a quiet street by the river", "hot desert"], VOCABULARY, TOKENS).save(
        str(folder / "tokenizer.json")
    )
    return model.eval()


def write_dinov2(folder: Path) -> Dinov2Model:
    """Write a tiny DINOv2 with the mask token that published ones have."""
    torch.manual_seed(6)
    config = Dinov2Config(
        hidden_size=WIDTH, num_hidden_layers=DEPTH, num_attention_heads=HEADS, patch_size=PATCH, image_size=37 * PATCH
    )
    model = Dinov2Model(config)
    model.save_pretrained(folder)
    return model.eval()
