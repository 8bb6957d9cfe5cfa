"""In which town, suburb and neighborhood places lie, by the municipal boundaries of the map and the names on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from unigeoclip.build.city.surroundings import with_names
from unigeoclip.city.layers import LAND

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from unigeoclip.city.layers import CityLayers, CityRasters

__all__ = ["Area", "areas_of", "municipal_polygons"]

SUBURB_REACH_M, LOCAL_REACH_M = 2200.0, 750.0
# OpenStreetMap's admin_level of municipalities in most countries. A tile gives a line that bounds several areas the
# smallest of their levels, so the lines of countries, states and counties (2 to 7) bound municipalities too.
MUNICIPAL_LEVEL = 8
JOIN_M = 6.0  # between the ends of one line in two tiles, which round it to their own 0.6 m
STUB_M = 50.0  # a longer line that ends in the middle of nowhere has lost its other end
TOWN_CLASSES = ("city", "town", "village")  # the first that a municipality has names it
SUBURB_CLASSES = ("suburb", "borough", "quarter")
LOCAL_CLASSES = ("neighbourhood", "hamlet", "quarter", "island", "isolated_dwelling")
_ON_THE_WAY = np.linspace(0.02, 0.98, 25)


@dataclass(frozen=True)
class Area:
    """Names of where a cell lies; empty where the map has none.

    Attributes:
        town: City, town or village.
        suburb: Part of the town.
        local: Smallest part that has a name.
        bounded: Whether the town is the one whose boundary holds the cell, not merely the nearest.
    """

    town: str = ""
    suburb: str = ""
    local: str = ""
    bounded: bool = False

    @property
    def nearest(self) -> str:
        """The smallest name, or nothing."""
        return self.local or self.suburb or self.town

    def full(self) -> str:
        """The smallest name and the town's: "Fenway, Boston"."""
        return ", ".join(dict.fromkeys(name for name in (self.nearest, self.town) if name))


@dataclass(frozen=True)
class _Names:
    """Points of the map's layer ``place`` by what they can name."""

    towns: gpd.GeoDataFrame
    suburbs: gpd.GeoDataFrame
    locals: gpd.GeoDataFrame

    @classmethod
    def of(cls, places: gpd.GeoDataFrame) -> _Names:
        kinds = places["class"]
        return cls(*(places[kinds.isin(group)] for group in (TOWN_CLASSES, SUBURB_CLASSES, LOCAL_CLASSES)))

    def of_one_municipality(self) -> _Names:
        """The same with the towns of the highest class only; the others are parts of the municipality."""
        classes = self.towns["class"]
        highest = next((name for name in TOWN_CLASSES if (classes == name).any()), "")
        parts = pd.concat([self.suburbs, self.towns[classes != highest]]) if highest else self.suburbs
        return _Names(self.towns[classes == highest], parts, self.locals)


def areas_of(xy: NDArray[np.float64], layers: CityLayers, rasters: CityRasters) -> list[Area]:
    """Town, suburb and neighborhood of points.

    The town is that whose boundary holds the point; its parts are told apart by the nearest of their names. Where the
    map has no closed boundary, the town is the nearest too, see `_nearest_names`.

    Args:
        xy: (n, 2) mercator meters.
        layers: The vector map; of its layers ``boundary``, ``place`` and ``transportation`` are used.
        rasters: Of the city: water parts a point from a name.

    Returns:
        (n,) areas. A point inside a boundary that holds no name of a town has no town.
    """
    places = with_names(layers["place"])
    polygons = municipal_polygons(layers)
    holds_point, holds_name = _which(polygons, xy), _with_towns_outside(polygons, places)
    found = [Area()] * len(xy)
    for polygon in np.unique(holds_point):
        rows = np.flatnonzero(holds_point == polygon)
        if polygon < 0:
            areas = _nearest_names(xy[rows], _Names.of(places), rasters, bounded=False)
        else:
            names = _Names.of(places[holds_name == polygon]).of_one_municipality()
            areas = _nearest_names(xy[rows], names, rasters, bounded=True)
        for row, area in zip(rows, areas, strict=True):
            found[row] = area
    return found


def municipal_polygons(layers: CityLayers) -> NDArray[np.object_]:
    """The municipalities of a map, cut at its edge.

    Lines of neighboring tiles are joined where they end within `JOIN_M` of each other. A polygon in which a line ends
    without meeting another is left out, because a missing tile has merged what it bounds.

    Returns:
        (m,) polygons that do not overlap; none without boundaries.
    """
    boundary = layers["boundary"]
    lines = boundary[boundary["admin_level"] <= MUNICIPAL_LEVEL].geometry.to_numpy()
    if not len(lines):
        return np.array([], dtype=object)
    edges = shapely.total_bounds(np.concatenate([lines, layers["transportation"].geometry.to_numpy()]))
    edges = edges + np.array([JOIN_M, JOIN_M, -JOIN_M, -JOIN_M])  # lines that end at the edge cross the frame
    lines = shapely.get_parts(shapely.clip_by_rect(lines, *edges))
    lines = lines[shapely.length(lines) > 0]
    network = np.concatenate([lines, _links(lines), [shapely.box(*edges).exterior]])
    parts = shapely.get_parts(shapely.node(shapely.GeometryCollection(list(network))))
    polygons, cuts, dangles, _ = (shapely.get_parts(found) for found in shapely.polygonize_full(parts))
    loose = np.concatenate([cuts, dangles])
    loose = loose[shapely.length(loose) > STUB_M]
    middles = shapely.line_interpolate_point(loose, 0.5, normalized=True)
    _, merged = shapely.STRtree(polygons).query(middles, predicate="within")
    return np.asarray(np.delete(polygons, np.unique(merged)))


