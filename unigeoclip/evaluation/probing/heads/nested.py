"""Heads: the simple models that a probe puts on frozen features, each with its setting chosen by nested folds."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.errors import InputError
from unigeoclip.evaluation.probing.heads.ridge import Moments, RidgePath, alphas_for, nested_ridge
from unigeoclip.extras import needs_extra

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.evaluation.probing.heads.shifted import Decompositions
    from unigeoclip.evaluation.probing.heads.targets import Target
    from unigeoclip.evaluation.probing.work import Work

__all__ = ["MODELS", "fit_of", "model_for", "nested_predictions", "standardized"]

MODELS = ("ridge", "logistic", "knn")
NEIGHBORS = (1, 3, 5, 10, 20, 50)
PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)  # C of scikit-learn
_MOST_KNN, _MOST_LOGISTIC = 30_000, 20_000  # rows: with more these take minutes for each encoder
_LOGISTIC_STEPS = 300


def model_for(model: str, target: Target) -> str:
    """The model that is meant: "auto" is ridge, regression or classifier.

    Raises:
        InputError: Unknown model, a model of classes for a regression, or too many rows for it.
    """
    if model == "auto":
        return "ridge"
    if model not in MODELS:
        raise InputError(f"Unknown model {model!r} of a probe. Known: auto, {', '.join(MODELS)}.")
    if model == "logistic" and not target.is_classification:
        raise InputError("A logistic model predicts classes, and this target is a number: choose ridge or knn.")
    most = {"knn": _MOST_KNN, "logistic": _MOST_LOGISTIC}.get(model)
    if most is not None and len(target.matrix) > most:
        raise InputError(
            f"The model {model!r} takes {most:,} rows at most, not {len(target.matrix):,}: use ridge or fewer rows."
        )
    return model


def standardized(features: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
    """Features with each column at mean 0 and standard deviation 1 over all rows; the training folds do so again.

    Float32 then has all its digits for what differs, however small that is beside the column's mean.

    Returns:
        (n, dim) float32, C-contiguous; means and scales (dim,), infinite for a constant column, which becomes 0.
    """
    mean = features.mean(axis=0, dtype=np.float64)
    spread = np.zeros(features.shape[1])
    out = np.empty(features.shape, np.float32)
    for start in range(0, len(features), 8192):
        spread += ((features[start : start + 8192].astype(np.float64) - mean) ** 2).sum(axis=0)
    spread = np.sqrt(spread / max(1, len(features)))
    scale = np.where(spread > 1e-7 * (np.abs(mean) + spread) + 1e-30, spread, np.inf)
    for start in range(0, len(features), 8192):
        out[start : start + 8192] = (features[start : start + 8192].astype(np.float64) - mean) / scale
    return out, mean, scale


def nested_predictions(
    model: str,
    features: NDArray[np.float32],
    target: Target,
    folds: NDArray[np.int64],
    work: Work,
    kept: Decompositions | None = None,
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Predict every row by a head that was trained on the other folds, its setting chosen on those.

    Args:
        model: "ridge", "logistic" or "knn".
        features: (n, dim) float32.
        target: Of the same rows.
        folds: (n,) fold of each row, 0 to k - 1, none empty.
        work: Told of `ridge.pair_count` steps.
        kept: Decompositions of ridges, for other targets on the same rows.

    Returns:
        (n, outputs) outputs, see `Target.decoded`, and the setting of each fold, as text.
    """
    scaled, _, _ = standardized(features)
    if model == "ridge":
        outputs, alphas = nested_ridge(scaled, target, folds, work, kept)
        return outputs, tuple(f"alpha={alpha:.3g}" for alpha in alphas)
    settings, fit = fit_of(model, target)
    return _nested(scaled, target, folds, settings, fit, "k" if model == "knn" else "C", work)


def fit_of(model: str, target: Target) -> tuple[tuple[Any, ...], Fit]:
    """The settings that are tried of a model, and what fits it.

    The latter takes (features, target, training rows, other rows, settings), and gives the outputs of the other rows
    for each setting, (other rows, settings, outputs).
    """
    if model == "ridge":
        return alphas_for(target), _ridge
    return (NEIGHBORS, _knn) if model == "knn" else (PENALTIES, _logistic)


