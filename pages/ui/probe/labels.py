"""The labels of page Probe: a built-in task, or a visitor's own file with the choice of its columns."""

from __future__ import annotations

import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from pages.ui.formatting import file_size, literal
from pages.ui.probe import example
from pages.ui.probe.state import OWN, TASK, forget_own_labels, own_labels, widgets
from pages.ui.services import services
from pages.ui.services.probe.requests import Columns
from pages.ui.widgets import progress
from pages.ui.widgets.popovers import popover
from pages.ui.widgets.templating import render
from unigeoclip.errors import UniGeoError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pages.ui.probe.state import OwnLabels, ProbeState
    from pages.ui.services.probe import Job
    from unigeoclip.atlas import Atlas
    from unigeoclip.tasks.label_files import LabelFile
    from unigeoclip.tasks.label_table import LabelTable
    from unigeoclip.tasks.task import Task

T = TypeVar("T")
SOURCES = {TASK: "Built-in task", OWN: "Your own labels"}
KINDS = {"": "Detect", "regression": "Number", "classification": "Class"}
FILES = ["csv", "tsv", "txt", "parquet", "geoparquet", "geojson", "json", "gpkg", "zip"]
NONE = ""  # no column
PRIVACY = (
    "Your labels are in this session only: they are not written to disk, to caches or to logs, and links never contain "
    "them. They are deleted when you remove the file or close the page."
)
WAIT_S = 0.4  # what is read faster than that needs no progress bar


def client() -> str:
    """Address of the visitor."""
    return st.context.ip_address or "this machine"


def source(state: ProbeState, atlas: Atlas) -> None:
    """The choice between a built-in task and uploaded labels."""
    key = f"probe-source-{atlas.name}"
    st.session_state[key] = state.source
    st.segmented_control(
        "Labels", list(SOURCES), format_func=SOURCES.__getitem__, required=True, key=key,
        on_change=lambda: _choose_source(state, st.session_state[key]),
    )  # fmt: skip


def _choose_source(state: ProbeState, chosen: str) -> None:
    if chosen and chosen != state.source:
        state.forget_results()
        state.source = chosen


def task(state: ProbeState, atlas: Atlas, tasks: Sequence[Task], here: Sequence[str]) -> None:
    """The choice of a built-in task; those whose labels are not on this machine are listed with their command."""
    at_hand = [each for each in tasks if each.name in here]
    titles = {each.name: each.title for each in at_hand}
    if titles:
        if state.task not in titles:
            state.task = next(iter(titles))
        key = f"probe-task-{atlas.name}"
        st.session_state[key] = state.task
        st.selectbox(
            "Task", list(titles), format_func=titles.__getitem__, key=key, width=300,
            on_change=lambda: _choose_task(state, st.session_state[key]),
        )  # fmt: skip
    else:
        state.task = ""
    missing = [each for each in tasks if each.name not in here]
    if missing:
        with popover(f"{len(missing)} more {'task' if len(missing) == 1 else 'tasks'}", key="probe-missing") as is_open:
            if is_open:
                st.caption("Their labels are not on this machine. One command downloads the tasks of a source.")
                st.html(render("probe/templates/missing.html", packs=_packs(missing)))


