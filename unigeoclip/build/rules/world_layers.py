"""What the rules for plain text queries are made of: land cover, climate, countries, coasts, lights, drawn outlines.

Every layer lies on one grid of the whole Earth, 0.5 degree cells, 360 rows from north to south and 720 columns from
180 W to 180 E: the grid of the world atlas's heatmaps. None of the sources is an input of the model or the origin of a
caption.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from PIL import Image
from rasterio.features import rasterize
from scipy.spatial import cKDTree
from shapely.affinity import translate
from shapely.geometry import Polygon

from unigeoclip.build.rules.world_outlines import SHAPES
from unigeoclip.build.topojson import decode_shapes, polygons_of
from unigeoclip.errors import InputError
from unigeoclip.files.cog import global_transform
from unigeoclip.geo import EARTH_RADIUS_M, cell_area_km2, chord, unit_xyz, wrap_lon_deg

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]  # (360, 720)
    Layer = NDArray[np.float64]  # (360, 720)

__all__ = [
    "COLUMNS",
    "GRID_STEP_DEG",
    "ROWS",
    "Climate",
    "Earth",
    "cell_centers",
    "nodes_to_cells",
    "outline_mask",
]

GRID_STEP_DEG = 0.5
ROWS, COLUMNS = 360, 720
EARTH_RADIUS_KM = EARTH_RADIUS_M / 1000

# IGBP legend of MODIS MCD12C1 (Friedl & Sulla-Menashe 2019), 0 is water.
COVER_CLASSES = {
    "evergreen needleleaf forest": (1,),
    "evergreen broadleaf forest": (2,),
    "forest": (1, 2, 3, 4, 5),
    "wooded": (1, 2, 3, 4, 5, 8, 9),  # with woody savanna and savanna: more than a tenth of the ground under trees
    "shrubland": (6, 7),
    "savanna": (8, 9),
    "grassland": (10,),
    "cropland": (12, 14),  # with the cropland and natural vegetation mosaic
    "urban": (13,),
    "snow and ice": (15,),
    "barren": (16,),
}
COVER_WATER = 0
CLIMATE_NODES_PER_CELL = 2  # 0.25 degree, nodes on whole multiples: the centre of each cell is a node

# The night picture is a composite: city lights, near white, over a blue twilit Earth whose red channel stays below 20.
LIGHT_RED_MIN = 60
# A big city: this much built-up land, or this much bright night light, within so many kilometres of one spot.
CITY_RADIUS_KM, CITY_BUILT_KM2, CITY_LIT_KM2 = 30.0, 150.0, 800.0
CITY_BIN_DEG = 0.25
COAST_STEP_DEG = 0.1


def cell_centers() -> NDArray[np.float64]:
    """Centres (lat, lon) of all cells, (360, 720, 2) degrees."""
    lat = 90 - GRID_STEP_DEG * (np.arange(ROWS) + 0.5)
    lon = -180 + GRID_STEP_DEG * (np.arange(COLUMNS) + 0.5)
    return np.stack(np.meshgrid(lat, lon, indexing="ij"), axis=-1)


def outline_mask(name: str) -> Mask:
    """Cells whose centre lies in the drawn outline ``name``, (360, 720).

    Raises:
        InputError: No outline has this name.
    """
    if name not in SHAPES:
        raise InputError(f"No outline is named {name!r}; known are {', '.join(sorted(SHAPES))}.")
    return _burn([Polygon([(lon, lat) for lat, lon in ring]) for ring in SHAPES[name]], touched=False)


def _burn(shapes: list[Any], *, touched: bool) -> Mask:
    """Cells covered by shapes in (lon, lat) degrees: by their centre, or ``touched`` anywhere."""
    turns = [translate(shape, xoff=turn) for shape in shapes for turn in (-360, 0, 360) if _on_map(shape, turn)]
    transform = global_transform(ROWS, COLUMNS)
    grid = rasterize(turns, (ROWS, COLUMNS), transform=transform, all_touched=touched, dtype=np.uint8)
    return np.asarray(grid, dtype=bool)


def _on_map(shape: Any, turn_deg: float) -> bool:
    """Whether a shape moved east by ``turn_deg`` reaches into longitudes -180 to 180."""
    west, _, east, _ = shape.bounds
    return bool(west + turn_deg < 180 and east + turn_deg > -180)


@dataclass(frozen=True)
class Climate:
    """Monthly normals on the grid.

    Attributes:
        temperature_c: (12, h, w) mean air temperature of each month, degrees Celsius.
        rain_mm_month: (12, h, w) precipitation of each month, mm.
        lat_deg: (h, w) latitude of the cells.
    """

    temperature_c: NDArray[np.float64]
    rain_mm_month: NDArray[np.float64]
    lat_deg: Layer

    @cached_property
    def mean_c(self) -> Layer:
        """Mean temperature of the year."""
        return np.asarray(self.temperature_c.mean(axis=0))

    @cached_property
    def warmest_c(self) -> Layer:
        """Temperature of the warmest month."""
        return np.asarray(self.temperature_c.max(axis=0))

    @cached_property
    def coldest_c(self) -> Layer:
        """Temperature of the coldest month."""
        return np.asarray(self.temperature_c.min(axis=0))

    @cached_property
    def rain_mm(self) -> Layer:
        """Precipitation of the year, mm."""
        return np.asarray(self.rain_mm_month.sum(axis=0))

    def _halves(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Monthly rain of the warm and of the cold half-year, (6, h, w) each; north of the equator April is warm."""
        april, october = self.rain_mm_month[3:9], self.rain_mm_month[[9, 10, 11, 0, 1, 2]]
        north = self.lat_deg >= 0
        return np.where(north, april, october), np.where(north, october, april)

    @cached_property
    def dryness_mm(self) -> Layer:
        """Koeppen's limit of dry climates: less yearly rain than this is steppe, less than half of it desert, mm."""
        warm_half, _ = self._halves()
        share = warm_half.sum(axis=0) / np.maximum(self.rain_mm, 1e-9)
        return 20 * self.mean_c + np.where(share >= 0.7, 280, np.where(share <= 0.3, 0, 140))

    @cached_property
    def is_desert(self) -> Mask:
        """Desert climate, hot or cold (Koeppen BW); ground that never thaws is left to the ice."""
        return (self.rain_mm < self.dryness_mm / 2) & (self.warmest_c >= 10)

    @cached_property
    def is_dry_summer(self) -> Mask:
        """Mediterranean climate (Koeppen Cs): mild winter, dry summer, most of the rain in the cold half-year."""
        warm_half, cold_half = self._halves()
        dry = (warm_half.min(axis=0) < 40) & (warm_half.min(axis=0) < cold_half.max(axis=0) / 3)
        mild = (self.coldest_c > -3) & (self.coldest_c < 18) & (self.warmest_c >= 10)
        rainy_winter = warm_half.sum(axis=0) < 0.4 * self.rain_mm
        return np.asarray(dry & mild & rainy_winter & (self.rain_mm >= self.dryness_mm))


