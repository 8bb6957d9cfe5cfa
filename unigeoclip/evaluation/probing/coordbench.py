"""CoordBench's protocol (torchgeo-bench, location-encoder track), to compare figures with its published ones.

It differs from the nested protocol in two ways that raise figures a little: the penalty is the one with the best mean
over the folds that are reported, and the features of an encoder are not brought to length one. Random folds deal a
permutation of the rows in turn; spatial folds are whole cells of 10 degrees. Facts of the protocol are those of its
source at commit 0096e588d54b06cf28f99387c33d9be828d170d6. There, cells are made of longitudes as the table has them and
of all rows; here of longitudes from -180 to 180 degrees and of the rows that are probed. Where that differs, the same
cells are dealt to other folds, and the report says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from unigeoclip.errors import InputError, excerpt
from unigeoclip.evaluation.probing.folds import BLOCKS, Cell, Folds, check_folds, make_folds
from unigeoclip.evaluation.probing.heads.shifted import ShiftedSystem
from unigeoclip.extras import needs_extra
from unigeoclip.parallel import parallel_map

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.evaluation.probing.heads.targets import Target
    from unigeoclip.evaluation.probing.work import Work
    from unigeoclip.tasks.label_table import LabelTable

__all__ = ["ALPHAS", "coordbench_folds", "coordbench_predictions", "spatial_folds"]

ALPHAS = tuple(float(10.0**power) for power in np.arange(-4.0, 6.5, 0.5))
CELL_DEG = 10.0
_OTHER = (
    "CoordBench deals the cells of a table as it is: rows that were left out, or longitudes that were changed, as the "
    "notes on this table say, may put its cells into other folds."
)
_NEIGHBORS = 5
_LEAST_STD = 1e-6
_LEAST_VARIANCE = 1e-12
_MOST_OUTPUTS = 200_000_000  # of all penalties together: 1.6 GB


def spatial_folds(
    lat: NDArray[np.float64], lon: NDArray[np.float64], folds: int = 5, cell_deg: float = CELL_DEG, seed: int = 0
) -> NDArray[np.int64]:
    """Fold of each point, by the cell that holds it: cells in the order of their keys are dealt a permutation.

    Args:
        lat: (n,) degrees.
        lon: (n,) degrees, taken as they are.
        folds: Number of folds.
        cell_deg: Side of a cell.
        seed: Of the permutation.

    Returns:
        (n,) numbers 0 to folds - 1, of which some may be missing where there are few cells.
    """
    keys = Cell(degrees=cell_deg).numbers(np.column_stack([lat, lon]))
    cells, cell = np.unique(keys, return_inverse=True)
    numbers: NDArray[np.int64] = (np.random.default_rng(seed).permutation(len(cells)) % folds)[cell]
    return numbers


def coordbench_folds(
    table: LabelTable, split: str, *, folds: int = 5, seed: int = 0, cell: Cell | None = None
) -> Folds:
    """Folds of a table as CoordBench makes them; by groups, which it does not know, as `folds.make_folds`.

    Raises:
        InputError: Unknown split, blocks that are no degrees, or too few rows or cells for folds.
    """
    if split != BLOCKS:  # random folds are the same in both protocols
        return make_folds(table, split, folds=folds, seed=seed)
    check_folds(len(table), folds)
    cell = cell or Cell(degrees=CELL_DEG)
    if not cell.degrees:
        raise InputError(f"Blocks of CoordBench are cells in degrees, not {excerpt(cell)}: give a number of degrees.")
    found = spatial_folds(table.latlon[:, 0], table.latlon[:, 1], folds, cell.degrees, seed)
    present, numbers = np.unique(found, return_inverse=True)
    if len(present) < 2:
        raise InputError(f"All {len(table)} rows lie in one fold of blocks of {cell}: choose smaller blocks.")
    units = np.unique(cell.numbers(table.latlon), return_inverse=True)[1]
    return Folds(BLOCKS, numbers.astype(np.int64), units.astype(np.int64), str(cell), (_OTHER,) if table.notes else ())


def coordbench_predictions(
    model: str, features: NDArray[np.float32], target: Target, folds: Folds, work: Work
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Predictions of every row by its protocol.

    Args:
        model: "ridge", with one-hot targets for classes, or "knn" of five neighbors for classes.
        features: (n, dim) float32, as the encoder gives them.
        target: Of the same rows.
        folds: From `coordbench_folds`.
        work: Told of a step for each fold.

    Returns:
        (n, outputs) outputs and what was chosen, as text.

    Raises:
        InputError: A model that the protocol does not have.
    """
    rows = _rows(folds)
    if model == "knn" and target.is_classification:
        return _knn(features, target, rows, work), (f"k={_NEIGHBORS}",)
    if model != "ridge":
        raise InputError("CoordBench has ridge, and knn for classes: choose one of them, or the nested protocol.")
    return _ridge(features, target, rows, work)


