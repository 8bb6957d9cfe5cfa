"""What a visitor of page Compare looks at, and the same as the page's address.

``?models=unigeoclip,geoclip&colour=clusters:8&box=42.3,-71.2,42.4,-71&at=42.36,-71.06``: each part stands in the
address only where it is not what everybody sees at first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import streamlit as st

from pages.ui.explore.display import SCALES
from pages.ui.services.compare_jobs import DEFAULT_CLUSTERS
from unigeoclip.errors import InputError, excerpt
from unigeoclip.geo import MAX_LON_DEG
from unigeoclip.parsing.coordinates import parse_point
from unigeoclip.parsing.numbers import bounded_float, bounded_int

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pages.ui.compare.image_query import Picture
    from unigeoclip.geo import Bounds

MODELS, COLOR, BOX, AT, SCALE = KEYS = ("models", "colour", "box", "at", "scale")
KINDS = {"components": 0, "component": 6, "clusters": 16, "umap": 0}  # colourings, and the highest number of each
LEAST = {"component": 1, "clusters": 2}
DEFAULT_NUMBER = {"component": 1, "clusters": DEFAULT_CLUSTERS}

MAX_CHARACTERS = 400  # of a part of the address
DIGITS = 5  # a metre is enough
# What may stand between numbers. Where a semicolon or a space does, a comma is a decimal sign.
_SEPARATORS = (re.compile(r"\s*;\s*"), re.compile(r",?\s+"), re.compile(r"\s*,\s*"))
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")


@dataclass
class CompareState:
    """What a visitor looks at in one atlas.

    Attributes:
        models: Names of the embedders; empty for those that are shown at first.
        kind: One of `KINDS`.
        number: Which component from 1, or how many clusters; 0 for other kinds.
        bounds: South, west, north, east of the part that is compared; None for all of it.
        point: Latitude and longitude that every model is asked about.
        picture: That every model is asked by, in place of a point; not part of the address.
        scale: What colours of similarity stand for, one of `display.SCALES`.
        compared: The bounds that could be compared last; the maps show them when they are new.
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
    scale: str = "absolute"
    compared: Bounds | None = None
    revision: int = 0
    problem: str = ""
    link: dict[str, str] = field(default_factory=dict)
    visitor: str = field(default_factory=lambda: uuid4().hex)


def numbers(text: str, count: int) -> tuple[float, ...]:
    """So many numbers out of a text, with commas, semicolons or spaces between them, and either decimal sign.

    Raises:
        InputError: It holds something else.
    """
    if len(text) <= MAX_CHARACTERS:
        for separator in _SEPARATORS:
            parts = separator.split(text.strip())
            if len(parts) == count and (found := _all_numbers(parts)):
                return found
    raise InputError(f"'{excerpt(text)}' is not {count} numbers with commas between them.")


def _all_numbers(parts: Sequence[str]) -> tuple[float, ...]:
    """Numbers out of texts, or nothing if one of them is none."""
    plain = [part.replace(",", ".") if _DECIMAL_COMMA.fullmatch(part) else part for part in parts]
    try:
        return tuple(bounded_float(part, -MAX_LON_DEG, MAX_LON_DEG, "Each number") for part in plain)
    except InputError:
        return ()


def box(text: str) -> Bounds:
    """South, west, north, east in degrees.

    Raises:
        InputError: Not four numbers, or no rectangle on the globe.
    """
    south, west, north, east = (round(value, DIGITS) for value in numbers(text, 4))  # as the address keeps them
    if not (-90 <= south < north <= 90 and -180 <= west < east <= 180):
        raise InputError(
            f"A rectangle is south, west, north, east in degrees, rising: {excerpt(text)} is none. "
            "An example: 42.33, -71.10, 42.38, -71.03"
        )
    return south, west, north, east


def read_link(looking: CompareState, known: Sequence[str]) -> bool:
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
    readers: dict[str, Callable[[str], Any]] = {
        MODELS: lambda text: _models(text, known),
        COLOR: _color,
        BOX: box,
        AT: _at,
        SCALE: _scale,
    }
    found: dict[str, Any] = {}
    for key, text in link.items():
        try:
            found[key] = readers[key](text)
        except InputError as error:
            looking.problem = f"The link's part '{key}' was left out. {error}"
    looking.models = found.get(MODELS, ())
    looking.kind, looking.number = found.get(COLOR, ("components", 0))
    looking.bounds, looking.point, looking.picture = found.get(BOX), found.get(AT), None
    looking.scale = found.get(SCALE, "absolute")
    looking.revision += 1
    return True


def write_link(looking: CompareState, atlas: str) -> None:
    """Make the page's address that of what is looked at; one step of the browser's history, and none if it is so."""
    link = {}
    if looking.models:
        link[MODELS] = ",".join(looking.models)
    if looking.kind != "components":
        link[COLOR] = f"{looking.kind}:{looking.number}" if looking.number else looking.kind
    if looking.bounds is not None:
        link[BOX] = ",".join(_short(value) for value in looking.bounds)
    if looking.point is not None:
        link[AT] = ",".join(_short(value) for value in looking.point)
    if looking.scale != "absolute":
        link[SCALE] = looking.scale
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
        raise InputError(f"There is no model '{excerpt(missing[0], 40)}' here; there are {', '.join(known)}.")
    return names


def _color(text: str) -> tuple[str, int]:
    kind, _, number = text.partition(":")
    if kind not in KINDS:
        raise InputError(f"There is no colouring '{excerpt(kind, 40)}'; there are {', '.join(KINDS)}.")
    if not KINDS[kind]:
        return kind, 0
    return kind, bounded_int(number, LEAST[kind], KINDS[kind], f"The number in '{kind}:{DEFAULT_NUMBER[kind]}'")


def _at(text: str) -> tuple[float, float]:
    point = parse_point(text)
    if point is None:
        raise InputError(f"'{excerpt(text)}' is no latitude and longitude in degrees, as in 42.36,-71.06.")
    return round(point[0], DIGITS), round(point[1], DIGITS)


def _scale(text: str) -> str:
    if text not in SCALES:
        raise InputError(f"There is no scale '{text[:40]}'; there are {', '.join(SCALES)}.")
    return text


def _short(degrees: float) -> str:
    return f"{degrees:.{DIGITS}f}".rstrip("0").rstrip(".")
