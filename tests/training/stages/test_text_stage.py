"""The head of text alone: what it reads, that nothing else changes, and that it learns."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.atlas.tiny import write_tiny_atlas
from tests.explorable import CONFIG
from unigeoclip.atlas import load_atlas
from unigeoclip.modalities.text import MOST_WEIGHT, TextBatch, TextConfig, TextEncoder
from unigeoclip.model import UniGeoCLIP
from unigeoclip.search.gallery_embeddings import text_batch
from unigeoclip.training.configs import TrainConfig
from unigeoclip.training.gradients import decay_groups
from unigeoclip.training.sampling.sampler import PlaceSampler
from unigeoclip.training.stages import text_stage
from unigeoclip.training.stages.text_stage import FREQUENCY_POWER, _SentencePlaces, tune_text


@pytest.fixture
def sampler(tmp_path):
    atlas = load_atlas(write_tiny_atlas(tmp_path / "tiny"))
    vectors = np.random.default_rng(0).normal(size=(len(atlas.sentences), 384))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return PlaceSampler(atlas, "random", vectors.astype(np.float16), {})


def model():
    torch.manual_seed(0)
    return UniGeoCLIP(CONFIG)


def weights(some):
    return {name: value.clone() for name, value in some.state_dict().items()}


def test_only_the_head_of_text_changes_and_the_same_way_each_time(sampler, monkeypatch):
    monkeypatch.setattr(text_stage, "BATCH", 16)
    first, second = model(), model()
    before = weights(first)
    tune_text(first, sampler, TrainConfig(text_steps=3), seed=1)
    tune_text(second, sampler, TrainConfig(text_steps=3), seed=1)
    after = weights(first)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.startswith("encoders.text.") for name in changed)
    assert all(torch.equal(value, weights(second)[name]) for name, value in after.items())


def test_sentences_weigh_the_same_until_their_weights_are_learned(sampler, monkeypatch):
    """What tells nothing of a place is made to weigh less there than what is said of it alone."""
    monkeypatch.setattr(text_stage, "BATCH", 32)
    text = CONFIG.encoders["text"] | {"weighted": True}
    plain, weighted = model(), UniGeoCLIP(replace(CONFIG, encoders=CONFIG.encoders | {"text": text}))
    assert not weighted.encoders["text"].weight.requires_grad
    assert not any(p is weighted.encoders["text"].weight for g in decay_groups(weighted, 0.1) for p in g["params"])
    weighted.load_state_dict(plain.state_dict(), strict=False)
    chosen = [np.array([0, 1, 2]), np.array([3])]
    texts = text_batch(chosen, sampler.vectors)
    with torch.no_grad():
        np.testing.assert_allclose(weighted.encoders["text"](texts), plain.encoders["text"](texts), atol=1e-6)
    tune_text(weighted, sampler, TrainConfig(text_steps=20, single_sentences=0.25), seed=0)
    assert weighted.encoders["text"].weight.abs().max() > 0
    assert not weighted.encoders["text"].weight.requires_grad


def test_a_weighted_mean_is_one():
    encoder = TextEncoder(TextConfig(hidden=8, weighted=True), 4)
    with torch.no_grad():
        encoder.weight.copy_(torch.linspace(-3, 3, 9))
        vectors = torch.nn.functional.normalize(torch.randn(5, 384, generator=torch.Generator().manual_seed(0)), dim=1)
        bags = encoder(TextBatch(vectors, torch.tensor([3, 2])))
        each = encoder.each(vectors)
        weights = MOST_WEIGHT ** torch.tanh(each @ encoder.weight[:-1] + encoder.weight[-1])
        for row, some in enumerate((slice(0, 3), slice(3, 5))):
            mean = torch.from_numpy(np.average(each[some].numpy(), axis=0, weights=weights[some].numpy()))
            torch.testing.assert_close(bags[row], encoder.together(mean.float()[None])[0])


def test_single_sentences_find_their_places_better(sampler, monkeypatch):
    monkeypatch.setattr(text_stage, "BATCH", 32)
    some = model()

    def similarity():
        rows = sampler.sentences
        texts = TextBatch(
            torch.from_numpy(sampler.vectors[[row[0] for row in rows]].astype(np.float32)),
            torch.ones(len(rows), dtype=torch.int64),
        )
        with torch.no_grad():
            text = torch.nn.functional.normalize(some.encoders["text"](texts), dim=-1)
            places = some.encode({"location": sampler.latlon})["location"]
        own = (text * places).sum(1).mean()
        return float(own - (text @ places.T).mean())

    before = similarity()
    tune_text(some, sampler, TrainConfig(text_steps=60), seed=0)
    assert similarity() > before + 0.05


def test_sentences_are_drawn_by_how_often_they_are_said_and_never_where_nobody_says_them():
    index = _SentencePlaces([np.array([0, 2]), np.array([0]), np.array([0]), np.array([0, 4])], 6)
    drawn = np.bincount(index.draw(20_000, np.random.default_rng(0)), minlength=6) / 20_000
    assert (drawn[[1, 3, 5]] == 0).all()
    assert drawn[0] / drawn[2] == pytest.approx(4**FREQUENCY_POWER, rel=0.1)


def test_the_target_of_a_sentence_is_the_mean_of_its_places():
    index = _SentencePlaces([np.array([0, 2]), np.array([0])], 3)
    places = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    whole = index.targets(places, np.array([True, True]), 1.0)
    assert whole.sentences.tolist() == [[0.5, 0.5], [0.0, 0.0], [1.0, 0.0]]
    assert whole.said.tolist() == [True, False, True]
    part = index.targets(places * torch.tensor([[0.0], [1.0]]), np.array([False, True]), 1.0)
    assert part.sentences.tolist() == [[0.0, 1.0], [0.0, 0.0], [0.0, 0.0]], "a place without the picture counts nowhere"
    assert part.said.tolist() == [True, False, False]
    assert part.having.tolist() == [1]
