"""A visitor's session on page Explore: the query, its answer, what is shown of it, and values of the widgets.

Widgets change the *pending* items through the methods here; the page then has the explorer answer them. If it refuses
them, the sentence why is kept as the problem and the items go back to those last answered, so that a mistake never
costs a query.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pages.ui import atlas_scale, query_string
from pages.ui.explore.composing.scope import MAX_VOTES, Scope, is_choice, link_of, on_globe, parse_link
from pages.ui.explore.model import Answer, Spot
from pages.ui.formatting import coordinates
from pages.ui.query_string import COUNT, DISPLAY_KEYS, MAP_KEYS, SCOPE_KEYS
from pages.ui.services import services
from pages.ui.services.answers.heatmaps import is_point
from pages.ui.session_state import SessionValue
from pages.ui.view_options import MATCHES, MOST_MATCHES, Display
from unigeoclip.errors import UniGeoError
from unigeoclip.parsing.coordinates import LATITUDE, LONGITUDE
from unigeoclip.search.composing.rocchio import votes_of
from unigeoclip.search.query import SUM
from unigeoclip.search.query_items import ITEM, VIEW

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from pages.ui.explore.model import Upload
    from unigeoclip.geo import Bounds
    from unigeoclip.search.explorer import Explorer, Match, Query, QueryItem
    from unigeoclip.words.describer import Description

MAX_ITEMS = 8
_EVERYWHERE = Scope()
QUIET_S, PATIENCE_S = 1.5, 6.0  # without queries of any visitor; where there always are some, since one's own


class Widgets:
    """Values of the widgets of page Explore, which all its atlases share."""

    words = SessionValue("words", "")
    latitude = SessionValue(LATITUDE, "")
    longitude = SessionValue(LONGITUDE, "")
    filled_for = SessionValue[str | None]("fields-of", None)  # the atlas whose query is in these fields
    join = SessionValue[str | None]("join", None)
    upload_turn = SessionValue("upload-turn", 0)  # an uploader can only be emptied by giving it another key
    read_as = SessionValue("read-as", "")
    sessions = SessionValue[dict[str, "Session"] | None]("sessions", None)


widgets = Widgets()


@dataclass
class Session:
    """State of one visitor on page Explore, in one atlas.

    Attributes:
        atlas: Its name.
        pending: Items of the query that the visitor asks for.
        answer: Answer to the items last accepted.
        problem: Sentence about the last thing that could not be done.
        shown_problem: The problem that the page shows now.
        remarks: Sentences about the last picture: how it was changed before it was encoded.
        upload: The file last uploaded.
        before_votes: Queries before each of the last thumbs on results, the latest last.
        shape: Counts changes of the list of items, but not of their weights: the key of the weights' sliders.
        form_words: Words that the form submitted last.
        form_point: Point that the form or the map submitted last, (lat, lon).
        bad_fields: Fields of the composer, by key, that are to be corrected.
        refused: Content of latitude and longitude when they were refused last.
        scope: Where queries are answered, and how their items count.
        display: How answers are shown on the map.
        count: Number of results of each modality.
        queried_at: When the present answer was asked for, seconds of `Completions.now`.
        closest_anyway: Whether results are shown of a query that nothing in the atlas is like.
        completing: An answer and what is missing of it, being computed, see `autocomplete`.
        revision: Counts answers and refusals; the map uses it to know that a query is settled.
        link: The items in the page's address as last written or read.
        linked: The items of the link last followed; those that the atlas does not support are left out.
        display_link: The same of the display and of ``count``.
        map_link: The same of the map's view, base map and opacity, which the browser writes.
    """

    atlas: str = ""
    pending: tuple[QueryItem, ...] = ()
    answer: Answer | None = None
    problem: str = ""
    shown_problem: str = ""
    remarks: tuple[str, ...] = ()
    upload: Upload | None = None
    before_votes: tuple[tuple[QueryItem, ...], ...] = ()
    shape: int = 0
    form_words: str = ""
    form_point: tuple[float, float] | None = None
    bad_fields: tuple[str, ...] = ()
    refused: tuple[str, str] = ("", "")
    scope: Scope = field(default_factory=Scope)
    display: Display = field(default_factory=Display)
    count: int = MATCHES
    queried_at: float = -math.inf
    closest_anyway: bool = False
    completing: tuple[Answer, Future[dict[str, Match]]] | None = None
    revision: int = 0
    link: tuple[str, ...] = ()
    linked: tuple[QueryItem, ...] = ()
    display_link: dict[str, str] = field(default_factory=dict)
    map_link: dict[str, str] = field(default_factory=dict)

    def start(self, items: tuple[QueryItem, ...]) -> None:
        """Query these items in place of those before."""
        self.pending = items
        self.shape += 1
        self.count = MATCHES
        self.before_votes = ()
        if not is_choice(items):
            self.scope = replace(self.scope, combine=SUM)

    def add(self, item: QueryItem, *, join: str = "new") -> None:
        """Start a new query with an item ("new"), or join it to the present one ("plus", "minus")."""
        if join == "new":
            self.start((item,))
            return
        if len(self.pending) - len(votes_of(self.pending)) >= MAX_ITEMS:
            self.problem = f"A query holds at most {MAX_ITEMS} items; remove one to add another."
            return
        signed = replace(item, weight=-abs(item.weight)) if join == "minus" else item
        self.start((*self.pending, signed))

    def refine(self, items: tuple[QueryItem, ...]) -> None:
        """Query these items, which a thumb has made of those before; `take_back_vote` brings them back."""
        before, count = (*self.before_votes, self.pending), self.count
        self.start(items)
        self.before_votes, self.count = before, count

    def take_back_vote(self) -> None:
        """Query what was queried before the last thumb."""
        *earlier, before = self.before_votes
        self.start(before)
        self.before_votes = tuple(earlier)

    def remove(self, index: int) -> None:
        """Take one item out of the query."""
        self.start(self.pending[:index] + self.pending[index + 1 :])

    def set_weight(self, index: int, weight: float) -> None:
        """Give one item another weight."""
        items = list(self.pending)
        items[index] = replace(items[index], weight=weight)
        self.pending = tuple(items)

    def choose_area(self, bounds: Bounds | None) -> None:
        """Answer within a rectangle of the map, or everywhere."""
        self.scope = replace(self.scope, area=on_globe(bounds))

    def show_more(self) -> None:
        """Show more results of the same answer."""
        self.count = min(self.count + MATCHES, MOST_MATCHES)

    def show_closest(self) -> None:
        """Show the results of a query that nothing in the atlas is like."""
        self.closest_anyway = True

    @property
    def hides_results(self) -> bool:
        """Whether the answer is that nothing in the atlas is like the query, and the visitor has left it at that."""
        return self.answer is not None and self.answer.query.is_foreign and not self.closest_anyway

    def apply_pending(self, explorer: Explorer) -> None:
        """Answer the pending items if they are new; keep the old answer and say why if that fails."""
        self._check_area(explorer)
        if not self.pending:
            self.answer = None
            return
        if self.answer is not None and self.answer.items is self.pending and self.answer.scope == self.scope:
            if self.answer.count != self.count:
                self._search_again(explorer, self.answer)
            return
        self.revision += 1
        self.closest_anyway = False
        self.queried_at = services().completions.note_query()
        if self.completing is not None:
            self.completing[1].cancel()  # if it has not begun
            self.completing = None
        is_linked = self.pending is self.linked
        try:
            self.pending = tuple(_with_label(explorer, item) for item in self.pending)
            kind = self.pending[0].modality if len(self.pending) == 1 else "sum"
            with services().metrics.timed_query(kind):
                self.answer = answer_query(explorer, self.pending, self.count, self.scope)
        except UniGeoError as error:
            self.problem = str(error)
            usable = tuple(item for item in self.linked if _is_supported(explorer, item)) if is_linked else ()
            if 0 < len(usable) < len(self.linked):
                count = self.count
                self.start(usable)
                self.count = count
                self.apply_pending(explorer)  # with fewer items, and not as a link's: it ends here
            else:
                self.start(self.answer.items if self.answer else ())

    def _check_area(self, explorer: Explorer) -> None:
        """Go back to the area before if this one has no land; the query is answered all the same."""
        before = None if self.answer is None else self.answer.scope.area
        if self.scope.area is None or self.scope.area == before:
            return
        try:
            explorer.grid_within(self.scope.area)
        except UniGeoError as error:
            self.problem, self.scope = str(error), replace(self.scope, area=before)
            self.revision += 1

    def _search_again(self, explorer: Explorer, answer: Answer) -> None:
        """Find more results of the same answer, or fewer."""
        try:
            matches = explorer.search(answer.query, k=self.count)
        except UniGeoError as error:
            self.problem, self.count = str(error), answer.count
            return
        self.answer = replace(answer, matches=matches, count=self.count)

    def autocomplete(self, explorer: Explorer, answer: Answer) -> bool:
        """Compute what is missing of an answer: similarities of the place that was queried.

        That takes several times as long as all the rest. So it is done when the rest is on screen and the app is idle.

        Returns:
            Whether `complete_places` can put it in the answer; until then, call again.
        """
        completing, completions = self.completing, services().completions
        if completing is None or completing[0].here is not answer.here:
            if completions.quiet_s() >= QUIET_S or completions.now() - self.queried_at >= PATIENCE_S:
                place_id = next(iter(answer.here.values())).place_id
                self.completing = answer, completions.submit(explorer.place_matches, answer.query, place_id)
            return False
        return completing[1].done()

    def complete_places(self) -> None:
        """Put in the answer what `autocomplete` has computed, if it has."""
        if self.completing is None or not self.completing[1].done():
            return
        (answer, future), self.completing = self.completing, None
        if self.answer is None or self.answer.here is not answer.here:
            return
        try:
            here = future.result()
        except UniGeoError as error:
            self.problem, here = str(error), {}
        self.answer = replace(self.answer, here=here)

    def read_link(self, modalities: Sequence[str]) -> None:
        """Take over query and display from the page's address when it was opened or changed there (a link, "back")."""
        map_link = query_string.selected(MAP_KEYS)
        if map_link != self.map_link:
            self.map_link, self.problem = map_link, query_string.map_problem(map_link) or self.problem
        link = query_string.items()
        if is_new := bool(link) and link != self.link:
            self.link = link
            items, problem = query_string.parse_all(link, MAX_ITEMS + MAX_VOTES)
            self.problem = problem or self.problem
            if items:
                self.start(items)
                self.linked = items
        values = query_string.selected((*DISPLAY_KEYS, COUNT))
        scope = query_string.selected(SCOPE_KEYS)
        if is_new or (values | scope != self.display_link and (values or scope or link)):
            self.display_link = values | scope
            self.display, self.count, problem = query_string.parse_display(values, modalities)
            self.scope, unread = parse_link(scope)
            self.problem = self.problem or problem or unread

    def write_link(self) -> None:
        """Put query and display into the page's address, as far as they can stand there: very long texts cannot."""
        self.link = tuple(text for item in self.pending if (text := query_string.write(item)) is not None)
        parameters = query_string.display_parameters(self.display, self.count) | link_of(self.scope)
        if query_string.write_explore(self.atlas, self.link, parameters):
            self.display_link = parameters


