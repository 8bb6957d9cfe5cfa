"""Cameras and what stands round them, drawn afresh: from where, how, and what never comes near what is held out."""

from contextlib import ExitStack

import numpy as np
import pytest
import torch

from tests.explorable import write_long_street
from unigeoclip.atlas import load_atlas
from unigeoclip.build.city.cells import block_split, held_out_blocks
from unigeoclip.geo import distance_m
from unigeoclip.training.sampling.draws import DrawConfig
from unigeoclip.training.sampling.sampler import Share
from unigeoclip.training.sampling.street_sampler import ALONG_M, ROUND_M, STREET_SHARE, StreetSampler

PLAIN = DrawConfig()
SIZE = (8, 16)  # height, width of a view


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    return load_atlas(write_long_street(tmp_path_factory.mktemp("atlases") / "longstreet"))


@pytest.fixture(scope="module")
def sampler(atlas):
    vectors = np.random.default_rng(0).normal(size=(len(atlas.sentences), 384)).astype(np.float16)
    with ExitStack() as stack:

        def make(split="views", seed=0, draws=PLAIN, windows=("aerial",)):
            return StreetSampler(atlas, split, vectors, dict.fromkeys(windows, 16), SIZE, seed, draws, stack=stack)

        yield make


@pytest.fixture
def eyes(monkeypatch):
    """Where cameras stood, in the order of the spots."""
    seen = []

    def watch(chosen):
        draw = chosen.views.draw

        def drawn(latlon, *options):
            seen.append(latlon)
            return draw(latlon, *options)

        monkeypatch.setattr(chosen.views, "draw", drawn)
        return seen

    return watch


def test_a_step_is_a_pure_function_of_its_number(sampler):
    first, again, other = sampler().batch(3, 10), sampler().batch(3, 10), sampler().batch(4, 10)
    for name in ("location", "aerial"):
        np.testing.assert_array_equal(first[name], again[name])
    for name in ("pictures", "headings_deg", "lengths"):
        assert torch.equal(getattr(first["street"], name).nan_to_num(-1), getattr(again["street"], name).nan_to_num(-1))
    assert torch.equal(first["text"].vectors, again["text"].vectors)
    assert not np.array_equal(first["location"], other["location"])
    assert not np.array_equal(first["location"], sampler(seed=1).batch(3, 10)["location"])


def test_spots_without_a_street_come_last(sampler):
    batch = sampler().batch(0, 20)
    count = round(20 * STREET_SHARE)
    lengths = batch["street"].lengths
    assert len(lengths) == len(batch["location"]) == len(batch["text"].lengths) == 20
    assert (lengths[:count] > 0).all()
    assert (lengths[count:] == 0).all()
    assert batch["street"].pictures.shape == (int(lengths.sum()), 3, *SIZE)
    assert batch["street"].pictures.dtype == torch.uint8
    assert len(batch["street"].headings_deg) == int(lengths.sum())
    assert batch["aerial"].shape == (20, 3, 16, 16)


def test_shares_of_a_batch_make_up_the_whole(sampler):
    draws = DrawConfig(turned=0.2, unlocated=0.2, near=0.25, recolored=0.5)
    chosen = sampler(draws=draws, windows=("aerial", "surface"))
    whole, shares = chosen.batch(3, 30), [chosen.batch(3, 30, Share(rank, 3)) for rank in range(3)]
    counts = whole["street"].lengths.numpy()
    assert counts[:24].min() >= 1
    assert counts[24:].max() == 0
    pictures = np.split(whole["street"].pictures.numpy(), np.cumsum(counts)[:-1])
    for rank, share in enumerate(shares):
        np.testing.assert_array_equal(share["location"], whole["location"][rank::3])
        np.testing.assert_array_equal(share["aerial"], whole["aerial"][rank::3])
        np.testing.assert_array_equal(share["text"].lengths, whole["text"].lengths[rank::3])
        np.testing.assert_array_equal(share["street"].lengths, counts[rank::3])
        np.testing.assert_array_equal(share["street"].pictures, np.concatenate(pictures[rank::3]))
        for name in ("location", "text", "street"):
            np.testing.assert_array_equal(share["present"][name], whole["present"][name][rank::3])


def test_panoramas_photos_and_a_compass_that_is_not_always_there(sampler):
    chosen = sampler()
    street = chosen.street(chosen.spots(400, np.random.default_rng(0))[0])
    counts = np.bincount(street.lengths.numpy(), minlength=5) / 400
    np.testing.assert_allclose(counts[1:], (0.45, 0.1, 0.1, 0.35), atol=0.08)
    spot = np.repeat(np.arange(400), street.lengths.numpy())
    unknown = street.headings_deg.isnan().numpy()
    assert unknown[np.searchsorted(spot, np.arange(400))].mean() == pytest.approx(0.3, abs=0.08)
    first = np.flatnonzero(street.lengths.numpy() == 4)[0]
    assert len(set(unknown[spot == first])) == 1, "of a spot all headings are known, or none"
    turned = [street.headings_deg.numpy()[spot == row] for row in np.flatnonzero(street.lengths.numpy() == 4)]
    for headings in turned:
        if not np.isnan(headings).any():
            np.testing.assert_allclose(np.diff(headings) % 360, 90, atol=1e-3)


def test_a_street_view_never_stands_where_one_is_held_out(atlas, sampler, eyes):
    chosen = sampler()
    seen = eyes(chosen)
    chosen.street(chosen.spots(600, np.random.default_rng(0))[0])
    on_street = (atlas.views["street"] == "Long Street").to_numpy()
    held_out = on_street & (atlas.views["views"] == "held_out").to_numpy()
    latlon = atlas.views[["lat", "lon"]].to_numpy()
    assert held_out.sum() > 15
    eye = np.concatenate(seen)
    south = eye[:, 0] < latlon[on_street, 0].max() + 1e-4
    assert south.sum() > 300
    assert len(np.unique(eye.round(7), axis=0)) > 400, "positions are drawn, not a fixed list"
    assert distance_m(eye[south][:, None], latlon[held_out][None]).min() > 20


def test_what_is_seen_from_above_lies_near_the_camera(atlas, sampler, eyes):
    chosen = sampler()
    seen = eyes(chosen)
    spots, at, rows = chosen.spots(200, np.random.default_rng(0))
    street = chosen.street(spots)
    eye = seen[0][np.cumsum(street.lengths.numpy()) - 1]
    away = distance_m(eye, at)
    assert away.max() <= ROUND_M + 0.1
    assert away.mean() > ROUND_M / 3
    trained = atlas.views[["lat", "lon"]].to_numpy()[chosen.cameras]
    assert distance_m(eye[:, None], trained[None]).min(1).max() <= ALONG_M + 0.1
    nearest = distance_m(at[:, None], chosen.latlon[None]).argmin(1)
    np.testing.assert_array_equal(rows, nearest)


def test_blocks_stay_out_of_what_is_held_out(atlas, sampler, eyes):
    blocks = held_out_blocks(atlas.places[["lat", "lon"]].to_numpy())
    assert len(blocks)
    chosen = sampler("blocks")
    assert set(atlas.views["blocks"].iloc[chosen.cameras]) == {"train"}
    seen = eyes(chosen)
    batch = chosen.batch(0, 500)
    assert "held_out" not in block_split(np.concatenate(seen), blocks)
    assert "held_out" not in block_split(batch["location"], blocks)
    views = sampler("views").batch(0, 500)
    assert "held_out" in block_split(views["location"], blocks), "the other split is trained on all of the territory"
