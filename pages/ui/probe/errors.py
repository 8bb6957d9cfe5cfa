"""Where a probe is wrong: whether its errors cluster in space, and the regions with the largest ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.formatting import coordinates, literal, number
from pages.ui.probe.maps import region_bounds

if TYPE_CHECKING:
    from pages.ui.probe.state import ProbeState
    from unigeoclip.evaluation.probing.results import EncoderResult, ErrorPattern
    from unigeoclip.tasks.label_table import LabelTable

SIGNIFICANT = 0.05
WEAK, STRONG = 0.1, 0.3  # of Moran's I
MOST_REGIONS = 5


def show(state: ProbeState, table: LabelTable, result: EncoderResult, digits: int) -> None:
    """Draw the sentence and a button for each of the worst regions."""
    pattern = result.errors
    if pattern is None:
        st.caption("The pattern of the errors was not computed.")
        return
    st.markdown(literal(sentence(pattern)))
    if not pattern.worst:
        return
    unit = "wrong" if table.kind == "classification" else (table.unit or "off on average")
    with st.container(horizontal=True, key="probe-regions"):
        for place, (lat, lon, rows, error) in enumerate(pattern.worst[:MOST_REGIONS]):
            size = f"{100 * error:.0f} %" if table.kind == "classification" else number(error)
            st.button(
                f"{coordinates(lat, lon, digits)}: {size} {literal(unit)}, {rows} rows", key=f"probe-region-{place}",
                help="Show this region on the maps", on_click=_focus, args=(state, lat, lon),
            )  # fmt: skip
        if state.focus is not None:
            st.button("All rows", icon=":material/zoom_out_map:", key="probe-all", on_click=_focus, args=(state,))


def _focus(state: ProbeState, lat: float | None = None, lon: float | None = None) -> None:
    table = state.shown_table
    state.focus = None if lat is None or lon is None or table is None else region_bounds(table, lat, lon)


def sentence(pattern: ErrorPattern) -> str:
    """Whether errors cluster, in plain words, with the figures behind it."""
    figures = f"Moran's I {pattern.morans_i:.2f}, p {_p(pattern.p_value)}".replace("-", "−")
    bias = f"{100 * pattern.geo_bias:.0f} % of the variance of the errors lies between regions."
    if pattern.p_value >= SIGNIFICANT or pattern.morans_i < WEAK:
        return f"The errors do not cluster in space ({figures}): nearby rows are not wrong together. {bias}"
    if pattern.morans_i < STRONG:
        return f"The errors cluster somewhat in space ({figures}): nearby rows tend to be wrong together. {bias}"
    return f"The errors cluster in space ({figures}): some regions are predicted worse than others. {bias}"


def _p(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else "below 0.001"
