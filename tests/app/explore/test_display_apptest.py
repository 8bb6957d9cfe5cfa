"""How answers are shown: painted area, outline, colours, items as dots; in the link and back. Suggestions, examples."""

import gzip
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pages.ui import query_string
from pages.ui.services import services
from pages.ui.services.suggestions import MAX_CHARACTERS, suggestions
from pages.ui.view_options import MATCHES, Display
from tests.app import fake
from unigeoclip.search.query import Note
from unigeoclip.search.query_items import QueryItem
from unigeoclip.similarity import calibration
from unigeoclip.similarity.calibration import Calibration, Spread

MODALITIES = ("location", "aerial", "surface", "text")


@pytest.mark.parametrize("display", [Display(), Display(best=5), Display(20, 1, "viridis", "aerial"),
                                     Display(scale="rank")])  # fmt: skip
def test_a_display_comes_back_from_its_link(display):
    parameters = query_string.display_parameters(display, 20)
    assert query_string.parse_display(parameters, MODALITIES) == (display, 20, "")


def test_the_first_look_needs_no_link_and_nonsense_in_it_is_as_at_first():
    assert query_string.display_parameters(Display(), MATCHES) == {}
    nonsense = {"best": "7", "outline": "x", "colors": "jet", "items": "smell", "scale": "?"}
    display, count, problem = query_string.parse_display(nonsense, MODALITIES)
    assert (display, count) == (Display(), MATCHES)
    assert "'best=7'" in problem


def test_a_link_sets_what_is_painted(app, drawn):
    app.query_params["q"] = ["text:hot desert"]
    app.query_params["best"], app.query_params["outline"] = ["5"], ["20"]
    app.query_params["colors"] = ["viridis"]
    app.run()
    pane = drawn["panes"][0]
    assert pane["legend"]["low"] == "95 % of the land is lower"
    assert "best 20 %" in pane["legend"]["words"]
    assert pane["legend"]["stops"][-1][2] == "#fde725"  # viridis ends in yellow
    outline = services().overlays.get(pane["outline"].rpartition("/")[2])
    assert json.loads(gzip.decompress(outline))["type"] == "MultiPolygon"


@pytest.mark.parametrize(
    ("link", "shown", "written"),
    [
        ({"colours": "viridis"}, Display(colors="viridis"), {"colors": "viridis"}),
        ({"colours": "magma", "colors": "viridis"}, Display(colors="viridis"), {"colors": "viridis"}),
        ({"colours": "cividis", "best": "5", "outline": "1", "scale": "rank", "items": "aerial"},
         Display(5, 1, "cividis", "aerial", "rank"),
         {"colors": "cividis", "best": "5", "outline": "1", "scale": "rank", "items": "aerial"}),
    ],
)  # fmt: skip
def test_links_with_the_earlier_spelling_still_open(app, drawn, link, shown, written):
    app.query_params.update({"atlas": "world", "q": "text:hot desert", **link})
    app.run()
    assert not app.error
    session = app.session_state["sessions"]["world"]
    assert session.display == shown
    address = {key: value if isinstance(value, str) else value[0] for key, value in dict(app.query_params).items()}
    assert address == {"atlas": "world", "q": "text:hot desert"} | written
    app.run()  # what was rewritten counts as read
    assert session.display == shown


def measured(chance, match):
    """A calibration of texts; only the percentiles that the scale is made of."""
    return Calibration(1, "", "", "", 0, {"text": Spread(9, {"50": match}, {"50": 0.0, "99.9": chance})})


def test_the_scale_is_absolute_where_it_was_measured_and_is_chosen(ask, drawn, monkeypatch):
    monkeypatch.setattr(calibration, "calibration", lambda atlas: measured(0.4, 0.5))
    app = ask(words="hot desert")
    first = drawn["panes"][0]
    assert first["legend"]["title"].endswith("absolute")
    assert [stop[1] for stop in first["legend"]["stops"][::16]] == pytest.approx([0.0, 0.5])
    assert "scale" not in app.query_params
    for scale, title in (("similarity", "its own range"), ("rank", "by rank")):
        app.segmented_control(key="display-scale").set_value(scale)
        app.run()
        assert drawn["panes"][0]["legend"]["title"].endswith(title)
        assert drawn["panes"][0]["overlay"]["url"] != first["overlay"]["url"]
        assert app.query_params["scale"] == scale
    app.segmented_control(key="display-scale").set_value("absolute")
    app.run()
    assert drawn["panes"][0]["overlay"]["url"] == first["overlay"]["url"]


def test_an_answer_that_is_no_more_than_chance_says_so_in_words(ask, drawn, monkeypatch):
    monkeypatch.setattr(calibration, "calibration", lambda atlas: measured(1.2, 1.4))
    ask(words="asdf qwer")
    legend = drawn["panes"][0]["legend"]
    assert "no more than chance" in legend["words"]
    assert legend["weak"]


def test_an_answer_without_measured_levels_says_why_it_has_its_own_range(app, drawn, monkeypatch):
    monkeypatch.setattr(calibration, "calibration", lambda atlas: measured(0.4, 0.5))
    for query, why in (
        (["text:sea", "-1*text:mountains"], "sums and differences"),
        (["at:25,10"], "this model and kind"),
    ):
        app.query_params["q"] = query
        app.run()
        assert drawn["panes"][0]["legend"]["title"].endswith("its own range")
        assert why in drawn["panes"][0]["legend"]["words"]


