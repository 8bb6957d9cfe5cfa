"""The figures of growth as a picture: time and memory against the number of places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unigeoclip.extras import needs_extra
from unigeoclip.files.atomic import atomic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from plotly.graph_objects import Figure

__all__ = ["growth_figure", "save_figure"]

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
    "heatmap, all cells": "heatmap",
    "Compare's colors": "colors",
}
# Of each label, in both halves; those of the index are blue.
_COLORS = dict(
    zip(
        _TIMES,
        ("#7f7f7f", "#0072b2", "#a05a2c", "#cc79a7", "#d55e00", "#e69f00", "#009e73", "#2f8fd0", "#56b4e9"),
        strict=True,
    )
)


def growth_figure(report: Mapping[str, Any]) -> Figure:
    """Draw a report of `measure_growth`: seconds on the left, peak memory on the right, all axes logarithmic.

    Args:
        report: The figures.

    Returns:
        A figure without a background of its own. A label in its legend hides its lines in both halves.

    Raises:
        MissingPackageError: plotly is not installed.
    """
    with needs_extra("plot"):
        from plotly.subplots import make_subplots

    titles = ("Seconds", "Peak resident memory of the process, GB")
    figure = make_subplots(cols=2, subplot_titles=titles, horizontal_spacing=0.09)
    for label, (step, key, factor) in _TIMES.items():
        _line(figure, 1, label, report, (step, key, factor), "s")
    for label, step in _MEMORY.items():
        _line(figure, 2, label, report, (step, "peak_mb", 1e-3), "GB")
    shades = {"gridcolor": "rgba(127,127,127,.3)", "linecolor": "rgba(127,127,127,.6)", "zeroline": False}
    figure.update_xaxes(type="log", dtick=1, exponentformat="power", title="places", **shades)
    figure.update_yaxes(type="log", dtick=1, exponentformat="power", **shades)
    figure.update_layout(
        height=440,
        margin={"l": 50, "r": 10, "t": 40, "b": 40},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": "#757c86", "size": 12},
        legend={"orientation": "h", "y": -0.2, "groupclick": "togglegroup"},
    )
    return figure


def save_figure(report: Mapping[str, Any], path: Path) -> None:
    """Write the figure as a page that needs nothing else: the same figures give the same file.

    Args:
        report: The figures.
        path: HTML file, of some 5 MB: it holds plotly.js.

    Raises:
        InputError: It cannot be written.
        MissingPackageError: plotly is not installed.
    """
    figure = growth_figure(report)
    options = {"displaylogo": False, "toImageButtonOptions": {"format": "svg", "filename": "growth"}}
    with atomic(path) as temporary:
        figure.write_html(temporary, config=options, div_id="growth-figure", include_plotlyjs=True)


def _line(
    figure: Figure, half: int, label: str, report: Mapping[str, Any], what: tuple[str, str, float], unit: str
) -> None:
    step, key, factor = what
    points = [(each["places"], each[step][key] * factor) for each in report["sizes"] if step in each]
    if not points:
        return
    places, values = zip(*points, strict=True)
    figure.add_scatter(
        x=places,
        y=values,
        name=label,
        mode="lines+markers",
        line={"color": _COLORS[label], "width": 2},
        marker={"size": 6},
        legendgroup=label,
        showlegend=half == 1,  # every label of the right half is one of the left
        hovertemplate=f"%{{x:,}} places: %{{y:.3~g}} {unit}<extra>{label}</extra>",
        row=1,
        col=half,
    )