class Earth:
    """All layers on the grid; a rule is an expression of them.

    Args:
        cover_path: MODIS land cover, IGBP classes, 0.05 degree GeoTIFF.
        climate_path: ERA5 monthly normals, NetCDF with ``t2m`` (Celsius) and ``tp`` (mm), 0.25 degree from 90 N, 0 E.
        countries_path: Natural Earth countries and land as TopoJSON.
        lights_path: Night lights picture of the whole Earth, plate carree.
    """

    def __init__(self, cover_path: Path, climate_path: Path, countries_path: Path, lights_path: Path) -> None:
        self._centers = cell_centers()
        self._cover = _cover_shares(cover_path)
        self._built = _built_points(cover_path)
        self._lit = _lit_points(lights_path)
        self.climate = Climate(_monthly(climate_path, "t2m"), _monthly(climate_path, "tp"), self.lat_deg)
        topology = json.loads(countries_path.read_text(encoding="utf-8"))
        self._countries = decode_shapes(topology, "countries")
        self._land = [shape for shapes in decode_shapes(topology, "land").values() for shape in shapes]

    @property
    def lat_deg(self) -> Layer:
        """Latitude of the cell centres."""
        return self._centers[..., 0]

    @property
    def lon_deg(self) -> Layer:
        """Longitude of the cell centres."""
        return self._centers[..., 1]

    @cached_property
    def land(self) -> Mask:
        """Cells with any land in them (Natural Earth, 1:50 million)."""
        return _burn(self._land, touched=True)

    @cached_property
    def land_center(self) -> Mask:
        """Cells whose centre is on land."""
        return _burn(self._land, touched=False)

    def outline(self, name: str) -> Mask:
        """Cells whose centre lies in a drawn outline."""
        return outline_mask(name)

    def country(self, *names: str) -> Mask:
        """Cells that hold any part of the named countries (Natural Earth short names)."""
        if unknown := [name for name in names if name not in self._countries]:
            raise InputError(f"Natural Earth has no country named {unknown[0]!r}; its names are the short ones.")
        return _burn([shape for name in names for shape in self._countries[name]], touched=True)

    def cover(self, kind: str) -> Layer:
        """Percentage of a cell's land under a kind of cover (a key of ``COVER_CLASSES``); 0 where it is all water."""
        return np.asarray(100 * self._cover[list(COVER_CLASSES[kind])].sum(axis=0))

    def coast_within(self, distance_km: float, sea: str | None = None) -> Mask:
        """Cells whose centre is within ``distance_km`` of the coast, or of the part of it in the outline ``sea``."""
        return self._near(self._coast if sea is None else _inside(self._coast, outline_mask(sea)), distance_km)

    def city_within(self, distance_km: float) -> Mask:
        """Cells whose centre is within ``distance_km`` of the middle of a big city: much built-up land or light."""
        return self._near(self._cities, distance_km)

    def _near(self, points: NDArray[np.float64], distance_km: float) -> Mask:
        reach = float(chord(distance_km / EARTH_RADIUS_KM))
        centers = unit_xyz(self._centers.reshape(-1, 2))
        distance, _ = cKDTree(unit_xyz(points)).query(centers, distance_upper_bound=reach)
        return np.asarray(np.isfinite(distance)).reshape(ROWS, COLUMNS)

    @cached_property
    def _coast(self) -> NDArray[np.float64]:
        """Points (lat, lon) along the coast, at most 0.1 degree apart."""
        lines = [
            ring for shape in self._land for part in polygons_of([shape]) for ring in (part.exterior, *part.interiors)
        ]
        lonlat = np.concatenate([np.array(line.segmentize(COAST_STEP_DEG).coords) for line in lines])
        # Edges along the 180th meridian and through the south pole only close a ring: they are no coast.
        latlon = np.stack([lonlat[:, 1], wrap_lon_deg(lonlat[:, 0])], axis=1)
        return np.asarray(latlon[(np.abs(latlon[:, 1]) < 179.99) & (latlon[:, 0] > -85)])

    @cached_property
    def _cities(self) -> NDArray[np.float64]:
        """Middles (lat, lon) of quarter-degree bins with a big city within 30 km."""
        found = [
            _dense_spots(points, CITY_RADIUS_KM, area_km2)
            for points, area_km2 in ((self._built, CITY_BUILT_KM2), (self._lit, CITY_LIT_KM2))
        ]
        return np.concatenate(found)


