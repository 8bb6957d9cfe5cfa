"""What the Boston atlas is drawn from, as tasks: buildings, trees, land, parks, stations, points of interest.

All of it is an input of some modality of that atlas; the tasks say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from unigeoclip import geo
from unigeoclip.atlas.store import load_atlas
from unigeoclip.build.city.tile_sources import open_tiles
from unigeoclip.build.city.vector_tiles import read_layers
from unigeoclip.build.tasks.point_tables import common_only
from unigeoclip.city.layers import LAND, LAND_CLASSES
from unigeoclip.errors import DownloadError
from unigeoclip.tasks.stored import PackTable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from unigeoclip.city.layers import CityRasters

__all__ = ["land_cover", "points_of_interest", "surroundings"]

_COUNT, _SEED = 4_000, 16
_AROUND_M, _NEAR_M = 100.0, 300.0
_LEAST_PARK_M2 = 10_000.0
_GRIDS, _GRID_SIDE, _GRID_STEP_M = 60, 12, 50.0
# Classes of the segmentation, of what the land raster holds.
_COVER = {
    "water": ("water",),
    "vegetation": ("grass", "park", "wood", "farmland", "wetland", "cemetery", "pitch"),
    "road or rail": ("plaza", "parking", "road", "path", "rail", "runway", "sidewalk"),
    "building": ("building",),
    "built-up ground": ("residential", "commercial", "industrial", "institution", "unknown", "sand", "rock"),
}
_STATIONS = {"station", "subway", "halt", "tram_stop"}
_FOOD = {"restaurant", "fast_food", "cafe", "bar", "pub", "food_court", "ice_cream", "biergarten"}
_SHOP_CLASSES = {"shop", "grocery", "clothing_store", "alcohol_shop", "bakery", "butcher"}


def surroundings(_files: Mapping[str, Path]) -> PackTable:
    """Height and share of buildings, trees, land use and distance to a park at random points on land."""
    rasters = load_atlas("boston").city_rasters()
    pixel, latlon = _land_points(rasters, _COUNT, np.random.default_rng(_SEED))
    px_m = rasters.grid.ground_px_m
    house = rasters.building_id > 0
    mean = _means_around(pixel, rasters.land.shape, max(1, round(_AROUND_M / px_m)))
    built = mean(house)
    height = mean(np.where(house, rasters.height_m, 0)) / np.maximum(built, 1e-6)
    uses = {name: mean(rasters.land == code) for name, code in LAND.items() if name not in _NOT_USES}
    largest = np.array(list(uses), dtype=object)[np.argmax(np.stack(list(uses.values())), axis=0)]
    return PackTable(
        latlon,
        {
            "boston-building-height": np.where(built > 0.02, height, np.nan),
            "boston-building-density": 100 * built,
            "boston-tree-cover": 100 * mean(rasters.tree),
            "boston-park-distance": np.log10(10 + px_m * _to_park(rasters)[pixel]),
            "boston-land-use": common_only(largest),
        },
        notes=["Heights are those of points with at least 2 % of buildings; 97 % of the heights are estimates."],
    )


# What lies on a use of land and is none itself.
_NOT_USES = ("building", "road", "path", "sidewalk", "unknown", "parking", "plaza")


def _means_around(
    pixel: tuple[NDArray[np.int64], NDArray[np.int64]], shape: tuple[int, ...], reach_px: int
) -> Callable[[NDArray[Any]], NDArray[np.float64]]:
    """A function that averages a raster over the square round each pixel, cut at the edges."""
    row, col = pixel
    top, bottom = np.maximum(row - reach_px, 0), np.minimum(row + reach_px + 1, shape[0])
    left, right = np.maximum(col - reach_px, 0), np.minimum(col + reach_px + 1, shape[1])
    area = (bottom - top) * (right - left)
    sums = np.zeros((shape[0] + 1, shape[1] + 1))

    def mean(raster: NDArray[Any]) -> NDArray[np.float64]:
        np.cumsum(np.cumsum(raster, axis=0, dtype=np.float64), axis=1, out=sums[1:, 1:])
        total = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
        return np.asarray(total / area)

    return mean


def _to_park(rasters: CityRasters) -> NDArray[np.float64]:
    """Distance in pixels of every pixel to the nearest park of at least a hectare."""
    green = np.isin(rasters.land, [LAND["park"], LAND["wood"]])
    number, _ = ndimage.label(green | ndimage.binary_closing(green, iterations=2))  # joined over narrow paths
    sizes = np.bincount(number.ravel())
    large = sizes * rasters.grid.ground_px_m**2 >= _LEAST_PARK_M2
    large[0] = False
    return np.asarray(ndimage.distance_transform_edt(~large[number]))


def _land_points(
    rasters: CityRasters, count: int, rng: np.random.Generator, margin_m: float = 0.0
) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]]:
    """Rows and columns, and degrees, of random points on land, that far from the edge."""
    margin = round(margin_m / rasters.grid.ground_px_m)
    kept = np.empty((0, 2), np.int64)
    while len(kept) < count:
        row = rng.integers(margin, rasters.grid.height - margin, 4 * count)
        col = rng.integers(margin, rasters.grid.width - margin, 4 * count)
        on_land = rasters.land[row, col] != LAND["water"]
        kept = np.concatenate([kept, np.stack([row, col], axis=1)[on_land]])
    row, col = kept[:count].T
    return (row, col), rasters.grid.pixel_to_latlon(np.stack([col + 0.5, row + 0.5], axis=1))


def points_of_interest(files: Mapping[str, Path]) -> PackTable:
    """Distance to the nearest station, and how many restaurants and shops there are, at random points on land."""
    atlas = load_atlas("boston")
    rasters = atlas.city_rasters()
    _, latlon = _land_points(rasters, _COUNT, np.random.default_rng(_SEED))
    pois = read_layers(open_tiles(files["boston tiles"]))["poi"]
    kind, subclass = pois["class"].to_numpy(object), pois["subclass"].to_numpy(object)
    xy = np.stack([pois.geometry.x, pois.geometry.y], axis=1)
    meter = 1 / rasters.grid.ground_per_mercator
    here = geo.web_mercator(latlon)

    def within(names: set[str], column: NDArray[np.object_]) -> NDArray[np.float64]:
        found = cKDTree(xy[np.isin(column, list(names))]).query_ball_point(here, _NEAR_M * meter, return_length=True)
        return np.log2(1 + np.asarray(found, np.float64))

    stations = np.isin(kind, ["railway"]) & np.isin(subclass, list(_STATIONS))
    if not stations.any():
        raise DownloadError(f"{files['boston tiles']} has no station: it is not the pinned set of tiles.")
    to_station = cKDTree(xy[stations]).query(here)[0] / meter
    return PackTable(
        latlon,
        {
            "boston-transit-distance": np.log10(10 + to_station),
            "boston-restaurants": within(_FOOD, subclass),
            "boston-shops": within(_SHOP_CLASSES, kind),
        },
        notes=[f"{int(stations.sum())} stations, {len(pois):,} points of interest of the map."],
    )


def land_cover(_files: Mapping[str, Path]) -> PackTable:
    """Grids of windows: the class of the ground in the middle of each window."""
    rasters = load_atlas("boston").city_rasters()
    rng = np.random.default_rng(_SEED)
    side_m = _GRID_SIDE * _GRID_STEP_M
    (row, col), _ = _land_points(rasters, _GRIDS, rng, margin_m=side_m / 2 + _GRID_STEP_M)
    step = _GRID_STEP_M / rasters.grid.ground_px_m
    offset = (np.arange(_GRID_SIDE) - (_GRID_SIDE - 1) / 2) * step
    rows = np.round(row[:, None, None] + offset[:, None]).astype(np.int64) + np.zeros((1, 1, _GRID_SIDE), np.int64)
    cols = np.round(col[:, None, None] + offset[None, :]).astype(np.int64) + np.zeros((1, _GRID_SIDE, 1), np.int64)
    of_land = np.empty(len(LAND_CLASSES), dtype=object)
    for name, classes in _COVER.items():
        of_land[[LAND[kind] for kind in classes]] = name
    at = rows.ravel(), cols.ravel()
    target = np.where(rasters.building_id[at] > 0, "building", of_land[rasters.land[at]])
    return PackTable(
        rasters.grid.pixel_to_latlon(np.stack([at[1] + 0.5, at[0] + 0.5], axis=1)),
        {"boston-land-cover": target.astype(object)},
        groups=np.repeat([f"grid {number:02d}" for number in range(_GRIDS)], _GRID_SIDE**2),
        notes=[f"{_GRIDS} grids of {_GRID_SIDE} x {_GRID_SIDE} windows, {_GRID_STEP_M:g} m apart; grids may overlap."],
    )
