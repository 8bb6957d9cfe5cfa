"""The threshold in the legend: what is veiled, and the area that is told while the slider moves."""

import re

import numpy as np
import pytest

from tests.app import fake
from unigeoclip.search.query_items import QueryItem

pytestmark = pytest.mark.browser

SLIDER = "input[aria-label='Show only similarities of at least']"


def test_the_area_above_a_similarity_is_told_and_stands_in_the_link(visit):
    at = visit("/?atlas=world&q=text:hot+desert")
    page = at.page
    at.wait_for_heatmap()
    assert page.locator(".ugc-veil").count() == 0
    page.focus(SLIDER)
    page.wait_for_function("document.querySelector(\".ugc-legend-threshold input\").min === '1'")
    for _ in range(40):
        page.keyboard.press("ArrowRight")
    page.wait_for_selector("canvas.ugc-veil")
    page.wait_for_function("/[?&]t=/.test(location.search)")
    above = float(page.inner_text(".ugc-legend-threshold output"))
    assert f"t={above:g}" in page.evaluate("location.search")
    explorer = fake.FakeExplorer(fake.FakeAtlas())
    heat = explorer.heatmap(explorer.query([QueryItem("text", "hot desert")]))
    km2 = heat.grid.area_km2[heat.values >= np.float32(above)].sum()
    told = re.fullmatch(r"([\d.]+) % of the land, ([\d.]+) million km²", page.inner_text(".ugc-legend-area"))
    assert told
    percent, millions = told.groups()
    assert float(percent) == pytest.approx(100 * km2 / heat.grid.area_km2.sum(), abs=0.5)
    assert float(millions) == pytest.approx(km2 / 1e6, rel=0.01)


def test_a_link_with_a_threshold_veils_and_home_takes_it_away(visit):
    at = visit("/?atlas=world&q=text:hot+desert&t=0.42")
    page = at.page
    page.wait_for_selector("canvas.ugc-veil")
    assert page.inner_text(".ugc-legend-threshold output") == "0.42"
    page.focus(SLIDER)
    page.keyboard.press("Home")
    page.wait_for_selector("canvas.ugc-veil", state="detached")
    assert page.inner_text(".ugc-legend-threshold output") == "off"
    page.wait_for_function("!location.search.includes('t=0')")
