"""The plots below the maps of page Probe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from pages.ui.probe import errors, plots
from pages.ui.probe.scores import METRICS, split_title

if TYPE_CHECKING:
    from pages.ui.probe.state import ProbeState
    from unigeoclip.evaluation.probing.results import EncoderResult, ProbeReport

_TOOLS: dict[str, Any] = {"displaylogo": False, "displayModeBar": False}


def show(state: ProbeState, result: EncoderResult, digits: int) -> None:
    """Draw what the predictions of one encoder look like, and how they depend on the number of labels."""
    assert state.shown is not None
    report = state.shown.report
    dark = st.context.theme.type == "dark"
    left, right = st.columns(2, gap="medium")
    with left:
        _predictions(report, state.split, result, dark=dark)
    with right:
        st.markdown("**Where the errors are largest**")
        errors.show(state, report.table, result, digits)
        _curve(report, state.split, dark=dark)


def _predictions(report: ProbeReport, split: str, result: EncoderResult, *, dark: bool) -> None:
    table, key = report.table, f"{split}-{result.name}"
    if table.kind == "regression":
        truth, predicted = np.asarray(table.target, np.float64), np.asarray(result.predictions, np.float64)
        figure = plots.predicted_against_true(truth, predicted, result.title, table.unit, dark=dark)
        title, rows = "Predicted against true", min(len(table), plots.MOST_POINTS)
        note = f"{result.title}, {split_title(report, split).lower()}, "
        note += f"a random {rows:,} of {len(table):,} rows" if rows < len(table) else f"{rows:,} rows"
    else:
        figure = plots.confusion(np.asarray(table.target, np.str_), np.asarray(result.predictions, np.str_), dark=dark)
        title = "Confusion matrix"
        note = f"{result.title}, {split_title(report, split).lower()}: share of each true class by predicted class"
    st.markdown(f"**{title}**")
    st.plotly_chart(figure, key=f"probe-plot-{key}", config=_TOOLS)
    st.caption(f"{note}. Every prediction is by a probe that did not see the row.")


def _curve(report: ProbeReport, split: str, *, dark: bool) -> None:
    results = report.results[split]
    if not any(result.learning_curve for result in results.values()):
        st.caption("For a learning curve, turn it on under Options and run the probe again.")
        return
    st.markdown("**Learning curve**")
    figure = plots.learning_curve(report, results, METRICS[report.metric], dark=dark)
    st.plotly_chart(figure, key=f"probe-curve-{split}", config=_TOOLS)
