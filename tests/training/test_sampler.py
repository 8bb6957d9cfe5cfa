"""Batches drawn afresh: what is drawn, from where, and that a step is a pure function of its number."""

import numpy as np
import pytest
import torch

from tests.atlas.tiny import write_tiny_atlas
from unigeoclip.atlas import load_atlas
from unigeoclip.geo import distance_m
from unigeoclip.training.sampler import PlaceSampler, some_sentences


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    folder = tmp_path_factory.mktemp("atlases") / "tiny"
    write_tiny_atlas(folder)
    return load_atlas(folder)


def sampler(atlas, split="random", seed=0):
    vectors = np.random.default_rng(0).normal(size=(len(atlas.sentences), 384)).astype(np.float16)
    return PlaceSampler(atlas, split, vectors, {"aerial": 16, "surface": 16}, seed=seed)


def test_a_step_is_a_pure_function_of_its_number(atlas):
    first, again, other = sampler(atlas).batch(3, 16), sampler(atlas).batch(3, 16), sampler(atlas).batch(4, 16)
    for name in ("location", "aerial", "surface"):
        np.testing.assert_array_equal(first[name], again[name])
    assert torch.equal(first["text"].vectors, again["text"].vectors)
    assert not np.array_equal(first["location"], other["location"])
    assert not np.array_equal(first["location"], sampler(atlas, seed=1).batch(3, 16)["location"])


def test_shapes(atlas):
    batch = sampler(atlas).batch(0, 16)
    assert batch["location"].shape == (16, 2)
    assert batch["aerial"].shape == (16, 3, 16, 16)
    assert batch["aerial"].dtype == np.uint8
    assert batch["surface"].shape == (16, 1, 16, 16)
    assert len(batch["text"].lengths) == 16
    assert len(batch["text"].vectors) == int(batch["text"].lengths.sum())


@pytest.mark.parametrize("split", ["random", "blocks"])
def test_sentences_are_those_of_the_nearest_training_place(atlas, split):
    chosen = sampler(atlas, split)
    positions, rows = chosen.positions(400, np.random.default_rng(0))
    places = atlas.places
    train = np.flatnonzero((places[split] == "train").to_numpy())
    latlon = places[["lat", "lon"]].to_numpy()
    distance = distance_m(positions[:, None], latlon[train][None])
    np.testing.assert_array_equal(distance.argmin(1), rows)
    assert len(np.unique(positions, axis=0)) > 200, "positions are drawn, not a fixed list"
    assert atlas.is_land(positions).mean() > 0.99


def test_blocks_keep_away_from_what_is_held_out(atlas):
    places = atlas.places
    latlon = places[["lat", "lon"]].to_numpy()
    kept_out = latlon[(places["blocks"] != "train").to_numpy()]
    chosen = sampler(atlas, "blocks")
    positions, rows = chosen.positions(400, np.random.default_rng(0))
    own = distance_m(positions, chosen.latlon[rows])
    assert (distance_m(positions[:, None], kept_out[None]).min(1) >= own).all()


def test_subsets_of_sentences_cover_one_some_and_all():
    rng, rows = np.random.default_rng(0), np.arange(10)
    sizes = np.array([len(some_sentences(rows, rng)) for _ in range(3000)])
    assert (sizes == 10).mean() == pytest.approx(0.38, abs=0.04)
    assert (sizes == 1).mean() == pytest.approx(0.2, abs=0.03)
    assert set(range(2, 10)) <= set(sizes)
    assert all(len(set(some.tolist())) == len(some) for some in (some_sentences(rows, rng) for _ in range(100)))
