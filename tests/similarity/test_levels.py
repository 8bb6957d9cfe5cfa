"""What a similarity means: levels out of a calibration."""

from dataclasses import replace

import pytest

from unigeoclip.search.query_items import QueryItem
from unigeoclip.search.query_levels import levels_of_query
from unigeoclip.similarity.calibration import Calibration, Spread
from unigeoclip.similarity.levels import Levels, levels_of_modality

TEXT = Spread(500, {"5": 0.3, "25": 0.45, "50": 0.55, "75": 0.65, "95": 0.8},
              {"50": 0.02, "95": 0.2, "99": 0.3, "99.9": 0.4})  # fmt: skip
WEAK = replace(TEXT, match=TEXT.match | {"50": 0.35})
CALIBRATION = Calibration(1, "data", "model", "blocks", 0, {"text": TEXT, "street": WEAK})


def test_levels_are_those_of_the_modality():
    levels = levels_of_modality(CALIBRATION, "text")
    assert levels == Levels(0.02, 0.4, 0.55)
    assert levels.limits == (0.02, 0.55)
    assert [levels.fraction(value) for value in (-1, 0.02, 0.55, 1)] == [0, 0, 1, 1]
    assert [levels.is_chance(value) for value in (0.34, 0.4, 0.41)] == [True, True, False]
    assert [levels.is_match(value) for value in (0.5, 0.55)] == [False, True]


def test_a_view_is_a_street_view_and_colors_reach_as_far_as_chance_does():
    levels = levels_of_query(CALIBRATION, [QueryItem("view", (1.0, 2.0, 3.0))])
    assert levels.limits == (0.02, 0.4)
    assert not levels.is_match(0.38), "as similar as a match, but so are unrelated places"


@pytest.mark.parametrize("items", [
    [QueryItem("text", "sea"), QueryItem("text", "sun")], [QueryItem("text", "sea", -1.0)], [QueryItem("place", "w1")],
    [QueryItem("location", (1.0, 2.0))],
])  # fmt: skip
def test_what_was_not_measured_has_no_levels(items):
    assert levels_of_query(CALIBRATION, items) is None
    assert levels_of_query(None, [QueryItem("text", "sea")]) is None
