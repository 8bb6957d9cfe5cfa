import numpy as np
import pytest

from tests.build.made_up_city import GRID, at, empty_layers, lines, middle_latlon, square, table
from unigeoclip.city.city_model import build_model
from unigeoclip.city.layers import CityGrid
from unigeoclip.city.ortho import AerialPainter
from unigeoclip.city.street_view import StreetScene


@pytest.fixture(scope="module")
def layers():
    layers = empty_layers()
    layers["building"] = table("building", [square(0, 60, 40), square(-90, 60, 14)], height_m=[40, np.nan])
    layers["landcover"] = table("landcover", [square(120, -120, 120)], **{"class": ["wood"]})
    layers["water"] = table("water", [square(-120, -120, 100)], **{"class": ["lake"]})
    layers["transportation"] = lines({"primary": [(-200, 0, 200, 0)]})
    return layers


@pytest.fixture(scope="module")
def model(layers):
    return build_model(layers, GRID)


@pytest.fixture(scope="module")
def picture(layers, model):
    return AerialPainter(*model, layers["building"]).rows(0, GRID.height)


def patch(picture, east_m, north_m, reach=3):
    col, row = GRID.to_pixel(at(east_m, north_m)).astype(int)
    return picture[row - reach : row + reach + 1, col - reach : col + reach + 1].reshape(-1, 3).mean(0)


def test_things_look_like_themselves(picture):
    red, green, blue = patch(picture, -120, -120)
    assert blue > red
    assert blue > green - 5
    red, green, blue = patch(picture, 120, -120, reach=12)
    assert green > red > blue
    road = patch(picture, -160, 0, reach=1)
    assert road.max() - road.min() < 35


def test_shadows_fall_away_from_the_sun(picture):
    shade, light = patch(picture, -8, 95), patch(picture, 0, 25)
    assert shade.sum() < 0.75 * light.sum(), "north of the tower it is dark"


def test_strips_are_the_whole(layers, model, picture):
    painter = AerialPainter(*model, layers["building"])
    strips = [painter.rows(first, min(first + 100, GRID.height)) for first in range(0, GRID.height, 100)]
    off = np.abs(np.concatenate(strips).astype(int) - picture).max(axis=2)
    assert (off > 2).mean() < 0.005, "blocks round positions at edges differently, no more"


def test_the_seed_changes_the_picture_and_no_street_view(layers, model, picture):
    other = AerialPainter(*model, layers["building"], seed=1).rows(0, GRID.height)
    assert (other != picture).mean() > 0.3
    again = AerialPainter(*model, layers["building"]).rows(0, GRID.height)
    assert (again == picture).all()
    where, headings = middle_latlon(), np.array([0.0])
    before = StreetScene.of(model[1]).views(where, headings, 96, 64)
    after = StreetScene.of(build_model(layers, GRID)[1]).views(where, headings, 96, 64)
    assert before.tobytes() == after.tobytes()


def test_on_the_southern_half_the_sun_stands_in_the_north():
    grid = CityGrid.cover((-33.872, 151.2, -33.868, 151.205), 2.5)
    x, y = grid.to_mercator((grid.width / 2, grid.height / 2))
    layers = empty_layers()
    from shapely import Point

    layers["building"] = table("building", [Point(x, y).buffer(25, cap_style="square")], height_m=[50])
    model, rasters = build_model(layers, grid)
    picture = AerialPainter(model, rasters, layers["building"]).rows(0, grid.height).astype(float)
    row, col, reach = grid.height // 2, grid.width // 2, round(40 / 2.5)
    south, north = picture[row + reach, col - 3 : col + 3].mean(), picture[row - reach, col - 3 : col + 3].mean()
    assert south < 0.8 * north
