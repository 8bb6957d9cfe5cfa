"""Page Compare: what each model has learned of a region, side by side on maps that move together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui import atlas_scale, atlas_switch
from pages.ui.atlas import baseline_card
from pages.ui.compare import computation, controls, examples, export, figures, files, scatter
from pages.ui.compare.explanation import explanation
from pages.ui.compare.panes import empty_pane, make_panes
from pages.ui.compare.state import state_of
from pages.ui.formatting import literal
from pages.ui.map import component
from pages.ui.services.compare_service import scales_of
from unigeoclip.errors import UniGeoError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from pages.ui.compare.panes import ComparePane
    from pages.ui.compare.state import CompareState
    from pages.ui.protocol import Pane
    from pages.ui.services.compare_jobs import Job
    from unigeoclip.atlas import Atlas
    from unigeoclip.compare.regions import Comparison
    from unigeoclip.geo import Bounds


@st.fragment
def compare() -> None:
    """The page proper, a fragment: what happens here reruns nothing else."""
    head = st.container(horizontal=True, vertical_alignment="bottom", key="compare-head")
    with head:
        name = atlas_switch.chosen_atlas()
    opening = atlas_switch.for_atlas(name)
    if opening.atlas is None:
        return
    atlas, state = opening.atlas, state_of(name)
    shared, missing = computation.embedders(atlas)
    embedders = shared | (own := files.own(atlas))
    scales = scales_of(embedders)
    controls.follow_link(atlas, state, list(embedders))
    atlas_switch.store_note(opening, "a grid of locations, and places of the atlas itself as examples")
    row = st.container(horizontal=True, vertical_alignment="center", key="compare-state")
    # Containers of their own: what comes and goes in one must not shift the other while the page is being drawn.
    side: dict[str, Any] = {"horizontal": True, "width": "content"}
    which = row.container(key="compare-models", vertical_alignment="center", **side)
    query = row.container(key="compare-asked", vertical_alignment="center", horizontal=True, width="stretch")
    with head:
        subject = controls.subject(atlas, state, scales)
    with which:
        models = controls.models(atlas, state, embedders, scales, subject)
        files.panel(atlas, state, models)
        controls.unavailable_models(missing)
    with head.container(key="compare-colour", vertical_alignment="bottom", **side):
        controls.color_scheme(state, models, embedders)
    job = computation.job_of(atlas, state, own)
    job.use_words(opening.explorer)
    drawn = job.version(models)  # what becomes ready from here on is drawn in another run
    wanted = state.scheme(models)
    job.request(models, state.visitor, umap=state.kind == "umap", pair=wanted.pair)
    comparison = job.comparison(models)
    scheme = computation.ready_scheme(job, comparison, wanted)
    panes = make_panes(job, comparison, scheme)
    shown_example = examples.chosen(job, panes, scheme, state.example)
    with query:
        controls.query(state, atlas_scale.of(atlas.manifest).digits)
    with head.container(key="compare-tools", vertical_alignment="bottom", **side):
        controls.image(atlas, state, next(iter(embedders.values())))
        controls.region(state)
        if panes:
            export.offer(panes)
    if state.problem:
        st.error(literal(state.problem), icon=":material/info:")
    state.write_link(name)
    with st.container(key="compare-progress", horizontal=True, vertical_alignment="center"):
        computation.show_progress(job, models, state.visitor, drawn, wanted)
    lasso = scatter.selected_cells(comparison, scheme)
    shown = [panes[name].for_map(lasso) if name in panes else empty_pane(embedders[name]) for name in models]
    focus = examples.mark(shown, job.region, shown_example, scheme) or state.bounds
    awaits_maps = not state.maps_painted and any("overlay" in pane for pane in shown)
    words = explanation([embedders[name].title for name in models], scheme) + files.credit(embedders, models)
    _maps(atlas, state, shown, words, focus, on_painted=state.note_painted if awaits_maps else None)
    if panes and not awaits_maps:
        examples.show(job, panes, scheme, state)
        _scatter_and_numbers(job, comparison, panes, lasso)
        _baselines(atlas)
    computation.show_errors(job, models)
    computation.await_words(opening, scheme)


def _scatter_and_numbers(
    job: Job, comparison: Comparison, panes: dict[str, ComparePane], lasso: NDArray[np.bool_] | None
) -> None:
    left, right = st.columns([1, 1.25], gap="medium")
    with left:
        scatter.show(panes)
        scatter.selection(panes, lasso)
    with right:
        figures.show(job, comparison)


def _maps(
    atlas: Atlas,
    state: CompareState,
    panes: list[Pane],
    words: str,
    focus: Bounds | None,
    on_painted: Callable[[], None] | None,
) -> None:
    """The maps, one for each model, and what their colors mean; ``focus`` is the part that they show when it is new."""
    component.show(
        atlas, panes, nonce=state.revision, key=f"compare-{atlas.name}",
        on_click=lambda click: state.query(point=(round(click["lat"], 5), round(click["lng"], 5))),
        on_region=state.choose_region, focus=focus, find_places=True,
        on_painted=on_painted,
    )  # fmt: skip
    hint = "" if state.shows_similarity else "Click a map to see which places each model finds similar to that point. "
    st.caption(hint + words)


def _baselines(atlas: Atlas) -> None:
    """What retrained baselines find, whichever way it comes out."""
    try:
        section = baseline_card.section(atlas)
    except UniGeoError as error:
        st.error(literal(str(error)), icon=":material/info:")
        return
    if section:
        with st.expander("Baselines retrained on this atlas: results"):
            st.html(section)


compare()
