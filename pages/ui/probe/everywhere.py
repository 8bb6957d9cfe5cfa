"""Predict everywhere: a probe of all rows applied to every cell of the atlas, as a layer of the map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.formatting import literal
from pages.ui.http.urls import urls
from pages.ui.probe.colors import COLORMAP, NumberScale, scale_of
from pages.ui.probe.labels import client, follow
from pages.ui.probe.state import EVERYWHERE, POINTS
from pages.ui.services import services
from unigeoclip.errors import UniGeoError

if TYPE_CHECKING:
    from pages.ui.probe.state import ProbeState
    from pages.ui.protocol import Legend, Pane
    from unigeoclip.atlas import Atlas
    from unigeoclip.tasks.label_table import LabelTable


def compute(state: ProbeState, atlas: Atlas) -> None:
    """Begin with the layer of the encoder that is shown, follow it, or take it over; one layer at a time."""
    if state.layer != EVERYWHERE or state.shown is None:
        return
    wanted = (id(state.shown.report), state.encoder)
    if state.everywhere is not None and state.everywhere[0] == wanted:
        return
    if state.mapping is None or state.mapping_of != wanted:
        _begin(state, atlas)
        state.mapping_of = wanted
    job = state.mapping
    if job is None:
        return
    if not job.has_ended and not job.is_stopped:
        follow(job, "probe-everywhere")
        st.button("Cancel", key="probe-cancel-everywhere", on_click=_cancel, args=(state,))
    elif job.result is not None:
        state.everywhere, state.mapping = (wanted, job.result), None
    elif job.error:
        st.error(literal(job.error), icon=":material/info:")


def _begin(state: ProbeState, atlas: Atlas) -> None:
    assert state.shown is not None
    if state.mapping is not None:
        state.mapping.stop()
    probe, shown, encoder = services().probe, state.shown, state.encoder
    public = ("everywhere", shown.task, atlas.name, atlas.data_hash, shown.request, encoder) if shown.task else None
    try:
        state.mapping = probe.compute(
            lambda job: probe.everywhere(shown.report.table, atlas, encoder, shown.request, job), client(),
            public=public,
        )  # fmt: skip
    except UniGeoError as error:
        state.problem, state.layer = str(error), POINTS


def _cancel(state: ProbeState) -> None:
    if state.mapping is not None:
        state.mapping.stop()
    state.layer, state.mapping = POINTS, None


def pane(state: ProbeState, table: LabelTable) -> Pane:
    """The layer as a pane of the map, in the colors of the truth."""
    assert state.everywhere is not None
    (of, found), scale = state.everywhere, scale_of(table)
    layer, key = found.layer, ("everywhere", of, state.near_only)
    if key not in state.pictures:
        limits = (scale.low, scale.high) if isinstance(scale, NumberScale) else None
        picture = layer.png(COLORMAP, near_only=state.near_only, limits=limits)
        state.add_picture(key, services().probe.files.add(picture))
    legend: Legend = {**scale.repeated_legend(f"{table.target_name}, predicted everywhere")}
    legend["words"] = " ".join(part for part in (legend.get("words", ""), layer.extrapolation) if part)
    return {
        "id": "prediction", "title": f"Prediction everywhere: {found.title}", "markers": [],
        "legend": {**legend, "fixed": True},
        "overlay": {"url": urls.private(state.pictures[key].name), "bounds": layer.bounds},
        "label": "Predictions for every cell. Arrow keys move the map, plus and minus zoom.",
    }  # fmt: skip


def only_near(state: ProbeState) -> None:
    """The switch that leaves out cells far from any label."""
    st.session_state["probe-near"] = state.near_only
    st.toggle(
        "Only near labels", key="probe-near", help="Leave out cells that are far from any labeled position",
        on_change=lambda: setattr(state, "near_only", st.session_state["probe-near"]),
    )  # fmt: skip


def value_at(state: ProbeState, lat: float, lon: float) -> float | str | None:
    """The prediction in the cell of a point; None without a layer, and off its cells."""
    if state.layer != EVERYWHERE or state.everywhere is None:
        return None
    return state.everywhere[1].layer.value_at(lat, lon)
