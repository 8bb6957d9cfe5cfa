"""The scatter beside compared maps: a model's points in the colours of its map, and the lasso drawn round some."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import coloured

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pages.ui.coloured import Colouring
    from pages.ui.comparing import Job
    from unigeoclip.compare import Comparison

MOST = 3000  # points that a browser draws and picks from at once
_MODEL = "scatter-of"
_TOOLS = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["toImage", "zoom2d", "zoomIn2d", "zoomOut2d", "autoScale2d", "select2d"],
}


def show(job: Job, comparison: Comparison, how: Colouring) -> None:
    """Draw the scatter of the model that is chosen above it; the point that was asked about is marked."""
    from unigeoclip.figures import scatter

    name = st.selectbox("Points of", list(comparison.embedded), key=_MODEL,
                        format_func=lambda each: comparison.embedded[each].embedder.title)  # fmt: skip
    umap, grid = how.kind == "umap", job.region.grid
    positions, rgb = comparison.positions(name, umap=umap), coloured.colours(job, comparison, name, how)
    rows = job.region.sample(MOST)
    cell = None if how.point is None else grid.cell_at(*how.point)
    shown, seen = (rows, None) if cell is None else ([*rows, cell], len(rows))
    axes = ("UMAP 1", "UMAP 2") if umap else ("component 1", "component 2")
    dark = st.context.theme.type == "dark"
    figure = scatter(positions[shown], rgb[shown], grid.cells[shown], axes, seen, dark)
    st.plotly_chart(figure, on_select="rerun", selection_mode=["lasso"], key=_key(name, how), config=_TOOLS)
    st.caption("Draw round points to see on every map where they are.")


def picked(comparison: Comparison, how: Colouring) -> NDArray[np.bool_] | None:
    """The cells inside the lasso that was drawn last, (n,); None without one."""
    from unigeoclip.figures import inside_lasso

    name = st.session_state.get(_MODEL)
    event = st.session_state.get(_key(name, how)) if name in comparison.embedded else None
    lasso = event.selection.get("lasso") if event else None
    if not lasso:
        return None
    return inside_lasso(comparison.positions(name, umap=how.kind == "umap"), lasso[0]["x"], lasso[0]["y"])


def _key(name: str, how: Colouring) -> str:
    return f"scatter-{name}-{'umap' if how.kind == 'umap' else 'components'}"
