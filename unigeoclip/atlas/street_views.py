"""The street views of an atlas: cameras on its roads, what they see, and how to walk from one to the next.

Rendered views are drawn when they are wanted, from a crop of the city round the camera; photos are read from the
folder. A whole city is held for drawing many at once (`StreetViews.held`).
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps
from scipy.spatial import cKDTree

from unigeoclip import geo
from unigeoclip.atlas.schema import PHOTO_COLUMNS
from unigeoclip.city.raycast import MAX_DISTANCE_M
from unigeoclip.city.scene import BLOCK_PX
from unigeoclip.city.street_view import StreetScene, panorama_headings
from unigeoclip.errors import AtlasError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from unigeoclip.city.layers import CityGrid
    from unigeoclip.city.raster_storage import StoredCity

__all__ = ["HEADINGS", "StreetViews", "View"]

HEADINGS = 4  # views of a panorama, a quarter turn apart
STEP_M = 130.0  # the next camera along a street is nearer than that
STEP_DEG = 55.0  # and no farther off the direction one looks in
MAX_VIEW_PX = 2048
_TILE_PX = 128  # cameras in one square of so many pixels see the same crop
_CROP_M = MAX_DISTANCE_M + 320.0  # as far as rays go, and the shadows that fall there
_CROPS = 4  # some 50 MB each in a city of 20 km


@dataclass(frozen=True)
class View:
    """A camera of the atlas.

    Attributes:
        row: In ``atlas.views``.
        lat: Degrees.
        lon: Degrees.
        heading_deg: Middle of the picture, clockwise from north.
        street: Name of the street, or empty.
        place_id: The place it stands in.
    """

    row: int
    lat: float
    lon: float
    heading_deg: float
    street: str
    place_id: str


class StreetViews:
    """The street views of one atlas. Safe to share between threads.

    Attributes:
        is_rendered: Whether views are drawn; otherwise they are photos.
    """

    def __init__(
        self, name: str, folder: Path, views: pd.DataFrame, places: pd.DataFrame, city: StoredCity | None
    ) -> None:
        """Index the cameras; `Atlas.streets` does it.

        Args:
            name: Of the atlas.
            folder: Of the atlas; photos lie in it.
            views: The cameras (columns: `schema.VIEW_COLUMNS`).
            places: With place_id, lat and lon.
            city: What views are drawn of; None where they are photos.
        """
        self.is_rendered = city is not None
        self.latlon = views[["lat", "lon"]].to_numpy(np.float64)
        self.headings_deg = views["heading_deg"].to_numpy(np.float64)
        self._name, self._folder, self._city = name, folder, city
        self._place_table = places
        self._streets, self._places = views["street"].to_numpy(), views["place_id"].to_numpy()
        self._photos = views["photo"].to_numpy()
        self._said = {name: views[name].to_numpy() for name in PHOTO_COLUMNS if name in views}
        self._tree = cKDTree(geo.unit_xyz(self.latlon))
        self._crops: OrderedDict[tuple[int, int], StreetScene] = OrderedDict()
        self._lock = threading.Lock()
        self._whole: StreetScene | None = None

    def __len__(self) -> int:
        return len(self.latlon)

    # Cameras

    def view(self, row: int) -> View:
        """The camera in a row of ``atlas.views``."""
        lat, lon = self.latlon[row].tolist()
        return View(row, lat, lon, float(self.headings_deg[row]), str(self._streets[row]), str(self._places[row]))

    def nearest(self, lat: float, lon: float) -> View:
        """The camera nearest to a point.

        Raises:
            InputError: The coordinates are not a point on the globe.
        """
        return self.view(int(self._tree.query(geo.unit_xyz(geo.as_latlon((lat, lon))))[1][0]))

    def ahead(self, lat: float, lon: float, heading_deg: float) -> View | None:
        """The next camera in a direction, `STEP_M` away at most; None where the street ends.

        Of those within `STEP_DEG` of the direction the one that is near and straight ahead is taken.
        """
        here = geo.as_latlon((lat, lon))
        near = np.array(self._tree.query_ball_point(geo.unit_xyz(here)[0], STEP_M / geo.EARTH_RADIUS_M), np.int64)
        if not len(near):
            return None
        meters = geo.distance_m(here[0], self.latlon[near])
        turn = (_bearing_deg(here[0], self.latlon[near]) - heading_deg + 180) % 360 - 180
        cost = np.where((meters > 3) & (np.abs(turn) <= STEP_DEG), meters * (1 + np.abs(turn) / STEP_DEG), np.inf)
        best = int(np.argmin(cost))
        return self.view(int(near[best])) if np.isfinite(cost[best]) else None

    @functools.cached_property
    def _row_of_place(self) -> dict[str, int]:
        """The camera nearest to the centre of each place that has one."""
        places = self._place_table
        center = dict(zip(places["place_id"], places[["lat", "lon"]].to_numpy(np.float64), strict=True))
        centers = np.array([center.get(place, (np.nan, np.nan)) for place in self._places]).reshape(-1, 2)
        away = geo.distance_m(self.latlon, centers)
        order = np.lexsort((away, self._places.astype(str)))
        first = np.r_[True, self._places[order][1:] != self._places[order][:-1]] if len(order) else np.zeros(0, bool)
        return {str(self._places[row]): int(row) for row in order[first] if np.isfinite(away[row])}

    def of_place(self, place_id: str) -> View | None:
        """The camera nearest to the centre of a place; None where the place has none."""
        row = self._row_of_place.get(place_id)
        return None if row is None else self.view(row)

    # Pictures

    def picture(self, lat: float, lon: float, heading_deg: float, width: int = 448, height: int = 336) -> Image.Image:
        """What is seen from a point in a direction, RGB; of photos the one taken nearest to it, and that way.

        Raises:
            InputError: A size out of range, or a point outside the city.
        """
        if not (1 <= width <= MAX_VIEW_PX and 1 <= height <= MAX_VIEW_PX):
            raise InputError(f"A street view can be 1 to {MAX_VIEW_PX} pixels wide and high, not {width} x {height}.")
        if not np.isfinite(heading_deg):
            raise InputError(f"A heading is a number of degrees clockwise from north, not {heading_deg}.")
        if not self.is_rendered:
            return self._photo(self._nearest_photo(lat, lon, heading_deg), width, height)
        drawn = self.draw(geo.as_latlon((lat, lon)), np.array([[heading_deg % 360]]), width, height)[0]
        return Image.fromarray(np.ascontiguousarray(drawn.transpose(1, 2, 0)))

    def photo_of(self, lat: float, lon: float, heading_deg: float) -> dict[str, str]:
        """What is said of the photo that `picture` gives: time, license, credit and url, as far as they are known."""
        if self.is_rendered:
            return {}
        row = self._nearest_photo(lat, lon, heading_deg)
        return {name: str(text) for name, values in self._said.items() if (text := values[row])}

    def _nearest_photo(self, lat: float, lon: float, heading_deg: float) -> int:
        """Row of the photo taken nearest to a point; of several from there, the one that looks most that way."""
        nearest = self.nearest(lat, lon).row
        there = np.flatnonzero((self.latlon == self.latlon[nearest]).all(axis=1))
        turn = np.abs((self.headings_deg[there] - heading_deg + 180) % 360 - 180)
        return int(there[np.argmin(turn)])

    def _photo(self, row: int, width: int, height: int) -> Image.Image:
        path = self._folder / str(self._photos[row])
        try:
            with Image.open(path) as opened:
                return ImageOps.fit(opened.convert("RGB"), (width, height), Image.Resampling.LANCZOS)
        except OSError as error:
            raise AtlasError(f"{path} cannot be read ({error}). Restore it or build the atlas again.") from error

    def _scene_round(self, lat: float, lon: float) -> StreetScene:
        """The crop of the city that a camera sees, the same for all cameras of a square."""
        col, row = self._grid.latlon_to_pixel((lat, lon)).tolist()
        if not (0 <= col < self._grid.width and 0 <= row < self._grid.height):
            raise InputError(f"({lat:.5f}, {lon:.5f}) lies outside the city of the atlas {self._name}.")
        tile = (int(col // _TILE_PX), int(row // _TILE_PX))
        with self._lock:
            if tile in self._crops:
                self._crops.move_to_end(tile)
                return self._crops[tile]
        middle = ((tile[0] + 0.5) * _TILE_PX, (tile[1] + 0.5) * _TILE_PX)
        half = int(_CROP_M / self._grid.ground_px_m) + _TILE_PX // 2
        scene = StreetScene.of(self._stored.read_crop(middle, half, BLOCK_PX), self._grid)
        with self._lock:
            self._crops[tile] = scene
            while len(self._crops) > _CROPS:
                self._crops.popitem(last=False)
        return scene

    @functools.cached_property
    def _grid(self) -> CityGrid:
        return self._stored.grid

    @property
    def _stored(self) -> StoredCity:
        if self._city is None:
            raise InputError(f"The atlas {self._name} has no rendered street views.")
        return self._city

    # Many at once

    @contextmanager
    def held(self) -> Iterator[StreetScene | None]:
        """Hold the whole city in memory meanwhile, 5 bytes a pixel: for drawing thousands of views; None for photos."""
        before = self._whole
        if self.is_rendered and before is None:
            stored = self._stored
            self._whole = _joined(stored, self._grid) if stored.areas else StreetScene.of(stored.read())
        try:
            yield self._whole
        finally:
            self._whole = before

    def draw(
        self, latlon: NDArray[np.float64], headings_deg: NDArray[np.float64], width: int, height: int
    ) -> NDArray[np.uint8]:
        """Draw what is seen from points (n, 2) in k directions (n, k) each: (n, 3, height, k * width) uint8.

        Raises:
            InputError: A point lies outside the city.
        """
        if self._whole is not None:
            return self._whole.views(latlon, headings_deg, width, height)
        scenes = [self._scene_round(*point) for point in latlon.tolist()]
        views = [
            scene.views(latlon[i : i + 1], headings_deg[i : i + 1], width, height) for i, scene in enumerate(scenes)
        ]
        return np.concatenate(views)

    def panoramas(
        self, rows: NDArray[np.int64], width: int, height: int, count: int = HEADINGS
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """What cameras see in ``count`` directions, a quarter turn apart from that of the camera on; of photos one.

        Args:
            rows: (n,) of ``atlas.views``.
            width: Pixels of each direction.
            height: Pixels.
            count: Directions, 1 to 4.

        Returns:
            (n, 3, height, k * width) uint8 and the headings (n, k) in degrees; k is ``count``, or 1 for photos.
        """
        if not self.is_rendered:
            photos = [np.asarray(self._photo(int(row), width, height)) for row in rows]
            return np.stack(photos).transpose(0, 3, 1, 2), self.headings_deg[rows][:, None]
        headings = panorama_headings(self.headings_deg[rows], HEADINGS)[:, :count]
        return self.draw(self.latlon[rows], headings, width, height), headings


def _joined(city: StoredCity, whole: CityGrid) -> StreetScene:
    """Cities that lie far from each other in one scene; memory is used where they lie."""
    joined: StreetScene | None = None
    for rasters in city.read_cities(BLOCK_PX):
        scene = StreetScene.of(rasters, whole)
        if joined is None:
            joined = scene
            continue
        col, row = np.rint(whole.to_pixel((rasters.grid.west_m, rasters.grid.north_m))).astype(int).tolist()
        height, width = rasters.grid.shape
        for name, px in (("height_dm", 1), ("crest_m", 1), ("code", 1), ("ground", 1), ("block_m", BLOCK_PX)):
            rows, cols = slice(row // px, -(-(row + height) // px)), slice(col // px, -(-(col + width) // px))
            getattr(joined.scene, name)[rows, cols] = getattr(scene.scene, name)[rows, cols]
        highest = max(joined.scene.max_height_m, scene.scene.max_height_m)
        joined = StreetScene(whole, joined.scene._replace(max_height_m=highest))
    if joined is None:
        raise InputError("The atlas has no city to draw street views of.")
    return joined


def _bearing_deg(start: ArrayLike, end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Direction from one point to others (n, 2), degrees clockwise from north, on the local tangent plane."""
    lat, lon = np.asarray(start, dtype=np.float64)
    north, east = end[:, 0] - lat, (end[:, 1] - lon) * np.cos(np.radians(lat))
    bearing: NDArray[np.float64] = np.degrees(np.arctan2(east, north)) % 360
    return bearing
