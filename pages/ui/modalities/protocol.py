"""The part of the protocol with the browser, see `pages.ui.protocol`, that page Modalities alone has."""

from typing import TypedDict

# points: what the pointer shows at the points of a scatter; matrix: figures of all pairs as buttons.


class PointItem(TypedDict):
    """What a point of the scatter stands for."""

    place_id: str
    name: str
    kind: str
    picture: str | None
    text: str


class PointsProps(TypedDict):
    """The points of a scatter, modality after modality."""

    chart: str
    places: int
    opened: int
    items: list[PointItem]


class PointOpen(TypedDict):
    """A click on a point."""

    nonce: str
    place_id: str


class MatrixCell(TypedDict):
    """The figure of a pair, and the same from 0 to 1."""

    pair: str
    value: str
    note: str
    share: float
    means: str


class MatrixRow(TypedDict):
    """What a modality finds; None for itself."""

    title: str
    cells: list[MatrixCell | None]


class MatrixProps(TypedDict):
    """All pairs."""

    label: str
    columns: list[str]
    rows: list[MatrixRow]
    opened: str


class MatrixOpen(TypedDict):
    """The choice of a pair."""

    nonce: str
    pair: str
