"""Page Probe: what frozen embeddings know of a target, of built-in tasks and of the visitor's own labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import atlas_scale, atlas_switch
from pages.ui.formatting import literal
from pages.ui.probe import controls, everywhere, export, labels, maps, panels, scores
from pages.ui.probe.state import EVERYWHERE, state_of
from pages.ui.probe.task_card import task_card
from pages.ui.services import services

if TYPE_CHECKING:
    from pages.ui.probe.state import ProbeState
    from unigeoclip.atlas import Atlas
    from unigeoclip.tasks.label_table import LabelTable
    from unigeoclip.tasks.task import Task


@st.fragment
def probe() -> None:
    """The page proper, a fragment: what happens here reruns nothing else."""
    head = st.container(horizontal=True, vertical_alignment="bottom", key="probe-head")
    with head:
        name = atlas_switch.chosen_atlas()
    opening = atlas_switch.for_atlas(name)
    if opening.atlas is None:
        return
    atlas, state = opening.atlas, state_of(name)
    library = services().probe.library
    tasks = library.tasks(atlas)
    here = [task.name for task in tasks if library.is_here(task)]
    state.read_link(here, {task.name: task.pack.name for task in tasks if task.name not in here})
    with head:
        labels.source(state, atlas)
        if not state.is_own:
            labels.task(state, atlas, tasks, here)
    table = labels.own_table(state, atlas) if state.is_own else labels.task_table(state)
    state.labels = table
    task = None if state.is_own else next((each for each in tasks if each.name == state.task), None)
    if not state.is_own:
        task_card(task, len(tasks))
    atlas_switch.store_note(opening, "labeled positions, and pictures and texts of the atlas itself")
    _controls(state, atlas, table, task)
    if state.problem:
        st.error(literal(state.problem), icon=":material/info:")
    with st.container(key="probe-progress", horizontal=True, vertical_alignment="center"):
        controls.show_progress(state)
    if table is not None:
        _results(state, atlas, table)
    state.write_link(name)


def _controls(state: ProbeState, atlas: Atlas, table: LabelTable | None, task: Task | None) -> None:
    """Encoders, options, the button, and what can be exported."""
    known = controls.known_encoders(atlas)
    if known is None:
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="probe-controls"):
        names = controls.encoders(state, atlas, known)
        controls.run(state, atlas, controls.options(state, table, names, task.splits if task else ()))
        if state.shown is not None:
            export.offer(state, atlas)


def _results(state: ProbeState, atlas: Atlas, table: LabelTable) -> None:
    """The table, the maps and the plots; before a probe has been run, the labels on the map alone."""
    digits = atlas_scale.of(atlas.manifest).digits
    if state.shown is not None:
        report = state.shown.report
        scores.show(state.shown)
        for note in report.notes:
            st.caption(literal(note))
        with st.container(horizontal=True, vertical_alignment="bottom", key="probe-shown"):
            maps.choices(state)
            if state.layer == EVERYWHERE:
                everywhere.only_near(state)
        with st.container(key="probe-everywhere-progress", horizontal=True, vertical_alignment="center"):
            everywhere.compute(state, atlas)
    maps.show(state, atlas)
    result = state.result()
    if result is not None:
        panels.show(state, result, digits)


probe()
