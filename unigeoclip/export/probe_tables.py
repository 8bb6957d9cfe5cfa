"""The scores of a report of probes as a table: CSV and LaTeX."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unigeoclip.evaluation.probing.encoders import is_floor

if TYPE_CHECKING:
    from unigeoclip.evaluation.probing.results import ProbeReport

__all__ = ["METRIC_NAMES", "ScoreRow", "best_encoder", "latex_escaped", "score_rows", "scores_csv", "scores_latex"]

METRIC_NAMES = {"r2": "R²", "mae": "MAE", "accuracy": "accuracy", "macro_f1": "macro-F1"}
_LATEX_METRICS = {"r2": "$R^2$"}
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


@dataclass(frozen=True)
class ScoreRow:
    """One encoder under one split.

    Attributes:
        split: Name of the split.
        encoder: Name of the encoder.
        title: Name of the encoder for people.
        dim: Length of its vectors.
        scores: Metric -> (mean of the folds, standard error), NaN for none.
        baseline: What it is compared with; empty for that baseline itself.
        difference: Of the report's metric to the baseline: (mean, low, high of the 95 % interval); NaN for none.
        seen: Why the task counts as seen in its training; empty if it was not.
        best: Whether its mean is the highest of those in the split that have not seen the task.
    """

    split: str
    encoder: str
    title: str
    dim: int
    scores: dict[str, tuple[float, float]]
    baseline: str
    difference: tuple[float, float, float]
    seen: str
    best: bool


def score_rows(report: ProbeReport) -> list[ScoreRow]:
    """All encoders of a report, split by split, the best first."""
    rows = []
    for split, results in report.results.items():
        honest = [each.scores[report.metric].mean for name, each in results.items() if name not in report.seen_by]
        top = max((mean for mean in honest if math.isfinite(mean)), default=math.nan)
        ordered = sorted(results.items(), key=lambda pair: -_sortable(pair[1].scores[report.metric].mean))
        for name, each in ordered:
            difference, nothing = each.difference, (math.nan, math.nan, math.nan)
            rows.append(
                ScoreRow(
                    split, name, each.title, each.dim,
                    {metric: (score.mean, score.std_error) for metric, score in each.scores.items()},
                    "" if difference is None else difference.baseline,
                    nothing if difference is None else (difference.mean, difference.low, difference.high),
                    report.seen_by.get(name, ""),
                    each.scores[report.metric].mean == top and name not in report.seen_by,
                )
            )  # fmt: skip
    return rows


def best_encoder(report: ProbeReport, split: str, *, learned: bool = False) -> str:
    """The encoder with the highest score of a split among those that have not seen the task in training.

    Args:
        report: What was found.
        split: One of its splits.
        learned: Whether to look for it among encoders that have learned something first.
    """
    rows = [row for row in score_rows(report) if row.split == split]
    honest = [row.encoder for row in rows if not row.seen] or [row.encoder for row in rows]
    return next((name for name in honest if not (learned and is_floor(name))), honest[0])


def scores_csv(report: ProbeReport) -> bytes:
    """The scores as CSV, a row an encoder and split, in UTF-8.

    Columns: "task", "n", "split", "encoder", "dim"; of each metric its mean over the folds and its standard error,
    "r2", "r2_std_error" ...; "baseline", and the "difference" of the report's metric to it with its 95 % interval,
    "difference_low" and "difference_high"; "seen_in_training". What is unknown is empty.
    """
    metrics = _metrics(report)
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    scores = [name for metric in metrics for name in (metric, f"{metric}_std_error")]
    writer.writerow([
        "task", "n", "split", "encoder", "dim", *scores, "baseline", "difference", "difference_low", "difference_high",
        "seen_in_training",
    ])  # fmt: skip
    for row in score_rows(report):
        figures = [_plain(value) for metric in metrics for value in row.scores.get(metric, (math.nan, math.nan))]
        writer.writerow([
            report.table.name, len(report.table), row.split, row.encoder, row.dim, *figures, row.baseline,
            *map(_plain, row.difference), row.seen,
        ])  # fmt: skip
    return file.getvalue().encode()


def scores_latex(report: ProbeReport) -> str:
    """The scores as a LaTeX table for the package booktabs, the best of each split in bold.

    Figures are the mean over the folds, plus or minus the standard error; the interval of the difference to the best
    baseline is a paired bootstrap at 95 %.
    """
    metrics = _metrics(report)
    heads = [_LATEX_METRICS.get(metric, METRIC_NAMES.get(metric, metric)) for metric in metrics]
    lines = [
        r"\begin{tabular}{ll" + "r" * (len(metrics) + 1) + "}",
        r"\toprule",
        " & ".join(["Split", "Encoder", *heads, "Difference"]) + r" \\",
        r"\midrule",
    ]
    last = ""
    for row in score_rows(report):
        if last and row.split != last:
            lines.append(r"\midrule")
        cells = ["" if row.split == last else latex_escaped(row.split)]
        cells.append(latex_escaped(row.title) + (r"$^{\dagger}$" if row.seen else ""))
        for metric in metrics:
            mean, error = row.scores.get(metric, (math.nan, math.nan))
            cells.append(_latex_figure(mean, error, bold=row.best and metric == report.metric))
        lines.append(" & ".join([*cells, _latex_interval(row.difference)]) + r" \\")
        last = row.split
    lines += [r"\bottomrule", r"\end{tabular}"]
    table = report.table
    caption = f"% {table.name}, {table.target_name}, n = {len(table):,}; mean of folds, plus or minus standard error."
    if report.seen_by:
        caption += " Dagger: the task counts as seen in training."
    return " ".join(caption.split()) + "\n" + "\n".join(lines) + "\n"


def latex_escaped(text: str) -> str:
    """Text for LaTeX: signs with a meaning are escaped, line breaks are spaces."""
    return "".join(_LATEX.get(sign, sign) for sign in " ".join(text.split()))


def _metrics(report: ProbeReport) -> list[str]:
    names = {metric: None for results in report.results.values() for each in results.values() for metric in each.scores}
    return [report.metric, *(metric for metric in names if metric != report.metric)]


def _sortable(value: float) -> float:
    return value if math.isfinite(value) else -math.inf


def _plain(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else ""


def _latex_figure(mean: float, error: float, *, bold: bool) -> str:
    if not math.isfinite(mean):
        return "--"
    figure = rf"\mathbf{{{mean:.3f}}}" if bold else f"{mean:.3f}"
    return f"${figure} \\pm {error:.3f}$" if math.isfinite(error) else f"${figure}$"


def _latex_interval(difference: tuple[float, float, float]) -> str:
    mean, low, high = difference
    return f"${mean:+.3f}$ $[{low:+.3f}, {high:+.3f}]$" if math.isfinite(mean) else "--"
