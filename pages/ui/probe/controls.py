"""The controls of page Probe: which encoders and splits, the model of the probe, and the button that starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.formatting import literal
from pages.ui.probe.labels import WAIT_S, client, follow
from pages.ui.probe.scores import SPLITS, first_choice
from pages.ui.probe.state import Shown
from pages.ui.services import services
from pages.ui.services.probe.limits import MAX_ENCODERS
from pages.ui.services.probe.requests import Request
from pages.ui.widgets.popovers import popover
from unigeoclip.errors import UniGeoError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pages.ui.probe.state import ProbeState
    from pages.ui.services.probe.requests import Encoders
    from unigeoclip.atlas import Atlas
    from unigeoclip.evaluation.probing.results import ProbeReport
    from unigeoclip.tasks.label_table import LabelTable

SAMPLES = (50_000, 20_000, 5_000)
MODELS = {"auto": "Ridge", "knn": "k nearest neighbors", "logistic": "Logistic regression"}
HELP = (
    "A probe is a simple model on the frozen vectors of an encoder: what it can predict, the vectors contain. Floors "
    "are always included: the mean, sine and cosine of the position, and smooth functions of it of equal size."
)


def known_encoders(atlas: Atlas) -> Encoders | None:
    """What can be probed; None while the models are being loaded, and where they cannot be."""
    job = services().probe.encoders(atlas)
    if not job.wait(WAIT_S):
        follow(job, "probe-encoders-loading", "Loading the models")
    if job.error:
        st.error(literal(job.error), icon=":material/info:")
    return job.result


def encoders(state: ProbeState, atlas: Atlas, known: Encoders) -> tuple[str, ...]:
    """Names of the encoders to probe."""
    options = list(known.titles)
    key = f"probe-encoders-{atlas.name}"
    first = list(known.default)
    if state.encoder in options and state.encoder not in first:
        first.append(state.encoder)  # a link shows it
    st.session_state.setdefault(key, first)
    chosen: list[str] = st.multiselect(
        "Encoders", options, key=key, format_func=known.titles.__getitem__, max_selections=MAX_ENCODERS, help=HELP,
        placeholder="Choose encoders",
    )  # fmt: skip
    if known.missing:
        with popover("Unavailable", key="probe-unavailable") as is_open:
            if is_open:
                for name, why in known.missing.items():
                    st.markdown(f"**{literal(name)}** {literal(why)}")
    return tuple(name for name in options if name in chosen)


def options(state: ProbeState, table: LabelTable | None, names: tuple[str, ...], usual: Sequence[str]) -> Request:
    """Splits, model, learning curve and rows.

    Args:
        state: What is probed.
        table: Its labels.
        names: The encoders.
        usual: Splits that are chosen at first; those by a group are called after it.
    """
    splits = ["random", "blocks", *(["groups"] if table is not None and table.groups is not None else [])]
    wanted = ["groups" if table is not None and each == table.group_name else each for each in usual]
    first = [each for each in splits if each in wanted] or splits
    titles = SPLITS | ({"groups": f"By {table.group_name}"} if table is not None else {})
    key = f"probe-splits-{state.source}-{state.task}-{len(splits)}"
    with st.popover("Options", icon=":material/tune:", key="probe-options"):
        chosen = st.pills(
            "Folds", splits, selection_mode="multi", default=first, key=key,
            format_func=titles.__getitem__,
            help="Random folds test interpolation between labeled points nearby; blocks hold out whole cells of a "
            "grid.",
        ) or first  # fmt: skip
        offered = [name for name in MODELS if name != "logistic" or table is None or table.kind == "classification"]
        model = st.segmented_control(
            "Model", offered, default="auto", format_func=MODELS.__getitem__, required=True, key="probe-model"
        )
        curve = st.toggle("Learning curve", key="probe-curve", help="The score by the number of training rows")
        sizes = [0, *(size for size in SAMPLES if table is not None and size < len(table))]
        rows = 0
        if len(sizes) > 1:
            rows = st.selectbox("Rows", sizes, format_func=lambda each: f"a random {each:,}" if each else "all",
                                key=f"probe-rows-{len(sizes)}")  # fmt: skip
    taken = tuple(each for each in splits if each in chosen)
    return Request(names, taken, model if model in offered else "auto", curve, rows)


def run(state: ProbeState, atlas: Atlas, request: Request) -> None:
    """The button that starts the probe; a link starts it as well."""
    is_busy = state.job is not None and not state.job.has_ended
    fresh = state.shown is None or state.shown.request != request
    idle = state.labels is None or is_busy or not request.encoders
    st.button(
        "Run probe", type="primary" if fresh else "secondary", key="probe-run", icon=":material/play_arrow:",
        disabled=idle, on_click=_pressed, args=(state, atlas, request),
    )  # fmt: skip
    if state.starts and state.labels is not None:
        state.starts = False
        if not is_busy and (state.shown is None or state.shown.task != state.task):
            start(state, atlas, request)


def _pressed(state: ProbeState, atlas: Atlas, request: Request) -> None:
    state.problem = ""
    start(state, atlas, request)


def start(state: ProbeState, atlas: Atlas, request: Request) -> None:
    """Begin to compute; what was shown before stays until the new results are there."""
    table = state.labels
    if table is None:
        return
    if state.job is not None:
        state.job.stop()
    probe = services().probe
    task = "" if state.is_own else state.task
    public = ("report", task, atlas.name, atlas.data_hash, request) if task else None
    try:
        state.job = probe.compute(lambda job: probe.report(table, atlas, request, task, job), client(), public=public)
    except UniGeoError as error:
        state.job, state.problem = None, str(error)
        return
    state.requested = request


def show_progress(state: ProbeState) -> None:
    """How far the probe is, and a button to cancel it; takes over the results when they are there."""
    job = state.job
    if job is None:
        return
    if not job.has_ended and not job.is_stopped:
        follow(job, "probe-following")
        st.button("Cancel", key="probe-cancel", on_click=_cancel, args=(state,))
        return
    if job.is_stopped:
        st.caption("Canceled. Nothing was changed.")
        state.job = None
    elif job.error:
        st.error(literal(job.error), icon=":material/info:")
    elif job.result is not None and (state.shown is None or state.shown.report is not job.result):
        take_over(state, job.result)
        state.job = None


def _cancel(state: ProbeState) -> None:
    if state.job is not None:
        state.job.stop()


def take_over(state: ProbeState, report: ProbeReport) -> None:
    """Show new results."""
    assert state.requested is not None
    state.shown = Shown(state.requested, report, "" if state.is_own else state.task)
    state.mapping = state.everywhere = state.point = state.row = None
    state.replace_pictures(keep=True)
    state.revision += 1
    split = list(report.results)[-1]
    state.choose_shown(first_choice(report, split))
