from dataclasses import replace

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold

from tests.evaluation.probing.made_up import made_up_table
from unigeoclip.errors import InputError
from unigeoclip.evaluation.probing.folds import (
    Cell,
    default_cell,
    extent_deg,
    make_folds,
    parse_cell,
    shared_positions,
    split_names,
)

BOSTON, COUNTRY = (42.26, -71.23, 42.45, -70.98), (30.0, -120.0, 48.0, -75.0)


def with_groups(table, groups, name="state"):
    return replace(table, groups=np.array(groups), group_name=name)


def test_random_folds_deal_the_rows_of_a_permutation():
    table, _ = made_up_table(103)
    folds = make_folds(table, "random", seed=4)
    order = np.random.default_rng(4).permutation(103)
    for fold in range(5):
        np.testing.assert_array_equal(np.sort(order[fold::5]), np.flatnonzero(folds.numbers == fold))
    assert folds.units is None


@pytest.mark.parametrize(
    ("bounds", "cell"),
    [((-60, -180, 80, 180), "10 degrees"), (COUNTRY, "2 degrees"), (BOSTON, "S2 level 12")],
)
def test_blocks_are_whole_cells_that_suit_the_extent(bounds, cell):
    table, _ = made_up_table(600, bounds=bounds)
    folds = make_folds(table, "blocks")
    assert folds.words == cell == str(default_cell(table.latlon))
    assert folds.count == 5
    for unit in np.unique(folds.units):
        assert len(np.unique(folds.numbers[folds.units == unit])) == 1
    sizes = np.bincount(folds.numbers)
    assert sizes.max() - sizes.min() <= 0.05 * 600


def test_folds_of_many_groups_are_as_even_as_those_of_scikit_learn():
    table, _ = made_up_table(400)
    groups = np.random.default_rng(2).zipf(1.7, 400).clip(max=60)
    folds = make_folds(with_groups(table, groups.astype(str)), "state")
    theirs = [len(test) for _, test in GroupKFold(5).split(table.latlon, groups=groups)]
    assert np.ptp(np.bincount(folds.numbers)) <= np.ptp(theirs)
    assert folds.words == "state"


def test_a_fold_column_is_taken_as_it_is():
    table, _ = made_up_table(100)
    column = np.repeat(["a", "b", "c", "d"], 25)
    folds = make_folds(with_groups(table, column, "fold"), "groups")
    np.testing.assert_array_equal(folds.numbers, np.repeat(np.arange(4), 25))
    assert folds.notes == ("Each of the 4 values of fold is one fold.",)
    assert split_names(with_groups(table, column, "fold")) == ("random", "blocks", "fold")


def test_another_seed_deals_blocks_otherwise():
    table, _ = made_up_table(500)
    first, second, third = (make_folds(table, "blocks", seed=seed).numbers for seed in (0, 0, 1))
    assert (first == second).all()
    assert (first != third).any()


def test_smaller_cells_are_taken_where_points_fill_few():
    latlon = np.array([[0.1, 0.1], [60.0, 100.0]]).repeat(100, axis=0)
    latlon += np.random.default_rng(0).uniform(0, 0.05, latlon.shape)
    assert default_cell(latlon).level >= 12


@pytest.mark.parametrize(
    ("bounds", "expected"), [((-10, 170, 10, 179.9), 19.9), ((60, -10, 60.001, 10), 10), ((10, 5, 10.1, 5.1), 0.1)]
)
def test_the_extent_is_the_larger_side_in_degrees_of_latitude(bounds, expected):
    south, west, north, east = bounds
    corners = np.array([[south, west], [north, east]])
    assert extent_deg(corners) == pytest.approx(expected, rel=0.02)


def test_both_sides_of_the_date_line_lie_together():
    assert extent_deg(np.array([[0.0, 179.0], [0.0, -179.0]])) == pytest.approx(2)


def test_cells_are_read_as_people_write_them():
    assert parse_cell("2") == parse_cell(2) == Cell(degrees=2)
    assert parse_cell(" S2:12 ") == Cell(level=12)
    assert parse_cell(None) is None
    for cell in (Cell(degrees=2.5), Cell(level=9)):
        assert parse_cell(cell.option) == cell


@pytest.mark.parametrize("cell", ["wide", "0", "-3", "nan", "inf", "91", "s2:0", "s2:31", "s2:", ""])
def test_other_cells_are_refused(cell):
    with pytest.raises(InputError, match="Blocks are|A cell of blocks|S2 level"):
        parse_cell(cell)


def test_what_makes_no_folds_is_refused_with_advice():
    table, _ = made_up_table(100, bounds=BOSTON)
    with pytest.raises(InputError, match="lie in one block of 10 degrees, too few for 5 folds"):
        make_folds(table, "blocks", cell="10")
    with pytest.raises(InputError, match="'state' has 2 values, and folds by it need 3"):
        make_folds(with_groups(table, ["MA", "NH"] * 50), "state")
    with pytest.raises(InputError, match="A fold by state holds 1 row"):
        make_folds(with_groups(table, ["MA"] * 49 + ["NH"] * 50 + ["VT"]), "state")
    with pytest.raises(InputError, match="9 rows are too few for 5 folds of 2 rows or more: .*or 4 folds"):
        make_folds(made_up_table(9)[0], "random")
    with pytest.raises(InputError, match="3 to 20"):
        make_folds(table, "random", folds=50)
    assert make_folds(made_up_table(10)[0], "random").count == 5


def test_rows_at_one_position_in_two_folds_are_counted():
    table, _ = made_up_table(60)
    latlon = table.latlon.copy()
    latlon[30:] = latlon[:30]
    doubled = replace(table, latlon=latlon)
    folds = make_folds(doubled, "random")
    apart = folds.numbers[:30] != folds.numbers[30:]
    assert shared_positions(doubled, folds) == 2 * apart.sum() > 0
    assert shared_positions(doubled, make_folds(doubled, "blocks")) == 0