Fit = Callable[["NDArray[np.float32]", "Target", "NDArray[np.int64]", "NDArray[np.int64]", tuple[Any, ...]], Any]


def _nested(
    features: NDArray[np.float32],
    target: Target,
    folds: NDArray[np.int64],
    settings: tuple[Any, ...],
    fit: Fit,
    name: str,
    work: Work,
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Any head: for each fold the setting with the smallest loss on the other folds, each predicted from the rest."""
    count = int(folds.max()) + 1
    rows = [np.flatnonzero(folds == fold) for fold in range(count)]
    losses = np.zeros((count, len(settings)))
    for one, other in itertools.combinations(range(count), 2):  # as `nested_ridge`: each pair serves both of its folds
        both = np.concatenate([rows[other], rows[one]])
        predicted = fit(features, target, np.flatnonzero((folds != one) & (folds != other)), both, settings)
        cut = len(rows[other])
        losses[one] += target.loss(predicted[:cut], rows[other])
        losses[other] += target.loss(predicted[cut:], rows[one])
        work.step(1)
    outputs = np.empty_like(target.matrix)
    chosen = [settings[int(np.argmin(losses[fold]))] for fold in range(count)]
    for fold in range(count):
        train = np.flatnonzero(folds != fold)
        outputs[rows[fold]] = fit(features, target, train, rows[fold], (chosen[fold],))[:, 0]
        work.step(1)
    return outputs, tuple(f"{name}={setting:g}" for setting in chosen)


def _scaled_by(
    features: NDArray[np.float32], train: NDArray[np.int64], test: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Features of training and test rows, standardized by the training rows."""
    known = features[train]
    mean, spread = known.mean(axis=0), known.std(axis=0)
    scale = np.where(spread > 1e-6, spread, np.inf).astype(np.float32)
    return (known - mean) / scale, (features[test] - mean) / scale


def _ridge(
    features: NDArray[np.float32],
    target: Target,
    train: NDArray[np.int64],
    test: NDArray[np.int64],
    settings: tuple[float, ...],
) -> NDArray[np.float64]:
    """Outputs of a ridge for each penalty: (test, settings, outputs)."""
    path = RidgePath(Moments.of(features[train], target.matrix[train]))
    return path.outputs(features[test], settings)


def _knn(
    features: NDArray[np.float32],
    target: Target,
    train: NDArray[np.int64],
    test: NDArray[np.int64],
    settings: tuple[int, ...],
) -> NDArray[np.float64]:
    """Mean target of the nearest training rows, for each number of them: (test, settings, outputs)."""
    with needs_extra("compare"):
        from sklearn.neighbors import NearestNeighbors

    known, asked = _scaled_by(features, train, test)
    most = min(max(settings), len(train))
    nearest = NearestNeighbors(n_neighbors=most, algorithm="brute").fit(known).kneighbors(asked, return_distance=False)
    out = np.empty((len(test), len(settings), target.matrix.shape[1]))
    summed = np.zeros((len(test), target.matrix.shape[1]))
    upto = 0
    for place, k in sorted(enumerate(settings), key=lambda each: each[1]):
        for neighbor in range(upto, min(k, most)):
            summed += target.matrix[train[nearest[:, neighbor]]]
        upto = min(k, most)
        out[:, place] = summed / upto
    return out


def _logistic(
    features: NDArray[np.float32],
    target: Target,
    train: NDArray[np.int64],
    test: NDArray[np.int64],
    settings: tuple[float, ...],
) -> NDArray[np.float64]:
    """Probabilities of the classes for each strength of the penalty: (test, settings, classes)."""
    import warnings

    with needs_extra("compare"):
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

    assert target.codes is not None
    known, asked = _scaled_by(features, train, test)
    out = np.zeros((len(test), len(settings), len(target.classes)))
    present = np.unique(target.codes[train])
    if len(present) == 1:  # one class in training: there is nothing to fit, and all are predicted to be it
        out[:, :, present] = 1
        return out
    model = LogisticRegression(max_iter=_LOGISTIC_STEPS, warm_start=True)
    for place, penalty in enumerate(settings):
        model.set_params(C=penalty)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a probe that stops early is a regularized one
            model.fit(known, target.codes[train])
        out[:, place, present] = model.predict_proba(asked)
    return out
