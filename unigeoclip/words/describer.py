"""Descriptions: the phrases of a vocabulary that a vector of the shared space is made of, or that there are none.

The vectors of each modality lie round a mean of their own, far from that of the texts, and most of what they hold no
text says: whose street it is, say. So a vector is taken without the mean of its modality, and turned by a linear map
into the text that would be expected of it, before phrases are looked for (`Reference`). It is described if a phrase is
closer to it than the closest one is to a random vector, and if phrases explain more of it than of random ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.errors import InputError
from unigeoclip.words.combination import sparse_combination, unit_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from unigeoclip.words.vocabulary import Vocabulary

__all__ = ["Describer", "Description", "Phrase", "Reference", "measure_reference"]

RANDOM = 500  # vectors that the levels of chance are measured on
SEED = 0
RIDGE = 3.0  # of the map to texts, in mean variances of a dimension
_NOTHING = 1e-6  # length below which nothing is left of a vector without its mean

NOT_CLOSE = "No phrase of the vocabulary is closer to it than to random vectors."
NOT_EXPLAINED = "Phrases explain no more of it than of random vectors."


@dataclass(frozen=True)
class Phrase:
    """A phrase of a description.

    Attributes:
        text: The phrase.
        kind: Its kind in the vocabulary.
        weight: In the combination, above 0; near 1 for a text that says just this.
    """

    text: str
    kind: str
    weight: float


@dataclass(frozen=True)
class Description:
    """A vector in words.

    Attributes:
        phrases: The largest weight first; empty if it is not known what the vector stands for.
        explained: Share of the squared length of what a text can say of the vector that the phrases explain, 0 to 1; 0
            without phrases.
        chance: The same for random vectors of the same spectrum, the mean.
        note: Why there are no phrases, in a sentence; empty if there are.
    """

    phrases: tuple[Phrase, ...]
    explained: float
    chance: float
    note: str = ""

    @property
    def is_known(self) -> bool:
        """Whether there are phrases."""
        return bool(self.phrases)

    def summary(self, most: int = 2) -> str:
        """The first phrases in a line, "dense city blocks · by the river"; empty if there are none."""
        return " · ".join(phrase.text for phrase in self.phrases[:most])


@dataclass(frozen=True, eq=False)
class Reference:
    """The vectors of one modality, as a background for those that are described.

    Attributes:
        mean: (dim,) of the vectors.
        to_text: (dim, dim) map of a row vector without the mean to the text expected of it, without the mean of texts.
        level: The median over random vectors of the cosine with their closest phrase.
        chance: Mean share of random vectors that phrases above this level explain, 0 to 1.
    """

    mean: NDArray[np.float64]
    to_text: NDArray[np.float64]
    level: float
    chance: float


def measure_reference(
    vectors: NDArray[np.floating], phrases: NDArray[np.floating], texts: NDArray[np.floating] | None = None
) -> Reference:
    """The reference of a modality.

    The map to texts is a ridge regression between items of the same places. Random vectors are vectors of the modality,
    turned into texts, whose principal components have random signs: as long along each component as real ones, but with
    nothing said by how these go together.

    Args:
        vectors: (n, dim) of the modality.
        phrases: (m, dim) unit vectors of the phrases, without their mean.
        texts: (n, dim) of the same places' texts; None if the vectors are those of texts.

    Raises:
        InputError: There are fewer than two vectors.
    """
    if len(vectors) < 2:
        raise InputError(f"At least two places are needed to describe others; there are {len(vectors)}.")
    mean = vectors.mean(axis=0, dtype=np.float64)
    centered = vectors - mean
    to_text = np.eye(vectors.shape[1])
    if texts is not None:
        covariance = centered.T @ centered / len(vectors)
        penalty = RIDGE * max(float(np.trace(covariance)) / len(covariance), 1e-12)
        crossed = centered.T @ (texts - texts.mean(axis=0, dtype=np.float64)) / len(vectors)
        to_text = np.linalg.solve(covariance + penalty * np.eye(len(covariance)), crossed)
    said = centered @ to_text
    _, axes = np.linalg.eigh(said.T @ said)
    rng = np.random.default_rng(SEED)
    scores = said[rng.integers(len(said), size=RANDOM)] @ axes
    random = unit_rows((scores * rng.choice([-1.0, 1.0], scores.shape)) @ axes.T)
    level = float(np.median((random @ phrases.T).max(axis=1)))
    shares = [sparse_combination(vector, phrases, level).explained for vector in random]
    return Reference(mean, to_text, level, float(np.mean(shares)))


class Describer:
    """A vocabulary in the space of one model."""

    def __init__(self, vocabulary: Vocabulary, phrases: NDArray[np.floating]) -> None:
        """Put the parts together.

        Args:
            vocabulary: The phrases.
            phrases: (n, dim) their vectors in the space of the model, of length 1, without their mean.

        Raises:
            InputError: The number of vectors is not that of the phrases.
        """
        if len(phrases) != len(vocabulary):
            raise InputError(f"{len(vocabulary)} phrases need as many vectors, not {len(phrases)}.")
        self.vocabulary, self.phrases = vocabulary, phrases

    def describe(self, terms: Sequence[tuple[NDArray[np.floating], Reference]]) -> Description:
        """A sum of vectors in words.

        Args:
            terms: Vectors (dim,), weighted and without the means of their modalities, each with the reference of its
                modality. The strictest of their levels counts.

        Raises:
            InputError: There are no terms, or one is no vector of finite numbers of the space.
        """
        dim = self.phrases.shape[1]
        for vector, _ in terms:
            if np.shape(vector) != (dim,) or not np.isfinite(vector).all():
                raise InputError(
                    f"Only vectors of {dim} finite numbers can be described; one has shape {np.shape(vector)}."
                )
        if not terms:
            raise InputError("There is nothing to describe: give a vector.")
        level, chance = max(each.level for _, each in terms), max(each.chance for _, each in terms)
        said = np.sum([np.asarray(vector, np.float64) @ each.to_text for vector, each in terms], axis=0)
        length = float(np.linalg.norm(said))
        if length < _NOTHING:
            return Description((), 0.0, chance, NOT_CLOSE)
        numbers, weights, explained = sparse_combination(said / length, self.phrases, level)
        if explained <= chance:
            return Description((), 0.0, chance, NOT_EXPLAINED if len(numbers) else NOT_CLOSE)
        names, kinds = self.vocabulary.phrases, self.vocabulary.kinds
        found = zip(numbers.tolist(), weights.tolist(), strict=True)
        return Description(tuple(Phrase(names[i], kinds[i], weight) for i, weight in found), explained, chance)
