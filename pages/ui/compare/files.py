"""Published embeddings in page Compare: a visitor's own files, and whom to credit for files that are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.compare.state import widgets
from pages.ui.formatting import file_size, literal
from unigeoclip.embedders.base import PartialEmbedder
from unigeoclip.errors import UniGeoError, excerpt
from unigeoclip.geo import overlap

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pages.ui.compare.state import CompareState
    from unigeoclip.atlas import Atlas
    from unigeoclip.embedders import Embedder
    from unigeoclip.embedders.files.upload import UploadedEmbedder

_MOST_MODELS = 4  # on the page
MOST_FILES = 2  # of one visitor, up to 100 MB of the server's memory
_ENDINGS = ["tif", "tiff", "parquet", "geoparquet"]
_SMALL = 0.5  # share of an atlas's height and width below which the maps go to the part that a file covers


def own(atlas: Atlas) -> dict[str, Embedder]:
    """The visitor's own files that overlap an atlas, by name."""
    bounds = atlas.manifest.bounds
    return {each.name: each for each in widgets.files if overlap(each.coverage, bounds) is not None}


def panel(atlas: Atlas, state: CompareState, models: list[str]) -> None:
    """Upload and remove files of embeddings.

    Args:
        atlas: What is compared.
        state: Of the page.
        models: Names of the models that are shown.
    """
    with st.popover("Add embeddings", icon=":material/layers:", help="Compare embeddings of others, from a file"):
        for each in widgets.files:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{literal(each.title)}**, {file_size(each.nbytes)}")
                st.button("Remove", icon=":material/delete:", key=f"remove-{each.name}", on_click=_remove,
                          args=(atlas, state, each))  # fmt: skip
            st.caption(literal(f"{each.provenance.source}. License: {each.provenance.licence}"))
        if len(widgets.files) < MOST_FILES:
            key = f"embeddings-upload-{widgets.files_turn}"
            st.file_uploader("Embeddings of an area, GeoTIFF or Parquet", type=_ENDINGS, key=key, on_change=_take,
                             args=(key, atlas, state, models))  # fmt: skip
            st.caption(
                "AlphaEarth and TESSERA as GeoTIFF; Major TOM, Clay and other tables with a column of vectors and "
                "positions as Parquet; at most 50 MB. Only this session has your file: neither it nor its vectors are "
                "written to disk or into links."
            )


def _take(key: str, atlas: Atlas, state: CompareState, models: list[str]) -> None:
    from unigeoclip.embedders.files.upload import UploadedEmbedder

    file = st.session_state[key]
    if file is None:
        return
    widgets.files_turn += 1  # good or bad, the field is ready for the next
    state.problem = ""
    try:
        embedder = UploadedEmbedder(file.getvalue(), file.name)
    except UniGeoError as error:
        state.problem = f"{excerpt(file.name)} ({file_size(file.size)}): {error}"
        return
    shared = overlap(embedder.coverage, atlas.manifest.bounds)
    if shared is None:
        state.problem = f"{embedder.title} covers no part of {atlas.title}: it lies at {_where(embedder)}."
        return
    widgets.files = (*(each for each in widgets.files if each.name != embedder.name), embedder)
    others = [name for name in models if name != embedder.name]
    _choose(atlas, state, [*others[: _MOST_MODELS - 1], embedder.name])
    south, west, north, east = atlas.manifest.bounds
    small = shared[2] - shared[0] < _SMALL * (north - south) and shared[3] - shared[1] < _SMALL * (east - west)
    if small and state.bounds is None:
        state.choose_region(shared)


def _choose(atlas: Atlas, state: CompareState, names: list[str]) -> None:
    """Show these models; the controls follow."""
    state.models = tuple(names)
    for key in (f"compared-{atlas.name}", f"models-{atlas.name}"):
        st.session_state.pop(key, None)


def _remove(atlas: Atlas, state: CompareState, embedder: UploadedEmbedder) -> None:
    widgets.files = tuple(each for each in widgets.files if each is not embedder)
    _choose(atlas, state, [name for name in state.models if name != embedder.name])
    state.problem = ""


def _where(embedder: UploadedEmbedder) -> str:
    south, west, north, east = embedder.coverage
    return f"{south:.2f} to {north:.2f} latitude, {west:.2f} to {east:.2f} longitude"


def credit(embedders: Mapping[str, Embedder], names: Iterable[str]) -> str:
    """License and credit of the files among the models of these names, for below the maps; empty without any."""
    shown = [embedders[name] for name in names]
    lines = [f"{each.title}: {each.provenance.licence}" for each in shown if isinstance(each, PartialEmbedder)]
    return literal("".join(f" License of {line}" for line in lines))
