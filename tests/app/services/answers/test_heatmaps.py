"""Heatmaps of points that were clicked, for the browser and the page."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from pages.ui.services.answers import heatmaps
from pages.ui.services.answers.heatmaps import PointHeatmaps, is_point
from unigeoclip.errors import InputError
from unigeoclip.search.query_items import QueryItem


class Explorer:
    """Counts what it is asked, and answers when it may."""

    def __init__(self):
        self.asked, self.may, self.begun = [], threading.Event(), threading.Event()
        self.may.set()

    def query(self, items):
        self.asked.append(items[0].value)
        self.begun.set()
        assert self.may.wait(60)
        if items[0].value[0] > 80:
            raise InputError("Nothing is there.")
        return SimpleNamespace(items=items)

    def heatmap(self, query):
        return query.items[0].value


def test_two_that_ask_for_a_point_at_once_get_one_answer():
    explorer, found = Explorer(), PointHeatmaps()
    explorer.may.clear()
    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(found.of, explorer, (1.0, 2.0)) for _ in range(2)]
        assert explorer.begun.wait(60)
        explorer.may.set()
        (query, heatmap), other = (each.result(60) for each in both)
    assert heatmap == (1.0, 2.0)
    assert other[0] is query
    assert explorer.asked == [(1.0, 2.0)]


def test_another_point_and_another_explorer_have_their_own():
    explorer, other, found = Explorer(), Explorer(), PointHeatmaps()
    for of, point in ((explorer, (1.0, 2.0)), (explorer, (1.0, 3.0)), (other, (1.0, 2.0)), (explorer, (1.0, 2.0))):
        assert found.of(of, point)[1] == point
    assert explorer.asked == [(1.0, 2.0), (1.0, 3.0)]
    assert other.asked == [(1.0, 2.0)]


def test_what_fails_is_said_and_tried_again():
    explorer, found = Explorer(), PointHeatmaps()
    for _ in range(2):
        with pytest.raises(InputError, match="Nothing is there"):
            found.of(explorer, (85.0, 0.0))
    assert len(explorer.asked) == 2


def test_only_the_last_ones_are_kept():
    explorer, found = Explorer(), PointHeatmaps()
    for lon in range(heatmaps.MOST + 1):
        found.of(explorer, (0.0, float(lon)))
    found.of(explorer, (0.0, float(heatmaps.MOST)))
    assert len(explorer.asked) == heatmaps.MOST + 1
    found.of(explorer, (0.0, 0.0))
    assert len(explorer.asked) == heatmaps.MOST + 2


def test_what_a_click_asks_is_a_single_point_of_full_weight():
    point = QueryItem("location", (1.0, 2.0))
    assert is_point((point,))
    assert not is_point((point, point))
    assert not is_point((QueryItem("location", (1.0, 2.0), -1.0),))
    assert not is_point((QueryItem("text", "sea"),))
