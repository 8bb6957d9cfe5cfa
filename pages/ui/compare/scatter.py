"""The scatter beside compared maps: a model's points in the colors of its map, and the lasso drawn round some."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.ui.compare.panes import columns
from pages.ui.compare.state import Widgets, widgets
from pages.ui.http.urls import urls
from pages.ui.widgets import downloads
from pages.ui.widgets.templating import render

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pages.ui.compare.model import ColorScheme
    from pages.ui.compare.panes import ComparePane
    from pages.ui.services.compare_jobs import Job
    from unigeoclip.atlas import Atlas
    from unigeoclip.compare.regions import Comparison
    from unigeoclip.compare.selection import Said

MOST = 3000  # points that a browser draws and picks from at once
MOST_SENTENCES, MOST_PICTURES = 6, 6
_TOOLS = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["toImage", "zoom2d", "zoomIn2d", "zoomOut2d", "autoScale2d", "select2d"],
}


def show(panes: dict[str, ComparePane]) -> None:
    """Draw the scatter of the model that is chosen above it; the point of the query is marked."""
    from unigeoclip.compare.plotly_scatter import scatter

    name = st.selectbox("Points of", list(panes), key=Widgets.scatter_model.key,
                        format_func=lambda each: panes[each].title)  # fmt: skip
    pane = panes[name]
    umap, region, point = pane.scheme.kind == "umap", pane.region, pane.scheme.point
    own = pane.embedded.region.grid.rows_of(region.grid)
    positions, rgb = pane.comparison.positions(name, umap=umap)[own], pane.colors
    rows = region.sample(MOST)
    cell = None if point is None else region.grid.cell_at(*point)
    shown, marked = (rows, None) if cell is None else ([*rows, cell], len(rows))
    axes = ("UMAP 1", "UMAP 2") if umap else ("component 1", "component 2")
    dark = st.context.theme.type == "dark"
    figure = scatter(positions[shown], rgb[shown], region.grid.cells[shown], axes, marked, dark)
    st.plotly_chart(figure, on_select="rerun", selection_mode=["lasso"], key=_key(name, pane.scheme), config=_TOOLS)
    st.caption("Draw around points to highlight them on every map.")


def selection(panes: dict[str, ComparePane], cells: NDArray[np.bool_] | None) -> None:
    """What is inside the lasso: how much, what is said of its places more than of others, pictures, and files.

    Args:
        panes: Of all models.
        cells: From `selected_cells`.
    """
    if cells is None:
        return
    if not cells.any():
        st.caption("There are no points inside this line.")
        return
    from unigeoclip.compare.selection import cells_csv, cells_geojson, cells_geoparquet

    first = next(iter(panes.values()))
    job, shown = first.job, panes.get(widgets.scatter_model, first)
    st.html(_description(job, cells, shown.title, *_characteristics(shown, cells)))
    table, stem = columns(panes), f"{job.atlas.name}-selection"
    with st.container(horizontal=True, vertical_alignment="center", key="selection-files"):
        downloads.button("CSV", cells_csv, job.region.grid, cells, table, file=f"{stem}.csv")
        downloads.button("GeoJSON", cells_geojson, job.region.grid, cells, table, file=f"{stem}.geojson")
        origin = shown.provenance(list(panes))
        downloads.button(
            "Selection as GeoParquet", cells_geoparquet, job.region.grid, cells, table, origin, file=f"{stem}.parquet"
        )
        st.caption("Every selected cell, with the values that the maps show.")


def _characteristics(pane: ComparePane, chosen: NDArray[np.bool_]) -> tuple[int, list[Said], list[int]]:
    """Places of the selection: how many, what is said of them, rows of typical ones; once for each line drawn."""
    from unigeoclip.compare.selection import typical

    job = pane.job
    told = f"{pane.name} {pane.is_final} {job.region.name} {job.atlas.name}"
    key = hashlib.sha256(np.packbits(chosen).tobytes() + told.encode()).hexdigest()
    cached = st.session_state.get("selection", ("", None))
    if cached[0] != key:
        count, said = job.characteristic(chosen.astype(np.int64), 2, MOST_SENTENCES)[1]
        rows = np.flatnonzero((job.places >= 0) & chosen[job.places])
        cells = pane.embedded.region.grid.rows_of(job.region.grid)[job.places[rows]]
        rows, cells = rows[cells >= 0], cells[cells >= 0]
        some = rows[typical(pane.embedded.scores[cells], MOST_PICTURES)]
        cached = st.session_state["selection"] = key, (count, said, some.tolist())
    result: tuple[int, list[Said], list[int]] = cached[1]
    return result


def _description(job: Job, chosen: NDArray[np.bool_], model: str, count: int, said: list[Said], rows: list[int]) -> str:
    area = job.region.grid.area_km2
    size, share = float(area[chosen].sum()), 100 * float(area[chosen].sum() / area.sum())
    cells, places = (f"{number:,}".replace(",", "\u202f") for number in (int(chosen.sum()), count))
    return render(
        "compare/templates/selection.html",
        cells=cells,
        places=places,
        area=f"{size:.1f}" if size < 10 else f"{size:,.0f}".replace(",", "\u202f"),
        share=f"{share:.0f}",
        said=said,
        pictures=_pictures(job.atlas, rows),
        model=model,
    )


def _pictures(atlas: Atlas, rows: list[int]) -> list[tuple[str, str]]:
    """Addresses of aerial pictures of places, and their names."""
    if "aerial" not in atlas.manifest.modalities:
        return []
    places = atlas.places.iloc[rows]
    return [
        (urls.picture(atlas, "aerial", lat, lon), str(name))
        for name, lat, lon in zip(places["name"], places["lat"], places["lon"], strict=True)
    ]


def selected_cells(comparison: Comparison, scheme: ColorScheme) -> NDArray[np.bool_] | None:
    """The cells of the region inside the lasso that was drawn last, (n,); None without one."""
    from unigeoclip.compare.plotly_scatter import inside_lasso

    name = widgets.scatter_model
    event = st.session_state.get(_key(name, scheme)) if name in comparison.embedded else None
    lasso = event.selection.get("lasso") if event else None
    if not lasso:
        return None
    inside = inside_lasso(comparison.positions(name, umap=scheme.kind == "umap"), lasso[0]["x"], lasso[0]["y"])
    cells = np.zeros(len(comparison.region.grid), bool)
    cells[comparison.region.grid.rows_of(comparison.embedded[name].region.grid)[inside]] = True
    return cells


def _key(name: str, scheme: ColorScheme) -> str:
    return f"scatter-{name}-{'umap' if scheme.kind == 'umap' else 'components'}"
