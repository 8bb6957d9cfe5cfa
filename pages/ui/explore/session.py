"""The visitor's query: a list of items, kept in the session and, where it can be, in the address of the page.

Widgets change the *wanted* items through the functions here; the page then asks the explorer. If it refuses them, the
sentence why is kept as the problem and the items go back to those last answered, so that a mistake never costs a query.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import atlas_scale, query_string
from pages.ui.compare.state import KEYS as COMPARE_KEYS
from pages.ui.explore.display import KEYS, Display
from pages.ui.formatting import coordinates
from pages.ui.services import services
from unigeoclip.errors import UniGeoError, excerpt
from unigeoclip.search.query_items import VIEW

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from pages.ui.explore.display import Drawn
    from pages.ui.explore.uploads import Upload
    from unigeoclip.search.explorer import Explorer, Match, Place, Query, QueryItem
    from unigeoclip.similarity.heatmap import Best, Heatmap

MAX_ITEMS = 8
MATCHES, MOST_MATCHES = 10, 50
_COUNTS = {str(count): count for count in range(MATCHES, MOST_MATCHES + 1, MATCHES)}  # as an address says them
_SHOWN = (*KEYS, query_string.COUNT)  # what is shown of an answer, in the address
QUIET_S, PATIENCE_S = 1.5, 6.0  # see `seek`


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
    best: Best
    best_near: Place
    matches: dict[str, list[Match]]
    count: int  # of matches of each modality that were looked for
    spots: tuple[Spot, ...] = ()
    # The place that was asked about, in all its modalities; NaN is a similarity that `seek` has yet to find.
    here: dict[str, Match] = field(default_factory=dict)
    drawn: dict[Display, Drawn] = field(default_factory=dict)  # see `display.draw`


@dataclass
class Session:
    """State of one visitor on page Explore.

    Attributes:
        atlas: Name of the atlas that is asked.
        wanted: Items the visitor asks for.
        answer: Answer to the items last accepted.
        problem: Sentence about the last thing that could not be done.
        told: The problem that the page shows now.
        shape: Counts changes of the list of items, but not of their weights: the key of the weights' sliders.
        asked_words: Words that the form asked last.
        asked_point: Point that the form or the map asked last, (lat, lon).
        bad_fields: Fields of the composer, by key, that are to be corrected.
        refused: What was in latitude and longitude when they were refused last.
        upload: The file last brought.
        remarks: Sentences about the last picture: what was done to it before it was asked.
        display: How answers are shown on the map.
        count: How many results of each modality are wanted.
        asked_at: When the present answer was asked for, seconds of `Completions.now`.
        completing: An answer and what it still lacks, being found by `seek`.
        revision: Counts answers and refusals; the map uses it to know that a question is settled.
        link: The items part of the page's address as last written or read.
        linked: The items of the link last followed; what of them the atlas cannot be asked by is left out.
        display_link: The same of the display and of ``count``.
        map_link: The same of the map's view, base map and opacity, which the browser writes.
    """

    atlas: str = ""
    wanted: tuple[QueryItem, ...] = ()
    answer: Answer | None = None
    problem: str = ""
    told: str = ""
    remarks: tuple[str, ...] = ()
    upload: Upload | None = None
    shape: int = 0
    asked_words: str = ""
    asked_point: tuple[float, float] | None = None
    bad_fields: tuple[str, ...] = ()
    refused: tuple[str, str] = ("", "")
    display: Display = field(default_factory=Display)
    count: int = MATCHES
    asked_at: float = -math.inf
    completing: tuple[Answer, Future[dict[str, Match]]] | None = None
    revision: int = 0
    link: tuple[str, ...] = ()
    linked: tuple[QueryItem, ...] = ()
    display_link: dict[str, str] = field(default_factory=dict)
    map_link: dict[str, str] = field(default_factory=dict)


def session(atlas: str) -> Session:
    """The visitor's state for an atlas."""
    sessions: dict[str, Session] = st.session_state.setdefault("sessions", {})
    return sessions.setdefault(atlas, Session(atlas))


def start(state: Session, items: tuple[QueryItem, ...]) -> None:
    """Ask for these items in place of those before."""
    state.wanted = items
    state.shape += 1
    state.count = MATCHES


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
        if state.answer.count != state.count:
            found = explorer.search(state.answer.query, k=state.count)
            state.answer = replace(state.answer, matches=found, count=state.count)
        return
    state.revision += 1
    state.asked_at = services().completions.note_query()
    if state.completing is not None:
        state.completing[1].cancel()  # if it has not begun
        state.completing = None
    is_linked = state.wanted is state.linked
    try:
        state.wanted = tuple(_named(explorer, item) for item in state.wanted)
        state.answer = ask(explorer, state.wanted, state.count)
    except UniGeoError as error:
        state.problem = str(error)
        usable = tuple(item for item in state.linked if _can_be_asked(explorer, item)) if is_linked else ()
        if 0 < len(usable) < len(state.linked):
            count = state.count
            start(state, usable)
            state.count = count
            settle(state, explorer)  # with fewer items, and not as a link's: it ends here
        else:
            start(state, state.answer.items if state.answer else ())


def _can_be_asked(explorer: Explorer, item: QueryItem) -> bool:
    try:
        explorer.query((replace(item, weight=1.0),))
    except UniGeoError:
        return False
    return True


