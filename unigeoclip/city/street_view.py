"""Street views: where they are taken, and how they look.

A view is a pose on the road network, and nothing else: it is drawn from the rasters whenever it is wanted, and the same
pose always gives the same bytes. Ground colours come from the class of the land, façade colours from tags in the map or
from the building's own hash; no pixel and no draw is shared with the aerial picture.
"""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import geopandas as gpd
import numba
import numpy as np
import pandas as pd
import shapely

from unigeoclip import geo
from unigeoclip.city.layers import (
    LAND,
    LAND_CLASSES,
    ROAD_WIDTH_M,
    CityGrid,
    CityLayers,
    CityRasters,
    tagged_color,
)
from unigeoclip.city.noise import hash_points
from unigeoclip.city.raycast import draw_columns
from unigeoclip.city.scene import (
    BLOCK_PX,
    SKY_AZIMUTHS,
    SKY_ELEVATIONS,
    SKY_MAX_TAN,
    SUN_AZIMUTH_DEG,
    SUN_ELEVATION_DEG,
    TREE_BIT,
    Camera,
    Scene,
    prepare,
)
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    Views: TypeAlias = NDArray[np.uint8]

__all__ = ["Pose", "StreetScene", "panorama_headings", "view_poses"]

EYE_M = 2.2  # a camera on the roof of a car
FOV_DEG = 90.0
HORIZON = 0.56  # of the height of the picture, from above
MARGIN_M = 60.0  # no view is taken nearer to the edge of the city
# Distance between views along a road, by class; other classes have no views.
SPACING_M: dict[str, float] = {
    **dict.fromkeys(("minor", "tertiary", "secondary", "primary", "trunk", "busway"), 45.0),
    **dict.fromkeys(("motorway", "service", "pedestrian", "track"), 60.0),
    "path": 80.0,
}
_PRIVATE_WAYS = ("driveway", "parking_aisle", "crossover", "yard", "siding", "spur", "drive-through")
_NO_WAYS_FOR_VIEWS = ("steps", "corridor", "platform", "sidewalk", "crossing")
_THREADS = min(4, numba.get_num_threads())  # the compiled code runs without the interpreter's lock
_STRIP_PX = 56  # columns that a thread draws at a time
_LINE = 1  # shapely's number of the type
_PATH_CLEARANCE_M = 18.0  # a path that close to a road shows nothing new

GROUND_RGB: dict[str, tuple[int, int, int]] = {
    "unknown": (152, 150, 136),
    "water": (74, 98, 112),
    "grass": (112, 140, 72),
    "park": (104, 134, 70),
    "wood": (84, 92, 54),
    "farmland": (164, 154, 102),
    "sand": (206, 192, 152),
    "rock": (148, 142, 136),
    "wetland": (112, 122, 78),
    "residential": (128, 142, 94),
    "commercial": (164, 160, 154),
    "industrial": (146, 142, 136),
    "institution": (140, 148, 108),
    "cemetery": (110, 136, 80),
    "pitch": (96, 148, 82),
    "plaza": (186, 178, 166),
    "parking": (112, 112, 114),
    "sidewalk": (178, 174, 166),
    "road": (92, 92, 96),
    "path": (168, 162, 150),
    "rail": (122, 110, 100),
    "runway": (104, 104, 108),
    "building": (160, 156, 150),
}
# Walls, each as often as it stands here: brick, painted wood, stone, concrete.
_WALLS: tuple[tuple[int, int, int], ...] = (
    *((150, 78, 62), (136, 72, 60), (164, 92, 72), (122, 66, 56), (172, 110, 86), (144, 88, 70)),
    *((214, 210, 200), (196, 204, 206), (206, 196, 168), (176, 188, 176), (188, 182, 172), (222, 214, 190)),
    *((132, 150, 164), (168, 156, 132), (150, 162, 144), (194, 170, 140), (116, 128, 140), (206, 188, 184)),
    *((190, 182, 166), (166, 160, 150), (148, 146, 144), (178, 172, 164)),
)


