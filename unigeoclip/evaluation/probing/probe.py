"""Probe frozen features of several encoders on one table: scores with intervals, under several splits."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.errors import InputError, excerpt
from unigeoclip.evaluation.probing.coordbench import coordbench_folds, coordbench_predictions
from unigeoclip.evaluation.probing.folds import RANDOM, Cell, default_cell, make_folds, parse_cell, shared_positions
from unigeoclip.evaluation.probing.heads.nested import model_for, nested_predictions
from unigeoclip.evaluation.probing.heads.ridge import pair_count
from unigeoclip.evaluation.probing.heads.targets import Target
from unigeoclip.evaluation.probing.intervals import HIGH, LOW, RESAMPLES
from unigeoclip.evaluation.probing.learning_curve import fits_of_curve
from unigeoclip.evaluation.probing.learning_curve import learning_curve as curve_of
from unigeoclip.evaluation.probing.results import ProbeReport
from unigeoclip.evaluation.probing.scoring import error_pattern, scored, with_differences
from unigeoclip.evaluation.probing.spatial_errors import ErrorMap
from unigeoclip.evaluation.probing.work import Work

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from unigeoclip.evaluation.probing.encoders import Features
    from unigeoclip.evaluation.probing.folds import Folds
    from unigeoclip.evaluation.probing.heads.shifted import Decompositions
    from unigeoclip.evaluation.probing.results import EncoderResult
    from unigeoclip.evaluation.probing.work import Cancelled, Progress
    from unigeoclip.tasks.label_table import LabelTable

__all__ = ["COORDBENCH", "MAX_ROWS", "NESTED", "PROTOCOLS", "probe"]

NESTED, COORDBENCH = "nested", "coordbench"
PROTOCOLS = (NESTED, COORDBENCH)
MAX_ROWS = 200_000


def probe(
    table: LabelTable,
    encoders: Mapping[str, Features],
    *,
    splits: Sequence[str] = ("random", "blocks"),
    model: str = "auto",
    folds: int = 5,
    seed: int = 0,
    cell: str | float | Cell | None = None,
    protocol: str = NESTED,
    baseline: str | None = None,
    learning_curve: bool = False,
    errors: bool = True,
    seen_by: Mapping[str, str] | None = None,
    kept: Decompositions | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> ProbeReport:
    """Fit a simple model on the features of each encoder and score it on rows that it did not see.

    A score is the mean of its values on the folds; R2 of a fold is against the mean of that fold's rows.

    Args:
        table: Positions with a target, at most 200,000 rows.
        encoders: Encoder -> features of the rows, from `encoders.features`.
        splits: "random", "blocks", "groups" or the name of the table's groups.
        model: "auto" (ridge), "ridge", "logistic" (classes) or "knn".
        folds: Number of folds, 3 to 20.
        seed: Of folds, resamples and samples.
        cell: Of blocks, see `folds.parse_cell`; by default what suits the extent, or CoordBench's 10 degrees.
        protocol: "nested": the setting of a fold's model is chosen on the other folds. "coordbench": see `coordbench`.
        baseline: Encoder that others are compared with; by default, in each split, the best one that is not ours and
            not in ``seen_by``.
        learning_curve: Whether to score models on fewer training rows, too, with the nested protocol.
        errors: Whether to describe where errors lie.
        seen_by: Encoder -> why the target counts as seen in its training.
        kept: What ridges on the same rows share; give the same object with each of several targets.
        progress: Called with what is being done, and the share of all that is done, 0 to 1.
        cancelled: Asked between the steps.

    Raises:
        InputError: The table, an option, or the features cannot be used; the message says why.
        StoppedError: It was cancelled.
    """
    if baseline is not None and baseline not in encoders:
        raise InputError(f"The baseline {excerpt(baseline)!r} is not among the encoders {', '.join(encoders)}.")
    options = _Options(model, folds, seed, parse_cell(cell), protocol, baseline, learning_curve, errors)
    used, vectors, notes = _usable(table, encoders)
    run = _Run(used, Target.of(used), vectors, options, kept)
    titles = {name: each.title for name, each in encoders.items()}
    return run.report(titles, list(dict.fromkeys(splits)), notes, dict(seen_by or {}), progress, cancelled)


@dataclass(frozen=True)
class _Options:
    """Options of `probe`, by the same names."""

    model: str
    folds: int
    seed: int
    cell: Cell | None
    protocol: str
    baseline: str | None
    learning_curve: bool
    errors: bool

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise InputError(f"Unknown protocol {excerpt(self.protocol)!r}. Known: {', '.join(PROTOCOLS)}.")
        if self.learning_curve and self.protocol == COORDBENCH:
            raise InputError("A learning curve belongs to the nested protocol: leave out one of the two.")


class _Run:
    """One run of `probe`, whose rows are those that every encoder has features for."""

    def __init__(
        self,
        table: LabelTable,
        target: Target,
        vectors: dict[str, NDArray[np.float32]],
        options: _Options,
        kept: Decompositions | None,
    ) -> None:
        self._kept = kept
        self.table, self.target, self.vectors, self.options = table, target, vectors, options
        self.model = model_for(options.model, target)
        self.coordbench = options.protocol == COORDBENCH

    def report(
        self,
        titles: dict[str, str],
        splits: list[str],
        notes: list[str],
        seen_by: dict[str, str],
        progress: Progress | None,
        cancelled: Cancelled | None,
    ) -> ProbeReport:
        """Probe every encoder under every split."""
        options, table = self.options, self.table
        if not splits:
            raise InputError("Name a split: random, blocks or groups.")
        divided = {name: self._folds(name) for name in splits}
        notes = [*notes, *(note for each in divided.values() for note in _notes_on(table, each))]
        cell = options.cell or default_cell(table.latlon, options.folds)
        regions = ErrorMap(table.latlon, cell, options.seed) if options.errors else None
        pairs = itertools.product(divided.values(), self.vectors.values())
        work = Work(sum(_cost(x.shape[1]) * self._steps(folds) for folds, x in pairs), progress, cancelled)
        results = {}
        for split, folds in divided.items():
            found = {}
            for name, title in titles.items():
                result = self._result(name, title, folds, work)
                errors = None if regions is None else error_pattern(regions, table, result)
                found[name] = replace(result, errors=errors)
            results[split] = with_differences(found, table, self.target, folds, options.baseline, seen_by, options.seed)
        metric = "accuracy" if self.target.is_classification else "r2"
        numbers = {name: each.numbers for name, each in divided.items()}
        return ProbeReport(table, metric, results, numbers, self._settings(divided), tuple(notes), seen_by)

    def _folds(self, split: str) -> Folds:
        make = coordbench_folds if self.coordbench else make_folds
        options = self.options
        return make(self.table, split, folds=options.folds, seed=options.seed, cell=options.cell)

    def _steps(self, folds: Folds) -> int:
        """Steps of work for each encoder."""
        steps = folds.count if self.coordbench else pair_count(folds.count)
        return steps + (fits_of_curve(folds.numbers) if self.options.learning_curve else 0)

    def _result(self, name: str, title: str, folds: Folds, work: Work) -> EncoderResult:
        features = self.vectors[name]
        work.begin(f"Probing: {title}, {folds.split}", _cost(features.shape[1]))
        if self.coordbench:
            outputs, chosen = coordbench_predictions(self.model, features, self.target, folds, work)
        else:
            outputs, chosen = nested_predictions(self.model, features, self.target, folds.numbers, work, self._kept)
        result = scored(name, title, self.target, folds, outputs)
        curve: tuple[tuple[int, float, float], ...] = ()
        if self.options.learning_curve:
            curve = curve_of(self.model, features, self.target, folds, self.options.seed, work)
        return replace(result, dim=features.shape[1], hyperparameter=chosen, learning_curve=curve)

    def _settings(self, divided: dict[str, Folds]) -> dict[str, Any]:
        return {
            "model": self.model,
            "protocol": self.options.protocol,
            "folds": {name: each.count for name, each in divided.items()},
            "units": {name: each.words for name, each in divided.items() if each.units is not None},
            "seed": self.options.seed,
            "score": "mean of the folds",
            "resamples": RESAMPLES,
            "interval_percent": HIGH - LOW,
        }


def _usable(
    table: LabelTable, encoders: Mapping[str, Features]
) -> tuple[LabelTable, dict[str, NDArray[np.float32]], list[str]]:
    """The rows that every encoder has features for, those features, and sentences on rows that were left out."""
    if len(table) > MAX_ROWS:
        raise InputError(f"{table.name!r} has {len(table):,} rows, at most {MAX_ROWS:,} are probed: use a sample.")
    if not encoders:
        raise InputError("Name an encoder to probe.")
    notes = list(table.notes)
    known = np.ones(len(table), bool)
    for name, (_, vectors) in encoders.items():
        if vectors.ndim != 2 or len(vectors) != len(table):
            raise InputError(f"{len(table)} rows, but the features of {name!r} have shape {vectors.shape}.")
        has = np.isfinite(vectors).all(axis=1)
        if not has.all():
            count = len(table) - int(has.sum())
            notes.append(f"{count:,} of {len(table):,} rows are left out for all encoders: {name!r} has nothing there.")
        known &= has
    if not known.any():
        raise InputError(f"No row of {table.name!r} has features of all encoders: leave out the one that lacks them.")
    found = {name: np.ascontiguousarray(each.vectors, np.float32) for name, each in encoders.items()}
    if not known.all():
        table, found = table.take(known), {name: each[known] for name, each in found.items()}
    return table, found, notes


def _notes_on(table: LabelTable, folds: Folds) -> list[str]:
    notes = list(folds.notes)
    if folds.split == RANDOM and (shared := shared_positions(table, folds)):
        notes.append(
            f"{shared:,} of {len(table):,} rows share their position with a row of another fold: they are tested "
            "on a place that was trained on. Prefer blocks."
        )
    if table.kind == "classification":
        names, codes = np.unique(table.target, return_inverse=True)
        counts = np.zeros((folds.count, len(names)), np.int64)
        np.add.at(counts, (folds.numbers, codes), 1)
        alone = int(((counts > 0).sum(axis=0) == 1).sum())
        if alone:
            notes.append(
                f"{alone:,} of {len(names):,} classes are in one fold of {folds.split!r} only: no probe that is tested "
                "on them has seen them."
            )
    return notes


def _cost(dim: int) -> float:
    """Rough cost of one step with so many features: products and decompositions."""
    return 1 + (dim / 128) ** 2
