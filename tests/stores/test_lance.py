"""The store on disk against the flat one, which is the referee."""

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.stores.made import DIM, clustered, part, write_parts
from unigeoclip.errors import InputError
from unigeoclip.stores.flat import FlatStore
from unigeoclip.stores.lance import LanceStore
from unigeoclip.stores.lance_writer import index_parts

QUERIES = clustered(40, seed=7)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_parts(tmp_path_factory.mktemp("encoded") / "store", 3000, 2000)


@pytest.fixture(scope="module")
def exact(folder, tmp_path_factory):
    """Without an index of vectors."""
    out = tmp_path_factory.mktemp("exact") / "index"
    index_parts(folder, out)
    return LanceStore.open(out)


@pytest.fixture(scope="module")
def indexed(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("indexed") / "index"
    index_parts(folder, out, index_from=1000)
    return LanceStore.open(out)


def ids_of(store, found, modality="aerial"):
    return [store.items(modality, rows[rows >= 0]).place_ids for rows in found.rows]


def test_it_holds_what_was_encoded(exact, folder):
    assert exact.modalities == ("aerial", "text")
    assert (exact.count("text"), exact.dim("text"), exact.manifest.attributes) == (
        5000,
        DIM,
        {"year": "number", "kind": "text"},
    )
    chunks = list(exact.chunks("text", 700))
    assert max(len(chunk.rows) for chunk in chunks) <= 700
    table = pq.read_table(folder / "parts" / "00.parquet").slice(3000, 3000)
    assert [each for chunk in chunks for each in chunk.items.place_ids][:3000] == table["place_id"].to_pylist()
    vectors = np.concatenate([chunk.vectors for chunk in chunks])
    np.testing.assert_array_equal(vectors[:3000], np.stack(table["vector"].to_numpy(zero_copy_only=False)))
    rows = np.concatenate([chunk.rows for chunk in chunks])
    some = np.array([4999, 3, 3, 2500])
    np.testing.assert_array_equal(exact.vectors("text", rows[some]), vectors[some])
    assert exact.items("text", rows[some]).place_ids == ["p1-1999", "p0-3", "p0-3", "p0-2500"]
    assert exact.rows_of("text", "p1-7").tolist() == [rows[3007]]
    assert exact.rows_of("text", "nobody's").tolist() == []


def test_without_an_index_it_is_the_flat_store(exact):
    flat = FlatStore.copy_of(exact)
    found, expected = exact.search(QUERIES, "aerial", 10), flat.search(QUERIES, "aerial", 10)
    assert ids_of(exact, found) == ids_of(flat, expected)
    np.testing.assert_allclose(found.similarities, expected.similarities, atol=1e-5)


def test_the_index_finds_what_the_flat_store_finds(indexed):
    assert indexed.manifest.tables["aerial"].indexed == 5000
    flat = FlatStore.copy_of(indexed)
    expected = ids_of(flat, flat.search(QUERIES, "aerial", 10))
    found = indexed.search(QUERIES, "aerial", 10)
    shared = [len(set(a) & set(b)) for a, b in zip(ids_of(indexed, found), expected, strict=True)]
    assert np.mean(shared) / 10 >= 0.95
    vectors = indexed.vectors("aerial", found.rows[0])
    np.testing.assert_allclose(found.similarities[0], vectors @ QUERIES[0], atol=1e-5)


@pytest.mark.parametrize("bbox", [(-20.0, -30.0, 35.0, 60.0), (-90.0, 150.0, 90.0, 230.0), (0.0, 0.0, 0.1, 0.1)])
def test_a_bounding_box_is_that_of_brute_force(indexed, bbox):
    flat = FlatStore.copy_of(indexed)
    (found,), (expected,) = (
        ids_of(store, store.search(QUERIES[:1], "text", 50, bbox=bbox), "text") for store in (indexed, flat)
    )
    assert found == expected
    south, west, north, east = bbox
    lat, lon = indexed.items("text", indexed.search(QUERIES[:1], "text", 50, bbox=bbox).rows[0][: len(found)]).latlon.T
    assert ((lat >= south) & (lat <= north) & ((lon - west) % 360 <= east - west)).all()


@pytest.mark.parametrize("which", ["exact", "indexed"])
def test_the_nearest_row_is_that_of_brute_force(which, request):
    store = request.getfixturevalue(which)
    flat = FlatStore.copy_of(store)
    spots = [*np.random.default_rng(1).uniform((-90, -180), (90, 180), (12, 2)).tolist()]
    spots += [[90.0, 0.0], [-90.0, 12.0], [10.0, 179.9999], [10.0, -180.0], [89.5, -100.0]]
    for lat, lon in spots:
        found, expected = (each.items("text", each.nearest("text", lat, lon)).place_ids for each in (store, flat))
        assert found == expected, (lat, lon)
    with pytest.raises(InputError, match="cannot be searched"):
        store.nearest("smell", 0, 0)


def test_a_row_far_from_all_others_is_found(folder, tmp_path):
    """Nothing is within the first boxes, and the box that holds the row holds few others."""
    far = part(1, 5, "far-").set_column(2, "lat", [[-89.0, -89.0]])
    source = tmp_path / "encoded"
    shutil.copytree(folder, source)
    pq.write_table(far, source / "parts" / "05.parquet")
    index_parts(source, tmp_path / "index")
    store = LanceStore.open(tmp_path / "index")
    assert store.items("text", store.nearest("text", -89.9, 10.0)).place_ids == ["far-0"]


def test_attributes_filter(exact):
    found = exact.search(QUERIES[:1], "aerial", 100, where={"kind": "it's land", "year": (2021, 2022)})
    tables = [part(3000, 0, "p0-"), part(2000, 1, "p1-")]
    passing = {
        row["place_id"]
        for table in tables
        for row in table.slice(0, len(table) // 2).select(["place_id", "kind", "year"]).to_pylist()
        if row["kind"] == "it's land" and row["year"] in (2021, 2022)
    }
    (ids,) = ids_of(exact, found)
    assert len(ids) == 100
    assert set(ids) <= passing


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ({"year = 2020 OR 1": 1}, "no attribute 'year = 2020 OR 1'"),
        ({"place_id": "p0-1"}, "no attribute"),
        ({"year": float("nan")}, "cannot be compared"),
        ({"year": (3, 1)}, "rising"),
        ({"kind": ["water"]}, "cannot be compared"),
        ({"kind": 3}, "is text"),
        ({"kind": (1, 2)}, "no range"),
        ({"kind": "x" * 201}, "at most 200"),
    ],
)
def test_hostile_filters_are_refused(exact, where, says):
    with pytest.raises(InputError, match=says):
        exact.search(QUERIES[:1], "aerial", 1, where=where)


