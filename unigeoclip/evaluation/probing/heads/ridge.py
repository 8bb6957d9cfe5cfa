"""Ridge regression in closed form, all penalties at once, with the penalty chosen by nested folds.

The training rows of every fold, and of every fold inside it, are sums of whole folds. So the products of features that
a ridge needs are summed once for each fold and put together for every training set: the cost is one pass over the
rows, and one decomposition for each training set.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from unigeoclip.evaluation.probing.heads.shifted import Decompositions, ShiftedSystem, product
from unigeoclip.parallel import parallel_map

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from unigeoclip.evaluation.probing.heads.targets import Target
    from unigeoclip.evaluation.probing.work import Work

__all__ = ["Linear", "Moments", "RidgePath", "alphas_for", "fit_ridge", "nested_ridge", "pair_count"]

REGRESSION_ALPHAS = tuple(float(10.0**power) for power in np.arange(-4.0, 6.5, 0.5))  # half decades, as CoordBench
CLASS_ALPHAS = tuple(float(10.0**power) for power in range(-3, 7))
CONSTANT = 1e-6  # standard deviation, of columns brought to 1 over all rows, below which one is constant
_ROWS = 8192  # at once: float64 copies of these fit in memory whatever the table
_CELLS = 4_000_000  # outputs at once: rows x penalties x classes


def alphas_for(target: Target) -> tuple[float, ...]:
    """Penalties that are tried: every half decade for a regression, every decade for a classification."""
    return CLASS_ALPHAS if target.is_classification else REGRESSION_ALPHAS


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over some rows that a ridge needs of them.

    Attributes:
        rows: How many.
        x: (dim,) sum of the features.
        y: (outputs,) sum of the targets.
        xx: (dim, dim) sum of products of features.
        xy: (dim, outputs) sum of products of features and targets.
    """

    rows: int
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    xx: NDArray[np.float64]
    xy: NDArray[np.float64]

    @classmethod
    def of(cls, features: NDArray[np.float32], targets: NDArray[np.float64]) -> Moments:
        """The sums of (n, dim) features and (n, outputs) targets, in float64."""
        dim, outputs = features.shape[1], targets.shape[1]
        x, xx, xy = np.zeros(dim), np.zeros((dim, dim)), np.zeros((dim, outputs))
        for start in range(0, len(features), _ROWS):
            part = torch.from_numpy(features[start : start + _ROWS]).double()
            x += part.sum(dim=0).numpy()
            xx += (part.T @ part).numpy()
            xy += (part.T @ torch.from_numpy(targets[start : start + _ROWS])).numpy()
        return cls(len(features), x, targets.sum(axis=0), xx, xy)

    def __add__(self, other: Moments) -> Moments:
        """The sums over the rows of both."""
        return Moments(
            self.rows + other.rows, self.x + other.x, self.y + other.y, self.xx + other.xx, self.xy + other.xy
        )

    def __sub__(self, other: Moments) -> Moments:
        """The sums over the rows of this one that are not of the other."""
        return Moments(
            self.rows - other.rows, self.x - other.x, self.y - other.y, self.xx - other.xx, self.xy - other.xy
        )


