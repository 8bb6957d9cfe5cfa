"""An explorer over a store against the explorer of the same atlas, whose gallery is in memory."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.cli.main import main
from unigeoclip.errors import InputError
from unigeoclip.search.explorer import QueryItem
from unigeoclip.search.store_explorer import StoreExplorer
from unigeoclip.stores.lance_writer import index_parts


def write_store(explorer, folder, model_id=None):
    """The gallery of an explorer as `unigeoclip encode` would write it: centers only."""
    parts, dim = [], explorer.model.dim
    for modality in explorer.modalities:
        rows, vectors = explorer.item_rows(modality), explorer.vectors(modality)
        places = explorer.atlas.places.iloc[rows]
        columns = {
            "place_id": places["place_id"].to_numpy(object),
            "modality": pa.array([modality] * len(rows)).dictionary_encode(),
            "lat": places["lat"].to_numpy(np.float64),
            "lon": places["lon"].to_numpy(np.float64),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.astype(np.float16).ravel()), dim),
        }
        parts.append(pa.table(columns))
    emb = {"model_id": model_id or checkpoint_id(explorer.atlas.model_path), "dim": dim}
    table = pa.concat_tables(parts).unify_dictionaries().replace_schema_metadata({"emb": json.dumps(emb)})
    (folder / "parts").mkdir(parents=True)
    (folder / "store.json").write_text("{}")
    pq.write_table(table, folder / "parts" / "89c25.parquet")
    return folder


@pytest.fixture(scope="module")
def store(explorer, tmp_path_factory):
    out = tmp_path_factory.mktemp("stores")
    index_parts(write_store(explorer, out / "encoded"), out / "index")
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


def test_what_needs_all_vectors_says_so(over):
    with pytest.raises(InputError, match="in parts"):
        over.vectors("aerial")
    with pytest.raises(InputError, match="not described"):
        over.describe(over.query([QueryItem("location", (10.0, 20.0))]))
    with pytest.raises(InputError, match="no place 'nobody'"):
        over.place("nobody")


def test_a_store_of_another_model_is_refused(explorer, folder, cache, tmp_path):
    index_parts(write_store(explorer, tmp_path / "encoded", "0123456789ab"), tmp_path / "index")
    with pytest.raises(InputError, match="encoded by the model 0123456789ab"):
        StoreExplorer.over(tmp_path / "index", folder, cache_dir=cache)


def test_the_command_line_indexes_and_searches(explorer, folder, cache, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(cache))
    source, out = write_store(explorer, tmp_path / "encoded"), tmp_path / "index"
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
    assert main(["search", "--atlas", str(folder), "--latlon", "1,2", "--bbox", "1,2,3,4"]) == 2
    assert "belongs to --store" in capsys.readouterr().err
