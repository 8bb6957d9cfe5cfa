"""Walls of the street view: windows, doors, shop fronts and bricks, all from hashes of the building."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unigeoclip.city.column import OPAQUE, band, lay_in_haze, stripes
from unigeoclip.city.jit import compiled
from unigeoclip.city.noise import hash_pair

if TYPE_CHECKING:
    from unigeoclip.city.scene import Array, Camera, Real


class Wall(NamedTuple):
    """A wall where a ray meets it.

    Attributes:
        depth_m: Distance from the camera along the middle of the picture.
        along_m: Position along the wall.
        facing: Cosine between ray and wall.
        light: Brightness, about 1.
        haze: Share of haze, 0 to 1.
        height_m: Of the building.
        eaves_m: Where the roof begins.
        code: Façade code.
        shops: Pixels of commercial land in front of it.
        works: Pixels of industrial land in front of it.
    """

    depth_m: Real
    along_m: Real
    facing: Real
    light: Real
    haze: Real
    height_m: Real
    eaves_m: Real
    code: int
    shops: int
    works: int


class _Style(NamedTuple):
    """How the walls of a building look: what they are used for, their color, and the sizes of their parts in metres."""

    seed: int
    is_tower: Any
    is_house: Any
    is_shed: Any
    is_industrial: Any
    is_shop: Any
    red: Any
    green: Any
    blue: Any
    floor: Any
    ground_floor: Any
    bay: Any
    pane: Any
    sill: Any
    lintel: Any
    trim: Any  # width of the frames of windows


class _Bay(NamedTuple):
    """What the column of a picture shows of a wall, whatever the height."""

    number: int
    across: Any  # share of panes in the width of the column
    framed: Any  # the same with their frames
    shopfront: Any
    sign: Any  # hash that colors the sign of the shop
    door: Any
    garage: Any
    near: Any  # how much of single windows and doors can be seen, 0 to 1
    floors_m: Any  # where the floors end
    per_px: Any  # metres across a pixel
    per_footprint: Any  # its inverse, float32


@compiled
def _style_of(wall_rgb: Array, wall: Wall) -> Any:  # pragma: no cover - compiled
    seed = wall.code * 4099 + int(wall.height_m * 10) * 7
    kind = hash_pair(seed, 1, 5)
    red, green, blue = wall_rgb[wall.code]
    height_m = wall.height_m
    tower, house, shed = height_m > 38, height_m < 13.5, height_m < 4.6
    industrial = wall.works > 3 and height_m < 18
    shop = wall.shops > 3 and not industrial and not shed
    floor, ground_floor = np.float32(2.9 if house else 3.4), np.float32(3.0 if house else 3.8)
    bay = np.float32(2.3) + np.float32(1.3) * hash_pair(seed, 2, 5)
    pane = np.float32(0.95) + np.float32(0.3) * hash_pair(seed, 3, 5)
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
    return _Style(
        seed, tower, house, shed, industrial, shop, red, green, blue, floor, ground_floor, bay, pane, sill, lintel, trim
    )


@compiled
def _bay_of(camera: Camera, wall: Wall, style: _Style) -> Any:  # pragma: no cover - compiled
    per_px = wall.depth_m / camera.focal_px
    wide = per_px / max(wall.facing, 0.12)
    along_m, bay, pane, trim = wall.along_m, style.bay, style.pane, style.trim
    start = (bay - pane) / 2
    across = stripes(along_m, bay, start, start + pane, wide)
    framed = stripes(along_m, bay, start - trim, start + pane + trim, wide) if trim > 0 else across
    number = int(np.floor(along_m / bay))
    aside = abs(along_m - number * bay - bay / 2)
    door = hash_pair(number, style.seed, 7) < (0.16 if style.is_shop else 0.3) and aside < 0.55
    is_low = style.is_shed or style.is_industrial
    garage = is_low and hash_pair(number, style.seed, 8) < 0.5 and aside < bay * 0.36
    shopfront = stripes(along_m, bay, 0.2, bay - 0.2, wide) if style.is_shop else np.float32(0)
    near = np.float32(min(max((0.75 - wide) / 0.5, 0.0), 1.0))
    floors = max(0, int((wall.eaves_m - 0.5 - style.ground_floor) / style.floor))
    floors_m = style.ground_floor + floors * style.floor
    sign = hash_pair(number // 3, style.seed, 9)
    return _Bay(
        number, across, framed, shopfront, sign, door, garage, near, floors_m, per_px, np.float32(1 / per_px)
    )  # fmt: skip


@compiled
def _window_at(style: _Style, bay: _Bay, z: Real) -> Any:  # pragma: no cover - compiled
    """Share of glass and of frames in a pixel at the height ``z``, metres, and the number of its floor."""
    window: Any = np.float32(0)
    frame: Any = np.float32(0)
    floor_index = 0
    sill, lintel, trim, raised = style.sill, style.lintel, style.trim, np.float32(0.22)
    if z < style.ground_floor:
        if style.is_shop:
            window = bay.shopfront * band(z, np.float32(0.45), np.float32(2.7), bay.per_footprint)
        elif not bay.garage:
            window = bay.across * band(z, sill + raised, lintel + raised, bay.per_footprint)
            if trim > 0 and bay.near > 0:
                frame = bay.framed * band(z, sill + raised - trim, lintel + raised + trim, bay.per_footprint) - window
    elif z < bay.floors_m:
        floor_index = 1 + int((z - style.ground_floor) / style.floor)
        if bay.per_px > 1.3:
            window = bay.across * (lintel - sill) / style.floor
        else:
            up = z - style.ground_floor - (floor_index - 1) * style.floor
            window = bay.across * band(up, sill, lintel, bay.per_footprint)
            if trim > 0:
                frame = bay.framed * band(up, sill - trim, lintel + trim, bay.per_footprint) - window
    return window, frame, floor_index


@compiled
def _color_at(wall: Wall, style: _Style, bay: _Bay, z: Real, grain: int) -> Any:  # pragma: no cover - compiled
    """Color of the wall itself at a height: signs of shops, the edge of the roof, boards and bricks."""
    r, g, b = style.red, style.green, style.blue
    if z < style.ground_floor:
        if style.is_shop and 2.75 < z < 3.45 and bay.near > 0:
            r += bay.near * (64 + 110 * bay.sign - r)
            g += bay.near * (66 + 80 * hash_pair(int(bay.sign * 999), 1, 3) - g)
            b += bay.near * (130 - 80 * bay.sign - b)
    elif z >= bay.floors_m and z > wall.eaves_m - 0.35:
        r, g, b = r * np.float32(0.82) + 30, g * np.float32(0.82) + 30, b * np.float32(0.82) + 30
    if bay.per_px < 0.13:
        per_grain = np.float32(5.0 if style.is_house else 2.9)
        mottle = 1 + np.float32(0.09) * (hash_pair(int(z * per_grain), grain, style.seed) - np.float32(0.5))
        r, g, b = r * mottle, g * mottle, b * mottle
    return r, g, b


@compiled
def _glaze(
    style: _Style, bay: _Bay, z: Real, window: Real, floor_index: int, r: Real, g: Real, b: Real
) -> Any:  # pragma: no cover - compiled
    """Put glass over a share of a pixel."""
    lit = np.float32(0.5)
    if bay.near > 0:
        lit += bay.near * (hash_pair(bay.number * 31 + floor_index, style.seed, 11) - np.float32(0.5))
    shine = (np.float32(26) if style.is_tower else np.float32(8)) * min(z / 40, np.float32(1.5))
    glint = np.float32(38) * lit + shine
    return (
        r + (np.float32(42) + glint * np.float32(0.9) - r) * window,
        g + (np.float32(50) + glint - g) * window,
        b + (np.float32(60) + glint * np.float32(1.15) - b) * window,
    )


@compiled
def _hang_door(
    wall: Wall, style: _Style, bay: _Bay, z: Real, r: Real, g: Real, b: Real
) -> Any:  # pragma: no cover - compiled
    """Put a door or the gate of a garage over a pixel, where there is one."""
    light, near = wall.light, bay.near
    if bay.door and z < 2.15 and near > 0:
        tint = hash_pair(bay.number, style.seed, 13)
        r += near * ((70 + 70 * tint) * light - r)
        g += near * ((48 + 20 * tint) * light - g)
        b += near * ((40 + 50 * (1 - tint)) * light - b)
    elif bay.garage and z < (2.3 if style.is_shed else 3.4) and near > 0:
        line = np.float32(0.9) if z - 0.5 * np.floor(z / 0.5) < 0.08 else np.float32(1)
        r += near * (205 * light * line - r)
        g += near * (203 * light * line - g)
        b += near * (198 * light * line - b)
    return r, g, b


@compiled
def draw_wall(
    wall_rgb: Array, camera: Camera, column: Array, top: int, wall: Wall
) -> Any:  # pragma: no cover - compiled
    """Draw a façade from the ground to its eaves; returns the first row of the column that it fills.

    Rows from ``top`` on are filled already.
    """
    style = _style_of(wall_rgb, wall)
    bay = _bay_of(camera, wall, style)
    grain = int(np.floor(wall.along_m / 0.45))
    first = camera.horizon_px - (wall.eaves_m - camera.eye_m) / bay.per_px
    base = camera.horizon_px + camera.eye_m / bay.per_px
    begin = max(0, int(np.floor(first)))
    for row in range(begin, min(top, min(column.shape[0], int(np.ceil(base))))):
        if column[row, 3] > OPAQUE:
            continue
        z = np.float32(camera.eye_m + (camera.horizon_px - row - 0.5) * bay.per_px)
        window, frame, floor_index = _window_at(style, bay, z)
        r, g, b = _color_at(wall, style, bay, z, grain)
        if frame > 0:
            r, g, b = r + (232 - r) * frame, g + (230 - g) * frame, b + (224 - b) * frame
        shade = wall.light * (np.float32(0.86) + np.float32(0.14) * min(z / 3, np.float32(1)))  # darker at the foot
        r, g, b = r * shade, g * shade, b * shade
        if window > 0:
            r, g, b = _glaze(style, bay, z, window, floor_index, r, g, b)
        r, g, b = _hang_door(wall, style, bay, z, r, g, b)
        lay_in_haze(column, row, r, g, b, wall.haze, min(np.float32(1), np.float32(row + 1 - first)))
    return min(top, max(0, int(np.ceil(first))))
