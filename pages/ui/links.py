"""Query items in the page's address, as ``unigeoclip.items`` spells them: ``q=text:hot desert``, ``q=-1*at:48.9,2.4``.

Points and views are rounded when they become items, so that a link asks exactly what was asked.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

from pages.ui.words import coordinates, facing, title
from unigeoclip.errors import InputError
from unigeoclip.items import VIEW, PackedVector, QueryItem, parse_item, parse_point, write_item

KEY = "q"
ATLAS = "atlas"
COUNT = "top"  # of results of each modality
BASES = ("photo", "plain")  # see `mapview.base_map`
MAP_KEYS = ("v", "b", "o")  # view, base map and opacity, which the browser writes: see assets/web/map/address.js
MAX_WEIGHT = 2.0
MAX_LENGTH = 400  # longer texts make addresses that mail programs cut
DIGITS = 5  # a metre is enough

_NUMBER = r"\s*([+-]?\d+(?:\.\d+)?)\s*"
_POSE = re.compile(f"{_NUMBER},{_NUMBER},{_NUMBER}")

as_coordinates = parse_point


def point(lat: float, lon: float, weight: float = 1.0) -> QueryItem:
    """A location item with its label."""
    lat, lon = round(lat, DIGITS), round(lon, DIGITS)
    return QueryItem("location", (lat, lon), weight, coordinates(lat, lon))


def write(item: QueryItem) -> str | None:
    """An item as it stands in an address; None for very long texts, which cannot, and for pictures as such."""
    if item.modality in ("text", "place") and len(item.value) > MAX_LENGTH:
        return None
    return write_item(item)


def parse(text: str) -> QueryItem:
    """The item that `write` wrote.

    Raises:
        InputError: It is not one.
    """
    try:
        item = parse_item(text)
    except InputError as error:
        raise InputError(f"The link cannot be read: {error} Or start anew below.") from error
    if abs(item.weight) > MAX_WEIGHT:
        raise InputError(
            f"The link holds the weight {item.weight:g}; weights lie between -{MAX_WEIGHT:g} and {MAX_WEIGHT:g}."
        )
    if item.modality == "location":
        return point(*item.value, weight=item.weight)
    if item.modality == VIEW:
        return view(*item.value, weight=item.weight)
    if isinstance(item.value, PackedVector) and not item.label:
        return replace(item, label=title(item.modality))
    return item


def map_problem(values: dict[str, str]) -> str:
    """What is wrong with the map's part of an address, in a sentence; the browser then leaves that out. Or nothing."""
    numbers = _POSE.fullmatch(values.get("v", "0,0,0"))
    lat, lon, zoom = (float(part) for part in numbers.groups()) if numbers else (math.inf,) * 3
    opacity = values.get("o", "0")
    if not (abs(lat) <= 90 and abs(lon) <= 540 and 0 <= zoom <= 24):
        return f"The link's view 'v={values['v'][:40]}' is left out: latitude, longitude, zoom, as in v=48.85,2.35,5."
    if values.get("b", BASES[0]) not in BASES:
        return f"The link's base map 'b={values['b'][:40]}' is left out: there are {' and '.join(BASES)}."
    if not (opacity.isdecimal() and int(opacity) <= 100):
        return f"The link's opacity 'o={opacity[:40]}' is left out: it is a number of per cent, 0 to 100."
    return ""


def words(text: str, weight: float = 1.0) -> QueryItem:
    """A text item with its label."""
    return QueryItem("text", text, weight, text)


def view(lat: float, lon: float, heading_deg: float, name: str = "", weight: float = 1.0) -> QueryItem:
    """A street view that the atlas draws, as an item; ``name`` is that of its street."""
    lat, lon, heading = round(lat, DIGITS), round(lon, DIGITS), float(round(heading_deg) % 360)
    label = f"{name or coordinates(lat, lon, 4)}, looking {facing(heading)}"
    return QueryItem(VIEW, (lat, lon, heading), weight, label)


def place(place_id: str, name: str) -> QueryItem:
    """A place of the atlas as an item."""
    return QueryItem("place", place_id, 1.0, name)


def picture(modality: str, value: Any, name: str) -> QueryItem:
    """A picture as an item; ``name`` is that of its file."""
    return QueryItem(modality, value, 1.0, name)
