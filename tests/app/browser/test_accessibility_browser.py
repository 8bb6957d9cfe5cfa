"""What axe-core finds on every page: nothing that would keep a person from using it.

Only violations of impact "serious" and "critical" count.
"""

import re

import numpy as np
import pytest

from tests.app.browser.test_city_browser import look_around
from tests.axe_core import RUN
from tests.embedders.files.made import unit_vectors, write_table

pytestmark = pytest.mark.browser

SIZES = {"wide": (1280, 800), "narrow": (420, 800)}
ASK = {"world": "q=text:hot%20desert", "boston": "q=text:Fenway"}


class Audit:
    """Runs axe-core on what a visitor sees now, in every size, and remembers what it found."""

    def __init__(self, visitor, script):
        self.visitor, self.page, self.script, self.found = visitor, visitor.page, script, []

    def look(self, state):
        for size, (width, height) in SIZES.items():
            self.page.set_viewport_size({"width": width, "height": height})
            self.visitor.settle()
            if not self.page.evaluate("typeof axe !== 'undefined'"):
                self.page.evaluate(self.script)
            for violation in self.page.evaluate(RUN):
                self.found += [f"{state}, {size}: {violation['rule']}: {node}" for node in violation["nodes"]]


@pytest.fixture(params=["light", "dark"])
def audit(request, visit, axe):
    """Open a page to be audited; at the end nothing may have been found."""
    audits = []

    def start(path):
        audits.append(Audit(visit(path, scheme=request.param), axe))
        return audits[-1]

    yield start
    found = list(dict.fromkeys(line for each in audits for line in each.found))
    assert found == [], "\n".join(["axe-core found", *found])


@pytest.mark.parametrize("atlas", ["world", "boston"])
def test_explore_keeps_nobody_out(audit, atlas):
    audited = audit(f"/?atlas={atlas}")
    page = audited.page
    page.get_by_text("Search the map").wait_for()
    audited.look("empty")
    page.get_by_role("button", name="Where versus what").click()
    audited.look("tour")
    page.keyboard.press("Escape")
    page.get_by_role("combobox", name="Find a place by name or coordinates").fill("a")
    page.locator(".ugc-find-list li").first.wait_for()
    audited.look("place search")
    page.get_by_role("button", name="Image", exact=True).click()
    page.locator("input[type=file]").wait_for(state="attached")
    audited.look("image panel")
    audited = audit(f"/?atlas={atlas}&{ASK[atlas]}&q=-0.5*text:sea")
    audited.visitor.wait_for_heatmap()
    audited.page.locator(".ugc-card").first.wait_for()
    audited.look("answer")


def test_the_window_for_looking_around_keeps_nobody_out(audit):
    audited = audit("/?atlas=boston&q=text:Fenway")
    look_around(audited.visitor)
    audited.look("looking around")


@pytest.mark.parametrize("atlas", ["world", "boston"])
def test_compare_keeps_nobody_out(audit, atlas):
    audited = audit(f"/compare?atlas={atlas}")
    page = audited.page
    page.wait_for_selector(".ugc-pane:nth-child(3) .ugc-heat[data-shown]")
    page.get_by_text("Effective rank").wait_for()
    audited.look("colours")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.locator(".ugc-pane-canvas").nth(1).click(position={"x": 150, "y": 150})
    page.get_by_role("button", name=re.compile("^Similarity to")).wait_for()
    audited.look("after a click")


def test_a_file_of_embeddings_keeps_nobody_out(audit, tmp_path):
    lat, lon = np.meshgrid(np.arange(1.0, 89, 2), np.arange(-179.0, 180, 2), indexing="ij")
    latlon = np.stack([lat.ravel(), lon.ravel()], axis=1)
    file = write_table(tmp_path / "north.parquet", latlon, unit_vectors(lat.shape, 8).reshape(-1, 8))
    audited = audit("/compare?atlas=world")
    page = audited.page
    page.wait_for_selector(".ugc-pane:nth-child(3) .ugc-heat[data-shown]")
    page.get_by_role("button", name="Add embeddings").click()
    page.locator("input[type=file]").wait_for(state="attached")
    audited.look("panel")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_text("License of north").wait_for()
    page.wait_for_selector(".ugc-pane:nth-child(4) .ugc-heat[data-shown]")
    audited.look("file")


@pytest.mark.parametrize("atlas", ["world", "boston"])
def test_atlas_keeps_nobody_out(visit, audit, atlas):
    audited = audit(f"/?atlas={atlas}")
    page = audited.page
    page.get_by_role("link", name="Atlas").click()
    page.get_by_role("heading", name="Limitations").wait_for()
    audited.look("page Atlas")


@pytest.mark.parametrize("atlas", ["world", "boston"])
def test_modalities_keeps_nobody_out(audit, atlas):
    audited = audit(f"/modalities?atlas={atlas}")
    audited.page.wait_for_selector(".ugc-matrix button")
    audited.page.wait_for_function("document.querySelector('.ugc-points-marks circle')")
    audited.look("page Modalities")
