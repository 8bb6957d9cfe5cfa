"""Ridge regression in closed form, all penalties at once, with the penalty chosen by nested folds.

The training rows of every fold, and of every fold inside it, are sums of whole folds. So the products of features that
a ridge needs are summed once for each fold and put together for every training set: the cost is one pass over the
rows, and one eigendecomposition for each training set.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from unigeoclip.evaluation.probing.targets import Target
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
            part = features[start : start + _ROWS].astype(np.float64)
            x += part.sum(axis=0)
            xx += part.T @ part
            xy += part.T @ targets[start : start + _ROWS]
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
        return _product(features, self.weights) + self.intercept


class RidgePath:
    """Ridges on one training set, standardized, with an intercept that is not penalized, for any penalties."""

    def __init__(self, train: Moments) -> None:
        """Decompose what is known of the training rows."""
        rows = max(train.rows, 1)
        self.mean, self.y_mean = train.x / rows, train.y / rows
        covariance = train.xx / rows - np.outer(self.mean, self.mean)
        spread = np.sqrt(np.clip(np.diag(covariance), 0, None))
        self.scale = np.where(spread > CONSTANT, spread, np.inf)
        gram = rows * covariance / np.outer(self.scale, self.scale)
        cross = (train.xy - np.outer(self.mean, train.y)) / self.scale[:, None]
        self._values, self._vectors = np.linalg.eigh((gram + gram.T) / 2)
        self._values = np.clip(self._values, 0, None)
        self._turned = self._vectors.T @ cross

    def weights(self, alphas: Iterable[float]) -> NDArray[np.float64]:
        """Of standardized features as they are divided by `scale`, (dim, penalties, outputs)."""
        shrunk = 1 / (self._values[:, None] + np.asarray(list(alphas)))  # (dim, penalties)
        turned = shrunk[:, :, None] * self._turned[:, None, :]
        flat = self._vectors @ turned.reshape(len(turned), -1)
        weights: NDArray[np.float64] = flat.reshape(turned.shape) / self.scale[:, None, None]
        return weights

    def linear(self, alpha: float) -> Linear:
        """The ridge of one penalty."""
        weights = self.weights([alpha])[:, 0]
        return Linear(weights, self.y_mean - self.mean @ weights, self.mean, self.scale)

    def losses(
        self, features: NDArray[np.float32], target: Target, rows: NDArray[np.int64], alphas: tuple[float, ...]
    ) -> NDArray[np.float64]:
        """Loss of each penalty on some rows, see `Target.loss`; (penalties,)."""
        weights = self.weights(alphas)
        dim, count, outputs = weights.shape
        intercept = self.y_mean - np.einsum("d,dao->ao", self.mean, weights)
        flat = weights.reshape(dim, count * outputs)
        total = np.zeros(count)
        for some in np.array_split(rows, max(1, -(-len(rows) * count * outputs // _CELLS))):
            total += target.loss(_product(features[some], flat).reshape(-1, count, outputs) + intercept, some)
        return total


def _product(features: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Features times weights in float64, part by part."""
    out = np.empty((len(features), weights.shape[1]))
    for start in range(0, len(features), _ROWS):
        out[start : start + _ROWS] = features[start : start + _ROWS].astype(np.float64) @ weights
    return out


def pair_count(folds: int) -> int:
    """Training sets of `nested_ridge`: one for each fold and each pair of folds."""
    return folds + folds * (folds - 1) // 2


def nested_ridge(
    features: NDArray[np.float32], target: Target, folds: NDArray[np.int64], work: Work | None = None
) -> tuple[NDArray[np.float64], tuple[float, ...]]:
    """Predict every row by a ridge that saw neither its fold nor used it to choose the penalty.

    The penalty of a fold is the one with the smallest loss over the other folds, each predicted from the rest of them:
    where folds are whole blocks, so are the folds inside. The smallest penalty wins ties.

    Args:
        features: (n, dim) float32, columns of about unit variance.
        target: Of the same rows.
        folds: (n,) fold of each row, 0 to k - 1, k >= 3, none empty.
        work: Told of each training set, `pair_count` steps in all.

    Returns:
        (n, outputs) outputs of each row, and the penalty of each fold.
    """
    count = int(folds.max()) + 1
    alphas = alphas_for(target)
    rows = [np.flatnonzero(folds == fold) for fold in range(count)]
    parts = [Moments.of(features[some], target.matrix[some]) for some in rows]
    total = sum(parts[1:], parts[0])
    losses = np.zeros((count, len(alphas)))
    for one, other in itertools.combinations(range(count), 2):
        # Without both: trained to predict one while the other is the outer fold, and the other way round.
        path = RidgePath(total - parts[one] - parts[other])
        losses[one] += path.losses(features, target, rows[other], alphas)
        losses[other] += path.losses(features, target, rows[one], alphas)
        if work is not None:
            work.step(1)
    chosen = [alphas[int(np.argmin(losses[fold]))] for fold in range(count)]
    outputs = np.empty_like(target.matrix)
    for fold in range(count):
        outputs[rows[fold]] = RidgePath(total - parts[fold]).linear(chosen[fold]).outputs(features[rows[fold]])
        if work is not None:
            work.step(1)
    return outputs, tuple(chosen)


def fit_ridge(
    features: NDArray[np.float32], target: Target, folds: NDArray[np.int64], work: Work | None = None
) -> tuple[Linear, float]:
    """A ridge on all rows, its penalty the one with the smallest loss over the folds, and that penalty."""
    count = int(folds.max()) + 1
    alphas = alphas_for(target)
    rows = [np.flatnonzero(folds == fold) for fold in range(count)]
    parts = [Moments.of(features[some], target.matrix[some]) for some in rows]
    total = sum(parts[1:], parts[0])
    losses = np.zeros(len(alphas))
    for fold in range(count):
        losses += RidgePath(total - parts[fold]).losses(features, target, rows[fold], alphas)
        if work is not None:
            work.step(1)
    alpha = alphas[int(np.argmin(losses))]
    return RidgePath(total).linear(alpha), alpha
