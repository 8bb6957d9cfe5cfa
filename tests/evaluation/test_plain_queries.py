"""Queries that captions say word for word are told apart from those that they do not."""

from types import SimpleNamespace

import pytest

from tests.explorable import use_hashed_sentences, write_explorable_atlas
from unigeoclip.atlas import load_atlas
from unigeoclip.config import write_json
from unigeoclip.evaluation import plain_queries
from unigeoclip.evaluation.plain_queries import query_groups, query_scores
from unigeoclip.model import load_model


def score(precision, said):
    return {"query": "q", "rule": "r", "precision": precision, "chance": 3.0, "in_captions": said}


def test_means_of_both_groups_have_their_count_and_an_interval():
    scores = [score(value, True) for value in (90.0, 100.0, 95.0)] + [score(value, False) for value in (20.0, 80.0)]
    groups = query_groups(scores)
    assert groups["in_captions"]["n"] == 3
    assert groups["in_captions"]["mean_precision"] == pytest.approx(95)
    low, high = groups["not_in_captions"]["interval_95"]
    assert (groups["not_in_captions"]["mean_precision"], low, high) == pytest.approx((50, 20, 80))
    assert query_groups(scores) == groups, "the same each time"
    assert set(query_groups(scores[:3])) == {"in_captions"}
    assert query_groups([]) == {}


def test_a_query_is_in_the_captions_whatever_its_capitals(tmp_path, monkeypatch):
    use_hashed_sentences(monkeypatch)
    atlas = load_atlas(write_explorable_atlas(tmp_path / "tiny"))
    said = atlas.sentences["text"].iloc[0]
    rules = tmp_path / "tiny" / "rules"
    rules.mkdir()
    write_json(rules / "rules.json", {})

    queries = (f" {said.upper()} ", said + " or not")
    monkeypatch.setattr(
        plain_queries,
        "load_rules",
        lambda folder: [SimpleNamespace(query=query, words="anywhere") for query in queries],
    )
    judged = SimpleNamespace(precision=50.0, chance=3.0)
    monkeypatch.setattr(plain_queries, "precision_at_area", lambda *_, **__: judged)
    found = query_scores(load_model(atlas.model_path), atlas)
    assert [row["in_captions"] for row in found] == [True, False]
