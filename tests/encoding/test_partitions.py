"""Dividing places by cells of S2."""

import numpy as np
import pytest

from unigeoclip.encoding.partitions import Partitions
from unigeoclip.errors import InputError
from unigeoclip.s2_cells import cell_ids, leaf_range, parents, token


def anywhere(count, seed=0):
    rng = np.random.default_rng(seed)
    return np.stack([np.degrees(np.arcsin(rng.uniform(-1, 1, count))), rng.uniform(-180, 180, count)], axis=1)


@pytest.mark.parametrize("level", [0, 1, 7, 29, 30])
def test_parents_and_leaves(level):
    points = anywhere(500)
    leaves = cell_ids(points, 30)
    cells = parents(leaves, level)
    np.testing.assert_array_equal(cells, cell_ids(points, level))
    for leaf, cell in zip(leaves.tolist(), cells.tolist(), strict=True):
        first, last = leaf_range(cell)
        assert first <= leaf <= last
        assert parents(np.array([first, last], np.uint64), level).tolist() == [cell, cell]
        assert parents(np.array([last + 2], np.uint64), level)[0] != cell or last + 2 >= 6 << 61


def test_every_place_is_in_the_cell_that_names_its_part():
    points = anywhere(2000)
    partitions = Partitions(points, 3)
    found = dict(partitions.items())
    assert sorted(np.concatenate(list(found.values())).tolist()) == list(range(2000))
    for name, rows in found.items():
        assert {token(cell) for cell in cell_ids(points[rows], 3).tolist()} == {name}
        assert (np.diff(cell_ids(points[rows], 30).astype(object)) >= 0).all()


def test_the_level_follows_from_the_number_of_places():
    assert Partitions(anywhere(2000)).level == 0
    many = Partitions(anywhere(100_000))
    sizes = [len(rows) for _, rows in many.items()]
    assert max(sizes) <= 100_000 // 16
    coarser = Partitions(anywhere(100_000), many.level - 1)
    assert max(len(rows) for _, rows in coarser.items()) > 100_000 // 16


def test_places_at_one_point_are_one_part():
    partitions = Partitions(np.tile([[42.36, -71.06]], (5000, 1)))
    assert (partitions.level, [len(rows) for _, rows in partitions.items()]) == (0, [5000])


def test_levels_that_cannot_be(monkeypatch):
    monkeypatch.setattr("unigeoclip.encoding.partitions.MOST_PARTS", 500)
    monkeypatch.setattr("unigeoclip.encoding.partitions.MOST_PLACES", 200)
    with pytest.raises(InputError, match="smaller level"):
        Partitions(anywhere(2000), 20)
    with pytest.raises(InputError, match="larger level"):
        Partitions(anywhere(2000), 0)
