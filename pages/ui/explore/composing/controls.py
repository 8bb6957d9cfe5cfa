"""Widgets that compose a query: the area as a chip, "all together" or "any of them", thumbs on cards and their undo."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.explore.composing.scope import MAX_VOTES, is_choice
from pages.ui.formatting import distance
from unigeoclip.geo import distance_m
from unigeoclip.search.composing.rocchio import DOWN, UP, vote_of, voted, votes_of
from unigeoclip.search.query import ANY, SUM
from unigeoclip.search.query_items import GalleryItem

if TYPE_CHECKING:
    from pages.ui.explore.session import Session
    from pages.ui.protocol import CardVote

_TITLES = {SUM: "All together", ANY: "Any of them"}
_HELP = (
    "All together: the weighted sum of the examples, which finds what they have in common. Any of them: as similar as "
    "to the closest of the examples; each counts in full, and what is below zero is subtracted."
)


def combination(session: Session) -> None:
    """Draw the switch between all together and any of them; nothing where there is no choice."""
    if not is_choice(session.pending):
        return
    key = "combine-chosen"

    def chosen() -> None:
        session.scope = replace(session.scope, combine=st.session_state[key])

    st.session_state[key] = session.scope.combine
    st.segmented_control(
        "How the examples count", list(_TITLES), format_func=_TITLES.__getitem__, key=key, required=True,
        on_change=chosen, help=_HELP, label_visibility="collapsed",
    )  # fmt: skip


def area_chip(session: Session) -> None:
    """Draw the area as a chip that one press removes; nothing without one."""
    if session.scope.area is None:
        return
    south, west, north, east = session.scope.area
    middle = (south + north) / 2
    wide = distance(float(distance_m((middle, west), (middle, (west + east) / 2))) * 2)  # beyond half of the globe, too
    high = distance(float(distance_m((south, west), (north, west))))
    st.button(
        f"Only in an area of {wide} × {high}", icon=":material/close:", key="whole-area", type="secondary",
        on_click=session.choose_area, args=(None,), help="Remove the area: search everywhere",
    )  # fmt: skip


def vote(session: Session, card: CardVote) -> None:
    """Refine the query by a thumb on a card."""
    item, sign = GalleryItem(card["modality"], card["place_id"], card["window"]), UP if card["vote"] == "up" else DOWN
    if not vote_of(session.pending, item) and len(votes_of(session.pending)) >= MAX_VOTES:
        session.problem = f"A query holds at most {MAX_VOTES} thumbs; take one back to add another."
        return
    items = voted(session.pending, item, sign, card["name"])
    session.refine(items)


def undo(session: Session) -> None:
    """Draw the button that takes back the last thumb; nothing without one."""
    if session.before_votes:
        st.button(
            "Undo", key="undo-vote", type="tertiary", on_click=session.take_back_vote, help="Take back the last thumb"
        )