def test_another_display_asks_nothing_anew_and_stands_in_the_link(ask, drawn):
    app = ask(words="hot desert")
    nonce, first = drawn["nonce"], drawn["panes"][0]["overlay"]["url"]
    visitor = app.session_state["sessions"]["world"]
    app.session_state["sessions"]["world"].display = Display(best=1, items="aerial")
    app.run()
    assert drawn["nonce"] == nonce
    assert drawn["panes"][0]["overlay"]["url"] != first
    assert "each dot" in drawn["panes"][0]["legend"]["title"]
    assert app.query_params["best"] == "1"
    assert app.query_params["items"] == "aerial"
    visitor.display = Display()
    app.run()
    assert "best" not in app.query_params
    assert drawn["panes"][0]["overlay"]["url"] == first


def test_the_map_knows_what_the_heatmap_says_everywhere(ask, drawn):
    ask(words="hot desert")
    values = drawn["panes"][0]["values"]
    assert len(values["similarities"]) == 100
    assert values["bounds"] == (-90.0, -180.0, 90.0, 180.0)
    assert values["land"] == "the land"


def test_the_map_knows_the_area_above_every_similarity(ask, drawn):
    """The picture that the browser reads gives the areas of a sum over all cells; the world is the made-up one."""
    ask(words="hot desert")
    areas = drawn["panes"][0]["areas"]
    assert areas["land"] == "the land"
    explorer = fake.FakeExplorer(fake.FakeAtlas())
    heat = explorer.heatmap(explorer.query([QueryItem("text", "hot desert")]))
    codes = np.asarray(Image.open(io.BytesIO(services().overlays.get(areas["url"].rpartition("/")[2]))))
    for code in (2, 40, int(codes.max())):
        similarity = areas["low"] + (code - 1) * areas["step"]
        brute = heat.grid.area_km2[heat.values >= np.float32(round(similarity, 4))].sum()
        rows, _ = np.nonzero(codes >= code)
        edges = np.sin(np.radians(90 - np.arange(codes.shape[0] + 1) * 180 / codes.shape[0]))
        row_km2 = 6371.0088**2 * 2 * np.pi / codes.shape[1] * -np.diff(edges)
        assert row_km2[rows].sum() == pytest.approx(brute, rel=1e-9)


def test_more_results_on_demand(ask, drawn):
    app = ask(words="hot desert")
    before = sum(marker["kind"] == "match" for marker in drawn["panes"][0]["markers"])
    app.button(key="more").click()
    app.run()
    after = sum(marker["kind"] == "match" for marker in drawn["panes"][0]["markers"])
    assert after == 2 * before
    ask(words="sea")  # another question starts small
    assert sum(marker["kind"] == "match" for marker in drawn["panes"][0]["markers"]) == before


def test_how_many_results_there_are_stands_in_the_address(app, drawn):
    def asked(**address):
        app.query_params.clear()
        app.query_params.update({"atlas": "world", **address})
        app.run()
        return sum(marker["kind"] == "match" for marker in drawn["panes"][0]["markers"])

    few = asked(q="text:hot desert")
    assert asked(q="text:hot desert", top="20") == 2 * few
    assert asked(q="text:sea", top="20") == 2 * few  # the back button, to another question that showed as many
    app.button(key="more").click()
    app.run()
    assert app.query_params["top"] in ("30", ["30"])
    assert asked(q="text:sea", top="7") == few  # what cannot be is as at first
    assert "top" not in app.query_params
    assert asked(q="text:sea") == few


def test_a_point_shows_its_place_and_how_far_the_best_is(app, ask, shown, drawn):
    ask(latitude=23.0, longitude=8.0)
    assert shown["groups"][0]["title"] == "This place"
    assert [card["kind"] for card in shown["groups"][0]["cards"]] == ["Aerial image", "Surface model", "Text"]
    best = next(marker for marker in drawn["panes"][0]["markers"] if marker["kind"] == "best")
    assert best["label"].endswith("km away")


def test_words_have_no_place(ask, shown):
    ask(words="hot desert")
    assert "This place" not in [group["title"] for group in shown["groups"]]


def test_suggestions_are_short_and_each_once():
    atlas = fake.FakeAtlas()
    texts = suggestions(atlas)
    assert texts == ["big city by the sea", "hot desert", "Himalaya"]  # settings tell most
    assert all(len(text) <= MAX_CHARACTERS for text in texts)


def test_of_words_about_nothing_here_results_are_shown_on_demand_over_a_dimmed_map(app, ask, drawn, shown, monkeypatch):
    ordinary = fake.FakeExplorer.query
    note = Note("nothing", "Nothing here is like “asdf qwer”.")

    def foreign(self, items, **scope):
        return replace(ordinary(self, items, **scope), is_foreign=items[0].value == "asdf qwer", notes=(note,))

    ask(words="hot desert")
    bright = drawn["panes"][0]["overlay"]["url"]
    monkeypatch.setattr(fake.FakeExplorer, "query", foreign)
    shown.clear()
    app = ask(words="asdf qwer")
    pane = drawn["panes"][0]
    assert app.warning[0].value.startswith("Nothing here is like “asdf qwer”")
    assert pane["legend"]["words"].startswith("Nothing here is like that.")
    assert pane["legend"]["weak"]
    assert (pane["markers"], shown) == ([], {}), "no results, neither on the map nor beside it"
    assert pane["overlay"]["url"] != bright
    app.button(key="closest-anyway").click()
    app.run()
    assert [marker["kind"] for marker in drawn["panes"][0]["markers"]].count("best") == 1
    assert shown["groups"]
    ask(words="hot desert")
    assert drawn["panes"][0]["markers"], "the next query is answered as ever"
