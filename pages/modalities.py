"""Page Modalities: do the modalities of a place agree? A scatter, a place, and what each finds of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.ui import atlas_switch
from pages.ui.formatting import literal
from pages.ui.modalities import agreement, computation, controls, examples, matrix, place, scatter
from pages.ui.modalities import map as places_map
from pages.ui.modalities.items import ItemViews, unique_names
from pages.ui.modalities.selection import selected_items
from pages.ui.modalities.state import Widgets, state_of, widgets
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pages.ui.modalities.state import ModalitiesState
    from pages.ui.services.modalities import StudyJob
    from unigeoclip.atlas import Atlas
    from unigeoclip.evaluation.modalities.study import ModalityStudy


@st.fragment
def modalities() -> None:
    """The page proper, a fragment: what happens here reruns nothing else."""
    head = st.container(horizontal=True, vertical_alignment="bottom", key="modalities-head")
    with head:
        name = atlas_switch.chosen_atlas()
    opening = atlas_switch.for_atlas(name)
    if opening.atlas is None:
        return
    atlas, explorer, state = opening.atlas, opening.explorer, state_of(name)
    atlas_switch.store_note(opening, "held-out places of the atlas itself")
    job = None if explorer is None else computation.study_job(explorer)
    study = None if job is None else job.study
    if explorer is None or job is None or study is None:
        left, right = st.columns([1, 1], gap="medium")
        with right, st.container(key="modalities-map"):
            places_map.show(atlas, state)
        with left:
            if job is not None:
                computation.show_study(job)
            elif opening.error is None:
                atlas_switch.for_explorer(opening, asked=False)
        return
    views = ItemViews(explorer)
    ids = [views.place_id(study.items, number) for number in range(len(study.items))]
    state.read_link(clusters=len(job.cluster_names), places=ids, pairs=list(study.found),
                    figures=list(matrix.figures_of(atlas.manifest)))  # fmt: skip
    with head:
        controls.places(job, state)
        controls.layout(state)
    if state.problem:
        st.error(literal(state.problem), icon=":material/info:")
    state.write_link(name)
    _places(atlas, job, study, state, views, ids)
    _retrieval(atlas, study, state, views)


def _places(
    atlas: Atlas, job: StudyJob, study: ModalityStudy, state: ModalitiesState, views: ItemViews, ids: list[str]
) -> None:
    """Scatter and map of the places that are chosen, and the one that is open."""
    chosen = _chosen(study, job, state)
    opened = _opened(chosen, ids, state)
    left, right = st.columns([1.25, 1], gap="medium")
    with right, st.container(key="modalities-map"):
        places_map.show(atlas, state, study.items, chosen, views, opened)
    with left:
        task = computation.layout_of(job, chosen, state) if len(chosen) else None
        if task is not None and task.positions is not None:
            scatter.chart(task.positions)
            scatter.points(study, chosen, views, opened, lambda place_id: state.show(place=place_id))
        elif task is not None:
            computation.show_layout(task)
    if not len(chosen):
        return
    st.caption(scatter.explanation(study, centered=state.view.centered))
    _choose_place(study, chosen, views, opened, state)
    place.show(atlas.name, study, opened, views)


def _chosen(study: ModalityStudy, job: StudyJob, state: ModalitiesState) -> NDArray[np.int64]:
    """Numbers of the items that are shown; none where there are too few, which the page then says."""
    try:
        return selected_items(state.view, study.items.latlon, job.clusters)
    except InputError as error:
        st.warning(literal(str(error)), icon=":material/info:")
        return np.zeros(0, np.int64)


def _opened(chosen: NDArray[np.int64], ids: list[str], state: ModalitiesState) -> int:
    """The item that is open: that of the address, or the first that is shown."""
    if state.view.place in ids:
        return ids.index(state.view.place)
    return int(chosen[0]) if len(chosen) else -1


def _choose_place(
    study: ModalityStudy, chosen: NDArray[np.int64], views: ItemViews, opened: int, state: ModalitiesState
) -> None:
    """The places by name, for keyboard users."""
    options = chosen.tolist() if opened in chosen else [opened, *chosen.tolist()]
    names = unique_names({views.place_id(study.items, each): views.name(study.items, each) for each in options})
    widgets.place = views.place_id(study.items, opened)
    st.selectbox("Place", list(names), format_func=names.__getitem__, key=Widgets.place.key, width=420,
                 on_change=lambda: state.show(place=widgets.place))  # fmt: skip


def _retrieval(atlas: Atlas, study: ModalityStudy, state: ModalitiesState, views: ItemViews) -> None:
    """The matrix of all pairs, how far the modalities lie apart, and examples of a pair."""
    st.subheader("Cross-modal retrieval", anchor=False)
    figure = matrix.choice(atlas.manifest, state)
    pair = state.view.pair or ("street->aerial" if "street->aerial" in study.found else next(iter(study.found)))
    left, right = st.columns([1.1, 1], gap="medium")
    with left:
        matrix.show(study, figure, pair, state.open_pair)
        st.caption(literal(matrix.explanation(atlas, study, figure)))
        agreement.show(study)
    with right:
        examples.show(study.found[pair], views, state)


modalities()
