"""Figures from arrays whose answer is known."""

import numpy as np
import pytest

from unigeoclip.photographs.measure import Found, probe_trees, rank_among, scores_of_trees, summary


def test_ranks_among_more_items_than_queries():
    gallery = np.eye(4, dtype=np.float32)
    queries = np.array([[1, 0, 0, 0], [0.9, 0.4, 0.1, 0]], np.float32)
    assert rank_among(queries, gallery).tolist() == [1, 2]


def test_recall_is_the_mean_over_seeds():
    found = summary(Found(np.array([[1, 2, 11, 30], [1, 1, 5, 30]]), 40.0))
    assert found["recall@1"] == pytest.approx(100 * 3 / 8)
    assert found["recall@10"] == pytest.approx(100 * 5 / 8)
    assert found["recall@1_seeds"] == [25.0, 50.0]
    assert (found["n"], found["seeds"], found["gallery"]) == (4, 2, 40.0)
    low, high = found["recall@10_interval"]
    assert 0 <= low < found["recall@10"] < high <= 100


def test_an_interval_narrows_with_more_queries():
    def width(count):
        low, high = summary(Found(np.tile([1, 50], (1, count)), 60.0))["recall@1_interval"]
        return high - low

    assert width(200) < width(10) / 2


def test_trees_are_predicted_in_a_city_never_seen():
    rng = np.random.default_rng(0)
    city = np.repeat(np.array(["a", "b", "c"], object), 60)
    vectors = rng.normal(size=(180, 6))
    trees = vectors @ rng.normal(size=6) * 10 + rng.normal(size=180)
    assert probe_trees(vectors, trees, city, "b") > 0.9
    assert probe_trees(rng.normal(size=(180, 6)), trees, city, "b") < 0.1
    unknown = trees.copy()
    unknown[::7] = np.nan
    assert probe_trees(vectors, unknown, city, "b") > 0.9


def test_the_counts_of_the_test_city_do_not_reach_the_fit():
    rng = np.random.default_rng(1)
    city = np.repeat(np.array(["a", "b", "c"], object), 40)
    vectors, trees = rng.normal(size=(120, 3)), rng.normal(size=120)
    trees[city == "c"] = vectors[city == "c"] @ [5, 5, 5]  # a rule that holds in the test city alone
    assert probe_trees(vectors, trees, city, "c") < 0.3


def test_scores_of_several_seeds():
    found = scores_of_trees({"a": [0.2, 0.4], "b": [0.6, 0.8]}, 9)
    assert found["r2"] == pytest.approx(0.5)
    assert found["r2_seeds"] == pytest.approx([0.4, 0.6])
    assert found["r2_cities"] == pytest.approx({"a": 0.3, "b": 0.7})
