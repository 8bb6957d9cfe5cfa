"""Words that no caption has are read through the captions that resemble them."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from unigeoclip.modalities.text import TextBatch
from unigeoclip.model import ModelConfig, UniGeoCLIP
from unigeoclip.search.texts import encode_words
from unigeoclip.sentences import SENTENCE_DIM


def units(count, seed):
    vectors = np.random.default_rng(seed).normal(size=(count, SENTENCE_DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return UniGeoCLIP(
        ModelConfig(dim=16, encoders={"location": {"width": 16, "heads": 2}, "text": {"hidden": 32}})
    ).eval()


def atlas_with(captions):
    return SimpleNamespace(sentence_vectors=lambda: captions)


def by_the_head(model, *bags):
    batch = TextBatch(torch.from_numpy(np.concatenate(bags)), torch.tensor([len(bag) for bag in bags]))
    return model.encode({"text": batch})["text"].numpy()


def leaning(captions, row, cosine):
    """A sentence so similar to one caption, and hardly to the others."""
    aside = units(1, 99)[0]
    aside -= (aside @ captions[row]) * captions[row]
    return (cosine * captions[row] + np.sqrt(1 - cosine**2) * aside / np.linalg.norm(aside))[None].astype(np.float32)


def test_what_a_caption_says_keeps_its_vector(model):
    captions = units(40, 1)
    found = encode_words(model, atlas_with(captions), captions[7:8])
    assert found == pytest.approx(by_the_head(model, captions[7:8])[0], abs=1e-5)


def test_without_captions_the_head_alone_decides(model):
    words = units(2, 2)
    found = encode_words(model, atlas_with(np.zeros((0, SENTENCE_DIM), np.float32)), words)
    assert found == pytest.approx(by_the_head(model, words)[0], abs=1e-6)


def test_the_less_words_are_like_a_caption_the_more_the_nearest_captions_count(model):
    captions = units(40, 1)
    moved = []
    for cosine in (0.95, 0.8, 0.6):
        words = leaning(captions, 7, cosine)
        head, nearest = by_the_head(model, words)[0], by_the_head(model, captions[7:8])[0]
        found = encode_words(model, atlas_with(captions), words)
        assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
        assert found @ nearest > head @ nearest, "nearer to what the caption means than the head alone"
        moved.append(1 - found @ head)
    assert moved == sorted(moved)
    assert moved[0] < 0.01 < moved[-1]


def test_each_sentence_is_read_through_captions_of_its_own(model):
    captions = units(40, 1)
    words = np.concatenate([leaning(captions, 3, 0.7), leaning(captions, 30, 0.7)])
    found = encode_words(model, atlas_with(captions), words)
    head, near = by_the_head(model, words)[0], by_the_head(model, captions[3:4], captions[30:31])
    assert (near @ found > near @ head).all()


def test_fewer_captions_than_are_asked_for_will_do(model):
    captions = units(3, 1)
    assert np.isfinite(encode_words(model, atlas_with(captions), units(1, 5))).all()
