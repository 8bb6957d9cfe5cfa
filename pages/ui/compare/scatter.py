"""The scatter beside compared maps: a model's points in the colours of its map, and the lasso drawn round some."""

from __future__ import annotations

import hashlib
import html
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.ui import downloads
from pages.ui.compare import panes
from pages.ui.http.urls import urls

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pages.ui.compare.panes import ColorScheme
    from pages.ui.services.compare_jobs import Job
    from unigeoclip.atlas import Atlas
    from unigeoclip.compare.regions import Comparison
    from unigeoclip.compare.selection import Said

MOST = 3000  # points that a browser draws and picks from at once
MOST_SENTENCES, MOST_PICTURES = 6, 6
_MODEL = "scatter-of"
_TOOLS = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["toImage", "zoom2d", "zoomIn2d", "zoomOut2d", "autoScale2d", "select2d"],
}


def show(job: Job, comparison: Comparison, how: ColorScheme) -> None:
    """Draw the scatter of the model that is chosen above it; the point that was asked about is marked."""
    from unigeoclip.compare.plotly_scatter import scatter

    name = st.selectbox("Points of", list(comparison.embedded), key=_MODEL,
                        format_func=lambda each: comparison.embedded[each].embedder.title)  # fmt: skip
    umap, grid = how.kind == "umap", job.region.grid
    positions, rgb = comparison.positions(name, umap=umap), panes.colors(job, comparison, name, how)
    rows = job.region.sample(MOST)
    cell = None if how.point is None else grid.cell_at(*how.point)
    shown, seen = (rows, None) if cell is None else ([*rows, cell], len(rows))
    axes = ("UMAP 1", "UMAP 2") if umap else ("component 1", "component 2")
    dark = st.context.theme.type == "dark"
    figure = scatter(positions[shown], rgb[shown], grid.cells[shown], axes, seen, dark)
    st.plotly_chart(figure, on_select="rerun", selection_mode=["lasso"], key=_key(name, how), config=_TOOLS)
    st.caption("Draw round points to see on every map where they are.")


def selection(job: Job, comparison: Comparison, how: ColorScheme) -> None:
    """What is inside the lasso: how much, what is said of its places more than of others, pictures, and files."""
    chosen = picked(comparison, how)
    if chosen is None:
        return
    if not chosen.any():
        st.caption("There is no point inside this line.")
        return
    found = _found(job, chosen)
    st.html(_described(job, chosen, *found))
    from unigeoclip.compare.selection import cells_csv, cells_geojson

    columns, stem = panes.columns(comparison, how), f"{job.atlas.name}-selection"
    with st.container(horizontal=True, vertical_alignment="center", key="selection-files"):
        downloads.button("CSV", cells_csv, job.region.grid, chosen, columns, file=f"{stem}.csv")
        downloads.button("GeoJSON", cells_geojson, job.region.grid, chosen, columns, file=f"{stem}.geojson")
        st.caption("Every selected cell, with what the maps show of it.")


def _found(job: Job, chosen: NDArray[np.bool_]) -> tuple[int, list[Said], list[int]]:
    """Places of the selection: how many, what is said of them, rows of a few; computed once for each line drawn."""
    key = hashlib.sha256(np.packbits(chosen).tobytes() + job.region.name.encode() + job.atlas.name.encode()).hexdigest()
    kept = st.session_state.get("selection", ("", None))
    if kept[0] != key:
        count, said = job.characteristic(chosen.astype(np.int64), 2, MOST_SENTENCES)[1]
        rows = np.flatnonzero((job.places >= 0) & chosen[job.places])
        some = np.random.default_rng(0).permutation(rows)[:MOST_PICTURES]
        kept = st.session_state["selection"] = key, (count, said, some.tolist())
    found: tuple[int, list[Said], list[int]] = kept[1]
    return found


def _described(job: Job, chosen: NDArray[np.bool_], count: int, said: list[Said], rows: list[int]) -> str:
    area = job.region.grid.area_km2
    size, share = float(area[chosen].sum()), 100 * float(area[chosen].sum() / area.sum())
    cells, places = (f"{number:,}".replace(",", "\u202f") for number in (int(chosen.sum()), count))
    km2 = f"{size:.1f}" if size < 10 else f"{size:,.0f}".replace(",", "\u202f")
    what = "".join(
        f"<li>{html.escape(each.text)} <small>{100 * each.inside:.0f} % of its places, {100 * each.outside:.0f} % "
        "of the others</small></li>"
        for each in said
    )
    texts = f"<ul>{what}</ul>" if what else "<p>Nothing is said of its places more than of the others.</p>"
    return (
        f"<div class='ugc-selection'><p><b>{cells} cells selected</b>, {km2} km², {share:.0f} % of the region; "
        f"{places} places</p>{texts}{_pictures(job.atlas, rows)}</div>"
    )


def _pictures(atlas: Atlas, rows: list[int]) -> str:
    """Aerial pictures of places, with their names."""
    if "aerial" not in atlas.manifest.modalities or not rows:
        return ""
    places = atlas.places.iloc[rows]
    figures = "".join(
        f"<img src='{html.escape(urls.picture(atlas, 'aerial', lat, lon), quote=True)}' loading='lazy' "
        f"alt='{html.escape(str(name), quote=True)}' title='{html.escape(str(name), quote=True)}'>"
        for name, lat, lon in zip(places["name"], places["lat"], places["lon"], strict=True)
    )
    return f"<div class='ugc-selection-pictures'>{figures}</div><small>Some of its places, drawn at random.</small>"


def picked(comparison: Comparison, how: ColorScheme) -> NDArray[np.bool_] | None:
    """The cells inside the lasso that was drawn last, (n,); None without one."""
    from unigeoclip.compare.plotly_scatter import inside_lasso

    name: str = st.session_state.get(_MODEL, "")
    event = st.session_state.get(_key(name, how)) if name in comparison.embedded else None
    lasso = event.selection.get("lasso") if event else None
    if not lasso:
        return None
    return inside_lasso(comparison.positions(name, umap=how.kind == "umap"), lasso[0]["x"], lasso[0]["y"])


def _key(name: str, how: ColorScheme) -> str:
    return f"scatter-{name}-{'umap' if how.kind == 'umap' else 'components'}"