def _inside(latlon: NDArray[np.float64], mask: Mask) -> NDArray[np.float64]:
    """The points that fall in a cell of the mask."""
    row = np.clip(((90 - latlon[:, 0]) / GRID_STEP_DEG).astype(int), 0, ROWS - 1)
    column = np.clip(((latlon[:, 1] + 180) / GRID_STEP_DEG).astype(int), 0, COLUMNS - 1)
    return np.asarray(latlon[mask[row, column]])


def _read_cover(path: Path) -> NDArray[np.uint8]:
    with rasterio.open(path) as dataset:
        classes: NDArray[np.uint8] = dataset.read(1)
    px_per_cell = max(classes.shape[0] // ROWS, 1)
    if classes.shape != (ROWS * px_per_cell, COLUMNS * px_per_cell):
        raise InputError(
            f"{path}: the land cover must divide into {ROWS} x {COLUMNS} cells; it has {classes.shape} px."
        )
    return classes


def _cover_shares(path: Path) -> NDArray[np.float64]:
    """Share of each IGBP class in the land of each cell, (17, 360, 720); 0 where a cell is all water."""
    classes = _read_cover(path)
    blocks = classes.reshape(ROWS, classes.shape[0] // ROWS, COLUMNS, classes.shape[1] // COLUMNS)
    counts = np.stack([(blocks == kind).sum(axis=(1, 3)) for kind in range(17)]).astype(np.float64)
    counts[COVER_WATER] = 0
    return np.asarray(counts / np.maximum(counts.sum(axis=0), 1))


def _built_points(path: Path) -> NDArray[np.float64]:
    """(lat, lon, km2) of the pixels of built-up land."""
    return _pixels(_read_cover(path) == COVER_CLASSES["urban"][0])


def _lit_points(path: Path) -> NDArray[np.float64]:
    """(lat, lon, km2) of the brightly lit pixels of the night picture."""
    with Image.open(path) as picture:
        red = np.asarray(picture.convert("RGB"))[..., 0]
    return _pixels(red > LIGHT_RED_MIN)


def _pixels(mask: Mask) -> NDArray[np.float64]:
    """(lat, lon, km2) of the true pixels of a picture of the whole Earth in plate carree."""
    rows, columns = np.nonzero(mask)
    height, width = mask.shape
    lat, lon = 90 - (rows + 0.5) * 180 / height, -180 + (columns + 0.5) * 360 / width
    return np.stack([lat, lon, cell_area_km2(lat, 180 / height)], axis=1)


def _dense_spots(points: NDArray[np.float64], radius_km: float, area_km2: float) -> NDArray[np.float64]:
    """Middles (lat, lon) of bins that have at least ``area_km2`` of the points' area within ``radius_km``."""
    rows = ((90 - points[:, 0]) / CITY_BIN_DEG).astype(int)
    columns = ((points[:, 1] + 180) / CITY_BIN_DEG).astype(int)
    bins, index = np.unique(np.stack([rows, columns], axis=1), axis=0, return_inverse=True)
    middles = np.stack([90 - (bins[:, 0] + 0.5) * CITY_BIN_DEG, -180 + (bins[:, 1] + 0.5) * CITY_BIN_DEG], axis=1)
    area = np.bincount(index.ravel(), weights=points[:, 2])
    tree = cKDTree(unit_xyz(middles))
    near = tree.query_ball_point(unit_xyz(middles), float(chord(radius_km / EARTH_RADIUS_KM)))
    return middles[[bool(area[list(neighbors)].sum() >= area_km2) for neighbors in near]]


def _monthly(path: Path, variable: str) -> NDArray[np.float64]:
    """Twelve monthly normals at the cell centres, (12, 360, 720)."""
    with rasterio.open(f"netcdf:{path}:{variable}") as dataset:
        nodes = dataset.read()
        north, west = dataset.bounds.top, dataset.bounds.left
    expected = (12, ROWS * CLIMATE_NODES_PER_CELL + 1, COLUMNS * CLIMATE_NODES_PER_CELL)
    if nodes.shape != expected or north < 90 or not -1 < west <= 0:
        raise InputError(f"{path}: {variable} must be twelve months of {expected[1:]} nodes from 90 N, 0 E.")
    return nodes_to_cells(nodes)


def nodes_to_cells(nodes: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Values at the cell centres (..., 360, 720) of quarter-degree nodes (..., 721, 1440) that start at 90 N, 0 E."""
    from_0_east = nodes[..., 1::CLIMATE_NODES_PER_CELL, 1::CLIMATE_NODES_PER_CELL].astype(np.float64)
    return np.roll(from_0_east, COLUMNS // 2, axis=-1)
