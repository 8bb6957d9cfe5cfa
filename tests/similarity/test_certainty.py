"""Whether texts are about anything in an atlas: features, the fitted model, and the lists it is fitted to."""

import numpy as np
import pytest

from unigeoclip.evaluation.certainty.fit import THRESHOLD, fit_certainty
from unigeoclip.evaluation.certainty.texts import about_city, about_no_place, about_world, random_letters
from unigeoclip.similarity.certainty import FEATURES, TextCertainty, nearness


def test_nearness_is_the_mean_cosine_with_the_closest_sentences():
    rng = np.random.default_rng(0)
    texts, sentences = rng.normal(size=(3, 384)), rng.normal(size=(250, 384))
    texts, sentences = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (texts, sentences))
    cosines = np.sort(texts @ sentences.T, axis=1)[:, ::-1]
    expected = [cosines[:, 0], cosines[:, :10].mean(1), cosines[:, :100].mean(1), cosines.mean(1)]
    np.testing.assert_allclose(nearness(texts, sentences), np.stack(expected, 1), atol=1e-6)


def test_few_sentences_are_enough():
    assert nearness(np.eye(384)[:2], np.eye(384)[:1]).tolist() == [[1.0] * 4, [0.0] * 4]


def test_the_model_tells_two_groups_apart_whatever_their_sizes():
    rng = np.random.default_rng(0)
    fitting, foreign = rng.normal(0.8, 0.1, (40, 4)), rng.normal(0.4, 0.1, (400, 4))
    found = fit_certainty(fitting, foreign)
    assert found.is_sound
    assert found.threshold == THRESHOLD
    assert (found.probability(rng.normal(0.8, 0.1, (200, 4))) > THRESHOLD).mean() > 0.97
    assert (found.probability(rng.normal(0.4, 0.1, (200, 4))) < THRESHOLD).mean() > 0.97
    assert found.probability(np.full((1, 4), 0.6))[0] == pytest.approx(0.5, abs=0.2), "in the middle nobody knows"


def test_it_is_the_logistic_regression_of_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(1)
    fitting, foreign = rng.normal(0.7, 0.2, (60, 4)), rng.normal(0.4, 0.2, (90, 4))
    values = np.concatenate([fitting, foreign])
    mean, spread = values.mean(0), values.std(0)
    model = LogisticRegression(class_weight="balanced")
    model.fit((values - mean) / spread, np.r_[np.ones(60), np.zeros(90)])
    expected = model.predict_proba((values - mean) / spread)[:, 1]
    np.testing.assert_allclose(fit_certainty(fitting, foreign).probability(values), expected, atol=2e-3)


@pytest.mark.parametrize("changed", [{"weights": {}}, {"bias": float("nan")}, {"threshold": 2.0}])
def test_what_is_no_model_is_told(changed):
    sound = {"weights": dict.fromkeys(FEATURES, 1.0), "bias": 0.0, "threshold": 0.5}
    assert TextCertainty(**sound).is_sound
    assert not TextCertainty(**sound | changed).is_sound


def test_lists_are_long_enough_and_do_not_overlap():
    foreign = [*about_no_place(), *random_letters(110, 1)]
    assert len(foreign) >= 400
    assert "asdf qwer" in foreign
    for fitting in (about_city(), about_world()):
        assert len(fitting) >= 120
        assert not set(fitting) & set(foreign)
    assert random_letters(5, 3) == random_letters(5, 3)
