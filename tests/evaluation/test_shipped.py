"""The models that ship, measured again: what the README says of them must be what comes out."""

import pytest

from unigeoclip.atlas import load_atlas
from unigeoclip.config import read_json
from unigeoclip.evaluation import evaluate

pytestmark = pytest.mark.slow

# recall@1, recall@10 in %: full captions, panoramas with a compass; the world among 5,000 held-out places of the random
# split, Boston among 2,000 held-out cameras of the split views.
AT_LEAST = {
    "world": {
        "location->aerial": (65, 99),
        "aerial->surface": (52, 95),
        "text->location": (30, 80),
        "text->aerial": (18, 62),
    },
    "boston": {
        "aerial->surface": (88, 96),
        "text->location": (30, 85),
        "location->aerial": (35, 75),
        "street->aerial": (35, 75),
    },
}
SPLIT = {"world": ("random", 5000), "boston": ("views", 2000)}
# How many, and their mean precision at least.
QUERIES = {"world": (40, 80), "boston": (28, 70)}


@pytest.fixture(scope="module", params=list(AT_LEAST))
def measured(request):
    return request.param, evaluate(load_atlas(request.param))


def test_retrieval(measured):
    name, report = measured
    split, count = SPLIT[name]
    found = report["splits"][split]["retrieval"]
    for pair, (first, tenth) in AT_LEAST[name].items():
        assert found[pair]["recall@1"] >= first, pair
        assert found[pair]["recall@10"] >= tenth, pair
        assert found[pair]["n"] == count


def test_it_is_what_the_model_card_says(measured):
    name, report = measured
    card = read_json(load_atlas(name).model_path / "metrics.json")
    for pair, figures in card["retrieval"].items():
        # Processors differ in last bits.
        found = report["splits"][SPLIT[name][0]]["retrieval"][pair]
        assert found["recall@1"] == pytest.approx(figures["recall@1"], abs=0.5), pair
    assert report["splits"]["blocks"]["recorded"] is True


def test_plain_queries(measured):
    name, report = measured
    count, precision = QUERIES[name]
    assert len(report["queries"]) >= count
    assert report["mean_precision"] >= precision
    assert sum(query["chance"] for query in report["queries"]) / len(report["queries"]) < 5


def test_street_views_find_their_place_within_100_m(measured):
    name, report = measured
    if name == "boston":
        assert report["splits"]["views"]["retrieval"]["street->ensemble"]["acc@100m"] >= 40
