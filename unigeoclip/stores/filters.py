"""Filters of a search: bounding boxes and attributes, checked, as truth values and as SQL.

A filter reaches SQL only as numbers that were parsed, names that are columns of the table, and quoted text.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.errors import InputError, excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from unigeoclip.geo import Bounds

__all__ = ["KINDS", "Filter", "check_name", "kind_of", "quoted_text", "within"]

KINDS = ("text", "truth", "number")  # of attributes
MAX_TEXT = 200  # characters of a value
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


def check_name(name: str, what: str) -> str:
    """A name that may stand in SQL and in the name of a folder as it is.

    Raises:
        InputError: It is anything but 1 to 63 letters, digits and underscores of ASCII, the first no digit.
    """
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise InputError(
            f"'{excerpt(name)}' cannot be the name of {what}: use letters, digits and underscores, 63 at most."
        )
    return name


def quoted_text(text: str) -> str:
    """A literal of SQL.

    Raises:
        InputError: The text is longer than `MAX_TEXT` characters or holds unprintable ones.
    """
    if len(text) > MAX_TEXT or not text.isprintable():
        raise InputError(f"'{excerpt(text)}' cannot be searched for: at most {MAX_TEXT} printable characters can.")
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True)
class Filter:
    """Which rows a search may find; empty for all.

    Attributes:
        longitudes: Of the bounding box: one range, or two across the date line.
        latitudes: Its range, or None.
        equal: (attribute, value) pairs.
        between: (attribute, low, high).
    """

    latitudes: tuple[float, float] | None = None
    longitudes: tuple[tuple[float, float], ...] = ()
    equal: tuple[tuple[str, str | bool | float], ...] = ()
    between: tuple[tuple[str, float, float], ...] = ()

    @classmethod
    def of(cls, bbox: Bounds | None, where: Mapping[str, Any] | None, attributes: Mapping[str, str]) -> Filter:
        """Check a filter.

        Args:
            bbox: (south, west, north, east) degrees; east exceeds 180 across the date line.
            where: Attribute -> value or (low, high), see `EmbeddingStore.search`.
            attributes: Those of the store, name -> one of `KINDS`.

        Raises:
            InputError: The box is no part of the globe, there is no such attribute, or a value is not of its
                kind, no finite number, no pair of rising numbers or too long.
        """
        equal: list[tuple[str, Any]] = []
        between: list[tuple[str, float, float]] = []
        for name, value in (where or {}).items():
            if name not in attributes:
                known = ", ".join(sorted(attributes)) or "none"
                raise InputError(f"There is no attribute '{excerpt(name)}' here; there are: {known}.")
            kind = attributes[check_name(name, "an attribute")]
            if isinstance(value, tuple):
                if len(value) != 2 or not all(_is_number(each) for each in value) or value[0] > value[1]:
                    raise InputError(f"A range of {name} is two rising numbers, not '{excerpt(value)}'.")
                if kind != "number":
                    raise InputError(f"{name} is {kind} and has no range: give a value.")
                between.append((name, float(value[0]), float(value[1])))
            elif kind_of(value) != kind:
                raise InputError(f"{name} is {kind} and cannot be compared with '{excerpt(value)}'.")
            else:
                if isinstance(value, str):
                    quoted_text(value)
                equal.append((name, value if isinstance(value, str | bool) else float(value)))
        if bbox is None:
            return cls(equal=tuple(equal), between=tuple(between))
        return cls(*_ranges(bbox), tuple(equal), tuple(between))

    def __bool__(self) -> bool:
        return self != Filter()

    def sql(self) -> str:
        """The filter as a condition of SQL."""
        terms = []
        if self.latitudes is not None:
            terms.append(_between("lat", *self.latitudes))
            terms.append("(" + " OR ".join(_between("lon", *each) for each in self.longitudes) + ")")
        terms += [_equal(name, value) for name, value in self.equal]
        terms += [_between(f"CAST({name} AS DOUBLE)", low, high) for name, low, high in self.between]
        return " AND ".join(terms)

    def mask(self, latlon: NDArray[np.float64], attributes: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
        """Which rows pass, (n,).

        Args:
            latlon: (n, 2) degrees.
            attributes: Name -> (n,) values.
        """
        keep = np.ones(len(latlon), bool)
        if self.latitudes is not None:
            lat, lon = latlon.T
            keep &= (lat >= self.latitudes[0]) & (lat <= self.latitudes[1])
            keep &= np.any([(lon >= low) & (lon <= high) for low, high in self.longitudes], axis=0)
        for name, value in self.equal:
            keep &= attributes[name] == value
        for name, low, high in self.between:
            keep &= (attributes[name] >= low) & (attributes[name] <= high)
        return keep


def within(bbox: Bounds | None, latlon: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which points, (n, 2) degrees, lie in a bounding box, edges included; all of them without a box.

    Raises:
        InputError: The box is no part of the globe, see `Filter.of`.
    """
    return Filter.of(bbox, None, {}).mask(latlon, {})


def kind_of(value: object) -> str:
    """Which of `KINDS` a value is; empty for none."""
    if isinstance(value, str):
        return "text"
    return "truth" if isinstance(value, bool) else "number" if _is_number(value) else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _ranges(bbox: Bounds) -> tuple[tuple[float, float], tuple[tuple[float, float], ...]]:
    numbers = tuple(bbox)
    if len(numbers) != 4 or not all(_is_number(each) for each in numbers):
        raise InputError(f"A bounding box is four finite numbers (south, west, north, east), not '{excerpt(bbox)}'.")
    south, west, north, east = map(float, numbers)
    if not (-90 <= south <= north <= 90 and -180 <= west <= 180 and west <= east <= west + 360):
        raise InputError(
            f"({south:g}, {west:g}, {north:g}, {east:g}) is no bounding box (south, west, north, east) in degrees."
        )
    # Longitudes are wrapped to [-180, 180): what lies beyond 180 is stored from -180 on.
    lon = ((west, east),) if east < 180 else ((west, 180.0), (-180.0, min(east - 360, west)))
    return (south, north), lon


def _between(name: str, low: float, high: float) -> str:
    return f"{name} >= {low!r} AND {name} <= {high!r}"


def _equal(name: str, value: str | bool | float) -> str:
    if isinstance(value, str):
        return f"{name} = {quoted_text(value)}"
    return f"{name} = {str(value).lower()}" if isinstance(value, bool) else f"CAST({name} AS DOUBLE) = {value!r}"