@dataclass(frozen=True, eq=False)
class Linear:
    """A linear model on features as they are: outputs = features @ weights + intercept.

    Attributes:
        weights: (dim, outputs) float64.
        intercept: (outputs,) float64.
        mean: (dim,) of the training features, by which they were standardized.
        scale: (dim,) standard deviation of the training features; infinite for a constant one.
    """

    weights: NDArray[np.float64]
    intercept: NDArray[np.float64]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    def outputs(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, dim) features -> (n, outputs)."""
        return product(features, self.weights) + self.intercept


class RidgePath:
    """Ridges on one training set, standardized, with an intercept that is not penalized, for any penalties."""

    def __init__(self, train: Moments, kept: Decompositions | None = None) -> None:
        """Decompose what is known of the training rows, or take the decomposition from what is kept."""
        rows = max(train.rows, 1)
        self.mean, self.y_mean = train.x / rows, train.y / rows
        covariance = train.xx / rows - np.outer(self.mean, self.mean)
        spread = np.sqrt(np.clip(np.diag(covariance), 0, None))
        self.scale = np.where(spread > CONSTANT, spread, np.inf)
        gram = rows * covariance / np.outer(self.scale, self.scale)
        cross = (train.xy - np.outer(self.mean, train.y)) / self.scale[:, None]
        self._system = ShiftedSystem((gram + gram.T) / 2, cross, kept)

    def weights(self, alphas: Sequence[float]) -> NDArray[np.float64]:
        """Of features as they are, (dim, penalties, outputs)."""
        weights: NDArray[np.float64] = self._system.solutions(alphas) / self.scale[:, None, None]
        return weights

    def linear(self, alpha: float) -> Linear:
        """The ridge of one penalty."""
        weights = self.weights([alpha])[:, 0]
        return Linear(weights, self.y_mean - self.mean @ weights, self.mean, self.scale)

    def losses(
        self, features: NDArray[np.float32], target: Target, rows: NDArray[np.int64], alphas: tuple[float, ...]
    ) -> NDArray[np.float64]:
        """Loss of each penalty on some rows, see `Target.loss`; (penalties,)."""
        total = np.zeros(len(alphas))
        cells = len(rows) * len(alphas) * len(self.y_mean)
        for some in np.array_split(rows, max(1, -(-cells // _CELLS))):
            total += target.loss(self.outputs(features[some], alphas), some)
        return total

    def outputs(self, features: NDArray[np.float32], alphas: tuple[float, ...]) -> NDArray[np.float64]:
        """(n, dim) features -> (n, penalties, outputs)."""
        weights = self.weights(alphas)
        dim, count, outputs = weights.shape
        intercept: NDArray[np.float64] = self.y_mean - np.einsum("d,dao->ao", self.mean, weights)
        products = product(features, weights.reshape(dim, count * outputs)).reshape(-1, count, outputs)
        products += intercept
        return products


def pair_count(folds: int) -> int:
    """Training sets of `nested_ridge`: one for each fold and each pair of folds."""
    return folds + folds * (folds - 1) // 2


def nested_ridge(
    features: NDArray[np.float32],
    target: Target,
    folds: NDArray[np.int64],
    work: Work | None = None,
    kept: Decompositions | None = None,
) -> tuple[NDArray[np.float64], tuple[float, ...]]:
    """Predict every row by a ridge that saw neither its fold nor used it to choose the penalty.

    The penalty of a fold is the one with the smallest loss over the other folds, each predicted from the rest of them:
    where folds are whole blocks, so are the folds inside. The smallest penalty wins ties.

    Args:
        features: (n, dim) float32, columns of about unit variance.
        target: Of the same rows.
        folds: (n,) fold of each row, 0 to k - 1, k >= 3, none empty.
        work: Told of each training set, `pair_count` steps in all.
        kept: Decompositions of the training sets, for other targets on the same rows.

    Returns:
        (n, outputs) outputs of each row, and the penalty of each fold.
    """
    count = int(folds.max()) + 1
    alphas = alphas_for(target)
    rows, parts = _parts(features, target, folds)
    total = sum(parts[1:], parts[0])

    def on_both(pair: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        # Without both: trained to predict one while the other is the outer fold, and the other way round.
        path = RidgePath(total - parts[pair[0]] - parts[pair[1]], kept)
        first, second = (path.losses(features, target, rows[fold], alphas) for fold in pair)
        return first, second

    losses = np.zeros((count, len(alphas)))
    pairs = list(itertools.combinations(range(count), 2))
    for (one, other), (of_one, of_other) in zip(pairs, parallel_map(on_both, pairs), strict=True):
        losses[one] += of_other
        losses[other] += of_one
        if work is not None:
            work.step()
    chosen = [alphas[int(np.argmin(losses[fold]))] for fold in range(count)]

    def on_fold(fold: int) -> NDArray[np.float64]:
        return RidgePath(total - parts[fold], kept).linear(chosen[fold]).outputs(features[rows[fold]])

    outputs = np.empty_like(target.matrix)
    for fold, found in enumerate(parallel_map(on_fold, range(count))):
        outputs[rows[fold]] = found
        if work is not None:
            work.step()
    return outputs, tuple(chosen)


def _parts(
    features: NDArray[np.float32], target: Target, folds: NDArray[np.int64]
) -> tuple[list[NDArray[np.int64]], list[Moments]]:
    """Rows of each fold, and the sums over them."""
    rows = [np.flatnonzero(folds == fold) for fold in range(int(folds.max()) + 1)]
    return rows, list(parallel_map(lambda some: Moments.of(features[some], target.matrix[some]), rows))


def fit_ridge(
    features: NDArray[np.float32], target: Target, folds: NDArray[np.int64], work: Work | None = None
) -> tuple[Linear, float]:
    """A ridge on all rows, its penalty the one with the smallest loss over the folds, and that penalty."""
    alphas = alphas_for(target)
    rows, parts = _parts(features, target, folds)
    total = sum(parts[1:], parts[0])
    losses = np.zeros(len(alphas))
    for fold, some in enumerate(rows):
        losses += RidgePath(total - parts[fold]).losses(features, target, some, alphas)
        if work is not None:
            work.step()
    alpha = alphas[int(np.argmin(losses))]
    return RidgePath(total).linear(alpha), alpha
