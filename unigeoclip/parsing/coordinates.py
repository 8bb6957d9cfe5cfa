"""Points as people write them, with either decimal sign, in degrees or in degrees, minutes and seconds.

``48.85, 2.35``, ``48,85 2,35``, ``48,85; 2,35``, ``48.85 N 2.35 E`` and ``48°51'24"N 2°21'3"E`` are one point.
A text that can be read as two different points is refused, not guessed.
"""

from __future__ import annotations

import re

from unigeoclip.errors import InputError, excerpt
from unigeoclip.geo import MAX_LON_DEG
from unigeoclip.parsing.numbers import MAX_CHARACTERS

__all__ = ["LATITUDE", "LONGITUDE", "check_point", "parse_degrees", "parse_point"]

LATITUDE, LONGITUDE = "latitude", "longitude"
MAX_LAT_DEG = 90.0
MAX_POINT_CHARACTERS = 80
_WRAPPED_DIGITS = 9  # 190.1 - 360 is -169.9, not -169.89999999999998
_LETTERS = {LATITUDE: "NS", LONGITUDE: "EW"}
_EXAMPLES = {LATITUDE: "48.85, 48,85 or 48°51'24\"N", LONGITUDE: "2.35, 2,35 or 2°21'3\"E"}

# Numbers as programs write them: a decimal point, and an exponent only where the number is tiny.
_PLAIN = r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE]-[0-9]{1,3})?)"
_PLAIN_PAIR = re.compile(rf"\s*{_PLAIN}\s*[,;\s]\s*{_PLAIN}\s*")
_DECIMAL = r"(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE]-[0-9]{1,3}(?![0-9]))?"
_NUMBER = re.compile(rf"[+-]?{_DECIMAL}")
_MARKED = re.compile(
    rf"(?P<before>[NSEW])?\s*(?P<sign>[+-])?\s*(?P<degrees>{_DECIMAL})\s*(?P<mark>°|deg)?"
    rf"(?:\s*(?P<minutes>{_DECIMAL})\s*(?:'|min)?(?:\s*(?P<seconds>{_DECIMAL})\s*(?:\"|sec)?)?)?\s*(?P<after>[NSEW])?",
    re.IGNORECASE,
)
# Where one coordinate may end and the other begin; after a letter nothing need stand between them.
_BREAK = re.compile(r"\s*[;,]\s*|\s+|(?<=[NSEW])(?=[0-9+-])", re.IGNORECASE)
# Signs that look alike, as keyboards, phones and encyclopedias write them.
_ALIKE = str.maketrans(
    {"−": "-", "–": "-", "º": "°", "˚": "°", "’": "'", "‘": "'", "′": "'", "´": "'", "“": '"', "”": '"', "″": '"'}
)


def parse_point(text: str) -> tuple[float, float] | None:
    """The point that a text spells.

    Args:
        text: Latitude and longitude in this order, or in any order where letters say which is which. Between them
            stand a comma, a semicolon or spaces; decimals follow a point or a comma.

    Returns:
        (lat, lon) in degrees, the longitude in [-180, 180]; None if the text is not two coordinates.

    Raises:
        InputError: The two coordinates are out of range, or the text can be read in more than one way.
    """
    if len(text) > MAX_POINT_CHARACTERS:
        return None
    if plain := _PLAIN_PAIR.fullmatch(text):
        return check_point(_value(plain[1], text), _value(plain[2], text))
    written = _written(text)
    found = {}
    for cut in _BREAK.finditer(written):
        if (pair := _pair(written[: cut.start()], written[cut.end() :])) is not None:
            found[pair] = cut
    if len(found) > 1:
        raise InputError(
            f"'{excerpt(text)}' can be read as more than one point. Write a semicolon between latitude and longitude, "
            "as in 48,85; 2,35."
        )
    return check_point(*next(iter(found))) if found else None


def parse_degrees(text: str, axis: str) -> float:
    """One coordinate in degrees.

    Args:
        text: "48.85", "48,85", "-0,5", "48°51' N", "48 51 24 N".
        axis: `LATITUDE` or `LONGITUDE`.

    Returns:
        Degrees: a latitude in [-90, 90], or a longitude in [-180, 180].

    Raises:
        InputError: It is no such coordinate, with what one looks like.
    """
    read = _coordinate(_written(text)) if len(text) <= MAX_POINT_CHARACTERS else None
    if read is None or read[1] not in ("", *_LETTERS[axis]):
        raise InputError(f"{axis.capitalize()}: '{excerpt(text, 40)}' is no {axis}. Write it as {_EXAMPLES[axis]}.")
    lat, lon = check_point(*((read[0], 0.0) if axis == LATITUDE else (0.0, read[0])))
    return lat if axis == LATITUDE else lon


def check_point(lat: float, lon: float) -> tuple[float, float]:
    """A point whose longitude is brought into [-180, 180].

    Raises:
        InputError: The latitude is outside [-90, 90] or the longitude outside [-540, 540] degrees, or one is NaN.
    """
    if not abs(lat) <= MAX_LAT_DEG:
        raise InputError(f"The latitude {lat:.8g} is outside [-90, 90] degrees; the order is latitude, longitude.")
    if not abs(lon) <= MAX_LON_DEG:
        raise InputError(f"The longitude {lon:.8g} is outside [-540, 540] degrees.")
    if abs(lon) > 180:
        lon = round((lon + 180) % 360 - 180, _WRAPPED_DIGITS)
    return lat, lon


def _written(text: str) -> str:
    """A text with one sign for each meaning: no typographic quotes or minus signs."""
    return text.translate(_ALIKE).replace("''", '"').strip()


def _value(number: str, text: str) -> float:
    """A number, checked for its length before it is read."""
    if len(number) > MAX_CHARACTERS:
        raise InputError(
            f"'{excerpt(text)}' has a number of more than {MAX_CHARACTERS} characters. Write fewer digits."
        )
    return float(number.replace(",", "."))


def _pair(first: str, second: str) -> tuple[float, float] | None:
    """(lat, lon) of two coordinates that are written alike, in the order that their letters say."""
    one, other = _coordinate(first), _coordinate(second)
    if one is None or other is None or one[2] != other[2]:
        return None
    letters = one[1] + other[1]
    if not letters or (letters[0] in "NS" and letters[1] in "EW"):
        return one[0], other[0]
    return (other[0], one[0]) if letters[0] in "EW" and letters[1] in "NS" else None


def _coordinate(text: str) -> tuple[float, str, str] | None:
    """Degrees of a coordinate, its letter in capitals, and how it is marked; None if it is none."""
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return _value(text, text), "", "number"
    parts = _MARKED.fullmatch(text)
    if parts is None or (parts["before"] and parts["after"]):
        return None
    letter = (parts["before"] or parts["after"] or "").upper()
    # Without a letter or a degree sign, two numbers beside each other are two coordinates.
    if not (letter or parts["mark"]) or (letter and parts["sign"]):
        return None
    minutes, seconds = (_value(parts[part] or "0", text) for part in ("minutes", "seconds"))
    if minutes >= 60 or seconds >= 60:
        return None
    degrees = _value(parts["degrees"], text) + minutes / 60 + seconds / 3600
    sign = -1 if parts["sign"] == "-" or letter in ("S", "W") else 1
    return sign * degrees, letter, "letter" if letter else "degree sign"