@dataclass(frozen=True)
class Pose:
    """A level camera.

    Attributes:
        lat: Degrees.
        lon: Degrees.
        heading_deg: Middle of the picture, clockwise from north.
        fov_deg: Width of the picture, in (0, 170).
        eye_m: Height above the ground.
    """

    lat: float
    lon: float
    heading_deg: float
    fov_deg: float = FOV_DEG
    eye_m: float = EYE_M

    def __post_init__(self) -> None:
        geo.as_latlon((self.lat, self.lon))
        if not (np.isfinite(self.heading_deg) and 0 < self.fov_deg <= 170 and 0 < self.eye_m < 100):
            raise InputError(f"{self} is no camera: the field of view lies in (0, 170] degrees, the eye above ground.")


@dataclass(frozen=True)
class StreetScene:
    """A city, or a crop of one, ready to be seen from the street.

    Attributes:
        grid: Where its pixels are.
        scene: The rasters as the rays read them, 5 bytes a pixel.
    """

    grid: CityGrid
    scene: Scene

    @classmethod
    def of(cls, rasters: CityRasters, whole: CityGrid | None = None) -> StreetScene:
        """Prepare rasters; heights are rounded to decimetres, so that stored ones give the same views.

        Args:
            rasters: A city or, with ``whole``, a crop of one that starts where blocks of the whole do.
            whole: Grid of the whole city. Bays of walls and specks of lawns are counted from its corner, so that a
                crop that is told of it gives the same views as the whole; memory is used where the crop lies.
        """
        grid = rasters.grid if whole is None else whole
        height = np.nan_to_num(rasters.height_m, nan=0.0)
        height_dm = np.clip(np.rint(height * np.float32(10)), 0, 65_535).astype(np.uint16)
        ground = rasters.land | np.where(rasters.tree, TREE_BIT, 0).astype(np.uint8)
        code = np.where(height_dm > 0, rasters.building_id, 0).astype(np.uint8)
        px_m, block = float(grid.ground_px_m), BLOCK_PX
        crest_m = np.empty(height_dm.shape, np.uint8)
        block_m = np.zeros((-(-rasters.grid.height // block), -(-rasters.grid.width // block)), np.uint8)
        prepare(height_dm, code, ground, px_m, crest_m, block_m)
        if whole is not None:
            col, row = np.rint(whole.to_pixel((rasters.grid.west_m, rasters.grid.north_m))).astype(int).tolist()
            size = (whole.height, whole.width)
            blocks = (-(-whole.height // block), -(-whole.width // block))
            height_dm, crest_m, code, ground = (
                _placed(layer, size, row, col) for layer in (height_dm, crest_m, code, ground)
            )
            block_m = _placed(block_m, blocks, row // block, col // block)
        ground_rgb = np.array([GROUND_RGB[name] for name in LAND_CLASSES], np.float32)
        scene = Scene(
            height_dm,
            crest_m,
            code,
            ground,
            block_m,
            _wall_colors(),
            ground_rgb,
            _sky(),
            px_m,
            float(height_dm.max(initial=0)) / 10,
        )
        return cls(grid, scene)

    def view(self, pose: Pose, width: int = 224, height: int = 160) -> Views:
        """Draw one view, (3, height, width) uint8.

        Raises:
            InputError: The pose lies outside the scene.
        """
        drawn: Views = self.views([(pose.lat, pose.lon)], [pose.heading_deg], width, height, pose.fov_deg, pose.eye_m)[
            0
        ]
        return drawn

    def views(
        self,
        latlon: ArrayLike,
        headings_deg: ArrayLike,
        width: int = 224,
        height: int = 160,
        fov_deg: float = FOV_DEG,
        eye_m: float = EYE_M,
    ) -> Views:
        """Draw views or panoramas.

        Args:
            latlon: (n, 2) degrees.
            headings_deg: (n,) or (n, k) degrees clockwise from north; k headings of a spot stand side by side.
            width: Columns of each heading.
            height: Rows.
            fov_deg: Width of each heading in degrees.
            eye_m: Height of the camera above the ground.

        Returns:
            (n, 3, height, k * width) uint8. A row does not depend on the others.

        Raises:
            InputError: A spot lies outside the scene, or the shapes do not fit.
        """
        points = geo.as_latlon(latlon)
        headings = np.asarray(headings_deg, dtype=np.float64)
        headings = headings[:, None] if headings.ndim == 1 else headings
        if headings.ndim != 2 or len(headings) != len(points) or headings.shape[1] == 0:
            raise InputError(f"{len(points)} spots need headings of shape (n,) or (n, k); these have {headings.shape}.")
        spots = self.grid.latlon_to_pixel(points)
        outside = np.flatnonzero(((spots < 1) | (spots >= np.array([self.grid.width, self.grid.height]) - 1)).any(1))
        if len(outside):
            lat, lon = points[outside[0]]
            raise InputError(
                f"Row {outside[0]}: ({lat:.5f}, {lon:.5f}) lies outside this city; it covers {self._where()}."
            )
        focal_px = width / 2 / np.tan(np.radians(fov_deg) / 2)
        out = np.empty((len(points), 3, height, headings.shape[1] * width), np.uint8)
        strips = [
            (
                self.scene,
                Camera(*map(float, (*spot, turn, eye_m, focal_px, HORIZON * height))),
                out[row, :, :, place * width : (place + 1) * width],
                begin,
                min(begin + _STRIP_PX, width),
            )
            for row, (spot, turns) in enumerate(zip(spots, np.radians(headings), strict=True))
            for place, turn in enumerate(turns)
            for begin in range(0, width, _STRIP_PX)
        ]
        _draw_on_all_threads(strips)
        return out

    def _where(self) -> str:
        south, west, north, east = self.grid.bounds_deg
        return f"latitudes {south:.4f} to {north:.4f}, longitudes {west:.4f} to {east:.4f}"


def _draw_on_all_threads(strips: list[tuple[Any, ...]]) -> None:
    """Draw strips of views, given as `raycast.draw_columns` takes them; whichever thread is free takes the next one."""
    left = iter(strips)  # safe to share: a list's iterator moves on under the interpreter's lock
    others = [_pool().submit(_draw, left) for _ in range(min(_THREADS, len(strips)) - 1)]
    try:
        _draw(left)
    finally:
        for other in others:
            other.result()


def _draw(strips: Iterator[tuple[Any, ...]]) -> None:
    for strip in strips:
        draw_columns(*strip)


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, "street-views")


def _placed(layer: NDArray[Any], size: tuple[int, int], row: int, col: int) -> NDArray[Any]:
    """A crop where it lies in an array of zeros of the size of the whole; pages of zeros take no memory."""
    out = np.zeros(size, layer.dtype)
    out[row : row + layer.shape[0], col : col + layer.shape[1]] = layer
    return out


def panorama_headings(heading_deg: ArrayLike, count: int = 4) -> NDArray[np.float64]:
    """The headings of panoramas, (n,) degrees -> (n, count): turning right from the given ones in equal steps."""
    first = np.atleast_1d(np.asarray(heading_deg, dtype=np.float64))
    return (first[:, None] + np.arange(count) * 360.0 / count) % 360.0


def _wall_colors() -> NDArray[np.float32]:
    """Colour of each façade code, (256, 3)."""
    colors = np.empty((256, 3), np.float32)
    for code in range(256):
        tagged = tagged_color(code)
        mixed = code * 2654435761 % 2**32
        base = np.array(_WALLS[(mixed >> 8) % len(_WALLS)], np.float32)
        lighter = 0.92 + 0.16 * ((mixed >> 20) % 64) / 63
        if tagged:  # paint in the sun is paler than its name
            color = np.array(tagged, np.float32)
            colors[code] = 0.55 * color + 0.25 * color.mean() + 30
        else:
            colors[code] = base * lighter
    np.clip(colors, 0, 250, out=colors)
    return colors


def _sky() -> NDArray[np.float32]:
    """The sky by azimuth and elevation (equal steps of its tangent): brighter to the sun, a few thin clouds."""
    tangent = (np.arange(SKY_ELEVATIONS) + 0.5) / SKY_ELEVATIONS * SKY_MAX_TAN
    azimuth = (np.arange(SKY_AZIMUTHS) + 0.5) / SKY_AZIMUTHS * 2 * np.pi
    elevation = np.arctan(tangent)[:, None]
    sun, height = np.radians(SUN_AZIMUTH_DEG), np.radians(SUN_ELEVATION_DEG)
    to_sun = np.sin(elevation) * np.sin(height) + np.cos(elevation) * np.cos(height) * np.cos(azimuth - sun)
    zenith, low = np.array([112.0, 156.0, 208.0]), np.array([208.0, 219.0, 230.0])
    rise = np.clip(np.sin(elevation), 0, 1) ** 0.55
    sky = low + (zenith - low) * rise[..., None]
    sky = sky + (np.clip(to_sun, 0, 1) ** 12)[..., None] * np.array([60.0, 48.0, 26.0])
    # A layer of cloud as a sum of waves on the plane where it floats: smooth, without a seam, the same everywhere.
    east, north = np.sin(azimuth) / (tangent[:, None] + 0.12), np.cos(azimuth) / (tangent[:, None] + 0.12)
    layer = np.zeros_like(east)
    for step, (size, weight) in enumerate(((1.1, 1.0), (2.3, 0.6), (4.7, 0.4), (9.1, 0.25))):
        layer += weight * np.sin(size * east + 1.7 * step) * np.sin(size * 0.8 * north + 0.6 * east + step)
    cloud = np.clip(layer - 0.35, 0, 1) * np.clip(tangent[:, None] * 6, 0, 1) * 0.7
    sky = sky + (246.0 - sky) * cloud[..., None]
    # A column of a picture looks along one azimuth: its colours lie side by side.
    table: NDArray[np.float32] = np.ascontiguousarray(np.clip(sky, 0, 255).astype(np.float32).transpose(1, 0, 2))
    return table


def view_poses(layers: CityLayers, grid: CityGrid, rasters: CityRasters | None = None) -> pd.DataFrame:
    """Poses along the roads and paths of a city.

    Roads have views every `SPACING_M` on the right-hand side of the road, looking along it, one way or the other by a
    hash of the position. Paths are added where no road is near.

    Args:
        layers: The vector map.
        grid: Views keep `MARGIN_M` from its edges.
        rasters: If given, poses in buildings, and in water off bridges, are left out.

    Returns:
        A table with the columns lat, lon (degrees), heading_deg (whole degrees), road_class and street (its name or
        empty), in an order that depends on the map alone.
    """
    roads = _roads(layers)
    meter = 1 / grid.ground_per_mercator  # mercator metres per metre
    found = [_along(roads, name, meter) for name in SPACING_M]
    table = pd.concat(found, ignore_index=True)
    xy = table[["x", "y"]].to_numpy(np.float64)
    left, lower, right, upper = grid.bounds_m
    margin = MARGIN_M * meter
    keep = (xy[:, 0] > left + margin) & (xy[:, 0] < right - margin)
    keep &= (xy[:, 1] > lower + margin) & (xy[:, 1] < upper - margin)
    table, xy = table[keep], xy[keep]
    keep = _apart(xy, (table["road_class"] == "path").to_numpy(), _PATH_CLEARANCE_M * meter)
    if rasters is not None and len(xy):
        keep &= _free(xy, table["bridge"].to_numpy(), rasters)
    table, xy = table[keep].reset_index(drop=True), xy[keep]
    latlon = np.round(geo.inverse_web_mercator(xy), 6)  # a tenth of a metre
    return pd.DataFrame(
        {
            "lat": latlon[:, 0],
            "lon": latlon[:, 1],
            "heading_deg": table["heading_deg"].to_numpy(np.int16),
            "road_class": table["road_class"].astype(str),
            "street": _street_names(xy, layers, 25.0 * meter),
        }
    )


def _roads(layers: CityLayers) -> gpd.GeoDataFrame:
    """Lines a camera may stand on, in one piece across the edges of tiles: class, bridge, geometry."""
    roads = layers["transportation"]
    roads = roads[roads["class"].isin(SPACING_M) & (roads["brunnel"] != "tunnel")]
    roads = roads[~roads["service"].isin(_PRIVATE_WAYS) & ~roads["subclass"].isin(_NO_WAYS_FOR_VIEWS)]
    pieces = []
    for (name, bridge), group in roads.groupby([roads["class"], roads["brunnel"] == "bridge"], sort=True):
        lines = shapely.get_parts(group.geometry.to_numpy())
        merged = shapely.line_merge(shapely.multilinestrings(lines[shapely.get_type_id(lines) == _LINE]))
        parts = [part for part in shapely.get_parts(merged) if part.geom_type == "LineString"]
        pieces.append(gpd.GeoDataFrame({"class": name, "bridge": bridge}, geometry=parts, index=range(len(parts))))
    if not pieces:
        return gpd.GeoDataFrame({"class": [], "bridge": []}, geometry=[])
    return pd.concat(pieces, ignore_index=True)


def _along(roads: gpd.GeoDataFrame, name: str, meter: float) -> pd.DataFrame:
    """Positions and headings along the roads of one class."""
    chosen = roads[roads["class"] == name]
    spacing = SPACING_M[name] * meter
    lines = chosen.geometry.to_numpy()
    lengths = shapely.length(lines)
    counts = np.where(lengths > spacing / 3, np.maximum(1, np.rint(lengths / spacing)), 0).astype(np.int64)
    line = np.repeat(np.arange(len(lines)), counts)
    nth = np.arange(len(line)) - np.repeat(np.cumsum(counts) - counts, counts)
    at = (nth + 0.5) * (lengths / np.maximum(counts, 1))[line]
    reach = np.minimum(3.0 * meter, lengths[line] / 4)  # the direction is that of six metres of road
    spot, back, ahead = (shapely.get_coordinates(shapely.line_interpolate_point(lines[line], d)) for d in
                         (at, at - reach, at + reach))  # fmt: skip
    forward = ahead - back
    forward /= np.maximum(np.linalg.norm(forward, axis=1, keepdims=True), 1e-9)
    forward = np.where((hash_points(spot, salt=31) % 2 == 0)[:, None], forward, -forward)
    right = np.stack([forward[:, 1], -forward[:, 0]], axis=1)
    aside = 0.0 if name in ("path", "pedestrian", "track") else ROAD_WIDTH_M[name] / 4 * meter
    spot = spot + right * aside
    heading = np.rint(np.degrees(np.arctan2(forward[:, 0], forward[:, 1]))) % 360
    bridge = chosen["bridge"].to_numpy(np.bool_)[line]
    return pd.DataFrame(
        {"x": spot[:, 0], "y": spot[:, 1], "heading_deg": heading, "road_class": name, "bridge": bridge}
    )


def _apart(xy: NDArray[np.float64], is_path: NDArray[np.bool_], clearance: float) -> NDArray[np.bool_]:
    """Which positions to keep: paths beside roads, and positions on top of one another, go."""
    keep = np.ones(len(xy), dtype=np.bool_)
    roads = shapely.STRtree(shapely.points(xy[~is_path]))
    near = roads.query(shapely.points(xy[is_path]), predicate="dwithin", distance=clearance)
    keep[np.flatnonzero(is_path)[np.unique(near[0])]] = False
    # Lanes of a divided road and merged pieces: of two views within a third of the clearance the first stays.
    every = shapely.STRtree(shapely.points(xy))
    one, other = every.query(shapely.points(xy), predicate="dwithin", distance=clearance / 3)
    keep[np.unique(one[other < one])] = False
    return keep


def _free(xy: NDArray[np.float64], bridge: NDArray[np.bool_], rasters: CityRasters) -> NDArray[np.bool_]:
    """Whether positions lie outside buildings, and on land or a bridge."""
    pixel = rasters.grid.to_pixel(xy).astype(np.int64)
    col = np.clip(pixel[:, 0], 0, rasters.grid.width - 1)
    row = np.clip(pixel[:, 1], 0, rasters.grid.height - 1)
    free: NDArray[np.bool_] = (rasters.building_id[row, col] == 0) & (
        bridge | (rasters.land[row, col] != LAND["water"])
    )
    return free


def _street_names(xy: NDArray[np.float64], layers: CityLayers, reach: float) -> list[str]:
    """Name of the nearest named road within reach of each position (mercator metres), or an empty text."""
    named = layers["transportation_name"]
    named = named[named["name"].notna()]
    names = [""] * len(xy)
    if named.empty or not len(xy):
        return names
    tree = shapely.STRtree(named.geometry.to_numpy())
    position, line = tree.query_nearest(shapely.points(xy), max_distance=reach, all_matches=False)
    words = named["name"].to_numpy()
    for at, row in zip(position, line, strict=True):
        names[at] = str(words[row])
    return names
