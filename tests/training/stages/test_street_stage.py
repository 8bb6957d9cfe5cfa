"""The street encoder alone: that nothing else changes, the same way each time, and that it learns."""

from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.explorable import CITY_CONFIG, write_long_street
from unigeoclip.atlas import load_atlas
from unigeoclip.model import UniGeoCLIP
from unigeoclip.training.configs import TrainConfig
from unigeoclip.training.losses import all_to_all_loss
from unigeoclip.training.sampling.draws import DrawConfig
from unigeoclip.training.sampling.mixture import sampler_of
from unigeoclip.training.stages import street_stage
from unigeoclip.training.stages.pools import drawn_pool
from unigeoclip.training.stages.street_stage import tune_street

DRAWS = DrawConfig(turned=0.3, near=0.25, recolored=0.2)


@pytest.fixture(scope="module")
def sampler(tmp_path_factory):
    atlas = load_atlas(write_long_street(tmp_path_factory.mktemp("atlases") / "longstreet"))
    vectors = np.random.default_rng(0).normal(size=(len(atlas.sentences), 384)).astype(np.float16)
    with ExitStack() as stack:
        yield sampler_of(atlas, "views", vectors, model(), 0, DRAWS, stack)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    for name, value in {"POOL": 96, "BATCH": 32, "AGAINST": 64, "WARM_STEPS": 2}.items():
        monkeypatch.setattr(street_stage, name, value)


def model():
    torch.manual_seed(0)
    return UniGeoCLIP(replace(CITY_CONFIG, temperature_per_pair=True))


def tuned(some, sampler, steps, **changes):
    tune_street(some, sampler, TrainConfig(model=CITY_CONFIG, street_steps=steps, draws=DRAWS, **changes), seed=1)
    return some.state_dict()


def test_only_the_street_encoder_changes_and_the_same_way_each_time(sampler, monkeypatch):
    monkeypatch.setattr(street_stage, "STEPS_A_POOL", 2)
    before, some = model().state_dict(), model()
    after, again = tuned(some, sampler, 3), tuned(model(), sampler, 3)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.startswith("encoders.street.") for name in changed)
    assert all(torch.equal(after[name], again[name]) for name in after)
    assert all(parameter.requires_grad for parameter in some.parameters())


def test_views_come_closer_to_what_else_is_there(sampler):
    some = model()
    inputs = sampler.drawn_inputs(48, np.random.default_rng(5))
    pair = {name: inputs[name] for name in ("street", "aerial")}
    seen = {"street": inputs["street"].lengths > 0}

    def loss():
        with torch.no_grad():
            return all_to_all_loss(some.encode(pair), some.pair_log_scale, seen).item()

    first = loss()
    tuned(some, sampler, 40)
    assert loss() < first - 0.2


def test_weights_of_modalities_count(sampler):
    first, other = (tuned(model(), sampler, 1, weights=weights) for weights in ({}, {"text": 0.0}))
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_a_pool_keeps_views_beside_what_the_others_say(sampler):
    some = model().eval()
    pool = drawn_pool(some, sampler, "street", 40, (1,))
    assert set(pool.others) == set(some.modalities) - {"street"}
    assert pool.present["street"].tolist() == (pool.street.lengths > 0).tolist()
    rows = torch.tensor([3, 0, 3])
    alone = some.encode({"street": pool.street})["street"]
    assert torch.allclose(some.encode({"street": pool.street.rows(rows)})["street"], alone[rows], atol=1e-6)
