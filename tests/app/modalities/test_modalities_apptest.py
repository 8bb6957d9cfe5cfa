"""Page Modalities through app.py, without a browser."""

import time
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.ui.modalities import matrix, scatter
from pages.ui.services.modalities import ModalitiesService
from pages.ui.services.priority import Priority
from tests.app import fake
from tests.app.conftest import APP
from unigeoclip.errors import AtlasError
from unigeoclip.evaluation import retrieval

PATIENCE_S = 120.0


def settled(app):
    """Run the page until its layout is there."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        app.run()
        if app.get("plotly_chart") or app.warning or app.error:
            return app
        time.sleep(0.1)
    pytest.fail("there never was a layout")


class Browser:
    """What the components were last told to draw, and a way to answer as they would."""

    def __init__(self, monkeypatch):
        self.points, self.matrix = {}, {}
        self._events = {}
        for module, name in ((scatter, "points"), (matrix, "matrix")):
            monkeypatch.setattr(module, "_component", lambda name=name: lambda **options: self._draw(name, options))

    def _draw(self, name, options):
        setattr(self, name, options["data"])
        event = self._events.pop(name, None)
        if event is not None:
            st.session_state[options["key"]] = SimpleNamespace(open=event)
            options["on_open_change"]()

    def open(self, app, name, **value):
        """Have a component trigger its event, in one more run and the run that this causes."""
        self._events[name] = value
        app.run()
        return settled(app)


@pytest.fixture
def browser(monkeypatch):
    return Browser(monkeypatch)


@pytest.fixture
def page(app, browser):
    return settled(app.switch_page("pages/modalities.py"))


@pytest.fixture
def city(monkeypatch, serve, drawn, browser, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    serve("boston", "world")
    return settled(AppTest.from_file(str(APP), default_timeout=60).run().switch_page("pages/modalities.py"))


def body(app):
    return " ".join(element.proto.body for element in app.get("html"))


def test_scatter_map_and_first_place(page, browser, drawn):
    assert not page.exception
    assert not [*page.error, *page.warning]
    assert len(browser.points["items"]) == 4 * 36
    assert browser.points["opened"] == 0
    markers = drawn["panes"][0]["markers"]
    assert [marker["id"] for marker in markers] == [item["place_id"] for item in browser.points["items"][:36]]
    assert [marker["kind"] for marker in markers].count("best") == 1
    aerial, text = browser.points["items"][36], browser.points["items"][-1]
    assert aerial["kind"] == "Aerial image"
    assert "/pictures/aerial/" in aerial["picture"]
    assert text["picture"] is None
    assert text["text"]
    for words in ("Alignment", "Modality gap", "Uniformity", "Search for places like it", "Misses", "Hits"):
        assert words in body(page)


def test_a_click_on_a_point_opens_its_place_and_goes_into_the_address(page, browser, drawn):
    wanted = browser.points["items"][40]
    browser.open(page, "points", place_id=wanted["place_id"], nonce="1")
    assert page.query_params["place"] == wanted["place_id"]
    assert browser.points["opened"] == 4
    assert wanted["name"] in body(page)
    marker = next(each for each in drawn["panes"][0]["markers"] if each["id"] == wanted["place_id"])
    assert marker["kind"] == "best"
    again = AppTest.from_file(str(APP), default_timeout=60).run().switch_page("pages/modalities.py")
    again.query_params["place"] = wanted["place_id"]
    settled(again)
    assert browser.points["opened"] == 4


def test_the_list_tells_places_of_one_name_apart(page, browser):
    options = page.selectbox(key="modalities-place").options
    assert len(set(options)) == len(options) == 36
    page.selectbox(key="modalities-place").set_value(browser.points["items"][7]["place_id"])
    settled(page)
    assert browser.points["opened"] == 7


def test_the_matrix_has_the_figures_of_evaluate_and_opens_examples(page, browser):
    study = fake.measure(fake.FakeExplorer(fake.FakeAtlas()), lambda words, share: None)
    cells = [cell for row in browser.matrix["rows"] for cell in row["cells"] if cell]
    assert len(cells) == 12
    for cell in cells:
        query, target = cell["pair"].split("->")
        figures = retrieval.retrieval(study.vectors[query], study.vectors[target], study.items.latlon)
        assert float(cell["value"]) == pytest.approx(figures["recall@1"], abs=0.051)
        low, high = (float(part) for part in cell["note"].split("–"))
        assert low <= figures["recall@1"] <= high
    assert browser.matrix["opened"] == "location->aerial"
    browser.open(page, "matrix", pair="text->surface", nonce="1")
    assert browser.matrix["opened"] == "text->surface"
    assert page.query_params["pair"] == "text->surface"
    assert "Examples: Text finds Surface model" in body(page)
    first = body(page)
    page.button(key="other-examples").click().run()
    assert body(page) != first, "other examples"
    page.segmented_control(key="modalities-figure").set_value("acc@750km").run()
    assert browser.matrix["label"] == "Within 750 km"
    assert page.query_params["figure"] == "acc@750km"


def test_places_are_chosen_by_cluster_by_seed_and_by_number(page, browser):
    first = [item["place_id"] for item in browser.points["items"]]
    page.button(key="draw-again").click()
    settled(page)
    assert page.query_params["seed"] == "1"
    assert [item["place_id"] for item in browser.points["items"]] != first
    page.segmented_control(key="modalities-selection").set_value("cluster")
    settled(page)
    page.selectbox(key="modalities-cluster").set_value(1)
    settled(page)
    assert page.query_params["places"] == "cluster:2"
    assert 3 <= len(browser.points["items"]) // 4 < 36
    page.segmented_control(key="modalities-selection").set_value("random")
    page.slider(key="modalities-count").set_value(50)
    settled(page)
    assert browser.points["places"] == 50


def test_a_link_to_a_rectangle_shows_what_it_holds_and_an_empty_one_says_so(page, browser, drawn):
    page.query_params["places"] = "box:0,-30,60,60"
    settled(page)
    assert all(0 <= marker["lat"] <= 60 and -30 <= marker["lng"] <= 60 for marker in drawn["panes"][0]["markers"])
    assert drawn["focus"] == (0.0, -30.0, 60.0, 60.0)
    page.query_params["places"] = "box:-89,0,-88,1"
    page.run()
    assert "There are 0 held" in page.warning[0].value
    assert not page.exception
    assert browser.matrix["rows"], "the rest of the page stays"


def test_the_city_says_what_its_split_and_its_pictures_are(city, browser):
    assert not city.exception
    assert len(browser.points["items"]) == 5 * 36
    captions = " ".join(caption.value for caption in city.caption)
    assert "pairs without street views are not held out" in captions
    assert list(city.segmented_control(key="modalities-figure").options) == ["Recall@1", "Recall@10", "Within 100 m"]
    assert body(city).count("/street/") >= 4, "a panorama"
    assert browser.matrix["opened"] == "street->aerial"


def test_without_the_gap_and_umap_are_other_layouts(page):
    before = page.get("plotly_chart")[0].proto.spec
    page.toggle(key="modalities-centered").set_value(True)
    settled(page)
    assert page.query_params["centered"] == "1"
    assert page.get("plotly_chart")[0].proto.spec != before


def test_what_cannot_be_measured_is_told_and_can_be_tried_again(monkeypatch, serve, drawn, browser, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    tries = []

    def fail_once(explorer, report):
        tries.append(explorer)
        if len(tries) == 1:
            raise AtlasError("The model was trained on *other* data.")
        return fake.measure(explorer, report)

    serve(modalities=ModalitiesService(Priority(), measure=fail_once))
    app = settled(AppTest.from_file(str(APP), default_timeout=60).run().switch_page("pages/modalities.py"))
    assert "other" in app.error[0].value
    assert drawn["panes"][0]["id"] == "modalities", "the map stands there"
    app.button(key="retry-study").click()
    assert settled(app).get("plotly_chart")
