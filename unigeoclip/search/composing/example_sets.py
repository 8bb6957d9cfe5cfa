"""The examples of a query as a GeoJSON file, to be kept, edited in a GIS, and loaded again.

A feature an example: a point where it has a position, else without geometry. Properties: "item" as on the command line
without its weight (``text:hot desert``, ``at:48.85,2.35``, see `query_items`), "kind" and "text" for people, "weight",
"label". A picture is its embedding. Points of other programs, without these properties, are places with weight 1.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from unigeoclip.errors import InputError, excerpt
from unigeoclip.parsing.coordinates import check_point
from unigeoclip.search.query import COMBINATIONS, SUM
from unigeoclip.search.query_items import ITEM, MAX_LABEL_CHARACTERS, PLACE, VIEW, QueryItem, parse_item, write_item

if TYPE_CHECKING:
    from collections.abc import Callable

    from unigeoclip.geo import Bounds

__all__ = ["MAX_BYTES", "ExampleSet", "read_examples", "write_examples"]

MAX_BYTES = 1_000_000  # many times what a query can hold
_MEMBER = "unigeoclip"  # of the collection: what belongs to no feature
_MAX_ITEM_CHARACTERS = 20_000


class ExampleSet(NamedTuple):
    """What a file of examples holds.

    Attributes:
        items: The examples.
        combine: One of ``query.COMBINATIONS``.
        area: South, west, north, east in degrees; None for everywhere.
        atlas: Name of the atlas that they were saved in; empty if the file does not say.
    """

    items: tuple[QueryItem, ...]
    combine: str = SUM
    area: Bounds | None = None
    atlas: str = ""


def write_examples(
    examples: ExampleSet, position: Callable[[QueryItem], tuple[float, float] | None] = lambda item: None
) -> bytes:
    """A set of examples as GeoJSON (RFC 7946) in UTF-8.

    Args:
        examples: Pictures packed, see ``Explorer.packed``.
        position: Gives latitude and longitude of places and of their items, None where that is not known.

    Raises:
        InputError: A picture is not packed.
    """
    member = {"atlas": examples.atlas, "combine": examples.combine, "area": examples.area}
    features = [_feature(item, position) for item in examples.items]
    collection = {"type": "FeatureCollection", _MEMBER: {k: v for k, v in member.items() if v}, "features": features}
    return json.dumps(collection, ensure_ascii=False, indent=1).encode()


def _feature(item: QueryItem, position: Callable[[QueryItem], tuple[float, float] | None]) -> dict[str, Any]:
    spelled = write_item(replace(item, weight=1.0))
    if spelled is None:
        raise InputError(f"The picture '{excerpt(item.label)}' has no spelling yet: give it as explorer.packed(item).")
    at = tuple(item.value[:2]) if item.modality in ("location", VIEW) else None
    at = position(item) if item.modality in (PLACE, ITEM) else at
    kind = item.value.modality if item.modality == ITEM else item.modality
    properties = {"kind": kind, "weight": item.weight, "label": item.label, "item": spelled}
    if item.modality == "text":
        properties["text"] = item.value
    geometry = None if at is None else {"type": "Point", "coordinates": [at[1], at[0]]}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def read_examples(data: bytes, most: int) -> ExampleSet:
    """The examples that a GeoJSON file holds.

    Args:
        data: Content of the file.
        most: How many examples it may hold.

    Raises:
        InputError: The file is too large, no GeoJSON in UTF-8, holds no or too many examples, or one of them is none.
    """
    if len(data) > MAX_BYTES:
        raise InputError(
            f"A file of examples has at most {MAX_BYTES / 1e6:g} MB; this one has {len(data) / 1e6:.1f} MB."
        )
    try:
        document = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:  # of bytes, of JSON, of a number with thousands of digits
        raise InputError(
            "This is no GeoJSON in UTF-8: save the examples again, or export points as GeoJSON."
        ) from error
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or document.get("type") != "FeatureCollection":
        raise InputError(
            "This JSON is no GeoJSON FeatureCollection: save the examples again, or export points as such."
        )
    if not 1 <= len(features) <= most:
        raise InputError(f"The file holds {len(features)} examples; a query has 1 to {most}.")
    items = tuple(_item(feature, number) for number, feature in enumerate(features, 1))
    member = document.get(_MEMBER)
    return _with_member(items, member if isinstance(member, dict) else {})


def _with_member(items: tuple[QueryItem, ...], member: dict[str, Any]) -> ExampleSet:
    combine, area, atlas = member.get("combine", SUM), member.get("area"), member.get("atlas", "")
    if combine not in COMBINATIONS:
        raise InputError(f"'{excerpt(combine)}' is no way to combine examples: {' or '.join(COMBINATIONS)}.")
    if area is not None:
        if not (isinstance(area, list) and len(area) == 4 and all(map(_is_number, area))):
            raise InputError("The area of the file is not four numbers: south, west, north, east in degrees.")
        south, west, north, east = map(float, area)
        if not (-90 <= south < north <= 90 and -180 <= west < east <= 180):
            raise InputError("The area of the file is no rectangle on the globe: south, west, north, east in degrees.")
        area = (south, west, north, east)
    return ExampleSet(items, combine, area, excerpt(atlas, 60) if isinstance(atlas, str) else "")


def _item(feature: Any, number: int) -> QueryItem:
    try:
        return _checked_item(feature)
    except InputError as error:
        raise InputError(f"Example {number} of the file cannot be used. {error}") from error


def _checked_item(feature: Any) -> QueryItem:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise InputError("It is no GeoJSON feature.")
    properties = feature.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    spelled, weight, label = (properties.get(name) for name in ("item", "weight", "label"))
    if spelled is None:
        item = QueryItem("location", _point(feature.get("geometry")))
    elif not isinstance(spelled, str) or len(spelled) > _MAX_ITEM_CHARACTERS:
        raise InputError("Its property 'item' is no short text, such as text:hot desert.")
    else:
        item = parse_item(spelled)
    if weight is not None and not _is_number(weight):
        raise InputError("Its weight is no number.")
    named = label.strip()[:MAX_LABEL_CHARACTERS] if isinstance(label, str) and label.isprintable() else ""
    return replace(item, weight=float(item.weight if weight is None else weight), label=named or item.label)


def _point(geometry: Any) -> tuple[float, float]:
    coordinates: Any = geometry.get("coordinates") if isinstance(geometry, dict) else None
    is_point = isinstance(geometry, dict) and geometry.get("type") == "Point" and isinstance(coordinates, list)
    if not (is_point and len(coordinates) in (2, 3) and all(map(_is_number, coordinates))):
        raise InputError("It is neither a point (longitude, latitude) nor has it the property 'item'.")
    return check_point(float(coordinates[1]), float(coordinates[0]))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e6


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
