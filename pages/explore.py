"""Page Explore: query by a click, words, coordinates or an image; see the similarity map and the closest samples."""

from __future__ import annotations

import streamlit as st

from pages.ui import atlas_scale, atlas_switch
from pages.ui.explore import composer, display, examples, export, introduction, results, suggestions
from pages.ui.explore.live import live_grid
from pages.ui.explore.pane import answer_pane
from pages.ui.explore.session import session_of
from pages.ui.map import component
from pages.ui.points import panel as points
from pages.ui.points.state import points_of_visitor
from pages.ui.widgets.popovers import popover


@st.fragment
def explore() -> None:
    """The page proper, a fragment: what happens here reruns nothing else."""
    head = st.container(horizontal=True, vertical_alignment="bottom", key="composer")
    with head:
        name = atlas_switch.chosen_atlas()
    opening = atlas_switch.for_atlas(name)
    if opening.atlas is None:
        return
    atlas, explorer, session = opening.atlas, opening.explorer, session_of(name)
    size = atlas_scale.of(atlas.manifest)
    session.read_link(atlas.manifest.modalities)
    if explorer is not None:
        session.apply_pending(explorer)
        session.complete_places()
    drawn = None if explorer is None else display.shown(explorer, session)
    session.write_link()

    with head:
        composer.compose(session, atlas.manifest, explorer)
        with popover("Points", key="points-popover", help="A table of your own points, on the map") as is_open:
            if is_open:
                points.panel(atlas)
    composer.problem(session)
    answer = session.answer
    with st.container(horizontal=True, vertical_alignment="center", key="asked"):
        composer.chips(session, atlas.manifest, explorer)
        if answer is not None:
            display.offer(session, () if explorer is None else explorer.modalities)
            if explorer is not None:
                export.offer(explorer, session)
    suggestions.attach(atlas)
    left, right = st.columns([size.map_share, 1], gap="medium")
    with left:
        searched = "" if explorer is None else explorer.searched
        pane = answer_pane(answer, size, drawn, session.display, hides_results=session.hides_results, searched=searched,
                           area=session.scope.area)  # fmt: skip
        own = points_of_visitor().overlay()
        if own is not None:
            pane["points"] = own
        if explorer is not None and not session.display.items:
            pane["live"] = live_grid(explorer, session)
        # Each atlas has a map and cards of its own: nothing of one remains when the other is shown.
        component.show(
            atlas, [pane], nonce=session.revision, key=f"map-{name}",
            on_click=lambda click: results.use_click(session, explorer, click, size.click_digits), query_by=True,
            on_region=session.choose_area, region_label="Search in", find_places=True,
        )  # fmt: skip
    with right, st.container(key="results"):
        if explorer is None:
            if opening.error is None:
                atlas_switch.for_explorer(opening, asked=bool(session.pending))
        elif answer is None:
            introduction.show(size.where, asked=False)
            examples.tiles(atlas, lambda example: composer.take_example(session, example))
        else:
            introduction.show(size.where, asked=True)
            results.show(explorer, session, answer, size)
    if explorer is not None:
        results.complete(session, explorer)


explore()
