"""The taught location encoder as an embedder: what it says of itself, and what is said where there is none."""

import json

import numpy as np
import pytest
import torch

from tests.atlas.tiny import write_tiny_atlas
from unigeoclip.atlas.store import load_atlas
from unigeoclip.embedders import load_embedder
from unigeoclip.errors import CheckpointError
from unigeoclip.evaluation.probing.encoders import is_ours
from unigeoclip.model import ModelConfig, UniGeoCLIP, save_model
from unigeoclip.tasks.catalog import TASKS, seen_in_training

LOCATION = {"scales": [1.0, 8.0], "width": 32, "depth": 1, "heads": 2, "registers": 1}


@pytest.fixture
def atlas(tmp_path):
    return load_atlas(write_tiny_atlas(tmp_path / "tiny"))


@pytest.fixture
def taught(atlas):
    torch.manual_seed(0)
    model = UniGeoCLIP(ModelConfig(dim=16, encoders={"location": LOCATION})).eval()
    folder = atlas.path / "taught"
    save_model(model, folder)
    (folder / "taught.json").write_text(json.dumps({"teacher": "geoclip", "student": "0123456789ab"}))
    return model


def test_it_gives_the_vectors_of_its_model_and_names_its_teacher(atlas, taught):
    embedder = load_embedder("unigeoclip-taught", atlas)
    with torch.inference_mode():
        expected = taught.encode({"location": [(10.0, 20.0)]})["location"].numpy()
    np.testing.assert_allclose(embedder.embed([(10.0, 20.0)]), expected, atol=1e-6)
    assert embedder.title == "UniGeoCLIP (taught by GeoCLIP)"
    assert "the vectors of GeoCLIP" in embedder.provenance.made_by
    assert "0123456789ab" in embedder.provenance.source


def test_an_atlas_without_one_says_how_to_make_it(atlas):
    with pytest.raises(CheckpointError, match="train --teacher geoclip"):
        load_embedder("unigeoclip-taught", atlas)


@pytest.mark.parametrize("record", ["{", "[]", '{"teacher": 3}'])
def test_a_damaged_record_is_refused(atlas, taught, record):
    (atlas.path / "taught/taught.json").write_text(record)
    with pytest.raises(CheckpointError, match=r"taught\.json"):
        load_embedder("unigeoclip-taught", atlas)


def test_it_is_no_baseline_and_has_seen_what_ours_has():
    assert is_ours("unigeoclip-taught")
    assert is_ours("unigeoclip-taught@1km+geoclip")
    seen = {
        name: seen_in_training(task, "unigeoclip", "world") for name, task in TASKS.items() if task.scope == "world"
    }
    assert any(seen.values())
    assert seen == {name: seen_in_training(TASKS[name], "unigeoclip-taught", "world") for name in seen}
