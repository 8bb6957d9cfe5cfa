"""The report of a model on a made-up atlas: complete, honest about where figures come from, strict about the data."""

import json

import pytest

from tests.explorable import use_hashed_sentences, write_explorable_atlas
from unigeoclip.atlas import load_atlas
from unigeoclip.config import read_json, write_json
from unigeoclip.errors import AtlasError, InputError
from unigeoclip.evaluation import evaluate, report
from unigeoclip.evaluation.held_out import held_out
from unigeoclip.model import load_model
from unigeoclip.search.gallery_embeddings import land_grid, mean_over_waves


@pytest.fixture
def atlas(tmp_path, monkeypatch):
    use_hashed_sentences(monkeypatch)
    opened = load_atlas(write_explorable_atlas(tmp_path / "tiny"))
    write_json(opened.model_path / "metrics.json", {"atlas": "tiny", "data": opened.data_hash, "split": "random"})
    return opened


def test_every_ordered_pair_of_the_held_out_places(atlas, any_count):
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
    recorded["data"] = atlas.data_hash
    write_json(atlas.model_path / "metrics-blocks.json", recorded)
    splits = evaluate(atlas)["splits"]
    assert splits["blocks"]["means"] == "whole S2 cells of level 3 never seen, 3 degrees buffer"
    assert splits["blocks"]["retrieval"] == recorded["retrieval"]
    assert splits["blocks"]["recorded"] is True
    assert splits["random"]["recorded"] is False
    for split in splits.values():
        assert split["data"] == split["data_now"] == atlas.data_hash
        assert "outdated" not in split
        assert split["held_out"]["window_km"] == pytest.approx(333.585)
        assert split["held_out"]["median_distance_to_training_km"] > 0


def test_figures_of_other_data_are_marked_with_both_checksums(atlas):
    recorded = {"split": "blocks", "data": "f22a26d39481", "retrieval": {"text->aerial": {"recall@1": 1.5}}}
    write_json(atlas.model_path / "metrics-blocks.json", recorded)
    blocks = evaluate(atlas)["splits"]["blocks"]
    assert blocks["outdated"] is True
    assert (blocks["data"], blocks["data_now"]) == ("f22a26d39481", atlas.data_hash)
    write_json(atlas.model_path / "metrics-blocks.json", {"split": "blocks", "retrieval": {}})
    assert evaluate(atlas)["splits"]["blocks"]["outdated"] is True, "what names no data cannot be trusted"


def test_what_is_measured_is_recorded_by_command_alone(atlas):
    path, other = (atlas.model_path / name for name in ("metrics.json", "metrics-blocks.json"))
    training = {"training": {"steps": 3}, "seed": 5}
    write_json(path, read_json(path) | training)
    write_json(other, {"split": "blocks", "data": "0" * 12, "retrieval": {"text->aerial": {"recall@1": 1.5}}})
    before = path.read_bytes(), other.read_bytes()
    evaluate(atlas)
    assert (path.read_bytes(), other.read_bytes()) == before
    found = evaluate(atlas, record=True)
    kept = read_json(path)
    assert {key: kept[key] for key in training} == training
    assert kept["retrieval"] == found["splits"]["random"]["retrieval"]
    assert kept["held_out"] == found["splits"]["random"]["held_out"]
    assert set(kept["unlike"]) == {"aerial", "surface"}
    assert other.read_bytes() == before[1], "figures of other data stay as they are, with their checksum"
    write_json(other, {"split": "blocks", "data": atlas.data_hash, "retrieval": {}})
    evaluate(atlas, record=True)
    assert set(read_json(other)) == {"split", "data", "retrieval", "held_out"}


def test_what_was_not_measured_is_not_in_the_report(atlas):
    assert set(evaluate(atlas)) == {"splits", "queries", "mean_precision"}


def test_ablations_are_shown_as_recorded(atlas):
    table = {"atlas": "tiny", "data": atlas.data_hash, "complete": True, "rows": []}
    write_json(atlas.model_path / "ablations.json", table)
    current = {"data_now": atlas.data_hash, "recorded": True}
    assert evaluate(atlas)["ablations"] == table | current
    write_json(atlas.model_path / "ablations.json", table | {"data": "0" * 12})
    assert evaluate(atlas)["ablations"] == table | current | {"data": "0" * 12, "outdated": True}
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