def test_text_that_looks_like_sql_is_text(exact):
    found = exact.search(QUERIES[:1], "aerial", 5, where={"kind": "' OR 1=1 --"})
    assert (found.rows == -1).all()
    assert np.isneginf(found.similarities).all()


def test_hostile_modalities_are_refused(exact):
    for name in ("street", "../aerial", "aerial; DROP TABLE text", ""):
        with pytest.raises(InputError, match="choose among aerial, text"):
            exact.search(QUERIES[:1], name, 1)


@pytest.mark.parametrize("bbox", [(0, 0, float("nan"), 1), (10, 0, 0, 1), (0, 0, 1), ("0 OR 1=1", 0, 1, 1)])
def test_boxes_that_are_none_are_refused(exact, bbox):
    with pytest.raises(InputError, match="bounding box"):
        exact.search(QUERIES[:1], "aerial", 1, bbox=bbox)


def test_queries_are_checked(exact):
    with pytest.raises(InputError, match=r"shape \(q, 32\)"):
        exact.search(QUERIES[:, :5], "aerial", 1)
    with pytest.raises(InputError, match="not finite"):
        exact.search(np.full((1, DIM), np.nan), "aerial", 1)
    with pytest.raises(InputError, match="between 1 and"):
        exact.search(QUERIES, "aerial", 0)
    with pytest.raises(InputError, match="not in|no row"):
        exact.vectors("aerial", [2**40])


