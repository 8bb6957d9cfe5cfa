"""Numbers about embeddings of a region, on regions whose answers are known."""

import itertools

import numpy as np
import pytest

from unigeoclip.errors import InputError
from unigeoclip.evaluation import structure
from unigeoclip.geo import distance_m

RNG = np.random.default_rng(0)
STEPS = np.linspace(0, 0.2, 24)
GRID = np.stack(np.meshgrid(42.2 + STEPS, -71.2 + STEPS, indexing="ij"), -1).reshape(-1, 2)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


SMOOTH = unit(np.stack([np.ones(len(GRID)), 5 * (GRID[:, 0] - 42.3), 5 * (GRID[:, 1] + 71.1)], 1))
NOISE = unit(RNG.normal(size=(len(GRID), 16)))
ONE = np.tile(unit(np.ones((1, 8))), (len(GRID), 1)).astype(np.float32)


def test_a_spectrum_counts_directions():
    corners = np.eye(4)[np.arange(400) % 4]
    found = structure.spectrum(corners)
    assert found.effective_rank == pytest.approx(3)  # four corners span three directions
    np.testing.assert_allclose(found.shares[:4], [1 / 3, 1 / 3, 1 / 3, 0], atol=1e-12)
    assert found.variance == pytest.approx(0.75)
    line = structure.spectrum(np.outer(np.linspace(-1, 1, 50), [0.6, 0.8]))
    assert line.effective_rank == pytest.approx(1)
    assert line.shares[0] == pytest.approx(1)


def test_a_constant_model_has_no_variance_and_no_rank():
    found = structure.spectrum(ONE)
    assert (found.variance, found.effective_rank, found.shares.max()) == (0, 0, 0)
    assert np.isnan(structure.smooth_share(ONE, GRID))
    assert np.isnan(structure.morans_i(ONE, structure.rings(GRID, [0, 2000]))).all()
    assert np.isnan(structure.linear_cka(ONE, NOISE))


def test_smooth_functions_are_told_from_detail():
    assert structure.smooth_share(SMOOTH, GRID) > 0.99
    assert structure.smooth_share(NOISE, GRID) < 0.02
    checks = unit(np.stack([np.ones(len(GRID)), (np.indices((24, 24)).sum(0).ravel() % 2) - 0.5], 1))
    assert structure.smooth_share(checks, GRID) < 0.05
    both = unit(np.concatenate([SMOOTH, 0.5 * NOISE], axis=1))
    assert 0.1 < structure.smooth_share(both, GRID) < 0.9


def test_morans_i_falls_with_distance_where_things_are_smooth():
    rings = structure.rings(GRID, [0, 1200, 4000, 8000, 16_000])
    smooth, noise = structure.morans_i(SMOOTH, rings), structure.morans_i(NOISE, rings)
    assert smooth[0] > 0.9
    assert all(a > b for a, b in itertools.pairwise(smooth))
    assert smooth[-1] < 0
    assert np.abs(noise[:3]).max() < 0.05
    assert np.isnan(structure.morans_i(SMOOTH, structure.rings(GRID, [0, 10]))[0])  # no two points are so near


def test_rings_hold_each_pair_once_either_way():
    near, far = structure.rings(GRID, [0, 1200, 4000])
    assert not set(near.neighbors[100]) & set(far.neighbors[100])
    assert 100 not in near.neighbors[100]
    assert all(100 in near.neighbors[other] for other in near.neighbors[100])
    distances = distance_m(GRID[100], GRID[near.neighbors[100]])
    assert (len(distances), distances.max() <= 1200) == ((distance_m(GRID[100], GRID) <= 1200).sum() - 1, True)


def test_morans_i_of_a_checkerboard_is_negative_next_door():
    checks = np.stack([(np.indices((24, 24)).sum(0).ravel() % 2) - 0.5, np.zeros(len(GRID))], 1)
    across_m, down_m = 715, 967
    assert structure.morans_i(checks, structure.rings(GRID, [0, down_m + 20]), components=1)[0] == pytest.approx(
        -1, abs=0.02
    )
    assert across_m < down_m


def test_cka_ignores_rotation_and_scale():
    turn, _ = np.linalg.qr(RNG.normal(size=(16, 16)))
    assert structure.linear_cka(NOISE, 3 * NOISE @ turn) == pytest.approx(1)
    assert structure.linear_cka(NOISE, unit(RNG.normal(size=(len(GRID), 16)))) < 0.1
    assert structure.linear_cka(SMOOTH, SMOOTH[:, :2]) > 0.3


def test_neighbors_are_compared():
    turn, _ = np.linalg.qr(RNG.normal(size=(16, 16)))
    assert structure.neighbor_overlap(NOISE, NOISE @ turn) == pytest.approx(1, abs=0.01)
    other = unit(RNG.normal(size=(len(GRID), 16)))
    assert structure.neighbor_overlap(NOISE, other, k=10) == pytest.approx(10 / 575, abs=0.01)


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: structure.spectrum(np.ones((1, 3))), "two or more"),
        (lambda: structure.smooth_share(NOISE, GRID[:5]), "576 embeddings, but 5 points"),
        (lambda: structure.smooth_share(NOISE[:9], GRID[:9]), "20 points"),
        (lambda: structure.rings(GRID, [5, 3]), "must rise"),
        (lambda: structure.morans_i(NOISE[:-1], structure.rings(GRID, [0, 2000])), "not those of 575"),
        (lambda: structure.linear_cka(NOISE, NOISE[:-1]), "same points"),
        (lambda: structure.neighbor_overlap(NOISE[:5], NOISE[:5], k=5), "5 neighbours"),
    ],
)
def test_bad_input_is_told(call, complaint):
    with pytest.raises(InputError, match=complaint):
        call()
