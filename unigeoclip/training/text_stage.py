"""The last part of a city's training: the head of text alone, on short texts.

A sentence such as the name of a square belongs to a dozen places in twenty thousand, and stands among a dozen others
there: while all encoders learn it is hardly ever read alone, though a person types nothing else. The head of text is
small, so here it reads some ten times as many single sentences. All other encoders keep still; they are the targets.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from unigeoclip.modalities.text import TextBatch
from unigeoclip.training.losses import all_to_all_loss
from unigeoclip.vectors import encode_cells, encode_places, text_batch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.model import UniGeoCLIP
    from unigeoclip.training.sampler import PlaceSampler

BATCH = 768
RATE = 1e-3
SHORT_SHARES = (0.6, 0.25)  # texts of one sentence, of two or three; the rest has half of the place's or all
LOCATION_SHARE = 0.5  # of the steps are against locations, which are what a heatmap shows; the others against pictures
NOISE = 0.02  # standard deviation added to each of 384 numbers: words near those of the captions mean the same
ROUNDS = 3  # positions drawn for each place, beside its centre
_SEED = 7  # beside that of the training: draws of its own


def tune_text(model: UniGeoCLIP, sampler: PlaceSampler, steps: int, seed: int) -> None:
    """Train the head of text against the frozen other encoders, in place; a pure function of model, atlas and seed.

    The targets are encoded once: locations in and round each place, the aerial picture and the surface at its centre.

    Args:
        model: With text, location, and any of aerial and surface.
        sampler: Of the training: its places and sentence vectors.
        steps: How many, of `BATCH` places.
        seed: Of the draws.
    """
    model.eval()
    locations = _locations(model, sampler, np.random.default_rng((seed, _SEED)))
    pictures = [
        torch.from_numpy(encode_places(model, sampler.atlas, name, sampler.train))
        for name in ("aerial", "surface")
        if name in model.modalities
    ]
    rarity = _rarity(sampler.sentences)
    head, log_scale = model.encoders["text"].train(), model.log_scale.detach()
    optimiser = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=0.01, betas=(0.9, 0.98))
    for step in tqdm(range(steps), desc="Text alone", unit="step", mininterval=5):
        rng = np.random.default_rng((seed, _SEED, step))
        rows = rng.integers(len(sampler.train), size=BATCH)
        if not pictures or rng.random() < LOCATION_SHARE:
            target = locations[rng.integers(len(locations)), rows]
        else:
            target = pictures[rng.integers(len(pictures))][rows]
        texts = _noisy([short_text(sampler.sentences[row], rarity[row], rng) for row in rows], sampler.vectors, rng)
        for group in optimiser.param_groups:
            group["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
        loss = all_to_all_loss({"text": nn.functional.normalize(head(texts), dim=-1), "target": target}, log_scale)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    model.eval()


def _locations(model: UniGeoCLIP, sampler: PlaceSampler, rng: np.random.Generator) -> Tensor:
    """Embeddings of positions whose sentences are those of a place: (1 + `ROUNDS`, training places, dim)."""
    rounds = [sampler.latlon]
    for _ in range(ROUNDS):
        moved, nearest = sampler.moved(np.arange(len(sampler.train)), rng)
        rounds.append(np.where((nearest == np.arange(len(moved)))[:, None], moved, sampler.latlon))
    encoded = [torch.from_numpy(encode_cells(model, latlon)) for latlon in rounds]
    return torch.stack(encoded)


def _noisy(chosen: list[NDArray[np.int64]], vectors: NDArray[np.float16], rng: np.random.Generator) -> TextBatch:
    """Sentence vectors with noise, of length one again."""
    texts = text_batch(chosen, vectors)
    noise = torch.from_numpy(rng.normal(0, NOISE, tuple(texts.vectors.shape)).astype(np.float32))
    return TextBatch(nn.functional.normalize(texts.vectors + noise, dim=1), texts.lengths)


def _rarity(sentences: list[NDArray[np.int64]]) -> list[NDArray[np.float64]]:
    """Cumulative chances of each sentence of a place to be taken alone: by the root of how rare it is."""
    counts = np.bincount(np.concatenate(sentences))
    weights = [1 / np.sqrt(counts[rows]) for rows in sentences]
    return [np.cumsum(each) / each.sum() for each in weights]


def short_text(rows: NDArray[np.int64], rarity: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """A text of a place: mostly one sentence or a few, sometimes many or all (`SHORT_SHARES`).

    Args:
        rows: (k,) sentences of the place.
        rarity: (k,) cumulative chances; half of the sentences that stand alone are drawn by them, half evenly.
        rng: Of the draws.
    """
    draw, how = rng.random(2)
    if draw < SHORT_SHARES[0]:
        first = np.searchsorted(rarity, 2 * how) if how < 0.5 else int((2 * how - 1) * len(rows))
        alone: NDArray[np.int64] = rows[[min(int(first), len(rows) - 1)]]
        return alone
    order = rng.permutation(rows)
    if draw < sum(SHORT_SHARES):
        return order[: 2 if how < 0.5 else 3]
    return order if how < 0.5 else order[: max(1, len(rows) // 2)]