def _rows(folds: Folds) -> list[NDArray[np.int64]]:
    """Rows of each fold; sums over them are the same in any order up to rounding."""
    return [np.flatnonzero(folds.numbers == fold) for fold in range(folds.count)]


def _ridge(
    features: NDArray[np.float32], target: Target, rows: list[NDArray[np.int64]], work: Work
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    if len(ALPHAS) * target.matrix.size > _MOST_OUTPUTS:
        raise InputError(
            f"{len(target.classes):,} classes of {len(features):,} rows are too many for CoordBench's protocol here: "
            "use a sample of the rows, or the nested protocol."
        )
    x = torch.from_numpy(np.ascontiguousarray(features, np.float32))

    def on_fold(fold: int) -> NDArray[np.float64]:
        train = np.concatenate([some for other, some in enumerate(rows) if other != fold])
        known, asked = _standardized(x[torch.from_numpy(train)], x[torch.from_numpy(rows[fold])])
        return _predicted(known, asked, torch.from_numpy(target.matrix[train]))

    outputs = np.empty((len(ALPHAS), *target.matrix.shape))
    scores = np.empty((len(ALPHAS), len(rows)))
    for fold, predicted in enumerate(parallel_map(on_fold, range(len(rows)))):
        outputs[:, rows[fold]] = predicted
        scores[:, fold] = [_score(target, each, rows[fold]) for each in predicted]
        work.step()
    best = int(np.argmax(scores.mean(axis=1)))  # the first one wins ties
    return outputs[best], (f"alpha={ALPHAS[best]:.3g}",)


def _standardized(train: torch.Tensor, test: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Both by mean and sample standard deviation of the training rows, in float32; then float64."""
    mean, std = train.mean(0, keepdim=True), train.std(0, keepdim=True).clamp_min(_LEAST_STD)
    return ((train - mean) / std).double(), ((test - mean) / std).double()


def _predicted(train: torch.Tensor, test: torch.Tensor, targets: torch.Tensor) -> NDArray[np.float64]:
    """Ridge of every penalty with an intercept that is not penalized: (penalties, test, outputs)."""
    mean, y_mean = train.mean(0), targets.mean(0)
    centered = train - mean
    system = ShiftedSystem((centered.T @ centered).numpy(), (centered.T @ (targets - y_mean)).numpy())
    weights = torch.from_numpy(system.solutions(ALPHAS))
    outputs = ((test - mean) @ weights.flatten(1)).reshape(len(test), len(ALPHAS), -1) + y_mean
    predicted: NDArray[np.float64] = outputs.transpose(0, 1).numpy()
    return predicted


def _score(target: Target, outputs: NDArray[np.float64], rows: NDArray[np.int64]) -> float:
    if target.codes is not None:
        return float((outputs.argmax(axis=1) == target.codes[rows]).mean())
    truth = target.matrix[rows, 0]
    total = max(float(((truth - truth.mean()) ** 2).sum()), _LEAST_VARIANCE)
    return float(1 - ((truth - outputs[:, 0]) ** 2).sum() / total)


def _knn(
    features: NDArray[np.float32], target: Target, rows: list[NDArray[np.int64]], work: Work
) -> NDArray[np.float64]:
    """Votes of the five nearest standardized training rows; the first class wins ties."""
    with needs_extra("compare"):
        from sklearn.neighbors import NearestNeighbors
        from sklearn.preprocessing import StandardScaler

    outputs = np.zeros_like(target.matrix)
    for fold, test in enumerate(rows):
        train = np.sort(np.concatenate([some for other, some in enumerate(rows) if other != fold]))
        scaler = StandardScaler().fit(features[train])
        known, asked = (scaler.transform(features[some]).astype(np.float32) for some in (train, test))
        search = NearestNeighbors(n_neighbors=min(_NEIGHBORS, len(train)), algorithm="brute").fit(known)
        for neighbor in search.kneighbors(asked, return_distance=False).T:
            outputs[test] += target.matrix[train[neighbor]]
        work.step()
    return outputs
