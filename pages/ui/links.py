"""Query items in the page's address: ``q=text:hot desert``, ``q=-1*at:48.85,2.35``, ``q=place:w000123``.

A street view that the app itself can draw, ``q=view:42.3601,-71.0589,45``, is an item of the pages alone: latitude,
longitude and heading, of which the picture is made when it is asked with.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pages.ui.words import coordinates, facing
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from unigeoclip.search import QueryItem

KEY = "q"
ATLAS = "atlas"
VIEW = "view"
MAX_WEIGHT = 2.0
MAX_LENGTH = 400  # longer texts make addresses that mail programs cut

_ITEM = re.compile(r"(?:(?P<weight>[+-]?\d+(?:\.\d+)?)\*)?(?P<kind>text|at|place|view):(?P<value>.+)", re.DOTALL)
_NUMBER = r"\s*([+-]?\d+(?:\.\d+)?)\s*"
_LATLON = re.compile(f"{_NUMBER}[,; ]{_NUMBER}")
_POSE = re.compile(f"{_NUMBER},{_NUMBER},{_NUMBER}")


def as_coordinates(text: str) -> tuple[float, float] | None:
    """Two numbers with a comma or a space between them are a point; anything else is None."""
    match = _LATLON.fullmatch(text)
    return (float(match[1]), float(match[2])) if match else None


def point(lat: float, lon: float, weight: float = 1.0) -> QueryItem:
    """A location item with its label."""
    return _item("location", (lat, lon), weight, coordinates(lat, lon))


def write(item: QueryItem) -> str | None:
    """An item as it stands in an address; None for pictures and very long texts, which cannot."""
    weight = "" if item.weight == 1 else f"{item.weight:g}*"
    if item.modality == "location":
        return f"{weight}at:{_short(item.value[0])},{_short(item.value[1])}"
    if item.modality == VIEW:
        lat, lon, heading = item.value
        return f"{weight}view:{lat:.5f},{lon:.5f},{heading:.0f}"
    if item.modality in ("text", "place") and len(item.value) <= MAX_LENGTH:
        return f"{weight}{item.modality}:{item.value}"
    return None


def parse(text: str) -> QueryItem:
    """The item that `write` wrote.

    Raises:
        InputError: It is not one.
    """
    match = _ITEM.fullmatch(text)
    value = match["value"] if match else ""
    latlon = as_coordinates(value) if match and match["kind"] == "at" else None
    pose = _POSE.fullmatch(value) if match and match["kind"] == VIEW else None
    if not match or (match["kind"] == "at" and latlon is None) or (match["kind"] == VIEW and pose is None):
        raise InputError(f"The link holds '{text[:60]}', which is no query item; start anew below.")
    weight = float(match["weight"] or 1)
    if abs(weight) > MAX_WEIGHT:
        raise InputError(
            f"The link holds the weight {weight:g}; weights lie between -{MAX_WEIGHT:g} and {MAX_WEIGHT:g}."
        )
    if latlon is not None:
        return point(*latlon, weight=weight)
    if pose is not None:
        return view(*(float(part) for part in pose.groups()), weight=weight)
    return _item(match["kind"], value, weight, value)


def words(text: str, weight: float = 1.0) -> QueryItem:
    """A text item with its label."""
    return _item("text", text, weight, text)


def view(lat: float, lon: float, heading_deg: float, name: str = "", weight: float = 1.0) -> QueryItem:
    """A street view that the atlas draws, as an item; ``name`` is that of its street."""
    heading = heading_deg % 360
    label = f"{name or coordinates(lat, lon, 4)}, looking {facing(heading)}"
    return _item(VIEW, (lat, lon, heading), weight, label)


def place(place_id: str, name: str) -> QueryItem:
    """A place of the atlas as an item."""
    return _item("place", place_id, 1.0, name)


def picture(modality: str, value: Any, name: str) -> QueryItem:
    """A picture as an item; ``name`` is that of its file."""
    return _item(modality, value, 1.0, name)


def _short(degrees: float) -> str:
    """A metre is enough; zeros at the end say nothing."""
    return f"{degrees:.5f}".rstrip("0").rstrip(".")


def _item(modality: str, value: Any, weight: float, label: str) -> QueryItem:
    # Imported here: the search brings torch along, and the map need not wait for that.
    from unigeoclip.search import QueryItem

    return QueryItem(modality, value, weight=weight, label=label)
