"""A made-up city for the tests of the renderers: flat rasters and empty layers to put things into."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from unigeoclip import geo
from unigeoclip.city.layers import (
    CRS,
    LAND,
    NUMBER_COLUMNS,
    TEXT_COLUMNS,
    CityGrid,
    CityLayers,
    CityRasters,
)

BOUNDS_DEG = (42.340, -71.110, 42.346, -71.102)
GRID = CityGrid.cover(BOUNDS_DEG, 2.5)


def made_up_rasters(land: str, grid: CityGrid = GRID) -> CityRasters:
    """Flat land of one class."""
    return CityRasters(
        grid,
        np.zeros(grid.shape, np.float32),
        np.zeros(grid.shape, np.uint8),
        np.zeros(grid.shape, bool),
        np.full(grid.shape, LAND[land], np.uint8),
    )


def table(layer: str, geometry: list, **columns: list) -> gpd.GeoDataFrame:
    """A layer with these rows; columns that are not given hold nothing."""
    data = {name: columns.get(name, [None] * len(geometry)) for name in TEXT_COLUMNS[layer]}
    frame = gpd.GeoDataFrame({name: np.array(v, dtype=object) for name, v in data.items()}, geometry=geometry, crs=CRS)
    for name in NUMBER_COLUMNS.get(layer, ()):
        frame[name] = np.array(columns.get(name, [np.nan] * len(geometry)), dtype=np.float64)
    return frame


def empty_layers() -> CityLayers:
    return {layer: table(layer, []) for layer in TEXT_COLUMNS}


def at(east_m: float, north_m: float, grid: CityGrid = GRID) -> tuple[float, float]:
    """Mercator metres of a point so many metres on the ground from the middle of the grid."""
    left, lower, right, upper = grid.bounds_m
    scale = grid.ground_per_mercator
    return (left + right) / 2 + east_m / scale, (lower + upper) / 2 + north_m / scale


def point(east_m: float, north_m: float) -> shapely.Point:
    return shapely.Point(at(east_m, north_m))


def square(east_m: float, north_m: float, side_m: float) -> shapely.Polygon:
    x, y = at(east_m - side_m / 2, north_m - side_m / 2)
    side = side_m / GRID.ground_per_mercator
    return shapely.box(x, y, x + side, y + side)


def lines(classes: dict[str, list[tuple[float, float, float, float]]], **columns: str) -> gpd.GeoDataFrame:
    """Roads (or their names) of classes, each from east, north to east, north in metres from the middle."""
    layer = "transportation_name" if "name" in columns else "transportation"
    rows = [(name, ends) for name, ways in classes.items() for ends in ways]
    geometry = [shapely.LineString([at(*ends[:2]), at(*ends[2:])]) for _, ends in rows]
    same = {name: [value] * len(rows) for name, value in columns.items()}
    return table(layer, geometry, **{"class": [name for name, _ in rows]}, **same)


def middle_latlon() -> np.ndarray:
    return geo.inverse_web_mercator(np.array([at(0, 0)]))
