"""Teaching: the targets of a teacher, that they can be learned, and what a taught training writes."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.atlas.tiny import write_tiny_atlas
from tests.explorable import CONFIG, use_hashed_sentences
from unigeoclip.atlas import load_atlas
from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.embedders import load_embedder
from unigeoclip.errors import InputError
from unigeoclip.modalities import text
from unigeoclip.model import UniGeoCLIP, load_model, save_model
from unigeoclip.training import loop, taught
from unigeoclip.training.configs import TrainConfig
from unigeoclip.training.stages import location_stage
from unigeoclip.training.stages.teacher import Teacher
from unigeoclip.training.taught import teach


def positions(count, seed=0):
    rng = np.random.default_rng(seed)
    return np.stack([rng.uniform(-60, 70, count), rng.uniform(-180, 180, count)], axis=1)


def test_targets_are_half_whitened_components_of_mean_square_length_one():
    embedder = load_embedder("geoclip")
    teacher = Teacher(embedder, 8, positions(1500))
    targets = teacher.targets(positions(1500)).numpy()
    assert targets.shape == (1500, 384)
    assert (targets**2).sum(axis=1).mean() == pytest.approx(1, rel=1e-3)
    np.testing.assert_allclose(targets.mean(axis=0), 0, atol=1e-3)
    covariance = np.cov(targets, rowvar=False)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 1e-4
    vectors = embedder.embed(positions(1500))
    variances = np.sort(np.linalg.eigvalsh(np.cov(vectors, rowvar=False)))[::-1][:384]
    ratio = np.diag(covariance) / np.sqrt(variances)
    np.testing.assert_allclose(ratio / ratio[0], 1, rtol=0.02)


def test_an_embedder_of_few_dimensions_has_few_components():
    teacher = Teacher(load_embedder("coordinates"), 8, positions(500))
    dim = load_embedder("coordinates").dim
    assert teacher.targets(positions(7)).shape == (7, min(dim, teacher.readout.out_features))
    assert teacher.readout.out_features <= dim


def test_a_linear_function_of_the_vectors_is_learned():
    teacher = Teacher(load_embedder("coordinates"), 16, positions(500))
    vectors = torch.nn.functional.normalize(torch.randn(64, 16, generator=torch.Generator().manual_seed(0)), dim=1)
    targets = teacher.targets(positions(64, seed=1))
    first = teacher.loss(vectors, targets)
    first.backward()
    assert teacher.readout.weight.grad.abs().max() > 0
    with torch.no_grad():
        teacher.readout.weight -= 0.01 * teacher.readout.weight.grad
    assert teacher.loss(vectors, targets) < first


@pytest.fixture
def atlas(tmp_path, monkeypatch):
    use_hashed_sentences(monkeypatch)
    monkeypatch.setattr(loop, "sentence_encoder", text.sentence_encoder)
    for name, value in (("POOL", 96), ("BATCH", 32), ("STEPS_A_POOL", 2)):
        monkeypatch.setattr(location_stage, name, value)
    monkeypatch.setattr(taught, "TEACHERS", {"coordinates": "Plain coordinates"})
    monkeypatch.setattr(taught, "_POSITIONS", 300)
    folder = write_tiny_atlas(tmp_path / "tiny")
    torch.manual_seed(0)
    save_model(UniGeoCLIP(replace(CONFIG, temperature_per_pair=True)), folder / "model")
    return load_atlas(folder)


def test_a_taught_training_writes_the_location_encoder_alone(atlas, tmp_path):
    record = teach(atlas, "coordinates", tmp_path / "run", config=TrainConfig(model=CONFIG), steps=3)
    assert record == json.loads((tmp_path / "run/model/taught.json").read_text())
    assert record["teacher"] == "coordinates"
    assert record["student"] == checkpoint_id(atlas.model_path)
    assert record["training"]["location_steps"] == 3
    assert "aerial->surface" not in record["retrieval"]
    assert "location->aerial" in record["retrieval"]
    model = load_model(tmp_path / "run/model")
    assert model.modalities == ("location",)
    student = load_model(atlas.model_path)
    found = [some.encode({"location": [(10.0, 20.0)]})["location"] for some in (model, student)]
    assert (found[0] - found[1]).abs().max() > 1e-4


def test_what_cannot_be_taught_is_refused(atlas, tmp_path):
    with pytest.raises(InputError, match="Unknown teacher 'oracle'"):
        teach(atlas, "oracle", tmp_path / "run")
    with pytest.raises(InputError, match="cannot be resumed"):
        teach(atlas, "coordinates", tmp_path / "run", resume=True)
    assert not (tmp_path / "run").exists()
