"""Street views: what is drawn where, and where views are taken. All on made-up rasters."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from tests.build.made_up_city import GRID, empty_layers, lines, made_up_rasters
from unigeoclip import geo
from unigeoclip.city.layers import HASHED_FACADES, LAND, CityRasters
from unigeoclip.city.street_view import SPACING_M, Pose, StreetScene, panorama_headings, view_poses
from unigeoclip.errors import InputError

MIDDLE = tuple(map(float, GRID.pixel_to_latlon([[GRID.width / 2, GRID.height / 2]])[0]))


def place(rasters: CityRasters, east_m: float, north_m: float, side_m: float, height_m: float, code: int) -> None:
    """Put a square building so far from the middle."""
    px = GRID.ground_px_m
    col, row = GRID.width / 2 + east_m / px, GRID.height / 2 - north_m / px
    half = side_m / 2 / px
    where = (slice(round(row - half), round(row + half)), slice(round(col - half), round(col + half)))
    rasters.height_m[where] = height_m
    rasters.building_id[where] = code
    rasters.land[where] = LAND["building"]


@pytest.fixture(scope="module")
def house_to_the_north() -> StreetScene:
    rasters = made_up_rasters("road")
    place(rasters, 0, 40, 24, 20, 7)
    return StreetScene.of(rasters)


def test_a_building_is_seen_from_where_it_stands_and_nowhere_else(house_to_the_north):
    empty = StreetScene.of(made_up_rasters("road"))
    headings = [0, 90, 180, 270]
    views, without = (scene.views([MIDDLE] * 4, headings, 96, 64) for scene in (house_to_the_north, empty))
    differs = [(views[i] != without[i]).mean() for i in range(4)]
    assert differs[0] > 0.05
    assert max(differs[1:]) < 0.02


def test_headings_turn_clockwise_from_north():
    rasters = made_up_rasters("road")
    place(rasters, 40, 0, 24, 20, 7)  # in the east
    scene = StreetScene.of(rasters)
    empty = StreetScene.of(made_up_rasters("road"))
    differs = [(scene.view(Pose(*MIDDLE, h)) != empty.view(Pose(*MIDDLE, h))).mean() for h in (0, 90, 180, 270)]
    assert int(np.argmax(differs)) == 1
    right_half = scene.view(Pose(*MIDDLE, 60)) != empty.view(Pose(*MIDDLE, 60))
    assert right_half[:, :, 112:].mean() > 5 * right_half[:, :, :100].mean()


def test_a_wall_is_as_high_and_as_far_as_it_should_be(house_to_the_north):
    # 20 m high, 28 m away: with a focal length of 112 px its top is (20 - 2.2) / 28 * 112 = 71 rows above the horizon.
    view = house_to_the_north.view(Pose(*MIDDLE, 0)).astype(int)
    sky = StreetScene.of(made_up_rasters("road")).view(Pose(*MIDDLE, 0)).astype(int)
    column = np.abs(view - sky)[:, :, 112].sum(0)
    top = int(np.argmax(column > 20))
    assert abs((0.56 * 160 - top) - 71) <= 5
    bottom = 160 - int(np.argmax(column[::-1] > 30))
    assert abs((bottom - 0.56 * 160) - 2.2 / 28 * 112) <= 4


def test_higher_buildings_are_seen_over_lower_ones():
    rasters = made_up_rasters("road")
    place(rasters, 0, 30, 16, 6, HASHED_FACADES + 1 + 48)  # tagged red
    low = StreetScene.of(rasters).view(Pose(*MIDDLE, 0))
    place(rasters, 0, 80, 24, 60, HASHED_FACADES + 1 + 3)  # tagged blue
    both = StreetScene.of(rasters).view(Pose(*MIDDLE, 0))
    changed = (low != both).any(0)
    assert changed[:60, 112].any()
    assert not changed[80:86, 112].any(), "the low house hides the foot of the tower"


def test_trees_are_green_and_let_something_through():
    rasters = made_up_rasters("grass")
    px = GRID.ground_px_m
    row, col = round(GRID.height / 2 - 20 / px), round(GRID.width / 2)
    where = (slice(row - 1, row + 2), slice(col - 1, col + 2))
    rasters.height_m[where] = 10
    rasters.tree[where] = True
    with_tree = StreetScene.of(rasters).view(Pose(*MIDDLE, 0)).astype(int)
    without = StreetScene.of(made_up_rasters("grass")).view(Pose(*MIDDLE, 0)).astype(int)
    crown = (np.abs(with_tree - without).sum(0) > 60) & (np.arange(160) < 80)[:, None]
    red, green, blue = with_tree[:, crown].mean(1)
    assert crown.sum() > 100
    assert green > red
    assert green > blue


@pytest.mark.parametrize(("land", "brightest"), [("grass", 1), ("water", 2)])
def test_ground_has_the_color_of_its_class(land, brightest):
    view = StreetScene.of(made_up_rasters(land)).view(Pose(*MIDDLE, 45))
    assert int(np.argmax(view[:, 130:].reshape(3, -1).mean(1))) == brightest


def test_tagged_colors_are_those_of_walls():
    views = []
    for color in (48, 3):  # red, blue: levels of red, green, blue in base four
        rasters = made_up_rasters("road")
        place(rasters, 0, 30, 40, 20, HASHED_FACADES + 1 + color)
        views.append(StreetScene.of(rasters).view(Pose(*MIDDLE, 0))[:, 40:80].reshape(3, -1).mean(1))
    assert views[0][0] > views[0][2] + 20
    assert views[1][2] > views[1][0] + 20


def test_the_same_pose_gives_the_same_bytes_alone_and_among_others(house_to_the_north):
    spots = geo.offset_m(np.array([MIDDLE] * 5), [0, 5, -9, 14, 3], [0, 3, 8, -20, -11])
    headings = [3.0, 77.0, 150.0, 211.0, 333.0]
    together = house_to_the_north.views(spots, headings)
    for i in range(5):
        alone = house_to_the_north.view(Pose(float(spots[i, 0]), float(spots[i, 1]), headings[i]))
        np.testing.assert_array_equal(alone, together[i])
    np.testing.assert_array_equal(together, StreetScene.of(rebuilt(house_to_the_north)).views(spots, headings))


def rebuilt(scene: StreetScene) -> CityRasters:
    """The rasters of a scene as they come back from a file in decimetres."""
    tree = scene.scene.ground >= 128
    land = scene.scene.ground & 31
    return CityRasters(scene.grid, scene.scene.height_dm / np.float32(10), scene.scene.code, tree, land)


def test_panoramas_are_their_views_side_by_side(house_to_the_north):
    headings = panorama_headings([20.0], 4)
    np.testing.assert_array_equal(headings, [[20, 110, 200, 290]])
    strip = house_to_the_north.views([MIDDLE], headings, 48, 48)
    assert strip.shape == (1, 3, 48, 192)
    for i, heading in enumerate(headings[0]):
        single = house_to_the_north.views([MIDDLE], [heading], 48, 48)
        np.testing.assert_array_equal(strip[..., i * 48 : (i + 1) * 48], single)


def test_bad_poses_are_refused(house_to_the_north):
    with pytest.raises(InputError, match="outside this city"):
        house_to_the_north.view(Pose(0, 0, 0))
    with pytest.raises(InputError, match="no camera"):
        Pose(*MIDDLE, float("nan"))
    with pytest.raises(InputError, match="latitude"):
        Pose(91, 0, 0)
    with pytest.raises(InputError, match="headings"):
        house_to_the_north.views([MIDDLE], [[[1.0]]])


def street_layers(**classes: list[tuple[float, float, float, float]]) -> dict[str, gpd.GeoDataFrame]:
    layers = empty_layers()
    layers["transportation"] = lines(classes)
    return layers


def test_views_stand_on_the_right_of_roads_and_look_along_them():
    layers = street_layers(minor=[(-150, 0, 150, 0)])  # from west to east
    layers["transportation_name"] = lines({"minor": [(-150, 0, 150, 0)]}, name="Elm Street")
    views = view_poses(layers, GRID)
    assert len(views) == round(300 / SPACING_M["minor"])
    assert set(views["heading_deg"]) <= {90, 270}
    assert set(views["street"]) == {"Elm Street"}
    north_m = (views["lat"] - MIDDLE[0]) * geo.METERS_PER_DEGREE
    eastward = (views["heading_deg"] == 90).to_numpy()
    assert (north_m[eastward] < -1).all()
    assert (north_m[~eastward] > 1).all()
    gaps = np.diff(np.sort(views["lon"])) * geo.METERS_PER_DEGREE * np.cos(np.radians(MIDDLE[0]))
    np.testing.assert_allclose(gaps, 300 / len(views), atol=0.3)


def test_no_views_in_tunnels_on_driveways_on_rails_in_houses_or_beside_another_road():
    layers = street_layers(minor=[(-150, 0, 150, 0)], rail=[(-150, 60, 150, 60)], path=[(-150, 6, 150, 6)])
    tunnel = lines({"primary": [(-150, -60, 150, -60)]}, brunnel="tunnel")
    drive = lines({"service": [(-150, -90, 150, -90)]}, service="driveway")
    table = pd.concat([layers["transportation"], tunnel, drive], ignore_index=True)
    layers["transportation"] = gpd.GeoDataFrame(table, crs="EPSG:3857")
    assert set(view_poses(layers, GRID)["road_class"]) == {"minor"}
    rasters = made_up_rasters("road")
    place(rasters, 0, 0, 400, 10, 5)
    assert view_poses(layers, GRID, rasters).empty


def test_a_road_cut_at_a_tile_edge_is_one_road():
    whole = view_poses(street_layers(minor=[(-150, 0, 150, 0)]), GRID)
    halves = view_poses(street_layers(minor=[(-150, 0, 10, 0), (10, 0, 150, 0)]), GRID)
    pd.testing.assert_frame_equal(whole, halves)


def test_a_city_without_roads_has_no_views():
    assert view_poses(empty_layers(), GRID).empty