def _links(lines: NDArray[np.object_]) -> NDArray[np.object_]:
    """Short lines between ends that are the same point, but for the rounding of two tiles."""
    ends = np.concatenate([shapely.get_point(lines, 0), shapely.get_point(lines, -1)])
    one, other = shapely.STRtree(ends).query(ends, predicate="dwithin", distance=JOIN_M)
    from_xy, to_xy = shapely.get_coordinates(ends[one]), shapely.get_coordinates(ends[other])
    apart = (one < other) & (from_xy != to_xy).any(axis=1)
    return np.asarray(shapely.linestrings(np.stack([from_xy[apart], to_xy[apart]], axis=1)))


def _which(polygons: NDArray[np.object_], xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """Row of the polygon that holds each point, (n,); -1 where none does."""
    found = np.full(len(xy), -1, np.int64)
    point, polygon = shapely.STRtree(polygons).query(shapely.points(xy), predicate="intersects")
    found[point] = polygon
    return found


def _with_towns_outside(polygons: NDArray[np.object_], places: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """Row of the polygon that each name is for, (n,); -1 where none is.

    A municipality that the edge of the map cuts may have its name outside: in a tile's margin. A town outside names
    the nearest polygon if that has no town inside.
    """
    holds = _which(polygons, _points(places))
    outside = np.flatnonzero(holds < 0)
    if len(polygons) and len(outside):
        is_town = places["class"].isin(TOWN_CLASSES).to_numpy(np.bool_)
        has_town = np.isin(np.arange(len(polygons)), holds[is_town])
        nearest = shapely.STRtree(polygons).nearest(places.geometry.to_numpy()[outside])
        holds[outside] = np.where(is_town[outside] & has_town[nearest], -1, nearest)
    return holds


def _nearest_names(xy: NDArray[np.float64], names: _Names, rasters: CityRasters, *, bounded: bool) -> list[Area]:
    """Town, suburb and neighborhood of points by the nearest names that no water parts from them.

    A suburb belongs to the city whose pull is greatest: distance over weight, where great cities weigh more. A point
    belongs to the town of its suburb, unless another town's own center is nearer still.
    """
    towns, suburbs, smaller = names.towns, names.suburbs, names.locals
    parents = towns[towns["class"] == "city"] if (towns["class"] == "city").any() else towns
    parent, _ = _nearest(_points(suburbs), _points(parents), _pull(parents), rasters)
    town, town_m = _nearest(xy, _points(towns), _pull(towns), rasters)
    suburb, suburb_m = _nearest(xy, _points(suburbs), np.ones(len(suburbs)), rasters)
    local, local_m = _nearest(xy, _points(smaller), np.ones(len(smaller)), rasters)
    town_names, parent_names = [*towns["name"]], [*parents["name"]]
    suburb_names, local_names = [*suburbs["name"]], [*smaller["name"]]
    found = []
    for row in range(len(xy)):
        name = town_names[town[row]] if town_names else ""
        part = ""
        if suburb_m[row] <= min(SUBURB_REACH_M, town_m[row]):
            part = suburb_names[suburb[row]]
            name = parent_names[parent[suburb[row]]] if parent_names else ""
        near = local_names[local[row]] if local_m[row] <= LOCAL_REACH_M else ""
        found.append(Area(name, part, near if near != part else "", bounded and bool(name)))
    return found


def _pull(towns: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """How far the names of towns reach, relative to one another."""
    rank = towns["rank"].to_numpy(np.float64)
    return np.where(rank <= 5, 2.2, np.where((towns["class"] == "village").to_numpy(), 0.7, 1.0))


def _points(table: gpd.GeoDataFrame) -> NDArray[np.float64]:
    return np.stack([table.geometry.x.to_numpy(np.float64), table.geometry.y.to_numpy(np.float64)], axis=1)


def _nearest(
    xy: NDArray[np.float64], points: NDArray[np.float64], pull: NDArray[np.float64], rasters: CityRasters
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which of a few named points each position belongs to.

    Distances are divided by the pull of the point, and doubled where the straight way there crosses a river, a harbor
    or the like.

    Returns:
        Row of the point, and that distance in meters (infinite if there are no points).
    """
    best, least = np.zeros(len(xy), np.int64), np.full(len(xy), np.inf)
    grid = rasters.grid
    size = np.array([grid.width, grid.height]) - 1
    at = grid.to_pixel(xy)
    for row, (target, weight) in enumerate(zip(grid.to_pixel(points), pull, strict=True)):
        distance = np.hypot(*(at - target).T) * grid.ground_px_m / weight
        nearer = np.flatnonzero(distance < least)  # crossing water only makes it longer
        wet = np.zeros(len(nearer))
        for share in _ON_THE_WAY:
            col, line = np.clip(at[nearer] + (target - at[nearer]) * share, 0, size).astype(np.int64).T
            wet += rasters.land[line, col] == LAND["water"]
        distance[nearer] *= np.where(wet >= 2, 2.0, 1.0)
        nearer = nearer[distance[nearer] < least[nearer]]
        best[nearer], least[nearer] = row, distance[nearer]
    return best, least
