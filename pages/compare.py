"""Page Compare: what each model has learned of a place, side by side on maps that move together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from pages.ui import coloured, comparing, mapview, scale, waiting
from pages.ui.coloured import Colouring
from pages.ui.words import coordinates, literal
from unigeoclip.errors import UniGeoError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pages.ui.comparing import Job
    from unigeoclip.atlas import Atlas
    from unigeoclip.compare import Comparison, Region

POLL_S = 0.2
MOST = 4
FIRST = 3  # models are shown until others are chosen: ours, and the published ones as far as they are here
WAYS = {"components": "Components", "component": "One component", "clusters": "Clusters", "umap": "UMAP"}
_SHOWN = "scatter-of"
_TOOLS = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["toImage", "zoom2d", "zoomIn2d", "zoomOut2d", "autoScale2d", "select2d"],
}
SCATTER = 3000  # points that a browser draws and picks from at once


def _state(atlas: str) -> dict[str, Any]:
    """The visitor's choices for an atlas: region (None: all of it), point, revision, problem."""
    states = st.session_state.setdefault("compare", {})
    return states.setdefault(atlas, {"region": None, "point": None, "revision": 0, "problem": ""})


def _region(atlas: Atlas, state: dict[str, Any]) -> Region:
    from unigeoclip.compare import Region

    if state["region"] is not None:
        try:
            return Region.rectangle(atlas, tuple(state["region"]))
        except UniGeoError as error:
            state["problem"], state["region"] = str(error), None
    return Region.whole(atlas)


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


def _colouring(state: dict[str, Any]) -> Colouring:
    kind = st.segmented_control("Colour by", list(WAYS), format_func=WAYS.get, default="components", required=True,
                                key="colour-by")  # fmt: skip
    number = 0
    if kind == "component":
        number = st.number_input("Component", 1, 6, 1, key="component") - 1
    elif kind == "clusters":
        number = st.slider("Clusters", 2, 16, 8, key="clusters")
    return Colouring(kind, number, state["point"])


@st.fragment
def compare() -> None:
    """The page proper, a fragment: what happens here reruns nothing else."""
    head = st.container(horizontal=True, vertical_alignment="bottom", key="compare-head")
    with head:
        name = waiting.chosen_atlas()
    opening = waiting.for_atlas(name)
    if opening.atlas is None:
        return
    atlas, state = opening.atlas, _state(name)
    with head:
        models = _models(atlas)
        how = _colouring(state)
    job = comparing.job(atlas, _region(atlas, state))
    job.want(models)
    if how.kind == "umap":
        for model in models:
            job.want_layout(model)
    _point(state, atlas)
    if state["problem"]:
        st.error(literal(state["problem"]), icon=":material/info:")
        state["problem"] = ""
    progress = st.empty()
    comparison = job.comparison(models)
    if comparison is not None:
        _maps(atlas, job, comparison, how, state)
        _below(job, comparison, how, state)
    _wait(job, models, progress)


def _point(state: dict[str, Any], atlas: Atlas) -> None:
    """What a click asked, and the way back to colours."""
    if state["point"] is None:
        st.caption("Click a map: every model then shows what it finds like that point.")
        return
    where = coordinates(*state["point"], scale.of(atlas.manifest).digits)
    if st.button(f"Similarity to {where}", icon=":material/close:", help="Back to colours", key="forget-point"):
        state["point"] = None
        st.rerun()


def _maps(atlas: Atlas, job: Job, comparison: Comparison, how: Colouring, state: dict[str, Any]) -> None:
    key = f"compare-{atlas.name}"
    shown = Colouring("similarity", 0, how.point) if how.point is not None else _ready(job, comparison, how)
    lasso = None if how.point is not None else _picked(comparison, shown)
    panes = [coloured.pane(job, comparison, name, shown, lasso) for name in comparison.embedded]
    st.caption(coloured.explanation(comparison, shown))
    mapview.show(
        atlas, panes, nonce=state["revision"], key=key,
        on_click=lambda: _clicked(state, key), on_region=lambda: _chosen(state, key),
    )  # fmt: skip


