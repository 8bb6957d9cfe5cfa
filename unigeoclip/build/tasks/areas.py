"""Points inside areas, over which the embedding of an area is averaged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from unigeoclip import geo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["AREA_POINTS", "centers", "points_inside"]

AREA_POINTS = 40  # of an area: field notes found one too few by far, and more to change little
_DRAWS = 64  # tries at filling an area, which may take a small part of its own bounding box


def points_inside(shapes: Sequence[Any], seed: int, count: int = AREA_POINTS) -> NDArray[np.float64]:
    """Draw points uniform by area inside each polygon.

    Args:
        shapes: (n,) polygons in (longitude, latitude) degrees; longitudes may run on beyond 180.
        seed: Of the draws; the points of a shape do not depend on the other shapes.
        count: Points of each.

    Returns:
        (n, count, 2) degrees. Where so few draws hit that some are missing, representative points take their place.
    """
    out = np.empty((len(shapes), count, 2))
    for number, shape in enumerate(shapes):
        rng = np.random.default_rng([seed, number])
        west, south, east, north = shape.bounds
        shapely.prepare(shape)
        found = np.empty((0, 2))
        for _ in range(_DRAWS):
            points = geo.random_on_sphere(8 * count, rng, (south, 0.0, north, 1.0))
            points[:, 1] = rng.uniform(west, east, len(points))
            found = np.concatenate([found, points[shapely.contains_xy(shape, points[:, 1], points[:, 0])]])
            if len(found) >= count:
                break
        missing = max(0, count - len(found))
        inner = shape.representative_point()
        out[number] = np.concatenate([found[:count], np.tile([inner.y, inner.x], (missing, 1))])
    out[..., 1] = geo.wrap_lon_deg(out[..., 1])
    return out


def centers(shapes: Sequence[Any]) -> NDArray[np.float64]:
    """(n, 2) degrees: a point inside each polygon, its centroid where that lies inside."""
    out = np.empty((len(shapes), 2))
    for number, shape in enumerate(shapes):
        middle = shape.centroid
        inner = middle if shape.contains(middle) else shape.representative_point()
        out[number] = inner.y, inner.x
    out[:, 1] = geo.wrap_lon_deg(out[:, 1])
    return out
