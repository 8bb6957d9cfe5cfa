"""Numbers that strangers write, in addresses and links, checked before anything is computed with them.

Python reads whole numbers of any length, digits of any script, ``1_000``, ``inf`` and ``nan``. What comes over the wire
is held to short, plain, finite decimals instead, so that no later line can overflow, freeze or print a megabyte.
"""

from __future__ import annotations

import math
import re

from unigeoclip.errors import InputError

MAX_CHARACTERS = 24  # a float64 written in full has at most 24
MAX_ZOOM = 24  # a pixel of a tile is then 4 mm wide
MAX_TILE_DIGITS = 8  # 2**24 tiles on a side at the deepest zoom
_QUOTED_CHARACTERS = 32
_INT = re.compile(r"[+-]?[0-9]+")
_FLOAT = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


def quoted(text: str) -> str:
    """A stranger's text for a message: printable ASCII in quotes, and no more than its beginning."""
    short = text if len(text) <= _QUOTED_CHARACTERS else f"{text[:_QUOTED_CHARACTERS]}..."
    return ascii(short)


def bounded_int(text: str, low: int, high: int, name: str) -> int:
    """A whole number in [low, high] out of ASCII decimal digits with an optional sign.

    Args:
        text: As it was written; spaces around it are allowed.
        low: Smallest value allowed.
        high: Largest value allowed.
        name: What the number is, for the message: "The zoom".

    Raises:
        InputError: Longer than `MAX_CHARACTERS`, not such digits, or out of range.
    """
    digits = text.strip(" ") if len(text) <= 2 * MAX_CHARACTERS else text
    if len(digits) <= MAX_CHARACTERS and _INT.fullmatch(digits) and low <= (value := int(digits)) <= high:
        return value
    raise InputError(f"{name} is a whole number from {low} to {high}, not {quoted(text)}.")


def bounded_float(text: str, low: float, high: float, name: str) -> float:
    """A finite number in [low, high] out of ASCII decimal notation: ``-71.06``, ``.5``, ``1e-05``.

    Args:
        text: As it was written; spaces around it are allowed.
        low: Smallest value allowed.
        high: Largest value allowed.
        name: What the number is, for the message: "The latitude".

    Raises:
        InputError: Longer than `MAX_CHARACTERS`, not such a number, not finite, or out of range.
    """
    digits = text.strip(" ") if len(text) <= 2 * MAX_CHARACTERS else text
    if len(digits) <= MAX_CHARACTERS and _FLOAT.fullmatch(digits):
        value = float(digits)
        if math.isfinite(value) and low <= value <= high:
            return value
    raise InputError(f"{name} is a number from {low:g} to {high:g}, not {quoted(text)}.")


def check_tile(z: int, x: int, y: int) -> None:
    """Make sure that a Web-Mercator tile of the XYZ scheme exists.

    Raises:
        InputError: The zoom is outside [0, MAX_ZOOM], or x or y is outside [0, 2**z).
    """
    # The zoom first and alone: with a zoom of a thousand digits, 2**z would be computed until memory ends. Numbers that
    # are out of range are not repeated either: to write one of a million digits takes minutes.
    if not 0 <= z <= MAX_ZOOM:
        raise InputError(f"There is no such map tile: the zoom runs from 0 to {MAX_ZOOM}.")
    if not (0 <= x < 2**z and 0 <= y < 2**z):
        raise InputError(f"There is no such map tile: at zoom {z} both numbers run from 0 to {2**z - 1}.")
