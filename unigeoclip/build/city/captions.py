"""Sentences about the cells of a city: where they lie, how they are built, what is within a short walk.

Every sentence has its kind. Most say one thing, and many are only a name ("Davis Square", "sushi", "by the river"),
because a search of one or two words must find its place. Wordings are chosen by hashes of the named thing and of the
place, so the same map gives the same sentences; a named thing is worded in one or two ways only, which bounds the
number of distinct sentences. No sentence holds coordinates, distances or figures.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from unigeoclip import geo
from unigeoclip.build.city import vocabulary as words
from unigeoclip.build.city.areas import Area, areas_of
from unigeoclip.build.city.morphology import Fabric, fabric_of
from unigeoclip.build.city.surroundings import DIGIT, NearPoi, pois_near, streets_of, waters_of
from unigeoclip.build.city.synonyms import KINDS as KIND_SYNONYMS
from unigeoclip.build.city.synonyms import NOUNS, Dialect, dialect_at
from unigeoclip.build.sentences import hash_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from unigeoclip.city.layers import CityLayers, CityRasters

    Sentence: TypeAlias = tuple[str, str]  # kind, text

__all__ = ["KINDS", "Description", "describe"]

KINDS = ("town", "neighbourhood", "fabric", "setting", "water", "street", "amenities", *words.WALK_M)
MOST_STREETS = 3
MOST_WORDINGS = 4  # of the class of the fabric
MOST_NOUNS = 7
_BUSY_KINDS = ("restaurant", "cafe", "nightlife", "shop")


@dataclass
class Description:
    """What is said of one cell.

    Attributes:
        name: How it is called on a card: "Beacon Street, Back Bay, Boston".
        stratum: The class of its fabric, a key of `city_words.FABRIC`.
        sentences: (kind, text), without repetition.
        bounded: Whether its town is known by a municipal boundary.
    """

    name: str
    stratum: str
    sentences: list[Sentence] = field(default_factory=list)
    bounded: bool = False


def describe(
    place_ids: Sequence[str], latlon: NDArray[np.float64], layers: CityLayers, rasters: CityRasters
) -> list[Description]:
    """Describe the cells of a city.

    Args:
        place_ids: (n,) keys of the hashes.
        latlon: (n, 2) degrees, centres of the cells.
        layers: The vector map.
        rasters: What the map makes of the ground and the buildings.

    Returns:
        (n,) descriptions. That of a cell depends on its surroundings alone, not on the other cells.
    """
    xy = geo.web_mercator(latlon)
    meter = 1 / rasters.grid.ground_per_mercator
    areas = areas_of(xy, layers, rasters)
    pois = pois_near(xy, layers, meter)
    fabric = fabric_of(xy, layers, rasters)
    streets, traffic = streets_of(xy, layers, meter)
    waters = waters_of(xy, layers, fabric, meter)
    found = []
    for row, place_id in enumerate(place_ids):
        where = (place_id, areas[row], dialect_at(*latlon[row].tolist()))
        cell = _Cell(*where, fabric[row], pois[row], streets[row], traffic[row], waters[row])
        found.append(Description(cell.name(), fabric[row].kind, cell.sentences(), areas[row].bounded))
    return found


@dataclass(frozen=True)
class _Cell:
    """Everything known of a cell, and how to say it."""

    place_id: str
    area: Area
    dialect: Dialect
    fabric: Fabric
    pois: list[NearPoi]
    streets: list[str]
    traffic: str  # "highway", "main road", "quiet" or empty
    waters: list[tuple[str, str]]  # class of water and its name or empty, the most telling first

    def name(self) -> str:
        """Street and area, or what it is where there is neither."""
        parts = [*self.streets[:1], self.area.full()]
        return ", ".join(part for part in parts if part) or words.FABRIC[self.fabric.kind][0]

    def sentences(self) -> list[Sentence]:
        """All sentences, each text once."""
        found = [
            *self._area(),
            *self._fabric(),
            *self._water(),
            *self._streets(),
            *self._amenities(),
            *self._named(),
        ]
        seen: dict[str, str] = {}
        for kind, text in found:
            if text and not DIGIT.search(text):  # "Route 9" or "7-Eleven" would bring figures in
                seen.setdefault(text, kind)
        return [(kind, text) for text, kind in seen.items()]

    def _choose(self, wordings: Sequence[str], key: str, count: int = 1) -> list[str]:
        first = hash_text(key, self.place_id) % len(wordings)
        return [wordings[(first + step) % len(wordings)] for step in range(min(count, len(wordings)))]

    def _area(self) -> list[Sentence]:
        area, found = self.area, []
        if area.town:
            found += [("town", text) for text in self._choose((area.town, f"in {area.town}"), "town")]
        for name in dict.fromkeys((area.suburb, area.local)):
            if name:
                among = [name, f"in {name}", f"{name} neighbourhood", f"{name} neighborhood"]
                among += [f"{name}, {area.town}", f"{name} in {area.town}"] if area.town else []
                found += [("neighbourhood", name)]
                found += [("neighbourhood", text) for text in self._choose(among[1:], name)]
        return found

    def _fabric(self) -> list[Sentence]:
        wordings = words.FABRIC[self.fabric.kind] + self.dialect.fabric.get(self.fabric.kind, ())
        found = [("fabric", text) for text in self._choose(wordings, "fabric", MOST_WORDINGS)]
        found += [("fabric", self._choose(words.DETAILS[detail], detail)[0]) for detail in self.fabric.details]
        if self.traffic == "quiet" and self.fabric.kind in words.RESIDENTIAL and self._busy() <= words.QUIET_BUSY:
            found += [("fabric", self._choose(words.QUIET, "quiet")[0])]
        if self.area.nearest:
            short = self._choose(words.FABRIC_SHORT[self.fabric.kind], "short")[0]
            among = (f"{short} in {self.area.nearest}", f"{self.area.nearest}: {short}")
            found += [("setting", text) for text in self._choose(among, "place")]
        return found

    def _water(self) -> list[Sentence]:
        found = []
        short = self._choose(words.FABRIC_SHORT[self.fabric.kind], "water")[0]
        if self.fabric.kind == "industrial" and any(kind in ("harbour", "sea") for kind, _ in self.waters):
            found += [("setting", text) for text in self._choose(words.PORT, "port", 2)]
        for rank, (kind, name) in enumerate(self.waters[:2]):
            plain = words.WATER[kind]
            found += [("water", text) for text in self._choose(plain, f"water/{kind}")]
            if name:
                among = (
                    name,
                    f"by {_the(name)}",
                    f"on the banks of {_the(name)}" if kind == "river" else f"near {name}",
                )
                found += [("water", name), ("water", self._choose(among[1:], name)[0])]
            if rank == 0:
                found.append(("setting", f"{short} {self._choose(words.WATER_SIDE[kind], 'side')[0]}"))
        return found

    def _streets(self) -> list[Sentence]:
        found: list[Sentence] = []
        for name in self.streets[:MOST_STREETS]:
            among = (name, f"on {name}", name)
            found.append(("street", among[hash_text("street", name) % len(among)]))
        if self.traffic in words.TRAFFIC:
            found.append(("street", self._choose(words.TRAFFIC[self.traffic], "traffic")[0]))
        return found

    def _amenities(self) -> list[Sentence]:
        """What there is, in general terms, and in which part of the city: "restaurants in Brighton"."""
        counts = self._counts()
        found: list[Sentence] = []
        for kind, count in counts.items():
            one, many = words.PLURAL[kind]
            said = many if count > 1 else one
            found.append(("amenities", self._choose((said, f"{said} nearby", f"near {said}"), kind)[0]))
            if self.area.nearest and kind in words.KINDS_OF_AREAS:
                also = self._choose((many, many, *KIND_SYNONYMS.get(kind, ())), f"also/{kind}")[0]
                found.append(("amenities", f"{also} in {self._choose(self._names(), kind)[0]}"))
        if counts.get("university", 0) >= (1 if self.fabric.kind == "campus" else 3):
            found += [("setting", text) for text in self._choose(words.UNIVERSITY, "university")]
        nouns = Counter(near.poi.noun for near in self.pois)
        for what, (least, wordings) in words.CLUSTERS.items():
            if max(nouns[what], counts.get(what, 0)) >= least:
                found += [("amenities", text) for text in self._choose(wordings, what, 2)]
        for least, wordings in words.BUSY:
            if self._busy() >= least:
                found.append(("amenities", self._choose(wordings, "busy")[0]))
                break
        return found

    def _counts(self) -> Counter[str]:
        return Counter(near.poi.kind for near in self.pois)

    def _busy(self) -> int:
        """Places to eat, drink and shop within walking distance."""
        return sum(count for kind, count in self._counts().items() if kind in _BUSY_KINDS)

    def _names(self) -> list[str]:
        return list(dict.fromkeys(name for name in (self.area.local, self.area.suburb, self.area.town) if name))

    def _named(self) -> list[Sentence]:
        found: list[Sentence] = []
        taken: Counter[str] = Counter()
        for near in self.pois:
            poi = near.poi
            if poi.name and taken[poi.kind] < words.MOST_NAMED.get(poi.kind, 1):
                taken[poi.kind] += 1
                found += self._called(near)
        for cuisine in dict.fromkeys(near.poi.cuisine for near in self.pois if near.poi.cuisine):
            noun = _kitchen(cuisine)
            among = (cuisine, noun, f"{_a(noun)} within walking distance", f"{noun} nearby")
            found.append(("restaurant", self._choose(among, cuisine)[0]))
        nouns: dict[str, NearPoi] = {}
        for near in self.pois:
            if near.poi.kind not in ("restaurant", "shop") or near.poi.grand:
                nouns.setdefault(near.poi.noun, near)
        for noun, near in list(nouns.items())[:MOST_NOUNS]:
            found += [(near.poi.kind, text) for text in self._noun(noun, near.here)]
        return found

    def _synonyms(self, noun: str) -> tuple[str, ...]:
        return NOUNS.get(noun, ()) + self.dialect.nouns.get(noun, ())

    def _noun(self, noun: str, here: bool) -> list[str]:
        """What a thing is, without its name: by two of its nouns on its ground, by one farther off."""
        synonyms = self._synonyms(noun)
        if here:
            return [noun, *(self._choose(synonyms, f"also/{noun}") if synonyms else ())]
        said = self._choose((noun, noun, *synonyms), f"also/{noun}")[0]
        far = (f"{_a(said)} within walking distance", f"{_a(said)} close by", f"near {_a(said)}", f"{said} nearby")
        return self._choose(far, noun)

    def _called(self, near: NearPoi) -> list[Sentence]:
        """How a thing with a name is spoken of."""
        poi = near.poi
        synonyms = () if poi.cuisine else self._synonyms(poi.noun)
        what = _kitchen(poi.cuisine) if poi.cuisine else poi.noun
        told = any(noun.lower() in poi.name.lower() for noun in (what, *synonyms))
        among = (what, what, *synonyms)
        full = f"near {poi.name}" if told else f"{poi.name}, {_a(among[hash_text('noun', poi.name) % len(among)])}"
        if not poi.grand:
            return [*([(poi.kind, poi.name)] if hash_text("bare", poi.name) % 2 else []), (poi.kind, full)]
        return [(poi.kind, text) for text in ((poi.name, full) if near.here else (f"near {poi.name}",))]


def _kitchen(cuisine: str) -> str:
    return words.CUISINE_NOUNS.get(cuisine, f"{cuisine} restaurant")


def _a(noun: str) -> str:
    if noun.endswith("s") and not noun.endswith(("ss", "us")):
        return noun
    return f"{'an' if noun[0].lower() in 'aeiou' and not noun.lower().startswith('uni') else 'a'} {noun}"


def _the(name: str) -> str:
    return f"the {name}" if name.endswith(("River", "Creek", "Brook", "Reservoir", "Channel", "Canal")) else name
