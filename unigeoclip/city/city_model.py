"""What stands on the ground of a city: land classes, building heights, trees; all of it follows from the map alone.

A building's height is the tagged one or an estimate from its use, its footprint and how densely built its surroundings
are. Trees stand where the map's vegetation puts them. No random number is drawn: variation comes from hashes of
positions, so that the same map always gives the same city.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy import ndimage, spatial

from unigeoclip.city.layers import (
    LAND,
    LAND_CLASSES,
    RAIL_WIDTH_M,
    ROAD_WIDTH_M,
    ROOF_LEVELS_M,
    CityGrid,
    CityLayers,
    CityRasters,
    facade_codes,
    roof_levels,
)
from unigeoclip.city.noise import hash_points
from unigeoclip.city.rasterize import Polygons, Strokes
from unigeoclip.city.trees import Trees, plant

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

# Class in the map -> land class. What is not listed says nothing about the ground.
_LANDUSE = {
    **dict.fromkeys(("residential", "suburb", "quarter", "neighbourhood"), "residential"),
    **dict.fromkeys(("commercial", "retail"), "commercial"),
    **dict.fromkeys(("industrial", "railway", "bus_station", "garages", "quarry", "landfill", "dam"), "industrial"),
    **dict.fromkeys(
        ("school", "university", "college", "kindergarten", "hospital", "library", "education", "stadium", "military"),
        "institution",
    ),
    **dict.fromkeys(("pitch", "track"), "pitch"),
    **dict.fromkeys(("playground", "zoo", "theme_park", "recreation_ground", "conservation"), "park"),
    **dict.fromkeys(("grass", "allotments"), "grass"),
    "cemetery": "cemetery",
}
_LANDCOVER = {
    "grass": "grass", "wood": "wood", "forest": "wood", "farmland": "farmland", "sand": "sand", "rock": "rock",
    "wetland": "wetland", "ice": "rock",
}  # fmt: skip
_PARK_SUBCLASSES = ("park", "garden", "recreation_ground", "village_green", "golf_course")
_WATERWAY_WIDTH_M = {"river": 14.0, "canal": 9.0, "stream": 2.5, "drain": 2.0, "ditch": 2.0}
_AEROWAY_WIDTH_M = {"runway": 45.0, "taxiway": 18.0}
SIDEWALK_M = 2.2  # on each side of streets in town
_WITH_SIDEWALK = ("minor", "tertiary", "secondary", "primary")
_DENSITY_M = 120.0  # side of the square over which the share of built ground is taken
_SEEN_TALL_M = 200.0  # estimates look at tagged heights this near
_SHED_M2, _GARAGE_M2, _HOUSE_M2, _BLOCK_M2 = 25.0, 55.0, 260.0, 900.0


@dataclass(frozen=True)
class CityModel:
    """The map, ready to be painted at any resolution.

    Attributes:
        grid: Of the rasters made with it.
        density: (h, w) of that grid, share of built ground around each pixel.
        land: Polygons of land classes, the largest first, then water.
        waterways: Brooks and canals that are lines.
        paved: Squares, piers, runways.
        sidewalks: Streets in town with their sidewalks.
        ways: Rails, paths and roads, the widest last; the values are rows of `WAY_KINDS`.
        footprints: Of buildings; the values are rows of the building table + 1.
        building_height_m: (b,) of the table.
        building_code: (b,) façade codes.
        estimated: (b,) true where the height is an estimate.
        trees: Where trees stand.
    """

    grid: CityGrid
    density: NDArray[np.float32]
    land: Polygons
    waterways: Strokes
    paved: tuple[Polygons, Strokes]
    sidewalks: Strokes
    ways: Strokes
    footprints: Polygons
    building_height_m: NDArray[np.float32]
    building_code: NDArray[np.uint8]
    estimated: NDArray[np.bool_]
    trees: Trees


# What is painted as a way: value of `CityModel.ways` -> class of the road or rail. The order is that of painting.
WAY_KINDS = ("rail", "transit", *ROAD_WIDTH_M)
_KIND_LAND = np.array(
    [
        LAND["rail"] if kind in RAIL_WIDTH_M else LAND["path"] if kind in ("path", "track") else LAND["road"]
        for kind in WAY_KINDS
    ],
    dtype=np.uint8,
)
_SIDEWALK_ON = np.array(
    [name not in ("water", "wood", "farmland", "wetland", "sand", "rock", "building") for name in LAND_CLASSES]
)


def build_model(layers: CityLayers, grid: CityGrid) -> tuple[CityModel, CityRasters]:
    """Prepare the map for painting and paint land classes, heights and buildings over the whole grid.

    Args:
        layers: The map.
        grid: Of the rasters; trees stand where its pixels allow.
    """
    ground = grid.ground_per_mercator
    building = layers["building"]
    land = _land_polygons(layers)
    footprints = Polygons.of(building.geometry.to_numpy(), np.arange(1, len(building) + 1, dtype=np.int32))
    waterways, paved = _waterways(layers["waterway"], ground), _paved(layers, ground)
    sidewalks, ways = _ways(layers["transportation"], ground)

    bare = np.full(grid.shape, LAND["unknown"], np.uint8)
    row_of = np.zeros(grid.shape, np.int32)
    footprints.paint(grid, row_of)
    density = _built_share(row_of > 0, grid)
    _paint_land(bare, grid, land, waterways, paved, sidewalks, ways, density)
    height, estimated = estimate_heights(building, bare, density, grid)
    codes = facade_codes(building)
    building_id = np.concatenate([[np.uint8(0)], codes])[row_of].astype(np.uint8)
    roof = np.concatenate([[np.uint8(0)], roof_levels(height)])[row_of].astype(np.uint8)
    rasters, trees = raise_city(grid, bare, building_id, roof, density)
    model = CityModel(
        grid, density, land, waterways, paved, sidewalks, ways, footprints, height, codes, estimated, trees
    )
    return model, rasters


def paint_city(model: CityModel, grid: CityGrid) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Paint what is stored of a city, at any resolution: see `raise_city`.

    Returns:
        Land classes under the buildings, façade codes, and roofs as rows of `ROOF_LEVELS_M`, (h, w) each.
    """
    row_of = np.zeros(grid.shape, np.int32)
    model.footprints.paint(grid, row_of)
    bare = paint_land(model, grid, _built_share(row_of > 0, grid))
    codes = np.concatenate([[np.uint8(0)], model.building_code]).astype(np.uint8)
    levels = np.concatenate([[np.uint8(0)], roof_levels(model.building_height_m)]).astype(np.uint8)
    return bare, codes[row_of], levels[row_of]