def ask(explorer: Explorer, items: tuple[QueryItem, ...], count: int) -> Answer:
    """One query: its vector, its heatmap and the ``count`` closest places of every modality."""
    query = explorer.query(items)
    heatmap = explorer.heatmap(query)
    best = heatmap.best()
    near, _ = explorer.nearest_place(best.lat, best.lon)
    spots = tuple(spot for index, item in enumerate(items) if (spot := _spot(explorer, index, item)) is not None)
    # What is asked about is a place, if it is one point.
    here = explorer.nearest_place(*query.origin)[0] if query.origin else None
    found = {} if here is None else explorer.place_matches(query, here.place_id, encode=False)
    matches = explorer.search(query, k=count)
    return Answer(items, query, heatmap, best, near, matches, count, spots, found)


def lacks(answer: Answer | None) -> bool:
    """Whether `seek` has yet to find something of an answer."""
    return answer is not None and any(math.isnan(match.similarity) for match in answer.here.values())


def seek(state: Session, explorer: Explorer, answer: Answer) -> bool:
    """Find what an answer still lacks: how alike the place is that was asked about.

    That takes several times as long as all the rest. So it is done when the rest is on screen and nobody has asked for
    a moment (`QUIET_S`; where somebody always asks, the visitor waits no longer than `PATIENCE_S`), and in a thread of
    its own, for one visitor at a time: nobody's next question waits for it.

    Returns:
        Whether `complete` can put it in the answer; until then, call again.
    """
    seeking, completions = state.completing, services().completions
    if seeking is None or seeking[0].here is not answer.here:
        if completions.quiet_s() >= QUIET_S or completions.now() - state.asked_at >= PATIENCE_S:
            place_id = next(iter(answer.here.values())).place_id
            state.completing = answer, completions.submit(explorer.place_matches, answer.query, place_id)
        return False
    return seeking[1].done()


def complete(state: Session) -> None:
    """Put in the answer what `seek` has found of it, if it has."""
    if state.completing is None or not state.completing[1].done():
        return
    (answer, found), state.completing = state.completing, None
    if state.answer is None or state.answer.here is not answer.here:
        return
    try:
        here = found.result()
    except UniGeoError as error:
        state.problem, here = str(error), {}
    state.answer = replace(state.answer, here=here)


def more(state: Session) -> None:
    """Want more results of the same answer."""
    state.count = min(state.count + MATCHES, MOST_MATCHES)


def _named(explorer: Explorer, item: QueryItem) -> QueryItem:
    """Items that came by a link know only numbers and ids; people read names."""
    if item.modality == "place" and item.label == item.value:
        return replace(item, label=explorer.place(item.value).name)
    if item.modality == "location":
        return replace(
            item, label=coordinates(item.value[0], item.value[1], atlas_scale.of(explorer.atlas.manifest).digits)
        )
    if item.modality == VIEW and explorer.streets is not None:
        lat, lon, heading = item.value
        return query_string.view(lat, lon, heading, explorer.streets.nearest(lat, lon).street, item.weight)
    return item


def _spot(explorer: Explorer, index: int, item: QueryItem) -> Spot | None:
    if item.modality in ("location", VIEW):
        return Spot(index, item, *item.value)
    if item.modality == "place":
        place = explorer.place(item.value)
        return Spot(index, item, place.lat, place.lon)
    return None


def read_link(state: Session, modalities: Sequence[str]) -> None:
    """Take over query and display from the page's address when it was opened or changed there (a link, "back")."""
    on_map = {key: st.query_params[key] for key in query_string.MAP_KEYS if key in st.query_params}
    if on_map != state.map_link:
        state.map_link, state.problem = on_map, query_string.map_problem(on_map) or state.problem
    link = tuple(st.query_params.get_all(query_string.KEY))
    if is_new := bool(link) and link != state.link:
        state.link = link
        items, problem = query_string.parse_all(link, MAX_ITEMS)
        state.problem = problem or state.problem
        if items:
            start(state, items)
            state.linked = items
    shown = {key: st.query_params[key] for key in _SHOWN if key in st.query_params}
    if is_new or (shown != state.display_link and (shown or link)):
        state.display, state.display_link = Display.from_link(shown, modalities), shown
        state.count = _COUNTS.get(shown.get(query_string.COUNT, ""), MATCHES)
        read = {key: str(getattr(state.display, key)) for key in KEYS} | {query_string.COUNT: str(state.count)}
        if unread := [key for key, value in shown.items() if read[key] != value]:
            part = f"{unread[0]}={excerpt(shown[unread[0]], 40)}"
            state.problem = state.problem or f"The link's part '{part}' is left out: there is no such choice."


def write_link(state: Session) -> None:
    """Put the query into the page's address, as far as it can stand there: very long texts cannot."""
    state.link = tuple(text for item in state.wanted if (text := query_string.write(item)) is not None)
    if state.link or query_string.KEY in st.query_params or query_string.ATLAS in st.query_params:
        write_address(state)


def write_address(state: Session) -> None:
    """Make the address that of this query and its atlas; one step of the browser's history, and none if it is so."""
    present = {key: st.query_params.get_all(key) for key in st.query_params}
    # What page Compare looks at belongs to the atlas it was chosen in.
    ours = {query_string.ATLAS, query_string.KEY, *COMPARE_KEYS, *_SHOWN}
    if present.get(query_string.ATLAS, [state.atlas]) != [state.atlas]:
        ours |= set(query_string.MAP_KEYS)  # so does the map's view; of one atlas the browser keeps them
    others = {key: values for key, values in present.items() if key not in ours}
    more = {query_string.COUNT: str(state.count)} if state.count != MATCHES else {}
    state.display_link = state.display.to_link() | more
    shown = {key: [value] for key, value in state.display_link.items()}
    address = (
        others
        | {query_string.ATLAS: [state.atlas]}
        | ({query_string.KEY: list(state.link)} if state.link else {})
        | shown
    )
    if address != present:
        st.query_params.from_dict(address)
