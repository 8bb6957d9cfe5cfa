"""Links to page Modalities: what is written is read again, and nothing that a stranger writes breaks it."""

import pytest

from pages.ui.modalities.link import View, parameters, parse
from pages.ui.query_string import MODALITIES_KEYS

KNOWN = {"clusters": 8, "places": ["w1", "w2"], "pairs": ["a->b"], "figures": ["recall@1", "recall@10"]}


@pytest.mark.parametrize("view", [
    View(), View(selection="cluster", cluster=7, seed=3, count=60), View(selection="map"),
    View(selection="map", point=(42.36, -71.06), method="umap"),
    View(selection="map", bounds=(1.0, 2.0, 3.5, 4.25), centered=True),
    View(place="w2", pair="a->b", figure="recall@10"),
])  # fmt: skip
def test_a_view_survives_its_link(view):
    written = parameters(view)
    assert set(written) <= set(MODALITIES_KEYS)
    assert parse(written, **KNOWN) == (view, "")


def test_the_default_is_no_part_of_the_address():
    assert parameters(View()) == {}


@pytest.mark.parametrize(("key", "value", "says"), [
    ("places", "cluster:9", "cluster"), ("places", "cluster:²", "cluster"), ("places", "near:nan,1", "latitude"),
    ("places", "box:1,2,3", "4 numbers"), ("places", "everywhere", "selects no places"), ("seed", "-1", "seed"),
    ("seed", "9" * 5000, "seed"), ("count", "1000000", "places"), ("layout", "pca", "Unknown layout 'pca'"),
    ("centered", "yes", "Unknown value"), ("place", "<b>", "There is no held-out place '<b>'"),
    ("pair", "a->a", "Unknown pair"), ("figure", "mAP", "Unknown figure"),
])  # fmt: skip
def test_what_cannot_be_read_is_left_out_and_told(key, value, says):
    view, problem = parse({"count": "24", key: value}, **KNOWN)
    assert says in problem
    assert f"'{key}' was left out" in problem
    assert len(problem) < 400
    assert view == View(count=24 if key != "count" else View().count)
