"""The flat store: brute force in memory, which everything else is compared with."""

import numpy as np
import pytest

from tests.stores.made import clustered, positions
from unigeoclip.errors import InputError
from unigeoclip.stores.base import Items
from unigeoclip.stores.flat import FlatStore

VECTORS, LATLON = clustered(500), positions(500)
IDS = [f"p{row // 2}" for row in range(500)]  # two items a place
YEARS, KINDS = np.arange(500) % 7, np.where(np.arange(500) % 2, "land", "water")
QUERIES = clustered(5, seed=3)


@pytest.fixture(scope="module")
def store():
    items = {"aerial": Items(IDS, LATLON), "street": Items([], np.empty((0, 2)))}
    attributes = {"aerial": {"year": YEARS, "kind": KINDS}}
    return FlatStore({"aerial": VECTORS, "street": VECTORS[:0]}, items, attributes)


def test_rows_are_positions(store):
    assert (store.modalities, store.count("aerial"), store.dim("aerial")) == (("aerial",), 500, 32)
    np.testing.assert_array_equal(store.vectors("aerial", [7, 3, 7]), VECTORS[[7, 3, 7]])
    assert store.items("aerial", [7, 3]).place_ids == ["p3", "p1"]
    assert store.rows_of("aerial", "p3").tolist() == [6, 7]
    chunks = list(store.chunks("aerial", 120))
    np.testing.assert_array_equal(np.concatenate([chunk.vectors for chunk in chunks]), VECTORS)
    np.testing.assert_array_equal(np.concatenate([chunk.rows for chunk in chunks]), np.arange(500))
    assert [len(chunk.items) for chunk in chunks] == [120, 120, 120, 120, 20]


@pytest.mark.parametrize(
    ("bbox", "where"),
    [
        (None, None),
        ((-30.0, -100.0, 50.0, 100.0), None),
        ((-90.0, 100.0, 90.0, 260.0), None),
        (None, {"year": 3}),
        (None, {"year": (2, 4), "kind": "land"}),
        ((0.0, 0.0, 80.0, 180.0), {"kind": "water"}),
    ],
)
def test_it_finds_the_best_that_pass(store, bbox, where):
    keep = np.ones(500, bool)
    if bbox is not None:
        south, west, north, east = bbox
        lat, lon = LATLON.T
        keep &= (lat >= south) & (lat <= north) & ((lon - west) % 360 <= east - west)
    for name, value in (where or {}).items():
        column = {"year": YEARS, "kind": KINDS}[name]
        keep &= (column >= value[0]) & (column <= value[1]) if isinstance(value, tuple) else column == value
    found = store.search(QUERIES, "aerial", 20, bbox=bbox, where=where)
    for rows, similarities, query in zip(found.rows, found.similarities, QUERIES, strict=True):
        scores = np.where(keep, VECTORS @ query, -np.inf)
        expected = np.argsort(-scores, kind="stable")[:20]
        np.testing.assert_array_equal(rows, expected)
        np.testing.assert_allclose(similarities, scores[expected], atol=1e-6)


def test_where_less_match_the_rest_is_marked(store):
    found = store.search(QUERIES, "aerial", 600)
    assert (found.rows[:, 500:] == -1).all()
    assert np.isneginf(found.similarities[:, 500:]).all()


def test_a_copy_answers_alike(store):
    copy = FlatStore.copy_of(store)
    for ours, theirs in zip(store.search(QUERIES, "aerial", 9), copy.search(QUERIES, "aerial", 9), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_what_does_not_fit_is_refused(store):
    with pytest.raises(InputError, match="500 vectors of 'aerial' come with 3"):
        FlatStore({"aerial": VECTORS}, {"aerial": Items(IDS[:3], LATLON[:3])})
    for rows in ([500], [-1]):
        with pytest.raises(InputError, match="from 0 to 499"):
            store.vectors("aerial", rows)
    with pytest.raises(InputError, match="choose among aerial"):
        store.search(QUERIES, "street", 1)
