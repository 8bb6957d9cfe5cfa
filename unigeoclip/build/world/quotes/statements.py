"""What The World Factbook says of a country, where it is true of a place: clauses chosen by the facts of the place.

A profile speaks of a whole country: "tropical in south, desert in north"; "rice, wheat". A clause is said of a place
unless it speaks of another part of the country, which its words tell: directions, coast and interior, relief, names,
and kinds of climate. Crops are said where people live and the climate lets them grow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.build.sentences import hash_text
from unigeoclip.build.world.quotes.farming import PRODUCTS, SHORE_PRODUCTS, grows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from unigeoclip.build.sentences import Sentence
    from unigeoclip.build.world.captions import PlaceFacts
    from unigeoclip.build.world.quotes.factbook import Clauses

__all__ = ["Position", "fits", "positions_in_countries", "quote_factbook"]

ITEMS_TOGETHER = 3  # of a list such as "rice, bananas, coffee"
_NORTH_OR_EAST, _SOUTH_OR_WEST = 0.55, 0.45  # ranks among the places of the country
_DRY, _MOUNTAINS = ("B",), ("very high mountains", "high mountains", "mountains")
_AT_SEA, _INLAND = ("small island", "coast", "near the coast"), ("inland", "deep inland")

# Words of a clause -> beginnings of the Koeppen classes of which it can be said.
_CLIMATES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(rf"\b(?:{words})", re.IGNORECASE), classes)
    for words, classes in (
        ("tropical|equatorial", ("A", "Cwa", "BSh")),
        ("sub-?tropical", ("C", "Aw", "BSh", "BWh")),
        ("temperate", ("C", "Da", "Db", "Dfa", "Dfb", "Dwa", "Dwb", "Dsa", "Dsb")),
        ("mediterranean", ("Cs", "BS")),
        ("continental", ("D", "BSk", "Cfa", "Cfb")),
        ("arid|desert|torrid|dust|barren|rain is rare|rainfall sparse", _DRY),
        ("semi-?arid|semidesert|steppe|scrub", ("B", "Aw")),
        ("arctic|polar|antarctic|icecap|tundra|glaci", ("E", "Dfc", "Dfd", "Dwc", "Dwd", "Dsc")),
        ("subarctic|sub-arctic|severe", ("D", "E")),
        ("humid|rain[sy]|wet |wetter|heavy rain|jungle|rain ?forest|swamp", ("A", "C", "D")),
        ("forest|wooded", ("A", "C", "D")),
        ("snow|frost", ("D", "E", "Cfb", "Cfc", "Csb", "Cwb")),
        ("cold|cool winters|severe winters", ("C", "D", "E", "BSk", "BWk")),
        (r"hot\b|always hot|very hot", ("A", "B", "Csa", "Cfa", "Cwa", "Dsa", "Dfa", "Dwa")),
        ("monsoon", ("A", "Cw", "Dw", "Cfa", "BSh")),
        ("dry summers?", ("Cs", "Ds", "B")),
        ("savanna", ("A", "BS", "Cw")),
    )
)
# Words of a clause -> terrains of which it can be said.
_RELIEFS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(rf"\b(?:{words})", re.IGNORECASE), terrains)
    for words, terrains in (
        (r"mountain|peaks?\b|rugged|steep|massif|ranges?\b|volcan|precipitous|alpine", (*_MOUNTAINS, "hills")),
        ("highland|upland|elevation|altitude", (*_MOUNTAINS, "high plateau", "plateau", "hills")),
        ("hill|foothill|rolling|undulating|dissected", ("hills", "mountains", "plateau", "plain")),
        ("plateau|tableland|escarpment|upland plain", ("plateau", "high plateau", "plain", "hills")),
        (r"plain|flat|lowland|low\b|low-?lying|delta|marsh|swamp|basin|steppe", ("plain", "lowland", "depression")),
        ("steppe|basin|plains|depression", ("plateau", "hills")),
    )
)
_COAST = re.compile(
    r"\b(?:coast|shore|beach|reef|atoll|coral|fjord|lagoon|cays?\b|marine|maritime|oceanic|trade winds)"
)
_INTERIOR = re.compile(r"\b(?:interior|inland)\b")
_WINDS = re.compile(r"\b[\w-]+ (?:and [\w-]+ )?(?:trade winds?|winds?|monsoon|current|air)\b", re.IGNORECASE)
_DIRECTIONS = {
    name: re.compile(rf"\b(?:{words})(?:ern|ward)?\b(?! of\b)", re.IGNORECASE)
    for name, words in (
        ("north", "north|northeast|northwest"),
        ("south", "south|southeast|southwest"),
        ("east", "east|northeast|southeast"),
        ("west", "west|northwest|southwest"),
    )
}
_NAME = re.compile(r"\b[A-Z][\w'-]+")
# Words in capitals that name no part of a country.
_NO_NAMES = frozenset(
    (
        *("Mediterranean", "Equator", "Current", "North", "Atlantic", "Sea", "Ocean", "River", "Lake", "Gulf", "Bay"),
        *("Mountains", "Island", "Islands", "Desert", "Valley", "Plain", "Basin", "Lowland", "South", "East", "West"),
    )
)
_MIXED = re.compile(r"\b(?:to|but|varies|and)\b|,")


@dataclass(frozen=True)
class Position:
    """Where a place lies among the places of its country: ranks from 0 (south, west) to 1 (north, east)."""

    north: float
    east: float


def positions_in_countries(latlon: NDArray[np.float64], codes: Sequence[str]) -> list[Position]:
    """Rank places (n, 2), degrees, among those of the same country; countries across 180 degrees are unwrapped."""
    ranks = np.full((len(latlon), 2), 0.5)
    country = np.asarray(codes)
    for code in np.unique(country):
        rows = np.flatnonzero(country == code)
        where = latlon[rows]
        lon = where[:, 1]
        if np.ptp(lon) > 180:
            lon = lon % 360
        for column, values in enumerate((where[:, 0], lon)):
            ranks[rows, column] = (np.argsort(np.argsort(values, kind="stable")) + 0.5) / len(rows)
    return [Position(north, east) for north, east in ranks.tolist()]


def quote_factbook(facts: PlaceFacts, position: Position, said: Clauses) -> list[Sentence]:
    """What the Factbook says of the country and is true of the place: a sentence of each kind, where there is one.

    Args:
        facts: Of the place.
        position: Of the place in its country.
        said: Of the country: from `factbook.read_clauses`.
    """
    quoted = []
    for kind in ("factbook_climate", "factbook_terrain"):
        clauses = [clause for group in said.get(kind, ()) for clause in group if fits(clause, facts, position)]
        if clauses:
            quoted.append((kind, clauses[hash_text(kind, facts.place_id) % len(clauses)]))
    quoted += _crops(facts, said.get("crops", ()))
    # Where people are, what they make; elsewhere what there is in the ground.
    kind = "industries" if facts.settlement not in ("countryside", "wilderness") else "resources"
    items = _items(facts, kind, said.get(kind, ()))
    return quoted + ([(kind, items)] if items else [])


def fits(clause: str, facts: PlaceFacts, position: Position) -> bool:
    """Whether a clause on climate or terrain can be said of a place: nothing in it speaks of another part."""
    return (
        _names_fit(clause, facts)
        and _directions_fit(_WINDS.sub("", clause), position)
        and _shore_fits(clause, facts)
        and _classes_fit(clause, facts.climate, _CLIMATES, every=not _MIXED.search(clause))
        and _classes_fit(clause, facts.terrain, _RELIEFS, every=False)
    )


def _names_fit(clause: str, facts: PlaceFacts) -> bool:
    said = _NAME.findall(_WINDS.sub("", clause))
    names = [name for name in said if name not in _NO_NAMES]
    known = " ".join(
        (
            *(word for region in (*facts.inside, *facts.by_water) for word in (region.name, *region.aliases)),
            *(facts.region, facts.town, facts.big_city, *facts.parts),
        )
    )
    return not names or any(name in known for name in names)


def _directions_fit(clause: str, position: Position) -> bool:
    said = {name for name, pattern in _DIRECTIONS.items() if pattern.search(clause)}
    if {"north", "south"} <= said or {"east", "west"} <= said:
        return True  # it goes through the country
    north, east = position.north, position.east
    return not (
        ("north" in said and north < _NORTH_OR_EAST)
        or ("south" in said and north > _SOUTH_OR_WEST)
        or ("east" in said and east < _NORTH_OR_EAST)
        or ("west" in said and east > _SOUTH_OR_WEST)
    )


def _shore_fits(clause: str, facts: PlaceFacts) -> bool:
    coast, interior = _COAST.search(clause) is not None, _INTERIOR.search(clause) is not None
    if coast and interior:
        return True
    return not (coast and facts.water not in _AT_SEA) and not (interior and facts.water not in _INLAND)


def _classes_fit(
    clause: str, known: str, table: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...], *, every: bool
) -> bool:
    """Whether the words of the clause allow the class of the place: all of them, or any of them."""
    allowed = [known.startswith(classes) for pattern, classes in table if pattern.search(clause)]
    return not allowed or (all(allowed) if every else any(allowed))


def _crops(facts: PlaceFacts, groups: tuple[tuple[str, ...], ...]) -> list[Sentence]:
    """One sentence on what is grown or kept: a few things as the Factbook lists them, or one in other words."""
    if facts.settlement == "wilderness" or facts.pattern == "empty":
        return []
    fitting = [
        kept for group in groups if (kept := [item for item in group if grows(item, facts.climate, facts.water)])
    ]
    if not fitting:
        return []
    key = facts.place_id
    group = fitting[0] if hash_text("which", key) % 3 else fitting[hash_text("group", key) % len(fitting)]
    known = [item for item in group if item in PRODUCTS]
    if not known or hash_text("wording", key) % 2:
        return [("crops", _run(group, key, (ITEMS_TOGETHER,)))]
    wordings = PRODUCTS[known[hash_text("item", key) % len(known)]].wordings
    return [("crops", wordings[hash_text("words", key) % len(wordings)])]


def _items(facts: PlaceFacts, kind: str, groups: tuple[tuple[str, ...], ...]) -> str:
    """A few things in a row of a list of resources or industries; what is of the sea at the sea alone."""
    at_sea = facts.water in _AT_SEA
    fitting = [
        kept
        for group in groups
        if (kept := [item for item in group if (at_sea or not SHORE_PRODUCTS.search(item)) and _on_land(item, facts)])
    ]
    if not fitting:
        return ""
    group = fitting[hash_text("group", kind, facts.place_id) % len(fitting)]
    return _run(group, facts.place_id)


def _on_land(item: str, facts: PlaceFacts) -> bool:
    """Timber needs trees, and tilled land no ice and no desert."""
    if re.search(r"timber|forest|hardwood|wood|lumber|logging", item):
        return facts.climate[0] in "ACD"
    return not re.search(r"arable|cropland|fertile", item) or facts.climate[0] in "ACD" or facts.climate[:2] == "BS"


def _run(items: Sequence[str], key: str, lengths: tuple[int, ...] = (1, 2, ITEMS_TOGETHER)) -> str:
    """A few items that stand beside each other in a list."""
    count = lengths[hash_text("count", key) % len(lengths)]
    # Runs start at multiples of their length: so there are few different ones.
    starts = range(0, len(items), count)
    start = starts[hash_text("start", key) % len(starts)]
    return ", ".join(items[start : start + count])
