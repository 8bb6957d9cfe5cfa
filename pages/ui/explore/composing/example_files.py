"""Saving the examples of a query as a GeoJSON file, and loading such a file: the panel below the ready examples."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import query_string
from pages.ui.explore.composing.scope import MAX_VOTES, Scope, is_choice
from pages.ui.explore.session import MAX_ITEMS, widgets
from pages.ui.widgets import downloads
from unigeoclip.errors import InputError, UniGeoError, excerpt
from unigeoclip.search.composing.example_sets import MAX_BYTES, ExampleSet, read_examples, write_examples
from unigeoclip.search.query import SUM
from unigeoclip.search.query_items import ITEM

if TYPE_CHECKING:
    from pages.ui.explore.session import Session
    from unigeoclip.search.explorer import Explorer, QueryItem


def panel(session: Session, explorer: Explorer) -> None:
    """Draw the panel; a file that can be read replaces the query, any other leaves it as it is."""
    st.caption("Your own examples, with their weights, as GeoJSON. A picture is saved as its embedding.")
    if session.pending:
        downloads.button("Save examples", saved, session, explorer, file=f"{session.atlas}-examples.geojson")
    key = f"examples-file-{widgets.upload_turn}"
    st.file_uploader(
        "Load examples", type=["geojson", "json"], key=key, on_change=_take, args=(session, key),
        max_upload_size=MAX_BYTES // 1_000_000,
    )  # fmt: skip


def saved(session: Session, explorer: Explorer) -> bytes:
    """The present query as a file."""

    def position(item: QueryItem) -> tuple[float, float] | None:
        try:
            place = explorer.place(item.value.place_id if item.modality == ITEM else item.value)
        except UniGeoError:
            return None
        return place.lat, place.lon

    scope = session.scope
    return write_examples(ExampleSet(session.pending, scope.combine, scope.area, session.atlas), position)


def _take(session: Session, key: str) -> None:
    file = st.session_state[key]
    if file is None:
        return
    widgets.upload_turn += 1  # good or bad, the field is ready for the next
    load(session, file.name, file.getvalue())


def load(session: Session, name: str, data: bytes) -> None:
    """Query the examples of a file; if it cannot be used, say why and change nothing."""
    try:
        found = read_examples(data, MAX_ITEMS + MAX_VOTES)
        items = tuple(map(_usable, found.items))
    except UniGeoError as error:
        session.problem = f"{excerpt(name, 60)}: {error}"
        return
    session.start(items)
    session.scope = Scope(found.combine if is_choice(items) else SUM, found.area)
    if found.atlas not in ("", session.atlas):
        session.remarks = (f"These examples were saved in the atlas “{found.atlas}”.",)


def _usable(item: QueryItem) -> QueryItem:
    """An item as this page asks it: with a weight of its sliders, and a point rounded as in links."""
    if abs(item.weight) > query_string.MAX_WEIGHT:
        most = query_string.MAX_WEIGHT
        raise InputError(f"The weight {item.weight:g} of an example lies outside -{most:g} to {most:g}.")
    if item.modality == "location":
        lat, lon = item.value
        return query_string.point(lat, lon, weight=item.weight)
    if item.modality == "text" and not item.value.strip():
        raise InputError("An example is an empty text.")
    return replace(item, label=item.label or item.modality)
