"""A location encoder for browsers: its rounded weights, bytes, bound. Browser tests look at what chromium computes."""

import json
import struct
import zlib

import numpy as np
import pytest
import torch

from tests.app.fake_embedders import fake_encoder
from unigeoclip.modalities.location import LocationConfig, LocationEncoder
from unigeoclip.similarity.browser.compact import CompactGrid
from unigeoclip.similarity.browser.point_encoder import encoder_bytes, is_small, rounded
from unigeoclip.similarity.grid import Grid


@pytest.fixture(scope="module")
def encoder():
    return fake_encoder()


@pytest.fixture(scope="module")
def compact(encoder):
    grid = Grid((-60.0, -180.0, 60.0, 180.0), np.ones((24, 72), bool))
    return CompactGrid.fit(grid, vectors(encoder, grid.cells), components=2)


def vectors(encoder, latlon):
    with torch.inference_mode():
        outputs = encoder(encoder.prepare(latlon))
    return torch.nn.functional.normalize(outputs, dim=1).numpy()


def test_rounding_hardly_moves_vectors(encoder, compact):
    before = [each.clone() for each in encoder.state_dict().values()]
    points = np.random.default_rng(0).uniform((-85, -180), (85, 180), (200, 2))
    exact, approximate = vectors(encoder, points), vectors(rounded(encoder, compact), points)
    cosines = (exact * approximate).sum(axis=1)
    assert 0.999 < cosines.min() < 1 - 1e-9, "rounded, but not by much"
    for one, other in zip(before, encoder.state_dict().values(), strict=True):
        assert torch.equal(one, other), "the encoder itself is left alone"


def test_bytes_hold_the_rounded_matrices_in_order(encoder, compact):
    data = encoder_bytes(encoder, compact)
    size = struct.unpack("<I", data[:4])[0]
    header = json.loads(data[4 : 4 + size])
    body = zlib.decompress(data[4 + size :])
    rows, codes = sum(shape[0] for shape in header["matrices"]), sum(np.prod(shape) for shape in header["matrices"])
    floats = 2 * 2 * 8 + 16 + 3 + 2 * rows  # frequencies, register, mean; steps and biases
    assert len(body) == 4 * floats + codes
    assert header["components"] == 2
    assert header["dim"] == 3
    assert header["matrices"][:2] == [[48, 16], [16, 16]]
    assert header["matrices"][-2:] == [[3, 16], [3, 16]]
    numbers = np.frombuffer(body, "<f4", floats)
    assert numbers[48:51] @ numbers[48:51] == pytest.approx(compact.mean @ compact.mean, rel=1e-5), "turned, as long"
    first = np.frombuffer(body, np.int8, 48 * 16, 4 * floats).reshape(48, 16) * numbers[51:99, None]
    block = encoder.blocks[0]
    expected = (block.attention.qkv.weight * block.norm_attention.weight).detach().numpy()
    assert np.abs(first - expected).max() <= numbers[51:99].max()
    assert encoder_bytes(encoder, compact) == data


def test_an_encoder_of_the_papers_size_stays_with_the_server(encoder):
    assert is_small(encoder)
    assert not is_small(LocationEncoder(LocationConfig(width=768, depth=2), 768))
