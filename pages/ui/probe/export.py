"""What a visitor of page Probe can export: rows, scores, a report, the map, the fitted probe, lines of Python.

Every file is made when its button is pressed. The buttons are given the state and not the results: Streamlit keeps what
they are given, and labels must be gone when their file is removed.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui.probe.scores import split_title
from pages.ui.probe.state import own_labels
from pages.ui.widgets import downloads
from pages.ui.widgets.popovers import popover
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from pages.ui.probe.state import ProbeState, Shown
    from unigeoclip.atlas import Atlas
    from unigeoclip.atlas.provenance import Provenance

_LINK = "The link in the address bar holds the task, the encoder and the layer of the map."
_NO_LINK = "Links never contain your own labels: export what you want to keep or to share."


def offer(state: ProbeState, atlas: Atlas) -> None:
    """A popover with a button for each format; needs results."""
    with popover("Export", icon=":material/download:", key="take-probe") as is_open:
        if not is_open or state.shown is None:
            return
        report = state.shown.report
        title = report.results[state.split][state.encoder].title
        stem = file_stem(state, atlas)
        st.caption(_NO_LINK if state.is_own else _LINK)
        st.caption(f"Predictions of {title}, {split_title(report, state.split).lower()}:")
        with st.container(horizontal=True):
            downloads.button("CSV", predictions, state, atlas, "csv", file=f"{stem}-predictions.csv")
            downloads.button("GeoJSON", predictions, state, atlas, "geojson", file=f"{stem}-predictions.geojson")
            downloads.button("GeoParquet", predictions, state, atlas, "parquet", file=f"{stem}-predictions.parquet")
        st.caption("The table of scores, and a report with plots that opens offline:")
        with st.container(horizontal=True):
            downloads.button("Scores CSV", scores, state, "csv", file=f"{stem}-scores.csv")
            downloads.button("LaTeX", scores, state, "tex", file=f"{stem}-scores.tex")
            downloads.button("HTML report", html_report, state, atlas, file=f"{stem}-report.html")
        if state.everywhere is None:
            st.caption("For the map of predictions and the fitted probe, choose Predict everywhere first.")
        else:
            st.caption("Predictions everywhere, and the probe that was fitted to all rows:")
            with st.container(horizontal=True):
                downloads.button("GeoTIFF", geotiff, state, file=f"{stem}-map.tif")
                downloads.button("Safetensors", fitted, state, "safetensors", file=f"{stem}-probe.safetensors")
                downloads.button("JSON", fitted, state, "json", file=f"{stem}-probe.json")
        st.caption("The same in Python, and on the command line:")
        st.code(python_lines(state, atlas), language="python")
        st.code(command(state, atlas), language="bash")


def file_stem(state: ProbeState, atlas: Atlas) -> str:
    """Beginning of the names of the files: the atlas and the labels, in characters that every system accepts."""
    labels = own_labels().name.rpartition(".")[0] if state.is_own else state.task
    words = "-".join(re.findall(r"[A-Za-z0-9]+", labels))[:40].lower() or "labels"
    return f"{atlas.name}-{words}"


def predictions(state: ProbeState, atlas: Atlas, form: str) -> bytes:
    """Every row with truth, prediction, residual and fold, by the probe that did not see it."""
    from unigeoclip.export.predictions import predictions_csv, predictions_geojson, predictions_geoparquet

    write = {"csv": predictions_csv, "geojson": predictions_geojson, "parquet": predictions_geoparquet}[form]
    return write(_shown(state).report, state.split, state.encoder, provenance(state, atlas))


def scores(state: ProbeState, form: str) -> bytes:
    """The table of scores as CSV or LaTeX."""
    from unigeoclip.export.probe_tables import scores_csv, scores_latex

    report = _shown(state).report
    return scores_latex(report).encode() if form == "tex" else scores_csv(report)


def html_report(state: ProbeState, atlas: Atlas) -> bytes:
    """A page with scores and plots that opens offline."""
    from unigeoclip.export.probe_report import probe_report

    layer = None if state.everywhere is None else state.everywhere[1].layer
    return probe_report(
        _shown(state).report, split=state.split, encoder=state.encoder, code=python_lines(state, atlas),
        everywhere=layer, provenance=provenance(state, atlas),
    ).encode()  # fmt: skip


def geotiff(state: ProbeState) -> bytes:
    """The map of predictions, as it is shown."""
    if state.everywhere is None:
        raise InputError("The map of predictions is no longer available: choose Predict everywhere again.")
    return state.everywhere[1].layer.geotiff(near_only=state.near_only)


def fitted(state: ProbeState, form: str) -> bytes:
    """The probe that was fitted to all rows, as safetensors or JSON."""
    if state.everywhere is None:
        raise InputError("The fitted probe is no longer available: choose Predict everywhere again.")
    return state.everywhere[1].fitted.to_bytes(f".{form}")


def python_lines(state: ProbeState, atlas: Atlas) -> str:
    """Lines of Python that probe again."""
    from unigeoclip.export.probe_snippets import probe_lines

    request = _shown(state).request
    options: dict[str, Any] = {"splits": request.splits}
    if request.model != "auto":
        options["model"] = request.model
    if request.learning_curve:
        options["learning_curve"] = True
    return probe_lines(_source(state), atlas.name, request.encoders, columns=_columns(state), options=options)


def command(state: ProbeState, atlas: Atlas) -> str:
    """The command that probes again."""
    from unigeoclip.export.probe_snippets import probe_command

    return probe_command(_source(state), atlas.name, _shown(state).request.encoders, columns=_columns(state))


def provenance(state: ProbeState, atlas: Atlas) -> Provenance:
    """Where the files come from: the encoder, the atlas, and the lines that compute them again."""
    from unigeoclip.atlas.provenance import ModelSource, provenance_of

    model = ModelSource(state.encoder, f"probe by {_shown(state).report.settings.get('model', 'ridge')}", "")
    return provenance_of(atlas, [model], command=python_lines(state, atlas))


def _source(state: ProbeState) -> str:
    return own_labels().name if state.is_own else state.task


def _columns(state: ProbeState) -> dict[str, Any] | None:
    """Options of ``read_labels`` for the visitor's file; None for a built-in task."""
    return {name: value for name, value in asdict(own_labels().columns).items() if value} if state.is_own else None


def _shown(state: ProbeState) -> Shown:
    if state.shown is None:
        raise InputError("These results are no longer available: run the probe again.")
    return state.shown
