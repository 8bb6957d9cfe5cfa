"""The frozen sentence encoder: many sentences at once give the vectors of each alone."""

import numpy as np
import pytest
import torch

from unigeoclip.modalities.text import SENTENCE_DIM, sentence_encoder

SENTENCES = ["A quiet street.", "park", "Low plateaus and plains of gravel, with almost no rain.", "sea", "Many shops."]


@pytest.mark.parametrize("threads", [1, 2])
def test_sentences_of_several_batches_have_the_vectors_of_each_alone(threads):
    encoder, before, done = sentence_encoder(), torch.get_num_threads(), []
    torch.set_num_threads(threads)
    try:
        vectors = encoder.embed(SENTENCES, batch=2, progress=done.append)
    finally:
        torch.set_num_threads(before)
    alone = np.concatenate([encoder.embed([sentence]) for sentence in SENTENCES])
    np.testing.assert_allclose(vectors, alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert sorted(done) == [1, 2, 2]


def test_no_sentences_have_no_vectors():
    assert sentence_encoder().embed([]).shape == (0, SENTENCE_DIM)
