"""A report of probes as one page of HTML, which opens without a network."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.errors import excerpt
from unigeoclip.export.predictions import result_of
from unigeoclip.export.probe_plots import learning_curve_svg, predicted_true_svg, residuals_svg, scores_svg
from unigeoclip.export.probe_tables import METRIC_NAMES, best_encoder, score_rows
from unigeoclip.extras import needs_extra

if TYPE_CHECKING:
    from unigeoclip.atlas.provenance import Provenance
    from unigeoclip.evaluation.probing.everywhere.prediction_map import PredictionMap
    from unigeoclip.evaluation.probing.results import EncoderResult, ProbeReport

__all__ = ["probe_report"]

MOST_CLASSES = 12  # of the confusion matrix; the others are one row and one column
MAX_WORDS = 120  # letters of a name
_SPLITS = {"random": "Random folds", "blocks": "Whole blocks left out"}
_SPLIT_WORDS = {
    "random": "Rows near a test row may be in training: this split says how well the gaps between labels are filled.",
    "blocks": "Most neighbors of a test row are not in training: this split says how well it does away from labels.",
}


def probe_report(
    report: ProbeReport,
    *,
    split: str | None = None,
    encoder: str | None = None,
    code: str = "",
    everywhere: PredictionMap | None = None,
    provenance: Provenance | None = None,
) -> str:
    """A page of HTML with the scores, plots, errors and settings of a report; nothing in it is fetched.

    Args:
        report: What was found.
        split: Whose predictions are shown; the last one by default, which is the harder one.
        encoder: Whose predictions are shown; by default the best that has not seen the task in training.
        code: Lines of Python that compute it again.
        everywhere: Predictions on a grid, shown as a picture.
        provenance: Kept in the page's head as ``<meta name="provenance">``, as JSON.

    Raises:
        InputError: There is no such split or encoder.
        MissingPackageError: jinja2 or matplotlib is not installed.
    """
    with needs_extra("app"):
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

    split = list(report.results)[-1] if split is None else split
    result_of(report, split, encoder or next(iter(report.results.get(split, {"": None}))))
    encoder = best_encoder(report, split) if encoder is None else encoder
    table = report.table
    unit = f" ({table.unit})" if table.unit else ""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True,
    )  # fmt: skip
    metrics = [report.metric, *(each for each in METRIC_NAMES if each != report.metric and _has(report, each))]
    return environment.get_template("probe_report.html").render(
        title=f"Probe of {excerpt(table.target_name, MAX_WORDS)}, {excerpt(table.name, MAX_WORDS)}",
        lead=f"{len(table):,} positions, {table.kind} of {excerpt(table.target_name, MAX_WORDS)}{unit}: how well frozen"
        " embeddings predict it, by a simple model fitted on them.",
        notes=[*table.notes, *(note for note in report.notes if note not in table.notes)],
        metric_names=[METRIC_NAMES.get(each, each) for each in metrics],
        splits=[_split(report, name, metrics) for name in report.results],
        shown=_shown(report, split, result_of(report, split, encoder)),
        everywhere=None if everywhere is None else _everywhere(everywhere),
        code=code,
        settings=[(name.replace("_", " "), _setting(value)) for name, value in report.settings.items()],
        credits="" if provenance is None else " · ".join([provenance.software, *provenance.attribution]),
        provenance=provenance,
    )


def _has(report: ProbeReport, metric: str) -> bool:
    return any(metric in each.scores for results in report.results.values() for each in results.values())


def _split(report: ProbeReport, split: str, metrics: list[str]) -> dict[str, Any]:
    rows = []
    for row in (each for each in score_rows(report) if each.split == split):
        mean, low, high = row.difference
        figures = [_plus_minus(*row.scores.get(metric, (np.nan, np.nan))) for metric in metrics]
        said = f"{mean:+.3f} [{low:+.3f}, {high:+.3f}] to {row.baseline}" if np.isfinite(mean) else "is the baseline"
        rows.append({"title": row.title, "seen": row.seen, "best": row.best, "dim": row.dim, "figures": figures,
                     "difference": said})  # fmt: skip
    return {
        "heading": _SPLITS.get(split, f"Folds by {split}"),
        "words": f"{_SPLIT_WORDS.get(split, 'Rows of one group are all in training or all in the test.')} Mean of"
        f" {len(np.unique(report.folds[split]))} folds, plus or minus its standard error; brackets: 95 % interval of a"
        " paired bootstrap.",
        "rows": rows,
        "scores_svg": scores_svg(report, split),
        "curve_svg": learning_curve_svg(report, split),
    }  # fmt: skip


def _shown(report: ProbeReport, split: str, result: EncoderResult) -> dict[str, Any]:
    regression = report.table.kind == "regression"
    words = f"Under the split {_SPLITS.get(split, split).lower()}."
    worst = []
    if (errors := result.errors) is not None:
        if np.isfinite(errors.morans_i):
            clustered = errors.p_value < 0.05 and errors.morans_i > 0
            words += (
                f" The errors {'cluster in space' if clustered else 'show no clear clusters in space'} (Moran's I ="
                f" {errors.morans_i:.2f}, p = {errors.p_value:.3g} by permutation)."
            )
        if np.isfinite(errors.geo_bias):
            words += f" {errors.geo_bias:.0%} of the variance of the absolute errors lies between regions."
        worst = [(f"{lat:.4f}, {lon:.4f}", f"{rows:,}", f"{error:.4g}") for lat, lon, rows, error in errors.worst]
    return {
        "title": result.title,
        "words": words,
        "scatter_svg": predicted_true_svg(report, result) if regression else "",
        "map_svg": residuals_svg(report, result),
        "matrix": None if regression else _matrix(report, result),
        "worst": worst,
        "worst_name": "Mean absolute error" if regression else "Error rate",
    }


def _matrix(report: ProbeReport, result: EncoderResult) -> dict[str, Any]:
    """Counts of truth and prediction of the most frequent classes."""
    truth, predicted = np.asarray(report.table.target, np.str_), np.asarray(result.predictions, np.str_)
    names, counts = np.unique(truth, return_counts=True)
    kept = names[np.argsort(-counts, kind="stable")[:MOST_CLASSES]]
    rest = len(names) > len(kept)
    place = {name: number for number, name in enumerate(kept.tolist())}
    rows = np.array([place.get(name, len(kept)) for name in truth.tolist()])
    columns = np.array([place.get(name, len(kept)) for name in predicted.tolist()])
    size = len(kept) + rest
    matrix = np.bincount(rows * size + columns, minlength=size * size).reshape(size, size)
    labels = [excerpt(name, 24) for name in kept] + [f"{len(names) - len(kept)} others"] * rest
    return {
        "columns": labels,
        "rows": [
            (label, [f"{count:,}" for count in line]) for label, line in zip(labels, matrix.tolist(), strict=True)
        ],
        "words": f"The {len(kept)} most frequent of {len(names)} classes." if rest else "",
    }


def _everywhere(shown: PredictionMap) -> dict[str, Any]:
    stops = shown.legend()
    words = f"Predicted {shown.target_name}{f' ({shown.unit})' if shown.unit else ''}. {shown.extrapolation}"
    if shown.extrapolation:
        words += " Fainter colors there."
    return {
        "picture": f"data:image/png;base64,{base64.b64encode(shown.png(opacity=1.0)).decode()}",
        "words": words,
        "swatches": [
            {"color": each.color, "name": f"{each.name} ({each.share:.0%})"} for each in shown.swatches()[:30]
        ],
        "stops": ", ".join(stop.color for stop in stops),
        "low": f"{stops[0].similarity:.4g} or less" if stops else "",
        "high": f"{stops[-1].similarity:.4g} or more" if stops else "",
    }


def _plus_minus(mean: float, error: float) -> str:
    if not np.isfinite(mean):
        return "–"
    places = 3 if abs(mean) < 10 else 1  # errors in the unit of the target can be large
    return f"{mean:,.{places}f} ± {error:,.{places}f}" if np.isfinite(error) else f"{mean:,.{places}f}"


def _setting(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