def _ready(job: Job, comparison: Comparison, how: Colouring) -> Colouring:
    """The colouring that can be shown now: components until UMAP is computed."""
    waiting_for_layout = how.kind == "umap" and not all(job.work[name].laid_out for name in comparison.embedded)
    return Colouring("components", 0, how.point) if waiting_for_layout else how


def _clicked(state: dict[str, Any], key: str) -> None:
    click = mapview.clicked(key)
    if click is not None:
        state["point"] = (round(click["lat"], 5), round(click["lng"], 5))
        state["revision"] += 1


def _chosen(state: dict[str, Any], key: str) -> None:
    state["region"] = mapview.region(key)


def _below(job: Job, comparison: Comparison, how: Colouring, state: dict[str, Any]) -> None:
    left, right = st.columns([1, 1.25], gap="medium")
    with left:
        _scatter(job, comparison, _ready(job, comparison, how), state)
    with right:
        names = list(comparison.embedded)
        if not all(job.work[name].complete for name in names):
            st.caption("The figures follow when all cells are embedded.")
            return
        figures, agreement = job.figures(comparison)
        st.html(coloured.figures_table(comparison, figures, agreement))


def _scatter(job: Job, comparison: Comparison, how: Colouring, state: dict[str, Any]) -> None:
    """The linked scatter of one model, in the colours of its map."""
    from unigeoclip.figures import scatter

    name = st.selectbox("Points of", list(comparison.embedded), key=_SHOWN,
                        format_func=lambda each: comparison.embedded[each].embedder.title)  # fmt: skip
    positions = _positions(comparison, name, how)
    rows = job.region.sample(SCATTER)
    cell = None if state["point"] is None else job.region.grid.cell_at(*state["point"])
    shown, seen = (rows, None) if cell is None else ([*rows, cell], len(rows))
    axes = ("UMAP 1", "UMAP 2") if how.kind == "umap" else ("component 1", "component 2")
    rgb = coloured.colours(comparison, name, how)
    figure = scatter(positions[shown], rgb[shown], job.region.grid.cells[shown], axes, seen, _is_dark())
    st.plotly_chart(figure, on_select="rerun", selection_mode=["lasso"], key=_scatter_key(name, how), config=_TOOLS)
    st.caption("Draw round points to see on every map where they are.")


def _scatter_key(name: str, how: Colouring) -> str:
    return f"scatter-{name}-{'umap' if how.kind == 'umap' else 'components'}"


def _positions(comparison: Comparison, name: str, how: Colouring) -> NDArray[Any]:
    embedded = comparison.embedded[name]
    if how.kind == "umap":
        return embedded.layout
    return np.pad(embedded.scores, ((0, 0), (0, 1)))[:, :2]


def _picked(comparison: Comparison, how: Colouring) -> NDArray[np.bool_] | None:
    """The cells inside the lasso that was drawn in the scatter, (n,); None without one."""
    from unigeoclip.figures import inside_lasso

    name = st.session_state.get(_SHOWN)
    event = st.session_state.get(_scatter_key(name, how)) if name in comparison.embedded else None
    lasso = event.selection.get("lasso") if event else None
    return inside_lasso(_positions(comparison, name, how), lasso[0]["x"], lasso[0]["y"]) if lasso else None


def _is_dark() -> bool:
    return st.context.theme.type == "dark"


def _wait(job: Job, models: list[str], progress: Any) -> None:
    """Draw the page anew when there is more to see; until then show how far it is, and let it be stopped."""
    works = [job.work[name] for name in models]
    for work in works:
        if work.error:
            st.error(literal(work.error), icon=":material/info:")
    busy = [work for work in works if work.busy]
    if not busy:
        return
    with progress.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(0.0)
        if st.button("Stop", key="stop-comparing"):
            job.stop()
    before = sum(work.version for work in works)
    while any(work.busy for work in works) and sum(work.version for work in works) == before:
        now = next((work for work in works if work.busy and work.share < 1), busy[0])
        doing = "Laying out with UMAP" if now.laying_out else "Embedding the map"
        bar.progress(now.share, text=f"{doing}: {now.name} … {now.share:.0%}")
        time.sleep(POLL_S)
    st.rerun()


compare()
