"""Sentence vectors, packed and unpacked: both forms, and which is taken when."""

import numpy as np
import pytest

from unigeoclip.atlas import sentence_vectors
from unigeoclip.atlas.sentence_vectors import (
    LEAST_FOR_CODES,
    PIECES,
    are_vectors,
    count_vectors,
    pack_vectors,
    unpack_vectors,
)
from unigeoclip.sentences import SENTENCE_DIM


def like_sentences(count, seed=0):
    """Unit vectors as sentences have them: many near a few hundred themes, in far fewer directions than 384."""
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(48, SENTENCE_DIM))
    themes = rng.normal(size=(300, 48))
    mixed = themes[rng.integers(300, size=count)] + 0.5 * rng.normal(size=(count, 48))
    vectors = mixed @ directions + 0.3 * rng.normal(size=(count, SENTENCE_DIM))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def shapes(stored):
    return {name: tensor.shape for name, tensor in stored.items()}


def test_few_vectors_are_whole_numbers_of_eight_bits():
    vectors = like_sentences(500)
    stored = pack_vectors(vectors)
    assert set(stored) == {"vectors", "scale"}
    assert stored["vectors"].dtype == np.int8
    assert are_vectors(shapes(stored))
    assert count_vectors(shapes(stored)) == 500
    assert (unpack_vectors(stored) * vectors).sum(1).min() > 0.999


@pytest.fixture
def one_thread():
    """Threads that wait for each other take ten times as long on so little."""
    import faiss

    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    yield
    faiss.omp_set_num_threads(threads)


@pytest.mark.parametrize("count", [LEAST_FOR_CODES - 1, LEAST_FOR_CODES])
def test_many_vectors_are_codes(count, monkeypatch):
    """A codebook takes a minute to learn from all; what is chosen does not depend on what is in it."""
    learned = []

    class Quantizer:
        def __init__(self, *_):
            self.centroids = np.zeros(sentence_vectors.PIECES * sentence_vectors.WORDS * 4, np.float32)

        def train(self, vectors):
            learned.append(len(vectors))

        def compute_codes(self, vectors):
            return np.zeros((len(vectors), sentence_vectors.PIECES), np.uint8)

    import faiss

    monkeypatch.setattr(faiss, "ProductQuantizer", Quantizer)
    monkeypatch.setattr(faiss, "vector_to_array", np.asarray)
    stored = pack_vectors(np.ones((count, SENTENCE_DIM), np.float32))
    assert ("codes" in stored) == (count >= LEAST_FOR_CODES) == bool(learned)


@pytest.mark.usefixtures("one_thread")
def test_codes_keep_what_a_vector_says(monkeypatch):
    monkeypatch.setattr(sentence_vectors, "LEAST_FOR_CODES", 1000)
    vectors = like_sentences(1000)
    stored = pack_vectors(vectors)
    assert set(stored) == {"codes", "codebook"}
    assert stored["codes"].shape == (1000, PIECES)
    assert stored["codes"].dtype == np.uint8
    assert are_vectors(shapes(stored))
    assert count_vectors(shapes(stored)) == 1000
    unpacked = unpack_vectors(stored)
    assert unpacked.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(unpacked, axis=1), 1, atol=1e-5)
    assert (unpacked * vectors).sum(1).mean() > 0.97


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"codes": (5, 96)},
        {"codes": (5, 95), "codebook": (96, 256, 4)},
        {"codes": (5, 96), "codebook": (96, 256, 3)},
        {"vectors": (5, 384)},
        {"vectors": (5, 384), "scale": (4,)},
        {"vectors": (5, 383), "scale": (5,)},
    ],
)
def test_other_tensors_are_none(other):
    assert not are_vectors(other)
