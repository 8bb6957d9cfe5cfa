import json
import struct
import zlib

import numpy as np
import pytest

from unigeoclip.errors import InputError
from unigeoclip.geo import distance_m
from unigeoclip.similarity.browser.compact import CompactGrid
from unigeoclip.similarity.grid import Grid

RNG = np.random.default_rng(0)
CITY = Grid((42.2, -71.2, 42.4, -71.0), RNG.random((31, 37)) < 0.7)
EARTH = Grid((-60.0, -180.0, 80.0, 180.0), RNG.random((70, 180)) < 0.3)


def vectors_of(grid, dim=24):
    """Smooth unit vectors, most of whose variance lies along few components."""
    rng = np.random.default_rng(1)
    waves = rng.normal(size=(2, dim)) * np.linspace(6, 0.5, dim)
    within = (grid.cells - grid.cells.min(axis=0)) / np.ptp(grid.cells, axis=0)
    vectors = np.sin(within @ waves + rng.uniform(0, 6, dim)) * np.linspace(1, 0.02, dim)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def slow_mean(grid, values, radius_m):
    """The mean over all cells within a radius, cell by cell."""
    return np.array([values[distance_m(cell, grid.cells) <= radius_m].mean() for cell in grid.cells])


@pytest.mark.parametrize("grid", [CITY, EARTH])
def test_heatmaps_are_nearly_those_of_the_vectors(grid):
    vectors = vectors_of(grid)
    compact = CompactGrid.fit(grid, vectors)
    for query in vectors[:: len(vectors) // 7]:
        exact, about = vectors @ query, compact.similarities(query)
        assert np.abs(exact - about).max() < 0.06
        assert np.corrcoef(exact, about)[0, 1] > 0.998


@pytest.mark.parametrize(("grid", "radius_m"), [(CITY, 0.0), (CITY, 1500.0), (EARTH, 250_000.0), (EARTH, 600_000.0)])
def test_a_heatmap_is_the_mean_within_a_radius_also_over_the_date_line_and_towards_the_poles(grid, radius_m):
    vectors = vectors_of(grid)
    compact, alone = CompactGrid.fit(grid, vectors, radius_m), CompactGrid.fit(grid, vectors)
    expected = slow_mean(grid, alone.similarities(vectors[5]).astype(np.float64), radius_m)
    np.testing.assert_allclose(compact.similarities(vectors[5]), expected, atol=1e-5)


def test_heatmaps_themselves_are_kept_and_added_up():
    rng = np.random.default_rng(2)
    heatmaps = rng.normal(0.1, 0.05, (3, len(CITY))) + np.array([[0.3], [0.0], [-0.2]])
    compact = CompactGrid.of_heatmaps(CITY, heatmaps)
    weights = np.array([1.0, -0.5, 2.0])
    np.testing.assert_allclose(compact.similarities(weights), weights @ heatmaps, atol=3.5 * compact.step / 2)
    assert compact.step < 0.002
    even = CompactGrid.of_heatmaps(CITY, np.full((1, len(CITY)), 0.25))
    np.testing.assert_allclose(even.similarities(np.ones(1)), 0.25)


def test_heatmaps_of_other_cells_are_refused():
    for wrong in (np.zeros((2, 3)), np.zeros(len(CITY)), np.full((1, len(CITY)), np.nan)):
        with pytest.raises(InputError, match="heatmaps of"):
            CompactGrid.of_heatmaps(CITY, wrong)


def test_a_cell_is_asked_by_its_own_vector():
    vectors = vectors_of(CITY)
    compact = CompactGrid.fit(CITY, vectors)
    for cell in (0, 100, len(CITY) - 1):
        own = compact.vector_at(*CITY.cells[cell])
        assert np.linalg.norm(own) == pytest.approx(1)
        assert own @ vectors[cell] > 0.998


def test_between_cells_vectors_are_interpolated_also_over_the_date_line():
    compact = CompactGrid.fit(EARTH, vectors_of(EARTH))
    numbers = compact._numbers
    row = int(np.argmax(EARTH.mask[:, 0] & EARTH.mask[:, -1]))
    lat = EARTH.bounds[2] - (row + 0.5) * EARTH.step_deg[0]
    halves = [compact.codes[:, numbers[row, column]].astype(float) for column in (0, -1)]
    expected = compact.mean + compact.basis @ (np.mean(halves, axis=0) * compact.step)
    np.testing.assert_allclose(compact.vector_at(lat, -180.0), expected / np.linalg.norm(expected), atol=1e-9)


def test_where_no_cell_counts_nothing_is_asked():
    row, column = np.argwhere(~CITY.mask)[0]
    lat_step, lon_step = CITY.step_deg
    compact = CompactGrid.fit(CITY, vectors_of(CITY))
    assert (
        compact.vector_at(CITY.bounds[2] - (row + 0.5) * lat_step, CITY.bounds[1] + (column + 0.5) * lon_step) is None
    )
    assert compact.vector_at(0.0, 0.0) is None


def test_equal_vectors_leave_nothing_but_their_mean():
    vectors = np.tile(np.float32([0.6, 0.8, 0.0]), (len(CITY), 1))
    compact = CompactGrid.fit(CITY, vectors)
    assert not compact.codes.any()
    np.testing.assert_allclose(compact.similarities(np.array([0.6, 0.8, 0.0])), 1, atol=1e-6)


def test_bytes_hold_what_a_browser_needs():
    compact = CompactGrid.fit(CITY, vectors_of(CITY), 1500.0, components=10)
    data = compact.to_bytes()
    (size,) = struct.unpack("<I", data[:4])
    header, body = json.loads(data[4 : 4 + size]), zlib.decompress(data[4 + size :])
    assert (header["components"], header["cells"], header["shape"]) == (10, len(CITY), [31, 37])
    mask, codes = body[: -(-31 * 37 // 8)], body[-(-31 * 37 // 8) :]
    bits = np.unpackbits(np.frombuffer(mask, np.uint8))[: 31 * 37].reshape(31, 37)
    np.testing.assert_array_equal(bits, CITY.mask)
    differences = np.frombuffer(codes, np.uint8).reshape(10, -1)
    np.testing.assert_array_equal(np.cumsum(differences, axis=1, dtype=np.uint8).view(np.int8), compact.codes)
    assert header["reach"] == compact.reach.tolist()


@pytest.mark.parametrize("vectors", [np.ones((3, 4), np.float32), np.full((len(CITY), 4), np.nan, np.float32)])
def test_vectors_that_are_none_are_refused(vectors):
    with pytest.raises(InputError, match="finite vectors"):
        CompactGrid.fit(CITY, vectors)
