"""What the map is told, apart from any page."""

import numpy as np
import pytest

from pages.ui import formatting, query_string
from pages.ui.map import component, legend
from unigeoclip.atlas import load_atlas
from unigeoclip.errors import InputError
from unigeoclip.geo import in_round_figures
from unigeoclip.similarity.levels import Levels

LEVELS = Levels(unrelated=0.0, chance=0.4, match=0.5)


@pytest.mark.parametrize(
    ("best", "said", "weak"),
    [
        (0.34, "Best 0.34: no more than chance; one of 1,000 unrelated places reaches 0.40.", True),
        (0.45, "Best 0.45: more than chance, which ends at 0.40; half of held-out matches reach 0.50.", False),
        (0.62, "as similar as held-out matches", False),
    ],
)
def test_the_absolute_legend_says_how_good_the_best_is(best, said, weak):
    shown = legend.absolute_legend("Similarity", LEVELS, best)
    assert said in shown["words"]
    assert shown["weak"] == weak
    assert shown["marks"] == [(0.8, "chance, match"), (1.0, "")], "two names would overlap"
    assert (shown["low"], shown["high"]) == ("as unrelated places", "as held-out matches")


def test_matches_that_are_no_better_than_chance_are_not_promised():
    for best in (0.35, 0.45):
        shown = legend.absolute_legend("Similarity", Levels(0.0, 0.4, 0.2), best)
        assert shown["marks"] == [(0.5, "match"), (1.0, "chance")]
        assert "matches" not in shown["high"]
        assert "tells little" in shown["words"]
        assert "chance" not in shown["words"]
        assert not shown["weak"], "right answers are as low as that"


@pytest.mark.parametrize("item", [
    query_string.point(-23.5, 133.9, weight=-0.5), query_string.words("hot desert: *dry*"),
    query_string.place("w000123", "Lyon, France"),
])  # fmt: skip
def test_items_survive_the_way_through_a_link(item):
    back = query_string.parse(query_string.write(item))
    assert (back.modality, back.value, back.weight) == (item.modality, item.value, item.weight)


def test_pictures_and_long_texts_stay_out_of_links():
    assert query_string.write(query_string.picture("aerial", np.zeros((3, 4, 4), np.uint8), "a.png")) is None
    assert query_string.write(query_string.words("x" * 1000)) is None


@pytest.mark.parametrize("text", ["", "text", "text:", "at:1", "at:1,2,3", "3*text:sea", "image:cat"])
def test_what_is_no_item_is_refused(text):
    with pytest.raises(InputError, match="link"):
        query_string.parse(text)


def test_figures_read_as_people_write_them():
    assert formatting.coordinates(-33.456, 151.2) == "33.46° S, 151.20° E"
    assert formatting.similarity(-0.104) == "−0.10"
    assert formatting.similarity(-0.004) == "0.00"
    assert [formatting.distance(meters) for meters in (None, 12.4, 4_320, 1_234_567)] == [
        "",
        "12 m",
        "4.3 km",
        "1\u202f235 km",
    ]
    assert formatting.weight(-0.5) == "−0.5"
    assert in_round_figures(333_585) == "330 km"
    assert formatting.literal("*a*") == r"\*a\*"


@pytest.mark.parametrize("name", ["boston", "world"])
def test_nobody_is_credited_on_a_map_for_what_it_does_not_show(name):
    """The rules that judge plain queries have sources of their own, which no map shows."""
    named = [style["attribution"] for style in component.base_map(load_atlas(name))["styles"]]
    assert not [text for text in named if "drawn by hand" in text]
    assert all(named)
