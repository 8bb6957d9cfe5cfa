"""How the surroundings of a point are built: shares of land, heights, size of buildings, and the class that follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy import ndimage

from unigeoclip.city.layers import LAND, LAND_CLASSES

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from unigeoclip.city.layers import CityLayers, CityRasters

WINDOW_M = 225.0  # the square that is looked at
_SHED_M2 = 30.0  # smaller buildings make no row of houses
_WALL_M = 0.5  # between outlines of houses that share a wall: tiles are exact to half of that
_BLOCK_M = 9.0  # the rasters are averaged to pixels of about this size first
_GREEN = ("grass", "park", "wood", "cemetery", "pitch", "farmland", "wetland")


@dataclass(frozen=True)
class Fabric:
    """What a square of `WINDOW_M` round a point holds; shares are of its area, from 0 to 1.

    Attributes:
        kind: The class, a key of `city_words.FABRIC`.
        details: Further things to say, keys of `city_words.DETAILS`.
        built: Share under buildings.
        height_m: Mean height of the built part.
        tallest_m: Of the buildings.
        footprint_m2: Mean footprint of the buildings.
        green: Share of vegetated ground.
        trees: Share under trees.
        water: Share of water.
    """

    kind: str
    details: tuple[str, ...]
    built: float
    height_m: float
    tallest_m: float
    footprint_m2: float
    green: float
    trees: float
    water: float


def fabric_of(xy_m: NDArray[np.float64], layers: CityLayers, rasters: CityRasters) -> list[Fabric]:
    """Look at the surroundings of points.

    Args:
        xy_m: (n, 2) mercator metres inside the city.
        layers: The map, for the number of buildings.
        rasters: The city.

    Returns:
        (n,) descriptions.
    """
    measures = _measures(xy_m, layers, rasters)
    found = []
    for row in range(len(xy_m)):
        at = {name: float(values[row]) for name, values in measures.items()}
        found.append(
            Fabric(
                _kind(at),
                _details(at),
                at["built"],
                at["height_m"],
                at["tallest_m"],
                at["footprint_m2"],
                at["green"],
                at["trees"],
                at["water"],
            )
        )
    return found


def _measures(xy_m: NDArray[np.float64], layers: CityLayers, rasters: CityRasters) -> dict[str, NDArray[np.float64]]:
    """Shares and heights round each point, by name; land classes by theirs."""
    grid = rasters.grid
    block = max(1, int(_BLOCK_M / grid.ground_px_m))
    reach = max(1, round(WINDOW_M / 2 / (grid.ground_px_m * block)))
    at = (grid.to_pixel(xy_m) / block).astype(np.int64)
    rows, cols = -(-grid.height // block), -(-grid.width // block)
    col, row = np.clip(at[:, 0], 0, cols - 1), np.clip(at[:, 1], 0, rows - 1)
    top, bottom = np.maximum(row - reach, 0), np.minimum(row + reach + 1, rows)
    left, right = np.maximum(col - reach, 0), np.minimum(col + reach + 1, cols)
    area = ((bottom - top) * (right - left)).astype(np.float64)

    def total(picture: NDArray[Any]) -> NDArray[np.float64]:
        sums = np.zeros((rows + 1, cols + 1))
        np.cumsum(np.cumsum(picture, axis=0, dtype=np.float64), axis=1, out=sums[1:, 1:])
        window: NDArray[np.float64] = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
        return window

    def share(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        part: NDArray[np.float64] = total(_coarse(mask, block, np.mean)) / area
        return part

    house = rasters.building_id > 0
    height = np.where(house, rasters.height_m, 0).astype(np.float32)
    found = {name: share(rasters.land == LAND[name]) for name in LAND_CLASSES}
    found["built"] = share(house)
    found["trees"] = share(rasters.tree)
    found["green"] = sum((found[name] for name in _GREEN), np.zeros(len(xy_m)))
    found["height_m"] = total(_coarse(height, block, np.mean)) / area / np.maximum(found["built"], 1e-3)
    tallest = ndimage.maximum_filter(_coarse(height, block, np.max), size=2 * reach + 1, mode="nearest")
    found["tallest_m"] = tallest[row, col].astype(np.float64)
    centers = layers["building"].geometry.representative_point()
    spots = grid.to_pixel(np.stack([centers.x.to_numpy(), centers.y.to_numpy()], axis=1)) / block

    def count(weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        extent = ((0, rows), (0, cols))
        return total(np.histogram2d(spots[:, 1], spots[:, 0], (rows, cols), extent, weights=weights)[0])

    buildings = np.maximum(count(), 1)
    meters2 = area * (block * grid.ground_px_m) ** 2
    found["footprint_m2"] = found["built"] * meters2 / buildings
    found["attached"] = count(_attached(layers["building"], grid.ground_per_mercator)) / buildings
    return found


def _attached(buildings: gpd.GeoDataFrame, ground_per_mercator: float) -> NDArray[np.float64]:
    """1.0 for each building (n,) that stands wall to wall with another, sheds aside, else 0.0."""
    outlines = buildings.geometry.to_numpy()
    large = np.flatnonzero(shapely.area(outlines) * ground_per_mercator**2 > _SHED_M2)
    tree = shapely.STRtree(outlines[large])
    one, other = tree.query(outlines[large], predicate="dwithin", distance=_WALL_M / ground_per_mercator)
    attached = np.zeros(len(outlines))
    attached[large[one[one != other]]] = 1.0
    return attached


def _coarse(picture: NDArray[Any], block: int, reduce: Any) -> NDArray[np.float32]:
    """Reduce blocks of pixels to one each; the last ones are filled up with zeros."""
    rows, cols = picture.shape
    out = np.empty((-(-rows // block), -(-cols // block)), np.float32)
    for row in range(out.shape[0]):
        strip = picture[row * block : (row + 1) * block]
        if strip.shape != (block, out.shape[1] * block):
            strip = np.pad(strip, ((0, block - len(strip)), (0, out.shape[1] * block - cols)))
        out[row] = reduce(strip.reshape(block, -1, block), axis=(0, 2))
    return out


def _kind(at: dict[str, float]) -> str:
    """The class of the fabric; the first rule that holds."""
    if at["runway"] > 0.04:
        return "airport"
    if at["built"] > 0.15 and (at["height_m"] > 32 or (at["tallest_m"] > 75 and at["height_m"] > 20)):
        return "towers"
    if at["industrial"] > 0.33 or (at["industrial"] > 0.15 and at["footprint_m2"] > 900):
        return "industrial"
    if at["built"] < 0.045:
        return _open_kind(at)
    if at["institution"] > 0.18:  # of all ground; streets and buildings take their part of the grounds
        return "campus"
    if at["footprint_m2"] > 1400 and at["height_m"] < 11 and at["commercial"] + at["parking"] > 0.2:
        return "retail"
    if at["built"] > 0.3:
        return "blocks" if at["height_m"] > 14 else "rows" if at["attached"] > 0.5 else "close"
    if at["grass"] + at["park"] + at["pitch"] > 0.4 and at["built"] < 0.14:
        return "park"
    if at["footprint_m2"] > 420:
        return "apartments"
    return "houses" if at["built"] > 0.2 else "suburb" if at["built"] > 0.1 else "scattered"


def _open_kind(at: dict[str, float]) -> str:
    """The class of a square without buildings: that of the land which leads."""
    if at["water"] > 0.75:
        return "water"
    leads = {
        "woods": at["wood"] * 1.2,
        "wetland": at["wetland"] * 1.4,
        "cemetery": at["cemetery"] * 1.3,
        "beach": at["sand"] * 3,
        "fields": at["pitch"] * 1.6,
        "park": at["grass"] + at["park"],
        "farmland": at["farmland"],
        "railway": at["rail"] * 2.5,
        "waterside": at["water"] * 0.9,
        "paved": (at["road"] + at["parking"] + at["plaza"]) * 0.9,
    }
    best = max(leads, key=lambda name: leads[name])
    return best if leads[best] > 0.12 else "open"


def _details(at: dict[str, float]) -> tuple[str, ...]:
    """What stands out beside the class."""
    rules = {
        "leafy": at["trees"] > 0.22 and at["built"] > 0.08,
        "bare": at["trees"] < 0.03 and at["built"] > 0.3,
        "skyscraper": at["tallest_m"] > 90,
        "tall": 35 < at["tallest_m"] <= 90,
        "low": at["built"] > 0.1 and at["tallest_m"] < 13,
        "grand": at["footprint_m2"] > 1500 and at["built"] > 0.15,
        "green": at["green"] > 0.35 and at["built"] > 0.05,
        "villas": 0.06 < at["built"] < 0.22
        and 170 < at["footprint_m2"] < 420
        and at["institution"] + at["commercial"] + at["industrial"] < 0.1,
        "yard": at["rail"] > 0.12,
        "rails": 0.035 < at["rail"] <= 0.12,
        "graves": at["cemetery"] > 0.15,
        "sports": at["pitch"] > 0.06,
        "woods": at["wood"] > 0.15,
        "beach": at["sand"] > 0.04,
        "marsh": at["wetland"] > 0.1,
        "parking": at["parking"] > 0.08,
        "wide roads": at["road"] > 0.28,
    }
    return tuple(name for name, holds in rules.items() if holds)[:3]
