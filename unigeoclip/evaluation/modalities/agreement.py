"""How well two modalities of the same places agree: alignment, uniformity, modality gap. Arrays in, numbers out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["SimilarityLevels", "alignment", "modality_gap", "similarity_levels", "uniformity"]

CHANCE_PERCENTILE = 99.0  # of unrelated pairs: one of a hundred is more similar
_MOST = 2000  # items of which all pairs are taken: 2,000 x 2,000 similarities are 16 MB
_CHUNK = 1024


@dataclass(frozen=True)
class SimilarityLevels:
    """What cosine similarities between two modalities mean, measured on the same places.

    Attributes:
        match: Median over places of the similarity between their own two items.
        unrelated: Median over pairs of items of different places.
        chance: Percentile `CHANCE_PERCENTILE` of those.
        n: Places.
    """

    match: float
    unrelated: float
    chance: float
    n: int


def alignment(one: ArrayLike, other: ArrayLike) -> float:
    """Mean squared distance between two modalities of the same place (Wang and Isola, ICML 2020, equation 4, alpha 2).

    Args:
        one: (n, dim) unit vectors.
        other: (n, dim) unit vectors; row i is of the same place.

    Returns:
        0 (both encoders give the same vector) to 4; 2 for vectors that have nothing to do with each other.

    Raises:
        InputError: Shapes differ, or there are no rows.
    """
    x, y = _same_places(one, other)
    return float(np.einsum("nd,nd->n", x - y, x - y).mean())


def uniformity(vectors: ArrayLike, temperature: float = 2.0) -> float:
    """How evenly vectors are spread over the sphere (Wang and Isola, ICML 2020, equation 5).

    The logarithm of the mean of exp(-t d^2) over all pairs of different rows, d being their distance. Of more than
    2,000 rows an even selection is taken.

    Args:
        vectors: (n, dim) unit vectors, n >= 2.
        temperature: t.

    Returns:
        0 (all vectors are one) down to about -2 t (spread evenly over a sphere of many dimensions).

    Raises:
        InputError: Fewer than two rows.
    """
    x = _even(np.asarray(vectors, np.float64))
    if x.ndim != 2 or len(x) < 2:
        raise InputError(f"Uniformity needs two or more vectors, (n, dim), not {x.shape}.")
    total = 0.0
    for start in range(0, len(x), _CHUNK):
        squared = np.clip(2 - 2 * x[start : start + _CHUNK] @ x.T, 0, None)
        total += float(np.exp(-temperature * squared).sum())
    return float(np.log(max((total - len(x)) / (len(x) * (len(x) - 1)), np.finfo(np.float64).tiny)))


def modality_gap(one: ArrayLike, other: ArrayLike) -> float:
    """Distance between the means of two modalities of the same places (Liang et al., NeurIPS 2022, section 4.2).

    Args:
        one: (n, dim) unit vectors.
        other: (n, dim) unit vectors of the same places.

    Returns:
        0 (both modalities fill the same part of the sphere) to 2.

    Raises:
        InputError: Shapes differ, or there are no rows.
    """
    x, y = _same_places(one, other)
    return float(np.linalg.norm(x.mean(axis=0) - y.mean(axis=0)))


def similarity_levels(one: ArrayLike, other: ArrayLike) -> SimilarityLevels:
    """How similar two modalities of one place are, and those of two different places.

    Pairs of different places are all pairs of at most 2,000 places.

    Args:
        one: (n, dim) unit vectors, n >= 2.
        other: (n, dim) unit vectors; row i is of the same place.

    Raises:
        InputError: Shapes differ, or there are fewer than two rows.
    """
    x, y = _same_places(one, other)
    if len(x) < 2:
        raise InputError("Similarities of unrelated places need two or more places.")
    match = float(np.median(np.einsum("nd,nd->n", x, y)))
    similarity = _even(x).astype(np.float32) @ _even(y).astype(np.float32).T
    others = similarity[~np.eye(len(similarity), dtype=bool)]
    unrelated, chance = np.percentile(others, [50.0, CHANCE_PERCENTILE])
    return SimilarityLevels(match, float(unrelated), float(chance), len(x))


def _even(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """At most `_MOST` rows, evenly selected."""
    if len(rows) <= _MOST:
        return rows
    selected: NDArray[np.float64] = rows[np.rint(np.linspace(0, len(rows) - 1, _MOST)).astype(np.int64)]
    return selected


def _same_places(one: ArrayLike, other: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = np.asarray(one, np.float64), np.asarray(other, np.float64)
    if x.shape != y.shape or x.ndim != 2 or not len(x):
        raise InputError(f"Two modalities of the same places are compared, (n, dim) each, not {x.shape} and {y.shape}.")
    return x, y
