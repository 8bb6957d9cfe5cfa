"""Rectangles on the globe as people type them and links hold them: south, west, north, east."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from unigeoclip.errors import InputError, excerpt
from unigeoclip.geo import MAX_LON_DEG
from unigeoclip.parsing.numbers import bounded_float

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unigeoclip.geo import Bounds

MAX_CHARACTERS = 400
DIGITS = 5  # a meter is enough
# What may stand between numbers. Where a semicolon or a space does, a comma is a decimal sign.
_SEPARATORS = (re.compile(r"\s*;\s*"), re.compile(r",?\s+"), re.compile(r"\s*,\s*"))
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")


def numbers(text: str, count: int) -> tuple[float, ...]:
    """The numbers of a text, with commas, semicolons or spaces between them, and either decimal sign.

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


def parse_box(text: str) -> Bounds:
    """South, west, north, east in degrees.

    Raises:
        InputError: Not four numbers, or no rectangle on the globe.
    """
    south, west, north, east = (round(value, DIGITS) for value in numbers(text, 4))  # as the address keeps them
    if not (-90 <= south < north <= 90 and -180 <= west < east <= 180):
        raise InputError(
            f"'{excerpt(text)}' is not a rectangle: give south, west, north, east in degrees, with south below north "
            "and west below east, as in 42.33, -71.10, 42.38, -71.03."
        )
    return south, west, north, east
