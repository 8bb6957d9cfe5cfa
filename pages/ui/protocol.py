"""What Python and the browser tell each other: props of every component, values of its triggers, JSON of addresses.

``assets/web/protocol.d.ts`` holds the same for the scripts, with what each key means; a test compares both. What page
Modalities alone has is in ``pages/ui/modalities/protocol.py``. Positions are degrees, bounds (south, west, north,
east), headings clockwise from north. ``NotRequired`` needs real annotations.
"""

from typing import Literal, NotRequired, TypedDict

Bounds = tuple[float, float, float, float]


class _Event(TypedDict):
    """A value of a trigger; the nonce makes two equal values two events."""

    nonce: str


# map: one or several panes that move together.


class Overlay(TypedDict):
    """A picture over the map."""

    url: str
    bounds: Bounds


class PercentileGrid(TypedDict):
    """A grey picture: 0 is off the grid, p + 1 a cell of percentile p."""

    url: str
    bounds: Bounds
    land: str
    similarities: list[str]


class AreaGrid(TypedDict):
    """A grey picture: 0 is off the grid, k a cell that reaches the similarity low + (k - 1) * step."""

    url: str
    bounds: Bounds
    land: str
    low: float
    step: float


class Legend(TypedDict):
    """Colors of a pane: a bar with figures, or swatches with labels."""

    title: str
    stops: NotRequired[list[tuple[float, float, str]]]
    ticks: NotRequired[list[tuple[float, str]]]
    marks: NotRequired[list[tuple[float, str]]]
    low: NotRequired[str]
    high: NotRequired[str]
    swatches: NotRequired[list[tuple[str, str] | tuple[str, str, str]]]
    named: NotRequired[bool]
    words: NotRequired[str]
    weak: NotRequired[bool]
    fixed: NotRequired[bool]


class LiveWeights(TypedDict):
    """Heatmaps of the items of a query, which the browser adds up while their weights are moved."""

    url: str
    combine: Literal["sum", "any"]
    values: list[float]
    sliders: list[str]
    scale: Literal["absolute", "similarity", "percentile"]
    floor: float
    legend: Legend


class LiveGrid(TypedDict):
    """What heatmaps can be computed of in the browser, and how they are drawn."""

    url: str
    bounds: Bounds
    area: Bounds | None
    scale: Literal["absolute", "similarity", "percentile"]
    limits: tuple[float, float] | None
    floor: float
    share: float
    least_span: float
    low_opacity: float
    colors: list[str]
    legend: Legend
    encoder: NotRequired[str]
    exact: NotRequired[str]
    weights: NotRequired[LiveWeights]


class Marker(TypedDict):
    """A point on a pane; with a heading, a camera."""

    id: str
    kind: Literal["query", "best", "match"]
    lat: float
    lng: float
    label: str
    heading: NotRequired[float | None]
    card: NotRequired[str]
    sign: NotRequired[str]


class Pane(TypedDict):
    """One of the maps that move together."""

    id: str
    label: str
    title: NotRequired[str]
    note: NotRequired[str]
    meaning: NotRequired[str]
    overlay: NotRequired[Overlay]
    values: NotRequired[PercentileGrid]
    areas: NotRequired[AreaGrid]
    live: NotRequired[LiveGrid]
    outline: NotRequired[str]
    area: NotRequired[Bounds]
    points: NotRequired[Overlay]
    legend: NotRequired[Legend]
    markers: NotRequired[list[Marker]]


class BaseStyle(TypedDict):
    """A base map that one can choose."""

    id: str
    label: str
    tiles: str
    max_native_zoom: int
    attribution: str
    meaning: str
    online: NotRequired[bool]


class LineLayer(TypedDict):
    """Lines of the base map, such as coasts."""

    kind: str
    url: str


class BaseMap(TypedDict):
    """What lies below the heatmap, and lines above it."""

    styles: list[BaseStyle]
    max_zoom: int
    vectors: list[LineLayer]


class MapProps(TypedDict):
    """The whole wished-for state of a map."""

    id: str
    memory: str
    nonce: int
    bounds: Bounds
    whole_earth: bool
    is_city: bool
    close_zoom: float | None
    ask_by: bool
    names: str
    region: str
    tells_painted: bool
    focus: Bounds | None
    base: BaseMap
    panes: list[Pane]


