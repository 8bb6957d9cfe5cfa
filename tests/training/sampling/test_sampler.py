"""Batches drawn afresh: what is drawn, from where, and that a step is a pure function of its number."""

import numpy as np
import pytest
import torch

from tests.atlas.tiny import write_tiny_atlas
from unigeoclip.atlas import load_atlas
from unigeoclip.geo import distance_m
from unigeoclip.training.sampling.sampler import KIND_WEIGHTS, PlaceSampler, kind_weights, some_sentences


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
    rng, rows, weights = np.random.default_rng(0), np.arange(10), np.full(10, 0.5)
    sizes = np.array([len(some_sentences(rows, weights, rng)) for _ in range(3000)])
    assert (sizes == 10).mean() == pytest.approx(0.38, abs=0.04)
    assert (sizes == 1).mean() == pytest.approx(0.2, abs=0.03)
    assert set(range(2, 10)) <= set(sizes)
    drawn = (some_sentences(rows, weights, rng) for _ in range(100))
    assert all(len(set(some.tolist())) == len(some) for some in drawn)


def test_a_kind_of_one_sentence_is_read_as_often_as_a_kind_of_many():
    rng, rows = np.random.default_rng(1), np.arange(20, 27)
    kinds = np.array([0, 0, 0, 0, 0, 1, 2])
    weights = kind_weights(kinds, np.array([1.0, 1.0, 0.5]))
    np.testing.assert_allclose(np.bincount(kinds, weights), [1.0, 1.0, 0.5])
    alone = [int(some[0]) for some in (some_sentences(rows, weights, rng) for _ in range(8000)) if len(some) == 1]
    of_kind = np.bincount(kinds[np.array(alone) - 20]) / len(alone)
    np.testing.assert_allclose(of_kind, [0.4, 0.4, 0.2], atol=0.04)


def test_the_sampler_weighs_sentences_by_their_kind(atlas):
    chosen = sampler(atlas)
    kinds = atlas.sentences["kind"].to_numpy(str)
    for rows, weights in zip(chosen.sentences[:20], chosen.sentence_weights[:20], strict=True):
        for kind in set(kinds[rows]):
            assert weights[kinds[rows] == kind].sum() == pytest.approx(KIND_WEIGHTS.get(kind, 1.0))
        assert set(chosen.some_sentences(0, np.random.default_rng(0))) <= set(chosen.sentences[0])
