"""Where a query is answered and how its items count: the area on the map, "all together" or "any of them"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pages.ui import query_string
from pages.ui.link_values import parse_values
from pages.ui.rectangles import parse_box
from unigeoclip.errors import InputError, excerpt
from unigeoclip.search.query import COMBINATIONS, SUM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from unigeoclip.geo import Bounds
    from unigeoclip.search.query_items import QueryItem
MAX_VOTES = 8  # thumbs on results that a query holds


@dataclass(frozen=True)
class Scope:
    """How a query is to be answered, besides its items.

    Attributes:
        combine: One of ``query.COMBINATIONS``.
        area: South, west, north, east in degrees within which it is answered; None for everywhere.
    """

    combine: str = SUM
    area: Bounds | None = None

    @property
    def land(self) -> str:
        """What shares of the map are shares of, in an area; empty for all of the atlas."""
        return "the area" if self.area is not None else ""


def link_of(scope: Scope) -> dict[str, str]:
    """What of a scope differs from the default, as the address holds it."""
    values = {query_string.COMBINE: scope.combine} if scope.combine != SUM else {}
    return values | ({query_string.AREA: ",".join(map(query_string.degrees, scope.area))} if scope.area else {})


def parse_link(values: Mapping[str, str]) -> tuple[Scope, str]:
    """What a link says of the scope, and a sentence on what of it cannot be read; empty if all can."""
    parsers: dict[str, Callable[[str], dict[str, Any]]] = {
        query_string.COMBINE: lambda text: {"combine": _combination(text)},
        query_string.AREA: lambda text: {"area": parse_box(text)},
    }
    valid, problem = parse_values(values, parsers)
    return Scope(**valid), problem


def _combination(text: str) -> str:
    if text not in COMBINATIONS:
        raise InputError(f"Unknown combination '{excerpt(text, 40)}'. Available: {', '.join(COMBINATIONS)}.")
    return text


def on_globe(bounds: Bounds | None) -> Bounds | None:
    """What of a rectangle on the map lies on the globe, rounded as links are; None for nothing and for everything."""
    if bounds is None:
        return None
    south, west, north, east = (
        query_string.rounded(min(max(edge, -most), most)) for edge, most in zip(bounds, (90, 180) * 2, strict=True)
    )
    is_everything = (south, west, north, east) == (-90, -180, 90, 180)
    return None if is_everything or not (south < north and west < east) else (south, west, north, east)


def is_choice(items: Sequence[QueryItem]) -> bool:
    """Whether there are several examples, all of which or any of which may be wanted."""
    return sum(item.weight > 0 for item in items) > 1
