"""Heatmaps of the items of a query: what a browser adds up while weights are moved is the heatmap of those weights."""

from dataclasses import replace

import numpy as np
import pytest

from unigeoclip.errors import InputError
from unigeoclip.search.explorer import Query, QueryItem

pytestmark = pytest.mark.usefixtures("hashed_sentences")

ITEMS = (QueryItem("text", "a desert"), QueryItem("location", (10.0, 20.0)), QueryItem("text", "a port"))
NORTH = (0.0, -180.0, 90.0, 180.0)


def with_weights(weights):
    return [replace(item, weight=weight) for item, weight in zip(ITEMS, weights, strict=True)]


def combined(terms, weights, combine):
    """As `combined` of weights.js has it."""
    added = [number for number, weight in enumerate(weights) if weight > 0]
    if combine == "sum" or len(added) < 2:
        return terms.similarities(np.array(weights))
    taken = np.minimum(weights, 0)
    return np.max([terms.similarities(np.where(np.arange(len(weights)) == each, 1, taken)) for each in added], axis=0)


@pytest.mark.parametrize("area", [None, NORTH])
@pytest.mark.parametrize("combine", ["sum", "any"])
@pytest.mark.parametrize("weights", [(1, 1, 1), (0.25, 2, -1.5), (1, -0.5, 0), (-1, 0.5, 2)])
def test_they_make_the_heatmap_of_any_weights(explorer, weights, combine, area):
    terms = explorer.heatmaps_of_terms(explorer.query(ITEMS, combine=combine, area=area))
    exact = explorer.heatmap(explorer.query(with_weights(weights), combine=combine, area=area)).values
    about = combined(terms, weights, combine)
    assert len(about) == len(exact)
    assert np.corrcoef(about, exact)[0, 1] > 0.9995


def test_a_query_from_elsewhere_is_refused(explorer):
    with pytest.raises(InputError, match="no vectors of its items"):
        explorer.heatmaps_of_terms(Query(ITEMS, np.zeros(16, np.float32)))
