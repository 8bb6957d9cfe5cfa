"""Every pair of modalities is measured on the items that have both, and beside its figures stands how many."""

import numpy as np
import pytest

from tests.evaluation.test_held_out import NAMES, without_most_photos
from tests.explorable import use_hashed_sentences, write_explorable_city
from unigeoclip.atlas import load_atlas
from unigeoclip.evaluation import pairs as pairs_module
from unigeoclip.evaluation import retrieval as retrieval_module
from unigeoclip.evaluation.held_out import encode_items, every_place, held_out
from unigeoclip.evaluation.pairs import Pair, measured_pairs, pairs_of
from unigeoclip.evaluation.retrieval import retrieval
from unigeoclip.geo import distance_m
from unigeoclip.model import load_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_explorable_city(tmp_path_factory.mktemp("atlases") / "madeup")


@pytest.fixture
def atlas(folder, monkeypatch):
    use_hashed_sentences(monkeypatch)
    return load_atlas(folder)


@pytest.fixture(scope="module")
def model(folder):
    return load_model(load_atlas(folder).model_path)


def test_pairs_are_those_of_modalities_and_those_of_the_paper():
    pairs = {f"{a}->{b}" for a in NAMES for b in NAMES if a != b}
    targets = ["location", "aerial", "surface", "text", "ensemble"]
    assert {pair.name for pair in pairs_of(NAMES)} == pairs | {f"photo->{name}" for name in targets} | {
        "street->ensemble"
    }
    assert {pair.name for pair in pairs_of(["street", "aerial"])} == {
        "street->aerial", "aerial->street", "photo->aerial"
    }, "an ensemble of one is none"  # fmt: skip
    assert [pair.name for pair in pairs_of(["text", "aerial"])] == ["text->aerial", "aerial->text"]
    assert Pair("photo", ("aerial", "text")).needs == {"street", "aerial", "text"}


def test_every_pair_has_its_own_count(atlas, model, any_count):
    """Two photos leave two items to the pairs of street views, and all places to the others."""
    places = len(atlas.places)
    report = measured_pairs(model, without_most_photos(atlas, 2), "views")
    for name, figures in report.items():
        if "street" in name or "photo" in name:
            assert figures["n"] <= 2, name
        else:
            assert figures["n"] == places, name
            assert 0 <= figures["recall@1"] <= figures["recall@10"] <= 100


def test_few_items_have_no_figure(atlas, model, monkeypatch):
    for module in (retrieval_module, pairs_module):
        monkeypatch.setattr(module, "FEWEST", 3)
    report = measured_pairs(model, without_most_photos(atlas, 2), "views", galleries=True)
    assert report["street->aerial"] == {"n": report["photo->aerial"]["n"], "too_few": True}
    assert report["text->aerial"]["n"] == len(atlas.places)
    assert "too_few" not in report["text->aerial"]


def test_figures_are_those_of_the_items_that_have_both(atlas, model, any_count):
    report = measured_pairs(model, atlas, "views")
    items = held_out(atlas, "views", having=("street", "aerial"))
    street, aerial = (encode_items(model, atlas, name, items) for name in ("street", "aerial"))
    assert report["street->aerial"] == pytest.approx(retrieval(street, aerial, items.latlon))
    others = [encode_items(model, atlas, name, items) for name in NAMES if name != "street"]
    mean = np.mean(others, axis=0)
    mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    assert report["street->ensemble"] == pytest.approx(retrieval(street, mean, items.latlon))


def test_asked_among_all_places_less_is_found(atlas, model, any_count):
    report = measured_pairs(model, atlas, "views", galleries=True)
    items = held_out(atlas, "views", having=("street", "aerial"))
    street = encode_items(model, atlas, "street", items)
    for at in ("cameras", "cells"):
        gallery = every_place(atlas, items, ("aerial",), at=at)
        first = (street @ encode_items(model, atlas, "aerial", gallery).T).argmax(1)
        share = 100 * (distance_m(items.latlon, gallery.latlon[first]) <= 100).mean()
        assert report["street->aerial"][f"acc@100m_gallery_{at}"] == pytest.approx(share)
        assert report["street->aerial"][f"n_gallery_{at}"] == len(atlas.places)
        assert f"acc@100m_gallery_{at}" in report["photo->ensemble"]
    windows = every_place(atlas, items, ("aerial",), at="windows")
    assert report["street->aerial"]["n_gallery_windows"] == len(windows) > len(atlas.places)
    assert 0 <= report["street->ensemble"]["acc@100m_gallery_windows"] <= 100
    assert not [name for name, figures in report.items() if name.startswith("text") and "n_gallery_cells" in figures]


def test_only_what_is_asked_for_is_measured(atlas, model, any_count):
    assert set(measured_pairs(model, atlas, "views", only=["text->aerial"])) == {"text->aerial"}
    without = measured_pairs(model, atlas, None, without=("location",))
    assert not [name for name in without if "location" in name]
