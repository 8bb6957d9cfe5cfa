"""Other words for the same thing, as people type them: American beside British, everyday beside formal, and regional.

A caption uses one of them by a hash of the place or of the thing, so that a model meets all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from unigeoclip.geo import Bounds

__all__ = ["DIALECTS", "KINDS", "NOUNS", "Dialect", "dialect_at"]

# Noun of `vocabulary.POI` -> what else the thing is called.
NOUNS: dict[str, tuple[str, ...]] = {
    "fast food restaurant": ("fast food place", "takeout"),
    "café": ("coffee shop", "cafe"),
    "ice cream parlour": ("ice cream parlor", "ice cream shop"),
    "sweet shop": ("candy store",),
    "supermarket": ("grocery store", "food market"),
    "convenience store": ("corner store", "corner shop"),
    "delicatessen": ("deli",),
    "nursery school": ("preschool", "kindergarten"),
    "student dormitory": ("dorm", "student residence"),
    "subway station": ("subway stop", "metro station", "underground station"),
    "railway station": ("train station", "railroad station", "rail station"),
    "railway stop": ("train stop", "light rail stop"),
    "tram stop": ("streetcar stop", "trolley stop"),
    "bus station": ("bus terminal",),
    "ferry terminal": ("ferry landing", "ferry dock"),
    "playground": ("children's playground", "kids playground"),
    "dog park": ("off-leash dog area",),
    "cemetery": ("graveyard",),
    "old graveyard": ("burying ground", "historic cemetery"),
    "pub": ("tavern",),
    "nightclub": ("night club", "dance club"),
    "library": ("public library",),
    "theatre": ("theater", "playhouse"),
    "cinema": ("movie theater", "movies"),
    "art gallery": ("gallery",),
    "arts centre": ("arts center",),
    "sight": ("tourist attraction", "attraction"),
    "stadium": ("arena", "sports arena"),
    "hospital": ("medical center",),
    "pharmacy": ("drugstore", "chemist"),
    "doctor's office": ("doctors", "medical practice"),
    "guest house": ("bed and breakfast",),
    "town hall": ("city hall",),
    "fire station": ("firehouse",),
    "community centre": ("community center",),
    "baseball field": ("baseball diamond", "ballfield"),
    "soccer field": ("soccer pitch",),
    "golf course": ("golf club", "golf links"),
    "sports centre": ("gym", "recreation center"),
    "ice rink": ("skating rink",),
    "swimming pool": ("pool",),
    "marina": ("boat harbor", "yacht harbor"),
    "shopping mall": ("mall", "shopping center"),
    "clothes shop": ("clothing store",),
    "bookshop": ("bookstore",),
    "liquor store": ("wine and liquor shop",),
    "flower shop": ("florist",),
    "furniture shop": ("furniture store",),
    "jeweller": ("jewelry store",),
    "bicycle shop": ("bike shop",),
    "hairdresser": ("hair salon",),
    "laundry": ("laundromat",),
    "petrol station": ("gas station",),
    "car workshop": ("auto repair shop", "car repair"),
}
# Kind of `vocabulary.KINDS_OF_AREAS` -> what else there may be in a part of the city: "places to eat in Brighton".
KINDS: dict[str, tuple[str, ...]] = {
    "restaurant": ("places to eat", "dining"),
    "cafe": ("coffee shops", "coffee"),
    "grocery": ("grocery stores", "food stores"),
    "shop": ("stores", "shopping"),
    "nightlife": ("bars", "nightlife"),
    "university": ("colleges",),
}


@dataclass(frozen=True)
class Dialect:
    """Words that are used in one region.

    Attributes:
        bounds: South, west, north, east in degrees.
        fabric: Class of `vocabulary.FABRIC` -> further wordings.
        nouns: As `NOUNS`.
    """

    bounds: Bounds
    fabric: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    nouns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def holds(self, lat: float, lon: float) -> bool:
        """Whether the point lies within the bounds."""
        south, west, north, east = self.bounds
        return south <= lat <= north and west <= lon <= east


DIALECTS = {
    "New England": Dialect(
        (41.0, -73.6, 45.0, -69.8),
        fabric={
            "rows": ("brownstones", "old brick townhouses", "brick townhouses"),
            "close": ("triple-deckers", "three-deckers", "two- and three-family houses"),
        },
        nouns={
            "subway station": ("T station", "T stop"),
            "railway station": ("T station", "commuter rail station"),
            "railway stop": ("T stop",),
            "old graveyard": ("old burying ground",),
        },
    )
}
_NONE = Dialect((0.0, 0.0, 0.0, 0.0))


def dialect_at(lat: float, lon: float) -> Dialect:
    """The dialect of a point in degrees; one without words where no region is listed."""
    return next((dialect for dialect in DIALECTS.values() if dialect.holds(lat, lon)), _NONE)
