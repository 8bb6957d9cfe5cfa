"""The street view's ray-caster: one ray per picture column through the rasters of a city, compiled.

Each column is drawn from front to back. A ray walks over the rasters and stops only where something rises above what
the column shows already; walls, roofs and trees are laid down there with their coverage, so that edges are smooth and
trees let through what stands behind. What is left below the horizon is ground, above it sky.

The rasters are coarse (2 to 3 m). Outlines are therefore those of the rasters smoothed by a quadratic B-spline, cut
at one half: straight walls come out straight, at any angle, and features of one pixel survive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit

from unigeoclip.city.layers import LAND

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]
    Real: TypeAlias = float | np.floating[Any]

# The ground raster: land class in the lower bits, and what is worked out of the other rasters beforehand.
LAND_BITS, SHADOW_BIT, EDGE_BIT, TREE_BIT = 31, 32, 64, 128
BLOCK_PX = 8  # side of the blocks whose highest point is known
MAX_DISTANCE_M = 1200.0
SUN_AZIMUTH_DEG, SUN_ELEVATION_DEG = 215.0, 42.0
SKY_AZIMUTHS, SKY_ELEVATIONS, SKY_MAX_TAN = 1024, 128, 1.6  # of the table of the sky

_SUN_EAST = float(np.sin(np.radians(SUN_AZIMUTH_DEG)))
_SUN_SOUTH = float(-np.cos(np.radians(SUN_AZIMUTH_DEG)))
_SUN_SLOPE = float(np.tan(np.radians(SUN_ELEVATION_DEG)))
_HAZE = (203.0, 212.0, 221.0)
_HAZE_LENGTH_M = 900.0
_MIN_STEP_M = 0.75
_LEAST_ROWS = 0.35  # what rises less above what is drawn already is not worth drawing
_SMOOTH_M = 80.0  # outlines nearer than that are smoothed; beyond, a wall's plane alone does it
_ROOF_STEP_M = 1.4
_TREE_STEP_M = 2.0  # through leaves
_OPAQUE = 0.96  # coverage from which nothing behind is drawn
_DECIMETER = np.float32(0.1)

_WATER, _ROAD, _SIDEWALK = LAND["water"], LAND["road"], LAND["sidewalk"]
_BUILDING, _COMMERCIAL, _INDUSTRIAL = LAND["building"], LAND["commercial"], LAND["industrial"]
_GREEN = tuple(LAND[name] for name in ("grass", "park", "wood", "wetland", "farmland", "cemetery", "pitch"))


# Divisions need no check for zero (each divisor is bounded away from it), and sums may be taken in any order.
_compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "arcp", "nsz"})


class Scene(NamedTuple):
    """The rasters as the rays read them, and the tables of colours.

    Attributes:
        height_dm: (h, w) uint16 decimetres above the ground, of roofs and tree tops.
        crest_m: (h, w) uint8, no building on the nine pixels around is higher; 255 stands for more.
        code: (h, w) uint8 façade codes, 0 where there is no building.
        ground: (h, w) uint8 land class; `SHADOW_BIT` where the sun does not reach, `EDGE_BIT` where the nine pixels
            around differ, `TREE_BIT` where a tree stands.
        block_m: uint8, the highest point of each block of `BLOCK_PX` pixels, trees too, rounded up.
        wall_rgb: (256, 3) float32 colour of each façade code.
        ground_rgb: (classes, 3) float32 colour of each land class.
        sky_rgb: (SKY_AZIMUTHS, SKY_ELEVATIONS, 3) float32; elevations by their tangent.
        px_m: Side of a pixel on the ground, metres.
        max_height_m: Nothing is higher.
    """

    height_dm: Array
    crest_m: Array
    code: Array
    ground: Array
    block_m: Array
    wall_rgb: Array
    ground_rgb: Array
    sky_rgb: Array
    px_m: float
    max_height_m: float


class Camera(NamedTuple):
    """A level camera; the column and row count pixels of the scene, (0.5, 0.5) is the middle of the first."""

    col: float
    row: float
    heading_rad: float  # clockwise from north
    eye_m: float
    focal_px: float
    horizon_px: float  # rows from the upper edge of the picture


@_compiled
def prepare(
    height_dm: Array, code: Array, ground: Array, px_m: Real, crest_m: Array, block_m: Array
) -> None:  # pragma: no cover - compiled
    """Work out what would be costly to find along each ray.

    Args:
        height_dm: (h, w) uint16 decimetres.
        code: (h, w) uint8 façade codes.
        ground: (h, w) uint8 land classes and `TREE_BIT`; `SHADOW_BIT` and `EDGE_BIT` are added.
        px_m: Side of a pixel, metres.
        crest_m: (h, w) uint8, filled: highest building of the nine pixels around, metres rounded up.
        block_m: (h / BLOCK_PX, w / BLOCK_PX) uint8, zeros; filled with the highest point of each block.
    """
    rows, cols = height_dm.shape
    for y in range(rows):
        for x in range(cols):
            top = 0
            for j in range(max(0, y - 1), min(rows, y + 2)):
                for i in range(max(0, x - 1), min(cols, x + 2)):
                    if code[j, i] != 0:
                        top = max(top, height_dm[j, i])
            crest_m[y, x] = min(255, (top + 9) // 10)
            highest = min(255, (max(top, height_dm[y, x]) + 9) // 10)
            if highest > block_m[y // BLOCK_PX, x // BLOCK_PX]:
                block_m[y // BLOCK_PX, x // BLOCK_PX] = highest
            away = 1.5
            for _ in range(8):
                col = int(x + 0.5 + away * _SUN_EAST / px_m)
                row = int(y + 0.5 + away * _SUN_SOUTH / px_m)
                if not (0 <= col < cols and 0 <= row < rows):
                    break
                if height_dm[row, col] * 0.1 > away * _SUN_SLOPE:
                    ground[y, x] |= SHADOW_BIT
                    break
                away *= 1.45
    mask = LAND_BITS | SHADOW_BIT
    for y in range(1, rows - 1):
        for x in range(1, cols - 1):
            here = ground[y, x] & mask
            same = True
            for j in range(y - 1, y + 2):
                for i in range(x - 1, x + 2):
                    same &= (ground[j, i] & mask) == here
            if not same:
                ground[y, x] |= EDGE_BIT


@_compiled
def _hash(a: int, b: int, salt: int) -> Any:  # pragma: no cover - compiled
    """A number without pattern in [0, 1) of two whole numbers."""
    mixed = np.uint32(a) * np.uint32(0x9E3779B1) ^ np.uint32(b) * np.uint32(0x85EBCA77) ^ np.uint32(salt * 0x27D4EB2F)
    mixed = np.uint32((mixed ^ (mixed >> np.uint32(15))) * np.uint32(0x2C1B3C6D))
    mixed = np.uint32((mixed ^ (mixed >> np.uint32(12))) * np.uint32(0x297A2D39))
    return np.float32((mixed ^ (mixed >> np.uint32(15))) & np.uint32(0xFFFFFF)) * np.float32(1 / 16777216)


@_compiled
def _weights(at: Real) -> Any:  # pragma: no cover - compiled
    """Quadratic B-spline weights of the pixel before, at and after a position in pixels."""
    t = np.float32(at - np.floor(at))
    return (
        np.float32(0.5) * (np.float32(1) - t) * (np.float32(1) - t),
        np.float32(0.75) - (t - np.float32(0.5)) * (t - np.float32(0.5)),
        np.float32(0.5) * t * t,
    )


@_compiled
def _solid(scene: Scene, x: Real, y: Real) -> Any:  # pragma: no cover - compiled
    """The building at a point: its height (0: none) and its code.

    The height is the weighted median of the nine pixels around, so that of two buildings side by side neither fades
    into the other.
    """
    ix, iy = int(x), int(y)
    wx, wy = _weights(x), _weights(y)
    highest, code, share = 0, np.uint8(0), np.float32(0)
    alike, built = True, np.float32(0)
    for j in range(3):
        for i in range(3):
            if scene.code[iy + j - 1, ix + i - 1] != 0:
                height, own = int(scene.height_dm[iy + j - 1, ix + i - 1]), wx[i] * wy[j]
                alike &= highest == 0 or highest == height
                highest = height
                built += own
                if own > share:
                    code, share = scene.code[iy + j - 1, ix + i - 1], own
    if alike:  # nearly always; buildings of several heights take a search
        if built < np.float32(0.5):
            highest, code = 0, np.uint8(0)
        return np.float32(highest) * _DECIMETER, code
    highest, code, share = 0, np.uint8(0), np.float32(0)
    for j in range(3):
        for i in range(3):
            height = int(scene.height_dm[iy + j - 1, ix + i - 1])
            if height < highest or scene.code[iy + j - 1, ix + i - 1] == 0:
                continue
            own = wx[i] * wy[j]
            if height == highest:
                if own > share:
                    code, share = scene.code[iy + j - 1, ix + i - 1], own
                continue
            weight = np.float32(0)
            for b in range(3):
                for a in range(3):
                    row, col = iy + b - 1, ix + a - 1
                    if scene.code[row, col] != 0 and scene.height_dm[row, col] + 5 >= height:
                        weight += wx[a] * wy[b]
            if weight >= np.float32(0.5):
                highest, code, share = height, scene.code[iy + j - 1, ix + i - 1], own
    return np.float32(highest) * _DECIMETER, code


@_compiled
def _leaves(scene: Scene, x: Real, y: Real) -> Any:  # pragma: no cover - compiled
    """How far inside a crown a point lies: 0 at the edge, 1 within."""
    ix, iy = int(x), int(y)
    wx, wy = _weights(x), _weights(y)
    share = np.float32(0)
    for j in range(3):
        for i in range(3):
            if scene.ground[iy + j - 1, ix + i - 1] & TREE_BIT:
                share += wx[i] * wy[j]
    return min(max((share - np.float32(0.28)) * np.float32(2.2), np.float32(0)), np.float32(1))


@_compiled
def _plane(scene: Scene, x: Real, y: Real, height_m: Real, reach: int) -> Any:  # pragma: no cover - compiled
    """The wall plane near a point of a building's outline, and the land in front of it.

    Within ``reach`` pixels the building's edge is taken as straight: the share of the disc that is built tells how far
    off it runs, the middle of the unbuilt part where it faces. That irons out the steps of the raster.

    Returns:
        Direction east and south that the wall faces, how many pixels farther in than the point the plane lies, and
        the numbers of pixels of commercial and of industrial land.
    """
    ix, iy = int(x), int(y)
    rows, cols = scene.height_dm.shape
    least, per_reach = int((height_m - 0.5) * 10), np.float32(1 / (reach * reach))
    east, south, built, total = np.float32(0), np.float32(0), np.float32(0), np.float32(1e-6)
    shops, works = 0, 0
    for row in range(max(0, iy - reach), min(rows, iy + reach + 1)):
        for col in range(max(0, ix - reach), min(cols, ix + reach + 1)):
            dx, dy = np.float32(col + 0.5 - x), np.float32(row + 0.5 - y)
            weight = 1 - (dx * dx + dy * dy) * per_reach
            if weight <= 0:
                continue
            total += weight
            if scene.code[row, col] != 0 and scene.height_dm[row, col] >= least:
                built += weight
                east -= dx * weight
                south -= dy * weight
            else:
                east += dx * weight
                south += dy * weight
                land = scene.ground[row, col] & LAND_BITS
                shops += land == _COMMERCIAL
                works += land == _INDUSTRIAL
    length = max(np.sqrt(east * east + south * south), np.float32(1e-6))
    inward = (np.float32(0.5) - built / total) * np.float32(
        1.178 * reach
    )  # 3 pi / 8: the share's slope at a straight edge
    inward *= max(np.float32(0), 1 - abs(inward) * np.float32(0.55))  # corners and narrow things stay as they are
    return east / length, south / length, inward, shops, works


@_compiled
def _stripes(at: Real, period: Real, start: Real, stop: Real, footprint: Real) -> Any:  # pragma: no cover
    """How much of ``footprint`` round a position lies in stripes [start, stop) of every period: exact, no aliasing."""
    low, high = (at - footprint / 2) / period, (at + footprint / 2) / period
    a, b = start / period, stop / period
    low_floor, high_floor = np.floor(low), np.floor(high)
    below = low_floor * (b - a) + min(max(low - low_floor - a, 0.0), b - a)
    above = high_floor * (b - a) + min(max(high - high_floor - a, 0.0), b - a)
    return np.float32((above - below) / max(high - low, 1e-9))


@_compiled
def _band(at: Real, start: Real, stop: Real, per_footprint: Real) -> Any:  # pragma: no cover - compiled
    """How much of a footprint (its inverse is given) round a position lies between start and stop."""
    half = np.float32(0.5) / per_footprint
    return max((min(at + half, stop) - max(at - half, start)) * per_footprint, np.float32(0))


@_compiled
def _lay(column: Array, row: int, red: Real, green: Real, blue: Real, alpha: Real) -> None:  # pragma: no cover
    """Put a colour behind what a pixel of the column shows; column is (rows, 4): red, green, blue, coverage."""
    part = (1 - column[row, 3]) * alpha
    column[row, 0] += part * red
    column[row, 1] += part * green
    column[row, 2] += part * blue
    column[row, 3] += part


@_compiled
def _haze_at(distance_m: Real) -> Any:  # pragma: no cover - compiled
    return np.float32(1 - np.exp(-distance_m / _HAZE_LENGTH_M))


@_compiled
def _draw_wall(
    scene: Scene, camera: Camera, column: Array, top: int, depth_m: Real, along_m: Real, facing: Real, light: Real,
    haze: Real, height_m: Real, eaves_m: Real, code: int, shops: int, works: int,
) -> Any:  # pragma: no cover - compiled  # fmt: skip
    """Draw a façade from the ground to its eaves; returns the first row of the column that it fills.

    ``facing`` is the cosine between ray and wall, ``along_m`` the position along the wall.
    """
    per_px = depth_m / camera.focal_px  # metres across a pixel
    wide = per_px / max(facing, 0.12)
    seed = code * 4099 + int(height_m * 10) * 7
    kind = _hash(seed, 1, 5)
    red, green, blue = scene.wall_rgb[code]
    tower, house, shed = height_m > 38, height_m < 13.5, height_m < 4.6
    industrial = works > 3 and height_m < 18
    shop = shops > 3 and not industrial and not shed
    floor, ground_floor = np.float32(2.9 if house else 3.4), np.float32(3.0 if house else 3.8)
    bay = np.float32(2.3) + np.float32(1.3) * _hash(seed, 2, 5)
    pane = np.float32(0.95) + np.float32(0.3) * _hash(seed, 3, 5)
    sill, lintel = np.float32(0.85), np.float32(2.25)
    trim = np.float32(0.0)
    if house and kind < 0.65:
        trim = np.float32(0.14)
    if tower and kind < 0.55:  # a glass curtain
        pane, sill, lintel, bay = bay * np.float32(0.9), np.float32(0.5), np.float32(3.3), np.float32(1.6)
        red, green, blue = 0.45 * red + 62, 0.45 * green + 76, 0.45 * blue + 90
    elif height_m > 16 and kind > 0.62:  # bands of windows
        pane, sill, lintel = bay * np.float32(0.88), np.float32(1.1), np.float32(2.6)
    elif industrial:
        pane, sill, lintel, bay = np.float32(2.2), np.float32(2.1), np.float32(2.9), np.float32(6.0)
    elif shed:
        pane, bay = np.float32(0.8), np.float32(4.5)
    start = (bay - pane) / 2
    across = _stripes(along_m, bay, start, start + pane, wide)
    framed = _stripes(along_m, bay, start - trim, start + pane + trim, wide) if trim > 0 else across
    bay_index = int(np.floor(along_m / bay))
    in_bay = along_m - bay_index * bay
    near = np.float32(min(max((0.75 - wide) / 0.5, 0.0), 1.0))  # how much of single windows and doors can be seen
    door = _hash(bay_index, seed, 7) < (0.16 if shop else 0.3) and abs(in_bay - bay / 2) < 0.55
    garage = (shed or industrial) and _hash(bay_index, seed, 8) < 0.5 and abs(in_bay - bay / 2) < bay * 0.36
    sign = _hash(bay_index // 3, seed, 9)
    floors = max(0, int((eaves_m - 0.5 - ground_floor) / floor))
    upper_m = ground_floor + floors * floor
    per_grain, column_of_grain = np.float32(5.0 if house else 2.9), int(np.floor(along_m / 0.45))
    shopfront = _stripes(along_m, bay, 0.2, bay - 0.2, wide) if shop else np.float32(0)
    raised, far, per_footprint = np.float32(0.22), per_px > 1.3, np.float32(1 / per_px)
    clear = 1 - haze
    first = camera.horizon_px - (eaves_m - camera.eye_m) / per_px
    base = camera.horizon_px + camera.eye_m / per_px
    begin = max(0, int(np.floor(first)))
    for row in range(begin, min(top, min(column.shape[0], int(np.ceil(base))))):
        if column[row, 3] > _OPAQUE:
            continue
        z = np.float32(camera.eye_m + (camera.horizon_px - row - 0.5) * per_px)
        r, g, b = red, green, blue
        window, frame = np.float32(0), np.float32(0)
        floor_index = 0
        if z < ground_floor:
            if shop:
                window = shopfront * _band(z, np.float32(0.45), np.float32(2.7), per_footprint)
                if 2.75 < z < 3.45 and near > 0:
                    r += near * (64 + 110 * sign - r)
                    g += near * (66 + 80 * _hash(int(sign * 999), 1, 3) - g)
                    b += near * (130 - 80 * sign - b)
            elif not garage:
                window = across * _band(z, sill + raised, lintel + raised, per_footprint)
                if trim > 0 and near > 0:
                    frame = framed * _band(z, sill + raised - trim, lintel + raised + trim, per_footprint) - window
        elif z < upper_m:
            floor_index = 1 + int((z - ground_floor) / floor)
            if far:
                window = across * (lintel - sill) / floor
            else:
                up = z - ground_floor - (floor_index - 1) * floor
                window = across * _band(up, sill, lintel, per_footprint)
                if trim > 0:
                    frame = framed * _band(up, sill - trim, lintel + trim, per_footprint) - window
        elif z > eaves_m - 0.35:
            r, g, b = r * np.float32(0.82) + 30, g * np.float32(0.82) + 30, b * np.float32(0.82) + 30
        if per_px < 0.13:  # boards, bricks
            mottle = 1 + np.float32(0.09) * (_hash(int(z * per_grain), column_of_grain, seed) - np.float32(0.5))
            r, g, b = r * mottle, g * mottle, b * mottle
        if frame > 0:
            r, g, b = r + (232 - r) * frame, g + (230 - g) * frame, b + (224 - b) * frame
        shade = light * (np.float32(0.86) + np.float32(0.14) * min(z / 3, np.float32(1)))  # darker at the foot
        r, g, b = r * shade, g * shade, b * shade
        if window > 0:
            lit = np.float32(0.5)
            if near > 0:
                lit += near * (_hash(bay_index * 31 + floor_index, seed, 11) - np.float32(0.5))
            glint = np.float32(38) * lit + (np.float32(26) if tower else np.float32(8)) * min(z / 40, np.float32(1.5))
            r += (np.float32(42) + glint * np.float32(0.9) - r) * window
            g += (np.float32(50) + glint - g) * window
            b += (np.float32(60) + glint * np.float32(1.15) - b) * window
        if door and z < 2.15 and near > 0:
            tint = _hash(bay_index, seed, 13)
            r += near * ((70 + 70 * tint) * light - r)
            g += near * ((48 + 20 * tint) * light - g)
            b += near * ((40 + 50 * (1 - tint)) * light - b)
        elif garage and z < (2.3 if shed else 3.4) and near > 0:
            line = np.float32(0.9) if z - 0.5 * np.floor(z / 0.5) < 0.08 else np.float32(1)
            r += near * (205 * light * line - r)
            g += near * (203 * light * line - g)
            b += near * (198 * light * line - b)
        alpha = min(np.float32(1), np.float32(row + 1 - first))
        _lay(column, row, r * clear + _HAZE[0] * haze, g * clear + _HAZE[1] * haze, b * clear + _HAZE[2] * haze, alpha)
    return min(top, max(0, int(np.ceil(first))))


@_compiled
def _draw_roof(
    camera: Camera, column: Array, top: int, depth_m: Real, height_m: Real, red: Real, green: Real, blue: Real,
    haze: Real,
) -> Any:  # pragma: no cover - compiled  # fmt: skip
    """Draw the strip of a sloping roof that rises above what the column shows; returns its first filled row."""
    first = camera.horizon_px - (height_m - camera.eye_m) * camera.focal_px / depth_m
    clear = 1 - haze
    for row in range(max(0, int(np.floor(first))), min(top, column.shape[0])):
        alpha = min(np.float32(1), np.float32(row + 1 - first))
        _lay(
            column, row, red * clear + _HAZE[0] * haze, green * clear + _HAZE[1] * haze,
            blue * clear + _HAZE[2] * haze, alpha,
        )  # fmt: skip
    return min(top, max(0, int(np.ceil(first))))


@_compiled
def _draw_tree(
    camera: Camera, column: Array, top: int, x_m: Real, y_m: Real, depth_m: Real, step_m: Real, inner: Real,
    height_m: Real, sunward: Real, haze: Real,
) -> None:  # pragma: no cover - compiled  # fmt: skip
    """Draw the part of a crown that a step of the ray passes through: leaves with gaps, darker below."""
    per_px = depth_m / camera.focal_px
    leaf = max(np.float32(0.32), np.float32(1.6) * per_px)
    round_off = np.sqrt(inner)
    lump = _hash(int(np.floor(x_m / 1.7)), int(np.floor(y_m / 1.7)), 3)
    half = height_m * np.float32(0.42) * round_off * (np.float32(0.72) + np.float32(0.28) * lump)
    middle = height_m * np.float32(0.57)
    tone = _hash(int(np.floor(x_m / 6)), int(np.floor(y_m / 6)), 4)
    leaves = np.uint32(_hash(int(np.floor(x_m / leaf)), int(np.floor(y_m / leaf)), 6) * np.float32(16777216))
    per_leaf, per_half = np.float32(1 / leaf), np.float32(1) / max(half, np.float32(0.3))
    pixel_m, eye_m, horizon = np.float32(per_px), np.float32(camera.eye_m), np.float32(camera.horizon_px)
    step = np.float32(step_m)
    clear = 1 - haze
    begin = int(np.floor(camera.horizon_px - (middle + half - camera.eye_m) / per_px))
    end = int(np.ceil(camera.horizon_px - (middle - half - camera.eye_m) / per_px))
    for row in range(max(0, begin), min(min(end, top), column.shape[0])):
        if column[row, 3] > _OPAQUE:
            continue
        z = eye_m + (horizon - row - np.float32(0.5)) * pixel_m
        up = (z - middle) * per_half
        mixed = np.uint32((leaves ^ np.uint32(int(z * per_leaf + np.float32(64)))) * np.uint32(0x9E3779B1))
        mixed = np.uint32((mixed ^ (mixed >> np.uint32(15))) * np.uint32(0x2C1B3C6D))
        noise = np.float32(mixed >> np.uint32(8)) * np.float32(1 / 16777216)
        thick = (np.float32(0.35) + np.float32(2.8) * noise * noise) * (1 - np.float32(0.6) * up * up) * step
        alpha = 1 - 1 / (1 + thick * (1 + np.float32(0.5) * thick))
        light = (np.float32(0.62) + np.float32(0.25) * up + np.float32(0.3) * noise) * sunward
        red, green, blue = (62 + 26 * tone) * light, (92 + 14 * tone) * light, (44 + 8 * tone) * light
        _lay(
            column, row, red * clear + _HAZE[0] * haze, green * clear + _HAZE[1] * haze,
            blue * clear + _HAZE[2] * haze, alpha,
        )  # fmt: skip


@_compiled
def _draw_trunk(
    camera: Camera, column: Array, top: int, depth_m: Real, height_m: Real, light: Real, haze: Real
) -> None:  # pragma: no cover - compiled
    per_px = depth_m / camera.focal_px
    begin = int(camera.horizon_px - (height_m * 0.27 - camera.eye_m) / per_px)
    end = int(camera.horizon_px + camera.eye_m / per_px)
    clear = 1 - haze
    for row in range(max(0, begin), min(min(end, top), column.shape[0])):
        _lay(
            column, row, 84 * light * clear + _HAZE[0] * haze, 70 * light * clear + _HAZE[1] * haze,
            56 * light * clear + _HAZE[2] * haze, 0.95,
        )  # fmt: skip


@_compiled
def _land(scene: Scene, x: Real, y: Real, shares: Array) -> Any:  # pragma: no cover - compiled
    """The land class with the greatest share at a point, buildings left out; the shares of roads and of shadow.

    ``shares`` is a table of zeros, one for each class, and is so again afterwards.
    """
    ix, iy = int(x), int(y)
    here = scene.ground[iy, ix]
    middle = here & LAND_BITS
    if not here & EDGE_BIT and middle != _BUILDING:
        return middle, np.float32(middle == _ROAD), np.float32((here & SHADOW_BIT) != 0)
    wx, wy = _weights(x), _weights(y)
    road, shadow, own = np.float32(0), np.float32(0), np.float32(0)
    for j in range(3):
        for i in range(3):
            found = scene.ground[iy + j - 1, ix + i - 1]
            weight = wx[i] * wy[j]
            if found & SHADOW_BIT:
                shadow += weight
            if found & LAND_BITS == _ROAD:
                road += weight
            if found & LAND_BITS == middle:
                own += weight
    if own >= np.float32(0.5) and middle != _BUILDING:
        return middle, road, shadow
    for j in range(3):
        for i in range(3):
            shares[scene.ground[iy + j - 1, ix + i - 1] & LAND_BITS] += wx[i] * wy[j]
    shares[_BUILDING] = np.float32(0)
    best, best_share = middle, np.float32(0) if middle == _BUILDING else own
    for j in range(3):
        for i in range(3):
            land = scene.ground[iy + j - 1, ix + i - 1] & LAND_BITS
            if shares[land] > best_share:
                best, best_share = land, shares[land]
    for j in range(3):
        for i in range(3):
            shares[scene.ground[iy + j - 1, ix + i - 1] & LAND_BITS] = np.float32(0)
    return best, road, shadow


@_compiled
def _draw_ground(
    scene: Scene, camera: Camera, column: Array, haze_of_row: Array, east: Real, south: Real, ahead: Real,
    azimuth: int, shares: Array,
) -> None:  # pragma: no cover - compiled  # fmt: skip
    """Fill what is left of a column below the horizon with the ground at that distance."""
    rows, cols = scene.ground.shape
    inverse_px = 1 / scene.px_m
    drop = camera.eye_m * camera.focal_px
    land, road, shadow, known, green = 0, np.float32(0), np.float32(0), False, False
    for row in range(column.shape[0] - 1, int(np.ceil(camera.horizon_px - 0.5)) - 1, -1):
        if column[row, 3] > _OPAQUE:
            known = False
            continue
        below = max(row + 0.5 - camera.horizon_px, 0.02)
        depth = drop / below
        distance = depth / ahead
        x = camera.col + east * distance * inverse_px
        y = camera.row + south * distance * inverse_px
        if not (1 <= x < cols - 1 and 1 <= y < rows - 1) or distance > 2 * MAX_DISTANCE_M:
            _lay(column, row, _HAZE[0] - 22, _HAZE[1] - 20, _HAZE[2] - 20, 1.0)
            continue
        footprint = np.float32(depth * depth / drop)  # metres of ground in this pixel
        if not known or footprint > 1 or row % 2 == 0:  # near the camera, every other row will do
            land, road, shadow = _land(scene, x, y, shares)
            known, green = True, land in _GREEN
        r, g, b = scene.ground_rgb[land, 0], scene.ground_rgb[land, 1], scene.ground_rgb[land, 2]
        x_m, y_m = np.float32(x * scene.px_m), np.float32(y * scene.px_m)
        if land == _WATER:
            mirror = np.float32(0.4) + np.float32(0.55) / (1 + np.float32(below * 12 / camera.focal_px))
            wave = 1 + np.float32(0.16) * (_hash(int(y_m / 0.7 + x_m / 5), row, 21) - np.float32(0.5)) / (1 + footprint)
            sky = scene.sky_rgb[azimuth, 8]
            r, g, b = (
                (r + (sky[0] - r) * mirror) * wave,
                (g + (sky[1] - g) * mirror) * wave,
                (b + (sky[2] - b) * mirror) * wave,
            )
        else:
            if np.float32(0.43) < road <= np.float32(0.5) and footprint < 1.2:
                r, g, b = np.float32(150), np.float32(148), np.float32(144)  # the kerb
            if footprint < 3:
                fine = max(np.float32(0.3) if green else np.float32(0.12), np.float32(1.5) * footprint)
                speck = _hash(int(x_m / fine), int(y_m / fine), 22) - np.float32(0.5)
                mottle = 1 + (np.float32(0.2) if green else np.float32(0.07)) * speck
                if land == _SIDEWALK and footprint < 0.4:  # slabs
                    joint = x_m - 1.5 * np.floor(x_m / 1.5) < 0.06 or y_m - 1.5 * np.floor(y_m / 1.5) < 0.06
                    mottle *= np.float32(0.91) if joint else np.float32(1)
                r, g, b = r * mottle, g * mottle, b * mottle
            if shadow > 0:
                dark = min(max((shadow - np.float32(0.38)) * 4, np.float32(0)), np.float32(1))
                r, g, b = r * (1 - 0.4 * dark), g * (1 - 0.38 * dark), b * (1 - 0.32 * dark)
        haze = haze_of_row[row]
        clear = 1 - haze
        _lay(column, row, r * clear + _HAZE[0] * haze, g * clear + _HAZE[1] * haze, b * clear + _HAZE[2] * haze, 1.0)


@_compiled
def _cast(
    scene: Scene, camera: Camera, column: Array, east: Real, south: Real, ahead: Real
) -> None:  # pragma: no cover - compiled
    """Walk along a ray and draw the walls, roofs and trees that it meets into the column."""
    rows, cols = scene.height_dm.shape
    inverse_px = 1 / scene.px_m
    growth = max(0.016, 1.0 / camera.focal_px)
    top = column.shape[0]  # everything from this row to the nearest ground is filled
    inside, entered_m, entered_height = True, 0.0, np.float32(1e9)  # a ray that starts in a building sees out of it
    eaves, slope, facing = np.float32(0), np.float32(0), np.float32(1)
    roof_r, roof_g, roof_b = np.float32(0), np.float32(0), np.float32(0)
    previous, distance = 0.0, 0.5
    while distance < MAX_DISTANCE_M:
        x, y = camera.col + east * distance * inverse_px, camera.row + south * distance * inverse_px
        ix, iy = int(x), int(y)
        if not (1 <= x < cols - 1 and 1 <= y < rows - 1):
            return
        depth = distance * ahead
        hidden_m = camera.eye_m + (camera.horizon_px - top + _LEAST_ROWS) * depth / camera.focal_px
        if hidden_m > scene.max_height_m:
            return
        step = max(_MIN_STEP_M, growth * distance)
        block = scene.block_m[iy // BLOCK_PX, ix // BLOCK_PX]
        if (block <= hidden_m and block < 255) or block == 0:  # nothing to see before the ray leaves the block
            leave_x = (BLOCK_PX - (x % BLOCK_PX) if east > 0 else x % BLOCK_PX) / max(abs(float(east)), 1e-6)
            leave_y = (BLOCK_PX - (y % BLOCK_PX) if south > 0 else y % BLOCK_PX) / max(abs(float(south)), 1e-6)
            if block == 0:
                inside, entered_height = False, np.float32(0)
            previous = distance
            distance += max(step, float(min(leave_x, leave_y) * scene.px_m + 0.05))
            continue
        crest = scene.crest_m[iy, ix]
        if crest > 0 and (crest > hidden_m or crest == 255):
            if distance < _SMOOTH_M:
                height, code = _solid(scene, x, y)
            else:
                code = scene.code[iy, ix]
                height = np.float32(scene.height_dm[iy, ix] if code != 0 else 0) * _DECIMETER
            if height == 0:
                inside, entered_height = False, np.float32(0)
            elif height > hidden_m:
                if inside and height <= entered_height + np.float32(0.6):
                    roof = min(height, eaves + slope * np.float32((distance - entered_m) * facing))
                    step = max(step, _ROOF_STEP_M)
                    if roof > hidden_m and entered_height < 1e8:
                        top = _draw_roof(camera, column, top, depth, roof, roof_r, roof_g, roof_b, _haze_at(distance))
                else:
                    low, high = previous, distance
                    for _ in range(2 if high < 180 else 0):
                        middle = (low + high) / 2
                        at, _ = _solid(
                            scene, camera.col + east * middle * inverse_px, camera.row + south * middle * inverse_px
                        )
                        if at + 0.6 >= height:
                            high = middle
                        else:
                            low = middle
                    x = camera.col + east * high * inverse_px
                    y = camera.row + south * high * inverse_px
                    out_east, out_south, inward, shops, works = _plane(scene, x, y, height, 4 if high < 180 else 2)
                    facing = np.float32(max(-(east * out_east + south * out_south), 0.05))
                    shift = min(max(inward / max(facing, 0.3), -1.5), 1.5) * scene.px_m
                    high = max(high + shift, 0.4)
                    x = camera.col + east * high * inverse_px
                    y = camera.row + south * high * inverse_px
                    sun = out_east * _SUN_EAST + out_south * _SUN_SOUTH
                    light = np.float32(0.68) + np.float32(0.36) * max(sun, np.float32(0)) + np.float32(0.05) * sun
                    turn = np.round(np.arctan2(out_south, out_east) / (np.pi / 12)) * (np.pi / 12)
                    along = (np.cos(turn) * y - np.sin(turn) * x) * scene.px_m + 40000.0
                    style = _hash(code * 4099 + int(height * 10) * 7, 2, 31)
                    pitched = (height < 12.5 and style < 0.72 and works < 4 and shops < 8) and entered_height < 1e8
                    eaves = height - min(np.float32(3.4), height * np.float32(0.36)) if pitched else height
                    slope = np.float32(0.55) + np.float32(0.35) * style
                    roof_light = np.float32(0.78) + np.float32(0.22) * sun
                    tone = _hash(code, int(height * 10), 33)
                    roof_r, roof_g, roof_b = (
                        (96 + 44 * tone) * roof_light,
                        (92 + 28 * tone) * roof_light,
                        (94 + 14 * tone) * roof_light,
                    )
                    inside, entered_m, entered_height = True, high, height
                    if eaves > hidden_m:
                        top = _draw_wall(
                            scene, camera, column, top, high * ahead, along, facing, light, _haze_at(high), height,
                            eaves, code, shops, works,
                        )  # fmt: skip
        elif crest == 0:
            inside, entered_height = False, np.float32(0)
        if scene.ground[iy, ix] & TREE_BIT and scene.code[iy, ix] == 0:
            tree_height = np.float32(scene.height_dm[iy, ix]) * _DECIMETER
            if tree_height > hidden_m:
                step = max(step, _TREE_STEP_M)
                sunward = np.float32(1 - 0.12 * (east * _SUN_EAST + south * _SUN_SOUTH))
                haze = _haze_at(distance)
                if _hash(ix, iy, 41) < 0.4:
                    trunk_x = (ix + 0.3 + 0.4 * _hash(ix, iy, 42) - camera.col) * scene.px_m
                    trunk_y = (iy + 0.3 + 0.4 * _hash(ix, iy, 43) - camera.row) * scene.px_m
                    at = trunk_x * east + trunk_y * south
                    if previous <= at < distance + step and abs(trunk_x * south - trunk_y * east) < 0.19:
                        _draw_trunk(camera, column, top, depth, tree_height, sunward * 0.9, haze)
                inner = _leaves(scene, x, y) if distance < 200 else np.float32(0.7)
                _draw_tree(
                    camera, column, top, x * scene.px_m, y * scene.px_m, depth, step, inner, tree_height, sunward, haze
                )
        while top > 0 and column[top - 1, 3] > _OPAQUE:
            top -= 1
        if top <= 0:
            return
        previous = distance
        distance += step


@_compiled
def draw_columns(scene: Scene, camera: Camera, out: Array, begin: int, end: int) -> None:  # pragma: no cover - compiled
    """Draw columns of one view; no column depends on another.

    Args:
        scene: The city.
        camera: Where it is seen from.
        out: (3, height, width) uint8, the whole view; its columns ``begin`` to ``end`` are filled.
        begin: The first column.
        end: The column after the last.
    """
    height, width = out.shape[1], out.shape[2]
    column = np.empty((height, 4), np.float32)
    haze_of_row = np.empty(height, np.float32)
    shares = np.zeros(LAND_BITS + 1, np.float32)
    for row in range(height):
        below = max(row + 0.5 - camera.horizon_px, 0.02)
        haze_of_row[row] = _haze_at(min(camera.eye_m * camera.focal_px / below, 4000.0))
    cos_heading, sin_heading = np.cos(camera.heading_rad), np.sin(camera.heading_rad)
    for u in range(begin, end):
        aside = (u + 0.5 - width / 2) / camera.focal_px
        ahead = 1 / np.sqrt(1 + aside * aside)  # cosine between the ray and the middle of the picture
        east = (sin_heading + aside * cos_heading) * ahead
        south = (-cos_heading + aside * sin_heading) * ahead
        azimuth = int((np.arctan2(east, -south) / (2 * np.pi) % 1.0) * SKY_AZIMUTHS) % SKY_AZIMUTHS
        column[:] = 0
        per_row = ahead / camera.focal_px / SKY_MAX_TAN * SKY_ELEVATIONS
        _cast(scene, camera, column, east, south, ahead)
        _draw_ground(scene, camera, column, haze_of_row, east, south, ahead, azimuth, shares)
        for row in range(height):
            left = 1 - column[row, 3]
            if left <= 1 - _OPAQUE:  # what would shine through the last of the leaves
                whole = np.float32(1) / column[row, 3]
                for band in range(3):
                    column[row, band] *= whole
            else:
                elevation = min(max(int((camera.horizon_px - row - 0.5) * per_row), 0), SKY_ELEVATIONS - 1)
                for band in range(3):
                    column[row, band] += left * scene.sky_rgb[azimuth, elevation, band]
            for band in range(3):
                out[band, row, u] = np.uint8(min(max(column[row, band], np.float32(0)), np.float32(255)))
