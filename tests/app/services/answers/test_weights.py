"""Queries whose weights browsers try out."""

from dataclasses import replace

import pytest

from pages.ui.services.answers import weights
from pages.ui.services.answers.weights import WeighedQueries
from pages.ui.services.errors import NotFoundError
from tests.app import fake
from unigeoclip.search.query_items import QueryItem

ITEMS = (QueryItem("text", "sea"), QueryItem("location", (46.0, 9.0)))


@pytest.fixture(scope="module")
def explorer():
    return fake.FakeExplorer(fake.FakeAtlas())


def test_the_key_depends_on_items_and_area_but_not_on_weights(explorer):
    kept = WeighedQueries()
    key = kept.keep(explorer, explorer.query(ITEMS))
    other_weights = [replace(item, weight=-0.5) for item in ITEMS]
    assert kept.keep(explorer, explorer.query(other_weights)) == key
    assert kept.keep(explorer, explorer.query(ITEMS[::-1])) != key
    assert kept.keep(explorer, explorer.query(ITEMS, area=(0.0, 0.0, 40.0, 40.0))) != key


def test_the_heatmaps_are_those_of_the_items(explorer):
    kept = WeighedQueries()
    query = explorer.query(ITEMS)
    assert kept.heatmaps("world", kept.keep(explorer, query)) == explorer.heatmaps_of_terms(query).to_bytes()


def test_other_atlases_and_old_queries_have_none(explorer, monkeypatch):
    monkeypatch.setattr(weights, "MOST", 2)
    kept = WeighedQueries()
    keys = [kept.keep(explorer, explorer.query((QueryItem("location", (lat, 9.0)),))) for lat in (10.0, 20.0, 30.0)]
    with pytest.raises(NotFoundError, match="no longer kept"):
        kept.heatmaps("world", keys[0])
    with pytest.raises(NotFoundError):
        kept.heatmaps("boston", keys[1])
    assert kept.heatmaps("world", keys[1])
