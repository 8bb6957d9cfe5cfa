import numpy as np
import pandas as pd
import pytest
import s2sphere

from tests.build.made_up_city import made_up_rasters
from unigeoclip import geo, s2_cells
from unigeoclip.build.city import cells
from unigeoclip.city.layers import LAND, CityGrid

WIDE = CityGrid.cover((42.30, -71.15, 42.40, -71.02), 20.0)  # 11 x 11 km, coarse


@pytest.mark.parametrize("level", [0, 3, 12, 16, 30])
def test_cell_numbers_are_those_of_the_s2_library(level):
    points = geo.random_on_sphere(60, np.random.default_rng(4))
    points = np.concatenate([points, [[90, 0], [-90, 10], [0, 0], [0, -180], [42.36, -71.06], [52.37, 4.89]]])
    theirs = [s2sphere.CellId.from_lat_lng(s2sphere.LatLng.from_degrees(*p)).parent(level).id() for p in points]
    np.testing.assert_array_equal(s2_cells.cell_ids(points, level), np.array(theirs, np.uint64))


def test_tokens_are_those_of_the_s2_library():
    for number in s2_cells.cell_ids(np.array([[42.36, -71.06], [0, 0], [-33.9, 151.2]]), cells.PLACE_LEVEL):
        assert s2_cells.token(number) == s2sphere.CellId(int(number)).to_token()


def test_cells_lie_on_land_inside_the_margin_and_once():
    rasters = made_up_rasters("residential", WIDE)
    rasters.land[:, WIDE.width // 2 :] = LAND["water"]
    table = cells.land_cells(rasters, 200.0)
    assert table["place_id"].is_unique
    assert len(table) > 1000
    at = WIDE.latlon_to_pixel(table[["lat", "lon"]].to_numpy())
    assert at[:, 0].max() < WIDE.width / 2 + 10
    assert at.min() * WIDE.ground_px_m >= 200
    assert table["land"].min() >= cells.LEAST_LAND
    centers = s2_cells.cell_ids(table[["lat", "lon"]].to_numpy(), cells.PLACE_LEVEL)
    np.testing.assert_array_equal(centers, table["cell"])


def test_held_out_blocks_have_a_buffer_round_them():
    table = cells.land_cells(made_up_rasters("residential", WIDE), 200.0)
    latlon = table[["lat", "lon"]].to_numpy()
    blocks = cells.held_out_blocks(latlon)
    split = cells.block_split(latlon, blocks)
    inside = np.isin(s2_cells.cell_ids(latlon, cells.BLOCK_LEVEL), blocks)
    assert 0.03 < inside.mean() < 0.25
    np.testing.assert_array_equal(split == "held_out", inside)
    held_out, train, buffer = latlon[inside], latlon[split == "train"], latlon[split == "buffer"]
    nearest = np.array([geo.distance_m(point, held_out).min() for point in train])
    assert nearest.min() > cells.BUFFER_M
    assert len(buffer)
    assert all(geo.distance_m(point, held_out).min() < cells.BUFFER_M + 160 for point in buffer)


def test_a_city_of_one_block_holds_none_out():
    latlon = geo.offset_m(np.tile([[42.35, -71.1]], (9, 1)), np.arange(9.0), 0)
    blocks = cells.held_out_blocks(latlon)
    assert len(blocks) == 0
    assert set(cells.block_split(latlon, blocks)) == {"train"}


def test_views_find_their_places_and_are_split():
    table = cells.land_cells(made_up_rasters("residential", WIDE), 200.0)
    latlon = table[["lat", "lon"]].to_numpy()
    blocks = cells.held_out_blocks(latlon)
    rng = np.random.default_rng(0)
    spots = np.concatenate([geo.offset_m(latlon, *rng.uniform(-30, 30, (2, len(latlon)))), [[10.0, 10.0]]])
    views = cells.split_views(pd.DataFrame({"lat": spots[:, 0], "lon": spots[:, 1]}), table, blocks)
    assert 0.95 * len(latlon) < len(views) <= len(latlon)
    assert views["view_id"].is_unique
    own = s2_cells.cell_ids(views[["lat", "lon"]].to_numpy(), cells.PLACE_LEVEL)
    assert [s2_cells.token(number) for number in own] == views["place_id"].tolist()
    held_out = views["views"] == "held_out"
    assert set(views.loc[held_out, "blocks"]) == {"train"}
    assert 0.07 < held_out[views["blocks"] == "train"].mean() < 0.18

    places = cells.split_cells(table, views, blocks)
    tested = set(views.loc[held_out, "place_id"])
    assert set(places.loc[places["views"] == "held_out", "place_id"]) <= tested
    assert set(places.loc[places["views"] == "held_out", "blocks"]) == {"train"}
