"""What makes similarities comparable: measured on held-out queries, read strictly, never of another model."""

import dataclasses

import numpy as np
import pytest

from tests.explorable import use_hashed_sentences, write_explorable_city
from unigeoclip.atlas import load_atlas
from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.config import read_json, write_json
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.evaluation import calibrate as calibrate_module
from unigeoclip.evaluation.calibrate import calibrate
from unigeoclip.evaluation.held_out import held_out
from unigeoclip.evaluation.report import recalibrate
from unigeoclip.model import UniGeoCLIP, load_model
from unigeoclip.search.explorer import Explorer, QueryItem
from unigeoclip.similarity.calibration import FILE, calibration


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_explorable_city(tmp_path_factory.mktemp("atlases") / "madeup")


@pytest.fixture
def atlas(folder, monkeypatch):
    use_hashed_sentences(monkeypatch)
    opened = load_atlas(folder)
    yield opened
    (opened.model_path / FILE).unlink(missing_ok=True)


def test_the_command_writes_what_the_search_reads(atlas):
    before = load_atlas(atlas.path).data_hash, checkpoint_id(atlas.model_path)
    assert calibration(atlas) is None
    found = recalibrate(atlas)
    assert read_json(atlas.model_path / FILE) == found
    assert found["format"] == 1
    assert (found["data"], found["model"]) == before
    assert (found["split"], found["seed"]) == ("views", 0)
    assert set(found["modalities"]) == {"location", "aerial", "street", "surface", "text"}
    for spread in found["modalities"].values():
        assert list(spread["match"]) == ["5", "25", "50", "75", "95"]
        assert list(spread["other"]) == ["50", "95", "99", "99.9"]
    read = calibration(atlas)
    assert read.modalities["text"].match == found["modalities"]["text"]["match"]
    assert (load_atlas(atlas.path).data_hash, checkpoint_id(atlas.model_path)) == before, "no hash knows the file"
    assert recalibrate(atlas) == found, "the same each time"


def test_a_match_is_the_similarity_that_the_map_shows(atlas, tmp_path):
    """Asking at each held-out position as a person does gives the same figures in the same cells."""
    model = load_model(atlas.model_path)
    spread = calibrate(model, atlas, "views", "").modalities["location"]
    explorer = Explorer.open(atlas, tmp_path / "cache")
    items = held_out(atlas, "views", having=("location",))
    shown = []
    for at in items.latlon:
        heat = explorer.heatmap(explorer.query([QueryItem("location", tuple(at))]))
        cell = np.square(explorer.grid.cells - at).dot([1, np.cos(np.radians(at[0])) ** 2]).argmin()
        shown.append(heat.values[cell])
    assert spread.n == len(items)
    assert spread.match["50"] == pytest.approx(np.percentile(shown, 50), abs=2e-3)


def test_other_cells_lie_a_window_away(atlas):
    """In a map no wider than a window there is nothing to compare with, and no figure."""
    atlas.manifest = dataclasses.replace(atlas.manifest, window_m=1e6)
    model = load_model(atlas.model_path)
    assert calibrate_module.calibrate(model, atlas, "views", "").modalities.keys() <= set()


def test_another_model_or_other_data_have_no_calibration(atlas):
    found = recalibrate(atlas)
    for changed in ({"model": "0" * 12}, {"data": "0" * 12}):
        write_json(atlas.model_path / FILE, found | changed)
        assert calibration(atlas) is None


def test_a_damaged_file_is_named(atlas):
    found = recalibrate(atlas)
    text = found["modalities"]["text"]
    falling = dict(zip(text["match"], sorted(text["match"].values(), reverse=True), strict=True))
    falling["5"] += 1
    for damaged, words in (
        ({}, "cannot be used"),
        (found | {"format": 2}, "has format 2"),
        (found | {"modalities": {"text": {**text, "match": falling}}}, "not rising"),
        (found | {"modalities": {"text": {**text, "other": {"50": 0.1}}}}, "percentiles of 'text'"),
        (found | {"modalities": {"text": {**text, "n": "many"}}}, "cannot be used"),
    ):
        write_json(atlas.model_path / FILE, damaged)
        with pytest.raises(CheckpointError, match=words):
            calibration(atlas)


def test_a_model_without_locations_has_no_map(atlas):
    config = load_model(atlas.model_path).config
    without = {name: options for name, options in config.encoders.items() if name != "location"}
    with pytest.raises(InputError, match="without the modality location"):
        calibrate(UniGeoCLIP(dataclasses.replace(config, encoders=without)), atlas, "views", "")
