"""The introduction of page Explore: three steps for a first visit, later what to do in two sentences; guided tours.

Whether it has been seen is known to the visitor's browser alone, so the server takes no part in it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.widgets.components import component, stylesheet

if TYPE_CHECKING:
    from pages.ui.protocol import IntroProps

_HTML = f"""
{stylesheet("components/intro/intro.css")}
{stylesheet("components/tour/tour.css")}
<div class="ugc-intro"></div>
"""
_component = partial(component, "intro", _HTML)


def show(where: str, *, asked: bool) -> None:
    """Draw the introduction or, for those who have seen it, what to do in two sentences.

    Args:
        where: Where the map shows what is similar to a query, as in "where on Earth".
        asked: Whether there are results; the introduction then only comes when it is called for.
    """
    with st.container(key="intro"):
        data: IntroProps = {"where": where, "asked": asked}
        _component()(key="introduction", data=data)
