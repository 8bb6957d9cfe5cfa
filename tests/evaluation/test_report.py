"""The report of a model on a made-up atlas: complete, honest about where figures come from, strict about the data."""

import json

import pytest

from tests.explorable import use_hashed_sentences, write_explorable_atlas
from unigeoclip.atlas import load_atlas
from unigeoclip.checkpoint import load_model
from unigeoclip.config import read_json, write_json
from unigeoclip.errors import AtlasError, InputError
from unigeoclip.evaluation import evaluate, report
from unigeoclip.evaluation.held_out import held_out
from unigeoclip.vectors import land_grid, mean_over_waves


@pytest.fixture
def atlas(tmp_path, monkeypatch):
    use_hashed_sentences(monkeypatch)
    opened = load_atlas(write_explorable_atlas(tmp_path / "tiny"))
    write_json(opened.model_path / "metrics.json", {"atlas": "tiny", "data": opened.data_hash, "split": "random"})
    return opened


def test_every_ordered_pair_of_the_held_out_places(atlas):
    found = evaluate(atlas)
    pairs = found["splits"]["random"]["retrieval"]
    assert len(pairs) == 12
    held_out = int((atlas.places["random"] == "held_out").sum())
    for scores in pairs.values():
        assert scores["n"] == held_out
        assert 0 <= scores["recall@1"] <= scores["recall@10"] <= 100
    json.dumps(found, allow_nan=False)


def test_the_other_split_is_marked_as_recorded(atlas):
    recorded = {"split": "blocks", "retrieval": {"text->aerial": {"recall@1": 1.5}}}
    write_json(atlas.model_path / "metrics-blocks.json", recorded)
    splits = evaluate(atlas)["splits"]
    means = "whole S2 cells of level 3 never seen, 3 degrees buffer"
    assert splits["blocks"] == {"means": means, "retrieval": recorded["retrieval"], "recorded": True}
    assert splits["random"]["recorded"] is False


def test_what_was_not_measured_is_not_in_the_report(atlas):
    assert set(evaluate(atlas)) == {"splits", "queries", "mean_precision"}


def test_ablations_are_shown_as_recorded(atlas):
    table = {"atlas": "tiny", "data": atlas.data_hash, "complete": True, "rows": []}
    write_json(atlas.model_path / "ablations.json", table)
    assert evaluate(atlas)["ablations"] == table | {"recorded": True}
    write_json(atlas.model_path / "ablations.json", table | {"data": "0" * 12})
    assert evaluate(atlas)["ablations"]["outdated"] is True
    write_json(atlas.model_path / "ablations.json", [])
    with pytest.raises(InputError, match="no table of ablations"):
        evaluate(atlas)


def test_a_model_of_other_data_is_refused(atlas):
    metrics = read_json(atlas.model_path / "metrics.json")
    write_json(atlas.model_path / "metrics.json", metrics | {"data": "0" * 12})
    with pytest.raises(AtlasError, match="seen in training"):
        evaluate(atlas)


def load_cells(atlas, model):
    grid = land_grid(atlas)
    return mean_over_waves(model, grid, model.encode({"location": grid.cells})["location"].numpy())


def test_unlike_thresholds_let_nearly_all_held_out_pictures_pass(atlas):
    model = load_model(atlas.model_path)
    thresholds = report.unlike_thresholds(model, atlas)
    assert set(thresholds) == {"aerial", "surface"}
    items = held_out(atlas, "random")
    windows = atlas.raster("aerial").windows(items.latlon, atlas.window_m, model.window_px("aerial"))
    cells = load_cells(atlas, model)
    best = (model.encode({"aerial": windows})["aerial"].numpy() @ cells.T).max(1)
    assert 0.8 <= (best >= thresholds["aerial"]).mean() < 1
