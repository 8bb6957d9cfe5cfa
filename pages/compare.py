"""Page Compare: what each model has learned of a place, side by side on maps that move together."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui import atlas_scale, atlas_switch, progress, query_string
from pages.ui.atlas import baseline_card
from pages.ui.compare import export, image_query, panes, scatter
from pages.ui.compare.panes import ColorScheme
from pages.ui.compare.state import CompareState, compare_state
from pages.ui.formatting import coordinates, literal
from pages.ui.map import component
from pages.ui.services import services
from pages.ui.services.compare_service import scales_of
from pages.ui.view_options import DEFAULT_NUMBER, KINDS, LEAST, SCALES
from unigeoclip.embedders import first_compared
from unigeoclip.errors import InputError, UniGeoError

if TYPE_CHECKING:
    from pages.ui.compare.image_query import Picture
    from pages.ui.protocol import MapClick, Pane
    from pages.ui.services.compare_jobs import Job
    from unigeoclip.atlas import Atlas
    from unigeoclip.compare.regions import Comparison
    from unigeoclip.embedders import Embedder
    from unigeoclip.geo import Bounds

_SCALE_HELP = (
    "Absolute: from the similarity of unrelated places to that of matches, as measured on held-out places, where a "
    "model has such a measurement. Similarity: each map over its own range. Rank: by share of the area."
)
MOST, MOST_SCALES = 4, 5
NUMBER_PX = 130
WAYS = {"components": "Components", "component": "One component", "clusters": "Clusters", "umap": "UMAP"}
SIMILARITY = "similarity"  # what a click or a picture switches the colouring to
WHAT = {"models": "Models", "scales": "Scales of UniGeoCLIP"}


def _job(atlas: Atlas, seen: CompareState) -> Job:
    client = st.context.ip_address or "this machine"
    try:
        job = services().compare.job(atlas, seen.bounds, client)
    except UniGeoError as error:  # the part before stays, and so does the view of the maps
        seen.problem, seen.bounds = str(error), seen.compared
        return services().compare.job(atlas, seen.bounds, client)
    seen.compared = seen.bounds
    return job


def _what(atlas: Atlas, seen: CompareState, scales: list[str]) -> str:
    """Whether different models are compared, or ours with scales switched off: a key of `WHAT`."""
    if not scales:
        return "models"
    key = f"compared-{atlas.name}"
    st.session_state.setdefault(key, "scales" if set(seen.models) & set(scales) else "models")
    what = st.segmented_control("Compare", list(WHAT), format_func=WHAT.__getitem__, required=True, key=key)
    return what or "models"


def _models(atlas: Atlas, seen: CompareState, found: dict[str, Embedder], scales: list[str], what: str) -> list[str]:
    """Names of the models to show, two to four."""
    if what == "scales":
        first = next(iter(found))
        options, always, most, label = scales, [first], MOST_SCALES, "Without"
        labels = {name: found[name].title.removeprefix(f"{found[first].title} without ") for name in scales}
    else:
        options, always, most, label = [name for name in found if name not in scales], [], MOST, "Models"
        labels = {name: found[name].title for name in options}
    key = f"{what}-{atlas.name}"
    linked = [name for name in seen.models if name in options]
    first_shown = options[-MOST_SCALES:] if what == "scales" else first_compared(options)  # the finest are the last
    st.session_state.setdefault(key, linked or first_shown)
    chosen = st.pills(
        label, options, selection_mode="multi", format_func=labels.__getitem__, key=key,
        label_visibility="visible" if what == "scales" else "collapsed",
    )  # fmt: skip
    if not 2 - len(always) <= len(chosen) <= most:
        chosen = first_shown
        st.caption(f"Choose {2 - len(always)} to {most}; showing {', '.join(labels[name] for name in chosen)}.")
    models = [*always, *(name for name in options if name in chosen)]
    seen.models = () if what == "models" and models == first_shown else tuple(models)
    return models


def _missing(missing: dict[str, str]) -> None:
    if missing:
        with st.popover("Others", help="Models that are not on this machine"):
            for name, why in missing.items():
                st.markdown(f"**{name}** {literal(why)}")


def _coloring(seen: CompareState) -> ColorScheme:
    """The control says what the maps show: "Similarity" as long as something is asked."""
    asks = seen.point is not None or seen.picture is not None
    ways = WAYS | ({SIMILARITY: "Similarity"} if asks else {})
    st.session_state["colour-by"] = SIMILARITY if asks else seen.kind
    st.segmented_control("Colour by", list(ways), format_func=ways.__getitem__, required=True, key="colour-by",
                         on_change=_color_by, args=(seen,))  # fmt: skip
    if asks:
        st.session_state["similarity-scale"] = seen.scale
        st.segmented_control("Scale", list(SCALES), format_func=SCALES.__getitem__, required=True,
                             key="similarity-scale", help=_SCALE_HELP, on_change=_rescale, args=(seen,))  # fmt: skip
    else:
        _number(seen)
    number = seen.number - 1 if seen.kind == "component" else seen.number
    return ColorScheme(seen.kind, number, seen.point, seen.picture, seen.scale)


def _number(seen: CompareState) -> None:
    """Which component, or how many clusters."""
    least, most = LEAST.get(seen.kind, 0), KINDS[seen.kind]
    if not most:
        seen.number = 0
        return
    first = DEFAULT_NUMBER[seen.kind]
    st.session_state.setdefault(seen.kind, seen.number if least <= seen.number <= most else first)
    ask = st.slider if seen.kind == "clusters" else st.number_input
    seen.number = ask(WAYS[seen.kind], least, most, key=seen.kind, width=NUMBER_PX)


def _color_by(seen: CompareState) -> None:
    """Show another colouring; what was asked is forgotten, for the control always says what the maps show."""
    chosen = st.session_state["colour-by"]
    if chosen == SIMILARITY:
        return
    seen.kind = chosen
    if seen.point is not None or seen.picture is not None:
        _ask(seen)


def _rescale(seen: CompareState) -> None:
    seen.scale = st.session_state["similarity-scale"]


def _take_link(atlas: Atlas, seen: CompareState, known: list[str]) -> None:
    """Follow the page's address; the controls then show what it says."""
    if seen.read_link(known):
        for key in (f"compared-{atlas.name}", *(f"{what}-{atlas.name}" for what in WHAT), *LEAST):
            st.session_state.pop(key, None)


