"""The last part of a training: the head of text alone, sentence by sentence.

A sentence such as the name of a square belongs to a dozen places in twenty thousand, and stands among two dozen others
there: while all encoders learn it is hardly ever read alone, though a person types nothing else. Here the unit is the
sentence: its similarity to all places is asked to be high where it is said and low elsewhere. All other encoders
keep still; they are the targets. The head of text is small, so a step costs a twentieth of one of the training.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn

from unigeoclip.modalities.text import TextBatch
from unigeoclip.search.gallery_embeddings import encode_cells, encode_places, text_batch
from unigeoclip.training.stages.progress import Kept

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.modalities.text import TextEncoder
    from unigeoclip.model import UniGeoCLIP
    from unigeoclip.training.configs import TrainConfig
    from unigeoclip.training.sampling.mixture import Mixture
    from unigeoclip.training.sampling.sampler import PlaceSampler

BATCH = 384
FREQUENCY_POWER = 0.7  # a sentence is drawn by the power of its number of places: names would drown all else at 0
AGAINST = 2048  # places of a step that a text is told from
LOCATION_SHARE = 0.75  # of the steps are against locations, which are what a heatmap shows; the others against pictures
RATE = 2e-3
WARM_STEPS = 50
NOISE = 0.02  # standard deviation added to each of 384 numbers: words near those of the captions mean the same
ROUNDS = 3  # positions drawn for each place, beside its centre
_SEED = 7  # beside that of the training: draws of its own


@dataclass(frozen=True)
class _Targets:
    """What texts are compared with in one modality.

    Attributes:
        places: (n, dim) embeddings of all training places, zeros where a place lacks the modality.
        sentences: (m, dim) their means over the places of each sentence that have it, zeros where there is none.
        having: (h,) rows of the places that have it.
        said: (m,) whether a place that has it has the sentence.
        scale: The logit scale of texts with this modality.
    """

    places: Tensor
    sentences: Tensor
    having: Tensor
    said: Tensor
    scale: float


def tune_text(
    model: UniGeoCLIP, sampler: PlaceSampler | Mixture, config: TrainConfig, seed: int, kept: Kept | None = None
) -> None:
    """Train the head of text against the frozen other encoders, in place; a pure function of model, atlas and seed.

    The loss of a text with the set P of places it is said of is the cross-entropy between the uniform distribution over
    P and the softmax of its similarities to places, at the model's temperature. As it is linear in the similarities to
    P, the mean embedding of P stands for all of them.

    Args:
        model: With text, location, and any of aerial and surface.
        sampler: Of the training: its places and sentence vectors; of several atlases each step is of one of them.
        config: ``text_steps``, of `BATCH` texts each, and ``single_sentences``.
        seed: Of the draws.
        kept: Where the stage is kept, so that it can go on in another process.
    """
    model.eval()
    known = {each: _targets(model, each, seed) for each in sampler.samplers}
    head = cast("TextEncoder", model.encoders["text"]).train()
    if head.weight is not None:
        head.weight.requires_grad_(True)
    device = model.log_scale.device
    steps, single = config.text_steps, round(BATCH * config.single_sentences)
    optimizer = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=0.01, betas=(0.9, 0.98))
    for step in (kept or Kept()).steps(steps, seed, "Text alone", {"head": head, "optimizer": optimizer}):
        rng = np.random.default_rng((seed, _SEED, step))
        here = sampler.at(step)
        index, locations, pictures = known[here]
        among = locations if not pictures or rng.random() < LOCATION_SHARE else pictures
        target = among[rng.integers(len(among))]
        alone = index.draw(single, rng)
        rows = rng.integers(len(here.sentences), size=BATCH - len(alone))
        chosen = [*alone[:, None], *(here.some_sentences(row, rng) for row in rows)]
        text = nn.functional.normalize(head(_noisy(chosen, here.vectors, rng).to(device)), dim=-1)
        against = torch.from_numpy(rng.integers(len(target.having), size=AGAINST)).to(device)
        others = target.places[target.having[against]]
        said, at = torch.from_numpy(alone).to(device), torch.from_numpy(rows).to(device)
        own = torch.cat([target.sentences[said], target.places[at]])
        having = torch.cat([target.said[said], torch.isin(at, target.having)])
        if not having.any():
            continue
        each = torch.logsumexp(target.scale * text @ others.T, dim=1) - target.scale * (text * own).sum(1)
        loss = each[having].mean()
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / WARM_STEPS) * 0.5 * (1 + math.cos(math.pi * step / steps))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    if head.weight is not None:
        head.weight.requires_grad_(False)
    model.eval()


class _SentencePlaces:
    """Which places each sentence is said of, and how often each sentence is drawn."""

    def __init__(self, sentences: list[NDArray[np.int64]], count: int) -> None:
        """Index the sentences.

        Args:
            sentences: (n places) rows of the sentences of each.
            count: Sentences in all; some may be said of no place.
        """
        self.sentence = np.concatenate(sentences)
        self.place = np.repeat(np.arange(len(sentences)), [len(rows) for rows in sentences])
        self.counts = np.bincount(self.sentence, minlength=count)
        weights = np.cumsum(self.counts**FREQUENCY_POWER)
        self._chances = weights / weights[-1]

    def draw(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Sentences that are said of some place, (count,)."""
        return np.searchsorted(self._chances, rng.random(count), side="right")

    def targets(self, places: Tensor, present: NDArray[np.bool_], scale: float) -> _Targets:
        """Embeddings (n, dim) of places, zeros where a place is not present (n,), and what follows for sentences."""
        total = places.new_zeros(len(self.counts), places.shape[1])
        device = places.device
        sentence, place = (torch.from_numpy(each).to(device) for each in (self.sentence, self.place))
        total.index_add_(0, sentence, places[place])
        counts = np.bincount(self.sentence[present[self.place]], minlength=len(self.counts))
        means = total / torch.from_numpy(np.maximum(counts, 1)).to(device)[:, None]
        having, said = (torch.from_numpy(each).to(device) for each in (np.flatnonzero(present), counts > 0))
        return _Targets(places, means, having, said, scale)


