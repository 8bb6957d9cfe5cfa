"""Places divided by cells of S2: what one part of a store holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.errors import InputError
from unigeoclip.s2_cells import cell_ids, leaf_range, parents, token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Partitions"]

_LEAF = 30  # level of the finest cells
# A partition has at most a sixteenth of all places, so that several workers have something to do, within these bounds.
_SHARE, _FEW, _MANY = 16, 2_048, 32_768
MOST_PARTS = 100_000
MOST_PLACES = 200_000  # of a partition, whose vectors are in memory at once


class Partitions:
    """Which rows of a table of places lie in which cell; both are sorted along S2's curve.

    Attributes:
        latlon: (n, 2) degrees, all places.
        level: Of the cells.
        cells: (n,) leaf cell of each place, in the order of the places.
    """

    def __init__(self, latlon: NDArray[np.float64], level: int | None = None) -> None:
        """Divide places.

        Args:
            latlon: (n, 2) degrees, at least one place.
            level: 0 to 30; by default the coarsest at which no cell has more than a sixteenth of the places, nor more
                than 32,768 of them (2,048 are never too many).

        Raises:
            InputError: At this level there are too many cells, or too many places in one.
        """
        self.latlon = latlon
        self.cells = cell_ids(latlon, _LEAF)
        self._order = np.argsort(self.cells, kind="stable")
        leaves = self.cells[self._order]
        self.level = _coarsest(leaves) if level is None else level
        names, counts = np.unique(parents(leaves, self.level), return_counts=True)
        if len(names) > MOST_PARTS or counts.max() > MOST_PLACES:
            raise InputError(
                f"At --partition-level {self.level} there are {len(names):,} parts of up to {counts.max():,} places; "
                f"at most {MOST_PARTS:,} parts of {MOST_PLACES:,} are made. Give a "
                f"{'smaller' if len(names) > MOST_PARTS else 'larger'} level, or none."
            )
        self._leaves = leaves
        self._names = {token(cell): int(cell) for cell in names.tolist()}

    def items(self) -> Iterator[tuple[str, NDArray[np.int64]]]:
        """Token of each cell with places, and the rows of the places in it."""
        for name in self._names:
            yield name, self.rows(name)

    def rows(self, name: str) -> NDArray[np.int64]:
        """Rows of the places in a cell that has some, by its token; sorted by their leaf cells."""
        first, last = leaf_range(self._names[name])
        start = np.searchsorted(self._leaves, np.uint64(first), side="left")
        stop = np.searchsorted(self._leaves, np.uint64(last), side="right")
        rows: NDArray[np.int64] = self._order[start:stop]
        return rows


def _coarsest(leaves: NDArray[np.uint64]) -> int:
    """The first level whose cells are small enough; of places at one point the level that parts them best."""
    most = min(max(len(leaves) // _SHARE, _FEW), _MANY)
    largest = []
    for level in range(_LEAF + 1):
        largest.append(int(np.unique(parents(leaves, level), return_counts=True)[1].max()))
        if largest[-1] <= most:
            return level
    return int(np.argmin(largest))
