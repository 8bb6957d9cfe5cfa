"""What a column seems to hold, and which columns seem to be the position."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from unigeoclip.tasks.targets import MAX_CLASSES, guess_kind
from unigeoclip.tasks.values import is_date, missing_text, numbers_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unigeoclip.tasks.label_table import Kind

__all__ = ["Column", "describe", "guess_positions"]

Holds = Literal["numbers", "classes", "text", "identifiers", "dates", "true and false", "one value", "nothing"]

_LAT = ("latitude", "lat", "decimallatitude", "latdd", "latdeg", "latwgs84", "ycoord", "y", "breite", "breitengrad")
_LON = ("longitude", "lon", "lng", "long", "decimallongitude", "londd", "londeg", "lonwgs84", "xcoord", "x", "laenge")
_LAT_PART, _LON_PART = (
    re.compile(r"(^|[^a-z])lat(itude)?([^a-z]|$)"),
    re.compile(r"(^|[^a-z])(lon(gitude)?|lng)([^a-z]|$)"),
)
_IDENTIFIER = re.compile(
    r"(^|[^a-z])(id|uuid|guid|fid|objectid|index|key|geoid|fips|zip(code)?|code|unnamed: 0)([^a-z]|$)", re.I
)
_MOST_GROUPS = 1_000
_EXAMPLES = 3


@dataclass(frozen=True)
class Column:
    """A column of a file.

    Attributes:
        name: Its name.
        holds: What its values seem to be.
        kind: What a target of it would be; None if it cannot be one.
        distinct: How many different values the looked-at rows have.
        missing: How many of the looked-at rows have none.
        examples: Some values.
        low: Smallest number; NaN for no numbers.
        high: Largest number.
        whole: Whether all numbers are whole.
    """

    name: str
    holds: Holds
    kind: Kind | None
    distinct: int
    missing: int
    examples: tuple[str, ...]
    low: float = float("nan")
    high: float = float("nan")
    whole: bool = False

    @property
    def rank(self) -> tuple[int, ...]:
        """Order among candidates for the target: numbers and classes before what looks like an identifier."""
        return (bool(_IDENTIFIER.search(self.name)), self.holds == "text")

    @property
    def can_be_folds(self) -> bool:
        """Whether the column may hold folds."""
        few = 2 <= self.distinct <= _MOST_GROUPS
        return few and (self.whole or self.holds in ("classes", "text", "true and false"))


def describe(name: str, values: pa.ChunkedArray) -> Column:
    """What a column holds."""
    column = values.combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # of no rows
        column = pa.array([], values.type)
    missing = missing_text(column) if pa.types.is_string(column.type) else np.asarray(column.is_null())
    present = column.filter(pa.array(~missing))
    distinct = pc.count_distinct(present).as_py() if len(present) else 0
    shown = tuple(str(value)[:40] for value in present.slice(0, 2000).unique().to_pylist()[:_EXAMPLES])
    common = (distinct, int(missing.sum()), shown)
    if not len(present):
        return Column(name, "nothing", None, *common)
    if distinct == 1:
        return Column(name, "one value", None, *common)
    if is_date(column):
        return Column(name, "dates", None, *common)
    if pa.types.is_boolean(column.type):
        return Column(name, "true and false", "classification", *common)
    numbers = numbers_of(column)
    if numbers.are_numbers:
        known = numbers.values[np.isfinite(numbers.values)]
        ends = (float(known.min()), float(known.max())) if len(known) else (np.nan, np.nan)
        counts = bool(_IDENTIFIER.search(name)) and numbers.whole and distinct == len(present)
        steps = distinct == len(present) and numbers.whole and len(known) > 1 and bool((np.diff(known) == 1).all())
        if counts or steps:
            return Column(name, "identifiers", None, *common, *ends)
        kind = guess_kind(numbers, column)
        return Column(name, "classes" if kind == "classification" else "numbers", kind, *common, *ends, numbers.whole)
    if distinct > MAX_CLASSES or distinct > 0.5 * len(present):
        return Column(name, "text", None, *common)
    return Column(name, "classes", "classification", *common)


def guess_positions(columns: Sequence[Column]) -> tuple[str | None, str | None]:
    """The columns that seem to hold latitude and longitude, by their names; (None, None) without both."""
    found = [_by_name(columns, names, part) for names, part in ((_LAT, _LAT_PART), (_LON, _LON_PART))]
    return (found[0], found[1]) if None not in found else (None, None)


def _by_name(columns: Sequence[Column], names: Sequence[str], part: re.Pattern[str]) -> str | None:
    plain = {re.sub(r"[^a-z0-9]", "", each.name.lower()): each.name for each in reversed(columns)}
    for name in names:
        if name in plain:
            return plain[name]
    return next((each.name for each in columns if part.search(each.name.lower())), None)