def _targets(
    model: UniGeoCLIP, sampler: PlaceSampler, seed: int
) -> tuple[_SentencePlaces, list[_Targets], list[_Targets]]:
    """The texts of an atlas, and what they are compared with.

    That is locations in and round each place, and the aerial picture and surface at its centre.
    """
    index = _SentencePlaces(sampler.sentences, len(sampler.vectors))
    everywhere = np.ones(len(sampler.train), bool)
    locations = _locations(model, sampler, np.random.default_rng((seed, _SEED)))
    pictures, device = [], model.log_scale.device
    for name in ("aerial", "surface"):
        has = name in model.modalities and name in sampler.atlas.manifest.modalities
        present = sampler.atlas.present(name)[sampler.train] if has else ~everywhere
        if present.any():
            places = torch.zeros(len(present), model.dim)
            places[torch.from_numpy(present)] = torch.from_numpy(
                encode_places(model, sampler.atlas, name, sampler.train[present])
            )
            pictures.append(index.targets(places.to(device), present, _scale(model, name)))
    scale = _scale(model, "location")
    return index, [index.targets(places.to(device), everywhere, scale) for places in locations], pictures


def _scale(model: UniGeoCLIP, modality: str) -> float:
    return float(model.pair_log_scale("text", modality).detach().exp())


def _locations(model: UniGeoCLIP, sampler: PlaceSampler, rng: np.random.Generator) -> list[Tensor]:
    """Embeddings of positions whose sentences are those of a place: 1 + `ROUNDS` times (training places, dim)."""
    rounds = [sampler.latlon]
    for _ in range(ROUNDS):
        moved, nearest = sampler.moved(np.arange(len(sampler.train)), rng)
        rounds.append(np.where((nearest == np.arange(len(moved)))[:, None], moved, sampler.latlon))
    return [torch.from_numpy(encode_cells(model, latlon)) for latlon in rounds]


def _noisy(chosen: list[NDArray[np.int64]], vectors: NDArray[np.float16], rng: np.random.Generator) -> TextBatch:
    """Sentence vectors with noise, of length one again."""
    texts = text_batch(chosen, vectors)
    noise = torch.from_numpy(rng.normal(0, NOISE, tuple(texts.vectors.shape)).astype(np.float32))
    return TextBatch(nn.functional.normalize(texts.vectors + noise, dim=1), texts.lengths)
