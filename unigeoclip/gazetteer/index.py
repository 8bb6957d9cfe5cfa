"""Which names somebody may mean who has typed the beginning of one."""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.gazetteer.folding import fold
from unigeoclip.gazetteer.names import KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unigeoclip.gazetteer.names import PlaceName

__all__ = ["MAX_CHARACTERS", "Gazetteer"]

MAX_CHARACTERS = 80  # of what is typed; more is cut off
MOST = 8
_HIGHEST = "\U0010ffff"
# What a match is worth against the logarithm of a name's weight: a whole name beats a metropolis, a later word loses
# against all but hamlets.
_WHOLE, _BEGINS, _OTHER, _LATER = 9.0, 4.0, 3.0, 0.0
_KIND = 0.7  # for each kind that a name is earlier in `KINDS`
_HEAVIEST = 7.5  # logarithm of a metropolis's weight


class Gazetteer:
    """Names, ready to be searched by their beginnings; thread-safe.

    Every name is in a sorted list once for each of its words, so that what begins alike stands together.
    """

    def __init__(self, names: Sequence[PlaceName]) -> None:
        """Sort the names.

        Args:
            names: From `names_of`.
        """
        self.names = list(names)
        keys: list[tuple[str, int, float]] = []
        for number, place in enumerate(self.names):
            spellings = dict.fromkeys((fold(place.name), *map(fold, place.others)))
            for rank, spelling in enumerate(spellings):
                words = spelling.split()
                for first in range(len(words)):
                    bonus = _LATER if first else _OTHER if rank else _BEGINS
                    keys.append((" ".join(words[first:]), number, bonus))
        keys.sort(key=lambda key: key[0])
        self._keys = [key for key, _, _ in keys]
        self._numbers = np.array([number for _, number, _ in keys], dtype=np.int64)
        self._bonus = np.array([bonus for _, _, bonus in keys], dtype=np.float32)
        self._worth = np.array([_worth(place) for place in self.names], dtype=np.float32)
        self._details = [f" {fold(place.detail)}" for place in self.names]

    def __len__(self) -> int:
        return len(self.names)

    def search(self, text: str, most: int = MOST) -> list[PlaceName]:
        """The names that begin so, or have a word that does, the likeliest first.

        What a name is told apart by may follow: "paris, texas" and "paris france" are read so where no name is called
        that.

        Args:
            text: What has been typed; case, accents and punctuation do not matter.
            most: How many names.
        """
        typed = text[:MAX_CHARACTERS]
        if "," in typed:
            name, _, detail = typed.partition(",")
            return self._found(fold(name), fold(detail), most)
        words = fold(typed).split()
        found = self._found(" ".join(words), "", most)
        for cut in range(len(words) - 1, 0, -1):
            if found:
                break
            found = self._found(" ".join(words[:cut]), " ".join(words[cut:]), most)
        return found

    def _found(self, wanted: str, detail: str, most: int) -> list[PlaceName]:
        if not wanted or most < 1:
            return []
        first, last = bisect_left(self._keys, wanted), bisect_left(self._keys, wanted + _HIGHEST)
        numbers = self._numbers[first:last]
        score = self._worth[numbers] + self._bonus[first:last]
        whole = bisect_left(self._keys, wanted + " ") if last > first else first
        for place in range(first, min(whole, last)):
            if self._keys[place] == wanted and self._bonus[place] > _LATER:
                score[place - first] += _WHOLE
        found: dict[int, PlaceName] = {}
        for number in numbers[np.argsort(-score, kind="stable")].tolist():
            if number not in found and (not detail or f" {detail}" in self._details[number]):
                found[number] = self.names[number]
                if len(found) == most:
                    break
        return list(found.values())


def _worth(place: PlaceName) -> float:
    kind = (len(KINDS) - KINDS.index(place.kind)) * _KIND if place.kind in KINDS else 0.0
    return min(math.log10(max(place.weight, 1.0)), _HEAVIEST) + kind
