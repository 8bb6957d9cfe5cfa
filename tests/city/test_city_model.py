import numpy as np
import pytest

from tests.build.made_up_city import GRID, at, empty_layers, lines, square, table
from unigeoclip.city.city_model import build_model
from unigeoclip.city.layers import HASHED_FACADES, LAND, CityGrid, facade_codes, tagged_color


def city(**changes):
    layers = empty_layers()
    layers.update(changes)
    return layers


def pixel(east_m, north_m):
    col, row = GRID.to_pixel(at(east_m, north_m)).astype(int)
    return row, col


def test_tagged_heights_stand_and_the_others_are_estimated():
    building = table(
        "building", [square(0, 0, 20), square(100, 0, 9), square(0, 100, 60)], height_m=[33, np.nan, np.nan]
    )
    model, rasters = build_model(city(building=building), GRID)
    assert rasters.height_m[pixel(0, 0)] == 33
    assert model.estimated.tolist() == [False, True, True]
    house, hall = model.building_height_m[1:]
    assert 5 < house < 10 < hall + 3
    assert hall > house
    assert rasters.building_id[pixel(0, 0)] == model.building_code[0]
    assert rasters.land[pixel(0, 0)] == LAND["building"]
    assert (rasters.height_m[rasters.building_id > 0] >= 1).all()


def test_large_buildings_grow_with_tall_neighbors():
    tall = [square(60 * k, 120, 25) for k in range(-2, 3)]
    building = table("building", [square(0, 0, 40), *tall], height_m=[np.nan, *[90] * 5])
    assert build_model(city(building=building), GRID)[0].building_height_m[0] > 50
    alone = table("building", [square(0, 0, 40)])
    assert build_model(city(building=alone), GRID)[0].building_height_m[0] < 25


def test_what_covers_the_ground():
    layers = city(
        landuse=table("landuse", [square(0, 0, 400)], **{"class": ["residential"]}),
        landcover=table("landcover", [square(-100, 0, 100)], **{"class": ["grass"], "subclass": ["park"]}),
        water=table("water", [square(100, 100, 60)], **{"class": ["lake"]}),
        transportation=lines({"minor": [(-200, -100, 200, -100)], "rail": [(-200, -150, 200, -150)]}),
    )
    land = build_model(layers, GRID)[1].land
    for where, name in (((20, 0), "residential"), ((-100, 0), "park"), ((100, 100), "water"), ((0, -100), "road"),
                        ((0, -150), "rail"), ((0, -95), "sidewalk"), ((0, 240), "unknown")):  # fmt: skip
        assert land[pixel(*where)] == LAND[name], name


def test_tunnels_are_not_seen():
    roads = lines({"primary": [(-200, 0, 200, 0)]}, brunnel="tunnel")
    assert build_model(city(transportation=roads), GRID)[1].land[pixel(0, 0)] == LAND["unknown"]


def test_trees_stand_where_vegetation_is():
    wood = table("landcover", [square(0, 0, 200)], **{"class": ["wood"]})
    building = table("building", [square(0, 0, 40)], height_m=[20])
    road = lines({"secondary": [(-100, 60, 100, 60)]})
    model, rasters = build_model(city(landcover=wood, building=building, transportation=road), GRID)
    assert len(model.trees.xy_m) > 300
    inside = rasters.land == LAND["wood"]
    assert rasters.tree[inside].mean() > 0.5
    assert not rasters.tree[rasters.building_id > 0].any()
    assert (rasters.tree == ((rasters.height_m > 0) & (rasters.building_id == 0))).all()
    assert rasters.height_m[rasters.tree].max() < 25
    cols, rows = GRID.to_pixel(model.trees.xy_m).astype(int).T
    assert (rasters.land[rows, cols] != LAND["road"]).all(), "no trunk stands on a road"


def test_an_empty_map_is_flat():
    model, rasters = build_model(empty_layers(), GRID)
    assert len(model.building_height_m) == 0
    assert (rasters.height_m == 0).mean() > 0.5
    assert set(np.unique(rasters.land)) == {LAND["unknown"]}


def test_the_same_map_gives_the_same_city():
    layers = city(
        building=table("building", [square(x, 0, 15) for x in range(-100, 100, 30)]),
        landcover=table("landcover", [square(0, 100, 100)], **{"class": ["wood"]}),
    )
    (_, one), (_, other) = build_model(layers, GRID), build_model(layers, GRID)
    assert (one.height_m == other.height_m).all()
    assert (one.building_id == other.building_id).all()


def test_facade_codes():
    building = table(
        "building", [square(0, 0, 10), square(50, 0, 10), square(90, 0, 10)], colour=["#a52a2a", None, "#zzzzzz"]
    )
    codes = facade_codes(building)
    assert codes[0] > HASHED_FACADES
    assert tagged_color(int(codes[0])) == pytest.approx((0xA5, 0x2A, 0x2A), abs=32)
    assert 0 < codes[1] <= HASHED_FACADES
    assert 0 < codes[2] <= HASHED_FACADES
    assert tagged_color(int(codes[1])) is None
    assert codes[1] == facade_codes(building.iloc[[1]])[0], "in every crop the same"


def test_the_grid_goes_both_ways():
    grid = CityGrid.cover((42.0, -71.1, 42.01, -71.0), 2.5)
    assert grid.ground_px_m == pytest.approx(2.5, rel=1e-3)
    assert grid.bounds_deg == pytest.approx((42.0, -71.1, 42.01, -71.0), abs=3e-5)
    points = np.array([[42.003, -71.07], [42.0099, -71.001]])
    assert grid.pixel_to_latlon(grid.latlon_to_pixel(points)) == pytest.approx(points, abs=1e-9)
