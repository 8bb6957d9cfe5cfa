"""What a visitor sees until the atlas is open, and when it cannot be opened."""

from __future__ import annotations

import streamlit as st

from pages.ui import engine
from pages.ui.words import literal

POLL_S = 0.15


def chosen_atlas() -> str:
    """Name of the atlas to show: the one in the address (``?atlas=``), or the first; a choice if there are several."""
    names = engine.atlas_names()
    if not names:
        st.error("There is no atlas yet. Build one with: python -m unigeoclip build world", icon=":material/info:")
        st.stop()
    asked = st.query_params.get("atlas", names[0])
    if asked not in names:
        st.error(literal(f"There is no atlas '{asked}' here; showing '{names[0]}'."), icon=":material/info:")
        asked = names[0]
    if len(names) == 1:
        return asked
    chosen = st.segmented_control("Atlas", names, default=asked, required=True, key="atlas")
    if chosen != asked:
        st.query_params["atlas"] = chosen
    return chosen


def for_atlas(name: str) -> engine.Opening:
    """The opening of an atlas, once its data (not yet its model) are there or have failed."""
    opening = engine.opening(name)
    while opening.atlas is None and not opening.wait(POLL_S):
        pass
    if opening.error is not None:
        st.error(literal(str(opening.error)), icon=":material/info:")
        st.button("Try again", key="retry", on_click=engine.forget, args=(name,))
    return opening


def for_explorer(opening: engine.Opening) -> None:
    """Show what is being computed until it is done, then draw the page anew."""
    if opening.error is not None:
        return
    bar = st.progress(opening.share, text=opening.words)
    st.caption("Only at the first start: the result is kept for the next time.")
    while not opening.wait(POLL_S):
        bar.progress(opening.share, text=f"{opening.words} … {opening.share:.0%}")
    st.rerun()
