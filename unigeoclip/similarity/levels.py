"""What a similarity means: how alike unrelated places are to a query, and places that belong to it, as measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unigeoclip.similarity.calibration import Calibration

__all__ = ["Levels", "levels_of_modality"]

# Which percentiles of the calibration the levels are; one unrelated place of a thousand reaches chance.
_UNRELATED, _CHANCE, _MATCH = "50", "99.9", "50"
_LEAST_SPAN = 0.05  # of similarity that the colors reach over at least


@dataclass(frozen=True)
class Levels:
    """Similarities measured between queries of one modality and locations, on held-out places.

    Attributes:
        unrelated: Median over pairs that do not belong together.
        chance: What only one of a thousand such pairs exceeds.
        match: Median over pairs that belong together.
    """

    unrelated: float
    chance: float
    match: float

    @property
    def limits(self) -> tuple[float, float]:
        """The similarities of the lowest and the highest color: from unrelated places to an ordinary match.

        Where chance reaches farther than an ordinary match does, the colors end at chance.
        """
        return self.unrelated, max(self.match, self.chance, self.unrelated + _LEAST_SPAN)

    @property
    def separates(self) -> bool:
        """Whether an ordinary match is more similar than chance: whether the height of a similarity tells anything."""
        return self.match > self.chance

    def fraction(self, similarity: float) -> float:
        """Place of a similarity along the colors, 0 low to 1 high."""
        low, high = self.limits
        return min(1.0, max(0.0, (similarity - low) / (high - low)))

    def is_chance(self, similarity: float) -> bool:
        """Whether a similarity is no more than what unrelated places reach."""
        return similarity <= self.chance

    def is_match(self, similarity: float) -> bool:
        """Whether a similarity is at least that of an ordinary match."""
        return similarity >= self.match and not self.is_chance(similarity)


def levels_of_modality(measured: Calibration | None, modality: str) -> Levels | None:
    """The levels of queries of a modality; None where they were not measured.

    Args:
        measured: From `calibration.calibration`; None for a model without one.
        modality: "location", "aerial", "street", "surface" or "text".
    """
    spread = None if measured is None else measured.modalities.get(modality)
    return None if spread is None else Levels(spread.other[_UNRELATED], spread.other[_CHANCE], spread.match[_MATCH])
