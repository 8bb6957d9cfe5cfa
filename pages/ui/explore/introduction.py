"""The first minute on page Explore: three steps, until the visitor has got it; what to do, later on.

Whether it has been seen is known to the visitor's browser alone, so the server takes no part in it.
"""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.ui.components import component

_component = partial(component, "intro", "components/intro/intro.js", '<div class="ugc-intro"></div>')


def show(where: str, *, asked: bool) -> None:
    """Draw the introduction or, for those who have seen it, what to do in two sentences.

    Args:
        where: Where the map shows what is like a query, as in "where on Earth".
        asked: Whether there are results; the introduction then only comes when it is called for.
    """
    with st.container(key="intro"):
        _component()(key="introduction", data={"where": where, "asked": asked})
