"""Tasks of what a city is drawn from, on a made-up city: a lake in the west, a row of houses, a wood in the east."""

from types import SimpleNamespace

import numpy as np
import pytest

from unigeoclip.build.tasks import boston_map
from unigeoclip.city.layers import LAND, CityGrid, CityRasters

GRID = CityGrid.cover((42.30, -71.12, 42.32, -71.08), 6.0)
MIDDLE = GRID.width // 2


@pytest.fixture(autouse=True)
def city(monkeypatch):
    land = np.full(GRID.shape, LAND["residential"], np.uint8)
    land[:, : GRID.width // 4] = LAND["water"]
    land[:, 3 * GRID.width // 4 :] = LAND["wood"]
    houses = np.zeros(GRID.shape, np.uint8)
    houses[:, MIDDLE - 10 : MIDDLE + 10] = 7
    height = np.where(houses > 0, 12, 0).astype(np.float32)
    rasters = CityRasters(GRID, height, houses, land == LAND["wood"], land)
    monkeypatch.setattr(boston_map, "load_atlas", lambda _name: SimpleNamespace(city_rasters=lambda: rasters))
    return rasters


def column_of(latlon):
    return np.floor(GRID.latlon_to_pixel(latlon)[:, 0]).astype(int)


def test_surroundings():
    table = boston_map.surroundings({})
    column = column_of(table.latlon)
    targets = table.targets
    assert (column >= GRID.width // 4).all()  # on land
    at_houses = np.abs(column - MIDDLE) < 5
    assert targets["boston-building-density"][at_houses].min() > 30
    np.testing.assert_allclose(targets["boston-building-height"][at_houses], 12, rtol=1e-5)
    far = np.abs(column - MIDDLE) > 40
    assert np.isnan(targets["boston-building-height"][far]).all()
    in_wood = column > 3 * GRID.width // 4 + 20
    np.testing.assert_allclose(targets["boston-tree-cover"][in_wood], 100)
    np.testing.assert_allclose(targets["boston-park-distance"][in_wood], 1)
    assert set(targets["boston-land-use"][in_wood]) == {"wood"}
    at_houses &= column < MIDDLE
    meters = (3 * GRID.width // 4 - column[at_houses]) * GRID.ground_px_m
    np.testing.assert_allclose(10 ** targets["boston-park-distance"][at_houses] - 10, meters, atol=3 * GRID.ground_px_m)


def test_the_mean_is_that_of_the_square_cut_at_the_edges():
    raster = np.random.default_rng(0).random(GRID.shape)
    row, col = np.array([0, 50, GRID.height - 1]), np.array([0, 60, 5])
    mean = boston_map._means_around((row, col), GRID.shape, 3)(raster)
    cuts = [raster[max(r - 3, 0) : r + 4, max(c - 3, 0) : c + 4].mean() for r, c in zip(row, col, strict=True)]
    np.testing.assert_allclose(mean, cuts)


def test_land_cover_is_read_at_the_middle_of_every_window(city):
    table = boston_map.land_cover({})
    assert len(table.latlon) == 60 * 144
    assert len(set(table.groups.tolist())) == 60
    pixel = GRID.latlon_to_pixel(table.latlon).astype(int)
    houses = city.building_id[pixel[:, 1], pixel[:, 0]] > 0
    assert ((table.targets["boston-land-cover"] == "building") == houses).all()
    assert set(table.targets["boston-land-cover"]) == {"water", "vegetation", "building", "built-up ground"}
    steps = np.diff(table.latlon[:12, 1]) * 111_195 * np.cos(np.radians(42.31))
    np.testing.assert_allclose(steps, 50, atol=city.grid.ground_px_m)


def test_every_class_of_land_has_its_place():
    covered = [kind for kinds in boston_map._COVER.values() for kind in kinds]
    assert sorted(covered) == sorted(LAND)
