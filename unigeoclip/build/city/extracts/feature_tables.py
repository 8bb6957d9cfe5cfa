"""Features with tags of OpenStreetMap, gathered into the tables from which a city is drawn."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from unigeoclip import geo
from unigeoclip.build.city.extracts.coast import sea_polygons
from unigeoclip.build.city.extracts.osm_tags import COASTLINE, layers_of
from unigeoclip.build.city.vector_tiles import hex_color, repaired
from unigeoclip.city.layers import CRS, GEOMETRY, NUMBER_COLUMNS, TEXT_COLUMNS, CityLayers
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["AROUND_M", "MOST_ROWS", "FeatureTables", "around"]

AROUND_M = 300.0  # what lies so far outside of the city is read too: streets go on, shadows fall in
MOST_ROWS = 4_000_000  # of all layers together, some 4 GB; Greater Boston has half a million
_PARTS_SHARE = 0.8  # of the outline of a building, which its mapped parts cover if they replace it
_DIMENSIONS = {"polygon": (2,), "line": (1,), "point": (0,), "any": (1, 2)}


def around(bounds: geo.Bounds) -> geo.Bounds:
    """A box of degrees, south, west, north, east, widened by `AROUND_M`."""
    south, west, north, east = bounds
    lat = AROUND_M / geo.METERS_PER_DEGREE
    lon = lat / np.cos(np.radians((south + north) / 2))
    return south - lat, west - lon, north + lat, east + lon


class FeatureTables:
    """Takes features in batches and gives the layers of a city.

    Args:
        bounds: South, west, north, east in degrees of the city.
    """

    def __init__(self, bounds: geo.Bounds) -> None:
        south, west, north, east = around(bounds)
        (left, lower), (right, upper) = geo.web_mercator(np.array([[south, west], [north, east]]))
        self._box = float(left), float(lower), float(right), float(upper)
        self._tables: dict[str, list[gpd.GeoDataFrame]] = defaultdict(list)
        self._rows = 0

    def add(self, geometry: NDArray[Any], tags: Sequence[Mapping[str, str]]) -> None:
        """Take some features.

        Args:
            geometry: (n,) points, lines and polygons, of one or several parts, in degrees (lon, lat).
            tags: Of each.

        Raises:
            InputError: There are more than `MOST_ROWS`.
        """
        rows: dict[str, list[int]] = defaultdict(list)
        columns: dict[str, list[dict[str, Any]]] = defaultdict(list)
        dimensions = shapely.get_dimensions(geometry)
        for number, (dimension, said) in enumerate(zip(dimensions.tolist(), tags, strict=True)):
            for layer, values in layers_of(said, dimension):
                rows[layer].append(number)
                columns[layer].append(values)
        used = np.unique([number for each in rows.values() for number in each]).astype(np.int64)
        self._rows += sum(map(len, rows.values()))
        if self._rows > MOST_ROWS:
            raise InputError(f"The map has more than {MOST_ROWS:,} features in the area. Choose a smaller --bbox.")
        projected = np.full(len(geometry), None, dtype=object)
        projected[used] = repaired(_projected(geometry[used]))
        for layer, numbers in rows.items():
            shapes = self._shaped(layer, projected[numbers])
            table = gpd.GeoDataFrame(pd.DataFrame.from_records(columns[layer]), geometry=shapes, crs=CRS)
            keep = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
            self._tables[layer].append(table[keep])

    def layers(self) -> CityLayers:
        """The layers of all that was taken: a table for every key of `TEXT_COLUMNS`, in EPSG:3857."""
        sea = sea_polygons(np.concatenate([np.array([], object), *(each.geometry.to_numpy() for each in
                                           self._tables.pop(COASTLINE, []))]), self._box)  # fmt: skip
        if len(sea):
            self._tables["water"].append(gpd.GeoDataFrame({"class": "ocean"}, index=range(len(sea)), geometry=sea))
        return {layer: self._joined(layer) for layer in TEXT_COLUMNS}

    def _shaped(self, layer: str, geometry: NDArray[Any]) -> NDArray[Any]:
        """Geometries as a layer has them: outlines of areas in layers of lines, a point in each in layers of points."""
        kind = GEOMETRY.get(layer, "line")
        area = shapely.get_dimensions(geometry) == 2
        if kind == "line":
            if layer == COASTLINE:  # an island in one way: the land is inside
                geometry[area] = shapely.orient_polygons(geometry[area], exterior_cw=False)
            geometry[area] = shapely.boundary(geometry[area])
        if kind == "point":
            geometry[area] = shapely.point_on_surface(geometry[area])
        if kind == "point" or layer == "building":  # a building at the edge stays whole
            geometry[~shapely.intersects(geometry, shapely.box(*self._box))] = None
            return geometry
        return np.asarray(shapely.clip_by_rect(geometry, *self._box))

    def _joined(self, layer: str) -> gpd.GeoDataFrame:
        names = [*TEXT_COLUMNS[layer], *NUMBER_COLUMNS.get(layer, ())]
        tables = [each for each in self._tables.pop(layer, []) if len(each)]
        if not tables:
            return gpd.GeoDataFrame({name: [] for name in names}, geometry=[], crs=CRS)
        table = pd.concat([each.to_crs(CRS) if each.crs else each.set_crs(CRS) for each in tables], ignore_index=True)
        if layer == "building":
            table = _clean_buildings(table)
        table = table.explode(ignore_index=True)
        table = table[np.isin(shapely.get_dimensions(table.geometry.array), _DIMENSIONS[GEOMETRY[layer]])]
        text = {name: _column(table, name, object) for name in TEXT_COLUMNS[layer]}
        numbers = {name: _column(table, name, float) for name in NUMBER_COLUMNS.get(layer, ())}
        return gpd.GeoDataFrame({**text, **numbers}, geometry=table.geometry.to_numpy(), crs=CRS)


def _projected(geometry: NDArray[Any]) -> NDArray[Any]:
    """Degrees (lon, lat) -> mercator meters; what no map shows becomes None."""
    limit = geo.MAX_MERCATOR_LAT_DEG
    bounds = shapely.bounds(geometry)
    known = (np.abs(bounds[:, [0, 2]]) <= 360).all(axis=1) & (np.abs(bounds[:, [1, 3]]) <= limit).all(axis=1)
    found = geometry.copy()
    found[~known] = None
    return np.asarray(shapely.transform(found, lambda xy: geo.web_mercator(xy[:, ::-1])))


def _column(table: pd.DataFrame, name: str, kind: type) -> NDArray[Any]:
    if name not in table:
        return np.full(len(table), None if kind is object else np.nan, dtype=kind)
    values = table[name].where(table[name].notna(), None) if kind is object else table[name]
    return np.asarray(values.to_numpy(kind))


def _clean_buildings(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Leave out outlines whose parts are mapped too, write colors as #rrggbb, forget heights that are none."""
    part = table["is_part"].to_numpy(np.bool_)
    if part.any():
        outlines, parts = table.geometry.to_numpy()[~part], table.geometry.to_numpy()[part]
        at, outline = shapely.STRtree(outlines).query(shapely.point_on_surface(parts), predicate="intersects")
        covered = np.bincount(outline, weights=shapely.area(parts)[at], minlength=len(outlines))
        replaced = np.flatnonzero(~part)[covered >= _PARTS_SHARE * shapely.area(outlines)]
        table = table.drop(index=table.index[replaced])
    height = table["height_m"].to_numpy(np.float64)
    least = np.maximum(np.nan_to_num(table["min_height_m"].to_numpy(np.float64)), 0.0)
    return table.assign(
        height_m=np.where(height > 0, height, np.nan),
        min_height_m=least,
        colour=[hex_color(color) for color in table["colour"]],
    )
