"""What the map is told, apart from any page."""

import numpy as np
import pytest

from pages.ui import links, mapview, words
from unigeoclip.errors import InputError
from unigeoclip.geo import in_round_figures
from unigeoclip.heatmap import Grid, Heatmap


@pytest.fixture(scope="module")
def grid():
    return Grid.over((-60.0, -180.0, 84.0, 180.0), 2.0)


def test_colours_follow_similarity_unless_that_leaves_the_map_dark(grid):
    broad = Heatmap(grid, np.cos(np.radians(grid.cells[:, 0])).astype(np.float32))
    assert mapview.colours(broad)["scale"] == "similarity"
    spot = np.random.default_rng(0).normal(0, 0.05, len(grid)).astype(np.float32)
    spot[1000] = 0.97
    assert mapview.colours(Heatmap(grid, spot))["scale"] == "percentile"


@pytest.mark.parametrize("item", [
    links.point(-23.5, 133.9, weight=-0.5), links.words("hot desert: *dry*"), links.place("w000123", "Lyon, France"),
])  # fmt: skip
def test_items_survive_the_way_through_a_link(item):
    back = links.parse(links.write(item))
    assert (back.modality, back.value, back.weight) == (item.modality, item.value, item.weight)


def test_pictures_and_long_texts_stay_out_of_links():
    assert links.write(links.picture("aerial", np.zeros((3, 4, 4), np.uint8), "a.png")) is None
    assert links.write(links.words("x" * 1000)) is None


@pytest.mark.parametrize("text", ["", "text", "text:", "at:1", "at:1,2,3", "3*text:sea", "image:cat"])
def test_what_is_no_item_is_refused(text):
    with pytest.raises(InputError, match="link"):
        links.parse(text)


def test_figures_read_as_people_write_them():
    assert words.coordinates(-33.456, 151.2) == "33.46° S, 151.20° E"
    assert words.similarity(-0.104) == "−0.10"
    assert words.similarity(-0.004) == "0.00"
    assert [words.distance(metres) for metres in (None, 12.4, 4_320, 1_234_567)] == [
        "",
        "12 m",
        "4.3 km",
        "1\u202f235 km",
    ]
    assert words.weight(-0.5) == "−0.5"
    assert in_round_figures(333_585) == "330 km"
    assert words.literal("*a*") == r"\*a\*"
