"""What tags of OpenStreetMap mean in the layers that a city is drawn from: one table for each layer.

The classes are those of the OpenMapTiles schema (https://openmaptiles.org/schema): an extract and the tiles made of it
give about the same city. A feature may be in several layers: a school is a use of the land and a place to go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from unigeoclip.build.city.vocabulary import POI

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["AREA_KEYS", "COASTLINE", "layers_of", "meters"]

COASTLINE = "coastline"  # a layer of its own, from which the sea is made
LEVEL_M = 3.66  # a storey, where the map counts them; as in OpenMapTiles
# A closed way with one of these keys is an area; any other one is a line, unless it says area=yes.
AREA_KEYS = (
    *("aeroway", "amenity", "boundary", "building", "building:part", "historic", "landuse", "leisure", "man_made"),
    *("natural", "place", "shop", "sport", "tourism", "water", "waterway"),
)
_NO = ("", "no", "false", "0")

_ROADS = {
    **{name: name for name in ("motorway", "trunk", "primary", "secondary", "tertiary", "service", "track", "raceway")},
    **{f"{name}_link": name for name in ("motorway", "trunk", "primary", "secondary", "tertiary")},
    **dict.fromkeys(("unclassified", "residential", "living_street", "road"), "minor"),
    **dict.fromkeys(("pedestrian", "path", "footway", "cycleway", "steps", "bridleway", "corridor"), "path"),
    **dict.fromkeys(("busway", "bus_guideway"), "busway"),
}
_RAILS = {
    **dict.fromkeys(("rail", "narrow_gauge", "preserved"), "rail"),
    **dict.fromkeys(("tram", "light_rail", "subway", "monorail", "funicular"), "transit"),
}
_UNPAVED = ("unpaved", "compacted", "dirt", "earth", "fine_gravel", "grass", "gravel", "ground", "mud", "sand", "wood")
_WATERWAYS = ("river", "canal", "stream", "drain", "ditch")
_RIVERS = ("river", "riverbank", "canal", "stream", "drain", "ditch", "oxbow", "rapids")
_AEROWAYS = ("runway", "taxiway", "apron", "helipad", "aerodrome", "heliport")
# Key and value -> class of the layer.
_LANDUSE: dict[str, dict[str, str]] = {
    "landuse": {
        **{name: name for name in ("residential", "commercial", "retail", "industrial", "railway", "cemetery")},
        **{name: name for name in ("military", "quarry", "garages", "landfill")},
        "education": "education",
    },
    "amenity": {
        **{name: name for name in ("school", "university", "college", "kindergarten", "hospital", "library")},
        "bus_station": "bus_station",
        "grave_yard": "cemetery",
    },
    "leisure": {name: name for name in ("stadium", "pitch", "playground", "track")},
    "tourism": {"theme_park": "theme_park", "zoo": "zoo"},
    "place": {name: name for name in ("suburb", "quarter", "neighbourhood")},
    "waterway": {"dam": "dam"},
}
_LANDCOVER: dict[str, dict[str, str]] = {
    "landuse": {
        **dict.fromkeys(("farmland", "farm", "orchard", "vineyard", "plant_nursery"), "farmland"),
        **dict.fromkeys(("grass", "meadow", "allotments", "recreation_ground", "village_green", "flowerbed"), "grass"),
        "forest": "wood",
    },
    "natural": {
        **dict.fromkeys(("grassland", "heath", "scrub", "fell", "tundra", "shrubbery"), "grass"),
        **dict.fromkeys(("beach", "sand", "dune", "shingle"), "sand"),
        **dict.fromkeys(("bare_rock", "scree", "rock"), "rock"),
        "wood": "wood",
        "wetland": "wetland",
        "glacier": "ice",
    },
    "leisure": dict.fromkeys(("park", "garden", "golf_course"), "grass"),
}
_PARK: dict[str, dict[str, str]] = {
    "boundary": {"national_park": "national_park", "protected_area": "protected_area"},
    "leisure": {"nature_reserve": "nature_reserve"},
}
_WATER: dict[str, dict[str, str]] = {
    "natural": {"water": "lake", "ocean": "ocean"},
    "landuse": dict.fromkeys(("reservoir", "basin", "salt_pond"), "lake"),
    "waterway": {"dock": "dock", **dict.fromkeys(_RIVERS, "river")},
    "leisure": {"swimming_pool": "swimming_pool"},
}
_PLACES = (
    *("city", "town", "village", "hamlet", "suburb", "borough", "quarter", "neighbourhood", "island"),
    "isolated_dwelling",
)
# The first of these keys that a point or an area has says what it is; the value becomes the subclass.
_POI_KEYS = ("amenity", "shop", "tourism", "leisure", "historic", "station", "railway", "sport", "landuse", "waterway")
_POI_OF_KEY: dict[str, tuple[str, ...]] = {
    "railway": ("station", "halt", "tram_stop"),
    "station": ("subway",),
    "landuse": ("cemetery",),
    "waterway": ("dock",),
}
_POI_CLASS = {"marina": "harbor", "dock": "harbor", "viewpoint": "attraction", "university": "college"}
# The tag that tells the subclass of some.
_POI_DETAIL = {"place_of_worship": "religion", "pitch": "sport"}
_RANKS = ((1_000_000, 3.0), (300_000, 5.0), (50_000, 8.0))  # inhabitants at least -> rank
_SIZE = re.compile(r"\s*(\d{1,6}(?:[.,]\d{1,4})?)\s*(m|ft|feet|'|$)")

Row = tuple[str, dict[str, Any]]


def layers_of(tags: Mapping[str, str], dimension: int) -> Iterator[Row]:
    """The layers in which a feature is, and its columns there; names of columns as in `TEXT_COLUMNS`.

    Args:
        tags: Of the feature.
        dimension: 0 for a point, 1 for a line, 2 for an area.
    """
    if dimension == 2:
        yield from _areas(tags)
    elif dimension == 1:
        yield from _lines(tags)
    if dimension != 1:
        yield from _points(tags, dimension)


def meters(text: str | None) -> float | None:
    """A length such as "12", "12.5 m" or "40 ft" in meters; None for anything else."""
    found = _SIZE.match(text or "")
    if found is None:
        return None
    return float(found[1].replace(",", ".")) * (1.0 if found[2] in ("m", "") else 0.3048)


def _areas(tags: Mapping[str, str]) -> Iterator[Row]:
    if _is(tags, "building") or _is(tags, "building:part"):
        yield "building", _building(tags)
    if found := _class(tags, _WATER):
        kind = tags.get("water", "")
        named = {**dict.fromkeys(_RIVERS, "river"), "pond": "pond"}.get(kind, found)
        yield "water", {"class": named if found == "lake" else found, "brunnel": _brunnel(tags)}
        if found == "lake" and named != "river" and tags.get("name"):
            yield "water_name", {"class": "lake", "name": tags["name"]}
    if found := _class(tags, _LANDUSE):
        yield "landuse", {"class": found}
    if found := _class(tags, _LANDCOVER):
        key = next(key for key, values in _LANDCOVER.items() if tags.get(key) in values)
        yield "landcover", {"class": found, "subclass": tags[key]}
    if found := _class(tags, _PARK):
        yield "park", {"class": found, "name": tags.get("name")}
    if tags.get("highway") in _ROADS:
        yield "transportation_area", _way(_ROADS[tags["highway"]], tags["highway"], tags)
    for key, value in (("man_made", "pier"), ("man_made", "bridge"), ("railway", "platform")):
        if tags.get(key) == value:
            yield "transportation_area", _way(value, value, tags)
    yield from _of_both(tags)


def _lines(tags: Mapping[str, str]) -> Iterator[Row]:
    road = tags.get("highway", "")
    if road in _ROADS:
        detail = tags.get("footway") if tags.get("footway") in ("sidewalk", "crossing") else None
        yield "transportation", _way(_ROADS[road], detail or road, tags)
        if tags.get("name") or tags.get("ref"):
            named = {"name": tags.get("name"), "ref": tags.get("ref")}
            yield "transportation_name", {"class": _ROADS[road], "subclass": road, **named}
    rail = tags.get("railway", "")
    if rail in _RAILS:
        yield "transportation", _way(_RAILS[rail], rail, tags)
    if tags.get("man_made") == "pier":
        yield "transportation", _way("pier", "pier", tags)
    if tags.get("waterway") in _WATERWAYS:
        yield "waterway", {"class": tags["waterway"], "brunnel": _brunnel(tags), "name": tags.get("name")}
    yield from _of_both(tags)


def _of_both(tags: Mapping[str, str]) -> Iterator[Row]:
    """What lines and areas may be."""
    level = _number(tags.get("admin_level"))
    if tags.get("boundary") == "administrative" and level is not None:
        yield "boundary", {"admin_level": level}
    if tags.get("aeroway") in _AEROWAYS:
        yield "aeroway", {"class": tags["aeroway"], "ref": tags.get("ref")}
    if tags.get("natural") == "coastline":
        yield COASTLINE, {}


def _points(tags: Mapping[str, str], dimension: int) -> Iterator[Row]:
    name = tags.get("name")
    if dimension == 0 and name and tags.get("place") in _PLACES:
        yield "place", {"class": tags["place"], "name": name, "rank": _rank(tags)}
    if dimension == 0 and name and tags.get("place") in ("ocean", "sea"):
        yield "water_name", {"class": "ocean", "name": name}
    if name and tags.get("natural") in ("bay", "strait"):
        yield "water_name", {"class": tags["natural"], "name": name}
    for key in _POI_KEYS:
        value = tags.get(key, "")
        if value in _NO or (key in _POI_OF_KEY and value not in _POI_OF_KEY[key]):
            continue
        subclass = tags.get(_POI_DETAIL.get(value, ""), value)
        kind = _POI_CLASS.get(value, value)
        if subclass in POI or kind in POI or kind == "harbor":  # benches and the like are spoken of nowhere
            yield "poi", {"class": kind, "subclass": subclass, "name": name}
            return


def _building(tags: Mapping[str, str]) -> dict[str, Any]:
    def height(own: str, levels: str) -> float | None:
        count = meters(tags.get(levels))
        known = meters(tags.get(own))
        return known if known is not None else None if count is None else count * LEVEL_M

    return {
        "colour": tags.get("building:colour"),
        "height_m": height("height", "building:levels"),
        "min_height_m": height("min_height", "building:min_level"),
        "is_part": not _is(tags, "building"),
    }


def _way(kind: str, subclass: str, tags: Mapping[str, str]) -> dict[str, Any]:
    surface = tags.get("surface")
    return {
        "class": kind,
        "subclass": subclass,
        "brunnel": _brunnel(tags),
        "service": tags.get("service"),
        "surface": None if surface is None else "unpaved" if surface in _UNPAVED else "paved",
        "layer": _number(tags.get("layer")),
    }


def _class(tags: Mapping[str, str], table: Mapping[str, Mapping[str, str]]) -> str | None:
    return next((values[tags[key]] for key, values in table.items() if tags.get(key) in values), None)


def _brunnel(tags: Mapping[str, str]) -> str | None:
    return next((kind for kind in ("bridge", "tunnel", "ford") if _is(tags, kind)), None)


def _is(tags: Mapping[str, str], key: str) -> bool:
    return tags.get(key, "") not in _NO


def _rank(tags: Mapping[str, str]) -> float:
    if tags.get("capital") == "yes":
        return 2.0
    count = _number(tags.get("population")) or 0.0
    return next((rank for least, rank in _RANKS if count >= least), 10.0)


def _number(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"-?\d{1,10}", text) else None
