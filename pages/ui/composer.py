"""The query composer: words or coordinates, a picture, ready examples, and the items of the query as chips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import links, scale, state, suggestions, uploads
from pages.ui.examples import examples, hints
from pages.ui.words import literal, short, weight

if TYPE_CHECKING:
    from pages.ui.examples import Example
    from pages.ui.state import Session
    from unigeoclip.atlas.schema import Manifest
    from unigeoclip.search import Explorer

JOINS = {"new": "New query", "plus": "+ more like", "minus": "− less like"}


def compose(visitor: Session, manifest: Manifest, explorer: Explorer | None) -> None:
    """Draw the composer; what is entered changes the visitor's wanted items."""
    if st.session_state.get("fields-of") != visitor.atlas:
        st.session_state["fields-of"] = visitor.atlas
        st.session_state["words"] = visitor.asked_words
        st.session_state["latitude"], st.session_state["longitude"] = visitor.asked_point or (None, None)
    hint, number = hints(manifest), f"%.{scale.of(manifest).click_digits}f"
    # A form: one answer to Enter or the button, whatever was typed into its three fields.
    with st.form("ask", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(suggestions.LABEL, key="words", placeholder=hint.words)
        st.number_input("Latitude", value=None, format=number, placeholder=hint.latitude, key="latitude", width=130)
        st.number_input("Longitude", value=None, format=number, placeholder=hint.longitude, key="longitude", width=130)
        st.form_submit_button("Ask", key="ask-button", type="primary", on_click=_submit, args=(visitor,))
    with st.popover("Image", key="image", disabled=explorer is None):
        if explorer is not None:
            uploads.panel(visitor, explorer, join())


def chips(visitor: Session, manifest: Manifest) -> None:
    """Draw the items of the query; while there are none, what to do."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="chips"):
        if not visitor.wanted:
            hint = "Click the map, type some words, or choose an example."
            st.html(f'<span class="ugc-hint">{hint}</span>', width="content")
            _examples(visitor, manifest)
            return
        for index in range(len(visitor.wanted)):
            _chip(visitor, index)
        st.segmented_control(
            "How the next item joins", list(JOINS), format_func=JOINS.get, default="new", key="join", required=True,
            label_visibility="collapsed",
        )  # fmt: skip
        st.button("Clear", key="clear", type="tertiary", on_click=state.start, args=(visitor, ()))
        _examples(visitor, manifest)


def problem(visitor: Session) -> None:
    """Show what could not be done, once.

    The container is there with or without a problem: an element that comes and goes would shift those below it, and
    Streamlit would mount the map anew.
    """
    with st.container(key="problem"):
        visitor.told, visitor.problem = visitor.problem, ""
        if visitor.told:
            st.error(literal(visitor.told), icon=":material/info:")


def notes(visitor: Session) -> None:
    """Show what there is to know about the answer: remarks on the picture and on the query."""
    of_query = visitor.answer.query.notes if visitor.answer else ()
    for text in (*visitor.remarks, *(note.text for note in of_query)):
        st.info(literal(text), icon=":material/lightbulb:")
    visitor.remarks = ()


def join() -> str:
    """How the next item joins the query: "new", "plus" or "minus"."""
    return st.session_state.get("join") or "new"


def take_point(visitor: Session, lat: float, lon: float) -> None:
    """Ask about a point on the map and show its coordinates in the fields."""
    st.session_state["latitude"], st.session_state["longitude"] = lat, lon
    visitor.asked_point = (lat, lon)
    state.add(visitor, links.point(lat, lon), join=join())


def _submit(visitor: Session) -> None:
    """Ask what is new in the form; if nothing is, ask it again."""
    words, lat, lon = (st.session_state[key] for key in ("words", "latitude", "longitude"))
    latlon = links.as_coordinates(words)
    if latlon is not None:
        take_point(visitor, *latlon)
        st.session_state["words"] = ""
        return
    point = (lat, lon) if lat is not None and lon is not None else None
    new_point = point is not None and point != visitor.asked_point
    if words and (words != visitor.asked_words or not new_point):
        visitor.asked_words = words
        state.add(visitor, links.words(words), join=join())
    elif point is not None:
        take_point(visitor, *point)
    elif (lat is None) != (lon is None):
        visitor.problem = "A point needs both numbers: give latitude and longitude."
    else:
        visitor.problem = "Nothing to ask yet: type some words, give latitude and longitude, or click the map."


def _chip(visitor: Session, index: int) -> None:
    item = visitor.wanted[index]
    label = f"{weight(item.weight)}\u2002{short(item.label or str(item.value))}"
    key = f"weight-{visitor.shape}-{index}"
    with st.container(horizontal=True, gap=None, width="content", key=f"whole-chip-{index}"):
        with st.popover(literal(label), key=f"chip-{index}"):
            st.slider(
                "Weight", -links.MAX_WEIGHT, links.MAX_WEIGHT, float(item.weight), 0.25, key=key, on_change=_reweigh,
                args=(visitor, index, key), help="Above zero: more like this. Below zero: less like this.",
            )  # fmt: skip
        # Its name says which: a list of buttons that are all called "Remove" helps nobody who hears it.
        st.button(
            f"Remove {literal(short(item.label or str(item.value)))}", icon=":material/close:", key=f"remove-{index}",
            on_click=state.remove, args=(visitor, index),
        )  # fmt: skip


def _reweigh(visitor: Session, index: int, key: str) -> None:
    state.reweigh(visitor, index, st.session_state[key])


def _examples(visitor: Session, manifest: Manifest) -> None:
    with st.popover("Examples", type="tertiary", key="examples"):
        for example in examples(manifest):
            st.button(
                example.title, key=f"example-{example.title}", type="tertiary", on_click=take_example,
                args=(visitor, example),
            )  # fmt: skip


def take_example(visitor: Session, example: Example) -> None:
    """Ask a ready query."""
    state.start(visitor, tuple(links.parse(part) for part in example.link))
