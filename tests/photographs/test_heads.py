"""Heads learn from drawings, and from photographs what drawings do not tell."""

import numpy as np
import pytest
import torch

from unigeoclip.errors import InputError
from unigeoclip.photographs.heads import Head, HeadConfig, RealSpots, encode_pictures, mean_of, train_head
from unigeoclip.photographs.measure import rank_among

FEATURES, DIM = 48, 8
CONFIG = HeadConfig((16, 32), dim=DIM, components=(8, 16), hidden=32, steps=120, batch=64)
RNG = np.random.default_rng(0)
MEANING = RNG.normal(size=(10, DIM))  # what the frozen encoders say of a place
DRAWING, PHOTO = RNG.normal(size=(2, 10, FEATURES))  # how a trunk sees a drawing, and a photograph, of it


def targets_of(hidden):
    vectors = hidden @ MEANING
    return {"text": (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)}


def seen(hidden, look, noise=0.3):
    return (hidden @ look + noise * RNG.normal(size=(len(hidden), FEATURES))).astype(np.float16)


HIDDEN, SPOTS, NEVER = (RNG.normal(size=(count, 10)) for count in (400, 120, 60))
DRAWN = seen(HIDDEN, DRAWING)
REAL = RealSpots(np.stack([seen(SPOTS, PHOTO) for _ in range(3)], axis=1), seen(SPOTS, DRAWING), targets_of(SPOTS))


def found_first(head, look):
    ranks = rank_among(encode_pictures(head, seen(NEVER, look)), targets_of(NEVER)["text"])
    return float((ranks <= 5).mean())


@pytest.fixture(scope="module")
def by_drawings():
    return train_head(CONFIG, DRAWN, targets_of(HIDDEN))


def test_drawings_teach_drawings_and_photographs_photographs(by_drawings):
    both = train_head(CONFIG, DRAWN, targets_of(HIDDEN), REAL)
    assert found_first(by_drawings, DRAWING) > 0.6
    assert found_first(by_drawings, PHOTO) < 0.25
    assert found_first(both, PHOTO) > 0.4  # by chance 0.08


def test_embeddings_are_unit_vectors_whatever_the_batch(by_drawings):
    features = seen(NEVER, PHOTO)
    vectors = encode_pictures(by_drawings, features)
    assert vectors.shape == (60, DIM)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(vectors[7:8], encode_pictures(by_drawings, features[7:8]), atol=1e-5)


def test_the_same_seed_gives_the_same_head(by_drawings):
    again = train_head(CONFIG, DRAWN, targets_of(HIDDEN))
    other = train_head(CONFIG, DRAWN, targets_of(HIDDEN), seed=1)
    assert torch.equal(by_drawings.linear.weight, again.linear.weight)
    assert not torch.allclose(by_drawings.linear.weight, other.linear.weight, atol=1e-2)


def test_the_projection_whitens():
    head = Head(CONFIG)
    wide = (RNG.normal(size=(300, FEATURES)) * np.geomspace(1, 10, FEATURES)).astype(np.float16)
    head.fit_projection(wide)
    spread = head.project(wide).std(0)
    assert spread.max() / spread.min() < 1.2
    with pytest.raises(InputError, match="16 components"):
        head.fit_projection(wide[:10])


def test_the_mean_of_two_heads_lies_between_them():
    one, other = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in RNG.normal(size=(2, 5, DIM)))
    found = mean_of(one, other)
    assert np.allclose(np.linalg.norm(found, axis=1), 1)
    assert np.allclose((found * one).sum(1), (found * other).sum(1))
    assert np.allclose(mean_of(one, one), one)
