"""The street view's ray-caster: one ray per picture column through the rasters of a city, compiled.

Each column is drawn from front to back. A ray walks over the rasters and stops only where something rises above what
the column shows already; walls, roofs and trees are laid down there with their coverage, so that edges are smooth and
trees let through what stands behind. What is left below the horizon is ground, above it sky.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unigeoclip.city.column import HAZE, OPAQUE, haze_at, lay, lay_in_haze
from unigeoclip.city.facade import Wall, draw_wall
from unigeoclip.city.jit import compiled
from unigeoclip.city.layers import LAND
from unigeoclip.city.noise import hash_pair, hash_quickly
from unigeoclip.city.scene import (
    BLOCK_PX,
    DECIMETER,
    LAND_BITS,
    SKY_AZIMUTHS,
    SKY_ELEVATIONS,
    SKY_MAX_TAN,
    SUN_EAST,
    SUN_SOUTH,
    TREE_BIT,
    building_at,
    foliage_at,
    land_at,
    wall_plane,
)

if TYPE_CHECKING:
    from unigeoclip.city.scene import Array, Camera, Real, Scene

MAX_DISTANCE_M = 1200.0
_MIN_STEP_M = 0.75
_LEAST_ROWS = 0.35  # what rises less above what is drawn already is not worth drawing
_SMOOTH_M = 80.0  # outlines nearer than that are smoothed; beyond, a wall's plane alone does it
_ROOF_STEP_M = 1.4
_TREE_STEP_M = 2.0  # through leaves

_WATER, _SIDEWALK = LAND["water"], LAND["sidewalk"]
_GREEN = tuple(LAND[name] for name in ("grass", "park", "wood", "wetland", "farmland", "cemetery", "pitch"))


class Ray(NamedTuple):
    """The direction of a column on the ground; unit length."""

    east: Real
    south: Real
    ahead: Real  # cosine between the ray and the middle of the picture


class _Roof(NamedTuple):
    """The roof of the building that a ray is in."""

    entered_m: Real  # where the ray came in
    eaves_m: Real
    slope: Real
    facing: Real  # cosine between the ray and the wall that it came in by
    red: Real
    green: Real
    blue: Real


class _Crown(NamedTuple):
    """The part of a crown that a step of a ray passes through."""

    x_m: Real
    y_m: Real
    depth_m: Real
    step_m: Real
    inner: Real  # how far inside the crown: 0 at the edge, 1 within
    height_m: Real
    sunward: Real  # brightness, about 1
    haze: Real


class _Stop(NamedTuple):
    """Where a ray is; distances from the camera, those of the stop before in ``previous_m``."""

    col: int  # the pixel
    row: int
    x: Real  # the point, in pixels
    y: Real
    distance_m: Real
    previous_m: Real
    depth_m: Real


@compiled
def _draw_roof(
    camera: Camera, column: Array, top: int, depth_m: Real, height_m: Real, roof: _Roof, haze: Real
) -> Any:  # pragma: no cover - compiled
    """Draw the strip of a sloping roof that rises above what the column shows; returns its first filled row."""
    first = camera.horizon_px - (height_m - camera.eye_m) * camera.focal_px / depth_m
    for row in range(max(0, int(np.floor(first))), min(top, column.shape[0])):
        lay_in_haze(column, row, roof.red, roof.green, roof.blue, haze, min(np.float32(1), np.float32(row + 1 - first)))
    return min(top, max(0, int(np.ceil(first))))


@compiled
def _draw_crown(camera: Camera, column: Array, top: int, crown: _Crown) -> None:  # pragma: no cover - compiled
    """Draw a part of a crown: leaves with gaps, darker below."""
    per_px = crown.depth_m / camera.focal_px
    x_m, y_m = crown.x_m, crown.y_m
    leaf = max(np.float32(0.32), np.float32(1.6) * per_px)
    round_off = np.sqrt(crown.inner)
    lump = hash_pair(int(np.floor(x_m / 1.7)), int(np.floor(y_m / 1.7)), 3)
    half = crown.height_m * np.float32(0.42) * round_off * (np.float32(0.72) + np.float32(0.28) * lump)
    middle = crown.height_m * np.float32(0.57)
    tone = hash_pair(int(np.floor(x_m / 6)), int(np.floor(y_m / 6)), 4)
    leaves = np.uint32(hash_pair(int(np.floor(x_m / leaf)), int(np.floor(y_m / leaf)), 6) * np.float32(16777216))
    per_leaf, per_half = np.float32(1 / leaf), np.float32(1) / max(half, np.float32(0.3))
    pixel_m, eye_m, horizon = np.float32(per_px), np.float32(camera.eye_m), np.float32(camera.horizon_px)
    step = np.float32(crown.step_m)
    begin = int(np.floor(camera.horizon_px - (middle + half - camera.eye_m) / per_px))
    end = int(np.ceil(camera.horizon_px - (middle - half - camera.eye_m) / per_px))
    for row in range(max(0, begin), min(min(end, top), column.shape[0])):
        if column[row, 3] > OPAQUE:
            continue
        z = eye_m + (horizon - row - np.float32(0.5)) * pixel_m
        up = (z - middle) * per_half
        noise = hash_quickly(leaves, int(z * per_leaf + np.float32(64)))
        thick = (np.float32(0.35) + np.float32(2.8) * noise * noise) * (1 - np.float32(0.6) * up * up) * step
        alpha = 1 - 1 / (1 + thick * (1 + np.float32(0.5) * thick))
        light = (np.float32(0.62) + np.float32(0.25) * up + np.float32(0.3) * noise) * crown.sunward
        red, green, blue = (62 + 26 * tone) * light, (92 + 14 * tone) * light, (44 + 8 * tone) * light
        lay_in_haze(column, row, red, green, blue, crown.haze, alpha)


@compiled
def _draw_trunk(
    camera: Camera, column: Array, top: int, depth_m: Real, height_m: Real, light: Real, haze: Real
) -> None:  # pragma: no cover - compiled
    per_px = depth_m / camera.focal_px
    begin = int(camera.horizon_px - (height_m * 0.27 - camera.eye_m) / per_px)
    end = int(camera.horizon_px + camera.eye_m / per_px)
    for row in range(max(0, begin), min(min(end, top), column.shape[0])):
        lay_in_haze(column, row, 84 * light, 70 * light, 56 * light, haze, 0.95)


@compiled
def _draw_tree(
    px_m: Real,
    camera: Camera,
    column: Array,
    top: int,
    ray: Ray,
    stop: _Stop,
    step_m: Real,
    height_m: Real,
    inner: Real,
) -> None:  # pragma: no cover - compiled
    """Draw what a step of the ray passes of a tree: the trunk, where it stands in the way, and the crown.

    ``inner`` is how far inside the crown the step is, 0 to 1, as `foliage_at` has it.
    """
    ix, iy = stop.col, stop.row
    sunward = np.float32(1 - 0.12 * (ray.east * SUN_EAST + ray.south * SUN_SOUTH))
    haze = haze_at(stop.distance_m)
    if hash_pair(ix, iy, 41) < 0.4:
        trunk_x = (ix + 0.3 + 0.4 * hash_pair(ix, iy, 42) - camera.col) * px_m
        trunk_y = (iy + 0.3 + 0.4 * hash_pair(ix, iy, 43) - camera.row) * px_m
        at = trunk_x * ray.east + trunk_y * ray.south
        is_passed = stop.previous_m <= at < stop.distance_m + step_m
        if is_passed and abs(trunk_x * ray.south - trunk_y * ray.east) < 0.19:
            _draw_trunk(camera, column, top, stop.depth_m, height_m, sunward * 0.9, haze)
    x_m, y_m = stop.x * px_m, stop.y * px_m
    _draw_crown(camera, column, top, _Crown(x_m, y_m, stop.depth_m, step_m, inner, height_m, sunward, haze))


@compiled
def _color_water(
    scene: Scene, camera: Camera, below: Real, row: int, azimuth: int, x_m: Real, y_m: Real, footprint: Real
) -> Any:  # pragma: no cover - compiled
    """Color of water: the sky is mirrored, the more the flatter one looks."""
    mirror = np.float32(0.4) + np.float32(0.55) / (1 + np.float32(below * 12 / camera.focal_px))
    wave = 1 + np.float32(0.16) * (hash_pair(int(y_m / 0.7 + x_m / 5), row, 21) - np.float32(0.5)) / (1 + footprint)
    sky, own = scene.sky_rgb[azimuth, 8], scene.ground_rgb[_WATER]
    return (
        (own[0] + (sky[0] - own[0]) * mirror) * wave,
        (own[1] + (sky[1] - own[1]) * mirror) * wave,
        (own[2] + (sky[2] - own[2]) * mirror) * wave,
    )


@compiled
def _color_ground(
    scene: Scene, land: int, green: bool, road: Real, shadow: Real, x_m: Real, y_m: Real, footprint: Real
) -> Any:  # pragma: no cover - compiled
    """Color of dry ground: that of its class, with kerbs, specks, slabs of sidewalks, shadows."""
    r, g, b = scene.ground_rgb[land, 0], scene.ground_rgb[land, 1], scene.ground_rgb[land, 2]
    if np.float32(0.43) < road <= np.float32(0.5) and footprint < 1.2:
        r, g, b = np.float32(150), np.float32(148), np.float32(144)  # the kerb
    if footprint < 3:
        fine = max(np.float32(0.3) if green else np.float32(0.12), np.float32(1.5) * footprint)
        speck = hash_pair(int(x_m / fine), int(y_m / fine), 22) - np.float32(0.5)
        mottle = 1 + (np.float32(0.2) if green else np.float32(0.07)) * speck
        if land == _SIDEWALK and footprint < 0.4:  # slabs
            joint = x_m - 1.5 * np.floor(x_m / 1.5) < 0.06 or y_m - 1.5 * np.floor(y_m / 1.5) < 0.06
            mottle *= np.float32(0.91) if joint else np.float32(1)
        r, g, b = r * mottle, g * mottle, b * mottle
    if shadow > 0:
        dark = min(max((shadow - np.float32(0.38)) * 4, np.float32(0)), np.float32(1))
        r, g, b = r * (1 - 0.4 * dark), g * (1 - 0.38 * dark), b * (1 - 0.32 * dark)
    return r, g, b


@compiled
def _draw_ground(
    scene: Scene, camera: Camera, column: Array, haze_of_row: Array, ray: Ray, azimuth: int, shares: Array
) -> None:  # pragma: no cover - compiled
    """Fill what is left of a column below the horizon with the ground at that distance."""
    ground = scene.ground
    rows, cols = ground.shape
    inverse_px = 1 / scene.px_m
    drop = camera.eye_m * camera.focal_px
    land, road, shadow, is_known, green = 0, np.float32(0), np.float32(0), False, False
    for row in range(column.shape[0] - 1, int(np.ceil(camera.horizon_px - 0.5)) - 1, -1):
        if column[row, 3] > OPAQUE:
            is_known = False
            continue
        below = max(row + 0.5 - camera.horizon_px, 0.02)
        depth = drop / below
        distance = depth / ray.ahead
        x = camera.col + ray.east * distance * inverse_px
        y = camera.row + ray.south * distance * inverse_px
        if not (1 <= x < cols - 1 and 1 <= y < rows - 1) or distance > 2 * MAX_DISTANCE_M:
            lay(column, row, HAZE[0] - 22, HAZE[1] - 20, HAZE[2] - 20, 1.0)
            continue
        footprint = np.float32(depth * depth / drop)  # metres of ground in this pixel
        if not is_known or footprint > 1 or row % 2 == 0:  # near the camera, every other row will do
            land, road, shadow = land_at(ground, x, y, shares)
            is_known, green = True, land in _GREEN
        x_m, y_m = np.float32(x * scene.px_m), np.float32(y * scene.px_m)
        if land == _WATER:
            r, g, b = _color_water(scene, camera, below, row, azimuth, x_m, y_m, footprint)
        else:
            r, g, b = _color_ground(scene, land, green, road, shadow, x_m, y_m, footprint)
        lay_in_haze(column, row, r, g, b, haze_of_row[row], 1.0)


@compiled
def _to_block_edge_m(px_m: Real, ray: Ray, x: Real, y: Real) -> Any:  # pragma: no cover - compiled
    """How far a ray goes before it leaves the block of pixels it is in, metres."""
    leave_x = (BLOCK_PX - (x % BLOCK_PX) if ray.east > 0 else x % BLOCK_PX) / max(abs(float(ray.east)), 1e-6)
    leave_y = (BLOCK_PX - (y % BLOCK_PX) if ray.south > 0 else y % BLOCK_PX) / max(abs(float(ray.south)), 1e-6)
    return float(min(leave_x, leave_y) * px_m + 0.05)


@compiled
def _meet(
    scene: Scene, camera: Camera, ray: Ray, stop: _Stop, height: Real, code: int, is_open: Any
) -> Any:  # pragma: no cover - compiled
    """The wall between two stops of a ray, found by halving and set on its plane; the roof behind it; where it stands.

    ``is_open`` is false while the ray is still in the building that the camera stands in.
    """
    inverse_px = 1 / scene.px_m
    east, south = ray.east, ray.south
    low, high = stop.previous_m, stop.distance_m
    for _ in range(2 if high < 180 else 0):
        middle = (low + high) / 2
        x, y = camera.col + east * middle * inverse_px, camera.row + south * middle * inverse_px
        at, _ = building_at(scene.code, scene.height_dm, x, y)
        if at + 0.6 >= height:
            high = middle
        else:
            low = middle
    x = camera.col + east * high * inverse_px
    y = camera.row + south * high * inverse_px
    out_east, out_south, inward, shops, works = wall_plane(scene, x, y, height, 4 if high < 180 else 2)
    facing = np.float32(max(-(east * out_east + south * out_south), 0.05))
    shift = min(max(inward / max(facing, 0.3), -1.5), 1.5) * scene.px_m
    high = max(high + shift, 0.4)
    x = camera.col + east * high * inverse_px
    y = camera.row + south * high * inverse_px
    sun = out_east * SUN_EAST + out_south * SUN_SOUTH
    light = np.float32(0.68) + np.float32(0.36) * max(sun, np.float32(0)) + np.float32(0.05) * sun
    turn = np.round(np.arctan2(out_south, out_east) / (np.pi / 12)) * (np.pi / 12)
    along = (np.cos(turn) * y - np.sin(turn) * x) * scene.px_m + 40000.0
    style = hash_pair(code * 4099 + int(height * 10) * 7, 2, 31)
    pitched = (height < 12.5 and style < 0.72 and works < 4 and shops < 8) and is_open
    eaves = height - min(np.float32(3.4), height * np.float32(0.36)) if pitched else height
    slope = np.float32(0.55) + np.float32(0.35) * style
    roof_light = np.float32(0.78) + np.float32(0.22) * sun
    tone = hash_pair(code, int(height * 10), 33)
    red, green, blue = (96 + 44 * tone) * roof_light, (92 + 28 * tone) * roof_light, (94 + 14 * tone) * roof_light
    wall = Wall(high * ray.ahead, along, facing, light, haze_at(high), height, eaves, code, shops, works)
    return wall, _Roof(high, eaves, slope, facing, red, green, blue), x, y


@compiled
def _cast(scene: Scene, camera: Camera, column: Array, ray: Ray) -> None:  # pragma: no cover - compiled
    """Walk along a ray and draw the walls, roofs and trees that it meets into the column."""
    codes, height_dm, ground, wall_rgb = scene.code, scene.height_dm, scene.ground, scene.wall_rgb
    rows, cols = height_dm.shape
    inverse_px = 1 / scene.px_m
    growth = max(0.016, 1.0 / camera.focal_px)
    top = column.shape[0]  # everything from this row to the nearest ground is filled
    inside, entered_height = True, np.float32(1e9)  # a ray that starts in a building sees out of it
    roof = _Roof(0.0, np.float32(0), np.float32(0), np.float32(1), 0.0, 0.0, 0.0)
    previous, distance = 0.0, 0.5
    while distance < MAX_DISTANCE_M:
        x, y = camera.col + ray.east * distance * inverse_px, camera.row + ray.south * distance * inverse_px
        ix, iy = int(x), int(y)
        if not (1 <= x < cols - 1 and 1 <= y < rows - 1):
            return
        stop = _Stop(ix, iy, x, y, distance, previous, distance * ray.ahead)
        hidden_m = camera.eye_m + (camera.horizon_px - top + _LEAST_ROWS) * stop.depth_m / camera.focal_px
        if hidden_m > scene.max_height_m:
            return
        step = max(_MIN_STEP_M, growth * distance)
        block = scene.block_m[iy // BLOCK_PX, ix // BLOCK_PX]
        if (block <= hidden_m and block < 255) or block == 0:  # nothing to see before the ray leaves the block
            if block == 0:
                inside, entered_height = False, np.float32(0)
            previous = distance
            distance += max(step, _to_block_edge_m(scene.px_m, ray, x, y))
            continue
        crest = scene.crest_m[iy, ix]
        if crest > 0 and (crest > hidden_m or crest == 255):
            if distance < _SMOOTH_M:
                height, code = building_at(codes, height_dm, x, y)
            else:
                code = codes[iy, ix]
                height = np.float32(height_dm[iy, ix] if code != 0 else 0) * DECIMETER
            if height == 0:
                inside, entered_height = False, np.float32(0)
            elif height > hidden_m:
                if inside and height <= entered_height + np.float32(0.6):
                    risen = roof.slope * np.float32((distance - roof.entered_m) * roof.facing)
                    roof_m = min(height, roof.eaves_m + risen)
                    step = max(step, _ROOF_STEP_M)
                    if roof_m > hidden_m and entered_height < 1e8:
                        top = _draw_roof(camera, column, top, stop.depth_m, roof_m, roof, haze_at(distance))
                else:
                    wall, roof, x, y = _meet(scene, camera, ray, stop, height, code, entered_height < 1e8)
                    stop = _Stop(ix, iy, x, y, distance, previous, stop.depth_m)  # leaves here cover the wall
                    inside, entered_height = True, height
                    if wall.eaves_m > hidden_m:
                        top = draw_wall(wall_rgb, camera, column, top, wall)
        elif crest == 0:
            inside, entered_height = False, np.float32(0)
        if ground[iy, ix] & TREE_BIT and codes[iy, ix] == 0:
            tree_height = np.float32(height_dm[iy, ix]) * DECIMETER
            if tree_height > hidden_m:
                step = max(step, _TREE_STEP_M)
                inner = foliage_at(ground, stop.x, stop.y) if distance < 200 else np.float32(0.7)
                _draw_tree(scene.px_m, camera, column, top, ray, stop, step, tree_height, inner)
        while top > 0 and column[top - 1, 3] > OPAQUE:
            top -= 1
        if top <= 0:
            return
        previous = distance
        distance += step


@compiled
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
        haze_of_row[row] = haze_at(min(camera.eye_m * camera.focal_px / below, 4000.0))
    cos_heading, sin_heading = np.cos(camera.heading_rad), np.sin(camera.heading_rad)
    for u in range(begin, end):
        aside = (u + 0.5 - width / 2) / camera.focal_px
        ahead = 1 / np.sqrt(1 + aside * aside)  # cosine between the ray and the middle of the picture
        east = (sin_heading + aside * cos_heading) * ahead
        south = (-cos_heading + aside * sin_heading) * ahead
        azimuth = int((np.arctan2(east, -south) / (2 * np.pi) % 1.0) * SKY_AZIMUTHS) % SKY_AZIMUTHS
        ray = Ray(east, south, ahead)
        column[:] = 0
        per_row = ahead / camera.focal_px / SKY_MAX_TAN * SKY_ELEVATIONS
        _cast(scene, camera, column, ray)
        _draw_ground(scene, camera, column, haze_of_row, ray, azimuth, shares)
        for row in range(height):
            left = 1 - column[row, 3]
            if left <= 1 - OPAQUE:  # what would shine through the last of the leaves
                whole = np.float32(1) / column[row, 3]
                for band in range(3):
                    column[row, band] *= whole
            else:
                elevation = min(max(int((camera.horizon_px - row - 0.5) * per_row), 0), SKY_ELEVATIONS - 1)
                for band in range(3):
                    column[row, band] += left * scene.sky_rgb[azimuth, elevation, band]
            for band in range(3):
                out[band, row, u] = np.uint8(min(max(column[row, band], np.float32(0)), np.float32(255)))
