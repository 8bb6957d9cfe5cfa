"""Sentences about places: what people would say of them, without coordinates, distances or figures.

A place has some twenty sentences, each with its kind. Many are only a name ("Sahara", "hot desert", "France"),
because a search of one or two words must find its place. Wordings are chosen by hashes of the named thing and of the
place, so the same inputs give the same sentences; a thing that few places share gets few wordings, which bounds the
number of distinct sentences.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unigeoclip.build.sentences import hash_text
from unigeoclip.build.world.climate import CLIMATE_ADJECTIVES, CLIMATE_WORDS
from unigeoclip.build.world.word_tables import (
    COUNTRY_ALIASES,
    PATTERN_WORDS,
    SETTLEMENT_WORDS,
    TERRAIN_WORDS,
    WATER_WORDS,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unigeoclip.build.sentences import Sentence
    from unigeoclip.build.world.natural_regions import NaturalRegion

KINDS = (
    "settlement",
    "near_city",
    "region",
    "country",
    "continent",
    "natural_region",
    "climate",
    "terrain",
    "water",
    "pattern",
    "setting",
    "factbook_climate",
    "factbook_terrain",
    "resources",
    "crops",
    "industries",
    "gloss",
)
MOST_REGIONS = 5  # natural regions said of a place; the smallest ones first
MOST_WATERS = 2
# An entity of so many places may be worded in so many ways.
_WORDINGS_BY_FREQUENCY = ((200, 6), (60, 4), (15, 2), (0, 1))

_WITH_ARTICLE = re.compile(
    r"^(United|Democratic|Central African|Dominican|Philippines|Maldives|Comoros|Bahamas|Gambia)|Islands$|Republic"
)
_DIGIT = re.compile(r"\d")
_NO_ARTICLE = frozenset(
    (
        *("Alaska", "Anatolia", "Antarctica", "Arnhem Land", "Baja California", "Brittany", "Cape Verde"),
        *("Central America", "Cornwall", "Death Valley", "Dzungaria", "Florida", "Greenland", "Hawaii", "Jutland"),
        *("Kamchatka", "Kathiawar", "Labrador", "Lapland", "Melanesia", "Mesopotamia", "Micronesia", "New Zealand"),
        *("Nova Scotia", "Novaya Zemlya", "Patagonia", "Polynesia", "Siberia", "Svalbard", "Tierra del Fuego"),
    )
)


@dataclass(frozen=True)
class PlaceFacts:
    """What the sources say of one place; classes are keys of the tables of words.

    Attributes:
        place_id: Key of the hashes.
        settlement: Key of `SETTLEMENT_WORDS`.
        pattern: Key of `PATTERN_WORDS`.
        terrain: Key of `TERRAIN_WORDS`.
        water: Key of `WATER_WORDS`.
        climate: Key of `CLIMATE_WORDS`.
        town: Name of the nearest town, empty if there is none near.
        town_class: Size of that town, or "countryside" when the place lies outside it.
        big_city: Name of a big city near, or empty.
        region: Name of the first-level administrative region, or empty.
        country_code: ISO code, or empty.
        country: Everyday name, or empty.
        continent: Name, or empty.
        parts: Names of the parts of the continent.
        inside: Natural regions that hold the place, smallest first.
        by_water: Seas and lakes near, smallest first.
        quoted: Sentences that others wrote, chosen for the place.
    """

    place_id: str
    settlement: str
    pattern: str
    terrain: str
    water: str
    climate: str
    town: str = ""
    town_class: str = ""
    big_city: str = ""
    region: str = ""
    country_code: str = ""
    country: str = ""
    continent: str = ""
    parts: tuple[str, ...] = ()
    inside: tuple[NaturalRegion, ...] = ()
    by_water: tuple[NaturalRegion, ...] = ()
    quoted: tuple[Sentence, ...] = ()


def caption(places: Sequence[PlaceFacts]) -> list[list[tuple[str, str]]]:
    """Write the sentences of places, (kind, text) each, without repetition within a place."""
    entities = Counter(entity for facts in places for entity in _entities(facts))
    return [_sentences(facts, entities) for facts in places]


def place_name(facts: PlaceFacts) -> str:
    """How a place is called on a card: "Lyon, France", "near Tamanrasset, Algeria", "Sahara, Algeria", "Greenland"."""
    where = facts.country or facts.continent
    if facts.town:
        town = f"near {facts.town}" if facts.town_class == "countryside" else facts.town
        return f"{town}, {where}" if where else town
    named = facts.inside or facts.by_water
    if named and named[0].name != where:
        return f"{named[0].name}, {where}" if where else named[0].name
    return where or "open land"


def _entities(facts: PlaceFacts) -> set[str]:
    return {
        f"town/{facts.country_code}/{facts.region}/{facts.town}/{facts.town_class}",
        f"big/{facts.country_code}/{facts.big_city}",
        f"region/{facts.country_code}/{facts.region}",
        f"country/{facts.country_code}",
        *(f"natural/{region.name}" for region in (*facts.inside, *facts.by_water)),
    }


def _sentences(facts: PlaceFacts, entities: Counter[str]) -> list[tuple[str, str]]:
    sentences = [
        *_settlement(facts, entities),
        *_administrative(facts, entities),
        *_natural(facts, entities),
        *_general(facts),
        *facts.quoted,
    ]
    seen: dict[str, str] = {}
    for kind, text in sentences:
        if text and not _DIGIT.search(text):  # names such as "Kilometre 7" would bring figures in
            seen.setdefault(text, kind)
    return [(kind, text) for text, kind in seen.items()]


def _pick(wordings: Sequence[str], entity: str, place_id: str, frequency: int, count: int = 1) -> list[str]:
    """Choose ``count`` wordings of an entity for a place, out of as many as the entity's frequency allows."""
    allowed = min(len(wordings), next(limit for least, limit in _WORDINGS_BY_FREQUENCY if frequency >= least))
    start = hash_text(entity) if allowed < len(wordings) else 0
    first = hash_text(entity, place_id) % allowed
    return [wordings[(start + (first + step) % allowed) % len(wordings)] for step in range(min(count, allowed))]


