"""An explorer over a store against the explorer of the same atlas, whose gallery is in memory."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.explorable import use_hashed_sentences, write_explorable_city, write_store_of
from unigeoclip.cli.main import main
from unigeoclip.errors import InputError
from unigeoclip.search import store_explorer
from unigeoclip.search.explorer import Explorer, QueryItem
from unigeoclip.search.store_explorer import StoreExplorer
from unigeoclip.stores.base import Items
from unigeoclip.stores.flat import FlatStore
from unigeoclip.stores.lance_writer import index_parts


@pytest.fixture(scope="module")
def store(explorer, tmp_path_factory):
    out = tmp_path_factory.mktemp("stores")
    index_parts(write_store_of(explorer, out / "encoded"), out / "index")
    return out / "index"


@pytest.fixture(scope="module")
def over(store, folder, cache):
    return StoreExplorer.over(store, folder, cache_dir=cache)


def test_it_finds_what_the_gallery_holds(explorer, over):
    query = over.query([QueryItem("location", (10.0, 20.0))])
    found = over.search(query, k=5)
    assert set(found) == set(over.modalities) == set(explorer.modalities)
    for modality, matches in found.items():
        similarities = explorer.vectors(modality) @ query.vector
        best = np.sort(similarities)[::-1][: len(matches)]
        np.testing.assert_allclose([match.similarity for match in matches], best, atol=2e-3)
        for match in matches:
            place = explorer.place(match.place_id)
            assert (match.name, match.lat, match.lon) == (place.name, place.lat, place.lon)
            assert match.distance_m is not None
            assert match.score == pytest.approx(match.similarity, abs=1e-5)


def test_heatmaps_and_places_are_those_of_the_atlas(explorer, over):
    query, same = (each.query([QueryItem("location", (10.0, 20.0))]) for each in (over, explorer))
    np.testing.assert_array_equal(over.heatmap(query).values, explorer.heatmap(same).values)
    place_id = explorer.atlas.places["place_id"].iloc[int(explorer.item_rows("aerial")[0])]
    asked = over.query([QueryItem("place", place_id)])
    own = explorer.query([QueryItem("place", place_id)])
    assert float(asked.vector @ own.vector) > 0.999
    assert over.place(place_id).name == explorer.place(place_id).name


def test_a_box_leaves_places_within_it(over):
    query = over.query([QueryItem("location", (10.0, 20.0))])
    everywhere = over.search(query, k=100, modalities=["location"])["location"]
    middle = np.median([match.lon for match in everywhere])
    found = over.search(query, k=100, modalities=["location"], bbox=(-90.0, float(middle), 90.0, 180.0))["location"]
    assert {match.place_id for match in found} == {match.place_id for match in everywhere if match.lon >= middle}


def test_similarities_of_all_items_are_read_in_chunks(explorer, over):
    query = over.query([QueryItem("location", (10.0, 20.0))])
    latlon, values = over.item_similarities(query, "aerial")
    order = np.argsort(explorer.vectors("aerial") @ query.vector)
    np.testing.assert_allclose(np.sort(values), (explorer.vectors("aerial") @ query.vector)[order], atol=2e-3)
    assert latlon.shape == (len(values), 2)


def test_of_many_items_the_most_similar_are_shown(over, monkeypatch):
    query = over.query([QueryItem("location", (10.0, 20.0))])
    _, every = over.item_similarities(query, "aerial")
    monkeypatch.setattr(store_explorer, "EVERY_ITEM", 3)
    monkeypatch.setattr(store_explorer, "MOST_SHOWN", 5)
    latlon, values = over.item_similarities(query, "aerial")
    np.testing.assert_allclose(values, np.sort(every)[::-1][:5], atol=1e-5)
    assert latlon.shape == (5, 2)


@pytest.fixture(scope="module")
def wider(explorer, folder, cache, tmp_path_factory):
    """Over a store with a place that the atlas lacks, and one that has an id of the atlas at another position."""
    out, known = tmp_path_factory.mktemp("wider"), str(explorer.atlas.places["place_id"].iloc[0])
    more = [("elsewhere", 33.0, 44.0), (known, -41.0, 174.0)]
    index_parts(write_store_of(explorer, out / "encoded", more=more, without=known), out / "index")
    return StoreExplorer.over(out / "index", folder, cache_dir=cache), known


def test_a_place_that_the_atlas_lacks_is_found_named_by_its_id_and_without_captions(wider, explorer):
    over, known = wider
    query = over.query([QueryItem("location", (33.0, 44.0))])
    (match,) = over.search(query, k=1, modalities=["location"])["location"]
    assert (match.place_id, match.name, match.lat, match.lon) == ("elsewhere", "elsewhere", 33.0, 44.0)
    assert match.similarity == pytest.approx(1.0, abs=2e-3)
    assert over.captions(match) == ()
    assert over.place("elsewhere").captions == ()
    place, meters = over.nearest_place(33.01, 44.0)
    assert (place.place_id, round(meters)) == ("elsewhere", 1112)
    here = over.place_matches(query, "elsewhere")
    assert set(here) == set(over.modalities)
    assert here["location"].distance_m == 0
    assert over.place(known).captions == ()  # of the same id, and another place
    assert over.place_vectors("elsewhere").keys() == here.keys()
    with pytest.raises(InputError, match="no place 'nobody'"):
        over.place_matches(query, "nobody")


def test_places_of_the_atlas_have_its_captions_and_pictures(over, explorer):
    query = over.query([QueryItem("location", (10.0, 20.0))])
    found, own = over.search(query, k=3), explorer.search(query, k=100)
    for match in found["text"]:
        assert over.captions(match) == explorer.captions(next(e for e in own["text"] if e.place_id == match.place_id))
        assert over.captions(match)
    assert {over.pictured(match) for match in found["aerial"]} == {"aerial"}
    assert {over.pictured(match) for name in ("location", "text") for match in found[name]} == {""}
    beyond = replace(found["aerial"][0], lat=89.9)  # where the atlas has no raster
    assert over.pictured(beyond) == ""


def test_points_of_a_store_without_pictures_are_shown_from_above(over, explorer):
    rows = explorer.item_rows("location")
    latlon = explorer.atlas.places[["lat", "lon"]].to_numpy(np.float64)[rows]
    flat = FlatStore(
        {"location": explorer.vectors("location")}, {"location": Items([str(row) for row in rows], latlon)}
    )
    bare = StoreExplorer(over.atlas, over.model, over.grid, over.cells, flat)
    query = bare.query([QueryItem("location", (10.0, 20.0))])
    matches = bare.search(query, k=3)["location"]
    assert {bare.pictured(match) for match in matches} == {"aerial"}
    place, meters = bare.nearest_place(matches[1].lat, matches[1].lon)
    assert (place.place_id, meters) == (matches[1].place_id, 0)
    assert bare.searched == f"{len(rows)} places of a store"


def test_a_store_of_nothing_that_the_model_encodes_is_refused(over):
    flat = FlatStore({"smell": np.eye(16, dtype=np.float32)}, {"smell": Items(["a"] * 16, np.zeros((16, 2)))})
    with pytest.raises(InputError, match="a store has nothing that the model of the atlas"):
        StoreExplorer(over.atlas, over.model, over.grid, over.cells, flat)


def test_commands_name_the_store(over, store, tmp_path):
    query = over.query([QueryItem("location", (10.0, 20.0))])
    assert over.search(query, k=1).provenance.command.endswith(f"--store {store}")
    assert "--store" not in over.heatmap(query).provenance.command
    assert over.searched == f"{max(map(over.store.count, over.modalities))} places of {store}"
    assert not over.has_words


def test_what_needs_all_vectors_says_so(over):
    with pytest.raises(InputError, match="in parts"):
        over.vectors("aerial")
    with pytest.raises(InputError, match="not described"):
        over.describe(over.query([QueryItem("location", (10.0, 20.0))]))
    with pytest.raises(InputError, match="no place 'nobody'"):
        over.place("nobody")


def test_a_store_of_another_model_is_refused(explorer, folder, cache, tmp_path):
    index_parts(write_store_of(explorer, tmp_path / "encoded", "0123456789ab"), tmp_path / "index")
    with pytest.raises(InputError, match="encoded by the model 0123456789ab"):
        StoreExplorer.over(tmp_path / "index", folder, cache_dir=cache)


def test_the_command_line_indexes_and_searches(explorer, folder, cache, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(cache))
    source, out = write_store_of(explorer, tmp_path / "encoded"), tmp_path / "index"
    assert main(["index", "--from", str(source), "--out", str(out), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["modalities"]["aerial"] == {"rows": len(explorer.vectors("aerial")), "exact": True}
    search = ["search", "--atlas", str(folder), "--latlon", "10,20", "--top", "3", "--json", "--store", str(out)]
    assert main([*search, "--bbox=-90,-180,90,180"]) == 0
    assert len(json.loads(capsys.readouterr().out)["results"]["aerial"]) == 3
    for more, says in (
        (["--where", "year=1"], "There is no attribute 'year'"),
        (["--where", "year"], "NAME=VALUE"),
        (["--bbox", "1,2,3"], "south,west,north,east"),
        (["--bbox", "1,2,3,x"], "A number of --bbox"),
    ):
        assert main([*search, *more]) == 2
        assert says in capsys.readouterr().err
    assert main(["search", "--atlas", str(folder), "--latlon", "1,2", "--where", "year=1"]) == 2
    assert "belongs to --store" in capsys.readouterr().err


@pytest.mark.slow
def test_street_views_are_of_places_that_the_atlas_has(tmp_path, monkeypatch):
    use_hashed_sentences(monkeypatch)
    city = Explorer.open(write_explorable_city(tmp_path / "madeup"), cache_dir=tmp_path / "cache")
    places = city.atlas.places.iloc[city.item_rows("street")]
    latlon = places[["lat", "lon"]].to_numpy(np.float64)
    moved = latlon + np.array([0.01, 0.0])  # the same ids, elsewhere
    query = city.query([QueryItem("location", tuple(latlon[0]))])
    own = {match.place_id: match for match in city.search(query, k=len(places), modalities=["street"])["street"]}
    for at, known in ((latlon, True), (moved, False)):
        flat = FlatStore({"street": city.vectors("street")}, {"street": Items(places["place_id"].tolist(), at)})
        over = StoreExplorer(city.atlas, city.model, city.grid, city.cells, flat)
        for match in over.search(query, k=3)["street"]:
            expected = own[match.place_id]
            same = (match.lat, match.lon, match.heading_deg) == (expected.lat, expected.lon, expected.heading_deg)
            assert same == known
            assert over.pictured(match) == ("street" if known else "")
            assert over.place_matches(query, match.place_id)["street"].heading_deg == match.heading_deg
