"""What a map shows, as plain data that does not depend on what draws it."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.geo import MERCATOR_HALF_M, web_mercator

if TYPE_CHECKING:
    from unigeoclip.geo import Bounds

__all__ = ["ZOOM_STEP", "Legend", "LegendMark", "MapContents", "Marker", "Overlay"]

ZOOM_STEP = 0.25
_TILE_PX = 256
_MAP_WIDTH_PX, _MAP_HEIGHT_PX = 700, 560  # a map in a notebook has at least about that many pixels
_MAX_ZOOM = 18


@dataclass(frozen=True)
class Overlay:
    """A picture on a map.

    Attributes:
        name: What it is called in the list of layers.
        picture: PNG or WebP in Web Mercator (EPSG:3857).
        bounds: South, west, north, east of the picture, in degrees.
        opacity: 0 invisible to 1 opaque.
        attribution: Whose data it shows, as plain text.
    """

    name: str
    picture: bytes
    bounds: Bounds
    opacity: float = 1.0
    attribution: str = ""

    @property
    def url(self) -> str:
        """The picture as a data URL, so that nothing has to serve it."""
        return picture_url(self.picture)

    @property
    def corners(self) -> list[list[float]]:
        """Southwest and northeast corner as [[lat, lon], [lat, lon]], as Leaflet takes them."""
        south, west, north, east = self.bounds
        return [[south, west], [north, east]]


@dataclass(frozen=True)
class LegendMark:
    """A mark of a color bar: its place along the bar (0 left, 1 right), the value there, and a CSS color."""

    fraction: float
    value: float
    color: str


@dataclass(frozen=True)
class Legend:
    """A color bar with its title; marks from low to high."""

    title: str
    marks: tuple[LegendMark, ...]


@dataclass(frozen=True)
class Marker:
    """A point on a map, with a card.

    Attributes:
        lat: Degrees.
        lon: Degrees.
        title: Heading of the card, and what is shown at the pointer.
        lines: Lines of text of the card.
        picture: PNG, JPEG or WebP on the card; None for no picture.
        color: A CSS color.
    """

    lat: float
    lon: float
    title: str
    lines: tuple[str, ...] = ()
    picture: bytes | None = None
    color: str = "#ffffff"


@dataclass(frozen=True)
class MapContents:
    """All that a map shows.

    Attributes:
        bounds: South, west, north, east of what is seen at first, in degrees.
        base: The picture below everything; None for an empty ground.
        overlay: The picture above it, whose opacity can be changed; None for none.
        legend: What the colors of the overlay mean.
        markers: Points, the last on top.
        title: Heading of the card beside the map; empty for no card.
        notes: Lines of that card.
    """

    bounds: Bounds
    base: Overlay | None = None
    overlay: Overlay | None = None
    legend: Legend | None = None
    markers: tuple[Marker, ...] = ()
    title: str = ""
    notes: tuple[str, ...] = ()

    @property
    def center(self) -> tuple[float, float]:
        """Latitude and longitude of the middle of the bounds."""
        south, west, north, east = self.bounds
        return (south + north) / 2, (west + east) / 2

    @property
    def zoom(self) -> float:
        """The largest zoom level of Leaflet, in steps of `ZOOM_STEP`, at which the bounds fit 700 x 560 pixels."""
        south, west, north, east = self.bounds
        (left, bottom), (right, top) = web_mercator(np.array([[south, west], [north, east]])).tolist()
        scale = min(_MAP_WIDTH_PX / (right - left), _MAP_HEIGHT_PX / (top - bottom))
        zoom = math.log2(scale * 2 * MERCATOR_HALF_M / _TILE_PX)
        return min(_MAX_ZOOM, max(1, math.floor(zoom / ZOOM_STEP) * ZOOM_STEP))

    def on_this_map(self, lon: float) -> float:
        """A longitude between the western edge of the map and 360 degrees east of it."""
        west = self.bounds[1]
        return west + (lon - west) % 360


def picture_url(picture: bytes) -> str:
    """A picture as a data URL.

    Args:
        picture: PNG, JPEG or WebP.
    """
    kinds = {b"\x89PNG": "png", b"RIFF": "webp"}
    return f"data:image/{kinds.get(picture[:4], 'jpeg')};base64,{base64.b64encode(picture).decode()}"