def raise_city(
    grid: CityGrid,
    bare: NDArray[np.uint8],
    building_id: NDArray[np.uint8],
    roof: NDArray[np.uint8],
    density: NDArray[np.float32] | None = None,
) -> tuple[CityRasters, Trees]:
    """Plant the trees and raise the heights: all that a city is, from what is stored of it.

    Args:
        grid: Of the rasters.
        bare: (h, w) land classes under the buildings.
        building_id: (h, w) façade codes, 0 where there is no building.
        roof: (h, w) rows of `ROOF_LEVELS_M`.
        density: (h, w) share of built ground around each pixel, if it is known already.
    """
    density = _built_share(building_id > 0, grid) if density is None else density
    land = np.where(building_id > 0, np.uint8(LAND["building"]), bare)
    trees = plant(land, density, grid)
    height_m, tree = ROOF_LEVELS_M[roof], np.zeros(grid.shape, bool)
    trees.paint(grid, height_m, tree, building_id)
    np.rint(height_m, out=height_m)
    return CityRasters(grid, height_m, building_id, tree, land), trees


def paint_land(model: CityModel, grid: CityGrid, density: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Land classes (h, w) without buildings, at any resolution.

    Args:
        model: The city.
        grid: Of the result.
        density: (h, w) share of built ground around each pixel.
    """
    out = np.full(grid.shape, LAND["unknown"], np.uint8)
    _paint_land(out, grid, model.land, model.waterways, model.paved, model.sidewalks, model.ways, density)
    return out


def _paint_land(
    out: NDArray[np.uint8],
    grid: CityGrid,
    land: Polygons,
    waterways: Strokes,
    paved: tuple[Polygons, Strokes],
    sidewalks: Strokes,
    ways: Strokes,
    density: NDArray[np.float32],
) -> None:
    land.paint(grid, out)
    out[(out == LAND["unknown"]) & (density > 0.06)] = LAND["residential"]  # houses stand there, the map says no more
    waterways.paint(grid, out)
    for part in paved:
        part.paint(grid, out)
    sidewalks.paint(grid, out, allowed=_SIDEWALK_ON)
    kinds = Strokes(ways.ends, ways.half_m, ways.along_m, _KIND_LAND[ways.values].astype(np.int32))
    kinds.paint(grid, out)


def _land_polygons(layers: CityLayers) -> Polygons:
    """Vegetation and use, the largest first so that a pitch in a park in a suburb is seen; water over all."""
    geometry: list[NDArray[Any]] = []
    values: list[NDArray[np.int32]] = []

    def add(table: gpd.GeoDataFrame, names: list[str | None]) -> None:
        codes = np.array([-1 if name is None else LAND[name] for name in names], dtype=np.int32)
        geometry.append(table.geometry.to_numpy()[codes >= 0])
        values.append(codes[codes >= 0])

    landuse, landcover, park = layers["landuse"], layers["landcover"], layers["park"]
    add(landuse, [_LANDUSE.get(name) for name in landuse["class"]])
    add(
        landcover,
        [
            "park" if subclass in _PARK_SUBCLASSES and name == "grass" else _LANDCOVER.get(name)
            for name, subclass in zip(landcover["class"], landcover["subclass"], strict=True)
        ],
    )
    add(park, ["park"] * len(park))
    shapes, codes = np.concatenate(geometry), np.concatenate(values)
    order = np.argsort(-shapely.area(shapes), kind="stable")
    water = layers["water"]
    open_water = water[water["brunnel"] != "tunnel"].geometry.to_numpy()
    shapes = np.concatenate([shapes[order], open_water])
    codes = np.concatenate([codes[order], np.full(len(open_water), LAND["water"], np.int32)])
    return Polygons.of(shapes, codes)


def _waterways(table: gpd.GeoDataFrame, ground: float) -> Strokes:
    width = np.array([_WATERWAY_WIDTH_M.get(name, 2.0) for name in table["class"]], dtype=np.float64)
    values = np.where(table["brunnel"].to_numpy() == "tunnel", -1, LAND["water"]).astype(np.int32)
    return Strokes.of(table.geometry.to_numpy(), width / 2 / ground, values)


def _paved(layers: CityLayers, ground: float) -> tuple[Polygons, Strokes]:
    areas, aeroway = layers["transportation_area"], layers["aeroway"]
    is_area = shapely.get_dimensions(aeroway.geometry.array) == 2
    apron = aeroway[is_area & aeroway["class"].isin(("apron", "runway", "taxiway", "helipad")).to_numpy(bool)]
    seen = areas[(areas["brunnel"] != "tunnel").to_numpy(bool)]
    road_like = seen["class"].isin(("bridge", *_WITH_SIDEWALK)).to_numpy(bool)
    shapes = np.concatenate([apron.geometry.to_numpy(), seen.geometry.to_numpy()])
    codes = np.concatenate([
        np.full(len(apron), LAND["runway"]), np.where(road_like, LAND["road"], LAND["plaza"])
    ]).astype(np.int32)  # fmt: skip
    roads = layers["transportation"]
    pier = roads[roads["class"].isin(("pier", "platform")).to_numpy(bool)]
    strip = aeroway[~is_area & aeroway["class"].isin(_AEROWAY_WIDTH_M).to_numpy(bool)]
    lines = np.concatenate([pier.geometry.to_numpy(), strip.geometry.to_numpy()])
    width = np.array([4.0] * len(pier) + [_AEROWAY_WIDTH_M[name] for name in strip["class"]], dtype=np.float64)
    values = np.array([LAND["plaza"]] * len(pier) + [LAND["runway"]] * len(strip), dtype=np.int32)
    return Polygons.of(shapes, codes), Strokes.of(lines, width / 2 / ground, values)


def _ways(roads: gpd.GeoDataFrame, ground: float) -> tuple[Strokes, Strokes]:
    """Sidewalks, and rails, paths and roads in the order of `WAY_KINDS`; tunnels are not seen."""
    kind_of = {kind: row for row, kind in enumerate(WAY_KINDS)}
    kinds = np.array([kind_of.get(name, -1) for name in roads["class"]], dtype=np.int32)
    kinds[(roads["brunnel"] == "tunnel").to_numpy(bool)] = -1
    width = np.array([0.0, *(({**RAIL_WIDTH_M, **ROAD_WIDTH_M})[kind] for kind in WAY_KINDS)])[kinds + 1]
    order = np.argsort(kinds, kind="stable")
    lines, kinds, width = roads.geometry.to_numpy()[order], kinds[order], width[order]
    with_sidewalk = np.isin(kinds, [kind_of[name] for name in _WITH_SIDEWALK])
    sidewalks = np.where(with_sidewalk, LAND["sidewalk"], -1).astype(np.int32)
    return (
        Strokes.of(lines, (width / 2 + SIDEWALK_M) / ground, sidewalks),
        Strokes.of(lines, width / 2 / ground, kinds),
    )


def _built_share(built: NDArray[np.bool_], grid: CityGrid) -> NDArray[np.float32]:
    """Share of built ground in the square of `_DENSITY_M` round each pixel (h, w)."""
    size = max(3, round(_DENSITY_M / grid.ground_px_m))
    share: NDArray[np.float32] = ndimage.uniform_filter(built.astype(np.float32), size, mode="nearest")
    return share


# Buildings


def estimate_heights(
    building: gpd.GeoDataFrame, land: NDArray[np.uint8], density: NDArray[np.float32], grid: CityGrid
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Height of every building (b,) in metres, and where it is an estimate (b,).

    Floors follow from the footprint (shed, garage, house, block, hall), the use of the land and the share of built
    ground around; a large building among tagged tall ones is at least 0.7 of their median. A hash of the position
    varies the estimate by 12 % so that rows of houses are not one slab.
    """
    known = building["height_m"].to_numpy(np.float64)
    estimated = ~np.isfinite(known)
    if not len(building):
        return known.astype(np.float32), estimated
    geometry = building.geometry.to_numpy()
    center = shapely.get_coordinates(shapely.centroid(geometry))
    area_m2 = shapely.area(geometry) * grid.ground_per_mercator**2
    col, row = grid.to_pixel(center).astype(np.int64).T
    row, col = np.clip(row, 0, grid.height - 1), np.clip(col, 0, grid.width - 1)
    use, share = land[row, col], density[row, col]

    house = np.interp(share, [0.1, 0.25, 0.4, 0.6], [7.0, 9.0, 11.5, 14.0])
    block = np.interp(share, [0.1, 0.3, 0.6], [9.5, 12.5, 16.0])
    hall = np.interp(share, [0.1, 0.4, 0.6], [9.0, 13.0, 17.0])
    guess = np.select(
        [area_m2 < _SHED_M2, area_m2 < _GARAGE_M2, area_m2 < _HOUSE_M2, area_m2 < _BLOCK_M2],
        [np.full(len(use), 2.6), np.where(share > 0.35, 9.0, 3.6), house, block],
        hall,
    )
    large = area_m2 >= _HOUSE_M2
    guess = np.where(large & (use == LAND["industrial"]), 8.5, guess)
    guess = np.where(large & (use == LAND["commercial"]), np.maximum(guess, 11.0), guess)
    guess = np.where(large & (use == LAND["institution"]), np.maximum(guess, 13.0), guess)
    guess = np.where(large, np.maximum(guess, 0.7 * _tall_around(center, known, grid)), guess)
    guess *= 0.88 + 0.24 * (hash_points(center, salt=21) / 2**32)
    return np.where(estimated, guess, known).astype(np.float32), estimated


def _tall_around(center: NDArray[np.float64], known: NDArray[np.float64], grid: CityGrid) -> NDArray[np.float64]:
    """Median of up to eight tagged heights within `_SEEN_TALL_M` of each building (b,); 0 where under three are."""
    tagged = np.flatnonzero(np.isfinite(known))
    if len(tagged) < 3:
        return np.zeros(len(center))
    reach = _SEEN_TALL_M / grid.ground_per_mercator
    away, which = spatial.cKDTree(center[tagged]).query(center, k=min(8, len(tagged)), distance_upper_bound=reach)
    near = np.where(np.isfinite(away), np.append(known[tagged], np.nan)[which], np.nan)
    enough = np.isfinite(near).sum(axis=1) >= 3
    median = np.zeros(len(center))
    median[enough] = np.nanmedian(near[enough], axis=1)
    return median
