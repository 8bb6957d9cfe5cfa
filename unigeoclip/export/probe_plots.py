"""Plots of a report of probes as SVG, for pages that open without a network."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.evaluation.probing.encoders import is_ours
from unigeoclip.export.probe_tables import METRIC_NAMES, score_rows
from unigeoclip.extras import needs_extra

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.evaluation.probing.results import EncoderResult, ProbeReport

__all__ = ["learning_curve_svg", "predicted_true_svg", "residuals_svg", "scores_svg"]

MOST_POINTS = 20_000  # drawn of a scatter
_OURS, _OTHERS, _SEEN = "#0072b2", "#767676", "#b9b9b9"
_DPI = 130  # of what is drawn as pixels inside of an SVG
_SEED = 0  # of the sample of points that is drawn
# matplotlib's settings belong to the whole process: one figure at a time is written with ours. Without a salt of their
# own, ids in the file would differ from run to run.
_SETTINGS: Any = {
    "svg.hashsalt": "unigeoclip",
    "svg.fonttype": "path",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,  # a dollar sign in a name begins no formula
}
_lock = threading.Lock()


def scores_svg(report: ProbeReport, split: str) -> str:
    """The encoders of a split, best first: mean over the folds, its standard error, and the value of each fold."""
    rows = [row for row in score_rows(report) if row.split == split]

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for at, row in enumerate(rows):
            mean, error = row.scores[report.metric]
            color = _SEEN if row.seen else _OURS if is_ours(row.encoder) else _OTHERS
            folds = report.results[split][row.encoder].scores[report.metric].folds
            axes.plot(folds, [at] * len(folds), "|", color=color, alpha=0.6, markersize=7)
            axes.errorbar(mean, at, xerr=error if np.isfinite(error) else None, fmt="o", color=color, capsize=3)
        axes.set_yticks(range(len(rows)), [row.title[:44] for row in rows])
        axes.invert_yaxis()
        axes.set_xlabel(METRIC_NAMES.get(report.metric, report.metric))
        # A failed encoder can be far below zero, and would squeeze the others.
        low, high = _shown_range([row.scores[report.metric][0] for row in rows])
        axes.set_xlim(low, high)
        axes.grid(axis="x", alpha=0.25)

    return _svg(draw, (7.2, 0.9 + 0.3 * len(rows)))


def predicted_true_svg(report: ProbeReport, result: EncoderResult) -> str:
    """Predictions against the truth of a regression, up to `MOST_POINTS` of them, with the line of equality."""
    rows = _sample(len(report.table))
    truth = np.asarray(report.table.target, np.float64)[rows]
    predicted = np.asarray(result.predictions, np.float64)[rows]

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        alpha = float(np.clip(400 / max(len(rows), 1), 0.08, 0.7))
        axes.scatter(truth, predicted, s=9, alpha=alpha, color=_OURS, linewidths=0, rasterized=True)
        ends = [float(min(truth.min(), predicted.min())), float(max(truth.max(), predicted.max()))]
        axes.plot(ends, ends, color="#333333", linewidth=0.8)
        axes.set(xlabel="truth", ylabel="prediction")

    return _svg(draw, (4.2, 4.0))


def residuals_svg(report: ProbeReport, result: EncoderResult) -> str:
    """Where the predictions are too low, too high or wrong: a map of the residuals, or of the errors of classes."""
    rows = _sample(len(report.table))
    lat, lon = report.table.latlon[rows].T

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        axes.set_facecolor("#c9ced6")  # neither end nor the middle of the colors
        size = float(np.clip(6000 / max(len(rows), 1), 1.5, 20))
        options = {"s": size, "linewidths": 0, "rasterized": True}
        if report.table.kind == "regression":
            residual = np.asarray(report.table.target, np.float64) - np.asarray(result.predictions, np.float64)
            limit = float(np.percentile(np.abs(residual), 95)) or 1.0
            dots = axes.scatter(lon, lat, c=residual[rows], cmap="RdBu", vmin=-limit, vmax=limit, **options)
            figure.colorbar(dots, ax=axes, label="truth minus prediction", extend="both")
        else:
            right = np.asarray(report.table.target == result.predictions)[rows]
            for which, color, label in ((right, "#56b4e9", "right"), (~right, "#d55e00", "wrong")):
                axes.scatter(lon[which], lat[which], color=color, label=label, **options)
            axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
        middle = np.radians(np.clip((lat.min() + lat.max()) / 2, -80, 80))
        axes.set_aspect(1 / float(np.cos(middle)), adjustable="datalim")
        axes.set(xlabel="longitude (degrees)", ylabel="latitude (degrees)")

    return _svg(draw, (6.4, 4.0))


def learning_curve_svg(report: ProbeReport, split: str) -> str:
    """The report's metric over the number of training rows, of all encoders that have a curve; empty if none has."""
    curves = [each for each in report.results[split].values() if each.learning_curve]
    if not curves:
        return ""

    counts = sorted({point[0] for each in curves for point in each.learning_curve})

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for number, each in enumerate(curves):
            rows, means, errors = np.array(each.learning_curve, np.float64).T
            line = axes.errorbar(
                rows, means, yerr=np.nan_to_num(errors), marker=".", color=f"C{number % 10}", capsize=2
            )
            line.set_label(each.title[:44])
        axes.set_xscale("log")
        axes.set_xticks(counts, [f"{count:,}" for count in counts])
        axes.minorticks_off()
        axes.set_ylim(*_shown_range([point[1] for each in curves for point in each.learning_curve]))
        axes.set(xlabel="training rows", ylabel=METRIC_NAMES.get(report.metric, report.metric))
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
        axes.grid(alpha=0.25)

    return _svg(draw, (7.2, 3.4))


def _shown_range(values: list[float]) -> tuple[float, float]:
    """From what is far below zero only the neighborhood of the others."""
    known = np.array([value for value in values if np.isfinite(value)] or [0.0, 1.0])
    low, high = max(float(known.min()), min(-0.25, float(np.median(known)) - 0.5)), float(known.max())
    room = 0.08 * max(high - low, 0.05)
    return low - room, high + room


def _sample(count: int) -> NDArray[np.int64]:
    rows = np.arange(count)
    if count > MOST_POINTS:
        rows = np.sort(np.random.default_rng(_SEED).choice(count, MOST_POINTS, replace=False))
    return rows


def _svg(draw: Any, size: tuple[float, float]) -> str:
    """What a function draws on a figure of so many inches, as an element for HTML."""
    with needs_extra("plot"):
        import matplotlib
        from matplotlib.figure import Figure
    file = io.StringIO()
    with _lock, matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=size, layout="constrained", facecolor="none")
        draw(figure)
        figure.savefig(file, format="svg", dpi=_DPI, metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    return text[text.index("<svg") :]
