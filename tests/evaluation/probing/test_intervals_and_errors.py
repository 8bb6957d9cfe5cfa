import numpy as np
import pytest

from tests.evaluation.probing.made_up import made_up_table
from unigeoclip.evaluation.probing.folds import Cell, Folds, make_folds
from unigeoclip.evaluation.probing.intervals import Bootstrap
from unigeoclip.evaluation.probing.spatial_errors import ErrorMap


def test_resamples_lie_around_the_metric_and_as_wide_as_its_error():
    rng = np.random.default_rng(0)
    right = (rng.random((500, 1)) < 0.7).astype(float)
    folds = Folds("random", np.arange(500) % 5)
    found = Bootstrap(folds).metric(right, None)[:, 0]
    assert found.mean() == pytest.approx(right.mean(), abs=0.003)
    assert found.std() == pytest.approx(np.sqrt(0.7 * 0.3 / 500), rel=0.1)


def test_r2_of_resamples_is_that_of_their_rows():
    rng = np.random.default_rng(1)
    truth = rng.normal(size=400)
    errors = (0.5 * rng.normal(size=(400, 1))) ** 2
    folds = Folds("random", np.arange(400) % 4)
    found = Bootstrap(folds).metric(errors, truth)[:, 0]
    per_fold = [1 - errors[f::4].sum() / ((truth[f::4] - truth[f::4].mean()) ** 2).sum() for f in range(4)]
    assert found.mean() == pytest.approx(np.mean(per_fold), abs=0.01)


def test_equal_encoders_differ_by_nothing_in_every_resample():
    table, _ = made_up_table(200)
    errors = np.random.default_rng(2).random((200, 1)).repeat(2, axis=1)
    found = Bootstrap(make_folds(table, "random")).metric(errors, table.target)
    assert (found[:, 0] == found[:, 1]).all()


def test_blocks_are_drawn_whole_where_every_fold_has_two():
    """Rows of a block are copies of each other: the error of the mean is that of the blocks."""
    rng = np.random.default_rng(3)
    blocks = np.repeat(np.arange(50), 20)
    right = (rng.random(50) < 0.5).astype(float)[blocks][:, None]
    numbers = blocks % 5
    by_block = Bootstrap(Folds("blocks", numbers, blocks))
    by_row = Bootstrap(Folds("random", numbers))
    assert (by_block.unit, by_row.unit) == ("block", "row")
    wide, narrow = (each.metric(right, None)[:, 0].std() for each in (by_block, by_row))
    assert wide / narrow == pytest.approx(np.sqrt(20), rel=0.15)
    assert Bootstrap(Folds("fold", numbers, numbers)).unit == "row"


@pytest.fixture(scope="module")
def region():
    table, _ = made_up_table(500, bounds=(30.0, -110.0, 45.0, -80.0))
    return table.latlon, ErrorMap(table.latlon, Cell(degrees=2))


def test_clustered_errors_are_found_and_random_ones_are_not(region):
    latlon, regions = region
    rng = np.random.default_rng(4)
    noise = rng.normal(size=500)
    none = regions.pattern(noise, np.abs(noise))
    assert abs(none.morans_i) < 0.1
    assert none.p_value > 0.05
    assert none.geo_bias < 0.05
    trend = np.sin(latlon[:, 0] / 3) * 3 + noise * 0.2
    some = regions.pattern(trend, np.abs(trend))
    assert some.morans_i > 0.5
    assert some.p_value <= 0.005
    assert some.geo_bias > 0.2


def test_morans_i_is_that_of_esda():
    from esda import Moran
    from libpysal.weights import KNN

    from unigeoclip.geo import unit_xyz

    table, _ = made_up_table(120)
    values = np.random.default_rng(5).normal(size=120) + table.latlon[:, 0] / 20
    weights = KNN.from_array(unit_xyz(table.latlon), k=8)
    expected = Moran(values, weights, permutations=0)
    found = ErrorMap(table.latlon, Cell(degrees=10)).pattern(values, np.abs(values))
    assert found.morans_i == pytest.approx(expected.I)
    assert found.p_value == pytest.approx(max(expected.p_norm / 2, 0.005), abs=0.02)


def test_the_worst_regions_come_first(region):
    latlon, regions = region
    size = np.ones(500)
    bad = (latlon[:, 0] // 2 == 18) & (latlon[:, 1] // 2 == -47)
    size[bad] = 9
    assert bad.sum() >= 5
    worst = regions.pattern(size, size).worst
    assert worst[0][2:] == (bad.sum(), 9.0)
    assert worst[0][:2] == pytest.approx(latlon[bad].mean(axis=0).tolist())
    assert [each[3] for each in worst] == sorted((each[3] for each in worst), reverse=True)


def test_errors_that_are_all_the_same_have_no_pattern_and_few_rows_no_neighbors(region):
    _, regions = region
    same = regions.pattern(np.zeros(500), np.zeros(500))
    assert np.isnan([same.morans_i, same.p_value, same.geo_bias]).all()
    few = ErrorMap(np.array([[1.0, 2.0]] * 6), Cell(degrees=2)).pattern(np.arange(6.0), np.arange(6.0))
    assert np.isnan(few.morans_i)
    piled = ErrorMap(np.zeros((100, 2)), Cell(degrees=2)).pattern(np.arange(100.0), np.arange(100.0))
    assert np.isfinite(piled.morans_i)
