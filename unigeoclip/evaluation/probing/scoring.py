"""Scores of one encoder, and how much better they are than those of the best baseline."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from unigeoclip.evaluation.probing.encoders import is_ours
from unigeoclip.evaluation.probing.heads.targets import class_scores, r2
from unigeoclip.evaluation.probing.intervals import HIGH, LOW, Bootstrap
from unigeoclip.evaluation.probing.results import Difference, EncoderResult, ErrorPattern, Score

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from unigeoclip.evaluation.probing.folds import Folds
    from unigeoclip.evaluation.probing.heads.targets import Target
    from unigeoclip.evaluation.probing.spatial_errors import ErrorMap
    from unigeoclip.tasks.label_table import LabelTable

__all__ = ["error_pattern", "metric_of", "scored", "with_differences"]


def scored(name: str, title: str, target: Target, folds: Folds, outputs: NDArray[np.float64]) -> EncoderResult:
    """Scores of the outputs (n, outputs) of a head, each row's from the fold that did not see it.

    R2 of a fold is against the mean of its own rows.
    """
    rows = [np.flatnonzero(folds.numbers == fold) for fold in range(folds.count)]
    predictions = target.decoded(outputs)
    if target.codes is not None:
        codes, classes = outputs.argmax(axis=1), len(target.classes)
        both = [class_scores(target.codes[some], codes[some], classes) for some in rows]
        scores = {name: Score.of([each[name] for each in both]) for name in both[0]}
        pooled = float((codes == target.codes).mean())
    else:
        truth, given = target.matrix[:, 0], outputs[:, 0]
        missed = np.abs(truth - given) * target.scale
        scores = {
            "r2": Score.of([r2(truth[some], given[some]) for some in rows]),
            "mae": Score.of([float(missed[some].mean()) for some in rows]),
        }
        pooled = r2(truth, given)
    return EncoderResult(name, title, 0, scores, predictions, pooled)


def metric_of(target: Target, outputs: NDArray[np.float64], rows: NDArray[np.int64]) -> float:
    """R2 or accuracy of the outputs (m, outputs) of some rows (m,)."""
    if target.codes is not None:
        return float((outputs.argmax(axis=1) == target.codes[rows]).mean())
    return r2(target.matrix[rows, 0], outputs[:, 0])


def error_pattern(regions: ErrorMap, table: LabelTable, result: EncoderResult) -> ErrorPattern:
    """Where the errors of an encoder lie: residuals of a regression, rows in the wrong class."""
    if table.kind == "classification":
        wrong = (result.predictions != table.target).astype(np.float64)
        return regions.pattern(wrong, wrong)
    truth = cast("NDArray[np.float64]", table.target)
    residuals = truth - cast("NDArray[np.float64]", result.predictions)
    return regions.pattern(residuals, np.abs(residuals))


def with_differences(
    found: dict[str, EncoderResult],
    table: LabelTable,
    target: Target,
    folds: Folds,
    baseline: str | None,
    seen_by: Collection[str],
    seed: int,
) -> dict[str, EncoderResult]:
    """The results with the interval of what each is better by than a baseline.

    Args:
        found: Encoder -> its result without it.
        table: The table.
        target: Its target.
        folds: Its folds.
        baseline: Encoder to compare with; by default the best one that is not ours and has not seen the target in
            training.
        seen_by: Encoders that have.
        seed: Of the resamples.
    """
    metric = "accuracy" if target.is_classification else "r2"
    others = [name for name in found if not is_ours(name) and name not in seen_by]
    best = baseline or max(others, key=lambda name: found[name].scores[metric].mean, default=None)
    if best is None:
        return found
    if target.is_classification:
        columns = np.stack([each.predictions == table.target for each in found.values()], axis=1).astype(np.float64)
        truth = None
    else:
        truth = target.matrix[:, 0]
        given = [(cast("NDArray[np.float64]", e.predictions) - target.center) / target.scale for e in found.values()]
        columns = (np.stack(given, axis=1) - truth[:, None]) ** 2
    resampled = Bootstrap(folds, seed).metric(columns, truth)
    reference = resampled[:, list(found).index(best)]
    out = {}
    for place, (name, result) in enumerate(found.items()):
        mean = result.scores[metric].mean - found[best].scores[metric].mean
        low, high = np.percentile(resampled[:, place] - reference, [LOW, HIGH])
        difference = None if name == best else Difference(best, mean, float(low), float(high))
        out[name] = replace(result, difference=difference)
    return out
