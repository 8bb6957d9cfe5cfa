"""The query composer: words or coordinates, a picture, ready examples, and the items of the query as chips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import query_string
from pages.ui.explore import session, suggestions, uploads
from pages.ui.explore.examples import examples, hints
from pages.ui.formatting import literal, short, weight
from pages.ui.popovers import popover
from unigeoclip.errors import InputError
from unigeoclip.parsing.coordinates import LATITUDE, LONGITUDE, check_point, parse_degrees, parse_point

if TYPE_CHECKING:
    from pages.ui.explore.examples import Example
    from pages.ui.explore.session import Session
    from unigeoclip.atlas.schema import Manifest
    from unigeoclip.search.explorer import Explorer

FIELD_PX = 130
JOINS = {"new": "New query", "plus": "+ more like", "minus": "− less like"}


def compose(visitor: Session, manifest: Manifest, explorer: Explorer | None) -> None:
    """Draw the composer; what is entered changes the visitor's wanted items."""
    if st.session_state.get("fields-of") != visitor.atlas:
        st.session_state["fields-of"] = visitor.atlas
        st.session_state["words"] = visitor.asked_words
        _fill(visitor.asked_point)
    hint = hints(manifest)
    # A form: one answer to Enter or the button, whatever was typed into its three fields.
    with st.form("ask", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(suggestions.LABEL, key="words", placeholder=hint.words)
        # Text, not number inputs: those drop what they do not know, and with it every decimal comma.
        for axis, placeholder in ((LATITUDE, hint.latitude), (LONGITUDE, hint.longitude)):
            st.text_input(axis.capitalize(), placeholder=placeholder, key=axis, width=FIELD_PX)
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
            "How the next item joins", list(JOINS), format_func=JOINS.__getitem__, default="new", key="join",
            required=True, label_visibility="collapsed",
        )  # fmt: skip
        st.button("Clear", key="clear", type="tertiary", on_click=session.start, args=(visitor, ()))
        _examples(visitor, manifest)


def problem(visitor: Session) -> None:
    """Show what could not be done, once.

    It stands right below the fields: most of what it says is about them. The container is there with or without a
    problem: an element that comes and goes would shift those below it, and Streamlit would mount the map anew.
    """
    with st.container(key="problem"):
        visitor.told, visitor.problem = visitor.problem, ""
        if visitor.told:
            st.error(literal(visitor.told), icon=":material/info:")
            # For the style sheet, which rims the fields: a container that changed its name would take their focus.
            marks = "".join(f'<i class="ugc-bad-{axis}"></i>' for axis in visitor.bad_fields)
            if marks:
                st.html(marks)


def notes(visitor: Session) -> None:
    """Show what there is to know about the answer: remarks on the picture and on the query."""
    of_query = visitor.answer.query.notes if visitor.answer else ()
    for text in (*visitor.remarks, *(note.text for note in of_query)):
        st.info(literal(text), icon=":material/lightbulb:")
    visitor.remarks = ()


def join() -> str:
    """How the next item joins the query: "new", "plus" or "minus"."""
    return st.session_state.get("join") or "new"


def _fill(point: tuple[float, float] | None) -> None:
    """Show a point in the fields, or nothing."""
    texts = ("", "") if point is None else tuple(map(query_string.degrees, point))
    st.session_state[LATITUDE], st.session_state[LONGITUDE] = texts


def take_point(visitor: Session, lat: float, lon: float) -> None:
    """Ask about a point on the map and show its coordinates in the fields."""
    try:
        item = query_string.point(*check_point(lat, lon))
    except InputError as error:
        visitor.problem = str(error)
        return
    visitor.asked_point, visitor.bad_fields = item.value, ()
    _fill(item.value)
    session.add(visitor, item, join=join())


