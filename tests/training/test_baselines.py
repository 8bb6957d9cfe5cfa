"""Retrained baselines: their shapes and scales, a short training, and what ships of it."""

import json

import numpy as np
import pytest
import torch

from tests.embedders.test_embedders import CITIES
from tests.explorable import CITY_CONFIG, write_explorable_city
from unigeoclip.atlas import load_atlas
from unigeoclip.checkpoint import compact_state
from unigeoclip.embedders import retrained
from unigeoclip.embedders.geoclip import GeoCLIPEmbedder
from unigeoclip.embedders.retrained import Baseline, RetrainedEmbedder, RetrainedLocation
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.training.baselines import train_baseline
from unigeoclip.training.configs import TrainConfig

BOSTON = (42.26, -71.24, 42.46, -70.97)
SHORT = TrainConfig(model=CITY_CONFIG, steps=4, batch=8, evaluate_every=4, checkpoint_every=2)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    return load_atlas(write_explorable_city(tmp_path_factory.mktemp("baselines") / "madeup"))


def embed(baseline, latlon):
    torch.manual_seed(0)
    location = RetrainedLocation(baseline)
    with torch.no_grad():
        return torch.nn.functional.normalize(location(location.prepare(latlon)), dim=1).numpy()


@pytest.mark.parametrize("kind", ["satclip", "geoclip"])
def test_published_scales_are_flat_over_a_block_and_suited_ones_are_not(kind):
    south, west, north, east = BOSTON
    rng = np.random.default_rng(0)
    points = np.stack([rng.uniform(south, north, 200), rng.uniform(west, east, 200)], axis=1)
    next_door = points + np.array([0.002, 0])  # 220 m
    alike = [
        (embed(each, points) * embed(each, next_door)).sum(1).mean()
        for each in (Baseline(kind), Baseline.suited(kind, BOSTON))
    ]
    assert alike[0] > 0.995
    assert alike[1] < alike[0] - 0.005
    assert embed(Baseline(kind), points).shape == (200, Baseline(kind).dim)


def test_a_zoom_suits_the_atlas():
    assert Baseline.suited("satclip", (-90, -180, 90, 180)).zoom == 1
    assert Baseline.suited("satclip", BOSTON).zoom == pytest.approx(600, rel=0.01)
    assert Baseline.suited("geoclip", BOSTON).centre == pytest.approx((42.36, -71.105))


def test_geoclip_starts_from_the_published_weights():
    """Before it has learned anything it gives GeoCLIP's own vectors, but for float32 of the projection."""
    ours = RetrainedLocation(Baseline("geoclip"))
    with torch.no_grad():
        vectors = torch.nn.functional.normalize(ours(ours.prepare(CITIES)), dim=1).numpy()
    np.testing.assert_allclose(vectors, GeoCLIPEmbedder.from_package().embed(CITIES), atol=5e-4)


def test_only_the_updates_of_geoclip_learn_and_are_stored():
    ours = RetrainedLocation(Baseline("geoclip"))
    ours(ours.prepare(CITIES)).sum().backward()
    assert all(parameter.grad is None for parameter in ours.encoder.parameters())
    assert all((update.up.weight.grad != 0).any() for updates in ours.updates for update in updates)
    state = ours.own_state()
    assert sum(value.numel() for value in state.values()) < 0.08 * sum(p.numel() for p in ours.encoder.parameters())
    other = RetrainedLocation(Baseline("geoclip"))
    torch.nn.init.normal_(ours.updates[0][1].up.weight)
    other.load_own_state(compact_state(ours.own_state()))
    with torch.no_grad():
        near, far = other(other.prepare(CITIES)), ours(ours.prepare(CITIES))
    torch.testing.assert_close(near, far, rtol=0.1, atol=0.1 * far.abs().max().item())
    with pytest.raises(RuntimeError, match="not those of geoclip"):
        other.load_own_state({})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "pair"), [("satclip-retrained", "location-aerial"), ("geoclip-retrained-city", "street-location")]
)
def test_a_short_training_ships_what_it_measured(town, tmp_path, name, pair, monkeypatch):
    record = train_baseline(town, name, tmp_path / "run", config=SHORT)
    assert record["pair"] == pair
    assert record["training"]["steps"] == 4
    folder = tmp_path / "run" / "baseline"
    assert json.loads((folder / "baseline.json").read_text())["sha256"] == record["sha256"]
    embedder = RetrainedEmbedder.from_folder(name, folder)
    assert "retrained" in embedder.title
    assert embedder.embed(CITIES).shape == (len(CITIES), embedder.dim)
    with pytest.raises(InputError, match="holds a training already"):
        train_baseline(town, name, tmp_path / "run", config=SHORT)
    with pytest.raises(InputError, match="describes another training"):
        train_baseline(town, name, tmp_path / "run", config=SHORT, seed=1, resume=True)
    assert train_baseline(town, name, tmp_path / "run", config=SHORT, resume=True)["sha256"] == record["sha256"]
    (folder / "location_encoder.safetensors").write_bytes(b"torn")
    with pytest.raises(CheckpointError, match="restore it or train it again"):
        RetrainedEmbedder.from_folder(name, folder)


def test_bad_names_are_told(town, tmp_path):
    with pytest.raises(InputError, match="baseline 'satclap'. Known: satclip-retrained"):
        train_baseline(town, "satclap", tmp_path / "run")
    with pytest.raises(InputError, match="no split"):
        train_baseline(town, "satclip-retrained", tmp_path / "run", config=SHORT, split="random")
    with pytest.raises(CheckpointError, match="train --baseline satclip-retrained"):
        RetrainedEmbedder.from_atlas("satclip-retrained", town)
    with pytest.raises(InputError, match="baseline 'x'"):
        Baseline("x")
    assert retrained.BASELINES.keys() >= {"satclip-retrained", "geoclip-retrained"}
