"""Query items in the page's address, spelled as on the command line: ``q=text:hot desert``, ``q=-1*at:48.9,2.4``.

Points and views are rounded when they become items, so that a link asks exactly what was asked.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pages.ui.formatting import coordinates, facing, title
from unigeoclip.errors import InputError, excerpt
from unigeoclip.geo import MAX_LON_DEG
from unigeoclip.parsing.numbers import MAX_ZOOM, bounded_float
from unigeoclip.search.query_items import VIEW, PackedVector, QueryItem, parse_item, write_item

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY = "q"
ATLAS = "atlas"
COUNT = "top"  # of results of each modality
BASES = ("photo", "plain")  # see `mapview.base_map`
MAP_KEYS = ("v", "b", "o")  # view, base map and opacity, which the browser writes: see map/address.js in assets/web
MAX_WEIGHT = 2.0
MAX_LENGTH = 400  # longer texts make addresses that mail programs cut
DIGITS = 5  # a metre is enough

_PERCENT = re.compile(r"[0-9]{1,3}")


def rounded(value: float) -> float:
    """A coordinate with as many decimals as a link keeps."""
    return round(value, DIGITS) + 0.0  # there is no minus nought


def degrees(value: float) -> str:
    """A coordinate as it stands in a field: as many decimals as a link keeps, without zeros at the end."""
    return f"{rounded(value):.{DIGITS}f}".rstrip("0").rstrip(".")


def point(lat: float, lon: float, weight: float = 1.0) -> QueryItem:
    """A location item with its label."""
    lat, lon = rounded(lat), rounded(lon)
    return QueryItem("location", (lat, lon), weight, coordinates(lat, lon))


def write(item: QueryItem) -> str | None:
    """An item as it stands in an address; None for very long texts, which cannot, and for pictures as such."""
    if item.modality in ("text", "place") and len(item.value) > MAX_LENGTH:
        return None
    return write_item(item)


def parse(text: str) -> QueryItem:
    """The item that `write` wrote.

    Raises:
        InputError: It is not one, or its weight or its text is larger than a link may hold.
    """
    try:
        item = parse_item(text)
    except InputError as error:
        raise InputError(f"A part of the link is left out: {error}") from error
    if abs(item.weight) > MAX_WEIGHT:
        raise InputError(
            f"The link's item '{excerpt(text)}' is left out: weights lie between -{MAX_WEIGHT:g} and {MAX_WEIGHT:g}."
        )
    if item.modality == "text" and len(item.value) > MAX_LENGTH:
        raise InputError(
            f"The link's item '{excerpt(text)}' is left out: in a link, a text has at most {MAX_LENGTH} characters."
        )
    if item.modality == "location":
        lat, lon = item.value
        return point(lat, lon, weight=item.weight)
    if item.modality == VIEW:
        lat, lon, heading = item.value
        return view(lat, lon, heading, weight=item.weight)
    if isinstance(item.value, PackedVector) and not item.label:
        return replace(item, label=title(item.modality))
    return item


def parse_all(parts: Sequence[str], most: int) -> tuple[tuple[QueryItem, ...], str]:
    """The items of a link, without those that cannot be read.

    Args:
        parts: As they stand in the address.
        most: So many are read; the others are left out.

    Returns:
        The items, and a sentence on what is left out; empty if nothing is.
    """
    items, problems = [], []
    for part in parts[:most]:
        try:
            items.append(parse(part))
        except InputError as error:
            problems.append(str(error))
    if len(problems) > 1:
        problems = [f"{problems[0]} {len(problems) - 1} more of its parts cannot be read either."]
    if len(parts) > most:
        problems.append(f"The link holds {len(parts)} items, a query at most {most}: the first {most} were read.")
    return tuple(items), " ".join(problems)


def map_problem(values: dict[str, str]) -> str:
    """What is wrong with the map's part of an address, in a sentence; the browser then leaves that out. Or nothing."""
    view, base, opacity = values.get("v", "0,0,0"), values.get("b", BASES[0]), values.get("o", "0")
    if not _is_view(view):
        return f"The link's view 'v={excerpt(view, 40)}' is left out: latitude, longitude, zoom, as in v=48.85,2.35,5."
    if base not in BASES:
        return f"The link's base map 'b={excerpt(base, 40)}' is left out: there are {' and '.join(BASES)}."
    if not (_PERCENT.fullmatch(opacity) and int(opacity) <= 100):
        return f"The link's opacity 'o={excerpt(opacity, 40)}' is left out: it is a number of per cent, 0 to 100."
    return ""


def _is_view(text: str) -> bool:
    parts = text.split(",", 3)
    if len(parts) != 3:
        return False
    try:
        for part, low, high in zip(parts, (-90, -MAX_LON_DEG, 0), (90, MAX_LON_DEG, MAX_ZOOM), strict=True):
            bounded_float(part, low, high, "A number of the view")
    except InputError:
        return False
    return True


def words(text: str, weight: float = 1.0) -> QueryItem:
    """A text item with its label."""
    return QueryItem("text", text, weight, text)


def view(lat: float, lon: float, heading_deg: float, name: str = "", weight: float = 1.0) -> QueryItem:
    """A street view that the atlas draws, as an item; ``name`` is that of its street."""
    lat, lon, heading = rounded(lat), rounded(lon), float(round(heading_deg) % 360)
    label = f"{name or coordinates(lat, lon, 4)}, looking {facing(heading)}"
    return QueryItem(VIEW, (lat, lon, heading), weight, label)


def place(place_id: str, name: str) -> QueryItem:
    """A place of the atlas as an item."""
    return QueryItem("place", place_id, 1.0, name)


def picture(modality: str, value: Any, name: str) -> QueryItem:
    """A picture as an item; ``name`` is that of its file."""
    return QueryItem(modality, value, 1.0, name)