def _submit(visitor: Session) -> None:
    """Ask what is new in the form; if nothing is, ask it again.

    What cannot be read stays in its field, with the reason below.
    """
    words: str = st.session_state["words"]
    fields = (st.session_state[LATITUDE], st.session_state[LONGITUDE])
    if words and words != visitor.asked_words and fields == visitor.refused and not _is_point(words):
        _ask_words(visitor, words)  # what was refused before and has not been touched since keeps nobody from asking
        return
    visitor.bad_fields = ()
    try:
        point = parse_point(words)
        if point is not None:
            st.session_state["words"] = ""
        else:
            point = _point_of_fields(visitor)
    except InputError as error:
        visitor.problem, visitor.refused = str(error), fields
        return
    is_words = bool(st.session_state["words"])
    new_point = point is not None and point != visitor.asked_point
    if is_words and (words != visitor.asked_words or not new_point):
        _ask_words(visitor, words)
    elif point is not None:
        take_point(visitor, *point)
    else:
        visitor.problem = "Nothing to ask yet: type some words, give latitude and longitude, or click the map."


def _ask_words(visitor: Session, words: str) -> None:
    visitor.asked_words = words
    session.add(visitor, query_string.words(words), join=join())


def _point_of_fields(visitor: Session) -> tuple[float, float] | None:
    """The point in the two fields, None if they are empty; which of them are to be corrected goes into the session.

    Raises:
        InputError: What is in them is no point, or only half of one.
    """
    texts = {axis: st.session_state[axis].strip() for axis in (LATITUDE, LONGITUDE)}
    given = [axis for axis, text in texts.items() if text]
    # A whole point may be pasted into either field.
    if len(given) == 1 and (point := _pasted(texts[given[0]], given[0])) is not None:
        return point
    found, problems = {}, {}
    for axis in given:
        try:
            found[axis] = parse_degrees(texts[axis], axis)
        except InputError as error:
            problems[axis] = str(error)
    if not problems and len(given) == 1:
        missing = next(axis for axis in texts if axis not in given)
        problems[missing] = f"A point needs both numbers: give the {missing} as well, or empty the {given[0]}."
    visitor.bad_fields = tuple(problems)
    if problems:
        raise InputError(" ".join(problems.values()))
    return (query_string.rounded(found[LATITUDE]), query_string.rounded(found[LONGITUDE])) if given else None


def _is_point(text: str) -> bool:
    """Whether a text is a point or would be one, but for its range."""
    try:
        return parse_point(text) is not None
    except InputError:
        return True


def _pasted(text: str, axis: str) -> tuple[float, float] | None:
    """The whole point that a text spells which is no coordinate by itself: "48,85" is one, "48.85, 2.35" is none."""
    try:
        parse_degrees(text, axis)
    except InputError:
        return parse_point(text)
    return None


def _chip(visitor: Session, index: int) -> None:
    item = visitor.wanted[index]
    label = f"{weight(item.weight)}\u2002{short(item.label or str(item.value))}"
    key = f"weight-{visitor.shape}-{index}"
    with st.container(horizontal=True, gap=None, width="content", key=f"whole-chip-{index}"):
        with st.popover(literal(label), key=f"chip-{index}"):
            st.slider(
                "Weight", -query_string.MAX_WEIGHT, query_string.MAX_WEIGHT, float(item.weight), 0.25, key=key,
                on_change=_reweigh, args=(visitor, index, key),
                help="Above zero: more like this. Below zero: less like this.",
            )  # fmt: skip
        # Its name says which: a list of buttons that are all called "Remove" helps nobody who hears it.
        st.button(
            f"Remove {literal(short(item.label or str(item.value)))}", icon=":material/close:", key=f"remove-{index}",
            on_click=session.remove, args=(visitor, index),
        )  # fmt: skip


def _reweigh(visitor: Session, index: int, key: str) -> None:
    session.reweigh(visitor, index, st.session_state[key])


def _examples(visitor: Session, manifest: Manifest) -> None:
    with popover("Examples", type="tertiary", key="examples") as is_open:
        for example in examples(manifest) if is_open else ():
            st.button(
                example.title, key=f"example-{example.title}", type="tertiary", on_click=take_example,
                args=(visitor, example),
            )  # fmt: skip


def take_example(visitor: Session, example: Example) -> None:
    """Ask a ready query."""
    session.start(visitor, tuple(query_string.parse(part) for part in example.link))
