"""Intervals of differences between encoders: a paired bootstrap over the rows, or the blocks, that folds consist of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.evaluation.probing.folds import Folds

__all__ = ["RESAMPLES", "Bootstrap"]

RESAMPLES = 2000
LOW, HIGH = 2.5, 97.5  # percentiles of the interval
_MOST_UNITS = 2000  # of a fold: more rows are drawn in random bundles, whose mean varies as much
_LEAST_VARIANCE = 1e-12  # of a fold, of targets of variance one
_LEAST_UNITS = 2  # of every fold, or rows are drawn and not blocks


class Bootstrap:
    """Resamples of the tested rows, the same ones for every encoder, drawn within each fold."""

    def __init__(self, folds: Folds, seed: int = 0, resamples: int = RESAMPLES) -> None:
        """Choose what is drawn: whole blocks or groups where every fold has two or more, and rows elsewhere.

        Args:
            folds: The folds.
            seed: Of the resamples.
            resamples: How many.
        """
        self._folds, self._seed, self._resamples = folds, seed, resamples
        self._rows = [np.flatnonzero(folds.numbers == fold) for fold in range(folds.count)]
        units = folds.units
        if units is not None and min(len(np.unique(units[rows])) for rows in self._rows) < _LEAST_UNITS:
            units = None
        self.unit = "row" if units is None else "block"
        self._units = [self._bundled(rows, units, fold) for fold, rows in enumerate(self._rows)]

    def _bundled(self, rows: NDArray[np.int64], units: NDArray[np.int64] | None, fold: int) -> NDArray[np.int64]:
        """Number of the unit of each row of a fold."""
        if units is not None:
            return np.unique(units[rows], return_inverse=True)[1].astype(np.int64)
        order = np.random.default_rng([self._seed, fold]).permutation(len(rows))
        return order % min(len(rows), _MOST_UNITS)

    def metric(self, columns: NDArray[np.float64], truth: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """The metric of every resample: mean over the folds of R2, or of the accuracy.

        R2 is that of the drawn errors against the variance of the whole fold: if that were drawn, too, a resample
        without the few blocks that vary most would be worse by any factor, for all encoders alike.

        Args:
            columns: (n, encoders) squared errors, or 1 where the class is right.
            truth: (n,) target of a regression; None for a classification.

        Returns:
            (resamples, encoders).
        """
        total = np.zeros((self._resamples, columns.shape[1]))
        for fold, (rows, units) in enumerate(zip(self._rows, self._units, strict=True)):
            count = int(units.max()) + 1
            table = np.column_stack([np.ones(len(rows)), columns[rows]])
            sums = np.stack([np.bincount(units, column, count) for column in table.T], axis=1)
            draws = np.random.default_rng([self._seed, fold, 1]).multinomial(
                count, np.full(count, 1 / count), size=self._resamples
            )
            drawn = draws.astype(np.float64) @ sums
            means = drawn[:, 1:] / drawn[:, :1]
            total += means if truth is None else 1 - means / max(float(truth[rows].var()), _LEAST_VARIANCE)
        return total / len(self._rows)