@st.fragment
def compare() -> None:
    """The page proper, a fragment: what happens here reruns nothing else."""
    head = st.container(horizontal=True, vertical_alignment="bottom", key="compare-head")
    with head:
        name = atlas_switch.chosen_atlas()
    opening = atlas_switch.for_atlas(name)
    if opening.atlas is None:
        return
    atlas, seen = opening.atlas, compare_state(name)
    found, missing = _embedders(atlas)
    scales = scales_of(found)
    _take_link(atlas, seen, list(found))
    row = st.container(horizontal=True, vertical_alignment="center", key="compare-state")
    # Containers of their own: what comes and goes in one must not shift the other while the page is being drawn.
    side: dict[str, Any] = {"horizontal": True, "width": "content"}
    which = row.container(key="compare-models", vertical_alignment="center", **side)
    asked = row.container(key="compare-asked", vertical_alignment="center", horizontal=True, width="stretch")
    with head:
        what = _what(atlas, seen, scales)
    with which:
        models = _models(atlas, seen, found, scales, what)
        _missing(missing)
    with head.container(key="compare-colour", vertical_alignment="bottom", **side):
        how = _coloring(seen)
    job = _job(atlas, seen)
    drawn = job.version(models)  # what becomes ready from here on is drawn in another run
    job.request(models, seen.visitor, umap=how.kind == "umap")
    comparison = job.comparison(models)
    how = _ready(job, comparison, how)
    with asked:
        _asked(seen, atlas_scale.of(atlas.manifest).digits)
    with head.container(key="compare-tools", vertical_alignment="bottom", **side):
        _image(atlas, seen, next(iter(found.values())))
        _region(seen)
        if comparison.embedded:
            export.offer(atlas, job, comparison, how)
    if seen.problem:
        st.error(literal(seen.problem), icon=":material/info:")
    seen.write_link(name)
    with st.container(key="compare-progress", horizontal=True, vertical_alignment="center"):
        _progress(job, models, seen.visitor, drawn, umap=how.kind == "umap")
    _maps(atlas, job, [found[model] for model in models], how, seen)
    if comparison.embedded:
        _below(job, comparison, how)
        _baselines(atlas)
    _errors(job, models)


def _embedders(atlas: Atlas) -> tuple[dict[str, Embedder], dict[str, str]]:
    """What can be compared; the map stands there while the models are being loaded."""
    loading = st.empty()
    if not services().compare.is_loaded(atlas):
        with loading.container():
            pane: Pane = {"id": "loading", "label": "Map", "markers": [], "title": "Loading the models …"}
            key = f"compare-{atlas.name}"
            component.show(atlas, [pane], nonce=0, key=f"{key}-loading", memory=key, on_click=lambda click: None)
        services().compare.embedders(atlas)
        loading.empty()
    return services().compare.embedders(atlas)


def _errors(job: Job, models: list[str]) -> None:
    """What went wrong with some models, and a way to begin with them again."""
    failed = [name for name in models if job.work[name].error]
    for name in failed:
        st.error(literal(job.work[name].error), icon=":material/info:")
    if failed:
        st.button("Try again", key="try-comparing-again", on_click=job.try_again, args=(failed,))


def _asked(seen: CompareState, digits: int) -> None:
    """What a click or a picture asked, and the way back to colours."""
    if seen.picture is not None:
        what = literal(seen.picture.name)
    elif seen.point is not None:
        what = coordinates(seen.point[0], seen.point[1], digits)
    else:
        return
    st.button(f"Similarity to {what}", icon=":material/close:", help="Back to colours", key="forget-point",
              on_click=_ask, args=(seen,))  # fmt: skip


