"""What features of Overture Maps are in tags of OpenStreetMap, from which most of them were made.

One table for each type of the schema (https://docs.overturemaps.org/schema); `osm_tags` then has the layers. A feature
that means nothing here has no tags.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Row = Mapping[str, Any]

__all__ = ["COLUMNS", "THEMES", "names_of", "tags_of"]

# Type -> theme.
THEMES: dict[str, str] = {
    **dict.fromkeys(("building", "building_part"), "buildings"),
    **dict.fromkeys(("division", "division_boundary"), "divisions"),
    **dict.fromkeys(("infrastructure", "land", "land_use", "water"), "base"),
    "place": "places",
    "segment": "transportation",
}
# Type -> columns that are read, where a file has them, beside the geometry.
_SHAPE = ("height", "num_floors", "min_height", "min_floor", "facade_color", "is_underground")
_BASE = ("subtype", "class", "names")
COLUMNS: dict[str, tuple[str, ...]] = {
    "building": (*_SHAPE, "sources"),
    "building_part": (*_SHAPE, "sources"),
    "division": (*_BASE, "population", "sources"),
    "division_boundary": ("subtype", "class", "sources"),
    **dict.fromkeys(("infrastructure", "land", "land_use", "water"), (*_BASE, "sources")),
    "place": ("names", "categories", "taxonomy", "basic_category", "confidence", "operating_status", "sources"),
    "segment": (
        *(*_BASE, "subclass", "subclass_rules", "road_flags", "rail_flags", "level_rules", "road_surface"),
        "sources",
    ),
}
LEAST_CONFIDENCE = 0.5  # that a place exists

_LAND_USE = {  # class -> key of the tag; "landuse" for all others
    **dict.fromkeys(("dog_park", "garden", "golf_course", "marina", "nature_reserve", "park", "pitch"), "leisure"),
    **dict.fromkeys(("playground", "stadium", "track", "water_park"), "leisure"),
    **dict.fromkeys(("clinic", "college", "doctors", "grave_yard", "hospital", "kindergarten", "school"), "amenity"),
    **dict.fromkeys(("university", "library"), "amenity"),
    **dict.fromkeys(("theme_park", "zoo", "camp_site"), "tourism"),
    **dict.fromkeys(("national_park", "protected_area"), "boundary"),
}
_LAND_USE_TAGS = {  # class -> tag that has another value
    **dict.fromkeys(("fairway", "green", "rough", "driving_range"), ("landuse", "grass")),
    **dict.fromkeys(("pedestrian", "plaza"), ("highway", "pedestrian")),
    "protected": ("boundary", "protected_area"),
}
_LAND = {name: ("landuse", name) for name in ("forest", "grass", "meadow")}  # all others: natural=class
_WATER_LINES = ("river", "canal", "stream", "drain", "ditch")
_INFRASTRUCTURE = {
    **{name: ("aeroway", name) for name in ("runway", "taxiway", "apron", "helipad", "heliport")},
    **{name: ("amenity", name) for name in ("bus_station", "ferry_terminal")},
    **dict.fromkeys(("bridge", "viaduct"), ("man_made", "bridge")),
    "pier": ("man_made", "pier"),
    "platform": ("railway", "platform"),
    "railway_station": ("railway", "station"),
    "railway_halt": ("railway", "halt"),
    "subway_station": ("station", "subway"),
    "dam": ("waterway", "dam"),
    "viewpoint": ("tourism", "viewpoint"),
}
_PLACES = {"macrohood": "suburb", "borough": "borough", "neighborhood": "neighbourhood", "microhood": "neighbourhood"}
_LEVELS = {"country": "2", "dependency": "3", "region": "4", "county": "6", "localadmin": "7", "locality": "8"}
_SERVICES = ("parking_aisle", "driveway", "alley")
_FOOTWAYS = {"sidewalk": "sidewalk", "crosswalk": "crossing"}
_FLAGS = {"is_bridge": "bridge", "is_tunnel": "tunnel"}
_NOT_THERE = ("is_under_construction", "is_abandoned")
_GONE = ("permanently_closed", "temporarily_closed")
# Category of a place -> tag. What ends in "_restaurant" or "_museum" is one.
_CATEGORIES: dict[str, tuple[str, str]] = {
    **{name: ("amenity", name) for name in (
        *("restaurant", "fast_food", "cafe", "school", "university", "college", "kindergarten", "hospital", "clinic"),
        *("pharmacy", "dentist", "library", "theatre", "cinema", "bar", "pub", "courthouse", "post_office"),
        *("bus_station", "ferry_terminal", "food_court", "prison"))},
    **dict.fromkeys(("fast_food_restaurant",), ("amenity", "fast_food")),
    **dict.fromkeys(("coffee_shop", "tea_room", "coffee_roastery"), ("amenity", "cafe")),
    "ice_cream_shop": ("amenity", "ice_cream"),
    **dict.fromkeys(("elementary_school", "middle_school", "high_school", "public_school", "private_school",
                     "primary_school", "secondary_school", "religious_school"), ("amenity", "school")),
    **dict.fromkeys(("preschool", "day_care_preschool"), ("amenity", "kindergarten")),
    "college_university": ("amenity", "university"),
    **dict.fromkeys(("cocktail_bar", "wine_bar", "sports_bar", "dive_bar", "beer_bar", "lounge"), ("amenity", "bar")),
    **dict.fromkeys(("irish_pub", "gastropub"), ("amenity", "pub")),
    **dict.fromkeys(("dance_club", "night_club"), ("amenity", "nightclub")),
    "beer_garden": ("amenity", "biergarten"),
    "movie_theater": ("amenity", "cinema"),
    "cultural_center": ("amenity", "arts_centre"),
    **dict.fromkeys(("medical_center", "walk_in_clinic", "urgent_care_clinic", "public_health_clinic"),
                    ("amenity", "clinic")),
    **dict.fromkeys(("doctor", "family_practice", "pediatrician", "internal_medicine"), ("amenity", "doctors")),
    **dict.fromkeys(("town_hall", "city_hall"), ("amenity", "townhall")),
    "police_department": ("amenity", "police"),
    "fire_department": ("amenity", "fire_station"),
    **dict.fromkeys(("community_center", "community_services_non_profits"), ("amenity", "community_centre")),
    "jail_and_prison": ("amenity", "prison"),
    "gas_station": ("amenity", "fuel"),
    **dict.fromkeys(("bank", "banks", "bank_credit_union"), ("amenity", "bank")),
    **dict.fromkeys(("farmers_market", "public_market"), ("amenity", "marketplace")),
    **dict.fromkeys(("church_cathedral", "catholic_church", "baptist_church", "evangelical_church", "anglican_church",
                     "episcopal_church", "pentecostal_church"), ("religion", "christian")),
    "synagogue": ("religion", "jewish"),
    "mosque": ("religion", "muslim"),
    "buddhist_temple": ("religion", "buddhist"),
    "hindu_temple": ("religion", "hindu"),
    **{name: ("leisure", name) for name in (
        *("park", "playground", "dog_park", "garden", "golf_course", "marina", "swimming_pool", "stadium"),)},
    **dict.fromkeys(("state_park", "memorial_park", "national_park"), ("leisure", "park")),
    **dict.fromkeys(("botanical_garden", "community_gardens"), ("leisure", "garden")),
    **dict.fromkeys(("ice_skating_rink", "skating_rink"), ("leisure", "ice_rink")),
    **dict.fromkeys(("sports_and_recreation_venue",), ("leisure", "sports_centre")),
    **dict.fromkeys(("stadium_arena", "baseball_stadium", "football_stadium", "soccer_stadium", "basketball_stadium"),
                    ("leisure", "stadium")),
    "baseball_field": ("sport", "baseball"),
    "tennis_court": ("sport", "tennis"),
    "basketball_court": ("sport", "basketball"),
    "soccer_field": ("sport", "soccer"),
    "american_football_field": ("sport", "american_football"),
    "skate_park": ("sport", "skateboard"),
    **{name: ("tourism", name) for name in ("hotel", "hostel", "motel", "guest_house", "museum", "aquarium", "zoo")},
    **dict.fromkeys(("bed_and_breakfast", "inn"), ("tourism", "guest_house")),
    "art_gallery": ("tourism", "gallery"),
    **dict.fromkeys(("landmark_and_historical_building", "attractions_and_activities", "lookout", "tourist_attraction"),
                    ("tourism", "attraction")),
    **{name: ("historic", name) for name in ("monument", "castle")},
    "sculpture_statue": ("historic", "monument"),
    **dict.fromkeys(("cemetery", "cemeteries"), ("landuse", "cemetery")),
    "train_station": ("railway", "station"),
    **dict.fromkeys(("metro_station", "light_rail_and_subway_stations"), ("station", "subway")),
    **{name: ("shop", name) for name in ("bakery", "supermarket", "butcher", "deli", "florist", "department_store")},
    "grocery_store": ("shop", "supermarket"),
    "convenience_store": ("shop", "convenience"),
    "butcher_shop": ("shop", "butcher"),
    "delicatessen": ("shop", "deli"),
    "fruits_and_vegetables": ("shop", "greengrocer"),
    **dict.fromkeys(("candy_store", "chocolatier"), ("shop", "confectionery")),
    **dict.fromkeys(("shopping_center", "shopping_mall"), ("shop", "mall")),
    **dict.fromkeys(("clothing_store", "womens_clothing_store", "mens_clothing_store"), ("shop", "clothes")),
    **dict.fromkeys(("bookstore", "used_bookstore"), ("shop", "books")),
    **dict.fromkeys(("liquor_store", "beer_wine_and_spirits"), ("shop", "alcohol")),
    "wine_store": ("shop", "wine"),
    "hardware_store": ("shop", "hardware"),
    "flowers_and_gifts_shop": ("shop", "florist"),
    "furniture_store": ("shop", "furniture"),
    "gift_shop": ("shop", "gift"),
    "jewelry_store": ("shop", "jewelry"),
    **dict.fromkeys(("bicycle_shop", "bicycle_store"), ("shop", "bicycle")),
    **dict.fromkeys(("hair_salon", "barber", "hair_stylist"), ("shop", "hairdresser")),
    **dict.fromkeys(("laundromat", "laundry_services", "dry_cleaning"), ("shop", "laundry")),
    **dict.fromkeys(("automotive_repair", "auto_body_shop"), ("shop", "car_repair")),
}  # fmt: skip


def tags_of(kind: str, row: Row, is_line: bool) -> dict[str, str]:
    """Tags of a feature; none where it means nothing here.

    Args:
        kind: Its type, a key of `COLUMNS`.
        row: Its columns.
        is_line: Whether it is a line.
    """
    if kind in ("building", "building_part"):
        return _building(kind, row)
    if kind == "water":
        return _named(_water(row, is_line), row)
    return _named(_SIMPLE[kind](row), row) if kind in _SIMPLE else {}


def names_of(row: Row, column: str, key: str) -> str:
    """A text in a column of records, or nothing."""
    record = row.get(column)
    value = record.get(key) if isinstance(record, dict) else None
    return value if isinstance(value, str) else ""


def _named(tags: dict[str, str], row: Row) -> dict[str, str]:
    name = names_of(row, "names", "primary")
    return {**tags, "name": name} if tags and name else tags


def _building(kind: str, row: Row) -> dict[str, str]:
    if row.get("is_underground"):
        return {}
    columns = {
        "height": "height",
        "num_floors": "building:levels",
        "min_height": "min_height",
        "min_floor": "building:min_level",
        "facade_color": "building:colour",
    }
    said = {key: str(row[name]) for name, key in columns.items() if row.get(name) is not None}
    return {"building" if kind == "building" else "building:part": "yes", **said}


def _land_use(row: Row) -> dict[str, str]:
    kind = str(row.get("class"))
    key, value = _LAND_USE_TAGS.get(kind, (_LAND_USE.get(kind, "landuse"), kind))
    return {key: value}


def _land(row: Row) -> dict[str, str]:
    kind = str(row.get("class"))
    key, value = _LAND.get(kind, ("natural", kind))
    return {key: value} if kind not in ("land", "island", "islet") else {}


def _water(row: Row, is_line: bool) -> dict[str, str]:
    kind = str(row.get("class"))
    if is_line:
        return {"waterway": kind} if kind in _WATER_LINES else {}
    if row.get("subtype") == "ocean" or kind in ("ocean", "sea"):
        return {"natural": "ocean", "place": "ocean"}
    if kind in ("bay", "strait"):
        return {"natural": kind}
    other = {"swimming_pool": {"leisure": "swimming_pool"}, "dock": {"waterway": "dock"}}
    return other.get(kind, {"natural": "water", "water": kind})


def _infrastructure(row: Row) -> dict[str, str]:
    tag = _INFRASTRUCTURE.get(str(row.get("class")))
    return dict([tag]) if tag else {}


def _place(row: Row) -> dict[str, str]:
    confidence = row.get("confidence")
    if row.get("operating_status") in _GONE or (confidence is not None and confidence < LEAST_CONFIDENCE):
        return {}
    for category in (
        names_of(row, "categories", "primary"),
        names_of(row, "taxonomy", "primary"),
        str(row.get("basic_category") or ""),
    ):
        tag = _CATEGORIES.get(category)
        if tag is None and category.endswith("_restaurant"):
            tag = "amenity", "restaurant"
        if tag is None and category.endswith("_museum"):
            tag = "tourism", "museum"
        if tag and tag[0] == "religion":
            return {"amenity": "place_of_worship", "religion": tag[1]}
        if tag:
            return dict([tag])
    return {}


def _segment(row: Row) -> dict[str, str]:
    flags, kind, subclass = row.get("flags") or (), str(row.get("class")), row.get("subclass")
    if any(flag in flags for flag in _NOT_THERE):
        return {}
    if row.get("subtype") == "rail":
        tags = {"railway": "rail" if kind == "standard_gauge" else kind}
    elif row.get("subtype") == "road":
        linked = "is_link" in flags or subclass == "link"
        tags = {"highway": "road" if kind == "unknown" else f"{kind}_link" if linked else kind}
    else:
        return {}
    tags |= {key: "yes" for flag, key in _FLAGS.items() if flag in flags}
    tags |= {key: str(row[name]) for name, key in (("level", "layer"), ("surface", "surface")) if row.get(name)}
    if subclass in _SERVICES:
        tags["service"] = str(subclass)
    if subclass in _FOOTWAYS:
        tags["footway"] = _FOOTWAYS[str(subclass)]
    return tags


def _division(row: Row) -> dict[str, str]:
    kind, size = str(row.get("subtype")), str(row.get("class"))
    if kind == "locality":
        place = {"megacity": "city"}.get(size, size if size in ("city", "town", "village", "hamlet") else "town")
    else:
        place = _PLACES.get(kind, "")
    population = row.get("population")
    return {"place": place, **({"population": str(population)} if population else {})} if place else {}


def _boundary(row: Row) -> dict[str, str]:
    level = _LEVELS.get(str(row.get("subtype")))
    return {"boundary": "administrative", "admin_level": level} if level and row.get("class") != "maritime" else {}


_SIMPLE: dict[str, Callable[[Row], dict[str, str]]] = {
    "land_use": _land_use,
    "land": _land,
    "infrastructure": _infrastructure,
    "place": _place,
    "segment": _segment,
    "division": _division,
    "division_boundary": _boundary,
}