class FoundName(TypedDict):
    """A name, what tells it from others, and where it is."""

    name: str
    detail: str
    lat: float
    lng: float


class FoundNames(TypedDict):
    """What the place search finds, or why nothing."""

    names: list[FoundName]
    problem: str


class MapClick(_Event):
    """A click that asks."""

    pane: str
    lat: float
    lng: float
    by: Literal["point", "place"]


class MapPainted(_Event):
    """The pictures of all panes are shown."""


class MapRegion(_Event):
    """The choice of a region; None for the whole atlas."""

    bounds: Bounds | None


# cards and street: results, and looking around from them.


class Pose(TypedDict):
    """Where a camera stands and looks."""

    lat: float
    lng: float
    heading: float


class ViewAddresses(TypedDict):
    """Address templates of what a camera sees and of its next steps."""

    picture: str
    step: str


class Camera(TypedDict):
    """Where one may look around."""

    pose: Pose
    views: ViewAddresses
    turns: bool
    origin: str


class Outlook(TypedDict):
    """A camera besides the cards."""

    pose: Pose
    views: ViewAddresses
    turns: bool
    origin: str
    label: str
    name: str


class Card(TypedDict):
    """A result, with a picture or a text; one of a street view has all of `Camera` as well."""

    id: str
    place_id: str
    modality: str
    name: str
    lat: float
    lng: float
    similarity: str
    distance: str
    kind: NotRequired[str]
    picture: NotRequired[str]
    alt: NotRequired[str]
    text: NotRequired[str]
    heights: NotRequired[str]
    window: NotRequired[int]
    vote: NotRequired[Literal["", "up", "down"]]
    pose: NotRequired[Pose]
    views: NotRequired[ViewAddresses]
    turns: NotRequired[bool]
    origin: NotRequired[str]


class CardGroup(TypedDict):
    """A strip of cards."""

    title: str
    note: str
    cards: list[Card]


class CardsProps(TypedDict):
    """All result cards."""

    groups: list[CardGroup]
    outlooks: list[Outlook]


class StreetStep(TypedDict):
    """The next camera along the street."""

    lat: float
    lng: float
    heading: float
    street: str
    origin: str


class HeightScale(TypedDict):
    """Lowest and highest meter of a surface picture, and the colors between them."""

    low: str
    high: str
    colors: list[str]


class CardUse(_Event):
    """The button "Use as query": of a card by its place, of a street view by its pose."""

    modality: str
    name: str
    place_id: NotRequired[str]
    pose: NotRequired[Pose]


class CardVote(_Event):
    """A thumb on a card; the same again takes it back."""

    modality: str
    place_id: str
    window: int
    name: str
    vote: Literal["up", "down"]


# examples: queries as pictures.


class ExampleTile(TypedDict):
    """An example and the address of its picture."""

    title: str
    picture: str | None


class ExamplesProps(TypedDict):
    """All examples."""

    examples: list[ExampleTile]


class ExampleTake(_Event):
    """The choice of an example."""

    index: int


# poster: plays scenes.


class PosterScene(TypedDict):
    """What the browser needs to know of a scene."""

    page: str
    atlas: str
    place: str
    title: str
    caption: str
    address: str
    site: str


class PosterProps(TypedDict):
    """What can be played, and what has begun to be shown."""

    scenes: list[PosterScene]
    at: int | None
    origin: str


class PosterGo(_Event):
    """A scene is wanted."""

    at: int


class PosterLeave(_Event):
    """Poster mode has ended."""


# progress: the trigger "update" has the new version as its value.


class Progress(TypedDict):
    """How far something is, ``share`` from 0 to 1."""

    version: str
    words: str
    share: float


class ProgressProps(TypedDict):
    """How far something is, and where to ask again."""

    url: str
    seen: str
    time_left: bool
    progress: Progress


class SuggestProps(TypedDict):
    """Where the suggestions of a text field are."""

    url: str
    label: str


class IntroProps(TypedDict):
    """What the introduction speaks of."""

    where: str
    asked: bool
