"""A whole training and the queries after it on another device than the processor; `test_devices` runs this."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.atlas.tiny import write_tiny_atlas
from tests.explorable import use_hashed_sentences
from tests.pretend_device import pretend_device
from tests.training.test_loop import EVERYTHING, TINY
from unigeoclip import devices
from unigeoclip.atlas import load_atlas
from unigeoclip.evaluation.report import evaluate
from unigeoclip.modalities import text
from unigeoclip.search.explorer import Explorer
from unigeoclip.search.query_items import QueryItem
from unigeoclip.training import loop, processes, train
from unigeoclip.training.stages import location_stage, text_stage


@pytest.fixture
def atlas(tmp_path, monkeypatch):
    use_hashed_sentences(monkeypatch)
    monkeypatch.setattr(loop, "sentence_encoder", text.sentence_encoder)
    write_tiny_atlas(tmp_path / "tiny")
    return load_atlas(tmp_path / "tiny")


@pytest.fixture
def pretending(monkeypatch):
    for module, name in ((processes, "chosen_device"), (devices, "chosen_device")):
        monkeypatch.setattr(module, name, lambda _=None: pretend_device())
    monkeypatch.setattr("unigeoclip.evaluation.report.chosen_device", lambda _=None: pretend_device())
    monkeypatch.setattr("unigeoclip.atlas.models.chosen_device", lambda _=None: pretend_device())


def test_the_pretended_device_refuses_what_a_gpu_refuses():
    there = torch.ones(3, device=pretend_device())
    with pytest.raises(RuntimeError, match="two devices"):
        there + torch.ones(3)
    with pytest.raises((TypeError, RuntimeError)):
        there.numpy()


@pytest.mark.parametrize("config", [TINY, replace(EVERYTHING, micro_batch=4)], ids=["plain", "everything"])
def test_a_training_on_another_device_gives_the_same_model(atlas, tmp_path, monkeypatch, pretending, config):
    monkeypatch.setattr(location_stage, "POOL", 64)
    monkeypatch.setattr(location_stage, "BATCH", 32)
    monkeypatch.setattr(text_stage, "BATCH", 32)
    there = train(atlas, config, tmp_path / "there")
    monkeypatch.setattr(processes, "chosen_device", lambda _=None: torch.device("cpu"))
    here = train(atlas, config, tmp_path / "here")
    assert there["retrieval"] == here["retrieval"]


def test_queries_and_measures_are_answered_there(atlas, tmp_path, pretending):
    metrics = train(atlas, TINY, tmp_path / "run")
    model = tmp_path / "run/model"
    report = evaluate(atlas, model)
    assert report["splits"]["random"]["retrieval"]["location->aerial"] == metrics["retrieval"]["location->aerial"]
    explorer = Explorer.open(tmp_path / "tiny", model=model)
    assert explorer.model.log_scale.device == pretend_device()
    query = explorer.query([QueryItem("text", "hills")])
    assert np.linalg.norm(query.vector) == pytest.approx(1, abs=1e-4)
