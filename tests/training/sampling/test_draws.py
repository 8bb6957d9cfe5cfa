"""What is done to a batch: which rows lose what, that both pictures turn alike, and who counts as a neighbor."""

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from unigeoclip.errors import InputError
from unigeoclip.modalities.street import StreetBatch
from unigeoclip.training.sampling.draws import NEIGHBORS, DrawConfig, changed, drawn_changes, with_neighbors
from unigeoclip.training.sampling.recolor import drawn_recoloring, recolored

SIDE = 6


def batch(size):
    rng = np.random.default_rng(3)
    surface = rng.normal(size=(size, 1, SIDE, SIDE)).astype(np.float32)
    aerial = np.repeat((surface * 20 + 100).astype(np.uint8), 3, axis=1)
    return {"location": rng.normal(size=(size, 2)), "aerial": aerial, "surface": surface, "text": None, "present": {}}


def after_drawing(inputs, draws, pictures, seed):
    changes = drawn_changes(len(inputs["location"]), draws, pictures, np.random.default_rng(seed))
    return changed(inputs, changes, pictures)


def test_nothing_is_changed_by_default():
    before, after = batch(8), after_drawing(batch(8), DrawConfig(), ("aerial", "surface"), 0)
    np.testing.assert_array_equal(before["aerial"], after["aerial"])
    assert after["present"] == {}


def test_turned_rows_keep_pictures_alone_and_both_turn_alike():
    before = batch(64)
    after = after_drawing(batch(64), DrawConfig(turned=0.5), ("aerial", "surface"), 0)
    turned = ~after["present"]["location"].numpy()
    assert turned.sum() == 32
    assert (after["present"]["text"].numpy() == ~turned).all()
    assert "street" not in after["present"], "the batch has none"
    same = np.array([np.array_equal(a, b) for a, b in zip(before["surface"], after["surface"], strict=True)])
    assert (same == ~turned).all()
    expected = np.repeat((after["surface"] * 20 + 100).astype(np.uint8), 3, axis=1)
    np.testing.assert_array_equal(after["aerial"], expected)
    for old, new in zip(before["surface"][turned], after["surface"][turned], strict=True):
        kinds = [np.rot90(side, k, axes=(-2, -1)) for side in (old, old[..., ::-1]) for k in range(4)]
        assert any(np.array_equal(new, kind) for kind in kinds)


def test_unlocated_rows_lose_their_location_only():
    after = after_drawing(batch(60), DrawConfig(turned=0.5, unlocated=0.1), ("aerial", "surface"), 1)
    assert int((~after["present"]["location"]).sum()) == 30 + 3
    assert int((~after["present"]["text"]).sum()) == 30


def test_a_single_kind_of_picture_is_not_turned():
    after = after_drawing(batch(8), DrawConfig(turned=0.5), ("aerial",), 0)
    assert after["present"] == {}
    np.testing.assert_array_equal(after["aerial"], batch(8)["aerial"])


def test_neighbors_are_close_to_others_of_the_batch():
    points = np.random.default_rng(0).random((2000, 2))
    tree, rows = cKDTree(points), np.arange(0, 2000, 20)
    found = with_neighbors(rows, tree, 0.4, np.random.default_rng(5))
    np.testing.assert_array_equal(found[:60], rows[:60])
    reach = tree.query(points[rows[:60]], k=NEIGHBORS + 1)[1]
    for row in found[60:]:
        assert any(row in near[1:] for near in reach)
    np.testing.assert_array_equal(with_neighbors(rows, tree, 0.0, np.random.default_rng(5)), rows)


def test_few_places_have_few_neighbors():
    tree = cKDTree(np.random.default_rng(0).random((3, 2)))
    found = with_neighbors(np.array([0, 1, 2, 0]), tree, 1.0, np.random.default_rng(0))
    assert found[0] == 0
    assert set(found[1:]) <= {1, 2}, "the others of the three"
    alone = cKDTree(np.zeros((1, 2)))
    assert with_neighbors(np.array([0, 0]), alone, 0.5, np.random.default_rng(0)).tolist() == [0, 0]


def test_shares_are_shares():
    with pytest.raises(InputError, match=r"draws\.near"):
        DrawConfig(near=1.5)


def test_recolored_pictures_keep_what_is_where():
    rng = np.random.default_rng(0)
    picture = np.zeros((1, 3, 24, 24), np.uint8)
    picture[:, :, :, 12:] = np.array([60, 140, 50], np.uint8)[None, :, None, None]
    picture[:, :, 12:, :12] = 200
    before = np.repeat(picture, 64, axis=0)
    after = recolored(before, drawn_recoloring(64, 1.0, rng))
    assert after.dtype == np.uint8
    assert after.shape == before.shape
    middles = after[:, :, [6, 18, 6], [6, 6, 18]].astype(float)  # black, gray, green
    assert middles[:, :, 0].max() < 3, "black stays black"
    gray, green = middles[:, :, 1], middles[:, :, 2]
    assert np.ptp(gray.mean(axis=1)) > 40, "brightness varies"
    assert np.ptp(green[:, 1] - green[:, 0]) > 40, "saturation varies"
    assert (gray.mean(axis=1) > green.mean(axis=1) - 5).all()
    sharp = np.abs(np.diff(after[:, 1, 20].astype(float), axis=1)).max(axis=1)
    assert len(np.unique(np.round(sharp))) > 10


def test_a_share_of_the_pictures_is_recolored():
    before = batch(200)
    street = StreetBatch(torch.full((150, 3, 4, 4), 90, dtype=torch.uint8), torch.zeros(150), torch.ones(150).long())
    inputs = batch(200) | {"street": street}
    after = after_drawing(inputs, DrawConfig(recolored=0.25), ("aerial", "surface"), 0)
    other = [not np.array_equal(a, b) for a, b in zip(before["aerial"], after["aerial"], strict=True)]
    assert 45 <= sum(other) <= 50
    np.testing.assert_array_equal(before["surface"], after["surface"])
    assert 25 <= int((after["street"].pictures != 90).flatten(1).any(1).sum()) <= 50, "a quarter, give or take"
    assert after["present"] == {}
