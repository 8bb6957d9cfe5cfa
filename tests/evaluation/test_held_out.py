"""What a split of a made-up city holds out, for which modalities, and how it is encoded."""

from dataclasses import replace

import numpy as np
import pytest

from tests.atlas.tiny import write_tiny_atlas
from tests.explorable import use_hashed_sentences, write_explorable_city
from unigeoclip.atlas import load_atlas
from unigeoclip.errors import InputError
from unigeoclip.evaluation import held_out as held_out_module
from unigeoclip.evaluation.held_out import (
    PHOTO,
    HeldOut,
    encode_items,
    encode_photos,
    every_place,
    held_out,
    split_facts,
)
from unigeoclip.evaluation.report import unlike_thresholds
from unigeoclip.geo import distance_m
from unigeoclip.model import load_model

NAMES = ["location", "aerial", "street", "surface", "text"]
STREET = ("street",)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_explorable_city(tmp_path_factory.mktemp("atlases") / "madeup")


@pytest.fixture
def atlas(folder):
    return load_atlas(folder)


@pytest.fixture(scope="module")
def model(folder):
    return load_model(load_atlas(folder).model_path)


@pytest.fixture(autouse=True)
def _hashed_sentences(monkeypatch):
    use_hashed_sentences(monkeypatch)


def without_most_photos(atlas, kept):
    """The same city with so few held-out cameras, and no other."""
    few = np.flatnonzero((atlas.views["views"] == "held_out").to_numpy())[:kept]
    atlas.views = atlas.views.iloc[few].reset_index(drop=True)
    return atlas


def test_items_with_street_views_are_held_out_cameras_one_a_place(atlas):
    items = held_out(atlas, "views", having=STREET)
    views = atlas.views.iloc[items.cameras]
    assert len(items) > 2
    assert set(views["views"]) == {"held_out"}
    assert views["place_id"].tolist() == atlas.places["place_id"].iloc[items.rows].tolist()
    assert views["place_id"].is_unique
    assert set(views["place_id"]) == set(atlas.views.loc[atlas.views["views"] == "held_out", "place_id"])
    np.testing.assert_array_equal(items.latlon, views[["lat", "lon"]].to_numpy())
    np.testing.assert_array_equal(items.cameras, held_out(atlas, "views", having=STREET).cameras)


def test_few_photos_do_not_shrink_what_needs_none(atlas):
    """Two photos in a city of many places: pairs of aerial picture and text are measured on all its places."""
    places = len(atlas.places)
    few = without_most_photos(atlas, 2)
    assert len(held_out(few, "views", having=("street", "text"))) <= 2
    items = held_out(few, "views", having=("aerial", "text"))
    assert len(items) == places
    assert sorted(items.rows) == list(range(places))
    alone = items.cameras < 0
    assert 0 < (~alone).sum() <= 2
    np.testing.assert_array_equal(items.latlon[alone], few.places[["lat", "lon"]].to_numpy()[items.rows[alone]])


def test_where_there_are_cameras_enough_all_pairs_are_measured_at_them(atlas, monkeypatch):
    """So that the shipped figures of pairs with and without street views are of the same items."""
    monkeypatch.setattr(held_out_module, "MOST", 3)
    at_cameras = held_out(atlas, "views", having=STREET)
    items = held_out(atlas, "views", having=("aerial", "text"))
    assert len(items) == 3
    np.testing.assert_array_equal(items.keys(), at_cameras.keys())


def test_items_of_blocks_lie_in_held_out_blocks_without_cameras_too(atlas):
    columns = np.array(["train", "held_out"])
    atlas.places = atlas.places.assign(blocks=columns[np.arange(len(atlas.places)) % 2])
    atlas.views = atlas.views.assign(blocks="train")
    items = held_out(atlas, "blocks", having=("aerial", "text"))
    assert items.rows.tolist() == list(range(1, len(atlas.places), 2))
    assert not len(held_out(atlas, "blocks", having=STREET))


def test_an_item_has_what_it_is_asked_for(atlas, monkeypatch):
    """A place whose window is not known is no item of the aerial picture; of text it is."""
    known = np.arange(len(atlas.places)) < len(atlas.places) // 2
    middle = atlas.places["lat"].median()
    monkeypatch.setattr(atlas, "present", lambda name: known if name == "aerial" else np.ones(len(known), bool))
    monkeypatch.setattr(
        atlas, "present_at", lambda name, at: at[:, 0] > middle if name == "aerial" else np.ones(len(at), bool)
    )
    items = held_out(atlas, "views", having=("aerial", "text"))
    at_camera = items.cameras >= 0
    assert known[items.rows[~at_camera]].all()
    assert (items.latlon[at_camera, 0] > middle).all()
    assert len(items) < len(held_out(atlas, "views", having=("text",)))


def test_fewer_items_are_some_of_them(atlas):
    whole, few = (held_out(atlas, "views", most, having=STREET) for most in (None, 2))
    assert len(few) == 2
    assert set(few.cameras) <= set(whole.cameras)
    assert len(held_out(atlas, "views", 10_000, having=STREET)) == len(whole)


