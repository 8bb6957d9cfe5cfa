"""The target of a table as numbers: what heads are fitted to, and how their outputs are judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.tasks.label_table import LabelTable

__all__ = ["MAX_CLASSES", "Target", "class_scores", "r2"]

MAX_CLASSES = 500  # of a classification: with more, most folds lack most classes, and every class is a model


@dataclass(frozen=True, eq=False)
class Target:
    """A target that heads can be fitted to.

    Attributes:
        matrix: (n, outputs) float64: the target, brought to mean 0 and standard deviation 1, or one column a class
            that is 1 in its rows and 0 elsewhere.
        codes: (n,) number of the class of each row; None for a regression.
        classes: Names of the classes, sorted; empty for a regression.
        center: What was subtracted from the target of a regression.
        scale: What it was divided by.
    """

    matrix: NDArray[np.float64]
    codes: NDArray[np.int64] | None
    classes: tuple[str, ...]
    center: float = 0.0
    scale: float = 1.0

    @classmethod
    def of(cls, table: LabelTable) -> Target:
        """The target of a table.

        Raises:
            InputError: All rows have one value, or there are too many classes.
        """
        if table.kind == "regression":
            return cls._of_numbers(cast("NDArray[np.float64]", table.target), table.target_name)
        classes, codes = np.unique(table.target, return_inverse=True)
        if len(classes) < 2:
            raise InputError(
                f"All {len(table)} rows of {table.target_name!r} have the class {str(classes[0])!r}: there is nothing "
                "to predict. Choose another column."
            )
        if len(classes) > MAX_CLASSES:
            advice = "group them into fewer, or probe the column as a regression if it holds numbers"
            raise InputError(
                f"{table.target_name!r} has {len(classes):,} classes in {len(table):,} rows, at most {MAX_CLASSES} can "
                f"be probed: {advice}. A column of names or ids is no target."
            )
        matrix = np.zeros((len(table), len(classes)))
        matrix[np.arange(len(table)), codes] = 1
        return cls(matrix, codes.astype(np.int64), tuple(str(name) for name in classes))

    @classmethod
    def _of_numbers(cls, values: NDArray[np.float64], name: str) -> Target:
        largest = float(np.abs(values).max())
        unit = values / (largest or 1.0)  # the square of a huge target overflows
        spread = float(unit.std())
        if spread <= 1e-12:
            raise InputError(
                f"All {len(values)} rows of {name!r} have the value {values[0]:g}: there is nothing to predict. "
                "Choose another column."
            )
        center = float(unit.mean())
        return cls(((unit - center) / spread)[:, None], None, (), center * largest, spread * largest)

    @property
    def is_classification(self) -> bool:
        """Whether the target is a class."""
        return self.codes is not None

    def decoded(self, outputs: NDArray[np.floating]) -> NDArray[np.float64] | NDArray[np.str_]:
        """Outputs of a head, (n, outputs), as targets of the table."""
        if self.is_classification:
            names: NDArray[np.str_] = np.array(self.classes)[outputs.argmax(axis=1)]
            return names
        values: NDArray[np.float64] = outputs[:, 0].astype(np.float64) * self.scale + self.center
        return values

    def loss(self, outputs: NDArray[np.floating], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Sum of squared errors, or number of rows in the wrong class, for each of several heads.

        Args:
            outputs: (m, heads, outputs) of these rows.
            rows: (m,) numbers of the rows.

        Returns:
            (heads,).
        """
        if self.codes is not None:
            wrong: NDArray[np.float64] = (outputs.argmax(axis=2) != self.codes[rows, None]).sum(axis=0).astype(float)
            return wrong
        loss: NDArray[np.float64] = ((outputs[:, :, 0] - self.matrix[rows]) ** 2).sum(axis=0)
        return loss


def r2(truth: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    """Coefficient of determination, at most 1; where the truth does not vary 1 if it was met and 0 if not."""
    error = float(((truth - predicted) ** 2).sum())
    total = float(((truth - truth.mean()) ** 2).sum())
    if total < 1e-12 * max(1.0, float((truth**2).sum())):
        return 1.0 if error <= 1e-12 * max(1.0, float((truth**2).sum())) else 0.0
    return 1 - error / total


def class_scores(truth: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> dict[str, float]:
    """Accuracy, and means over the classes that are in the truth or among the predictions.

    Returns:
        "accuracy", "macro_f1", and "mean_iou", the mean intersection over union by which segmentations are scored.
    """
    table = np.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes)
    hits, present = np.diag(table), table.sum(axis=0) + table.sum(axis=1)
    f1 = 2 * hits[present > 0] / present[present > 0]
    iou = f1 / (2 - f1)
    accuracy = float(hits.sum() / max(1, len(truth)))
    return {"accuracy": accuracy, "macro_f1": float(f1.mean()), "mean_iou": float(iou.mean())}
