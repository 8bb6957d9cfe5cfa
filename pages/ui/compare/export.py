"""What a visitor of page Compare can export: pictures, GIS files, a table, a page of maps, Python code."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.compare.controls import KIND_TITLES
from pages.ui.compare.explanation import explanation
from pages.ui.compare.panes import columns
from pages.ui.widgets import downloads

if TYPE_CHECKING:
    from pages.ui.compare.panes import ComparePane

_MODEL = "take-model"


def offer(panes: dict[str, ComparePane]) -> None:
    """A popover with a button for each format; a file is made when its button is pressed. Needs a pane."""
    from unigeoclip.export.snippets import python_lines

    first = next(iter(panes.values()))
    atlas, scheme, region = first.job.atlas, first.scheme, first.job.region
    stem = f"{atlas.name}-{'similarity' if scheme.shows_similarity else scheme.kind}"
    with st.popover("Export", icon=":material/download:"):
        available = {name: pane for name, pane in panes.items() if not pane.unavailable}
        if not available:
            st.caption("There is no map to export.")
            return
        name = st.selectbox("Map of", list(available), format_func=lambda name: available[name].title, key=_MODEL)
        with st.container(horizontal=True):
            downloads.button("PNG", available[name].png, file=f"{stem}-{name}.png")
            downloads.button("GeoTIFF", available[name].geotiff, file=f"{stem}-{name}.tif")
        st.caption("All of these models, in one file:")
        with st.container(horizontal=True):
            downloads.button("Map page", _page, list(available.values()), file=f"{stem}.html")
            downloads.button("GeoParquet", _table, available, file=f"{stem}.parquet")
        st.caption("The map page works offline. GeoParquet contains every cell with its embeddings.")
        _figure(list(available.values()), stem)
        image = None if scheme.image is None else (scheme.image.name, scheme.image.kind)
        lines = python_lines(
            atlas.name,
            region,
            first.spelled(list(dict.fromkeys([*available, *scheme.pair]))),
            scheme.kind,
            scheme.number,
            scheme.point,
            image,
            first.spelled(scheme.pair),
        )
        st.code(lines, language="python")


def _figure(panes: list[ComparePane], stem: str) -> None:
    """All maps as one figure for a paper, in three formats."""
    from unigeoclip.export.figure import DPI, FORMS

    st.caption("Figure for a paper: all maps with legends, scale and credit.")
    if find_spec("matplotlib") is None:
        st.caption("It needs a package that is not installed: pip install 'unigeoclip[plot]'.")
        return
    with st.container(horizontal=True):
        for form in FORMS:
            name = f"Figure {form.upper()}" if form != "png" else f"Figure PNG, {DPI} dpi"
            downloads.button(name, _drawn_figure, panes, form, file=f"{stem}-figure.{form}")


def _drawn_figure(panes: list[ComparePane], form: str) -> bytes:
    from unigeoclip.export.figure import MapPane, map_figure

    first = panes[0]
    point = first.scheme.point
    marked = () if point is None else (point,)
    maps = [MapPane(pane.title, pane.colors, pane.legend(), marked, pane.region.grid) for pane in panes]
    return map_figure(
        first.job.atlas, first.job.region.grid, maps, form,
        title=f"{first.job.atlas.title}: {_title(first)}", provenance=first.provenance([pane.name for pane in panes]),
        explanation=explanation([pane.title for pane in panes], first.scheme),
    )  # fmt: skip


def _title(pane: ComparePane) -> str:
    return "similarity" if pane.scheme.shows_similarity else KIND_TITLES[pane.scheme.kind].lower()


def _page(panes: list[ComparePane]) -> bytes:
    from unigeoclip.export.page import Pane, map_page

    drawn = []
    for pane in panes:
        made = pane.embedded.embedder.provenance
        note = " · ".join(dict.fromkeys([made.source, made.made_by, made.licence]))
        drawn.append(Pane(pane.title, pane.png(), note, legend=pane.legend(), provenance=pane.provenance()))
    atlas, bounds = panes[0].job.atlas, panes[0].job.region.grid.mercator_bounds
    words = explanation([pane.title for pane in panes], panes[0].scheme)
    return map_page(atlas, bounds, drawn, title=f"{atlas.title} compared", explanation=words).encode()


def _table(panes: dict[str, ComparePane]) -> bytes:
    """Cells, vectors, and what the colors stand for."""
    from unigeoclip.export.gis import geoparquet

    first = next(iter(panes.values()))
    return geoparquet(first.comparison, columns(panes), atlas=first.job.atlas)
