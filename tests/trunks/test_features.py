"""Features are computed once for the same pictures, trunk and size."""

import numpy as np
import pytest
import torch

from unigeoclip.modalities.aerial import AerialEncoder
from unigeoclip.modalities.convolution import ConvConfig
from unigeoclip.trunks import features
from unigeoclip.trunks.conv import ConvTrunk
from unigeoclip.trunks.features import cached_features

PICTURES = np.random.default_rng(0).integers(0, 255, (7, 3, 16, 16), dtype=np.uint8)


class Counting:
    """A trunk that counts what it was asked."""

    name, px, features, groups = "counting", 16, 3, (3,)

    def __init__(self, fingerprint="one"):
        self.fingerprint, self.asked = fingerprint, 0

    def embed(self, pictures):
        self.asked += len(pictures)
        return pictures.reshape(len(pictures), 3, -1).mean(axis=2).astype(np.float16)


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    monkeypatch.setattr(features, "PART", 4)
    return tmp_path


def test_features_are_computed_once():
    trunk, done = Counting(), []
    found = cached_features(trunk, PICTURES, done.append)
    assert done == [4, 3]
    assert trunk.asked == 7
    assert np.array_equal(found, Counting().embed(PICTURES))
    assert np.array_equal(cached_features(trunk, PICTURES), found)
    assert trunk.asked == 7
    changed = PICTURES.copy()
    changed[5, 0, 0, 0] ^= 1
    cached_features(trunk, changed)
    assert trunk.asked == 10, "only the part with the changed picture is computed again"


def test_another_trunk_has_features_of_its_own():
    cached_features(Counting(), PICTURES)
    other = Counting("two")
    cached_features(other, PICTURES)
    assert other.asked == 7


def test_a_damaged_file_is_computed_again(cache):
    trunk = Counting()
    found = cached_features(trunk, PICTURES)
    for path in cache.rglob("*.npy"):
        path.write_bytes(b"damaged")
    assert np.array_equal(cached_features(trunk, PICTURES), found)
    assert trunk.asked == 14


def test_the_convolutions_of_an_aerial_encoder():
    torch.manual_seed(0)
    encoder = AerialEncoder(ConvConfig(px=16, widths=(8, 16), blocks=(0, 1), hidden=16), dim=4).eval()
    trunk = ConvTrunk(encoder, "one")
    found = trunk.embed(PICTURES)
    assert found.shape == (7, trunk.features) == (7, 16 * 2 * 2)
    with torch.inference_mode():
        whole = encoder(encoder.prepare(PICTURES))
        by_head = encoder.trunk.head(torch.from_numpy(found).float().view(7, 16, 2, 2))
    assert torch.allclose(whole, by_head, atol=1e-2)
