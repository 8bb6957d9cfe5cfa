"""How the score of a probe grows with the number of rows that it is trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.evaluation.probing.heads.nested import fit_of, standardized
from unigeoclip.evaluation.probing.scoring import metric_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.evaluation.probing.folds import Folds
    from unigeoclip.evaluation.probing.heads.targets import Target
    from unigeoclip.evaluation.probing.work import Work

__all__ = ["curve_sizes", "fits_of_curve", "learning_curve"]

SMALLEST = 25  # training rows
DRAWS = 3  # of the training rows, for each size and fold
_MOST_JUDGED = 4000  # rows of a fold that choose a setting or are scored


def curve_sizes(folds: NDArray[np.int64]) -> list[int]:
    """Numbers of training rows, doubling, up to what two folds less than all hold."""
    rows = len(folds) - int(np.sort(np.bincount(folds))[-2:].sum())
    sizes = []
    size = SMALLEST
    while size <= rows:
        sizes.append(size)
        size *= 2
    return sizes


def fits_of_curve(folds: NDArray[np.int64]) -> int:
    """Models that `learning_curve` fits, a step of work each."""
    return len(curve_sizes(folds)) * DRAWS * (int(folds.max()) + 1)


def learning_curve(
    model: str, features: NDArray[np.float32], target: Target, folds: Folds, seed: int, work: Work
) -> tuple[tuple[int, float, float], ...]:
    """Scores of models on few rows.

    For each tested fold the rows are drawn from the other folds but one, which chooses the setting; so blocks stay
    apart. The same rows are drawn for every encoder.

    Args:
        model: "ridge", "logistic" or "knn".
        features: (n, dim) float32.
        target: Of the same rows.
        folds: Of the same rows.
        seed: Of the draws.
        work: Told of `fits_of_curve` steps.

    Returns:
        Number of training rows, mean over folds and draws of the metric, and standard error over the folds, by size.
    """
    scaled, _, _ = standardized(features)
    settings, fit = fit_of(model, target)
    curve = []
    for number, size in enumerate(curve_sizes(folds.numbers)):
        scores = np.empty((folds.count, DRAWS))
        for fold in range(folds.count):
            choosing = (fold + 1) % folds.count
            pool = np.flatnonzero((folds.numbers != fold) & (folds.numbers != choosing))
            for draw in range(DRAWS):
                rng = np.random.default_rng([seed, number, fold, draw])
                train = np.sort(rng.choice(pool, size, replace=False))
                judges, tested = (_some(np.flatnonzero(folds.numbers == each), rng) for each in (choosing, fold))
                outputs = fit(scaled, target, train, np.concatenate([judges, tested]), settings)
                best = int(np.argmin(target.loss(outputs[: len(judges)], judges)))
                scores[fold, draw] = metric_of(target, outputs[len(judges) :, best], tested)
                work.step()
        means = scores.mean(axis=1)
        curve.append((size, float(means.mean()), float(means.std(ddof=1) / np.sqrt(len(means)))))
    return tuple(curve)


def _some(rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    return rows if len(rows) <= _MOST_JUDGED else np.sort(rng.choice(rows, _MOST_JUDGED, replace=False))
