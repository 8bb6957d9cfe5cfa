"""Plots of page Probe as Plotly specifications: plain data, drawn in the browser without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.similarity.class_colors import class_colors
from unigeoclip.similarity.colormaps import hex_color

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from unigeoclip.evaluation.probing.results import EncoderResult, ProbeReport

MOST_POINTS = 3000  # that a browser draws at once
MOST_CLASSES = 20  # of a confusion matrix; the others are one row and one column
OTHER = "other classes"
Figure = dict[str, Any]


def predicted_against_true(
    truth: NDArray[np.float64], predicted: NDArray[np.float64], title: str, unit: str, *, dark: bool
) -> Figure:
    """Predictions against the truth, a sample of the rows, with the line on which they would be right."""
    rows = np.random.default_rng(0).permutation(len(truth))[:MOST_POINTS]
    low, high = float(min(truth.min(), predicted.min())), float(max(truth.max(), predicted.max()))
    of = f" ({unit})" if unit else ""
    colors = _ink(dark)
    # Not "scattergl": Plotly compiles code for it in the browser, which the content security policy of the app forbids.
    points = {
        "type": "scatter", "mode": "markers", "name": title, "x": truth[rows].tolist(), "y": predicted[rows].tolist(),
        "marker": {"size": 5, "opacity": 0.5, "color": colors["point"]},
        "hovertemplate": "true %{x:.4g}<br>predicted %{y:.4g}<extra></extra>",
    }  # fmt: skip
    line = {"type": "scatter", "mode": "lines", "x": [low, high], "y": [low, high], "hoverinfo": "skip",
            "line": {"color": colors["ink"], "width": 1, "dash": "dot"}}  # fmt: skip
    layout = _layout(dark, f"true{of}", f"predicted{of}")
    return {"data": [points, line], "layout": layout | {"showlegend": False}}


def confusion_counts(
    truth: NDArray[np.str_], predicted: NDArray[np.str_]
) -> tuple[list[str], NDArray[np.int64], NDArray[np.float64]]:
    """The confusion matrix of the most frequent classes.

    Returns:
        Names of the classes, frequent ones first; counts (classes, classes), rows the truth; shares of each row.
    """
    names, counts = np.unique(truth, return_counts=True)
    kept = names[np.argsort(-counts, kind="stable")][:MOST_CLASSES].tolist()
    number = {name: place for place, name in enumerate(kept)}
    labels = kept if len(kept) == len(names) else [*kept, OTHER]
    rest = len(kept)
    rows, columns = ([number.get(name, rest) for name in each.tolist()] for each in (truth, predicted))
    size = max([len(labels), *(place + 1 for place in columns)])
    labels = labels if size == len(labels) else [*labels, OTHER]
    matrix = np.zeros((size, size), np.int64)
    np.add.at(matrix, (rows, columns), 1)
    return labels, matrix, matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)


def confusion(truth: NDArray[np.str_], predicted: NDArray[np.str_], *, dark: bool) -> Figure:
    """The confusion matrix: share of each true class by predicted class."""
    labels, counts, shares = confusion_counts(truth, predicted)
    low, high = ("#17232b", "#7fd3d2") if dark else ("#fbfaf7", "#0b6b70")
    trace = {
        "type": "heatmap", "z": (100 * shares).round(1).tolist(), "x": labels, "y": labels,
        "customdata": counts.tolist(), "colorscale": [[0, low], [1, high]], "zmin": 0, "zmax": 100, "xgap": 1,
        "ygap": 1, "colorbar": {"title": {"text": "% of the row"}, "thickness": 12, "outlinewidth": 0},
        "hovertemplate": "true %{y}<br>predicted %{x}<br>%{z} % (%{customdata} rows)<extra></extra>",
    }  # fmt: skip
    if len(labels) <= 10:  # figures in the cells as long as there is room
        trace |= {"texttemplate": "%{z:.0f}"}
    layout = _layout(dark, "predicted", "true")
    layout["xaxis"] |= {"showgrid": False, "type": "category", "automargin": True}
    layout["yaxis"] |= {"showgrid": False, "type": "category", "automargin": True, "autorange": "reversed"}
    return {"data": [trace], "layout": layout}


def learning_curve(report: ProbeReport, results: Mapping[str, EncoderResult], metric: str, *, dark: bool) -> Figure:
    """Score by the number of training rows, a line with standard errors for each encoder."""
    traces = []
    drawn = [result for result in results.values() if result.learning_curve]
    colors = [hex_color(color) for color in class_colors(max(len(drawn), 1))]
    for place, result in enumerate(drawn):
        rows, means, errors = zip(*result.learning_curve, strict=True)
        traces.append({
            "type": "scatter", "mode": "lines+markers", "name": result.title, "x": list(rows), "y": list(means),
            "error_y": {"type": "data", "array": [0 if np.isnan(each) else each for each in errors], "thickness": 1},
            "line": {"color": colors[place], "width": 2},
            "hovertemplate": "%{x} rows: %{y:.3f}",
        })  # fmt: skip
    layout = _layout(dark, "training rows", metric)
    layout["xaxis"]["type"] = "log"
    layout["legend"] = {"orientation": "h", "y": -0.25, "font": {"size": 11}}
    # A floor far below zero would press all the others together.
    shown = [value for trace in traces for value in trace["y"]]
    if shown and min(shown) < -0.5:
        layout["yaxis"]["range"] = [-0.5, max(max(shown), 0) + 0.05]
    return {"data": traces, "layout": layout}


def _ink(dark: bool) -> dict[str, str]:
    if dark:
        return {"ink": "#e6eaed", "rule": "rgba(255,255,255,0.14)", "point": "#5cc4c4"}
    return {"ink": "#16232b", "rule": "rgba(0,0,0,0.10)", "point": "#0b6b70"}


def _layout(dark: bool, x: str, y: str) -> dict[str, Any]:
    colors = _ink(dark)
    axis = {"gridcolor": colors["rule"], "zerolinecolor": colors["rule"]}
    return {
        "xaxis": axis | {"title": {"text": x}},
        "yaxis": axis | {"title": {"text": y}},
        "height": 380,
        "margin": {"l": 56, "r": 8, "t": 8, "b": 44},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": colors["ink"], "size": 12},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": colors["rule"], "activecolor": colors["ink"]},
    }
