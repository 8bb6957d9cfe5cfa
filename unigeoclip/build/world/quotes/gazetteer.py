"""Which gloss of WordNet belongs to the things that places are in or by: towns, regions, countries, natural regions."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from unigeoclip.build.sentences import hash_text
from unigeoclip.build.world.quotes.wordnet import find_gloss, fold_name
from unigeoclip.build.world.word_tables import COUNTRY_ALIASES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from unigeoclip.build.sentences import Sentence
    from unigeoclip.build.world.captions import PlaceFacts
    from unigeoclip.build.world.geonames import Country, Towns
    from unigeoclip.build.world.natural_regions import NaturalRegion
    from unigeoclip.build.world.quotes.wordnet import Gloss

__all__ = ["Gazetteer"]

TOWN_MIN_POPULATION = 15_000  # as of the towns that places are named after
CLEARLY_LARGER = 5  # times: of two towns of one name in a country, the one that WordNet must mean
MOST_GLOSSES = 2  # of a place
_TOWN_KINDS = ("city", "town", "municipality", "capital", "port", "urban area", "seaport", "village", "district")
_REGION_KINDS = ("state", "French region", "Italian region", "county", "country", "district", "geographical area")
_COUNTRY_KINDS = ("country", "European country", "principality", "kingdom", "commonwealth", "possession")
_LAND_KINDS = ("geographical area", "region", "state", "district")
# Kind of a natural region -> WordNet's kinds, the best first.
_NATURAL_KINDS: dict[str, tuple[str, ...]] = {
    "range": ("range", "mountain", "massif", "highland", *_LAND_KINDS),
    "island": ("island",),
    "peninsula": ("peninsula", *_LAND_KINDS),
    "sea": ("sea", "ocean", "body of water"),
    "desert": ("desert", "basin", *_LAND_KINDS),
    "archipelago": ("archipelago", "island", *_LAND_KINDS),
    "lake": ("lake", "sea"),
    "gulf": ("gulf", "bay", "sea", "channel", "strait", "body of water"),
    "plateau": ("tableland", "highland", *_LAND_KINDS),
    "plain": ("plain", *_LAND_KINDS),
    "lowland": ("plain", *_LAND_KINDS),
    "wetland": ("swamp", "delta", "wetland", *_LAND_KINDS),
    "forest": ("forest", *_LAND_KINDS),
    "steppe": ("plain", "grassland", *_LAND_KINDS),
    "coast": ("seashore", "coast", "reef", *_LAND_KINDS),
    "valley": ("valley", "rift valley", *_LAND_KINDS),
    "river_basin": ("basin", *_LAND_KINDS),
    "basin": ("basin", *_LAND_KINDS),
    "ice": ("glacier", "continent"),
}


class Gazetteer:
    """Glosses of what places are in: looked up by name, kind and country."""

    def __init__(self, glosses: Sequence[Gloss], towns: Towns, countries: dict[str, Country]) -> None:
        """Match towns, once; the rest is matched when a place asks.

        Args:
            glosses: From `wordnet.read_glosses`.
            towns: Of GeoNames, with the names of their regions.
            countries: Of GeoNames, by ISO code.
        """
        self._by_name: dict[str, list[Gloss]] = {}
        for gloss in glosses:
            for name in gloss.names:
                self._by_name.setdefault(name, []).append(gloss)
        self._country_names = {
            code: tuple(fold_name(name) for name in (country.name, *COUNTRY_ALIASES.get(code, ())))
            for code, country in countries.items()
        }
        shared = Counter(name for names in self._country_names.values() for name in set(names))
        self._country_names = {
            code: tuple(name for name in names if shared[name] == 1) for code, names in self._country_names.items()
        }
        self._towns = self._match_towns(towns)

    def _match_towns(self, towns: Towns) -> dict[tuple[str, str, str], Gloss]:
        """(ISO code, region, name) of towns -> their gloss."""
        by_key: dict[tuple[str, str], list[int]] = {}
        for row, (code, name, population) in enumerate(
            zip(towns.country_code, towns.name, towns.population, strict=True)
        ):
            if population >= TOWN_MIN_POPULATION and fold_name(name) in self._by_name:
                by_key.setdefault((str(code), str(name)), []).append(row)
        found = {}
        for (code, name), rows in by_key.items():
            candidates = self._by_name[fold_name(name)]
            country = self._country_names.get(code, ())
            rows.sort(key=lambda row: -int(towns.population[row]))
            first = int(towns.population[rows[0]])
            alone = len(rows) == 1 or first >= CLEARLY_LARGER * int(towns.population[rows[1]])
            for row in rows:
                region = str(towns.region[row])
                gloss = find_gloss(candidates, _TOWN_KINDS, [fold_name(region)]) if region else None
                if gloss is None or not gloss.within.intersection(country):
                    gloss = find_gloss(candidates, _TOWN_KINDS, country) if alone and row == rows[0] else None
                if gloss is not None and not self._elsewhere(gloss, code, region):
                    found[code, region, name] = gloss
        return found

    def _elsewhere(self, gloss: Gloss, code: str, region: str) -> bool:
        """Whether WordNet has the town in another state of the United States than GeoNames."""
        return code == "US" and fold_name(region) not in gloss.within

    def town(self, code: str, region: str, name: str) -> Gloss | None:
        """The gloss of a town."""
        return self._towns.get((code, region, name))

    def country(self, code: str) -> Gloss | None:
        """The gloss of a country."""
        return self._first(self._country_names.get(code, ()), _COUNTRY_KINDS)

    def region(self, code: str, name: str) -> Gloss | None:
        """The gloss of a first-level administrative region."""
        return self._first([fold_name(name)], _REGION_KINDS, self._country_names.get(code, ()))

    def part(self, name: str) -> Gloss | None:
        """The gloss of a part of a continent or country, such as "New England"."""
        return self._first([fold_name(name)], _LAND_KINDS)

    def natural(self, region: NaturalRegion) -> Gloss | None:
        """The gloss of a natural region or water."""
        return self._first([fold_name(name) for name in (region.name, *region.aliases)], _NATURAL_KINDS[region.kind])

    def _first(
        self, names: Iterable[str], kinds: tuple[str, ...], within: tuple[str, ...] | None = None
    ) -> Gloss | None:
        found = (find_gloss(self._by_name.get(name, ()), kinds, within) for name in names)
        return next((gloss for gloss in found if gloss is not None), None)

    def sentences(self, facts: PlaceFacts) -> list[Sentence]:
        """Up to `MOST_GLOSSES` clauses of glosses of what a place is in or by: of the narrowest, and of one more."""
        in_town = facts.town and facts.town_class != "countryside"
        known = [
            self.town(facts.country_code, facts.region, facts.town) if in_town else None,
            *(self.natural(region) for region in facts.inside[:2]),
            self.region(facts.country_code, facts.region) if facts.region else None,
            *(self.natural(region) for region in facts.by_water[:1]),
            *(self.part(part) for part in facts.parts),
            self.country(facts.country_code) if facts.country_code else None,
        ]
        found = list(dict.fromkeys(gloss for gloss in known if gloss is not None))
        key = facts.place_id
        if len(found) > 1:
            rest = found[1:]
            found = [found[0], rest[hash_text("gloss", key) % len(rest)]]
        texts = [gloss.clauses[hash_text("clause", key) % len(gloss.clauses)] for gloss in found[:MOST_GLOSSES]]
        return [("gloss", text) for text in texts]
