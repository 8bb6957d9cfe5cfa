"""Retrieval figures on vectors whose answer is known."""

import numpy as np
import pytest

from unigeoclip.evaluation import retrieval as retrieval_module
from unigeoclip.evaluation.retrieval import nearest, ranks, retrieval


def unit(array):
    return (array / np.linalg.norm(array, axis=1, keepdims=True)).astype(np.float32)


def test_ranks_by_hand():
    gallery = np.eye(4, dtype=np.float32)
    queries = unit(np.array([[1, 0, 0, 0], [0.9, 0.5, 0, 0], [0.9, 0.8, 0.7, 0], [0, 0, 0.1, 1]]))
    rank, first = ranks(queries, gallery)
    assert rank.tolist() == [1, 2, 3, 1]
    assert first.tolist() == [0, 0, 0, 3]


def test_a_constant_encoder_scores_nothing():
    """Ties count against the query: embeddings that are all the same must not look perfect."""
    same = np.ones((50, 8), np.float32) / np.sqrt(8).astype(np.float32)
    scores = retrieval(same, same, np.zeros((50, 2)))
    assert scores["recall@1"] == scores["recall@10"] == 0


def test_distances_count_neighbors_within_100_m(monkeypatch):
    monkeypatch.setattr(retrieval_module, "FEWEST", 3)
    latlon = np.array([[0.0, 0.0], [0.0, 0.0005], [10.0, 10.0]])  # the first two are 56 m apart
    vectors = np.eye(3, dtype=np.float32)
    scores = retrieval(vectors, vectors[[1, 0, 2]], latlon)
    assert scores["recall@1"] == pytest.approx(100 / 3)
    assert scores["acc@100m"] == 100
    assert scores["n"] == 3


def test_chance_level():
    rng = np.random.default_rng(0)
    a, b = unit(rng.normal(size=(2000, 16))), unit(rng.normal(size=(2000, 16)))
    scores = retrieval(a, b, rng.uniform(-50, 50, (2000, 2)))
    assert scores["recall@10"] == pytest.approx(0.5, abs=0.5)


def test_a_handful_has_no_figure():
    """Of two items, whatever is asked is found: that is no 100 %."""
    same = np.eye(29, dtype=np.float32)
    assert retrieval(same[:2], same[:2], np.zeros((2, 2))) == {"n": 2, "too_few": True}
    assert retrieval(same, same, np.zeros((29, 2))) == {"n": 29, "too_few": True}
    more = np.eye(30, dtype=np.float32)
    assert retrieval(more, more, np.zeros((30, 2)))["recall@1"] == 100


def test_the_nearest_of_another_gallery():
    rng = np.random.default_rng(1)
    gallery = unit(rng.normal(size=(700, 16)))
    wanted = rng.integers(700, size=600)
    assert nearest(gallery[wanted], gallery).tolist() == wanted.tolist()
