"""The location encoder alone: that nothing else changes, the same way each time, and that it learns."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.atlas.tiny import write_tiny_atlas
from tests.explorable import CONFIG
from unigeoclip.atlas import load_atlas
from unigeoclip.model import UniGeoCLIP
from unigeoclip.training.configs import TrainConfig
from unigeoclip.training.sampling.draws import DrawConfig
from unigeoclip.training.sampling.sampler import PlaceSampler
from unigeoclip.training.stages import location_stage
from unigeoclip.training.stages.location_stage import tune_location


@pytest.fixture
def sampler(tmp_path, monkeypatch):
    monkeypatch.setattr(location_stage, "POOL", 96)
    monkeypatch.setattr(location_stage, "BATCH", 32)
    atlas = load_atlas(write_tiny_atlas(tmp_path / "tiny"))
    vectors = np.random.default_rng(0).normal(size=(len(atlas.sentences), 384)).astype(np.float16)
    model = UniGeoCLIP(CONFIG)
    windows = {name: model.window_px(name) for name in ("aerial", "surface")}
    return PlaceSampler(atlas, "random", vectors, windows)


def model():
    torch.manual_seed(0)
    return UniGeoCLIP(CONFIG)


def tuned(some, sampler, steps):
    config = TrainConfig(model=CONFIG, location_steps=steps, draws=DrawConfig(turned=0.3, near=0.25))
    tune_location(some, sampler, config, seed=1)
    return some.state_dict()


def test_only_the_location_encoder_changes_and_the_same_way_each_time(sampler, monkeypatch):
    monkeypatch.setattr(location_stage, "STEPS_A_POOL", 2)
    before = model().state_dict()
    after, again = tuned(model(), sampler, 3), tuned(model(), sampler, 3)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.startswith("encoders.location.") for name in changed)
    assert all(torch.equal(after[name], again[name]) for name in after)


def test_all_encoders_can_learn_afterwards(sampler):
    some = model()
    tuned(some, sampler, 1)
    assert all(parameter.requires_grad for parameter in some.parameters())


def test_locations_come_closer_to_their_pictures(sampler):
    some = model()
    rng = np.random.default_rng(5)
    inputs = sampler.drawn_inputs(64, rng)

    def loss():
        with torch.no_grad():
            found = some.encode({name: inputs[name] for name in ("location", "aerial")})
            return location_stage.all_to_all_loss(found, some.pair_log_scale).item()

    first = loss()
    tuned(some, sampler, 60)
    assert loss() < first - 0.3


def test_weights_of_modalities_count(sampler):
    some, other = model(), model()
    config = TrainConfig(model=CONFIG, location_steps=2)
    tune_location(some, sampler, config, seed=1)
    tune_location(other, sampler, replace(config, weights={"text": 0.0}), seed=1)
    assert not torch.equal(some.encoders["location"].head.weight, other.encoders["location"].head.weight)
