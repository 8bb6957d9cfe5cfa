"""The choice of the atlas, and what the page shows until it is open or when it cannot be opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui import query_string
from pages.ui.atlas_titles import atlas_title
from pages.ui.formatting import literal
from pages.ui.services import services
from pages.ui.widgets import progress
from unigeoclip.errors import excerpt

if TYPE_CHECKING:
    from pages.ui.services.explorers import Opening

POLL_S = 0.15
MAX_BUTTONS = 3  # more atlases than that are a list
LIST_PX = 190
SHOWN = "atlas-shown"


def chosen_atlas() -> str:
    """Name of the atlas to show: that of the address (``?atlas=``), or the last one; a switch if there are several."""
    names = services().explorers.names()
    if not names:
        st.error(
            "No atlas is installed: it holds the data of the map. Build one with: python -m unigeoclip build world",
            icon=":material/info:",
        )
        st.stop()
    shown = st.session_state.get(SHOWN, names[0])
    shown = shown if shown in names else names[0]
    # The address goes first: a link was followed, or the back button brought an older one.
    asked = query_string.atlas(shown)
    if asked not in names:
        st.error(
            literal(
                f"The link names the atlas '{excerpt(asked)}', which is not installed; this is '{atlas_title(shown)}'."
            ),
            icon=":material/info:",
        )
        asked = shown
    st.session_state[SHOWN] = asked
    if len(names) > 1:
        st.session_state[_SWITCH] = asked
        options: dict[str, Any] = {"format_func": atlas_title, "key": _SWITCH, "on_change": _switch}
        if len(names) > MAX_BUTTONS:
            st.selectbox("Atlas", names, width=LIST_PX, **options)  # a list has no width of its own
        else:
            st.segmented_control("Atlas", names, required=True, width="content", **options)
    return asked


_SWITCH = "atlas-switch"


def _switch() -> None:
    """Show another atlas with the query it had, in one step of the browser's history."""
    st.session_state[SHOWN] = chosen = st.session_state[_SWITCH]
    query_string.switch_atlas(chosen)


def for_atlas(name: str) -> Opening:
    """The opening of an atlas, once its data (not yet its model) are there or have failed."""
    opening = services().explorers.opening(name)
    with st.container(key="opening"):  # always there, for what comes and goes must not shift the map
        if opening.atlas is None and not opening.wait(POLL_S):
            note = st.empty()
            with note, st.spinner(f"Opening the atlas {atlas_title(name)} …"):
                while opening.atlas is None and not opening.wait(POLL_S):
                    pass
            note.empty()
        if opening.error is not None:
            st.error(literal(str(opening.error)), icon=":material/info:")
            st.button("Try again", key="retry", on_click=services().explorers.forget, args=(name,))
    return opening


def store_note(opening: Opening, instead: str) -> None:
    """Say on a page that does not search that page Explore answers from a store, and what this page uses."""
    if opening.explorer is not None and opening.explorer.searched:
        st.caption(literal(f"Explore searches {opening.explorer.searched}. This page uses {instead}."))


def for_explorer(opening: Opening, *, asked: bool) -> None:
    """Show what is being computed until it is done, well or badly; the page is then rerun."""
    if opening.wait(POLL_S):
        st.rerun()

    def report() -> progress.Progress:
        return progress.Progress("open" if opening.wait(0) else "opening", opening.words, opening.share)

    progress.follow(report, "opening", f"opening-{opening.name}", time_left=True)
    if asked:
        st.markdown("Your query is answered as soon as this is done.")
    st.caption("This happens only at the first start; the result is cached.")
