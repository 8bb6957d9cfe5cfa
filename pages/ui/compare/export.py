"""What a visitor of page Compare can take away: pictures, GIS files, a table, a page of maps, Python lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import downloads
from pages.ui.compare import panes

if TYPE_CHECKING:
    from pages.ui.compare.panes import ColorScheme
    from pages.ui.services.compare_jobs import Job
    from unigeoclip.atlas import Atlas
    from unigeoclip.compare.regions import Comparison

_MODEL = "take-model"


def offer(atlas: Atlas, job: Job, comparison: Comparison, how: ColorScheme) -> None:
    """A popover with a button a form; a file is made when its button is pressed."""
    from unigeoclip.export.snippets import python_lines

    stem = f"{atlas.name}-{'similarity' if how.asks else how.kind}"
    with st.popover("Take away", icon=":material/download:"):
        names = panes.answering(comparison, how)
        titles = {name: comparison.embedded[name].embedder.title for name in names}
        name = st.selectbox("Map of", names, format_func=titles.__getitem__, key=_MODEL)
        with st.container(horizontal=True):
            downloads.button("PNG", panes.png, job, comparison, name, how, file=f"{stem}-{name}.png")
            downloads.button("GeoTIFF", panes.geotiff, job, comparison, name, how, file=f"{stem}-{name}.tif")
        st.caption("All of these models, in one file:")
        with st.container(horizontal=True):
            downloads.button("Map page", _page, atlas, job, comparison, how, file=f"{stem}.html")
            downloads.button("GeoParquet", _table, comparison, how, file=f"{stem}.parquet")
        st.caption("The map page opens anywhere, without a network. GeoParquet holds every cell with its vectors.")
        picture = None if how.picture is None else (how.picture.name, how.picture.kind)
        st.code(
            python_lines(atlas.name, job.region, names, how.kind, how.number, how.point, picture), language="python"
        )


def _page(atlas: Atlas, job: Job, comparison: Comparison, how: ColorScheme) -> bytes:
    from unigeoclip.export.page import Pane, map_page

    drawn = []
    for name in panes.answering(comparison, how):
        embedded = comparison.embedded[name]
        made = embedded.embedder.provenance
        note = " · ".join(dict.fromkeys([made.source, made.made_by, made.licence]))
        legend = panes.legend(job, comparison, name, how)
        drawn.append(Pane(embedded.embedder.title, panes.png(job, comparison, name, how), note, legend=legend))
    title = f"{atlas.title} compared"
    explanation = panes.explanation([pane.title for pane in drawn], how)
    bounds = job.region.grid.mercator_bounds
    return map_page(atlas, bounds, drawn, title=title, explanation=explanation).encode()


def _table(comparison: Comparison, how: ColorScheme) -> bytes:
    """Cells, vectors, and what the colours stand for."""
    from unigeoclip.export.gis import geoparquet

    return geoparquet(comparison, panes.columns(comparison, how))
