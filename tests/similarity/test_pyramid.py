import numpy as np
import pytest

from unigeoclip.errors import InputError
from unigeoclip.similarity import pyramid as pyramids
from unigeoclip.similarity.grid import Grid
from unigeoclip.similarity.pyramid import Pyramid, tiled_similarities

RNG = np.random.default_rng(0)
GRID = Grid((10.0, 100.0, 17.7, 112.3), RNG.random((77, 123)) < 0.7)
VECTOR = RNG.normal(size=8).astype(np.float32)


def embed(cells):
    lat, lon = np.radians(cells).T
    return np.stack([np.sin(k * lat + lon) for k in range(8)], axis=1).astype(np.float32)


def block_means(raster):
    """Means over 2 x 2 cells as slowly as possible; NaN is no cell."""
    height, width = raster.shape
    means = np.full((-(-height // 2), -(-width // 2)), np.nan)
    for row in range(means.shape[0]):
        for column in range(means.shape[1]):
            block = raster[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            if not np.isnan(block).all():
                means[row, column] = np.nanmean(block)
    return means


@pytest.mark.parametrize("cells_at_once", [1, 500, 10**9])
def test_tiles_together_are_the_whole(cells_at_once):
    tiled = tiled_similarities(GRID, embed, VECTOR, cells_at_once)
    np.testing.assert_allclose(tiled.values, embed(GRID.cells) @ VECTOR, atol=1e-6)


def test_cells_of_rows_are_the_cells():
    parts = [GRID.cells_of_rows(first, first + 10) for first in range(0, 77, 10)]
    np.testing.assert_array_equal(np.concatenate(parts), GRID.cells)


@pytest.fixture
def pyramid(tmp_path, monkeypatch):
    monkeypatch.setattr(pyramids, "SCREEN_PX", 40)
    tiles = (embed(GRID.cells_of_rows(first, first + 9)) for first in range(0, 77, 9))
    return Pyramid.build(tmp_path / "pyramid", GRID, tiles)


def test_the_finest_level_is_the_heatmap(pyramid):
    np.testing.assert_allclose(pyramid.heatmap(VECTOR, 0).values, embed(GRID.cells) @ VECTOR, atol=1e-6)


def test_coarse_levels_are_means_of_the_fine_heatmap(pyramid):
    assert [grid.shape for grid in pyramid.grids] == [(77, 123), (39, 62), (20, 31)]
    fine = pyramid.heatmap(VECTOR, 0).raster()
    np.testing.assert_allclose(pyramid.heatmap(VECTOR, 1).raster(), block_means(fine), atol=1e-5)
    # A block of 4 x 4 counts every cell of the finest level alike, however they lie.
    cells = np.pad(fine, ((0, 3), (0, 1)), constant_values=np.nan).reshape(20, 4, 31, 4)
    expected = np.nanmean(cells.transpose(0, 2, 1, 3).reshape(20, 31, 16), axis=2)
    np.testing.assert_allclose(pyramid.heatmap(VECTOR, 2).raster(), expected, atol=1e-5)


def test_coarse_cells_lie_over_their_fine_ones(pyramid):
    coarse = pyramid.grids[1]
    assert coarse.step_deg == pytest.approx((0.2, 0.2))
    assert coarse.bounds == pytest.approx((9.9, 100.0, 17.7, 112.4))


def test_the_screen_chooses_the_level_and_it_opens_again(pyramid):
    assert [pyramid.level_for(width) for width in (20, 31, 32, 62, 123, 4000)] == [2, 2, 1, 1, 0, 0]
    again = Pyramid.open(pyramid.folder)
    assert [grid.bounds for grid in again.grids] == [grid.bounds for grid in pyramid.grids]
    np.testing.assert_array_equal(again.heatmap(VECTOR, 1).values, pyramid.heatmap(VECTOR, 1).values)


def test_coarser_levels_end_where_they_would_leave_the_globe(tmp_path, monkeypatch):
    monkeypatch.setattr(pyramids, "SCREEN_PX", 1)
    world = Grid((-90.0, -180.0, 90.0, 180.0), np.ones((6, 12), bool))
    built = Pyramid.build(tmp_path / "world", world, [embed(world.cells)])
    assert [grid.shape for grid in built.grids] == [(6, 12), (3, 6)]


def test_wrong_numbers_of_vectors_and_damage_are_refused(pyramid, tmp_path):
    with pytest.raises(InputError, match="vectors for"):
        Pyramid.build(tmp_path / "few", GRID, [embed(GRID.cells[:10])])
    with pytest.raises(InputError, match="more vectors"):
        Pyramid.build(tmp_path / "many", GRID, [embed(GRID.cells), embed(GRID.cells)])
    with pytest.raises(InputError):
        Pyramid.open(tmp_path / "few")
    with pytest.raises(InputError, match="levels 0 to 2"):
        pyramid.heatmap(VECTOR, 3)
    with pytest.raises(InputError, match="not those of this query"):
        pyramid.heatmap(VECTOR[:3], 0)
    (pyramid.folder / "level1.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(InputError, match="build the pyramid again"):
        pyramid.heatmap(VECTOR, 1)
    (pyramid.folder / "pyramid.json").write_text("{")
    with pytest.raises(InputError, match="build it again"):
        Pyramid.open(pyramid.folder)
