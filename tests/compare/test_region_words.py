"""Groups of cells and ends of components in words."""

from types import SimpleNamespace

import numpy as np
import pytest

from unigeoclip.compare.region_words import END_SHARE, NOT_DIFFERENT, RegionWords
from unigeoclip.compare.regions import Region
from unigeoclip.errors import InputError
from unigeoclip.similarity.grid import Grid

COARSE = Grid.over((-40.0, -40.0, 40.0, 40.0), 4.0, lambda latlon: np.ones(len(latlon), bool))
VECTORS = np.column_stack([COARSE.cells / 40, np.ones(len(COARSE))]).astype(np.float32)  # lat, lon, 1


@pytest.fixture
def asked():
    return []


@pytest.fixture
def words(asked):
    def vector(vector, modality, mean):
        asked.append((vector, modality, mean))
        return len(asked)

    explorer = SimpleNamespace(grid=COARSE, cells=VECTORS, descriptions=SimpleNamespace(vector=vector))
    fine = Grid.over((0.0, 0.0, 20.0, 20.0), 1.0, lambda latlon: np.ones(len(latlon), bool))
    return RegionWords(explorer, Region("part", fine))


def cells_of(words):
    return words._region.grid.cells


def test_a_group_is_the_mean_of_its_cells_beside_the_region(words, asked):
    north = (cells_of(words)[:, 0] > 10).astype(int)
    assert words.groups(north, 3) == [1, 2, None]
    (south_vector, modality, mean), (north_vector, _, _) = asked
    assert modality == "location"
    assert mean[:2] == pytest.approx([0.25, 0.25], abs=0.02)  # the middle of the region, not of the atlas
    assert north_vector[0] - south_vector[0] == pytest.approx(0.25, abs=0.03)
    assert north_vector[1] == pytest.approx(south_vector[1], abs=0.01)
    assert north_vector[2] == pytest.approx(1)  # shares of the area add up to one


def test_cells_that_belong_to_no_group_do_not_count(words, asked):
    labels = np.where(cells_of(words)[:, 1] > 15, 0, -1)
    words.groups(labels, 1)
    assert asked[0][0][1] > 0.4


def test_the_ends_of_a_component_are_a_twentieth_of_the_area_each(words, asked):
    words.ends(cells_of(words)[:, 1])
    (low, _, _), (high, _, _) = asked
    assert low[1] < 20 * END_SHARE / 40 + 0.05
    assert high[1] > (20 - 20 * END_SHARE) / 40 - 0.05


def test_groups_like_the_whole_region_are_no_kind_of_place(words, asked):
    scattered = np.random.default_rng(0).integers(2, size=len(cells_of(words)))
    for found in words.groups(scattered, 2):
        assert (found.is_known, found.note) == (False, NOT_DIFFERENT)
    assert not asked


def test_as_many_labels_as_cells(words):
    with pytest.raises(InputError, match="as many labels"):
        words.groups(np.zeros(3, int), 1)
