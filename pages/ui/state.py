"""The visitor's query: a list of items, kept in the session and, where it can be, in the address of the page.

Widgets change the *wanted* items through the functions here; the page then asks the explorer. If it refuses them, the
sentence why is kept as the problem and the items go back to those last answered, so that a mistake never costs a query.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from pages.ui import links, looking, mapview, scale
from pages.ui.words import coordinates
from unigeoclip.errors import InputError, UniGeoError

if TYPE_CHECKING:
    from unigeoclip.heatmap import Best, Heatmap
    from unigeoclip.search import Explorer, Match, Place, Query, QueryItem

MAX_ITEMS = 8
MATCHES = 10
LOW_OPACITY = 0.25


@dataclass(frozen=True)
class Spot:
    """Where an item of the query is: a point, a place or a camera (then with its heading); ``index`` counts items."""

    index: int
    item: QueryItem
    lat: float
    lon: float
    heading_deg: float | None = None


@dataclass(frozen=True)
class Answer:
    """What the explorer said to one list of items."""

    items: tuple[QueryItem, ...]
    query: Query
    heatmap: Heatmap
    colours: dict[str, Any]
    png: bytes
    best: Best
    best_near: Place
    matches: dict[str, list[Match]]
    spots: tuple[Spot, ...] = ()


@dataclass
class Session:
    """State of one visitor on page Explore.

    Attributes:
        atlas: Name of the atlas that is asked.
        wanted: Items the visitor asks for.
        answer: Answer to the items last accepted.
        problem: Sentence about the last thing that could not be done.
        shape: Counts changes of the list of items, but not of their weights: the key of the weights' sliders.
        asked_words: Words that the form asked last.
        asked_point: Point that the form or the map asked last, (lat, lon).
        remarks: Sentences about the last picture: what was done to it before it was asked.
        revision: Counts answers and refusals; the map uses it to know that a question is settled.
        link: The items part of the page's address as last written or read.
    """

    atlas: str = ""
    wanted: tuple[QueryItem, ...] = ()
    answer: Answer | None = None
    problem: str = ""
    remarks: tuple[str, ...] = ()
    shape: int = 0
    asked_words: str = ""
    asked_point: tuple[float, float] | None = None
    revision: int = 0
    link: tuple[str, ...] = ()


def session(atlas: str) -> Session:
    """The visitor's state for an atlas."""
    sessions: dict[str, Session] = st.session_state.setdefault("sessions", {})
    return sessions.setdefault(atlas, Session(atlas))


def start(state: Session, items: tuple[QueryItem, ...]) -> None:
    """Ask for these items in place of those before."""
    state.wanted = items
    state.shape += 1


def add(state: Session, item: QueryItem, *, join: str = "new") -> None:
    """Start a new query with an item ("new"), or join it to the present one ("plus", "minus")."""
    if join == "new":
        start(state, (item,))
        return
    if len(state.wanted) >= MAX_ITEMS:
        state.problem = f"A query holds at most {MAX_ITEMS} items; remove one to add another."
        return
    signed = replace(item, weight=-abs(item.weight)) if join == "minus" else item
    start(state, (*state.wanted, signed))


def remove(state: Session, index: int) -> None:
    """Take one item out of the query."""
    start(state, state.wanted[:index] + state.wanted[index + 1 :])


def reweigh(state: Session, index: int, weight: float) -> None:
    """Give one item another weight."""
    items = list(state.wanted)
    items[index] = replace(items[index], weight=weight)
    state.wanted = tuple(items)


def settle(state: Session, explorer: Explorer) -> None:
    """Answer the wanted items if they are new; keep the old answer and say why if that fails."""
    if not state.wanted:
        state.answer = None
        return
    if state.answer is not None and state.answer.items is state.wanted:
        return
    state.revision += 1
    try:
        state.wanted = tuple(_named(explorer, item) for item in state.wanted)
        state.answer = ask(explorer, state.wanted)
    except UniGeoError as error:
        state.problem = str(error)
        start(state, state.answer.items if state.answer else ())


def ask(explorer: Explorer, items: tuple[QueryItem, ...]) -> Answer:
    """One query: its vector, its heatmap and the closest places of every modality."""
    query = explorer.query([_picture_of_view(explorer, item) for item in items])
    heatmap = explorer.heatmap(query)
    best = heatmap.best()
    near, _ = explorer.nearest_place(best.lat, best.lon)
    colours = mapview.colours(heatmap)
    # Where nothing is like the query, the map below shows through.
    png = heatmap.png(low_opacity=LOW_OPACITY, **colours)
    spots = tuple(spot for index, item in enumerate(items) if (spot := _spot(explorer, index, item)) is not None)
    return Answer(items, query, heatmap, colours, png, best, near, explorer.search(query, k=MATCHES), spots)


def _named(explorer: Explorer, item: QueryItem) -> QueryItem:
    """Items that came by a link know only numbers and ids; people read names."""
    if item.modality == "place" and item.label == item.value:
        return replace(item, label=explorer.place(item.value).name)
    if item.modality == "location":
        return replace(item, label=coordinates(*item.value, scale.of(explorer.atlas.manifest).digits))
    if item.modality == links.VIEW and explorer.streets is not None:
        lat, lon, heading = item.value
        return links.view(lat, lon, heading, explorer.streets.nearest(lat, lon).street, item.weight)
    return item


def _picture_of_view(explorer: Explorer, item: QueryItem) -> QueryItem:
    """A street view of the atlas as the picture that its model reads; any other item as it is.

    Raises:
        InputError: The atlas has no street views, or none there.
    """
    if item.modality != links.VIEW:
        return item
    if explorer.streets is None:
        raise InputError(f"The atlas {explorer.atlas.title} has no street views to ask with.")
    width, height = explorer.input_size("street")
    picture = explorer.streets.picture(*item.value, width=width, height=height)
    return replace(item, modality="street", value=np.asarray(picture).transpose(2, 0, 1).copy())


def _spot(explorer: Explorer, index: int, item: QueryItem) -> Spot | None:
    if item.modality in ("location", links.VIEW):
        return Spot(index, item, *item.value)
    if item.modality == "place":
        place = explorer.place(item.value)
        return Spot(index, item, place.lat, place.lon)
    return None


def read_link(state: Session) -> None:
    """Take over the query from the page's address when it was opened or changed there (a link, the back button)."""
    link = tuple(st.query_params.get_all(links.KEY))
    if not link or link == state.link:
        return
    state.link = link
    try:
        start(state, tuple(links.parse(part) for part in link[:MAX_ITEMS]))
    except InputError as error:
        state.problem = str(error)


def write_link(state: Session) -> None:
    """Put the query into the page's address, as far as it can stand there: pictures cannot."""
    state.link = tuple(text for item in state.wanted if (text := links.write(item)) is not None)
    if state.link or links.KEY in st.query_params or links.ATLAS in st.query_params:
        write_address(state)


def write_address(state: Session) -> None:
    """Make the address that of this query and its atlas; one step of the browser's history, and none if it is so."""
    present = {key: st.query_params.get_all(key) for key in st.query_params}
    # What page Compare looks at belongs to the atlas it was chosen in.
    ours = {links.ATLAS, links.KEY, *looking.KEYS}
    others = {key: values for key, values in present.items() if key not in ours}
    address = others | {links.ATLAS: [state.atlas]} | ({links.KEY: list(state.link)} if state.link else {})
    if address != present:
        st.query_params.from_dict(address)
