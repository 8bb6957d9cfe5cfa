"""What the map says of spots: drawn aerial picture, estimated heights, sentences, as the city builder makes them."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip import geo
from unigeoclip.atlas.rasters import Raster
from unigeoclip.build.city import captions, tile_sources, vector_tiles
from unigeoclip.build.city.builder import BUILDER, WINDOW_M
from unigeoclip.build.city.parts import CITY_PX_M, GROUND_PX_M
from unigeoclip.city import city_model, ortho, raster_storage
from unigeoclip.city.layers import CityGrid
from unigeoclip.files.cache import cache_array, cache_folder, cache_json, cached_array, cached_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from unigeoclip.city.layers import CityRasters
    from unigeoclip.geo import Bounds

__all__ = ["PHOTO_WINDOW_M", "MapViews", "Sides", "map_views", "places_between"]

PHOTO_WINDOW_M = 150.0  # side of what a photograph shows
_MARGIN_M = 400.0  # round the spots: half a window, and what captions and shadows look at
_DRAWN = 1  # raised when the same tiles give other views
_ROWS_AT_ONCE = 640


@dataclass(frozen=True)
class MapViews:
    """Views of n spots of one city.

    Attributes:
        aerial: (n, 3, px, px) uint8, the drawn picture over 225 m, as models of cities take it.
        close: (n, 3, close_px, close_px) uint8, the drawn picture over 150 m, as much as a photograph shows.
        surface: (n, 1, px, px) float32 metres over 225 m.
        sentences: (n) lists of sentences.
    """

    aerial: NDArray[np.uint8]
    close: NDArray[np.uint8]
    surface: NDArray[np.float32]
    sentences: list[list[str]]

    def __len__(self) -> int:
        return len(self.sentences)


@dataclass(frozen=True)
class Sides:
    """Sides of windows in pixels: those of a model of a city, and those of a trunk."""

    model: int
    trunk: int


def map_views(
    tiles: Path, latlon: NDArray[np.float64], names: list[str], px: Sides, say: Callable[[str], None] | None = None
) -> MapViews:
    """Draw and describe spots of one city from its vector tiles; what was drawn is kept in the cache folder.

    Args:
        tiles: Folder of z/x/y.pbf of the OpenMapTiles schema.
        latlon: (n, 2) degrees.
        names: (n) keys that choose among wordings.
        px: Sides of the windows.
        say: Called with what is being done.

    Raises:
        InputError: The tiles cannot be read, or a spot lies outside them.
    """
    tell = say or (lambda _text: None)
    bounds = _around(latlon)
    tile_set = tile_sources.open_tiles(tiles, bounds)
    folder = cache_folder() / "photographs" / _key(tile_set, latlon, names)
    kept = _kept(folder, len(latlon), px)
    if kept is not None:
        return kept
    tell(f"Reading {len(tile_set.tiles)} vector tiles")
    layers = vector_tiles.read_layers(tile_set)
    tell(f"Drawing the city of {len(latlon)} spots")
    grid = CityGrid.cover(bounds, GROUND_PX_M)
    model, fine = city_model.build_model(layers, grid)
    city = _stored_city(model)
    described = captions.describe(names, latlon, layers, city)
    sentences = [[text for _, text in place.sentences] or [place.name] for place in described]
    painter = ortho.AerialPainter(model, fine, layers["building"])
    found = _cut(painter, city, latlon, sentences, px)
    _keep(folder, found, px)
    return found


def places_between(
    tiles: Path, latlon: NDArray[np.float64], count: int, reach_m: float = 1200.0, apart_m: float = 200.0, seed: int = 0
) -> NDArray[np.float64]:
    """Other places in the tiles of a city: near its spots, but not on them.

    Args:
        tiles: Folder of z/x/y.pbf.
        latlon: (n, 2) degrees of the spots.
        count: How many are wanted.
        reach_m: How far from a spot at most.
        apart_m: How far from every spot and from each other at least.
        seed: Of the draw.

    Returns:
        (m, 2) degrees, m at most ``count``.
    """
    from scipy.spatial import cKDTree

    rng = np.random.default_rng(seed)
    there = {(tile.x, tile.y) for tile in tile_sources.open_tiles(tiles, _around(latlon)).tiles}
    base = latlon[rng.integers(len(latlon), size=40 * count)]
    turn, away = rng.uniform(0, 2 * np.pi, len(base)), reach_m * np.sqrt(rng.random(len(base)))
    drawn = geo.as_latlon(geo.offset_m(base, away * np.sin(turn), away * np.cos(turn)))
    side = 2 * geo.MERCATOR_HALF_M / 2**tile_sources.ZOOM
    inside = np.ones(len(drawn), bool)
    for east, north in ((-1, -1), (-1, 1), (1, -1), (1, 1)):  # the corners of a window lie in tiles that are there
        corner = geo.as_latlon(
            geo.offset_m(drawn, np.full(len(drawn), east * WINDOW_M / 2), np.full(len(drawn), north * WINDOW_M / 2))
        )
        x, y = geo.web_mercator(corner).T
        columns = np.floor((x + geo.MERCATOR_HALF_M) / side).astype(int)
        lines = np.floor((geo.MERCATOR_HALF_M - y) / side).astype(int)
        inside &= np.array([(int(a), int(b)) in there for a, b in zip(columns, lines, strict=True)])
    drawn = drawn[inside]
    xyz, chord = geo.unit_xyz(drawn), apart_m / geo.EARTH_RADIUS_M
    free = cKDTree(geo.unit_xyz(latlon)).query(xyz)[0] > chord
    drawn, xyz = drawn[free], xyz[free]
    taken: list[int] = []
    near = cKDTree(xyz)
    closed = np.zeros(len(drawn), bool)
    for row in range(len(drawn)):
        if not closed[row]:
            taken.append(row)
            closed[near.query_ball_point(xyz[row], chord)] = True
        if len(taken) == count:
            break
    places: NDArray[np.float64] = drawn[taken]
    return places


def _around(latlon: NDArray[np.float64]) -> Bounds:
    """South, west, north, east of the spots with a margin."""
    middle = np.array([latlon.mean(axis=0)])
    north, east = np.abs(geo.as_latlon(geo.offset_m(middle, np.array([_MARGIN_M]), np.array([_MARGIN_M]))) - middle)[0]
    (south, west), (top, right) = latlon.min(axis=0), latlon.max(axis=0)
    return float(south - north), float(west - east), float(top + north), float(right + east)


def _key(tile_set: tile_sources.TileSet, latlon: NDArray[np.float64], names: list[str]) -> str:
    digest = hashlib.sha256(json.dumps([BUILDER, _DRAWN, names]).encode() + np.ascontiguousarray(latlon).tobytes())
    for tile in tile_set.tiles:
        digest.update(f"{tile.name} ".encode() + Path(tile.path).read_bytes())
    return digest.hexdigest()[:24]


def _stored_city(model: city_model.CityModel) -> CityRasters:
    """The city at the resolution at which atlases store it, which heights and captions are made of."""
    grid = CityGrid.cover(model.grid.bounds_deg, CITY_PX_M)
    return city_model.raise_city(grid, *city_model.paint_city(model, grid))[0]


def _cut(
    painter: ortho.AerialPainter, city: CityRasters, latlon: NDArray[np.float64], sentences: list[list[str]], px: Sides
) -> MapViews:
    """Cut the windows out of rasters written as an atlas has them, so that they are what models were trained on."""
    with tempfile.TemporaryDirectory(prefix="unigeoclip-") as temporary:
        picture, heights = Path(temporary, "aerial.tif"), Path(temporary, "surface.tif")
        height = painter.grid.height
        rows = [painter.rows(first, min(first + _ROWS_AT_ONCE, height)) for first in range(0, height, _ROWS_AT_ONCE)]
        raster_storage.write_aerial(picture, painter.grid, np.concatenate(rows))
        with raster_storage.heights_by_blocks(heights, city.grid, max_error_m=0.1) as written:
            written.write(city.height_m[None])
        aerial, surface = Raster.open(picture), Raster.open(heights)
        return MapViews(
            aerial.windows(latlon, WINDOW_M, px.model),
            aerial.windows(latlon, PHOTO_WINDOW_M, px.trunk),
            surface.windows(latlon, WINDOW_M, px.model),
            sentences,
        )


def _kept(folder: Path, count: int, px: Sides) -> MapViews | None:
    sentences = cached_json(folder / "sentences.json")
    aerial = cached_array(folder / f"aerial-{px.model}.npy", (count, 3, px.model, px.model), np.uint8)
    close = cached_array(folder / f"close-{px.trunk}.npy", (count, 3, px.trunk, px.trunk), np.uint8)
    surface = cached_array(folder / f"surface-{px.model}.npy", (count, 1, px.model, px.model), np.float32)
    if sentences is None or aerial is None or close is None or surface is None:
        return None
    return MapViews(np.array(aerial), np.array(close), np.array(surface), sentences)


def _keep(folder: Path, found: MapViews, px: Sides) -> None:
    cache_array(folder / f"aerial-{px.model}.npy", found.aerial)
    cache_array(folder / f"close-{px.trunk}.npy", found.close)
    cache_array(folder / f"surface-{px.model}.npy", found.surface)
    cache_json(folder / "sentences.json", found.sentences)
