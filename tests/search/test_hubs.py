"""Hubs are ranked by what they are more similar to than to everything else; formula and use in the search."""

import numpy as np
import pytest

from tests.explorable import use_hashed_sentences, write_explorable_city
from unigeoclip.atlas import load_atlas
from unigeoclip.geo import distance_m
from unigeoclip.search.explorer import Explorer, QueryItem
from unigeoclip.search.gallery_windows import APART_M, MOST_WINDOWS, gallery_rows, gallery_windows
from unigeoclip.search.hubs import BETA, PHRASE, REFERENCES, hub_offsets, kinds_of_item, offsets_of, reference_rows


def unit(values):
    return (values / np.linalg.norm(values, axis=-1, keepdims=True)).astype(np.float32)


def test_a_hub_does_not_win_where_another_item_belongs():
    """Each query has an item of its own; one more item is a little like all of them, and closer than any of these."""
    rng = np.random.default_rng(0)
    common = unit(rng.normal(size=64))
    queries = unit(2 * common + 0.5 * unit(rng.normal(size=(40, 64))))
    own = unit(queries - 1.85 * common)
    gallery = np.concatenate([own, common[None]])
    similarity = queries @ gallery.T
    assert (similarity.argmax(1) == 40).mean() > 0.9, "the hub is first for nearly all"
    assert ((similarity - offsets_of(gallery, queries)).argmax(1) == np.arange(40)).mean() > 0.9


def test_offsets_are_the_logarithm_of_the_mean_exponential():
    rng = np.random.default_rng(1)
    items, references = unit(rng.normal(size=(5000, 8))), unit(rng.normal(size=(30, 8)))
    similarity = items.astype(np.float64) @ references.T
    np.testing.assert_allclose(
        offsets_of(items, references), np.log(np.exp(BETA * similarity).mean(1)) / BETA, atol=1e-5
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_explorable_city(tmp_path_factory.mktemp("atlases") / "madeup")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def city(folder, cache, monkeypatch):
    use_hashed_sentences(monkeypatch)
    return Explorer.open(folder, cache_dir=cache)


def test_windows_are_centers_first_then_cameras_far_from_each_other(folder):
    atlas = load_atlas(folder)
    windows, rows = gallery_windows(atlas, "aerial"), gallery_rows(atlas, "aerial")
    np.testing.assert_array_equal(windows.rows[: windows.places], rows)
    np.testing.assert_array_equal(windows.latlon[: windows.places], atlas.places[["lat", "lon"]].to_numpy()[rows])
    assert len(windows) > windows.places
    cameras = {tuple(at) for at in atlas.views[["lat", "lon"]].to_numpy().tolist()}
    for row in np.unique(windows.rows):
        own = windows.latlon[windows.rows == row]
        assert 1 <= len(own) <= MOST_WINDOWS
        assert {tuple(at) for at in own[1:].tolist()} <= cameras
        apart = np.array([distance_m(at, own) for at in own])
        assert (apart[~np.eye(len(own), dtype=bool)] >= APART_M).all()
    again = gallery_windows(atlas, "aerial")
    np.testing.assert_array_equal(again.latlon, windows.latlon)


def test_other_modalities_have_one_item_a_place(folder):
    atlas = load_atlas(folder)
    for name in ("location", "street", "text"):
        assert len(gallery_windows(atlas, name)) == len(gallery_rows(atlas, name))


def test_a_place_is_found_by_its_best_window_and_once(city):
    """What a search returns is, for every place, the highest score of its windows, and the position of that window."""
    query = city.query([QueryItem("text", "a bridge")])
    windows = gallery_windows(city.atlas, "aerial")
    store, places = city._store, city.atlas.places
    scores = store.vectors("aerial", np.arange(store.count("aerial"))) @ city._asked(query, "aerial")[0]
    found = city.search(query, k=10_000)["aerial"]
    assert len(found) == windows.places == len({match.place_id for match in found})
    assert [match.score for match in found] == sorted((match.score for match in found), reverse=True)
    row_of = {place: row for row, place in enumerate(places["place_id"])}
    beside = 0
    for match in found:
        own = np.flatnonzero(windows.rows == row_of[match.place_id])
        best = own[scores[own].argmax()]
        assert match.score == pytest.approx(scores[best], abs=1e-5)
        assert (match.lat, match.lon) == tuple(windows.latlon[best].tolist())
        beside += best >= windows.places
    assert beside, "some places are found beside their center"
    assert len(city.search(query, k=3)["aerial"]) == 3


def test_the_score_is_the_similarity_less_the_offsets_of_the_terms(city):
    offsets = hub_offsets(city.model, city.atlas, {name: city.vectors(name) for name in ("street", "text")})
    items = [QueryItem("text", "a bridge", 2.0), QueryItem("text", "water", -0.5)]
    query = city.query(items)
    assert set(query.shares) == {PHRASE}
    assert set(offsets["street"]) == {"text", PHRASE}, "a street view is no hub to street views"
    for match in city.search(query, k=5, modalities=["street"])["street"]:
        item = city._item_of["street"][city._row(match.place_id)]
        expected = match.similarity - query.shares[PHRASE] * offsets["street"][PHRASE][item]
        assert match.score == pytest.approx(expected, abs=1e-4)


def test_kinds_of_terms():
    names = ("location", "aerial")
    assert kinds_of_item(QueryItem("text", "sea"), names) == (PHRASE,)
    assert kinds_of_item(QueryItem("text", "Sea here. Sand too. Wind there. Sun above."), names) == ("text",)
    assert kinds_of_item(QueryItem("view", (1.0, 2.0, 3.0)), names) == ("street",)
    assert kinds_of_item(QueryItem("place", "w1"), names) == names


def test_references_are_places_that_no_split_holds_out(folder):
    atlas = load_atlas(folder)
    rows = gallery_rows(atlas, "text")
    chosen = rows[reference_rows(atlas, rows)]
    assert 0 < len(chosen) <= REFERENCES
    held = atlas.places["views"].to_numpy()[chosen] == "held_out"
    assert not held.any() or held.all()


def test_offsets_are_kept(city, tmp_path):
    vectors = {"text": city.vectors("text"), "street": city.vectors("street")}
    first = hub_offsets(city.model, city.atlas, vectors, tmp_path)
    assert len(list(tmp_path.glob("offsets_*.npy"))) == 2
    again = hub_offsets(None, city.atlas, vectors, tmp_path)  # no model is needed to read them
    for name in first:
        for kind in first[name]:
            np.testing.assert_array_equal(first[name][kind], again[name][kind])
