"""What a split of a made-up city holds out, and how it is encoded."""

from dataclasses import replace

import numpy as np
import pytest

from tests.atlas.tiny import write_tiny_atlas
from tests.explorable import use_hashed_sentences, write_explorable_city
from unigeoclip.atlas import load_atlas
from unigeoclip.checkpoint import load_model
from unigeoclip.errors import InputError
from unigeoclip.evaluation.held_out import HeldOut, all_cameras, encode_items, encode_photos, held_out
from unigeoclip.evaluation.report import held_out_report, unlike_thresholds
from unigeoclip.evaluation.streets import street_report

NAMES = ["location", "aerial", "street", "surface", "text"]


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    return load_atlas(write_explorable_city(tmp_path_factory.mktemp("atlases") / "madeup"))


@pytest.fixture(scope="module")
def model(atlas):
    return load_model(atlas.model_path)


@pytest.fixture(autouse=True)
def _hashed_sentences(monkeypatch):
    use_hashed_sentences(monkeypatch)


def test_items_are_held_out_cameras_one_a_place(atlas):
    items = held_out(atlas, "views")
    views = atlas.views.iloc[items.cameras]
    assert len(items) > 2
    assert set(views["views"]) == {"held_out"}
    assert views["place_id"].tolist() == atlas.places["place_id"].iloc[items.rows].tolist()
    assert views["place_id"].is_unique
    assert set(views["place_id"]) == set(atlas.views.loc[atlas.views["views"] == "held_out", "place_id"])
    np.testing.assert_array_equal(items.latlon, views[["lat", "lon"]].to_numpy())
    np.testing.assert_array_equal(items.cameras, held_out(atlas, "views").cameras)


def test_fewer_items_are_some_of_them(atlas):
    whole, few = held_out(atlas, "views"), held_out(atlas, "views", 2)
    assert len(few) == 2
    assert set(few.cameras) <= set(whole.cameras)
    assert len(held_out(atlas, "views", 10_000)) == len(whole)


def test_all_cameras_take_every_place_that_has_one(atlas):
    items = all_cameras(atlas)
    assert set(atlas.places["place_id"].iloc[items.rows]) == set(atlas.views["place_id"])
    assert len(all_cameras(atlas, 3)) == 3


def test_an_atlas_without_street_views(tmp_path):
    world = load_atlas(write_tiny_atlas(tmp_path / "tiny"))
    items = held_out(world, "random")
    assert items.cameras is None
    assert len(items) == (world.places["random"] == "held_out").sum()
    with pytest.raises(InputError, match="no street views"):
        all_cameras(world)
    with pytest.raises(InputError, match="no split 'views'"):
        held_out(world, "views")


def test_items_are_encoded_where_the_camera_stands(atlas, model):
    items = held_out(atlas, "views")
    vectors = encode_items(model, atlas, items)
    assert list(vectors) == NAMES
    for some in vectors.values():
        assert some.shape == (len(items), model.dim)
        np.testing.assert_allclose(np.linalg.norm(some, axis=1), 1, atol=1e-4)
    np.testing.assert_allclose(vectors["location"], model.encode({"location": items.latlon})["location"], atol=1e-5)
    one = encode_items(model, atlas, items.take(1))
    np.testing.assert_allclose(one["street"], vectors["street"][:1], atol=1e-5)
    assert "location" not in encode_items(model, atlas, items, without=("location",))


def test_photos_are_the_first_view_without_its_heading(atlas, model):
    items = held_out(atlas, "views")
    photos = encode_photos(model, atlas, items)
    width, height = model.input_size("street")
    views = atlas.streets.panoramas(items.cameras, width, height)[0][..., :width]
    np.testing.assert_allclose(photos, model.encode({"street": np.ascontiguousarray(views)})["street"], atol=1e-5)
    with pytest.raises(InputError, match="no street views"):
        encode_photos(model, atlas, replace(items, cameras=None))


def test_the_report_has_every_pair_and_those_of_the_paper(atlas, model):
    report = held_out_report(model, atlas, "views")
    pairs = {f"{a}->{b}" for a in NAMES for b in NAMES if a != b}
    targets = ["location", "aerial", "surface", "text", "ensemble"]
    assert set(report) == pairs | {f"photo->{name}" for name in targets} | {"street->ensemble"}
    assert {figures["n"] for figures in report.values()} == {len(held_out(atlas, "views"))}


def test_an_ensemble_is_the_mean_of_all_but_the_street_view(atlas, model):
    """Whatever finds itself in the ensemble of copies of itself is found at once."""
    items = held_out(atlas, "views")
    street = encode_items(model, atlas, items)["street"]
    report = street_report(model, atlas, items, {"street": street, "aerial": street, "text": street})
    assert report["street->ensemble"]["recall@1"] == 100
    assert set(report) == {"photo->aerial", "photo->text", "photo->ensemble", "street->ensemble"}
    alone = street_report(model, atlas, items, {"street": street, "aerial": street})
    assert set(alone) == {"photo->aerial"}, "an ensemble of one is none"


def test_thresholds_of_a_city_know_street_views(atlas, model):
    assert set(unlike_thresholds(model, atlas)) == {"aerial", "street", "surface"}


def test_items_can_be_thinned_out():
    items = HeldOut(np.arange(10), np.zeros((10, 2)), np.arange(10) + 5)
    assert items.take(4).rows.tolist() == [0, 3, 6, 9]
    assert items.take(4).cameras.tolist() == [5, 8, 11, 14]
