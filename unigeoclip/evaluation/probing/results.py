"""What a probe found, as data: scores with fold values and intervals, predictions, where the errors lie."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.tasks.label_table import LabelTable

__all__ = ["Difference", "EncoderResult", "ErrorPattern", "ProbeReport", "Score"]


@dataclass(frozen=True)
class Score:
    """One metric over the folds.

    Attributes:
        mean: Mean of the folds.
        std: Standard deviation of the folds (ddof 0, as CoordBench prints it).
        folds: Value of each fold.
    """

    mean: float
    std: float
    folds: tuple[float, ...]

    @classmethod
    def of(cls, folds: NDArray[np.float64] | list[float] | tuple[float, ...]) -> Score:
        """The score of these fold values."""
        values = np.asarray(folds, np.float64)
        return cls(float(values.mean()), float(values.std()), tuple(values.tolist()))

    @property
    def std_error(self) -> float:
        """Standard error of the mean (ddof 1); NaN of a single fold."""
        if len(self.folds) < 2:
            return float("nan")
        return float(np.std(self.folds, ddof=1) / np.sqrt(len(self.folds)))


@dataclass(frozen=True)
class Difference:
    """How much better than a baseline on the same rows: paired bootstrap, of whole blocks where the folds are blocks.

    Attributes:
        baseline: Name of that encoder.
        mean: Difference of the metric, positive where this one is better.
        low: 2.5th percentile.
        high: 97.5th percentile.
    """

    baseline: str
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class ErrorPattern:
    """Whether errors cluster in space, and where.

    Attributes:
        morans_i: Moran's I of the residuals (regression) or of the errors 0/1 (classification), k nearest neighbors;
            0 for none, up to about 1 for clustered errors.
        p_value: Of it, by permutation.
        geo_bias: Share of the variance of the absolute errors that lies between regions, 0 to 1.
        worst: Regions with the largest mean absolute error or error rate, worst first: latitude and longitude of the
            center, rows, error.
    """

    morans_i: float
    p_value: float
    geo_bias: float
    worst: tuple[tuple[float, float, int, float], ...]


@dataclass(frozen=True, eq=False)
class EncoderResult:
    """One encoder under one split.

    Attributes:
        name: Name of the encoder, see `evaluation.probing.encoders`.
        title: Name for people.
        dim: Length of its vectors.
        scores: Metric -> score; "r2" and "mae" of a regression, "accuracy", "macro_f1" and "mean_iou" of a
            classification.
        predictions: (n,) of every row by the probe that did not see it, as the table's target.
        pooled: The report's metric over all rows at once, beside the mean of the folds: R2 against the mean of all
            rows, which says more where a fold holds few rows or little variance.
        hyperparameter: What nested folds chose, one value a fold, as text.
        difference: To the best baseline, in the report's metric; None for that baseline itself.
        errors: Where the errors lie; None where it was not asked for.
        learning_curve: (training rows, mean, standard error) of the report's metric, rows rising; empty if not asked
            for.
    """

    name: str
    title: str
    dim: int
    scores: dict[str, Score]
    predictions: NDArray[np.float64] | NDArray[np.str_]
    pooled: float = float("nan")
    hyperparameter: tuple[str, ...] = ()
    difference: Difference | None = None
    errors: ErrorPattern | None = None
    learning_curve: tuple[tuple[int, float, float], ...] = ()


@dataclass(frozen=True, eq=False)
class ProbeReport:
    """What all encoders reached on one table.

    Attributes:
        table: The table, rows as used.
        metric: The one that counts: "r2" or "accuracy".
        results: Split ("random", "blocks", "country" ...) -> encoder -> result.
        folds: Split -> (n,) number of the fold in which a row was tested.
        settings: Model, protocol, seed, number of folds, cell of the blocks ...; plain JSON values.
        notes: Sentences to read before the figures.
        seen_by: Encoder -> why the task counts as seen in its training; such an encoder wins nothing.
    """

    table: LabelTable
    metric: str
    results: dict[str, dict[str, EncoderResult]]
    folds: dict[str, NDArray[np.int64]]
    settings: dict[str, Any]
    notes: tuple[str, ...] = ()
    seen_by: dict[str, str] = field(default_factory=dict)
