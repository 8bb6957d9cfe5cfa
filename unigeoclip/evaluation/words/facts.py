"""What counts as a true phrase of a place: rules per kind of phrase on what the atlas records of the place.

Written before any description was computed. A phrase that no rule covers is not judged; where the recorded facts say
nothing of a kind (terrain within a city, farming, animals), no phrase of it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

__all__ = ["CITY_RULES", "WORLD_RULES", "FactRule", "rule_of"]


@dataclass(frozen=True)
class FactRule:
    """Which phrases are true of which places.

    Attributes:
        phrases: Regular expression, found in the phrase.
        strata: Classes of places (``places.stratum``) of which they are true.
        captions: Kind of a caption -> regular expression found in it; one that is found makes the phrase true as well.
            An empty expression is found in every caption: the place has one of that kind.
    """

    phrases: str
    strata: frozenset[str] = frozenset()
    captions: Mapping[str, str] = field(default_factory=dict)

    def holds(self, stratum: str, captions: Collection[tuple[str, str]]) -> bool:
        """Whether the phrases are true of a place with this class and these captions (kind, text)."""
        return stratum in self.strata or any(
            kind in self.captions and re.search(self.captions[kind], text) is not None for kind, text in captions
        )


def rule_of(phrase: str, kind: str, rules: Mapping[str, Sequence[FactRule]]) -> FactRule | None:
    """The first rule of the kind that covers a phrase; None if it is not judged."""
    return next((rule for rule in rules.get(kind, ()) if re.search(rule.phrases, phrase)), None)


def _rule(phrases: str, strata: str = "", **captions: str) -> FactRule:
    return FactRule(phrases, frozenset(strata.split()), captions)


_OPEN = "park woods wetland cemetery open farmland water beach fields waterside airport railway"
_SUBURB = "suburb houses scattered"
_GREEN = r"leafy|many trees|tree-lined|green|wood|forest|lawns"
_RIVER, _STILL = r"[Rr]iver|[Bb]rook|[Cc]anal|[Cc]reek", r"[Pp]ond|[Ll]ake|[Rr]eservoir"
_SEA = r"\bsea\b|seaside|coast|ocean|harbour|[Dd]ock|pier|\bport\b"

CITY_RULES: dict[str, tuple[FactRule, ...]] = {
    "housing": (
        _rule("row houses|terraced|town houses", "rows blocks"),
        _rule("closely built|multi-family|triple-decker|several flats", "close houses"),
        _rule("apartment|public housing|residential towers", "apartments blocks towers"),
        _rule("single-family|detached|family houses|suburban|garden suburb", _SUBURB),
        _rule("villas|large plots|scattered", "suburb scattered"),
        _rule("dormitories", "", university=""),
    ),
    "buildings": (
        _rule("no tall|low-rise|small detached", _SUBURB, fabric="low houses|low-rise|no tall"),
        _rule("skyscraper|tall|high-rise|glass|modern towers", "towers", fabric="skyscraper|^tall|very tall|high-rise"),
        _rule("mid-rise|wall to wall|courtyards|old brick", "blocks rows apartments towers"),
        _rule("flat-roofed|warehouse", "industrial retail"),
        _rule("complexes|institutional", "campus", fabric="large buildings|big building"),
        _rule("hardly any buildings", _OPEN),
    ),
    "density": (
        _rule("inner city|business|city center|city blocks|compact|urban village", "towers blocks rows"),
        _rule("tightly|crowded|closely", "close rows blocks apartments"),
        _rule("medium|ordinary", "houses apartments close"),
        _rule("low-density|loosely|outskirts|edge of town|quiet residential", "suburb scattered"),
        _rule("sparsely|almost no|open|uninhabited", f"{_OPEN} scattered"),
    ),
    "shops": (
        _rule("supermarket|convenience|grocery|market hall", "", grocery=""),
        _rule(r"shopping center|\bmall|big stores", "retail", fabric="shopping|big stores|large shops|retail"),
        _rule("shopping|stores|shops$|main street|salons|banks|bookstores", "", shop=""),
        _rule("hotels", "", lodging=""),
        _rule("pharmacy", "", health=""),
    ),
    "food and nightlife": (
        _rule("nightlife|pubs|bars|entertainment", "", nightlife=""),
        _rule("coffee|bakery|ice cream", "", cafe=""),
        _rule("", "", restaurant=""),
    ),
    "industry": (
        _rule("port|cargo|docks", "industrial", fabric=r"\bport\b|docks", water="dock|pier|port with"),
        _rule(
            "industrial area|warehouse|freight|works|power|oil|scrap|truck|mill|distribution|vacant industrial",
            "industrial railway",
            fabric="industr|warehous|depots",
        ),
    ),
    "rail and air": (
        _rule("airport|aircraft", "airport"),
        _rule("station|tram stop|transit hub", "", transit=""),
        _rule("rail|train", "railway", fabric="rail|train"),
    ),
    "streets": (
        _rule("highway", "paved", street="highway|motorway|expressway"),
        _rule("busy main road|wide avenue", "", street="highway|motorway|expressway|main road|busy"),
        _rule("wide roads|traffic circle", "paved", fabric="wide roads|junction|interchange|paved"),
        _rule("tree-lined", "", fabric="leafy|many trees|tree-lined"),
        _rule("quiet|curved|dead-end", "suburb houses scattered", fabric="quiet|calm"),
        _rule("parking|paved", "paved airport retail", fabric="parking|car park|paved"),
    ),
    "fresh water": (
        _rule("canal", "", water="[Cc]anal"),
        _rule("lake|pond|reservoir|dam", "", water=_STILL),
        _rule("river|stream|brook|rowing", "", water=_RIVER),
    ),
    "coast and harbor": (
        _rule("marsh|tidal", "wetland", fabric="marsh|wetland"),
        _rule("beach", "beach", fabric="beach|sandy", water=_SEA),
        _rule("", "beach waterside", water=_SEA),
    ),
    "parks": (
        _rule(
            "cemetery|graveyard", "cemetery", park="[Cc]emetery|[Gg]raveyard|Burying", fabric="cemetery|grave|burial"
        ),
        _rule("golf", "", sport="[Gg]olf"),
        _rule("zoo", "", landmark=r"\b[Zz]oo\b"),
        _rule("monument", "", landmark=""),
        _rule("", "park fields woods cemetery", fabric="park$|parkland|green|lawns"),
    ),
    "nature": (
        _rule("marsh|wetland|reeds", "wetland", fabric="marsh|wetland"),
        _rule("no greenery|hardly any|bare", "", fabric="hardly any trees|no greenery"),
        _rule("many trees|canopy|leafy|green surroundings", "woods scattered", fabric=_GREEN),
        _rule("wood|forest", "woods", fabric="wood|forest"),
        _rule("reserve", "woods wetland park"),
        _rule("meadow|fields|farmland|orchard|grassland|scrub", "farmland open fields park wetland"),
        _rule("shore", "beach waterside wetland", water=_SEA),
    ),
    "education and health": (
        _rule("library", "", culture="[Ll]ibrary"),
        _rule("hospital|medical center|doctors|dentist|nursing|medical school", "", health=""),
        _rule("university|college|campus|research|law|art school|student", "campus", university=""),
        _rule("school|kindergarten", "campus", school=""),
    ),
    "culture and civic": (
        _rule("museum|theater|gallery|concert|cinema", "", culture=""),
        _rule("church|synagogue|mosque", "", worship=""),
        _rule("monument|historic|tourist", "", landmark=""),
        _rule("hall|government|courthouse|station|post office|community|embassy", "", civic=""),
    ),
    "sport": (_rule("", "fields", sport=""),),
    "character": (
        _rule("remote and empty", _OPEN),
        _rule("quiet|calm|commuter|family|spacious", _SUBURB),
        _rule("lively|busy|activity|loud|noisy", "", restaurant="", nightlife=""),
        _rule("old town|picturesque", "rows blocks towers"),
        _rule("industrial", "industrial railway"),
        _rule("students", "", university=""),
        _rule("tourists", "", landmark=""),
    ),
}

_RAINY = "rainforest|rain forest|jungle|tropical monsoon|very rainy|equatorial|green all year|heavy rain"
_SAVANNA = "savanna|tropical grassland|scattered trees|wet and a dry season"
_HOT_DESERT = "hot desert|hot and dry|^desert|hot and arid|scorching|very dry and very hot|no rain and no plants"
_COLD_DESERT = "cold desert|arid land with cold|^desert|desert with freezing|^arid$|hardly any rain, cold"
_DESERT = f"(?<!semi-)desert|arid land|{_HOT_DESERT}|{_COLD_DESERT}"
_DRY = f"{_DESERT}|semi-arid|semi-desert|steppe|dry grassland|dry bush|thorn bush|scrubland|prairie|without trees$"
_BOREAL = "subarctic|boreal|taiga|cold mountain forest|extremely cold|conifer|larch|spruce|long snowy|bitter|coldest"
_TUNDRA, _ICE = "tundra|too cold for trees|cold land without trees|lichen", r"\bice\b"
_MEDITERRANEAN = (
    "Mediterranean|dry (mild )?summers|drought|rain in winter|sunny dry|hardly any rain in summer|rainy winters"
)
_OCEANIC = (
    "oceanic|mild and rainy|temperate|cool, wet|maritime|cool, damp|cloudy and rainy|mild winters and cool|chilly"
)
_SUBTROPICAL = (
    "humid subtropical|subtropical with|subtropical monsoon|warm and humid|^subtropical |sticky|sultry|warm and rainy|"
    "^monsoon climate$|monsoon rain|^rainy summers"
)
_CONTINENTAL = (
    "continental|cold winters and hot|cold snowy winters|cold dry winters and|four seasons|^snow in winter|"
    "^snowy winters|^freezing"
)
_WET_SUMMER = "monsoon|savanna|summer rain|dry winters|dry season|rainy summers|wet summers|scattered trees"


def _climate(phrases: str, said: str) -> FactRule:
    return _rule(phrases, "", climate=said, setting=said)


_COASTAL = "by the sea|coast|seaside|island|^isle$|not far from the sea|shore|near the ocean"
_HIGH = r"(?<!between )mountain|alpine|peaks|steep slopes"
_LEVEL = "flat|low-lying|lowland|close to sea level|^plains?$|rolling plain"
_CITY = "^(in )?(a |the )?(mega|large |big |medium-sized |major |huge )*(city|urban)|^megalopolis|largest cities"
_PLATEAU = "plateau|tableland|^uplands|highland plain|elevated plain"

WORLD_RULES: dict[str, tuple[FactRule, ...]] = {
    "climate": (
        _climate("rainforest|equatorial|tropical monsoon", _RAINY),
        _climate("savanna", _SAVANNA),
        _climate("hot desert", _HOT_DESERT),
        _climate("cold desert", _COLD_DESERT),
        _climate("hot semi-arid", "hot semi-arid|thorn|hot dry grassland|^steppe |dry savannah|scrubland|semi-desert"),
        _climate(
            "cold semi-arid",
            "cold semi-arid|dry grassland with cold|grassy steppe|^steppe|prairie|without trees$|semi-desert",
        ),
        _climate("dry climate|arid", _DRY),
        _climate("Mediterranean", _MEDITERRANEAN),
        _climate("humid subtropical", _SUBTROPICAL),
        _climate("highland", "highland|spring weather"),
        _climate("oceanic|cool rainy|mild", _OCEANIC),
        _climate("continental", _CONTINENTAL),
        _climate("subarctic", _BOREAL),
        _climate("tundra", _TUNDRA),
        _climate("ice cap", _ICE),
        _climate("polar", f"{_TUNDRA}|{_ICE}"),
        _climate("alpine", f"{_TUNDRA}|highland|cold mountain"),
        _climate("monsoon", _WET_SUMMER),
    ),
    "seasons": (
        _climate("frozen all year", _ICE),
        _climate("mild and rainy", _OCEANIC),
        _climate("hot and humid|heavy rain", _RAINY),
        _climate("no winter", f"{_RAINY}|{_SAVANNA}"),
        _climate("dry summers", _MEDITERRANEAN),
        _climate("hot humid", f"hot humid|hot-summer humid|hot rainy|hot wet|{_SUBTROPICAL}"),
        _climate("short cool|long cold|polar night|extremely cold", f"{_BOREAL}|{_TUNDRA}|{_ICE}"),
        _climate("cold snowy", f"{_CONTINENTAL}|{_BOREAL}"),
        _climate("cold dry", "dry winters|cold semi-arid|cold desert|monsoon climate with|subarctic monsoon|^freezing"),
        _climate("mild winters", f"{_MEDITERRANEAN}|{_OCEANIC}"),
        _climate("cool wet", _OCEANIC),
        _climate("summer rain|monsoon|dry season", _WET_SUMMER),
        _climate("hardly any rain", _DESERT),
    ),
    "land cover": (
        _climate("^tropical rainforest|jungle|cloud", _RAINY),
        _climate("tropical dry forest|savanna", _SAVANNA),
        _climate("thorn|shrubland|sagebrush", _DRY),
        _climate("grassland|steppe|prairie", f"semi-arid|steppe|grassland|prairie|{_SAVANNA}"),
        _climate("desert|dunes|salt", _DESERT),
        _climate("boreal|taiga|conifer", _BOREAL),
        _climate("tundra|treeless", f"{_TUNDRA}|{_ICE}"),
        _climate("Mediterranean", _MEDITERRANEAN),
    ),
    "ice and snow": (
        _climate("no snow", f"{_RAINY}|{_SAVANNA}|{_HOT_DESERT}"),
        _climate("permafrost|frozen", f"{_BOREAL}|{_TUNDRA}|{_ICE}"),
        _climate("ice|glaciers|polar|all year", f"{_TUNDRA}|{_ICE}"),
    ),
    "terrain": (
        _rule("below sea", "", terrain="below"),
        _rule("basin", "", terrain="elevated plain|below"),
        _rule("lowland|plain", "", terrain=_LEVEL),
        _rule("foothills|hills", "", terrain="hill"),
        _rule("plateau|tableland", "", terrain=_PLATEAU),
        _rule("old low", "", terrain=f"{_HIGH}|hill"),
        _rule("mountain|canyon|rugged|steep|gorge", "", terrain=_HIGH),
    ),
    "coast and sea": (_rule("", "", water=_COASTAL),),
    "islands and interior": (
        _rule("island", "", water="island|^isle$"),
        _rule("inland|interior|heart|far from|away|landlocked", "", water="inland|interior|heart|far from|away"),
    ),
    "population": (
        _rule("dense|crowded|very many|millions", "", pattern="dense|crowded|very many|heavily"),
        _rule(
            "^populated countryside|many towns|settled", "", pattern="^populated|many towns|settled|very many|crowded"
        ),
        _rule("sparsely|few|scattered", "", pattern="sparsely|thinly|few|scattered"),
        _rule(
            "hardly|uninhabited|empty|remote|far from|nomads", "", pattern="uninhabited|hardly|empty|deserted|no people"
        ),
    ),
    "settlement": (
        _rule(
            "city|urban|suburbs",
            "",
            settlement=_CITY,
        ),
        _rule("town", "", settlement="^(in )?(a )?(small |provincial |market )?town$"),
        _rule("village", "", settlement="village|hamlet"),
        _rule("countryside", "", settlement="countryside|rural|open country"),
    ),
    "city setting": (
        _rule("sea$|coast", "", water=_COASTAL),
        _rule("island", "", water="island|^isle$"),
        _rule("mountains", "", terrain=_HIGH),
        _rule("hills", "", terrain="hill"),
        _rule("plateau", "", terrain=_PLATEAU),
        _rule("plain", "", terrain=_LEVEL),
    ),
}
