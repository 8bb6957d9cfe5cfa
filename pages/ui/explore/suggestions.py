"""Suggestions for the words of a query, in the browser."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.http.urls import urls
from pages.ui.widgets.components import component

if TYPE_CHECKING:
    from pages.ui.protocol import SuggestProps
    from unigeoclip.atlas import Atlas

LABEL = "Describe a place"
_component = partial(component, "suggest", '<datalist id="ugc-suggestions"></datalist>')


def attach(atlas: Atlas) -> None:
    """Let the field `LABEL` suggest as one types; the list is fetched when somebody first does."""
    with st.container(key="suggestions"):  # nothing to see: the style sheet takes it out of the layout
        data: SuggestProps = {"url": urls.suggestions(atlas), "label": LABEL}
        _component()(key=f"suggest-{atlas.name}", data=data)
