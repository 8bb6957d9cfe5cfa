"""Page Compare: what each model has learned of a place, side by side on maps that move together."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui import coloured, comparing, mapview, scale, scatter, waiting
from pages.ui.coloured import Colouring
from pages.ui.words import coordinates, literal
from unigeoclip.errors import UniGeoError

if TYPE_CHECKING:
    from pages.ui.comparing import Job
    from unigeoclip.atlas import Atlas
    from unigeoclip.compare import Comparison
    from unigeoclip.geo import Bounds

POLL_S = 0.2
MOST = 4
FIRST = 3  # models are shown until others are chosen: ours, and the published ones as far as they are here
WAYS = {"components": "Components", "component": "One component", "clusters": "Clusters", "umap": "UMAP"}


@dataclass
class Looking:
    """What a visitor looks at in one atlas.

    Attributes:
        bounds: South, west, north, east of the part that is compared; None for all of it.
        point: Latitude and longitude that every model is asked about.
        revision: Counts clicks; the map uses it to know that one is answered.
    """

    bounds: Bounds | None = None
    point: tuple[float, float] | None = None
    revision: int = 0


def _looking(atlas: str) -> Looking:
    visits: dict[str, Looking] = st.session_state.setdefault("compare", {})
    return visits.setdefault(atlas, Looking())


def _job(atlas: Atlas, looking: Looking) -> Job:
    try:
        return comparing.job(atlas, looking.bounds)
    except UniGeoError as error:
        st.error(literal(str(error)), icon=":material/info:")
        looking.bounds = None
        return comparing.job(atlas)


def _models(atlas: Atlas) -> list[str]:
    """Names of the models to show, two to four."""
    found, missing = comparing.embedders(atlas)
    labels = {name: embedder.title for name, embedder in found.items()}
    default = list(found)[:FIRST]
    chosen = st.pills("Models", list(found), selection_mode="multi", default=default, format_func=labels.get,
                      key=f"models-{atlas.name}")  # fmt: skip
    if missing:
        with st.popover("Others", help="Models that are not on this machine"):
            for name, why in missing.items():
                st.markdown(f"**{name}** {literal(why)}")
    if not 2 <= len(chosen) <= MOST:
        st.caption(f"Choose two to {MOST} models; showing {', '.join(labels[name] for name in default)}.")
        return default
    return [name for name in found if name in chosen]


def _colouring(point: tuple[float, float] | None) -> Colouring:
    kind = st.segmented_control("Colour by", list(WAYS), format_func=WAYS.get, default="components", required=True,
                                key="colour-by")  # fmt: skip
    number = 0
    if kind == "component":
        number = st.number_input("Component", 1, 6, 1, key="component") - 1
    elif kind == "clusters":
        number = st.slider("Clusters", 2, 16, 8, key="clusters")
    return Colouring(kind, number, point)


@st.fragment
def compare() -> None:
    """The page proper, a fragment: what happens here reruns nothing else."""
    head = st.container(horizontal=True, vertical_alignment="bottom", key="compare-head")
    with head:
        name = waiting.chosen_atlas()
    opening = waiting.for_atlas(name)
    if opening.atlas is None:
        return
    atlas, looking = opening.atlas, _looking(name)
    with head:
        models = _models(atlas)
        how = _colouring(looking.point)
    job = _job(atlas, looking)
    drawn = job.version(models)  # what becomes ready from here on is drawn in another run
    job.want(models, umap=how.kind == "umap")
    _point(looking, atlas)
    progress = st.empty()
    comparison = job.comparison(models)
    if comparison is not None:
        how = _ready(job, comparison, how)
        _maps(atlas, job, comparison, how, looking)
        _below(job, comparison, how)
    _wait(job, models, drawn, progress)


def _point(looking: Looking, atlas: Atlas) -> None:
    """What a click asked, and the way back to colours."""
    if looking.point is None:
        st.caption("Click a map: every model then shows what it finds like that point.")
        return
    where = coordinates(*looking.point, scale.of(atlas.manifest).digits)
    if st.button(f"Similarity to {where}", icon=":material/close:", help="Back to colours", key="forget-point"):
        looking.point = None
        st.rerun()


def _ready(job: Job, comparison: Comparison, how: Colouring) -> Colouring:
    """The colouring that can be shown now: components until UMAP is computed."""
    waits = how.kind == "umap" and not all(job.work[name].laid_out for name in comparison.embedded)
    return Colouring("components", 0, how.point) if waits else how


def _maps(atlas: Atlas, job: Job, comparison: Comparison, how: Colouring, looking: Looking) -> None:
    key = f"compare-{atlas.name}"
    lasso = scatter.picked(comparison, how)
    st.caption(coloured.explanation(comparison, how))
    mapview.show(
        atlas, [coloured.pane(job, comparison, name, how, lasso) for name in comparison.embedded],
        nonce=looking.revision, key=key,
        on_click=lambda: _clicked(looking, key), on_region=lambda: _chosen(looking, key),
    )  # fmt: skip


def _clicked(looking: Looking, key: str) -> None:
    click = mapview.clicked(key)
    if click is not None:
        looking.point = (round(click["lat"], 5), round(click["lng"], 5))
        looking.revision += 1


def _chosen(looking: Looking, key: str) -> None:
    looking.bounds = mapview.region(key)


def _below(job: Job, comparison: Comparison, how: Colouring) -> None:
    left, right = st.columns([1, 1.25], gap="medium")
    with left:
        scatter.show(job, comparison, how)
    with right:
        works, first = [job.work[name] for name in comparison.embedded], comparison.reference.embedder.name
        if any(work.figures is None or first not in work.agreement for work in works):
            st.caption("The figures follow when all cells are embedded.")
            return
        figures = {work.name: work.figures for work in works}
        agreement = {work.name: work.agreement[first] for work in works}
        st.html(coloured.figures_table(comparison, figures, agreement))


def _wait(job: Job, models: list[str], drawn: int, progress: Any) -> None:
    """Draw the page anew when there is more to see; until then show how far it is, and let it be stopped."""
    works = [job.work[name] for name in models]
    for work in works:
        if work.error:
            st.error(literal(work.error), icon=":material/info:")
    if any(work.stopped for work in works):
        with progress.container(horizontal=True, vertical_alignment="center"):
            st.caption("Stopped: what is not there yet is missing below.")
            st.button("Go on", key="go-on-comparing", on_click=job.go_on)
        return
    if busy := [work for work in works if work.busy]:
        with progress.container(horizontal=True, vertical_alignment="center"):
            bar = st.progress(0.0)
            st.button("Stop", key="stop-comparing", on_click=job.stop)
        while any(work.busy for work in works) and job.version(models) == drawn:
            now = next((work for work in works if work.busy and work.share < 1), busy[0])
            bar.progress(now.share, text=f"{now.doing}: {now.name} … {now.share:.0%}")
            time.sleep(POLL_S)
    if job.version(models) != drawn:
        st.rerun()


compare()
