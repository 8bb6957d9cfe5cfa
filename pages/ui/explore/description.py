"""What a query stands for, in words: one line, and all phrases with their weights in a popover."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.formatting import literal
from pages.ui.widgets.popovers import popover
from pages.ui.widgets.tables import Cell, Table, table_html

if TYPE_CHECKING:
    from unigeoclip.words.describer import Description

_HOW = (
    "Of a vocabulary without names, the phrases whose weighted sum comes closest to this query in UniGeoCLIP's space. "
    "Weights are never negative."
)


def show(description: Description | None) -> None:
    """Draw the line; nothing for None."""
    if description is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="in-words"):
        if not description.is_known:
            st.caption(f"In words: not known. {literal(description.note)}", width="stretch")
            return
        st.markdown(f"In words: **{literal(description.summary())}**", width="content")
        with popover(f"explains {_percent(description.explained)}", key="in-words-details", type="tertiary") as is_open:
            if is_open:
                st.html(phrases_table(description))
                st.caption(
                    f"{_HOW} They explain {_percent(description.explained)} of what a text can say of it; of random "
                    f"vectors, phrases explain {_percent(description.chance)} on average."
                )


def phrases_table(description: Description) -> str:
    """All phrases of a description as an HTML table: phrase, kind, weight."""
    rows = [[Cell(each.text), Cell(each.kind), Cell(f"{each.weight:.2f}")] for each in description.phrases]
    return table_html(Table(("Phrase", "Kind", "Weight"), rows, figures=False, label="The query in words"))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
