"""Vocabularies: lists of phrases with their kinds, one for cities and one for the world."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unigeoclip.words.city import CITY
from unigeoclip.words.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Vocabulary", "vocabulary_of_window"]

WIDE_M = 10_000.0  # windows wider than that show landscapes, others show streets


@dataclass(frozen=True)
class Vocabulary:
    """Phrases with their kinds.

    Attributes:
        name: "city", "world", or that of your own.
        phrases: The phrases, each once.
        kinds: Kind of each.
    """

    name: str
    phrases: tuple[str, ...]
    kinds: tuple[str, ...]

    @classmethod
    def of_table(cls, name: str, table: Mapping[str, Sequence[str]]) -> Vocabulary:
        """The vocabulary of a table, kind -> phrases; a phrase that stands there twice keeps its first kind."""
        kinds: dict[str, str] = {}
        for kind, phrases in table.items():
            for phrase in phrases:
                kinds.setdefault(phrase, kind)
        return cls(name, tuple(kinds), tuple(kinds.values()))

    def kept(self, keep: Sequence[bool]) -> Vocabulary:
        """The same with some of its phrases only."""
        rows = [row for row, wanted in enumerate(keep) if wanted]
        return Vocabulary(self.name, tuple(self.phrases[row] for row in rows), tuple(self.kinds[row] for row in rows))

    def __len__(self) -> int:
        return len(self.phrases)

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that change with the phrases."""
        return hashlib.sha256(json.dumps(self.phrases).encode()).hexdigest()[:16]


def vocabulary_of_window(window_m: float) -> Vocabulary:
    """The vocabulary for places of so many meters: "city" up to 10 km, "world" beyond."""
    return Vocabulary.of_table("world", WORLD) if window_m > WIDE_M else Vocabulary.of_table("city", CITY)
