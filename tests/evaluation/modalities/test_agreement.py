"""Alignment, uniformity, modality gap and levels on vectors whose figures are known."""

import numpy as np
import pytest

from unigeoclip.errors import InputError
from unigeoclip.evaluation.modalities.agreement import alignment, modality_gap, similarity_levels, uniformity


def unit(rng, n, dim):
    vectors = rng.normal(size=(n, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_alignment_is_the_mean_squared_distance_of_matching_rows():
    x = np.eye(4)
    assert alignment(x, x) == 0
    assert alignment(x, -x) == pytest.approx(4)
    assert alignment(x, np.roll(x, 1, axis=0)) == pytest.approx(2), "unrelated vectors"


def test_uniformity_is_that_of_the_formula_and_falls_as_vectors_spread():
    x = unit(np.random.default_rng(0), 50, 8)
    pairs = [np.exp(-2 * ((a - b) ** 2).sum()) for i, a in enumerate(x) for j, b in enumerate(x) if i != j]
    assert uniformity(x) == pytest.approx(np.log(np.mean(pairs)), abs=1e-5)
    assert uniformity(np.tile(x[:1], (5, 1))) == pytest.approx(0, abs=1e-5)
    assert uniformity(unit(np.random.default_rng(0), 3000, 200)) == pytest.approx(-4, abs=0.1)


def test_the_gap_is_the_distance_of_the_means_whatever_the_places():
    rng = np.random.default_rng(0)
    x = unit(rng, 400, 6)
    assert modality_gap(x, x[::-1]) == pytest.approx(0, abs=1e-6), "the order of places changes nothing"
    y = x + np.eye(6)[0]
    assert modality_gap(x, y) == pytest.approx(1)


def test_levels_tell_matches_from_unrelated_pairs():
    rng = np.random.default_rng(0)
    x = unit(rng, 2500, 64)
    y = x + 0.05 * rng.normal(size=x.shape)
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    levels = similarity_levels(x, y)
    assert levels.n == 2500
    assert levels.match == pytest.approx(np.median((x * y).sum(1)), abs=1e-6)
    assert abs(levels.unrelated) < 0.01
    assert levels.unrelated < levels.chance < 0.5 < levels.match
    assert levels.chance == pytest.approx(2.33 / 8, abs=0.03), "the 99th percentile of a normal distribution"


@pytest.mark.parametrize("measure", [alignment, modality_gap, similarity_levels])
def test_other_places_are_refused(measure):
    with pytest.raises(InputError, match=r"not \(3, 2\) and \(4, 2\)"):
        measure(np.ones((3, 2)), np.ones((4, 2)))


def test_one_vector_has_no_uniformity():
    with pytest.raises(InputError, match="two or more"):
        uniformity(np.ones((1, 3)))
    with pytest.raises(InputError, match="two or more"):
        similarity_levels(np.ones((1, 3)), np.ones((1, 3)))
