"""Trees of a city: where the map's vegetation puts them, and their crowns painted into rasters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.city.jit import compiled_strictly
from unigeoclip.city.layers import LAND, LAND_CLASSES
from unigeoclip.city.noise import hash_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.city.layers import CityGrid

# Trees per 100 square metres of the class; crowns cover more than that sounds.
_TREES_PER_100_M2 = {
    "wood": 2.0, "park": 0.6, "grass": 0.1, "cemetery": 0.5, "residential": 0.38, "institution": 0.2,
    "unknown": 0.05, "commercial": 0.08, "industrial": 0.05, "wetland": 0.06, "farmland": 0.02, "sidewalk": 0.9,
}  # fmt: skip
_TREE_CELL_M = 6.0
# Height of the smallest tree and how much the tallest has more, by land class.
_TREE_M = np.array(
    [
        {"wood": (9, 9), "park": (6, 12), "sidewalk": (5, 5), "residential": (4, 8)}.get(name, (4, 9))
        for name in LAND_CLASSES
    ],
    dtype=np.float64,
)


@dataclass(frozen=True)
class Trees:
    """Trees of a city.

    Attributes:
        xy_m: (n, 2) mercator metres.
        radius_m: (n,) of the crown, metres on the ground.
        height_m: (n,) metres.
    """

    xy_m: NDArray[np.float64]
    radius_m: NDArray[np.float32]
    height_m: NDArray[np.float32]

    def paint(
        self, grid: CityGrid, height_m: NDArray[np.float32], tree: NDArray[np.bool_], building: NDArray[Any]
    ) -> None:
        """Raise the heights (h, w) under crowns, except on buildings; ``tree`` becomes true there."""
        pixel = grid.to_pixel(self.xy_m) - 0.5
        radius = self.radius_m / grid.ground_px_m
        near = grid.touched_by(pixel, radius)
        reach, unlit = radius[near].astype(np.float64), np.zeros(int(near.sum()))
        paint_crowns(pixel[near], reach, self.height_m[near], building, unlit, np.zeros(2), height_m, tree)


def plant(land: NDArray[np.uint8], density: NDArray[np.float32], grid: CityGrid) -> Trees:
    """At most one tree in each cell of `_TREE_CELL_M`, as often as the land class there says."""
    cell = _TREE_CELL_M / grid.ground_per_mercator
    left, lower, right, upper = grid.bounds_m
    cols = np.arange(np.floor(left / cell), np.ceil(right / cell))
    rows: list[NDArray[np.float64]] = []
    chance_of = np.array([_TREES_PER_100_M2.get(name, 0.0) for name in LAND_CLASSES]) * _TREE_CELL_M**2 / 100
    for cell_row in range(math.floor(lower / cell), math.ceil(upper / cell)):  # a row of cells at a time: little memory
        corner: NDArray[np.float64] = np.stack([cols, np.full(len(cols), float(cell_row))], axis=1) * cell
        draws = [hash_points((corner + 0.5 * cell) / cell * 4.0, salt=salt) / 2**32 for salt in (31, 32, 33, 34)]
        xy = corner + np.stack([draws[0], draws[1]], axis=1) * cell
        col, row = np.floor(grid.to_pixel(xy)).astype(np.int64).T
        inside = (col >= 0) & (row >= 0) & (col < grid.width) & (row < grid.height)
        xy, draw, size, col, row = xy[inside], draws[2][inside], draws[3][inside], col[inside], row[inside]
        kind = land[row, col]
        # Groves and clearings: a slow wave over the city; yards in dense quarters are small.
        wave = 0.7 + 0.6 * np.sin(xy[:, 0] / 90.0) * np.sin(xy[:, 1] / 70.0 + xy[:, 0] / 160.0)
        wave = np.where(kind == LAND["wood"], 1.3, np.maximum(wave, 0.1))
        crowded = np.where(kind == LAND["residential"], np.interp(density[row, col], [0.2, 0.55], [1.0, 0.4]), 1.0)
        stands = draw < chance_of[kind] * wave * crowded
        low, span = _TREE_M[kind, 0], _TREE_M[kind, 1]
        height = low + span * size
        rows.append(np.column_stack([xy, 1.2 + 0.29 * height, height])[stands])
    trees = np.concatenate(rows)
    return Trees(trees[:, :2].copy(), trees[:, 2].astype(np.float32), trees[:, 3].astype(np.float32))


@compiled_strictly
def paint_crowns(
    pixel: NDArray[np.float64],
    radius_px: NDArray[np.float64],
    top_m: NDArray[np.float32],
    building: NDArray[Any],
    tone: NDArray[np.float64],
    sun: NDArray[np.float64],
    height_m: NDArray[np.float32],
    crown: NDArray[Any],
) -> None:  # pragma: no cover - compiled
    """Paint crowns of trees as domes where there is no building and nothing higher.

    Args:
        pixel: (n, 2) column and row of the trees; (0, 0) is the middle of the first pixel.
        radius_px: (n,) of the crowns.
        top_m: (n,) heights of the trees.
        building: (h, w), not 0 where a building stands.
        tone: (n,) added to the brightness of a tree.
        sun: (2,) to the right and down: how much brighter the side of the sun is.
        height_m: (h, w), raised under the crowns.
        crown: (h, w), becomes the brightness of a tree, about 1; of truth values, true.
    """
    rows, cols = height_m.shape
    for i in range(len(radius_px)):
        x, y, reach = pixel[i, 0], pixel[i, 1], max(radius_px[i], 0.6)
        for row in range(max(0, int(np.ceil(y - reach))), min(rows - 1, int(np.floor(y + reach))) + 1):
            for col in range(max(0, int(np.ceil(x - reach))), min(cols - 1, int(np.floor(x + reach))) + 1):
                dx, dy = (col - x) / reach, (row - y) / reach
                away2 = dx * dx + dy * dy
                if away2 >= 1.0 or building[row, col] != 0:
                    continue
                top = top_m[i] * (0.55 + 0.45 * np.sqrt(1.0 - away2))
                if top > height_m[row, col]:
                    height_m[row, col] = top
                    lit = dx * sun[0] + dy * sun[1]
                    crown[row, col] = 0.8 + tone[i] + 0.3 * lit - 0.12 * away2
