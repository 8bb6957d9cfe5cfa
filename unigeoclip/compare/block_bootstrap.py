"""Standard errors of figures about a region: whole blocks of its cells are drawn again and again.

Near cells are alike, so single cells are no independent draws; blocks much wider than what they see nearly are (Politis
and Romano, 1994; for maps Lahiri, 2003). An interval of 95 % is a figure plus and minus 1.96 standard errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.geo import METERS_PER_DEGREE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

__all__ = ["DRAWS", "NORMAL_95", "SEED", "Blocks", "blocks_of"]

ACROSS = 8  # blocks along the shorter side of a region
DRAWS, SEED = 200, 0
_AT_ONCE = 25  # draws whose moments are summed at once: 26 MB of 512 dimensions
NORMAL_95 = 1.96  # standard errors from the middle of a normal distribution to the edge of its central 95 %


@dataclass(frozen=True, eq=False)
class Blocks:
    """Points in blocks, and how often each draw takes each block.

    Attributes:
        of_points: (n,) number of the block of each point, from 0.
        counts: (draws, blocks) how often each block is drawn; the rows sum to the number of blocks.
    """

    of_points: NDArray[np.int64]
    counts: NDArray[np.int64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Points of each block, (blocks,)."""
        return np.bincount(self.of_points, minlength=self.counts.shape[1])

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums of values of the points, (n,), in each block, (blocks,)."""
        found: NDArray[np.float64] = np.bincount(self.of_points, values, self.counts.shape[1]).astype(np.float64)
        return found

    def error_of_ratio(self, above: NDArray[np.float64], below: NDArray[np.float64]) -> float:
        """Standard error of the sum of one value of the points, (n,), over the sum of another, (n,).

        NaN where the denominator is 0.
        """
        top, bottom = self.counts @ self.sums(above), self.counts @ self.sums(below)
        return float(np.std(top / bottom, ddof=1)) if (bottom > 0).all() else float("nan")

    def moments(self, one: ArrayLike, other: ArrayLike) -> Iterator[NDArray[np.float32]]:
        """Second moments of two tables about the means of each draw.

        Args:
            one: (n, a) values of the points.
            other: (n, b), or the same.

        Yields:
            For each draw (a, b): the sum over its points of the products of what they deviate from its means, divided
            by their number.
        """
        x, y = np.asarray(one, np.float32), np.asarray(other, np.float32)
        rows = [np.flatnonzero(self.of_points == block) for block in range(self.counts.shape[1])]
        products = np.stack([x[each].T @ y[each] for each in rows]).reshape(len(rows), -1)
        left, right = (np.stack([table[each].sum(axis=0) for each in rows]) for table in (x, y))
        sizes = self.sizes.astype(np.float32)
        for start in range(0, len(self.counts), _AT_ONCE):
            times = self.counts[start : start + _AT_ONCE].astype(np.float32)
            size = times @ sizes
            sums, means_x, means_y = times @ products, times @ left / size[:, None], times @ right / size[:, None]
            for each in range(len(times)):
                yield sums[each].reshape(x.shape[1], -1) / size[each] - np.outer(means_x[each], means_y[each])


def blocks_of(latlon: NDArray[np.float64], side_m: float, seed: int = SEED, draws: int = DRAWS) -> Blocks:
    """Square blocks of points.

    Args:
        latlon: (n, 2) degrees.
        side_m: Shorter side of the region, of which a block's side is an eighth.
        seed: Of the draws.
        draws: How many.
    """
    step_deg = side_m / ACROSS / METERS_PER_DEGREE
    rows = np.floor((latlon[:, 0] - latlon[:, 0].min()) / step_deg)
    middle = np.radians(latlon[:, 0].min() + (rows + 0.5) * step_deg)
    columns = np.floor((latlon[:, 1] - latlon[:, 1].min()) * np.maximum(np.cos(middle), 0.0) / step_deg)
    _, numbers = np.unique(np.stack([rows, columns], axis=1), axis=0, return_inverse=True)
    count = int(numbers.max()) + 1
    drawn = np.random.default_rng(seed).integers(count, size=(draws, count))
    counts = np.stack([np.bincount(each, minlength=count) for each in drawn])
    return Blocks(numbers.ravel().astype(np.int64), counts)
