"""The query composer: words or coordinates, a picture, ready examples, and the items of the query as chips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import query_string
from pages.ui.explore import suggestions, uploads
from pages.ui.explore.composing import controls, example_files
from pages.ui.explore.examples import examples, hints
from pages.ui.explore.session import Widgets, widgets
from pages.ui.formatting import literal, short, weight
from pages.ui.widgets.popovers import popover
from unigeoclip.errors import InputError
from unigeoclip.parsing.coordinates import LATITUDE, LONGITUDE, check_point, parse_degrees, parse_point
from unigeoclip.search.query import ANY
from unigeoclip.search.query_items import ITEM

if TYPE_CHECKING:
    from pages.ui.explore.session import Session
    from unigeoclip.atlas.examples import Example
    from unigeoclip.atlas.schema import Manifest
    from unigeoclip.search.explorer import Explorer

FIELD_PX = 130
JOINS = {"new": "New query", "plus": "+ more like", "minus": "− less like"}


def compose(session: Session, manifest: Manifest, explorer: Explorer | None) -> None:
    """Draw the composer; what is entered changes the pending items of the session."""
    if widgets.filled_for != session.atlas:
        widgets.filled_for = session.atlas
        widgets.words = session.form_words
        _fill(session.form_point)
    hint = hints(manifest)
    # A form: one answer to Enter or the button, whatever was typed into its three fields.
    with st.form("ask", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(suggestions.LABEL, key=Widgets.words.key, placeholder=hint.words)
        # Text, not number inputs: those drop what they do not know, and with it every decimal comma.
        for axis, placeholder in ((LATITUDE, hint.latitude), (LONGITUDE, hint.longitude)):
            st.text_input(axis.capitalize(), placeholder=placeholder, key=axis, width=FIELD_PX)
        st.form_submit_button("Search", key="ask-button", type="primary", on_click=_submit, args=(session,))
    with st.popover("Image", key="image", disabled=explorer is None):
        if explorer is not None:
            uploads.panel(session, explorer, join())


def chips(session: Session, manifest: Manifest, explorer: Explorer | None) -> None:
    """Draw the items of the query; while there are none, what to do."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="chips"):
        controls.area_chip(session)
        if not session.pending:
            hint = "Click the map, type some words, or choose an example."
            st.html(f'<span class="ugc-hint">{hint}</span>', width="content")
            _examples(session, manifest, explorer)
            return
        for index in range(len(session.pending)):
            _chip(session, index)
        controls.combination(session)
        st.segmented_control(
            "How to add the next item", list(JOINS), format_func=JOINS.__getitem__, default="new", key=Widgets.join.key,
            required=True, label_visibility="collapsed",
        )  # fmt: skip
        controls.undo(session)
        st.button("Clear", key="clear", type="tertiary", on_click=session.start, args=((),))
        _examples(session, manifest, explorer)


def problem(session: Session) -> None:
    """Show what could not be done, once.

    It is right below the fields: most problems are about them. The container is there with or without a
    problem: an element that comes and goes would shift those below it, and Streamlit would mount the map again.
    """
    with st.container(key="problem"):
        session.shown_problem, session.problem = session.problem, ""
        if session.shown_problem:
            st.error(literal(session.shown_problem), icon=":material/info:")
            # For the style sheet, which rims the fields: a container that changed its name would take their focus.
            marks = "".join(f'<i class="ugc-bad-{axis}"></i>' for axis in session.bad_fields)
            if marks:
                st.html(marks)


def notes(session: Session) -> None:
    """Show what there is to know about the answer: remarks on the picture and on the query."""
    of_query = session.answer.query.notes if session.answer else ()
    for note in (note for note in of_query if note.kind == "nothing"):
        st.warning(literal(note.text), icon=":material/search_off:")
    for text in (*session.remarks, *(note.text for note in of_query if note.kind != "nothing")):
        st.info(literal(text), icon=":material/lightbulb:")
    session.remarks = ()


def join() -> str:
    """How the next item joins the query: "new", "plus" or "minus"."""
    return widgets.join or "new"


def _fill(point: tuple[float, float] | None) -> None:
    """Show a point in the fields, or nothing."""
    texts = ("", "") if point is None else tuple(map(query_string.degrees, point))
    widgets.latitude, widgets.longitude = texts


def take_point(session: Session, lat: float, lon: float) -> None:
    """Query a point on the map and show its coordinates in the fields."""
    try:
        item = query_string.point(*check_point(lat, lon))
    except InputError as error:
        session.problem = str(error)
        return
    session.form_point, session.bad_fields = item.value, ()
    _fill(item.value)
    session.add(item, join=join())


