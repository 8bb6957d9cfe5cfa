"""The report of a model on a made-up atlas: complete, honest about where figures come from, strict about the data."""

import json

import pytest

from tests.explorable import use_hashed_sentences, write_explorable_atlas
from unigeoclip.atlas import load_atlas
from unigeoclip.checkpoint import load_model
from unigeoclip.config import read_json, write_json
from unigeoclip.errors import AtlasError
from unigeoclip.evaluation import evaluate, report


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
    assert splits["blocks"] == {"retrieval": recorded["retrieval"], "recorded": True}
    assert splits["random"]["recorded"] is False


def test_a_model_of_other_data_is_refused(atlas):
    metrics = read_json(atlas.model_path / "metrics.json")
    write_json(atlas.model_path / "metrics.json", metrics | {"data": "0" * 12})
    with pytest.raises(AtlasError, match="seen in training"):
        evaluate(atlas)


def test_unlike_thresholds_let_nearly_all_held_out_pictures_pass(atlas):
    model = load_model(atlas.model_path)
    thresholds = report.unlike_thresholds(model, atlas)
    assert set(thresholds) == {"aerial", "surface"}
    rows = report.held_out_rows(atlas, "random")
    latlon = atlas.places[["lat", "lon"]].to_numpy()[rows]
    windows = atlas.raster("aerial").windows(latlon, atlas.window_m, model.window_px("aerial"))
    cells = model.encode({"location": atlas.land_grid().latlon})["location"].numpy()
    best = (model.encode({"aerial": windows})["aerial"].numpy() @ cells.T).max(1)
    assert 0.8 <= (best >= thresholds["aerial"]).mean() < 1
