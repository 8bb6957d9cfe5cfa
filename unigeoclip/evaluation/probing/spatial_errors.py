"""Where a probe errs: whether errors cluster in space, how much they differ between regions, which are worst."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.evaluation.probing.results import ErrorPattern
from unigeoclip.extras import needs_extra
from unigeoclip.geo import unit_xyz

if TYPE_CHECKING:
    from libpysal.weights import W
    from numpy.typing import NDArray

    from unigeoclip.evaluation.probing.folds import Cell

__all__ = ["ErrorMap"]

NEIGHBORS = 8
PERMUTATIONS = 199
_MOST = 4000  # rows of Moran's I: a sample of so many tells it to 0.02
_WORST = 8
_LEAST_ROWS = 5  # of a region that is called one of the worst


class ErrorMap:
    """Positions of the rows of one table, prepared once for the errors of all encoders."""

    def __init__(self, latlon: NDArray[np.float64], cell: Cell, seed: int = 0) -> None:
        """Find the neighbors of a sample of the rows, and the regions of all.

        Args:
            latlon: (n, 2) degrees.
            cell: Of the regions.
            seed: Of the sample and of the permutations.
        """
        self._latlon, self._seed = latlon, seed
        rng = np.random.default_rng(seed)
        self._sample = np.sort(rng.choice(len(latlon), min(len(latlon), _MOST), replace=False))
        self._regions = np.unique(cell.numbers(latlon), return_inverse=True)[1]
        self._weights = _nearest_weights(latlon[self._sample])

    def pattern(self, signed: NDArray[np.float64], size: NDArray[np.float64]) -> ErrorPattern:
        """Describe errors.

        Args:
            signed: (n,) residuals of a regression, or 1 where the class is wrong and 0 elsewhere.
            size: (n,) their absolute values.
        """
        morans_i, p_value = self._moran(signed[self._sample])
        return ErrorPattern(morans_i, p_value, self._geo_bias(size), self._worst(size))

    def _moran(self, values: NDArray[np.float64]) -> tuple[float, float]:
        """Moran's I and its p-value; NaN where all errors are the same."""
        with needs_extra("compare"):
            from esda import Moran

        if self._weights is None or float(np.ptp(values)) <= 1e-12 * float(np.abs(values).max(initial=0)):
            return float("nan"), float("nan")
        found = float(Moran(values, self._weights, permutations=0).I)
        # Permuted here, not in esda: it draws from NumPy's global generator, which no seed of ours may touch.
        rng, matrix = np.random.default_rng(self._seed), self._weights.sparse
        centered = values - values.mean()
        shuffled = np.stack([rng.permutation(centered) for _ in range(PERMUTATIONS)], axis=1)
        chance = (shuffled * (matrix @ shuffled)).sum(axis=0) / (centered @ centered) * len(values) / matrix.sum()
        return found, float((1 + (chance >= found).sum()) / (1 + PERMUTATIONS))

    def _geo_bias(self, size: NDArray[np.float64]) -> float:
        """Share of the variance of the errors between regions beyond what chance gives (epsilon squared), 0 to 1."""
        counts = np.bincount(self._regions)
        regions, rows = len(counts), len(size)
        total = float(((size - size.mean()) ** 2).sum())
        if regions < 2 or rows <= regions or total <= 0:
            return float("nan")
        means = np.bincount(self._regions, size) / counts
        within = float(((size - means[self._regions]) ** 2).sum())
        share = (total - within - (regions - 1) * within / (rows - regions)) / total
        return float(np.clip(share, 0, 1))

    def _worst(self, size: NDArray[np.float64]) -> tuple[tuple[float, float, int, float], ...]:
        counts = np.bincount(self._regions)
        means = np.bincount(self._regions, size) / counts
        large = np.flatnonzero(counts >= _LEAST_ROWS)
        found = []
        for region in large[np.argsort(-means[large], kind="stable")][:_WORST]:
            lat, lon = self._latlon[self._regions == region].mean(axis=0).tolist()
            found.append((lat, lon, int(counts[region]), float(means[region])))
        return tuple(found)


def _nearest_weights(latlon: NDArray[np.float64]) -> W | None:
    """Spatial weights of the nearest neighbors on the sphere, each row of sum one; None for very few points."""
    if len(latlon) <= NEIGHBORS + 1:
        return None
    with needs_extra("compare"):
        from libpysal.weights import KNN

    # Points at one position have no direction to each other, which the index of neighbors does not mind.
    weights = KNN.from_array(unit_xyz(latlon), k=NEIGHBORS, silence_warnings=True)
    weights.transform = "r"
    return weights