def session_of(atlas: str) -> Session:
    """The visitor's session in an atlas."""
    if widgets.sessions is None:
        widgets.sessions = {}
    return widgets.sessions.setdefault(atlas, Session(atlas))


def answer_query(explorer: Explorer, items: tuple[QueryItem, ...], count: int, scope: Scope = _EVERYWHERE) -> Answer:
    """One query: its vector, its heatmap and the ``count`` most similar samples of every modality."""
    if scope == _EVERYWHERE and is_point(items):  # the browser may have asked for its heatmap already
        query, heatmap = services().heatmaps.of(explorer, items[0].value)
        query = replace(query, items=items)
    else:
        query = explorer.query(items, combine=scope.combine, area=scope.area)
        heatmap = explorer.heatmap(query)
    best = heatmap.best()
    near, _ = explorer.nearest_place(best.lat, best.lon)
    spots = tuple(spot for index, item in enumerate(items) if (spot := _spot(explorer, index, item)) is not None)
    # A query is about a place if it is one point.
    place = explorer.nearest_place(*query.origin)[0] if query.origin else None
    here = {} if place is None else explorer.place_matches(query, place.place_id, encode=False)
    matches = explorer.search(query, k=count)
    described = _described(explorer, query)
    return Answer(items, query, heatmap, best, near, matches, count, spots, here, described, scope)


def _described(explorer: Explorer, query: Query) -> Description | None:
    """The query in words; None where the atlas's model, or its vocabulary, has none."""
    try:
        return explorer.describe(query)
    except UniGeoError:
        return None


def _is_supported(explorer: Explorer, item: QueryItem) -> bool:
    try:
        explorer.query((replace(item, weight=1.0),))
    except UniGeoError:
        return False
    return True


def _with_label(explorer: Explorer, item: QueryItem) -> QueryItem:
    """Items of a link have only numbers and ids; people read names."""
    if item.modality == "place" and item.label == item.value:
        return replace(item, label=explorer.place(item.value).name)
    if item.modality == ITEM and item.label.endswith(f":{item.value.place_id}"):
        return replace(item, label=explorer.place(item.value.place_id).name)
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