def _ask(seen: CompareState, point: tuple[float, float] | None = None, picture: Picture | None = None) -> None:
    """Ask by a point or a picture, or by neither."""
    seen.point, seen.picture, seen.problem = point, picture, ""
    seen.revision += 1


def _image(atlas: Atlas, seen: CompareState, first: Embedder) -> None:
    """A picture to ask by."""
    with st.popover("Image", icon=":material/image:", help="Ask by a picture"):
        image_query.panel(atlas, lambda picture: _ask(seen, picture=picture), partial(setattr, seen, "problem"), first)


def _region(seen: CompareState) -> None:
    """The part of the atlas that is compared, typed."""
    if st.session_state.get("typed-for", ()) != seen.bounds:  # another part was chosen on the map or by a link
        st.session_state["typed-for"] = seen.bounds
        st.session_state["typed-region"] = ", ".join(f"{value:.4f}" for value in seen.bounds or ())
    with st.popover("Region", icon=":material/crop_free:", help="Compare a part of the atlas in detail"):
        with st.form("region", border=False):
            st.text_input("South, west, north, east in degrees", key="typed-region",
                          placeholder="42.33, -71.10, 42.38, -71.03")  # fmt: skip
            st.form_submit_button("Compare this part", on_click=_typed, args=(seen,))
        st.caption("Empty for the whole atlas. On the map, This view and Draw do the same.")


def _typed(seen: CompareState) -> None:
    text = st.session_state["typed-region"]
    seen.problem = ""
    try:
        seen.bounds = query_string.parse_box(text) if text.strip() else None
    except InputError as error:
        seen.problem = str(error)


def _ready(job: Job, comparison: Comparison, how: ColorScheme) -> ColorScheme:
    """The colouring that can be shown now: components until UMAP is computed."""
    waits = how.kind == "umap" and not all(job.work[name].laid_out for name in comparison.embedded)
    return replace(how, kind="components", number=0) if waits else how


def _maps(atlas: Atlas, job: Job, models: list[Embedder], how: ColorScheme, seen: CompareState) -> None:
    key, comparison = f"compare-{atlas.name}", job.comparison([model.name for model in models])
    lasso = scatter.picked(comparison, how)
    drawn = [
        panes.pane(job, comparison, model.name, how, lasso) if model.name in comparison.embedded
        else panes.empty_pane(model) for model in models
    ]  # fmt: skip
    component.show(
        atlas, drawn, nonce=seen.revision, key=key,
        on_click=lambda click: _clicked(seen, click), on_region=lambda bounds: _chosen(seen, bounds), focus=seen.bounds,
    )  # fmt: skip
    hint = "" if how.asks else "Click a map: every model shows what it finds like that point. "
    st.caption(hint + panes.explanation([model.title for model in models], how))


def _clicked(seen: CompareState, click: MapClick) -> None:
    _ask(seen, point=(round(click["lat"], 5), round(click["lng"], 5)))


def _chosen(seen: CompareState, bounds: Bounds | None) -> None:
    seen.bounds, seen.problem = bounds, ""


def _below(job: Job, comparison: Comparison, how: ColorScheme) -> None:
    left, right = st.columns([1, 1.25], gap="medium")
    with left:
        with st.container(key="compare-scatter"):  # the style sheet holds it back until the maps are painted
            scatter.show(job, comparison, how)
        scatter.selection(job, comparison, how)
    with right:
        works, first = [job.work[name] for name in comparison.embedded], comparison.reference.embedder.name
        figures = {work.name: work.figures for work in works if work.figures is not None}
        if len(figures) < len(works) or any(first not in work.agreement for work in works):
            st.caption("The figures follow when every model has worked through the whole map.")
            return
        agreement = {work.name: work.agreement[first] for work in works}
        st.html(panes.figures_table(comparison, figures, agreement))


def _baselines(atlas: Atlas) -> None:
    """What retrained baselines find, whichever way it comes out."""
    try:
        found = baseline_card.section(atlas)
    except UniGeoError as error:
        st.error(literal(str(error)), icon=":material/info:")
        return
    if found:
        with st.expander("Baselines, retrained on this atlas: what they find"):
            st.html(found)


def _progress(job: Job, models: list[str], visitor: str, drawn: int, *, umap: bool) -> None:
    """How far the work is, and a way to stop it, or to go on; the page is drawn anew when there is more to see."""
    works = [job.work[name] for name in models]

    def report() -> progress.Progress:
        job.see(models, visitor)
        version = "stopped" if any(work.stopped for work in works) else str(job.version(models))
        return progress.Progress(version, *job.progress(models, umap=umap))

    if any(work.is_stopped_for(visitor) for work in works):
        st.caption("Stopped. Maps that were not finished are coarse, or empty, below.")
        st.button("Go on", key="go-on-comparing", on_click=job.resume, args=(visitor,))
    elif any(work.busy for work in works) or job.version(models) != drawn:
        progress.follow(report, str(drawn), "progress", time_left=True)
        st.button("Stop", key="stop-comparing", on_click=job.stop, args=(visitor,))


compare()
