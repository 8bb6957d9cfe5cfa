"""What a visitor of page Compare looks at, and the same as the page's address.

``?models=unigeoclip,geoclip&colour=clusters:8&box=42.3,-71.2,42.4,-71&at=42.36,-71.06``: each part stands in the
address only where it is not what everybody sees at first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

import streamlit as st

from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pages.ui.pictured import Picture
    from unigeoclip.geo import Bounds

MODELS, COLOUR, BOX, AT = KEYS = ("models", "colour", "box", "at")
KINDS = {"components": 0, "component": 6, "clusters": 16, "umap": 0}  # colourings, and the highest number of each
LEAST = {"component": 1, "clusters": 2}
DEFAULT_NUMBER = {"component": 1, "clusters": 8}

_SEPARATOR = re.compile(r"\s*[,;]\s*|\s+")


@dataclass
class Looking:
    """What a visitor looks at in one atlas.

    Attributes:
        models: Names of the embedders; empty for those that are shown at first.
        kind: One of `KINDS`.
        number: Which component from 1, or how many clusters; 0 for other kinds.
        bounds: South, west, north, east of the part that is compared; None for all of it.
        point: Latitude and longitude that every model is asked about.
        picture: That every model is asked by, in place of a point; not part of the address.
        revision: Counts clicks; the map uses it to know that one is answered.
        problem: What is wrong with the address or with what was typed; shown until the next choice.
        link: The address as it was read or written last.
        visitor: Tells the visitor from others.
    """

    models: tuple[str, ...] = ()
    kind: str = "components"
    number: int = 0
    bounds: Bounds | None = None
    point: tuple[float, float] | None = None
    picture: Picture | None = None
    revision: int = 0
    problem: str = ""
    link: dict[str, str] = field(default_factory=dict)
    visitor: str = field(default_factory=lambda: uuid4().hex)


def numbers(text: str, count: int) -> tuple[float, ...]:
    """So many numbers out of a text, with commas or spaces between them.

    Raises:
        InputError: It holds something else.
    """
    parts = _SEPARATOR.split(text.strip())
    try:
        found = tuple(float(part) for part in parts)
    except ValueError:
        found = ()
    if len(found) != count or not all(abs(value) < 1e6 for value in found):
        raise InputError(f"'{text[:60]}' is not {count} numbers with commas between them.")
    return found


def box(text: str) -> Bounds:
    """South, west, north, east in degrees.

    Raises:
        InputError: Not four numbers, or no rectangle on the globe.
    """
    south, west, north, east = numbers(text, 4)
    if not (-90 <= south < north <= 90 and -180 <= west < east <= 180):
        raise InputError(
            f"A rectangle is south, west, north, east in degrees, rising: {text[:60]} is none. "
            "An example: 42.33, -71.10, 42.38, -71.03"
        )
    return south, west, north, east


def read_link(looking: Looking, known: Sequence[str]) -> bool:
    """Take over what the page's address says, when it was opened or changed there (a link, the back button).

    Args:
        looking: Changed in place; a part that cannot be read leaves its problem and nothing else.
        known: Names of the embedders that can be shown.

    Returns:
        Whether there was something new.
    """
    link = {key: st.query_params[key] for key in KEYS if key in st.query_params}
    if not link or link == looking.link:
        return False
    looking.link, looking.problem = link, ""
    readers = {MODELS: lambda text: _models(text, known), COLOUR: _colour, BOX: box, AT: _at}
    found = {}
    for key, text in link.items():
        try:
            found[key] = readers[key](text)
        except InputError as error:
            looking.problem = f"The link's part '{key}' was left out. {error}"
    looking.models = found.get(MODELS, ())
    looking.kind, looking.number = found.get(COLOUR, ("components", 0))
    looking.bounds, looking.point, looking.picture = found.get(BOX), found.get(AT), None
    looking.revision += 1
    return True


def write_link(looking: Looking, atlas: str) -> None:
    """Make the page's address that of what is looked at; one step of the browser's history, and none if it is so."""
    link = {}
    if looking.models:
        link[MODELS] = ",".join(looking.models)
    if looking.kind != "components":
        link[COLOUR] = f"{looking.kind}:{looking.number}" if looking.number else looking.kind
    if looking.bounds is not None:
        link[BOX] = ",".join(_short(value) for value in looking.bounds)
    if looking.point is not None:
        link[AT] = ",".join(_short(value) for value in looking.point)
    looking.link = link
    present = {key: st.query_params.get_all(key) for key in st.query_params}
    others = {key: values for key, values in present.items() if key not in KEYS}
    address = others | {key: [value] for key, value in link.items()}
    if link:
        address["atlas"] = [atlas]
    if address != present:
        st.query_params.from_dict(address)


def _models(text: str, known: Sequence[str]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(text.split(",")))
    if missing := [name for name in names if name not in known]:
        raise InputError(f"There is no model '{missing[0][:40]}' here; there are {', '.join(known)}.")
    return names


def _colour(text: str) -> tuple[str, int]:
    kind, _, number = text.partition(":")
    if kind not in KINDS:
        raise InputError(f"There is no colouring '{kind[:40]}'; there are {', '.join(KINDS)}.")
    if not KINDS[kind]:
        return kind, 0
    if not number.isdigit() or not LEAST[kind] <= int(number) <= KINDS[kind]:
        raise InputError(f"'{text[:40]}' needs a number from {LEAST[kind]} to {KINDS[kind]}, as in '{kind}:3'.")
    return kind, int(number)


def _at(text: str) -> tuple[float, float]:
    lat, lon = numbers(text, 2)
    if not (abs(lat) <= 90 and abs(lon) <= 180):
        raise InputError(f"{text[:40]} is no latitude and longitude in degrees.")
    return lat, lon


def _short(degrees: float) -> str:
    return f"{degrees:.5f}".rstrip("0").rstrip(".")
