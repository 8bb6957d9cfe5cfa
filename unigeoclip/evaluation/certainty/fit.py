"""Fits and tests what tells whether a text is about anything in an atlas, see `similarity.certainty`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize

from unigeoclip.atlas.schema import RULES_FOLDER
from unigeoclip.evaluation.certainty.texts import about_city, about_no_place, about_world, random_letters
from unigeoclip.evaluation.queries import load_rules
from unigeoclip.modalities import text as text_modality
from unigeoclip.search.descriptions import LEARNED
from unigeoclip.similarity.certainty import FEATURES, TextCertainty, nearness
from unigeoclip.words.vocabulary import WIDE_M, vocabulary_of_window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas

__all__ = ["fit_certainty", "text_certainty"]

SEED = 1
LETTERS = 110  # texts of random letters beside those of the list: 200 foreign texts remain for the test
THRESHOLD = 0.45  # where both kinds are as likely it would be 0.5: a text that fits is refused less gladly
_RIDGE = 0.5  # of the weights of the standardized features, half of what scikit-learn adds with C = 1


def text_certainty(atlas: Atlas) -> TextCertainty | None:
    """Fit the model to one half of the texts and test it on the other.

    Foreign are texts about no place and random letters. Fitting are what people type, and the phrases of the vocabulary
    that the captions come near to; those that the test alone has are the plain queries of the atlas's rules.

    Args:
        atlas: With captions.

    Returns:
        None for an atlas without vectors of sentences.
    """
    sentences = atlas.sentence_vectors()
    if not len(sentences):
        return None
    typed = about_world() if atlas.window_m > WIDE_M else about_city()
    vocabulary = [each for each in vocabulary_of_window(atlas.window_m).phrases if each not in set(typed)]
    foreign = _features([*about_no_place(), *random_letters(LETTERS, SEED)], sentences)
    phrases = _features(vocabulary, sentences)
    phrases = phrases[phrases[:, 0] >= LEARNED]
    own = _features(typed, sentences)
    folder = atlas.path / RULES_FOLDER
    asked = {rule.query for rule in load_rules(folder)} - set(typed) - set(vocabulary) if folder.is_dir() else set()
    ruled = _features(sorted(asked), sentences)
    fitted = fit_certainty(np.concatenate([own[::2], phrases[::2]]), foreign[::2])
    fitting, others = fitted.probability(np.concatenate([own[1::2], phrases[1::2], ruled])), foreign[1::2]
    refused = fitted.probability(others) < fitted.threshold
    tested = {
        "n_foreign": float(len(others)),
        "foreign_refused": round(100 * float(refused.mean()), 1),
        "n_fitting": float(len(fitting)),
        "fitting_refused": round(100 * float((fitting < fitted.threshold).mean()), 1),
    }
    return TextCertainty(fitted.weights, fitted.bias, fitted.threshold, tested)


def _features(texts: list[str], sentences: NDArray[np.floating]) -> NDArray[np.float64]:
    if not texts:
        return np.empty((0, len(FEATURES)))
    return nearness(text_modality.sentence_encoder().embed(texts), sentences)


def fit_certainty(fitting: NDArray[np.float64], foreign: NDArray[np.float64]) -> TextCertainty:
    """Logistic regression with a ridge on standardized features, both groups weighing the same.

    Args:
        fitting: (n, features) of texts about the atlas.
        foreign: (m, features) of texts about nothing in it.
    """
    values = np.concatenate([fitting, foreign])
    mean, spread = values.mean(axis=0), np.maximum(values.std(axis=0), 1e-6)
    standard = np.column_stack([(values - mean) / spread, np.ones(len(values))])
    signs = np.concatenate([np.ones(len(fitting)), -np.ones(len(foreign))])
    shares = np.concatenate([np.full(len(each), len(values) / 2 / len(each)) for each in (fitting, foreign)])

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = signs * (standard @ weights)
        ridge = np.append(weights[:-1], 0.0)
        slope = -(shares * signs / (1 + np.exp(np.clip(margin, -60, 60)))) @ standard
        return float(shares @ np.logaddexp(0, -margin) + _RIDGE * ridge @ ridge), slope + 2 * _RIDGE * ridge

    weights = minimize(loss, np.zeros(standard.shape[1]), jac=True, method="L-BFGS-B").x
    raw = weights[:-1] / spread
    rounded = {name: round(float(weight), 5) for name, weight in zip(FEATURES, raw, strict=True)}
    return TextCertainty(rounded, round(float(weights[-1] - raw @ mean), 5), THRESHOLD)