def _choose(wordings: Sequence[str], key: str, place_id: str, count: int = 1) -> list[str]:
    """Choose ``count`` different wordings of a common class for a place."""
    first = hash_text(key, place_id) % len(wordings)
    return [wordings[(first + step) % len(wordings)] for step in range(min(count, len(wordings)))]


def _settlement(facts: PlaceFacts, entities: Counter[str]) -> list[tuple[str, str]]:
    found = [("settlement", text) for text in _choose(SETTLEMENT_WORDS[facts.settlement], "settlement", facts.place_id)]
    if facts.town:
        key = f"town/{facts.country_code}/{facts.region}/{facts.town}/{facts.town_class}"
        if facts.town_class == "countryside":
            wordings = [f"countryside near {facts.town}, {facts.country}", f"near {facts.town} in {facts.country}"]
        else:
            size = f"{'a' if facts.town_class[0] != 'a' else 'an'} {facts.town_class}"
            wordings = [facts.town, f"{facts.town}, {size} in {_in(facts.country)}", f"{facts.town}, {facts.country}"]
        found += [("settlement", text) for text in _pick(wordings, key, facts.place_id, entities[key])]
    if facts.big_city and facts.big_city != facts.town:
        key = f"big/{facts.country_code}/{facts.big_city}"
        wordings = [f"near {facts.big_city}", facts.big_city, f"in or near the city of {facts.big_city}"]
        found += [("near_city", text) for text in _pick(wordings, key, facts.place_id, entities[key])]
    return found


def _administrative(facts: PlaceFacts, entities: Counter[str]) -> list[tuple[str, str]]:
    found = []
    if facts.region and facts.region != facts.country:
        key = f"region/{facts.country_code}/{facts.region}"
        wordings = [f"{facts.region}, {facts.country}", facts.region, f"in {facts.region}"]
        found += [("region", text) for text in _pick(wordings, key, facts.place_id, entities[key])]
    if facts.country:
        bare = _bare(facts.country)
        wordings = [bare, f"in {_in(facts.country)}", *COUNTRY_ALIASES.get(facts.country_code, ())]
        found += [("country", text) for text in _choose(wordings, facts.country_code, facts.place_id)]
    if facts.continent:
        found += [
            ("continent", text) for text in _choose((facts.continent, f"in {facts.continent}"), "", facts.place_id)
        ]
    if facts.parts:
        part = _choose(facts.parts, "part", facts.place_id)[0]
        found += [("continent", text) for text in _choose((_bare(part), f"in {part}"), part, facts.place_id)]
    return found


