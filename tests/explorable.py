"""A tiny atlas with a tiny random model, and a sentence encoder that needs no weights: all that a search test needs."""

import hashlib
from pathlib import Path

import numpy as np
import torch

from tests.atlas.tiny import write_tiny_atlas
from unigeoclip.atlas import load_atlas
from unigeoclip.checkpoint import save_model
from unigeoclip.config import write_json
from unigeoclip.modalities import text
from unigeoclip.model import ModelConfig, UniGeoCLIP

PX = 16
CONFIG = ModelConfig(
    dim=16,
    encoders={
        "location": {"scales": [1.0, 8.0], "width": 32, "depth": 1, "heads": 2, "registers": 1},
        "aerial": {"px": PX, "widths": [8, 16], "blocks": [0, 1], "hidden": 16},
        "surface": {"px": PX, "widths": [8, 16], "blocks": [0, 1], "hidden": 16},
        "text": {"hidden": 16},
    },
)


class HashedSentences:
    """Stands in for the sentence encoder: a sentence is a random direction that depends on its letters alone."""

    def embed(self, sentences, batch=128, progress=None):
        seeds = [int.from_bytes(hashlib.sha256(sentence.encode()).digest()[:8]) for sentence in sentences]
        vectors = np.stack([np.random.default_rng(seed).normal(size=384) for seed in seeds])
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def use_hashed_sentences(monkeypatch) -> None:
    monkeypatch.setattr(text, "sentence_encoder", HashedSentences)


def write_explorable_atlas(path: Path) -> Path:
    """Write the tiny atlas and a model of random weights into it."""
    write_tiny_atlas(path)
    torch.manual_seed(0)
    model = UniGeoCLIP(CONFIG).eval()
    folder = load_atlas(path).model_path
    save_model(model, folder)
    write_json(folder / "metrics.json", {"unlike": {}})
    return path
