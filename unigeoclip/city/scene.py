"""The rasters of a city as the rays of the street view read them, and what they find at a point.

The rasters are coarse (2 to 3 m). Outlines are therefore those of the rasters smoothed by a quadratic B-spline, cut
at one half: straight walls come out straight, at any angle, and features of one pixel survive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from unigeoclip.city.jit import compiled
from unigeoclip.city.layers import LAND

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]
    Real: TypeAlias = float | np.floating[Any]

# The ground raster: land class in the lower bits, and what is worked out of the other rasters beforehand.
LAND_BITS, SHADOW_BIT, EDGE_BIT, TREE_BIT = 31, 32, 64, 128
BLOCK_PX = 8  # side of the blocks whose highest point is known
SUN_AZIMUTH_DEG, SUN_ELEVATION_DEG = 215.0, 42.0
SUN_EAST = float(np.sin(np.radians(SUN_AZIMUTH_DEG)))
SUN_SOUTH = float(-np.cos(np.radians(SUN_AZIMUTH_DEG)))
SKY_AZIMUTHS, SKY_ELEVATIONS, SKY_MAX_TAN = 1024, 128, 1.6  # of the table of the sky
DECIMETER = np.float32(0.1)

_SUN_SLOPE = float(np.tan(np.radians(SUN_ELEVATION_DEG)))
_ROAD, _BUILDING = LAND["road"], LAND["building"]
_COMMERCIAL, _INDUSTRIAL = LAND["commercial"], LAND["industrial"]


class Scene(NamedTuple):
    """The rasters as the rays read them, and the tables of colours.

    What is called at every step of a ray or for every pixel takes the arrays that it reads instead of the scene, and
    no slices of arrays: numba counts references to every array in the arguments of a call, with atomic operations.

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


@compiled
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
                col = int(x + 0.5 + away * SUN_EAST / px_m)
                row = int(y + 0.5 + away * SUN_SOUTH / px_m)
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


@compiled
def _weights(at: Real) -> Any:  # pragma: no cover - compiled
    """Quadratic B-spline weights of the pixel before, at and after a position in pixels."""
    t = np.float32(at - np.floor(at))
    return (
        np.float32(0.5) * (np.float32(1) - t) * (np.float32(1) - t),
        np.float32(0.75) - (t - np.float32(0.5)) * (t - np.float32(0.5)),
        np.float32(0.5) * t * t,
    )


@compiled
def building_at(codes: Array, height_dm: Array, x: Real, y: Real) -> Any:  # pragma: no cover - compiled
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
            if codes[iy + j - 1, ix + i - 1] != 0:
                height, own = int(height_dm[iy + j - 1, ix + i - 1]), wx[i] * wy[j]
                alike &= highest == 0 or highest == height
                highest = height
                built += own
                if own > share:
                    code, share = codes[iy + j - 1, ix + i - 1], own
    if alike:  # nearly always; buildings of several heights take a search
        if built < np.float32(0.5):
            highest, code = 0, np.uint8(0)
        return np.float32(highest) * DECIMETER, code
    highest, code, share = 0, np.uint8(0), np.float32(0)
    for j in range(3):
        for i in range(3):
            height = int(height_dm[iy + j - 1, ix + i - 1])
            if height < highest or codes[iy + j - 1, ix + i - 1] == 0:
                continue
            own = wx[i] * wy[j]
            if height == highest:
                if own > share:
                    code, share = codes[iy + j - 1, ix + i - 1], own
                continue
            weight = np.float32(0)
            for b in range(3):
                for a in range(3):
                    row, col = iy + b - 1, ix + a - 1
                    if codes[row, col] != 0 and height_dm[row, col] + 5 >= height:
                        weight += wx[a] * wy[b]
            if weight >= np.float32(0.5):
                highest, code, share = height, codes[iy + j - 1, ix + i - 1], own
    return np.float32(highest) * DECIMETER, code


@compiled
def foliage_at(ground: Array, x: Real, y: Real) -> Any:  # pragma: no cover - compiled
    """How far inside a crown a point lies: 0 at the edge, 1 within."""
    ix, iy = int(x), int(y)
    wx, wy = _weights(x), _weights(y)
    share = np.float32(0)
    for j in range(3):
        for i in range(3):
            if ground[iy + j - 1, ix + i - 1] & TREE_BIT:
                share += wx[i] * wy[j]
    return min(max((share - np.float32(0.28)) * np.float32(2.2), np.float32(0)), np.float32(1))


@compiled
def wall_plane(scene: Scene, x: Real, y: Real, height_m: Real, reach: int) -> Any:  # pragma: no cover - compiled
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


@compiled
def land_at(ground: Array, x: Real, y: Real, shares: Array) -> Any:  # pragma: no cover - compiled
    """The land class with the greatest share at a point, buildings left out; the shares of roads and of shadow.

    ``shares`` is a table of zeros, one for each class, and is so again afterwards.
    """
    ix, iy = int(x), int(y)
    here = ground[iy, ix]
    middle = here & LAND_BITS
    if not here & EDGE_BIT and middle != _BUILDING:
        return middle, np.float32(middle == _ROAD), np.float32((here & SHADOW_BIT) != 0)
    wx, wy = _weights(x), _weights(y)
    road, shadow, own = np.float32(0), np.float32(0), np.float32(0)
    for j in range(3):
        for i in range(3):
            there = ground[iy + j - 1, ix + i - 1]
            weight = wx[i] * wy[j]
            if there & SHADOW_BIT:
                shadow += weight
            if there & LAND_BITS == _ROAD:
                road += weight
            if there & LAND_BITS == middle:
                own += weight
    if own >= np.float32(0.5) and middle != _BUILDING:
        return middle, road, shadow
    for j in range(3):
        for i in range(3):
            shares[ground[iy + j - 1, ix + i - 1] & LAND_BITS] += wx[i] * wy[j]
    shares[_BUILDING] = np.float32(0)
    best, best_share = middle, np.float32(0) if middle == _BUILDING else own
    for j in range(3):
        for i in range(3):
            land = ground[iy + j - 1, ix + i - 1] & LAND_BITS
            if shares[land] > best_share:
                best, best_share = land, shares[land]
    for j in range(3):
        for i in range(3):
            shares[ground[iy + j - 1, ix + i - 1] & LAND_BITS] = np.float32(0)
    return best, road, shadow
