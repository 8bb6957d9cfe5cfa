"""The controls of page Modalities: which places, how they are laid out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.formatting import literal, short
from pages.ui.modalities.link import LEAST_COUNT, METHODS, MOST_COUNT, SELECTIONS
from pages.ui.modalities.state import Widgets, widgets
from unigeoclip.evaluation import glossary

if TYPE_CHECKING:
    from pages.ui.modalities.state import ModalitiesState
    from pages.ui.services.modalities import StudyJob

_CENTER_HELP = (
    "Subtract from each modality its mean over all held-out places, which removes the modality gap, so that distances "
    "within and between modalities compare."
)
_CLUSTER_HELP = "k-means of the mean of all modalities, named by the text that distinguishes their places from others"
_SLIDER_PX, _LIST_PX = 170, 300


def places(job: StudyJob, state: ModalitiesState) -> None:
    """How places are chosen, how many, and others of them."""
    view = state.view
    widgets.selection, widgets.cluster, widgets.count = view.selection, view.cluster, view.count
    st.segmented_control("Places", list(SELECTIONS), format_func=SELECTIONS.__getitem__, required=True,
                         help=_held_out(job), key=Widgets.selection.key,
                         on_change=lambda: state.select(selection=widgets.selection))  # fmt: skip
    if view.selection == "cluster":
        st.selectbox("Cluster", range(len(job.cluster_names)), format_func=lambda number: cluster_title(job, number),
                     help=_CLUSTER_HELP, key=Widgets.cluster.key, width=_LIST_PX,
                     on_change=lambda: state.select(cluster=widgets.cluster))  # fmt: skip
    most = min(MOST_COUNT, len(job.clusters))
    if most > LEAST_COUNT:
        widgets.count = min(view.count, most)
        st.slider("Number of places", LEAST_COUNT, most, key=Widgets.count.key, width=_SLIDER_PX,
                  on_change=lambda: state.select(count=widgets.count))  # fmt: skip
    if view.selection != "map" or view.bounds is not None:
        st.button("Resample", icon=":material/refresh:", help="Other places at random", key="draw-again",
                  on_click=state.draw_again)  # fmt: skip


def _held_out(job: StudyJob) -> str:
    """What the places are that can be shown."""
    if job.study is None:
        return ""
    split = job.study.split
    return literal(f"Held-out places of the split “{split}”: {glossary.of_split(job.atlas, split)}.")


def cluster_title(job: StudyJob, number: int) -> str:
    """Number and name of a cluster."""
    name = job.cluster_names[number]
    return f"{number + 1}: {short(name, 46)}" if name else f"Cluster {number + 1}"


def layout(state: ModalitiesState) -> None:
    """How the points are laid out."""
    widgets.method, widgets.centered = state.view.method, state.view.centered
    st.segmented_control("Layout", list(METHODS), format_func=METHODS.__getitem__, required=True,
                         key=Widgets.method.key, on_change=lambda: state.show(method=widgets.method))  # fmt: skip
    st.toggle("Without the gap", help=_CENTER_HELP, key=Widgets.centered.key,
              on_change=lambda: state.show(centered=widgets.centered))  # fmt: skip
