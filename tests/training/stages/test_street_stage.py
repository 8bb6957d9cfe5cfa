"""The street encoder alone: that nothing else changes, the same way each time, and that it learns."""

from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.explorable import CITY_CONFIG, write_long_street
from unigeoclip.atlas import load_atlas
from unigeoclip.geo import distance_m, unit_xyz
from unigeoclip.model import UniGeoCLIP
from unigeoclip.search.gallery_windows import gallery_windows
from unigeoclip.training.configs import TrainConfig
from unigeoclip.training.losses import all_to_all_loss
from unigeoclip.training.sampling.draws import DrawConfig
from unigeoclip.training.sampling.mixture import sampler_of
from unigeoclip.training.stages import street_stage
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
    for name, value in {"BATCH": 32, "AGAINST": 64, "WARM_STEPS": 2, "DECAY": 0.5}.items():
        monkeypatch.setattr(street_stage, name, value)


def model():
    torch.manual_seed(0)
    return UniGeoCLIP(replace(CITY_CONFIG, temperature_per_pair=True))


def tuned(some, sampler, steps, **changes):
    tune_street(some, sampler, TrainConfig(model=CITY_CONFIG, street_steps=steps, draws=DRAWS, **changes), seed=1)
    return some.state_dict()


def test_only_the_street_encoder_changes_and_the_same_way_each_time(sampler):
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


def test_windows_are_those_of_the_search_but_at_held_out_cameras(sampler):
    some, atlas = model().eval(), sampler.atlas
    gallery = street_stage._gallery(some, sampler)
    windows = gallery_windows(atlas, "aerial", sampler.train)
    held_out = sampler.views.latlon[(atlas.views["views"] == "held_out").to_numpy()]
    away = np.array([distance_m(at, held_out).min() for at in windows.latlon])
    kept = (np.arange(len(windows)) < windows.places) | (away > 2)
    assert 0 < kept.sum() < len(windows)
    assert np.allclose(gallery.xyz, unit_xyz(windows.latlon[kept]))
    assert set(gallery.vectors) == {*some.modalities, "mean"} - {"street"}
    at = windows.latlon[kept][:1]
    picture = atlas.raster("aerial").windows(at, atlas.window_m, some.window_px("aerial"))
    assert torch.allclose(gallery.vectors["aerial"][:1], some.encode({"aerial": picture})["aerial"], atol=1e-5)


def test_the_loss_is_the_share_of_all_right_windows():
    logits = torch.tensor([[-1.0, -2.0, -3.0], [-2.0, -1.0, -4.0]])
    right = torch.tensor([[True, True, False], [False, False, False]])  # of the second spot nothing is known
    present = torch.tensor([True, True, True])
    shares = logits[0].softmax(0)
    to_spots = logits[:, 0].softmax(0)
    expected = (-(shares[0] + shares[1]).log() - 0.25 * to_spots[0].log()) / 1.25
    assert torch.isclose(street_stage._of_modality(logits, right, present), expected)
    absent = street_stage._of_modality(
        logits, right & torch.tensor([True, True, False]), torch.tensor([True, True, False])
    )
    assert absent < expected  # a window without the modality is no wrong answer
