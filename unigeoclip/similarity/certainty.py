"""How sure it is that a text is about anything in an atlas: a logistic model of four numbers, fitted by calibration.

Every text lights up some part of a map, "asdf qwer" too, and the height of a similarity does not tell why. What tells
is how near the text is to what the captions of the atlas say, in the space of the frozen sentence encoder: its cosine
with the closest sentence, and its mean cosines with the closest ten, the closest hundred and all sentences.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEATURES", "TextCertainty", "nearness"]

FEATURES = {"closest": 1, "closest_10": 10, "closest_100": 100, "all": 0}  # how many sentences; 0 for all


@dataclass(frozen=True)
class TextCertainty:
    """The fitted model, and what it reached on texts that it was not fitted to.

    Attributes:
        weights: Name of a feature (`FEATURES`) -> its weight.
        bias: Added to the weighted sum.
        threshold: Probability below which a text is about nothing in the atlas.
        tested: ``n_foreign`` and ``n_fitting`` texts, and how many percent of them lie below the threshold:
            ``foreign_refused``, ``fitting_refused``.
    """

    weights: dict[str, float]
    bias: float
    threshold: float
    tested: dict[str, float] = field(default_factory=dict)

    def probability(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """The probability that texts are about something in the atlas.

        Args:
            features: (n, features) from `nearness`.
        """
        weights = np.array([self.weights[name] for name in FEATURES])
        found: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(features @ weights + self.bias, -60, 60)))
        return found

    @property
    def is_sound(self) -> bool:
        """Whether the weights are those of the features, and all numbers are finite."""
        numbers = (*self.weights.values(), self.bias, self.threshold)
        return set(self.weights) == set(FEATURES) and all(map(math.isfinite, numbers)) and 0 <= self.threshold <= 1


def nearness(texts: NDArray[np.floating], sentences: NDArray[np.floating]) -> NDArray[np.float64]:
    """How near texts are to the sentences of an atlas.

    Args:
        texts: (n, 384) unit vectors of the sentence encoder.
        sentences: (m, 384), m >= 1, of the same.

    Returns:
        (n, 4): the features in the order of `FEATURES`.
    """
    cosines = -np.sort(-(texts.astype(np.float32) @ sentences.astype(np.float32).T), axis=1)
    return np.stack([cosines[:, : count or None].mean(axis=1) for count in FEATURES.values()], axis=1).astype(
        np.float64
    )
