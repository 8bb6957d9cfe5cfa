"""The aerial picture of a city, drawn from its map: an orthophoto on a clear morning, seen straight from above.

It is painted at twice the resolution and averaged, so that roofs, kerbs and markings have clean edges. What varies
without a reason in the map (roof colours, mottled grass, parked cars) comes from hashes of positions and the seed; no
other modality uses them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely
from scipy import ndimage

from unigeoclip.city.city_model import WAY_KINDS, CityModel, paint_land
from unigeoclip.city.jit import compiled_strictly
from unigeoclip.city.layers import LAND, LAND_CLASSES, ROAD_WIDTH_M, CityGrid, CityRasters
from unigeoclip.city.noise import hash_pixel, hash_points, mottle
from unigeoclip.city.trees import paint_crowns

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

FINE = 2  # painted pixels per pixel of the picture, each way
SUN_AZIMUTH_DEG = 148.0  # south-east by south; mirrored on the southern hemisphere
SUN_ELEVATION_DEG = 47.0
_LONGEST_SHADOW_M = 280.0
_BLOCK_PX = 640
_SHORE_M = 70.0

# Land class -> red, green, blue; strength of the slow and of the fine mottling. Summer, dry air.
_COLORS: dict[str, tuple[float, float, float, float, float]] = {
    "unknown": (131, 132, 104, 14, 3.6),
    "water": (43, 63, 72, 3, 0.9),
    "grass": (108, 124, 74, 17, 3.6),
    "park": (101, 120, 70, 17, 3.6),
    "wood": (58, 76, 46, 10, 4.8),
    "farmland": (139, 139, 92, 16, 3),
    "sand": (203, 189, 157, 8, 2.4),
    "rock": (146, 141, 133, 12, 4.8),
    "wetland": (94, 101, 71, 18, 4.2),
    "residential": (113, 123, 84, 14, 4.2),
    "commercial": (139, 137, 132, 8, 3),
    "industrial": (140, 137, 132, 11, 3.6),
    "institution": (121, 129, 94, 14, 3.6),
    "cemetery": (104, 120, 76, 12, 5.4),
    "pitch": (93, 128, 70, 6, 1.8),
    "plaza": (166, 160, 150, 6, 3),
    "parking": (118, 118, 118, 6, 2.4),
    "road": (112, 112, 112, 6, 1.8),
    "path": (164, 155, 137, 7, 3),
    "rail": (118, 109, 100, 6, 4.2),
    "runway": (126, 127, 128, 7, 1.8),
    "building": (140, 140, 140, 5, 2.4),
    "sidewalk": (160, 157, 150, 6, 3),
}
_PAVED_YARD = (147.0, 142.0, 133.0)
_SHALLOW = (70.0, 87.0, 84.0)
# Kind of way -> grey of its surface; small streets are older and lighter.
_ASPHALT = {"motorway": 121, "trunk": 116, "primary": 108, "secondary": 107, "tertiary": 111, "minor": 118,
            "service": 128, "pedestrian": 158, "busway": 120, "raceway": 100}  # fmt: skip

# Roofs of houses (pitched: shingle, slate, tile) and of large buildings (flat: gravel, membrane, metal, green).
_PITCHED = np.array([
    [92, 88, 85], [110, 103, 97], [124, 108, 96], [82, 80, 80], [137, 126, 116], [121, 86, 71], [140, 92, 72],
    [104, 96, 90],
], dtype=np.float32)  # fmt: skip
_FLAT = np.array([
    [171, 168, 163], [142, 139, 135], [198, 196, 191], [118, 115, 112], [158, 148, 136], [183, 176, 164],
    [216, 215, 212], [132, 124, 115], [101, 100, 100], [126, 133, 102],
], dtype=np.float32)  # fmt: skip
_CARS = np.array(
    [[222, 222, 222], [40, 42, 46], [120, 122, 126], [168, 170, 173], [96, 36, 34], [46, 62, 92]], np.float32
)


class _Roofs(NamedTuple):
    """One row for each building; row 0 is none. Lengths in mercator metres, or in painted pixels for the kernels."""

    color: NDArray[np.float32]  # (b + 1, 3)
    shape: NDArray[np.uint8]  # 0 flat, 1 gabled, 2 hipped
    frame: NDArray[np.float64]  # (b + 1, 6): centre x, y; long axis x, y; half length, half width
    tone: NDArray[np.uint32]  # hash for details on flat roofs


class _Layers(NamedTuple):
    """What is painted, pixel by pixel, (h, w) each."""

    land: NDArray[np.uint8]
    way: NDArray[np.int16]  # row of `WAY_KINDS`, -1 where there is none
    across_m: NDArray[np.float32]  # from the middle of the way
    along_m: NDArray[np.float32]  # along the way
    row_of: NDArray[np.int32]  # of the building, 0 where there is none
    crown: NDArray[np.float32]  # brightness of a tree, 0 where there is none
    shade: NDArray[np.float32]  # depth of the shadow, 0 to 1
    density: NDArray[np.float32]  # share of built ground around
    open_water: NDArray[np.float32]  # share of water around


class _Setting(NamedTuple):
    """What is the same for all painted pixels of a block."""

    origin: NDArray[np.int64]  # column and row of the first one in the whole picture
    seed: int
    px_m: float  # metres on the ground
    sun: NDArray[np.float64]


class _Spot(NamedTuple):
    """A painted pixel: its column and row in the whole picture, and smooth noise there, -1 to 1."""

    x: int
    y: int
    slow: float
    fine: float


class AerialPainter:
    """Paints any rows of the aerial picture; the same rows and seed always give the same pixels.

    Args:
        model: The city.
        rasters: Its rasters, of the same grid as the picture.
        building: The building layer that the model was made of.
        seed: Of roof colours, textures and cars.
    """

    def __init__(self, model: CityModel, rasters: CityRasters, building: gpd.GeoDataFrame, seed: int = 0) -> None:
        """Colour the roofs and find out how near the shore each water pixel is."""
        self.model = model
        self.grid = rasters.grid
        self._heights = rasters.height_m
        self._seed = seed
        self._roofs = _color_roofs(building, model, self.grid, seed)
        size = max(3, round(_SHORE_M / self.grid.ground_px_m))
        water = (rasters.land == LAND["water"]).astype(np.float32)
        self._open_water = ndimage.uniform_filter(water, size, mode="nearest")
        self._south = self.grid.bounds_deg[2] < 0

    def rows(self, first: int, last: int) -> NDArray[np.uint8]:
        """Rows ``first`` up to, not including, ``last`` of the picture: (rows, width, 3) uint8."""
        out = np.empty((last - first, self.grid.width, 3), np.uint8)
        for row in range(first, last, _BLOCK_PX):
            for col in range(0, self.grid.width, _BLOCK_PX):
                below, right = min(row + _BLOCK_PX, last), min(col + _BLOCK_PX, self.grid.width)
                out[row - first : below - first, col:right] = self._block(row, below, col, right)
        return out

    def _block(self, top: int, below: int, left: int, right: int) -> NDArray[np.uint8]:
        """One block, painted with a margin wide enough for shadows that fall into it."""
        grid, reach = self.grid, math.ceil(_LONGEST_SHADOW_M / self.grid.ground_px_m)
        r0, r1 = max(0, top - reach), min(grid.height, below + reach)
        c0, c1 = max(0, left - reach), min(grid.width, right + reach)
        tallest = float(self._heights[r0:r1, c0:c1].max(initial=0.0))
        shadow_m = min(_LONGEST_SHADOW_M, tallest / math.tan(math.radians(SUN_ELEVATION_DEG)))
        margin = math.ceil(shadow_m / grid.ground_px_m) + 4
        r0, r1 = max(0, top - margin), min(grid.height, below + margin)
        c0, c1 = max(0, left - margin), min(grid.width, right + margin)
        fine = CityGrid(
            grid.west_m + c0 * grid.px_m, grid.north_m - r0 * grid.px_m, grid.px_m / FINE,
            (c1 - c0) * FINE, (r1 - r0) * FINE,
        )  # fmt: skip
        coarse = (slice(r0, r1), slice(c0, c1))
        painted = self._paint(fine, _finer(self.model.density[coarse]), _finer(self._open_water[coarse]), (r0, c0))
        inner = painted[(top - r0) * FINE : (below - r0) * FINE, (left - c0) * FINE : (right - c0) * FINE]
        rows, cols = below - top, right - left
        mean = inner.reshape(rows, FINE, cols, FINE, 3).mean(axis=(1, 3))
        block: NDArray[np.uint8] = np.clip(mean + 0.5, 0, 255).astype(np.uint8)
        return block

    def _paint(
        self, fine: CityGrid, density: NDArray[np.float32], open_water: NDArray[np.float32], corner: tuple[int, int]
    ) -> NDArray[np.float32]:
        """The picture (h, w, 3) at the painted resolution."""
        land = paint_land(self.model, fine, density)
        across, along = np.zeros(fine.shape, np.float32), np.zeros(fine.shape, np.float32)
        way = np.full(fine.shape, -1, np.int16)
        self.model.ways.paint_with_position(fine, way, across, along)
        row_of = np.zeros(fine.shape, np.int32)
        self.model.footprints.paint(fine, row_of)
        height = np.concatenate([[np.float32(0)], self.model.building_height_m])[row_of].astype(np.float32)
        crown = np.zeros(fine.shape, np.float32)
        self._plant(fine, row_of, height, crown)
        ground = fine.ground_per_mercator
        shade = _shadows(height, fine.ground_px_m, self._south)
        layers = _Layers(land, way, across * ground, along * ground, row_of, crown, shade, density, open_water)
        frame = self._roofs.frame.copy()
        frame[:, :2] = fine.to_pixel(frame[:, :2]) - 0.5
        frame[:, 4:] /= fine.px_m
        out = np.empty((*fine.shape, 3), np.float32)
        origin = np.array([corner[1] * FINE, corner[0] * FINE], np.int64)
        setting = _Setting(origin, self._seed, fine.ground_px_m, _sun(self._south))
        _color(layers, self._roofs._replace(frame=frame), setting, out)
        return out

    def _plant(
        self, fine: CityGrid, row_of: NDArray[np.int32], height: NDArray[np.float32], crown: NDArray[np.float32]
    ) -> None:
        """Paint the trees: raise the heights (h, w), and set ``crown`` to their brightness."""
        trees = self.model.trees
        pixel = fine.to_pixel(trees.xy_m) - 0.5
        radius = trees.radius_m.astype(np.float64) / fine.ground_px_m
        near = fine.touched_by(pixel, radius)
        tone = hash_points(trees.xy_m[near], salt=51 + 1000 * self._seed) / 2**32
        sun = _sun(self._south)
        paint_crowns(pixel[near], radius[near], trees.height_m[near], row_of, 0.3 * tone, sun, height, crown)


def _finer(array: NDArray[np.float32]) -> NDArray[np.float32]:
    return array.repeat(FINE, axis=0).repeat(FINE, axis=1)


def _sun(south: bool) -> NDArray[np.float64]:
    """Unit vector to the sun in the plane of the picture: to the right, down."""
    azimuth = math.radians(180.0 - SUN_AZIMUTH_DEG if south else SUN_AZIMUTH_DEG)
    return np.array([math.sin(azimuth), -math.cos(azimuth)])


def _color_roofs(building: gpd.GeoDataFrame, model: CityModel, grid: CityGrid, seed: int) -> _Roofs:
    count = len(building)
    color, shape = np.zeros((count + 1, 3), np.float32), np.zeros(count + 1, np.uint8)
    frame, tone = np.zeros((count + 1, 6)), np.zeros(count + 1, np.uint32)
    if not count:
        return _Roofs(color, shape, frame, tone)
    geometry: NDArray[Any] = building.geometry.to_numpy()
    center = shapely.get_coordinates(shapely.centroid(geometry))
    draws = [hash_points(center, salt=salt + 1000 * seed) for salt in (41, 42, 43)]
    box = shapely.oriented_envelope(geometry)
    corners = np.zeros((count, 3, 2))
    is_box = shapely.get_type_id(box) == 3
    corners[is_box] = shapely.get_coordinates(box[is_box]).reshape(-1, 5, 2)[:, :3]
    sides = np.diff(corners, axis=1)  # two neighbouring sides of the rectangle
    length = np.hypot(sides[..., 0], sides[..., 1])
    longer = length.argmax(axis=1)
    every = np.arange(count)
    axis = sides[every, longer] / np.maximum(length[every, longer], 1e-9)[:, None]
    frame[1:, :2] = (corners[:, 0] + corners[:, 2]) / 2
    frame[1:, 2], frame[1:, 3] = axis[:, 0], -axis[:, 1]  # rows count downward
    frame[1:, 4], frame[1:, 5] = length.max(axis=1) / 2, length.min(axis=1) / 2

    area = shapely.area(geometry)
    filled = area / np.maximum(length.prod(axis=1), 1e-9)
    area_m2 = area * grid.ground_per_mercator**2
    pitched = (area_m2 < 420) & (filled > 0.68) & (model.building_height_m < 15) & (draws[2] % 100 < 86)
    shape[1:] = np.where(pitched, np.where(draws[2] % 7 < 2, 2, 1), 0)
    kind_of_roof = draws[0] % 97
    # One roofing material is common in a neighbourhood: half of the houses share it.
    block = hash_points(np.floor(center / 350.0) * 350.0, salt=44 + 1000 * seed)
    pick = np.where(draws[1] % 2 == 0, block, kind_of_roof)
    color[1:] = np.where(pitched[:, None], _PITCHED[pick % len(_PITCHED)], _FLAT[kind_of_roof % len(_FLAT)])
    color[1:] *= 0.9 + 0.2 * ((draws[1] >> 8) % 256 / 255.0)[:, None].astype(np.float32)
    tone[1:] = draws[2]
    return _Roofs(color, shape, frame, tone)


def _shadows(height: NDArray[np.float32], px_m: float, south: bool) -> NDArray[np.float32]:
    """How deep in shadow each pixel is (h, w), 0 to 1."""
    azimuth, rise = math.radians(SUN_AZIMUTH_DEG), math.tan(math.radians(SUN_ELEVATION_DEG))
    to_sun_rows = -math.cos(azimuth)
    shift, drop = math.sin(azimuth) / to_sun_rows, px_m / to_sun_rows * rise
    heights = height[::-1] if south else height
    shade = np.zeros(height.shape, np.float32)
    _cast(np.ascontiguousarray(heights), shift, drop, shade)
    return shade[::-1].copy() if south else shade


@compiled_strictly
def _cast(
    height: NDArray[np.float32], shift: float, drop: float, shade: NDArray[np.float32]
) -> None:  # pragma: no cover - compiled
    """Carry the ceiling of the shadow from row to row away from the sun; it sinks by ``drop`` with each."""
    rows, cols = height.shape
    ceiling = height[rows - 1].astype(np.float64)
    whole = int(shift)
    part = shift - whole
    for row in range(rows - 2, -1, -1):
        new = np.empty(cols)
        for col in range(cols):
            a, b = min(col + whole, cols - 1), min(col + whole + 1, cols - 1)
            under = (1 - part) * ceiling[a] + part * ceiling[b] - drop
            own = height[row, col]
            shade[row, col] = min(1.0, max(0.0, (under - own) / 0.9))
            new[col] = max(under, own)
        ceiling = new


_WATER, _ROAD, _RAIL, _PITCH = LAND["water"], LAND["road"], LAND["rail"], LAND["pitch"]
_MIXED = np.array([name in ("residential", "institution", "unknown") for name in LAND_CLASSES])
_TABLE = np.array([_COLORS[name] for name in LAND_CLASSES], dtype=np.float64)
_YARD, _SHORE_COLOR = np.array(_PAVED_YARD), np.array(_SHALLOW)
_GRAY = np.array([_ASPHALT.get(kind, 0) for kind in WAY_KINDS], dtype=np.float64)
_HALF_M = np.array([ROAD_WIDTH_M.get(kind, 4.0) / 2 for kind in WAY_KINDS])
_MARKED = np.array(
    [{"motorway": 2, "trunk": 2, "primary": 1, "secondary": 1, "tertiary": 1}.get(k, 0) for k in WAY_KINDS]
)
_PARKED = np.array([kind in ("minor", "tertiary") for kind in WAY_KINDS])


@compiled_strictly
def _color(
    layers: _Layers, roofs: _Roofs, setting: _Setting, out: NDArray[np.float32]
) -> None:  # pragma: no cover - compiled
    """Fill ``out`` (h, w, 3) with red, green and blue, 0 to 255."""
    rows, cols = layers.land.shape
    rgb = np.empty(3)
    for row in range(rows):
        for col in range(cols):
            x, y = setting.origin[0] + col, setting.origin[1] + row
            slow = mottle(x, y, 26.0 / setting.px_m, setting.seed + 1)
            spot = _Spot(x, y, slow, mottle(x, y, 5.0 / setting.px_m, setting.seed + 2))
            is_roof = layers.row_of[row, col] > 0
            if is_roof:
                _color_roof(layers, roofs, setting, row, col, spot.fine, rgb)
            else:
                _color_ground(layers, setting, row, col, spot, rgb)
                if layers.way[row, col] >= 0 and layers.land[row, col] in (_ROAD, _RAIL):
                    _color_way(layers, setting, row, col, spot, rgb)
            if layers.crown[row, col] > 0 and not is_roof:
                leaf = layers.crown[row, col] + 0.06 * spot.fine
                rgb[0], rgb[1], rgb[2] = (66 + 8 * slow) * leaf, (86 + 5 * slow) * leaf, 52 * leaf
            dark = layers.shade[row, col]
            out[row, col, 0] = rgb[0] * (1 - 0.52 * dark)
            out[row, col, 1] = rgb[1] * (1 - 0.49 * dark)
            out[row, col, 2] = rgb[2] * (1 - 0.40 * dark)


@compiled_strictly
def _color_ground(
    layers: _Layers, setting: _Setting, row: int, col: int, spot: _Spot, rgb: NDArray[np.float64]
) -> None:  # pragma: no cover - compiled
    kind = layers.land[row, col]
    for k in range(3):
        rgb[k] = _TABLE[kind, k]
    amount = _TABLE[kind, 3] * spot.slow + _TABLE[kind, 4] * spot.fine
    if kind == _WATER:
        depth = min(1.0, max(0.0, layers.open_water[row, col] * 1.15 - 0.1))
        for k in range(3):
            rgb[k] = _SHORE_COLOR[k] + (rgb[k] - _SHORE_COLOR[k]) * depth + amount
        return
    if _MIXED[kind]:  # yards: lawns, drives and terraces, the more paved the denser
        patches = mottle(spot.x, spot.y, 8.0 / setting.px_m, setting.seed + 3)
        paved = (layers.density[row, col] - 0.12) / 0.35 + 0.45 * patches
        paved = min(1.0, max(0.0, 0.5 + 2.5 * (paved - 0.5)))
        for k in range(3):
            rgb[k] += (_YARD[k] - rgb[k]) * paved
        amount *= 1 - 0.4 * paved
    if kind == _PITCH:  # mown in stripes
        amount += 4.0 if int(np.floor((spot.x + spot.y) * setting.px_m / 9.0)) % 2 == 0 else -4.0
    rgb[0] += amount
    rgb[1] += 0.8 * amount
    rgb[2] += 0.7 * amount


@compiled_strictly
def _color_way(
    layers: _Layers, setting: _Setting, row: int, col: int, spot: _Spot, rgb: NDArray[np.float64]
) -> None:  # pragma: no cover - compiled
    w, across, along = layers.way[row, col], layers.across_m[row, col], layers.along_m[row, col]
    gray = _GRAY[w]
    if gray == 0:  # rails: two dark lines on ballast
        if w < 2 and 0.3 < across < 1.1:
            for k in range(3):
                rgb[k] -= 26
        return
    gray += 6 * spot.slow + 3 * spot.fine
    rgb[0], rgb[1], rgb[2] = gray, gray, gray - 1
    half = _HALF_M[w]
    if _MARKED[w] == 1 and across < 0.5:
        line = 46.0
        rgb[0], rgb[1], rgb[2] = rgb[0] + line, rgb[1] + 0.8 * line, rgb[2] + 0.25 * line
    elif _MARKED[w] == 2 and (abs(across - (half - 1.2)) < 0.45 or (abs(across - 1.85) < 0.45 and along % 12.0 < 4.5)):
        for k in range(3):
            rgb[k] += 44
    if _PARKED[w] and layers.density[row, col] > 0.1 and half - 2.3 < across < half - 0.2:
        slot = int(np.floor(along / 6.0))
        quarter = int(np.floor(spot.x / 400)) * 7919 + int(np.floor(spot.y / 400))
        draw = hash_pixel(slot, quarter, setting.seed + 7)
        if draw < 0.4 and 0.7 < along % 6.0 < 5.2:
            car = int(draw * 1000) % len(_CARS)
            for k in range(3):
                rgb[k] = _CARS[car, k]


@compiled_strictly
def _color_roof(
    layers: _Layers, roofs: _Roofs, setting: _Setting, row: int, col: int, fine: float, rgb: NDArray[np.float64]
) -> None:  # pragma: no cover - compiled
    row_of, frame, sun, px_m = layers.row_of, roofs.frame, setting.sun, setting.px_m
    rows, cols = row_of.shape
    b = row_of[row, col]
    dx, dy = col - frame[b, 0], row - frame[b, 1]
    u, v = dx * frame[b, 2] + dy * frame[b, 3], -dx * frame[b, 3] + dy * frame[b, 2]
    light = 1.0 + 0.02 * fine
    if roofs.shape[b] > 0:
        side = 1.0 if v > 0 else -1.0
        nx, ny = -frame[b, 3] * side, frame[b, 2] * side  # where this half of the roof looks to
        if roofs.shape[b] == 2 and frame[b, 4] - abs(u) < frame[b, 5] - abs(v):
            side = 1.0 if u > 0 else -1.0
            nx, ny = frame[b, 2] * side, frame[b, 3] * side
        light *= 1.0 + 0.24 * (nx * sun[0] + ny * sun[1])
        if abs(v) * px_m < 0.5 and roofs.shape[b] == 1:
            light *= 1.08
    else:
        area = frame[b, 4] * frame[b, 5] * px_m * px_m  # a quarter of the rectangle
        if area > 60:  # machines, hatches and skylights
            cell = 4.5 / px_m
            draw = hash_pixel(int(np.floor(u / cell)) + 500, int(np.floor(v / cell)) + 500, roofs.tone[b])
            if draw < 0.07:
                light *= 1.22 if draw < 0.04 else 0.74
    # The edge: bright where it faces the sun, dark behind.
    dr, dc = (1 if sun[1] > 0.38 else -1 if sun[1] < -0.38 else 0), (1 if sun[0] > 0.38 else 0)
    if row_of[min(rows - 1, max(0, row + dr)), min(cols - 1, col + dc)] != b:
        light *= 1.10
    elif row_of[min(rows - 1, max(0, row - dr)), max(0, col - dc)] != b:
        light *= 0.88
    for k in range(3):
        rgb[k] = min(250.0, roofs.color[b, k] * light)
