"""Like any of several examples: against the formula, item by item."""

import shlex

import numpy as np
import pytest

from tests.explorable import write_store_of
from tests.search.composing import brute
from unigeoclip.errors import InputError
from unigeoclip.search.explorer import QueryItem
from unigeoclip.search.store_explorer import StoreExplorer
from unigeoclip.stores.lance_writer import index_parts

pytestmark = pytest.mark.usefixtures("hashed_sentences")

QUERIES = [
    [QueryItem("location", (10.0, 20.0)), QueryItem("location", (-20.0, 130.0), 0.25)],
    [QueryItem("text", "a desert"), QueryItem("text", "a port"), QueryItem("text", "a wood")],
    [QueryItem("location", (10.0, 20.0)), QueryItem("text", "a desert"), QueryItem("text", "a port")],
    [QueryItem("text", "a desert"), QueryItem("location", (10.0, 20.0)), QueryItem("text", "a port", -0.5),
     QueryItem("location", (-20.0, 130.0), -1.0)],
]  # fmt: skip


@pytest.mark.parametrize("items", QUERIES)
def test_the_heatmap_is_the_largest_of_the_balanced_similarities(explorer, items):
    query = explorer.query(items, combine="any")
    expected = brute.of_any(explorer, items, explorer.cells.astype(np.float64))
    np.testing.assert_allclose(explorer.heatmap(query).values, expected, atol=1e-5)
    summed = explorer.heatmap(explorer.query(items)).values
    assert np.corrcoef(summed, expected)[0, 1] < 0.999, "it is not the sum"


@pytest.mark.parametrize("items", QUERIES)
def test_results_are_the_best_of_all_items(explorer, items):
    query = explorer.query(items, combine="any")
    for modality, matches in explorer.search(query, k=7).items():
        expected = brute.best_places(explorer, query, modality, 7, None)
        np.testing.assert_allclose([match.score for match in matches], [score for _, score in expected], atol=1e-5)
        assert [match.place_id for match in matches] == [place_id for place_id, _ in expected]
        values = brute.of_any(explorer, items, explorer.vectors(modality).astype(np.float64))
        of_place = dict(zip(explorer.atlas.places["place_id"].iloc[explorer.item_rows(modality)], values, strict=True))
        for match in matches:
            assert match.similarity == pytest.approx(float(np.clip(of_place[match.place_id], -1, 1)), abs=1e-5)
        _, similarities = explorer.item_similarities(query, modality)
        np.testing.assert_allclose(np.sort(similarities), np.sort(values), atol=1e-5)


@pytest.fixture(scope="module")
def over(explorer, folder, cache, tmp_path_factory):
    out = tmp_path_factory.mktemp("stores")
    index_parts(write_store_of(explorer, out / "encoded"), out / "index")
    return StoreExplorer.over(out / "index", folder, cache_dir=cache)


@pytest.mark.parametrize("items", QUERIES)
def test_a_store_gives_the_union_of_what_each_example_finds(over, explorer, items):
    query = over.query(items, combine="any")
    for modality, matches in over.search(query, k=6).items():
        chunks = list(over.store.chunks(modality))
        values = brute.of_any(explorer, items, np.concatenate([chunk.vectors for chunk in chunks]).astype(np.float64))
        np.testing.assert_allclose([match.score for match in matches], np.sort(values)[::-1][:6], atol=2e-3)


def test_with_one_example_it_is_the_sum(explorer):
    items = [QueryItem("text", "a desert", 0.5), QueryItem("text", "a port", -1.0)]
    one, same = explorer.query(items, combine="any"), explorer.query(items)
    assert one.combine == same.combine == "sum"
    np.testing.assert_array_equal(one.vector, same.vector)


def test_examples_that_cancel_in_a_sum_do_not_here(explorer):
    near, far = explorer.query([QueryItem("text", "a desert")]).vector, explorer.query([QueryItem("text", "b")]).vector
    query = explorer.query([QueryItem("text", "a desert"), QueryItem("text", "b")], combine="any")
    np.testing.assert_allclose(query.similarities(np.stack([near, far])), [1.0, 1.0], atol=1e-5)


def test_what_is_asked_wrongly_is_refused(explorer):
    with pytest.raises(InputError, match="as sum or any, not as 'most'"):
        explorer.query([QueryItem("text", "a desert")], combine="most")
    same = [QueryItem("text", "a desert"), QueryItem("text", "A desert"), QueryItem("text", "a desert", -1.0)]
    with pytest.raises(InputError, match="cancel out"):
        explorer.query([same[0], same[0], same[2]], combine="any")
    with pytest.raises(InputError, match="ask for each"):
        explorer.describe(explorer.query(QUERIES[1], combine="any"))


def test_the_provenance_names_the_combination(explorer):
    command = explorer.search(explorer.query(QUERIES[1], combine="any")).provenance.command
    words = shlex.split(command)
    assert words[words.index("--combine") + 1] == "any"
    assert "--combine" not in explorer.search(explorer.query(QUERIES[1])).provenance.command
