"""The table of results of page Probe: encoders by splits, with intervals, floors and marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.formatting import number
from pages.ui.widgets.tables import Cell, Table, table_html

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pages.ui.probe.state import Shown
    from unigeoclip.evaluation.probing.results import Difference, EncoderResult, ProbeReport, Score

METRICS = {"r2": "R²", "mae": "MAE", "accuracy": "accuracy", "macro_f1": "macro F1"}
SECOND = {"r2": "mae", "accuracy": "macro_f1"}  # shown in small print
SPLITS = {"random": "Random folds", "blocks": "Blocks", "groups": "Groups"}
MEANINGS = {
    "random": "rows are assigned to folds at random: interpolation between labeled points nearby",
    "blocks": "whole cells of a grid are held out: places far from any labeled point of the training part",
}
BY_NAME = "name"


def split_title(report: ProbeReport, split: str) -> str:
    """Name of a split for people; folds by group are called after the group."""
    if split in ("random", "blocks"):
        return SPLITS[split]
    return f"By {report.table.group_name or split}"


def is_floor(name: str) -> bool:
    """Whether an encoder has learned nothing: it is always computed, and every other should beat it."""
    from unigeoclip.evaluation.probing.encoders import is_floor  # brings torch along

    return is_floor(name)


def ranking(report: ProbeReport, split: str) -> list[str]:
    """Encoders of a report, those that know most in a split first; floors after encoders of the same score."""
    results = report.results[split]
    return sorted(results, key=lambda name: (-results[name].scores[report.metric].mean, is_floor(name)))


def first_choice(report: ProbeReport, split: str) -> list[str]:
    """Encoders in the order in which the map offers them: those that have not seen the labels first, floors last."""
    return sorted(ranking(report, split), key=lambda name: (is_floor(name), name in report.seen_by))


def show(shown: Shown) -> None:
    """Draw the table, with the choice of its order."""
    report = shown.report
    splits = list(report.results)
    orders = [*splits, BY_NAME]
    with st.container(horizontal=True, vertical_alignment="bottom", key="probe-order"):
        titles = {split: split_title(report, split) for split in splits} | {BY_NAME: "Name"}
        order = st.segmented_control(
            "Sort by", orders, default=splits[-1], required=True, key="probe-sort", format_func=titles.__getitem__
        )  # fmt: skip
        st.caption(summary(report, splits[-1]))
    st.html(scores_table(report, order if order in orders else splits[-1]))
    st.caption(_explanation(report))


def scores_table(report: ProbeReport, order: str) -> str:
    """The table as HTML; one row an encoder, for each split its score and its difference from the best baseline."""
    splits = list(report.results)
    first = report.results[splits[0]]
    names = sorted(first, key=lambda name: first[name].title.lower()) if order == BY_NAME else ranking(report, order)
    head = ["Encoder"]
    for split in splits:
        head += [f"{split_title(report, split)}: {METRICS[report.metric]}", "Difference from the best baseline"]
    rows = [[_name(report, first[name]), *_figures(report, name, splits)] for name in names]
    return table_html(Table(head, rows, figures=True, row_heads=True, label="Scores of encoders"))


def _name(report: ProbeReport, result: EncoderResult) -> Cell:
    kind = "floor" if is_floor(result.name) else f"{result.dim} dimensions"
    seen = report.seen_by.get(result.name, "")
    return Cell(result.title, aside=kind, below=f"Seen in training: {seen}" if seen else "")


def _figures(report: ProbeReport, name: str, splits: Sequence[str]) -> list[Cell]:
    cells = []
    for split in splits:
        result = report.results[split][name]
        wins = _wins(report, result)
        second = SECOND.get(report.metric, "")
        below = f"{METRICS[second]} {_second(second, result)}" if second in result.scores else ""
        cells.append(Cell(score_text(result.scores[report.metric]), below=below, strong=wins))
        cells.append(Cell(difference_text(result.difference), below=_against(report, split, result)))
    return cells


def _second(metric: str, result: EncoderResult) -> str:
    value = result.scores[metric].mean
    return number(value) if metric == "mae" else f"{value:.3f}"


def _wins(report: ProbeReport, result: EncoderResult) -> bool:
    """Whether the interval of its difference from the best baseline is above zero, and the task was not seen."""
    return result.name not in report.seen_by and result.difference is not None and result.difference.low > 0


def _against(report: ProbeReport, split: str, result: EncoderResult) -> str:
    if result.difference is None:
        return "the best baseline"
    baseline = report.results[split].get(result.difference.baseline)
    return f"against {baseline.title}" if baseline is not None else ""


def score_text(score: Score) -> str:
    """A score with its standard error: 0.612 ± 0.014."""
    return f"{score.mean:.3f} ± {score.std_error:.3f}".replace("-", "−").replace(" ± nan", "")


def difference_text(difference: Difference | None) -> str:
    """A difference with its 95 % interval; a dash without one."""
    if difference is None:
        return "–"
    return f"{difference.mean:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]".replace("-", "−")


def summary(report: ProbeReport, split: str) -> str:
    """Who is best in a split, in a sentence; an encoder that saw the labels in training does not count."""
    metric = report.metric
    ranked = [name for name in ranking(report, split) if name not in report.seen_by]
    if not ranked:
        return "Every encoder has seen these labels in training: no score counts as a win."
    best = report.results[split][ranked[0]]
    score = best.scores[metric].mean
    where = {"random": "with random folds", "blocks": "in blocks"}.get(split, f"by {report.table.group_name or split}")
    said = f"Best {where}: {best.title}, {METRICS[metric]} {score:.3f}.".replace("-", "−")
    if is_floor(best.name):
        others = "No encoder that has not seen the labels" if report.seen_by else "No encoder"
        return f"{said} {others} beats this floor: none shows that it knows more."
    if best.difference is not None and best.difference.low <= 0 <= best.difference.high:
        return f"{said} The difference from the best baseline may be chance: its interval contains 0."
    return said


def _explanation(report: ProbeReport) -> str:
    second = "; MAE: mean absolute error" if report.metric == "r2" else ""
    splits = [f"{split_title(report, split)}: {MEANINGS[split]}." for split in report.results if split in MEANINGS]
    return (
        f"{len(report.table):,} rows. Mean of the folds ± standard error; differences with their 95 % interval by "
        f"paired bootstrap{second}. Bold: above the best baseline with the whole interval. {' '.join(splits)}"
    )