def _packs(tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """Tasks by what is downloaded together."""
    packs: dict[str, list[Task]] = {}
    for each in tasks:
        packs.setdefault(each.pack.name, []).append(each)
    return [
        {
            "title": some[0].pack.title,
            "tasks": [each.title for each in some],
            "size": file_size(some[0].download_bytes),
            "license": some[0].license,
            "command": f"python -m unigeoclip tasks download {name}",
        }
        for name, some in packs.items()
    ]


def _choose_task(state: ProbeState, chosen: str) -> None:
    if chosen and chosen != state.task:
        state.forget_results()
        state.task = chosen


def task_table(state: ProbeState) -> LabelTable | None:
    """The labels of the built-in task; None while they are being loaded, or where they cannot be."""
    if not state.task:
        return None
    if state.loaded != state.task:
        library, name = services().probe.library, state.task
        try:
            state.loading = services().probe.read(lambda _job: library.load(name), client())
        except UniGeoError as error:
            state.problem = str(error)
            return None
        state.loaded, state.table = name, None
    table, problem = _finished(state.loading, f"probe-loading-{state.task}", "Reading the labels")
    state.table = table if table is not None else state.table
    if problem:
        st.error(literal(problem), icon=":material/info:")
    return state.table


def _finished(job: Job[T] | None, key: str, words: str) -> tuple[T | None, str]:
    """Result of a job that is reading, or the sentence why there is none; progress is shown while it is at it."""
    if job is None:
        return None, ""
    if not job.wait(WAIT_S):
        follow(job, key, words)
    return job.result, job.error


def follow(job: Job[Any], key: str, words: str = "") -> None:
    """Show the progress of a job, and rerun the page when it has ended."""
    probe, followed = services().probe, weakref.ref(job)  # a topic outlives what it tells of, and must not keep it

    def report() -> progress.Progress:
        job = followed()
        if job is None:
            return progress.Progress("ended")
        doing, share = probe.progress(job)
        return progress.Progress(job.version, (words or doing) if doing else "", share)

    progress.follow(report, "running", key, time_left=True)


def own_table(state: ProbeState, atlas: Atlas) -> LabelTable | None:
    """The visitor's labels: the file, its columns, and what was noted when they were read."""
    own = own_labels()
    with st.container(border=True, key="probe-own"):
        if not own.name:
            _upload(atlas)
        else:
            _file(own)
            _inspected(own)
            if own.file is not None:
                _columns(state, own)
            if own.file is not None:  # another layer has other columns
                _read(own)
        if own.problem:
            st.error(literal(own.problem), icon=":material/info:")
        st.caption(PRIVACY)
    return own.table


def _upload(atlas: Atlas) -> None:
    key = f"probe-upload-{widgets.upload_turn}"
    st.file_uploader(
        "A table with a position and a target in each row", type=FILES, key=key, on_change=_take, args=(key,),
        help="CSV, Parquet, GeoJSON, GeoPackage or a zipped shapefile, at most 50 MB and 200,000 rows. Polygons count "
        "as their centroids.",
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Try an example file", key="probe-example", on_click=_take_example, args=(atlas,))
        st.caption(example.about(atlas))


def _take(key: str) -> None:
    file = st.session_state[key]
    if file is not None:
        widgets.upload_turn += 1  # Streamlit's copy of the file goes; the field is ready for the next
        begin_file(file.name, file.getvalue())


def _take_example(atlas: Atlas) -> None:
    begin_file(example.NAME, example.csv(atlas))


def begin_file(name: str, data: bytes) -> None:
    """Take a file in place of the one before."""
    forget_own_labels()
    own = own_labels()
    own.name, own.data = name, data
    _inspect(own)


def _inspect(own: OwnLabels, layer: str = "") -> None:
    """Look at the columns of a file, or of another of its layers."""
    library, data, name = services().probe.library, own.data, own.name
    own.file, own.columns = None, Columns()
    try:
        own.inspecting = services().probe.read(lambda _job: library.inspect(data, name, layer), client())
    except UniGeoError as error:
        own.problem = str(error)


def _file(own: OwnLabels) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{literal(own.name)}**, {file_size(len(own.data))}")
        st.button("Remove", icon=":material/delete:", key="probe-remove", on_click=forget_own_labels)


def _inspected(own: OwnLabels) -> None:
    """Wait for the columns; fill in which of them are what."""
    if own.file is not None:
        return
    own.file, problem = _finished(own.inspecting, "probe-inspecting", "Reading the file")
    own.problem = own.problem or problem
    if own.file is not None:
        own.columns = guess(own.file)
        for field in ("lat", "lon", "target", "groups", "layer"):
            st.session_state.pop(f"probe-column-{field}", None)


def guess(file: LabelFile) -> Columns:
    """The columns that a file is read with unless somebody chooses others; a target only where one is likely."""
    target = file.targets[0] if file.targets else ""
    return Columns(file.lat or "", file.lon or "", target, layer=file.layer if len(file.layers) > 1 else "")


def _columns(state: ProbeState, own: OwnLabels) -> None:
    """The choice of columns; another choice reads the table again."""
    assert own.file is not None
    names = [column.name for column in own.file.columns]
    chosen = own.columns
    fields: dict[str, str] = {}
    with st.container(horizontal=True, vertical_alignment="bottom", key="probe-columns"):
        if len(own.file.layers) > 1:
            fields["layer"] = _column("Layer", "layer", own.file.layers, chosen.layer or own.file.layer)
        if not own.file.geometry:
            fields["lat"] = _column("Latitude", "lat", names, chosen.lat)
            fields["lon"] = _column("Longitude", "lon", names, chosen.lon)
        fields["crs"] = st.text_input(
            "Coordinate system",
            chosen.crs,
            key="probe-crs",
            width=160,
            placeholder=own.file.crs or "degrees, WGS 84",
            help="Where positions are not latitude and longitude in degrees: an EPSG code, such as EPSG:25832",
            max_chars=40,
        ).strip()
        fields["target"] = _column("Target", "target", names, chosen.target)
        fields["kind"] = st.segmented_control(
            "Target is a", list(KINDS), format_func=KINDS.__getitem__, default=chosen.kind, key="probe-kind",
            required=True,
        )  # fmt: skip
        fields["groups"] = _column("Folds by", "groups", [NONE, *names], chosen.groups, help=(
            "Rows of one value are held out together: a state, a district, a fold number."))  # fmt: skip
    now = replace(chosen, **fields)
    if now != chosen:
        own.columns = now
        if now.layer != chosen.layer:
            _inspect(own, now.layer)
        own.table, own.problem = None, ""
        if state.is_own:
            state.forget_results()


def _column(label: str, field: str, names: Sequence[str], chosen: str, help: str | None = None) -> str:  # noqa: A002
    place = names.index(chosen) if chosen in names else None
    found = st.selectbox(
        label, names, index=place, key=f"probe-column-{field}", width=200, placeholder="Choose", help=help,
        format_func=lambda name: name or "none",
    )  # fmt: skip
    return found or ""


def _read(own: OwnLabels) -> None:
    """Read the table of the chosen columns, once for each choice."""
    assert own.file is not None
    columns, file = own.columns, own.file
    if not columns.target or not (file.geometry or (columns.lat and columns.lon)):
        st.caption("Choose the columns of the position and of the target.")
        return
    if own.read_as != columns:
        library, data, name = services().probe.library, own.data, own.name
        own.read_as, own.table, own.problem = columns, None, ""
        try:
            own.reading = services().probe.read(lambda _job: library.read(data, name, columns), client())
        except UniGeoError as error:
            own.problem, own.read_as = str(error), None
            return
    if own.table is None:
        own.table, problem = _finished(own.reading, "probe-reading", "Reading the table")
        own.problem = own.problem or problem
    for note in file.notes:
        st.caption(literal(note))
    if own.table is not None:
        st.caption(describe(own.table))
        for note in own.table.notes:
            st.caption(literal(note))


def describe(table: LabelTable) -> str:
    """What was read, in a sentence."""
    what = "a number" if table.kind == "regression" else f"{len(set(table.target.tolist()))} classes"
    unit = f" in {literal(table.unit)}" if table.unit else ""
    groups = f", folds by {literal(table.group_name)}" if table.groups is not None else ""
    return f"{len(table):,} rows; target {literal(table.target_name)}: {what}{unit}{groups}."
