"""Tables of neighborhoods: points round each position, evenly, and of areas round all their points."""

import numpy as np
import pytest

from unigeoclip import geo
from unigeoclip.errors import InputError
from unigeoclip.tasks.label_table import LabelTable
from unigeoclip.tasks.neighborhoods import POINTS, spread

LATLON = np.array([[42.3, -71.1], [60.0, 179.999], [-33.0, 18.0]])


def table(areas=None):
    return LabelTable("t", LATLON, np.zeros(3), "regression", "y", areas=areas)


def test_points_fill_a_disc():
    around = spread(table(), 1000.0)
    assert around.areas.shape == (3, POINTS, 2)
    distance = geo.distance_m(around.areas, LATLON[:, None])
    assert distance.max() <= 1010
    # Of a disc filled evenly, half of the points lie within 1 / sqrt(2) of the radius.
    assert (distance < 1000 / np.sqrt(2)).mean() == pytest.approx(0.5, abs=0.03)
    offset = around.areas[0].mean(axis=0) - LATLON[0]
    assert np.abs(offset).max() * 111_195 < 60


def test_areas_are_spread_round_all_their_points():
    areas = np.repeat(LATLON[:, None], 40, axis=1)
    areas[2, 30:] = np.nan
    around = spread(table(areas), 2000.0)
    assert around.areas.shape == (3, 240, 2)
    distance = geo.distance_m(around.areas[:2], LATLON[:2, None])
    assert distance.max() <= 2020
    assert np.isfinite(around.areas[2]).all(axis=1).sum() == 180
    assert np.abs(around.areas[0].mean(axis=0) - LATLON[0]).max() * 111_195 < 100


def test_it_is_the_same_every_time():
    np.testing.assert_array_equal(spread(table(), 50.0).areas, spread(table(), 50.0).areas)


@pytest.mark.parametrize("radius_m", [0.0, 5.0, 2e6, float("nan")])
def test_other_radii_are_refused(radius_m):
    with pytest.raises(InputError, match="radius"):
        spread(table(), radius_m)


def test_more_points_than_anybody_waits_for_are_refused():
    many = LabelTable("t", np.zeros((200_000, 2)), np.zeros(200_000), "regression", "y")
    with pytest.raises(InputError, match="at most 4,000,000"):
        spread(many, 1000.0)