def test_all_cameras_take_every_place_that_has_one(atlas):
    items = held_out(atlas, None, having=STREET)
    assert set(atlas.places["place_id"].iloc[items.rows]) == set(atlas.views["place_id"])
    assert len(held_out(atlas, None, 3, having=STREET)) == 3


def test_a_gallery_holds_every_place_once(atlas):
    items = held_out(atlas, "views", having=STREET)
    cells = every_place(atlas, items, ("aerial",), at="cells")
    np.testing.assert_array_equal(cells.latlon, atlas.places[["lat", "lon"]].to_numpy())
    cameras = every_place(atlas, items, ("aerial",), at="cameras")
    assert cameras.rows.tolist() == list(range(len(atlas.places)))
    np.testing.assert_array_equal(cameras.latlon[items.rows], items.latlon)
    seen = atlas.places["place_id"].isin(atlas.views["place_id"]).to_numpy()
    np.testing.assert_array_equal(cameras.latlon[~seen], cells.latlon[~seen])
    positions = {tuple(at) for at in atlas.views[["lat", "lon"]].to_numpy().tolist()}
    assert {tuple(at) for at in cameras.latlon[seen].tolist()} <= positions


def test_a_gallery_of_windows_holds_centers_and_cameras(atlas):
    items = held_out(atlas, "views", having=STREET)
    found = every_place(atlas, items, ("aerial",), at="windows")
    count = len(atlas.places)
    np.testing.assert_array_equal(found.latlon[:count], atlas.places[["lat", "lon"]].to_numpy())
    assert len(found) > count
    assert len(np.unique(found.keys(), axis=0)) == len(found), "windows of one place are told apart"
    assert len(every_place(atlas, items, ("text",), at="windows")) == count


def test_how_far_a_split_is_from_the_training(atlas, tmp_path):
    facts = split_facts(atlas, "views")
    items = held_out(atlas, "views", having=STREET)
    trained = atlas.views.loc[atlas.views["views"] == "train", ["lat", "lon"]].to_numpy()
    meters = np.median([distance_m(at, trained).min() for at in items.latlon])
    assert facts["median_distance_to_training_camera_km"] == pytest.approx(meters / 1000, rel=1e-3)
    assert facts["median_distance_to_training_km"] <= facts["median_distance_to_training_camera_km"]
    assert facts["window_km"] == pytest.approx(0.225)

    world = load_atlas(write_tiny_atlas(tmp_path / "tiny"))
    latlon = world.places[["lat", "lon"]].to_numpy()
    out = (world.places["random"] == "held_out").to_numpy()
    meters = np.median([distance_m(at, latlon[~out]).min() for at in latlon[out]])
    assert split_facts(world, "random")["median_distance_to_training_km"] == pytest.approx(meters / 1000, rel=1e-3)


def test_an_atlas_without_street_views(tmp_path):
    world = load_atlas(write_tiny_atlas(tmp_path / "tiny"))
    items = held_out(world, "random")
    assert items.cameras is None
    assert len(items) == (world.places["random"] == "held_out").sum()
    with pytest.raises(InputError, match="no street views"):
        held_out(world, "random", having=STREET)
    with pytest.raises(InputError, match="no split 'views'"):
        held_out(world, "views")


def test_an_atlas_without_street_views_holds_out_a_bounded_number(tmp_path, monkeypatch):
    world = load_atlas(write_tiny_atlas(tmp_path / "tiny"))
    every = held_out(world, "random")
    monkeypatch.setattr(held_out_module, "MOST_ELSEWHERE", len(every) - 1)
    fewer = held_out(world, "random")
    assert len(fewer) == len(every) - 1
    assert set(fewer.rows.tolist()) < set(every.rows.tolist())


def test_items_are_encoded_where_the_camera_stands(atlas, model):
    items = held_out(atlas, "views", having=NAMES)
    for name in NAMES:
        vectors = encode_items(model, atlas, name, items)
        assert vectors.shape == (len(items), model.dim)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
        np.testing.assert_allclose(encode_items(model, atlas, name, items.take(1)), vectors[:1], atol=1e-5)
    location = encode_items(model, atlas, "location", items)
    np.testing.assert_allclose(location, model.encode({"location": items.latlon})["location"], atol=1e-5)


def test_photos_are_the_first_view_without_its_heading(atlas, model):
    items = held_out(atlas, "views", having=STREET)
    photos = encode_photos(model, atlas, items)
    width, height = model.input_size("street")
    views = atlas.streets.panoramas(items.cameras, width, height)[0][..., :width]
    np.testing.assert_allclose(photos, model.encode({"street": np.ascontiguousarray(views)})["street"], atol=1e-5)
    np.testing.assert_array_equal(encode_items(model, atlas, PHOTO, items), photos)
    for cameras in (None, np.full(len(items), -1)):
        with pytest.raises(InputError, match="no street views"):
            encode_photos(model, atlas, replace(items, cameras=cameras))


def test_thresholds_of_a_city_know_street_views(atlas, model):
    assert set(unlike_thresholds(model, atlas)) == {"aerial", "street", "surface"}


def test_items_can_be_thinned_out():
    items = HeldOut(np.arange(10), np.zeros((10, 2)), np.arange(10) + 5)
    assert items.take(4).rows.tolist() == [0, 3, 6, 9]
    assert items.take(4).cameras.tolist() == [5, 8, 11, 14]