def _submit(session: Session) -> None:
    """Query what is new in the form; if nothing is, query it again.

    What cannot be read stays in its field, with the reason below.
    """
    words = widgets.words
    fields = (widgets.latitude, widgets.longitude)
    if words and words != session.form_words and fields == session.refused and not _is_point(words):
        _ask_words(session, words)  # what was refused before and has not been touched since prevents no query
        return
    session.bad_fields = ()
    try:
        point = parse_point(words)
        if point is not None:
            widgets.words = ""
        else:
            point = _point_of_fields(session)
    except InputError as error:
        session.problem, session.refused = str(error), fields
        return
    is_words = bool(widgets.words)
    new_point = point is not None and point != session.form_point
    if is_words and (words != session.form_words or not new_point):
        _ask_words(session, words)
    elif point is not None:
        take_point(session, *point)
    else:
        session.problem = "The query is empty: type some words, enter latitude and longitude, or click the map."


def _ask_words(session: Session, words: str) -> None:
    session.form_words = words
    session.add(query_string.words(words), join=join())


def _point_of_fields(session: Session) -> tuple[float, float] | None:
    """The point in the two fields, None if they are empty; which of them are to be corrected goes into the session.

    Raises:
        InputError: What is in them is no point, or only half of one.
    """
    texts = {LATITUDE: widgets.latitude.strip(), LONGITUDE: widgets.longitude.strip()}
    given = [axis for axis, text in texts.items() if text]
    # A whole point may be pasted into either field.
    if len(given) == 1 and (point := _pasted(texts[given[0]], given[0])) is not None:
        return point
    degrees, problems = {}, {}
    for axis in given:
        try:
            degrees[axis] = parse_degrees(texts[axis], axis)
        except InputError as error:
            problems[axis] = str(error)
    if not problems and len(given) == 1:
        missing = next(axis for axis in texts if axis not in given)
        problems[missing] = f"A point needs both numbers: enter the {missing} as well, or clear the {given[0]}."
    session.bad_fields = tuple(problems)
    if problems:
        raise InputError(" ".join(problems.values()))
    return (query_string.rounded(degrees[LATITUDE]), query_string.rounded(degrees[LONGITUDE])) if given else None


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


def weight_key(session: Session, index: int) -> str:
    """Key of the slider of an item's weight."""
    return f"weight-{session.shape}-{index}"


def _chip(session: Session, index: int) -> None:
    item = session.pending[index]
    counts_in_full = item.weight > 0 and session.scope.combine == ANY
    sign = "or" if counts_in_full else weight(item.weight)
    label = f"{sign}\u2002{short(item.label or str(item.value))}"
    key = weight_key(session, index)
    with st.container(horizontal=True, gap=None, width="content", key=f"whole-chip-{index}"):
        thumb = ("thumb_up" if item.weight > 0 else "thumb_down") if item.modality == ITEM else ""
        with st.popover(literal(label), key=f"chip-{index}", icon=f":material/{thumb}:" if thumb else None):
            st.slider(
                "Weight", -query_string.MAX_WEIGHT, query_string.MAX_WEIGHT, float(item.weight), 0.25, key=key,
                on_change=_reweigh, args=(session, index, key),
                help="Above zero: more like this. Below zero: less like this.",
            )  # fmt: skip
            if counts_in_full:
                st.caption("Of “Any of them”, every example above zero counts in full.")
        # Its name says which: buttons that are all called "Remove" are useless in a screen reader.
        st.button(
            f"Remove {literal(short(item.label or str(item.value)))}", icon=":material/close:", key=f"remove-{index}",
            on_click=session.remove, args=(index,),
        )  # fmt: skip


def _reweigh(session: Session, index: int, key: str) -> None:
    session.set_weight(index, st.session_state[key])


def _examples(session: Session, manifest: Manifest, explorer: Explorer | None) -> None:
    with popover("Examples", type="tertiary", key="examples") as is_open:
        with st.container(gap=None):
            for example in examples(manifest) if is_open else ():
                st.button(
                    example.title, key=f"example-{example.title}", type="tertiary", on_click=take_example,
                    args=(session, example),
                )  # fmt: skip
        if is_open and explorer is not None:
            example_files.panel(session, explorer)


def take_example(session: Session, example: Example) -> None:
    """Query an example."""
    session.start(tuple(query_string.parse(part) for part in example.link))