def test_new_parts_are_appended_and_old_ones_are_not_indexed_twice(tmp_path):
    source, out = write_parts(tmp_path / "store", 1500), tmp_path / "index"
    index_parts(source, out, index_from=1000)
    before = LanceStore.open(out)
    write_parts(source, 800, first=1)
    index_parts(source, out, index_from=1000)
    after = LanceStore.open(out)
    assert (before.count("aerial"), after.count("aerial")) == (1500, 2300)
    assert len(before.search(QUERIES[:1], "aerial", 2000).rows[0]) == 2000  # who has it open sees what there was
    assert (before.search(QUERIES[:1], "aerial", 2000).rows >= 0).sum() <= 1500
    asked = part(800, 1, "p1-")["vector"][5].as_py()
    found = after.search(np.array([asked], np.float32), "aerial", 1)
    assert ids_of(after, found) == [["p1-5"]]
    again = index_parts(source, out)
    assert again == after.manifest


def test_what_a_stopped_run_left_is_undone(tmp_path):
    source, out = write_parts(tmp_path / "store", 60), tmp_path / "index"
    index_parts(source, out)
    saved = (out / "index.json").read_bytes()
    write_parts(source, 40, first=1)
    index_parts(source, out)
    (out / "index.json").write_bytes(saved)  # as if the run had ended before its last step
    assert LanceStore.open(out).count("text") == 60
    index_parts(source, out)
    assert LanceStore.open(out).count("text") == 100


def test_vectors_of_int8_are_unit_vectors(tmp_path):
    index_parts(write_parts(tmp_path / "store", 300, kind=np.int8), tmp_path / "index")
    store = LanceStore.open(tmp_path / "index")
    (chunk,) = store.chunks("aerial")
    np.testing.assert_allclose(np.linalg.norm(chunk.vectors, axis=1), 1, atol=1e-3)
    np.testing.assert_allclose(chunk.vectors, clustered(300, 1000), atol=0.02)


def test_damaged_folders_say_so(tmp_path):
    out = tmp_path / "index"
    with pytest.raises(InputError, match=r"no index\.json"):
        LanceStore.open(out)
    source = write_parts(tmp_path / "store", 50)
    index_parts(source, out)
    said = json.loads((out / "index.json").read_text())
    for text in ("{", "[]", json.dumps(said | {"format": 9}), json.dumps(said | {"tables": {"../x": {}}})):
        (out / "index.json").write_text(text)
        with pytest.raises(InputError, match="is damaged"):
            LanceStore.open(out)
    (out / "index.json").write_text(json.dumps(said))
    shutil.rmtree(out / "text.lance" / "data")
    with pytest.raises(InputError, match="restore it, or build it again"):
        list(LanceStore.open(out).chunks("text"))
    shutil.rmtree(out / "text.lance")
    with pytest.raises(InputError, match="restore it, or build it again"):
        LanceStore.open(out)


def test_parts_that_are_none_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"holds no store\.json"):
        index_parts(tmp_path, tmp_path / "index")
    source = write_parts(tmp_path / "store")
    with pytest.raises(InputError, match="no parts yet"):
        index_parts(source, tmp_path / "index")
    write_parts(source, 20)
    whole = (source / "parts" / "00.parquet").read_bytes()
    (source / "parts" / "00.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"00\.parquet is damaged"):
        index_parts(source, tmp_path / "index")
    pq.write_table(part(20, 0, "p", modalities=("aerial/../x",)), source / "parts" / "00.parquet")
    with pytest.raises(InputError, match="cannot be the name of a modality"):
        index_parts(source, tmp_path / "index")
    pq.write_table(part(20, 0, "p").drop(["vector"]), source / "parts" / "00.parquet")
    with pytest.raises(InputError, match="no column 'vector'"):
        index_parts(source, tmp_path / "index")
    assert not (tmp_path / "index" / "index.json").exists()


def test_addresses_of_other_kinds_are_refused():
    for address in ("http://example.org/x", "s3://", "s3://bucket/a b", "file:///etc"):
        with pytest.raises(InputError, match="s3://, gs:// or az://"):
            LanceStore.open(address)
