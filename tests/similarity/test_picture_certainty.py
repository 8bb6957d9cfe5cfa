"""What describes a picture, and how far one is from those of an atlas."""

from dataclasses import replace

import numpy as np
import pytest

from tests.fields import NOISE, fields
from unigeoclip.evaluation.certainty.pictures import fit_pictures
from unigeoclip.similarity.picture_certainty import STATISTICS, statistics


def test_statistics_do_not_tell_what_is_where():
    pictures = np.concatenate([fields(20, 3), NOISE[None]])
    found = statistics(pictures)
    assert found.shape == (21, STATISTICS)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(statistics(pictures[:, :, ::-1, ::-1]), found, atol=1e-5)
    np.testing.assert_allclose(statistics(pictures[3:4]), found[3:4], atol=1e-9)


def test_a_flat_picture_and_a_small_one_have_finite_statistics():
    assert np.isfinite(statistics(np.full((1, 3, 9, 8), 255, np.uint8))).all()


@pytest.fixture(scope="module")
def fitted():
    foreign = {"noise": np.random.default_rng(1).integers(0, 256, (50, 3, 16, 16), np.uint8)}
    return fit_pictures(fields(400, 0), fields(100, 1), foreign, np.random.default_rng(0))


def test_distances_are_those_of_mahalanobis(fitted):
    described = statistics(fields(400, 0))
    covariance = np.cov(described, rowvar=False)
    covariance += np.eye(STATISTICS) * 1e-3 * np.trace(covariance) / STATISTICS
    apart = statistics(fields(7, 8)) - described.mean(axis=0)
    expected = np.sqrt(np.einsum("ni,ij,nj->n", apart, np.linalg.inv(covariance), apart))
    np.testing.assert_allclose(fitted.distances(fields(7, 8)), expected, rtol=1e-3)


def test_the_record_says_what_was_refused(fitted):
    assert fitted.is_sound
    assert fitted.tested["n_fitting"] == 100  # one half of the held-out ones and of the changed ones
    assert fitted.tested["fitting_refused"] < 12
    assert fitted.tested["n_foreign"] == 50
    assert fitted.tested["foreign_refused"] == fitted.tested["noise"] == 100


@pytest.mark.parametrize(
    "damage",
    [
        {"mean": (0.0,)},
        {"whitening": "AAAA"},
        {"whitening": "not base64"},
        {"threshold": float("nan")},
        {"threshold": 0.0},
    ],
)
def test_damaged_numbers_are_noticed(fitted, damage):
    assert not replace(fitted, **damage).is_sound
