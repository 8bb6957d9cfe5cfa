"""The figures of growth as a picture: time and memory against the number of places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unigeoclip.extras import needs_extra
from unigeoclip.files.atomic import atomic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["check_plot", "save_figure"]

# Label -> step, key, factor to seconds.
_TIMES = {
    "encode locations": ("encode", "total_s", 1.0),
    "build the index": ("index", "index_s", 1.0),
    "build the pyramid": ("heatmap", "pyramid_s", 1.0),
    "Compare's colors": ("colors", "colors_s", 1.0),
    "heatmap, all cells": ("heatmap", "whole_ms", 1e-3),
    "heatmap, screen": ("heatmap", "screen_ms", 1e-3),
    "query, flat": ("flat", "median_ms", 1e-3),
    "query, index": ("query", "median_ms", 1e-3),
    "query, index, in a box": ("query", "bbox_median_ms", 1e-3),
}
_MEMORY = {
    "build the index": "index",
    "query, index": "query",
    "query, flat": "flat",
    "heatmap": "heatmap",
    "Compare's colors": "colors",
}


def check_plot() -> None:
    """Make sure that the picture can be drawn, before hours of measuring.

    Raises:
        MissingPackageError: matplotlib is not installed.
    """
    with needs_extra("plot"):
        import matplotlib.figure  # noqa: F401


def save_figure(report: Mapping[str, Any], path: Path) -> None:
    """Draw a report of `measure_growth`: seconds on the left, peak memory on the right, both axes logarithmic.

    Args:
        report: The figures.
        path: SVG file.

    Raises:
        InputError: It cannot be written.
        MissingPackageError: matplotlib is not installed.
    """
    check_plot()
    with needs_extra("plot"):
        from matplotlib import rc_context
        from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for label, (step, key, factor) in _TIMES.items():
        _line(left, report, step, key, factor, label)
    for label, step in _MEMORY.items():
        _line(right, report, step, "peak_mb", 1e-3, label)
    for axes, title in ((left, "Seconds"), (right, "Peak resident memory of the process, GB")):
        axes.set(xscale="log", yscale="log", xlabel="places", title=title)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7)
    # Without a date and with fixed ids the same figures are the same file.
    with atomic(path) as temporary, rc_context({"svg.hashsalt": "growth"}):
        figure.savefig(temporary, format="svg", metadata={"Date": None})


def _line(axes: Any, report: Mapping[str, Any], step: str, key: str, factor: float, label: str) -> None:
    points = [(each["places"], each[step][key] * factor) for each in report["sizes"] if step in each]
    if points:
        axes.plot(*zip(*points, strict=True), marker="o", markersize=3, linewidth=1.2, label=label)
