"""Which of the items that a service has in an area are fetched: the best for each part of it."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import shapely

from unigeoclip.errors import InputError
from unigeoclip.geo import METERS_PER_DEGREE
from unigeoclip.sources.base import Found, PhotoItem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from unigeoclip.geo import Bounds

__all__ = ["boxes", "covering", "longitude_m", "outline", "photos_of", "spread"]

LEAST_SHARE = 0.001  # of the area, that an item must add
CELL_M = 75.0  # of which at most one photo is taken
MOST_PHOTOS = 2_000
MOST_BOXES = 1_000


def longitude_m(lat: float) -> float:
    """Length of a degree of longitude at a latitude, in meters."""
    return METERS_PER_DEGREE * max(math.cos(math.radians(lat)), 1e-6)


def outline(geometry: Any, bbox: Any = None) -> shapely.Geometry | None:
    """A polygon of GeoJSON, or else a box west, south, east, north; None if neither makes sense."""
    makers: tuple[Callable[[Any], Any], ...] = (_polygon, _box)
    for make, said in zip(makers, (geometry, bbox), strict=True):
        try:
            found = make(said)
        except (shapely.errors.ShapelyError, TypeError, ValueError, IndexError, RecursionError):
            continue
        if isinstance(found, shapely.Geometry) and found.area > 0 and math.isfinite(found.area):
            return found
    return None


def _polygon(geometry: Any) -> shapely.Geometry:
    return shapely.make_valid(shapely.from_geojson(json.dumps(geometry)))


def _box(bbox: Any) -> shapely.Geometry:
    edges = [float(edge) for edge in bbox]
    half = len(edges) // 2
    return shapely.box(edges[0], edges[1], edges[half], edges[half + 1])


def covering(outlines: Sequence[shapely.Geometry], bounds: Bounds) -> tuple[list[int], float]:
    """The outlines that add something to those before them, the best first.

    Args:
        outlines: In longitude and latitude.
        bounds: South, west, north, east in degrees.

    Returns:
        Their numbers, and the share of the area that they cover together.
    """
    south, west, north, east = bounds
    area = shapely.box(west, south, east, north)
    left, chosen = area, []
    for number, each in enumerate(outlines):
        new = left.intersection(each)
        if new.area > LEAST_SHARE * area.area:
            chosen.append(number)
            left = left.difference(each)
    return chosen, 1.0 - left.area / area.area


def boxes(bounds: Bounds, side_m: float) -> list[Bounds]:
    """The area in boxes of equal size, at most so wide.

    Raises:
        InputError: More than `MOST_BOXES`.
    """
    south, west, north, east = bounds
    rows = max(1, math.ceil((north - south) * METERS_PER_DEGREE / side_m))
    columns = max(1, math.ceil((east - west) * longitude_m((south + north) / 2) / side_m))
    if rows * columns > MOST_BOXES:
        raise InputError(
            f"The --bbox would take {rows * columns:,} searches for photos; at most {MOST_BOXES:,} are made. Choose a "
            f"smaller one: about {math.sqrt(MOST_BOXES) * side_m / 1000:.0f} km wide and high."
        )
    high, wide = (north - south) / rows, (east - west) / columns
    return [
        (south + row * high, west + column * wide, south + (row + 1) * high, west + (column + 1) * wide)
        for row in range(rows)
        for column in range(columns)
    ]


def spread(photos: Iterable[PhotoItem], bounds: Bounds) -> tuple[list[PhotoItem], int]:
    """The newest photo of each cell of `CELL_M`, those that say where they look first.

    Args:
        photos: May hold a photo twice, and some outside the area.
        bounds: South, west, north, east in degrees.

    Returns:
        At most `MOST_PHOTOS`, in the order of their cells, and how many others there are in the area.
    """
    south, west, north, east = bounds
    step_lat, step_lon = CELL_M / METERS_PER_DEGREE, CELL_M / longitude_m((south + north) / 2)
    best: dict[tuple[int, int], PhotoItem] = {}
    names = set()
    for photo in photos:
        if photo.name in names or not (south <= photo.lat <= north and west <= photo.lon <= east):
            continue
        names.add(photo.name)
        cell = int((photo.lat - south) / step_lat), int((photo.lon - west) / step_lon)
        if cell not in best or _rank(photo) > _rank(best[cell]):
            best[cell] = photo
    cells = sorted(best)
    if len(cells) > MOST_PHOTOS:  # evenly, along rows that run to and fro
        cells = [cells[number * len(cells) // MOST_PHOTOS] for number in range(MOST_PHOTOS)]
    return [best[cell] for cell in cells], len(names) - len(cells)


def _rank(photo: PhotoItem) -> tuple[bool, str, str]:
    return photo.heading is not None, photo.time, photo.name


def photos_of(
    bounds: Bounds, box_m: float, listed: Callable[[Bounds], Iterable[Any]], read: Callable[[Any], PhotoItem | str]
) -> Found[PhotoItem]:
    """Photos spread over an area, of all that a service lists of it box by box.

    Args:
        bounds: South, west, north, east in degrees.
        box_m: Side of a box.
        listed: Returns what the service says of each photo in a box.
        read: Makes an item of that, or says why it is left out.
    """
    found: Found[PhotoItem] = Found()
    photos = []
    for box in boxes(bounds, box_m):
        for raw in listed(box):
            made = read(raw)
            if isinstance(made, str):
                found.left_out[made] += 1
            else:
                photos.append(made)
    found.items, others = spread(photos, bounds)
    found.left_out["are near to newer ones"] += others
    return found
