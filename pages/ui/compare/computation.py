"""The computation behind page Compare: models and job, progress with Stop, what failed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.formatting import literal
from pages.ui.map import component
from pages.ui.services import services
from pages.ui.widgets import progress
from unigeoclip.errors import UniGeoError

if TYPE_CHECKING:
    from pages.ui.compare.model import ColorScheme
    from pages.ui.compare.state import CompareState
    from pages.ui.protocol import Pane
    from pages.ui.services.compare_jobs import Job
    from pages.ui.services.explorers import Opening
    from unigeoclip.atlas import Atlas
    from unigeoclip.compare.regions import Comparison
    from unigeoclip.embedders import Embedder


def embedders(atlas: Atlas) -> tuple[dict[str, Embedder], dict[str, str]]:
    """What can be compared, and why other models cannot; an empty map is shown while the models are being loaded."""
    loading = st.empty()
    if not services().compare.is_loaded(atlas):
        with loading.container():
            pane: Pane = {"id": "loading", "label": "Map", "markers": [], "title": "Loading the models …"}
            key = f"compare-{atlas.name}"
            component.show(atlas, [pane], nonce=0, key=f"{key}-loading", memory=key, on_click=lambda click: None)
        services().compare.embedders(atlas)
        loading.empty()
    return services().compare.embedders(atlas)


def job_of(atlas: Atlas, state: CompareState, own: dict[str, Embedder]) -> Job:
    """The job of the region, which knows the visitor's ``own`` models; if there can be none, of the region before."""
    job = _shared_job(atlas, state)
    job.offer(own)
    return job


def _shared_job(atlas: Atlas, state: CompareState) -> Job:
    """The job of the region; if there can be none, of the region before, and the problem is kept."""
    client = st.context.ip_address or "this machine"
    try:
        job = services().compare.job(atlas, state.bounds, client)
    except UniGeoError as error:  # the view of the maps stays as well
        state.problem, state.bounds = str(error), state.compared
        return services().compare.job(atlas, state.bounds, client)
    state.compared = state.bounds
    return job


def ready_scheme(job: Job, comparison: Comparison, scheme: ColorScheme) -> ColorScheme:
    """The color scheme that can be shown now: components until UMAP or the disagreement is computed."""
    if scheme.kind == "umap":
        waits = not job.has_layouts(comparison)
    else:
        waits = scheme.shows_disagreement and not job.has_disagreement(comparison, scheme.pair)
    return replace(scheme, kind="components", number=0, pair=()) if waits else scheme


def show_progress(job: Job, models: list[str], visitor: str, drawn: int, wanted: ColorScheme) -> None:
    """How much is done, and a way to stop it, or to resume; the page is rerun when there is more to see.

    Args:
        job: What is computed.
        models: Those the page shows.
        visitor: Who waits for it.
        drawn: The version of the job that the page shows.
        wanted: The color scheme that was chosen, which may have to be computed.
    """
    works = [job.work[name] for name in models]

    def report() -> progress.Progress:
        job.see(models, visitor)
        version = "stopped" if any(work.stopped for work in works) else str(job.version(models))
        return progress.Progress(version, *job.progress(models, umap=wanted.kind == "umap", pair=wanted.pair))

    if any(work.is_stopped_for(visitor) for work in works):
        st.caption("Stopped. Unfinished maps are coarse or empty.")
        st.button("Resume", key="resume-comparing", on_click=job.resume, args=(visitor,))
    elif any(work.busy for work in works) or job.version(models) != drawn:
        progress.follow(report, str(drawn), "progress", time_left=True)
        st.button("Stop", key="stop-comparing", on_click=job.stop, args=(visitor,))


def await_words(opening: Opening, scheme: ColorScheme) -> None:
    """Rerun the page when the atlas's explorer is open, if legends can then say in words what they could not yet."""
    if opening.explorer is not None or opening.error is not None or scheme.kind not in ("clusters", "component"):
        return
    waiting = "waiting for words"
    progress.follow(lambda: progress.Progress("open" if opening.wait(0) else waiting), waiting, f"words-{opening.name}")


def show_errors(job: Job, models: list[str]) -> None:
    """What failed with some models, and a way to try them again."""
    failed = [name for name in models if job.work[name].error]
    for name in failed:
        st.error(literal(job.work[name].error), icon=":material/info:")
    if failed:
        st.button("Try again", key="try-comparing-again", on_click=job.try_again, args=(failed,))
