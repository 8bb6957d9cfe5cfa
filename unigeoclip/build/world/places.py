"""Where the places of the world atlas are, and how they are split."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from unigeoclip import geo
from unigeoclip.build.s2 import cell_outline
from unigeoclip.s2_cells import cell_ids

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from unigeoclip.build.world.geonames import Towns

SOUTH_DEG, NORTH_DEG = -60.0, 84.0  # no place in Antarctica: the sources there are poor
CITY_JITTER_DEG = 0.05
CITY_MIN_POPULATION = 15_000
COORDINATE_STEP_DEG = 2.0**-13  # 14 m: exact in binary, so that the columns pack well
BLOCK_LEVEL = 3  # S2 cells of about 1000 km
BLOCK_SHARE = 0.1
OUTLINE_POINTS = 128  # along each edge of a cell, to measure distances from it
BUFFER_DEG = 3.0  # as wide as the input windows, so that no test window touches a training window


def uniform_places(
    count: int, is_land: Callable[[NDArray[np.float64]], NDArray[np.bool_]], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw (count, 2) points uniform by area on land between `SOUTH_DEG` and `NORTH_DEG`."""
    bounds = (SOUTH_DEG, -180.0, NORTH_DEG, 180.0)
    return _draw(count, lambda more: geo.random_on_sphere(more, rng, bounds), is_land)


def city_places(
    count: int, towns: Towns, is_land: Callable[[NDArray[np.float64]], NDArray[np.bool_]], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw (count, 2) points near cities: a city by the root of its population, then a step of `CITY_JITTER_DEG`."""
    cities = towns.subset((towns.population >= CITY_MIN_POPULATION) & (towns.latlon[:, 0] > SOUTH_DEG))
    weight = np.sqrt(cities.population + 500.0)

    def draw(more: int) -> NDArray[np.float64]:
        centers = cities.latlon[rng.choice(len(cities), more, p=weight / weight.sum())]
        points: NDArray[np.float64] = centers + rng.normal(0.0, CITY_JITTER_DEG, (more, 2))
        points[:, 1] = geo.wrap_lon_deg(points[:, 1])
        return points

    return _draw(count, draw, is_land)


def _draw(
    count: int,
    draw: Callable[[int], NDArray[np.float64]],
    is_land: Callable[[NDArray[np.float64]], NDArray[np.bool_]],
) -> NDArray[np.float64]:
    """Draw until ``count`` points are on land; keeps the first ones, so the result depends on the seed alone."""
    kept = np.empty((0, 2))
    while len(kept) < count:
        points = np.round(draw(2 * count) / COORDINATE_STEP_DEG) * COORDINATE_STEP_DEG
        points[:, 1] = geo.wrap_lon_deg(points[:, 1])
        kept = np.concatenate([kept, points[is_land(points)]])
    return kept[:count]


def random_split(count: int, held_out: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Mark ``held_out`` of ``count`` places at random."""
    marked = np.zeros(count, dtype=np.bool_)
    marked[rng.permutation(count)[:held_out]] = True
    return marked


def block_split(latlon: NDArray[np.float64], max_test: int, rng: np.random.Generator) -> NDArray[np.object_]:
    """Hold out whole S2 cells with a buffer round them.

    Args:
        latlon: (n, 2) degrees.
        max_test: At most so many places are tested; the other places of held-out cells count as buffer.
        rng: Chooses the cells, and the places if there are too many.

    Returns:
        (n,) of "train", "held_out" and "buffer".
    """
    cells = cell_ids(latlon, BLOCK_LEVEL)
    occupied = np.unique(cells)
    chosen = rng.choice(occupied, max(1, round(BLOCK_SHARE * len(occupied))), replace=False)
    test = np.isin(cells, chosen)
    outline = np.concatenate([cell_outline(int(cell), OUTLINE_POINTS) for cell in np.sort(chosen)])
    chord, _ = cKDTree(geo.unit_xyz(outline)).query(geo.unit_xyz(latlon))
    near = geo.arc_rad(chord) < np.radians(BUFFER_DEG)
    split = np.where(near | test, "buffer", "train").astype(object)
    testable = np.flatnonzero(test)
    split[np.sort(rng.permutation(testable)[:max_test])] = "held_out"
    return split
