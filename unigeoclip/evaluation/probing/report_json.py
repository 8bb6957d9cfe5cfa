"""Reports of probes as plain values for JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unigeoclip.evaluation.probing.results import EncoderResult, ProbeReport, Score

__all__ = ["to_json"]


def to_json(report: ProbeReport) -> dict[str, Any]:
    """A report as plain values, without predictions; a figure that is none is null.

    Returns:
        "task", "n", "metric", "kind", "target", "unit"; "results": split -> encoder -> "mean", "std", "folds" of the
        metric, "std_error", "pooled", "title", "dim", "metrics" (all of them), "hyperparameter", "difference" to the
        best baseline with its interval, "errors", "learning_curve"; "settings", "notes" and "seen_by".
    """
    table = report.table
    return {
        "task": table.name,
        "n": len(table),
        "metric": report.metric,
        "kind": table.kind,
        "target": table.target_name,
        "unit": table.unit,
        "results": {
            split: {name: _encoder(result, report.metric) for name, result in found.items()}
            for split, found in report.results.items()
        },
        "settings": report.settings,
        "notes": list(report.notes),
        "seen_by": report.seen_by,
    }


def _encoder(result: EncoderResult, metric: str) -> dict[str, Any]:
    out = {
        **_score(result.scores[metric]),
        "pooled": _number(result.pooled),
        "title": result.title,
        "dim": result.dim,
        "metrics": {name: _score(score) for name, score in result.scores.items()},
        "hyperparameter": list(result.hyperparameter),
        "difference": None,
        "errors": None,
        "learning_curve": [
            {"rows": rows, "mean": _number(mean), "std_error": _number(error)}
            for rows, mean, error in result.learning_curve
        ],
    }
    if (difference := result.difference) is not None:
        out["difference"] = {
            "baseline": difference.baseline,
            "mean": _number(difference.mean),
            "low": _number(difference.low),
            "high": _number(difference.high),
        }
    if (errors := result.errors) is not None:
        out["errors"] = {
            "morans_i": _number(errors.morans_i),
            "p_value": _number(errors.p_value),
            "geo_bias": _number(errors.geo_bias),
            "worst": [
                {"lat": lat, "lon": lon, "rows": rows, "error": _number(error)}
                for lat, lon, rows, error in errors.worst
            ],
        }
    return out


def _score(score: Score) -> dict[str, Any]:
    return {
        "mean": _number(score.mean),
        "std": _number(score.std),
        "folds": [_number(value) for value in score.folds],
        "std_error": _number(score.std_error),
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
