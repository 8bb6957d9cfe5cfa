"""What page Modalities waits for: the study of an atlas, and the layout of some places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.formatting import literal
from pages.ui.services import services
from pages.ui.widgets import progress
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pages.ui.modalities.state import ModalitiesState
    from pages.ui.services.modalities import LayoutTask, StudyJob
    from unigeoclip.search.explorer import Explorer

WAIT_S = 0.25  # what is as quick as this needs no progress


def study_job(explorer: Explorer) -> StudyJob:
    """The study of an atlas, started by the first caller; one that is in the cache folder is waited for."""
    job = services().modalities.job(explorer)
    job.wait(WAIT_S)
    return job


def show_study(job: StudyJob) -> None:
    """Progress of a study that is not there yet, or why there is none; the page is rerun when it is done."""
    if job.study is not None:  # it came just now
        st.rerun()
    if job.is_done:
        st.error(literal(job.error), icon=":material/info:")
        st.button("Try again", key="retry-study", on_click=services().modalities.forget, args=(job,))
        return

    def report() -> progress.Progress:
        return progress.Progress("done" if job.is_done else "measuring", job.words, job.share)

    progress.follow(report, "measuring", f"study-{job.key}", time_left=True)
    st.caption("This happens only the first time; the embeddings are cached.")


def layout_of(job: StudyJob, places: NDArray[np.int64], state: ModalitiesState) -> LayoutTask | None:
    """The layout of the places that are shown, which may still be computed; None if it was refused."""
    view = state.view
    try:
        task = services().modalities.layout(
            job, places.tolist(), view.method, centered=view.centered, visitor=state.visitor,
            client=st.context.ip_address or "this machine",
        )  # fmt: skip
    except InputError as error:
        st.warning(literal(str(error)), icon=":material/info:")
        st.button("Try again", key="retry-layout")
        return None
    task.wait(WAIT_S)
    return task


def show_layout(task: LayoutTask) -> None:
    """Progress of a layout, or why there is none; the page is rerun when it is done."""
    if task.positions is not None:  # it came just now
        st.rerun()
    if task.is_done:
        st.error(literal(task.error), icon=":material/info:")
        return

    def report() -> progress.Progress:
        return progress.Progress("done" if task.is_done else "waiting", task.words, task.share)

    progress.follow(report, "waiting", "layout-progress")
