"""The street views of an atlas: cameras, walking on, and pictures that do not depend on how they are drawn."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.build import made_up_tiles as made_up
from tests.explorable import HashedSentences, write_explorable_atlas, write_long_street
from unigeoclip.atlas import load_atlas
from unigeoclip.atlas.street_views import HEADINGS, STEP_M
from unigeoclip.build.city.builder import build_city
from unigeoclip.build.city.own.user_data import OwnData
from unigeoclip.errors import AtlasError, InputError
from unigeoclip.geo import distance_m


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    return load_atlas(write_long_street(tmp_path_factory.mktemp("atlases") / "longstreet"))


@pytest.fixture
def streets(atlas):
    return load_atlas(atlas.path).streets


def on_long_street(atlas):
    rows = np.flatnonzero((atlas.views["street"] == "Long Street").to_numpy())
    return rows[np.argsort(atlas.views["lon"].to_numpy()[rows])]


# Cameras


def test_cameras_are_the_rows_of_the_table(atlas, streets):
    assert len(streets) == len(atlas.views)
    view = streets.view(3)
    row = atlas.views.iloc[3]
    assert (view.row, view.lat, view.lon, view.heading_deg) == (3, row["lat"], row["lon"], row["heading_deg"])
    assert (view.street, view.place_id) == (row["street"], row["place_id"])


def test_the_nearest_camera(atlas, streets):
    latlon = atlas.views[["lat", "lon"]].to_numpy()
    for row in (0, 7, len(latlon) - 1):
        assert streets.nearest(*(latlon[row] + 1e-6)).row == row
    point = atlas.places[["lat", "lon"]].to_numpy()[100]
    assert streets.nearest(*point).row == distance_m(point, latlon).argmin()
    with pytest.raises(InputError, match="latitude"):
        streets.nearest(95, 0)


def test_walking_along_a_street_from_end_to_end(atlas, streets):
    rows = on_long_street(atlas)
    here, walked = streets.view(int(rows[0])), []
    while here is not None and len(walked) < 200:
        walked.append(here.row)
        here = streets.ahead(here.lat, here.lon, 90.0)
    assert walked == rows.tolist()


def test_the_next_camera_is_near_and_ahead(atlas, streets):
    rows = on_long_street(atlas)
    middle = streets.view(int(rows[len(rows) // 2]))
    east, west = (streets.ahead(middle.lat, middle.lon, heading) for heading in (90.0, 270.0))
    assert west.lon < middle.lon < east.lon
    for found in (east, west):
        assert 3 < distance_m((middle.lat, middle.lon), (found.lat, found.lon)) <= STEP_M
    assert streets.ahead(middle.lat, middle.lon, 180.0) is None, "there is no street to the south"
    assert streets.ahead(0.0, 0.0, 90.0) is None


def test_the_camera_of_a_place_is_the_one_nearest_to_its_center(atlas, streets):
    place = atlas.views["place_id"].value_counts().index[0]
    mine = np.flatnonzero((atlas.views["place_id"] == place).to_numpy())
    assert len(mine) > 1
    centre = atlas.places.loc[atlas.places["place_id"] == place, ["lat", "lon"]].to_numpy()[0]
    away = distance_m(centre, atlas.views[["lat", "lon"]].to_numpy()[mine])
    assert streets.of_place(place).row == mine[away.argmin()]
    without = set(atlas.places["place_id"]) - set(atlas.views["place_id"])
    assert streets.of_place(without.pop()) is None
    assert streets.of_place("nowhere") is None


def test_an_atlas_without_street_views(tmp_path):
    atlas = load_atlas(write_explorable_atlas(tmp_path / "tiny"))
    with pytest.raises(InputError, match="no street views"):
        _ = atlas.streets


# Pictures


def test_a_crop_shows_the_same_as_the_whole_city(atlas, streets):
    rows = on_long_street(atlas)
    some = np.r_[rows[:2], rows[len(rows) // 2], rows[-2:], 0]
    cropped, headings = streets.panoramas(some, 64, 48)
    crops = list(streets._crops.values())
    assert len(crops) > 1
    with streets.held() as whole:
        known = [int((scene.scene.ground > 0).sum()) for scene in (*crops, whole)]
        assert max(known[:-1]) < known[-1], "or nothing is tested"
        drawn, same = streets.panoramas(some, 64, 48)
    np.testing.assert_array_equal(cropped, drawn)
    np.testing.assert_array_equal(headings, same)
    assert drawn.std() > 10


def test_panoramas_turn_right_from_the_camera(atlas, streets):
    rows = np.array([0, 5])
    views, headings = streets.panoramas(rows, 32, 24)
    assert views.shape == (2, 3, 24, HEADINGS * 32)
    np.testing.assert_allclose(headings[:, 0], atlas.views["heading_deg"].to_numpy()[rows] % 360)
    np.testing.assert_allclose(np.diff(headings, axis=1) % 360, 90)
    single, first = streets.panoramas(rows, 32, 24, count=1)
    np.testing.assert_array_equal(single, views[..., :32])
    np.testing.assert_array_equal(first, headings[:, :1])


def test_a_picture_is_what_the_camera_sees(atlas, streets):
    view = streets.view(4)
    picture = streets.picture(view.lat, view.lon, view.heading_deg, 32, 24)
    assert picture.size == (32, 24)
    np.testing.assert_array_equal(
        np.asarray(picture).transpose(2, 0, 1), streets.panoramas(np.array([4]), 32, 24, 1)[0][0]
    )
    whole_turn = streets.picture(view.lat, view.lon, view.heading_deg + 360, 32, 24)
    assert picture.tobytes() == whole_turn.tobytes()


def test_crops_are_let_go_of(atlas, streets):
    for point in atlas.views[["lat", "lon"]].to_numpy()[::4]:
        streets.picture(*point, 0.0, 8, 8)
    assert len(streets._crops) <= 4


def test_the_city_is_held_no_longer_than_needed(streets):
    with streets.held() as outer, streets.held() as inner:
        assert outer is inner is not None
    assert streets._whole is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((0.0, 0.0, 0.0), "outside the city"),
        ((95.0, 0.0, 0.0), "latitude"),
        ((42.358, -71.081, float("nan")), "heading is a number"),
        ((42.358, -71.081, 0.0, 0, 10), "1 to 2048 pixels"),
        ((42.358, -71.081, 0.0, 10, 5000), "1 to 2048 pixels"),
    ],
)
def test_pictures_that_cannot_be(streets, options, message):
    with pytest.raises(InputError, match=message):
        streets.picture(*options)


# Photos


@pytest.fixture(scope="module")
def photographed(tmp_path_factory):
    """The small town with two photos, a red and a blue one, in place of drawn views."""
    folder = tmp_path_factory.mktemp("photos")
    tiles = made_up.write_tiles(folder / "tiles")
    spots = [(42.358624, -71.081543), (42.357731, -71.081261)]
    for name, color in (("red", (200, 20, 20)), ("blue", (20, 20, 200))):
        Image.new("RGB", (120, 90), color).save(folder / f"{name}.jpg")
    table = pd.DataFrame(spots, columns=["lat", "lon"]).assign(path=["red.jpg", "blue.jpg"], heading=[90, 180])
    table.to_csv(folder / "photos.csv", index=False)
    own = OwnData(street=(folder / "photos.csv",))
    embed = HashedSentences().embed
    path = build_city("photos", tiles, folder / "photos", bbox=made_up.bbox(), own=own, embed=embed)
    return SimpleNamespace(atlas=load_atlas(path), spots=spots)


def test_photos_are_read_and_not_drawn(photographed):
    streets = load_atlas(photographed.atlas.path).streets
    assert not streets.is_rendered
    red = np.asarray(streets.picture(*photographed.spots[0], 12.0, 40, 30))
    assert red.shape == (30, 40, 3)
    assert red[..., 0].min() > 150 > red[..., 2].max()
    with streets.held() as whole:
        assert whole is None
    pictures, headings = streets.panoramas(np.array([0, 1]), 40, 30)
    assert pictures.shape == (2, 3, 30, 40), "a photo is one direction"
    assert sorted(headings.ravel().tolist()) == [90, 180]


def test_a_photo_that_is_gone_is_named(photographed):
    streets = load_atlas(photographed.atlas.path).streets
    path = photographed.atlas.path / photographed.atlas.views["photo"][0]
    kept = path.read_bytes()
    path.unlink()
    try:
        with pytest.raises(AtlasError, match=path.name):
            streets.panoramas(np.array([0]), 40, 30)
    finally:
        path.write_bytes(kept)