def _natural(facts: PlaceFacts, entities: Counter[str]) -> list[tuple[str, str]]:
    found = []
    for rank, region in enumerate(facts.inside[:MOST_REGIONS]):
        key = f"natural/{region.name}"
        wordings = [f"in {_the(region)}", *_kind_words(region), *region.aliases]
        found.append(("natural_region", _bare(region.name)))
        if rank < 2:  # of the smallest two also another wording and what they are in general terms
            found += [("natural_region", text) for text in _pick(wordings, key, facts.place_id, entities[key])]
            found.append(("natural_region", region.words))
    for region in facts.by_water[:MOST_WATERS]:
        key = f"natural/{region.name}"
        name = _bare(region.name)
        the_name = _the(region)
        shore = "shore" if region.kind == "lake" else "coast"
        wordings = [f"on the {shore} of {the_name}", f"{name} {shore}", f"by {the_name}", name, *region.aliases]
        found += [("natural_region", text) for text in _pick(wordings, key, facts.place_id, entities[key], 2)]
    return found


def _general(facts: PlaceFacts) -> list[tuple[str, str]]:
    key = facts.place_id
    return [
        *(("climate", text) for text in _choose(CLIMATE_WORDS[facts.climate], "climate", key, 2)),
        *(("terrain", text) for text in _choose(TERRAIN_WORDS[facts.terrain], "terrain", key)),
        *(("water", text) for text in _choose(WATER_WORDS[facts.water], "water", key)),
        *(("pattern", text) for text in _choose(PATTERN_WORDS[facts.pattern], "pattern", key)),
        *(("setting", text) for text in _choose(_settings(facts), "setting", key, 2)),
    ]


def _settings(facts: PlaceFacts) -> list[str]:
    """Combinations in general terms: "big city by the sea", "desert mountains", "tundra coast"."""
    climate = CLIMATE_ADJECTIVES[facts.climate]
    land = {
        "very high mountains": "mountains",
        "high mountains": "mountains",
        "mountains": "mountains",
        "hills": "hills",
        "high plateau": "high plateau",
        "plateau": "plateau",
        "plain": "plain",
        "lowland": "lowland",
        "depression": "depression",
    }[facts.terrain]
    shore = {"small island": "island", "coast": "coast"}.get(facts.water, "")
    settings = [f"{climate} {land}"]
    if shore:
        settings.append(f"{climate} {shore}")
    if shore and land in ("mountains", "hills"):
        settings.append(f"{land} by the sea" if shore == "coast" else f"island of {land}")
    if facts.settlement in ("countryside", "wilderness"):
        return settings
    size = {"megacity": "big city", "large city": "big city"}.get(facts.settlement, facts.settlement)
    if shore:
        settings += [f"{size} by the sea", f"coastal {size}"] if shore == "coast" else [f"{size} on an island"]
    if land in ("mountains", "hills", "high plateau"):
        settings.append(f"{size} in the {land}" if land != "high plateau" else f"{size} on a high plateau")
    if facts.climate[0] in "BE" or facts.climate in ("Af", "Am", "Dfc", "Dfd", "Dwc", "Dwd"):
        settings.append(f"{climate} {size}")
    return settings


def _kind_words(region: NaturalRegion) -> list[str]:
    """The name with the kind of thing said, where the name does not say it: "Sahara desert", "Himalaya mountains"."""
    noun = {
        "desert": "desert",
        "range": "mountains",
        "forest": "forest",
        "plateau": "plateau",
        "peninsula": "peninsula",
    }
    word = noun.get(region.kind, "")
    name = region.name.lower()
    if not word or word.rstrip("s") in name or any(known in name for known in ("alps", "mount", "range", "hills")):
        return []
    return [f"{_bare(region.name)} {word}"]


def _bare(name: str) -> str:
    return name[4:] if name.lower().startswith("the ") else name


def _in(country: str) -> str:
    return f"the {_bare(country)}" if _WITH_ARTICLE.search(country) or country.startswith("The ") else country


def _the(region: NaturalRegion) -> str:
    name = _bare(region.name)
    plain = name in _NO_ARTICLE or (region.kind == "island" and not name.endswith(("Islands", "Isles")))
    return name if plain or (region.kind == "lake" and name.startswith("Lake ")) else f"the {name}"
