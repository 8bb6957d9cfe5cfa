"""Page Explore over a city and the world, without a browser: the switch, street views, heights, whole places."""

import json
from html import unescape

import numpy as np
import pytest

from pages.ui import query_string
from pages.ui.explore import cards
from pages.ui.formatting import literal
from pages.ui.map import component
from tests.app import fake_city
from unigeoclip.atlas.origins import ALL_DRAWN
from unigeoclip.errors import InputError


def ask(app, words):
    app.text_input(key="words").set_value(words)
    app.button(key="ask-button").click()
    return app.run()


def wanted(app, atlas="boston"):
    return app.session_state["sessions"][atlas].pending


def address(app):
    return {key: [value] if isinstance(value, str) else list(value) for key, value in app.query_params.items()}


def switch(app, name):
    return app.segmented_control(key="atlas-switch").set_value(name).run()


def group(shown, title):
    return next(group for group in shown["groups"] if group["title"] == title)


def test_the_city_opens_first_in_the_words_of_a_city(both, drawn):
    assert not both.exception
    assert drawn["memory"] == "map-boston-boston"
    assert (drawn["whole_earth"], drawn["is_city"]) == (False, True)
    assert 15 < drawn["close_zoom"] < 18
    style = drawn["base"]["styles"][0]
    assert style["attribution"] == "Rendered from OpenStreetMap · © OpenStreetMap contributors"
    assert style["meaning"] == "Aerial image, rendered from OpenStreetMap"
    assert "Fenway" in both.text_input(key="words").proto.placeholder
    assert float(both.text_input(key="latitude").proto.placeholder) == pytest.approx(42.36, abs=0.01)
    assert both.button(key="example-park by the river")


def test_each_atlas_keeps_its_query_and_the_address_says_which(both, drawn):
    app = ask(both, "Fenway")
    assert address(app) == {"atlas": ["boston"], "q": ["text:Fenway"]}
    assert drawn["panes"][0]["legend"]["low"] == "half of the city is lower"

    app = switch(app, "world")
    assert address(app) == {"atlas": ["world"]}
    assert (drawn["memory"], drawn["panes"][0].get("overlay")) == ("map-world-world", None)
    assert app.text_input(key="words").value == ""
    app = ask(app, "hot desert")
    assert "the land is lower" in drawn["panes"][0]["legend"]["low"]
    assert [item.value for item in wanted(app, "boston")] == ["Fenway"]

    app = switch(app, "boston")
    assert address(app) == {"atlas": ["boston"], "q": ["text:Fenway"]}
    assert drawn["panes"][0]["overlay"]
    assert app.text_input(key="words").value == "Fenway"
    assert [item.value for item in wanted(app, "world")] == ["hot desert"]


def test_an_address_opens_its_atlas_and_the_back_button_goes_back(both, drawn):
    both.query_params["atlas"] = "world"
    both.query_params["q"] = ["text:hot desert"]
    app = both.run()
    assert drawn["memory"] == "map-world-world"
    assert app.segmented_control(key="atlas-switch").value == "world"
    app = switch(app, "boston")
    app.query_params["atlas"] = "world"  # what the back button does
    app.query_params["q"] = ["text:hot desert"]
    app = app.run()
    assert drawn["memory"] == "map-world-world"
    assert [item.value for item in wanted(app, "world")] == ["hot desert"]
    assert wanted(app, "boston") == ()


def test_an_unknown_atlas_in_the_address_falls_back_with_a_word(both, drawn):
    both.query_params["atlas"] = "atlantis"
    app = both.run()
    assert "atlantis" in app.error[0].value
    assert drawn["memory"] == "map-boston-boston"


def test_the_page_atlas_shows_the_atlas_chosen_on_the_other_page(both):
    app = switch(both, "world")
    app = app.switch_page("pages/atlas.py").run()
    assert not app.exception
    assert app.title[0].value == literal("A made-up world"), "a name, not Markdown"


def test_street_cards_have_a_camera_and_the_map_its_cone(both, drawn, shown):
    ask(both, "Fenway")
    strip = group(shown, "Street view")
    assert strip["note"] == "rendered from OpenStreetMap"
    card = strip["cards"][0]
    assert card["picture"].startswith("/data/boston/street/")
    assert card["pose"]["heading"] in (90.0, 270.0)
    assert card["origin"] == "rendered from OpenStreetMap"
    marker = next(marker for marker in drawn["panes"][0]["markers"] if marker["id"] == card["id"])
    assert marker["heading"] == card["pose"]["heading"]
    assert (marker["lat"], marker["lng"]) == (card["pose"]["lat"], card["pose"]["lng"])
    others = [m for m in drawn["panes"][0]["markers"] if m["kind"] == "match" and not m["id"].startswith("street")]
    assert all(marker["heading"] is None for marker in others)


def test_one_may_look_around_at_the_point_and_at_the_best_match(both, shown):
    both.query_params["q"] = ["at:42.3601,-71.1301"]
    both.run()
    point, best = shown["outlooks"]
    assert (point["label"], point["name"], best["label"]) == ("your point", "Middle Street", "the best match")
    assert point["pose"]["lat"] == 42.36
    assert point["views"]["step"].startswith("/data/boston/street/")


def test_surface_cards_have_a_scale(both, shown):
    ask(both, "Fenway")
    assert group(shown, "Surface model")["cards"][0]["heights"].startswith("/data/boston/heights/42.")


def test_text_cards_say_one_thing_of_each_kind_first(both, shown):
    ask(both, "Fenway")
    assert group(shown, "Text")["cards"][0]["text"].startswith("Back Bay · dense old streets of row houses · a Thai")
    order = cards._telling([("name", "Fenway"), ("shop", "a shop"), ("name", "near Fenway Park")])
    assert order == ["near Fenway Park", "a shop", "Fenway"]


def test_distances_in_a_city_are_meters(both, shown):
    both.text_input(key="latitude").set_value(str(42.36))
    both.text_input(key="longitude").set_value(str(-71.12))
    both.button(key="ask-button").click()
    both.run()
    figures = [card["distance"] for each in shown["groups"] for card in each["cards"]]
    assert any(figure.endswith(" m") for figure in figures)


def test_a_click_asks_by_the_point_or_by_the_whole_place(both, drawn, monkeypatch):
    click = {"pane": "main", "lat": 42.3612345, "lng": -71.0987654, "by": "point"}
    monkeypatch.setattr(component, "_event", lambda key, name: click)
    told = {}
    monkeypatch.setattr(component, "_component", lambda: lambda **options: told.update(options))
    both.run()
    told["on_click_change"]()
    assert wanted(both)[0].value == (42.36123, -71.09877)  # about a metre

    click["by"] = "place"
    told["on_click_change"]()
    (item,) = wanted(both)
    assert item.modality == "place"
    assert item.label in fake_city.NAMES


def test_a_view_of_the_viewer_is_a_query_with_a_link_and_a_camera(both, drawn):
    both.query_params["q"] = ["view:42.36,-71.12,45"]
    app = both.run()
    assert not app.error
    assert wanted(app)[0].label == "Middle Street, looking north-east"
    query = next(marker for marker in drawn["panes"][0]["markers"] if marker["kind"] == "query")
    assert query["heading"] == 45
    assert "Your view" in query["label"]
    assert address(app)["q"] == ["view:42.36,-71.12,45"]


def test_a_view_outside_the_city_or_where_there_are_none_is_a_sentence(both):
    both.query_params["q"] = ["view:10,10,0"]
    assert "outside this city" in both.run().error[0].value
    both.query_params["atlas"], both.query_params["q"] = "world", ["view:42.36,-71.12,45"]
    assert "no street views" in both.run().error[0].value


def test_views_survive_the_way_through_a_link():
    item = query_string.view(42.36, -71.12, 405.0, "Middle Street", weight=-0.5)
    back = query_string.parse(query_string.write(item))
    assert (back.modality, back.value, back.weight) == ("view", (42.36, -71.12, 45.0), -0.5)
    assert query_string.write(query_string.point(42.37338, -71.119)) == "at:42.37338,-71.119"
    for text in ("view:1,2", "view:a,b,c", "view:1,2,3,4"):
        with pytest.raises(InputError, match="link"):
            query_string.parse(text)


def test_uploads_say_what_kind_of_picture_is_wanted(both):
    assert both.segmented_control(key="upload-kind").options == [
        "Detect",
        "Aerial image",
        "Street view",
        "Surface model",
    ]
    assert any("rendered from OpenStreetMap" in caption.value for caption in both.caption)
    app = both.segmented_control(key="upload-kind").set_value("street").run()
    assert any("central 4:3 part is used" in caption.value for caption in app.caption)


def test_the_page_atlas_of_a_city(both):
    model = fake_city.folder() / "model" / "metrics.json"
    figures = {"recall@1": 36.4, "recall@10": 76.1, "acc@100m": 44.0, "median_m": 120.0, "n": 2000}
    pairs = {"street->aerial": figures, "street->ensemble": figures, "photo->aerial": {"recall@1": 9.0, "n": 2000}}
    model.write_text(json.dumps({"split": "views", "retrieval": pairs, "splits": {"blocks": {}}, "ablations": {}}))
    try:
        app = both.switch_page("pages/atlas.py").run()
    finally:
        model.unlink()
    assert not app.exception
    text = " ".join([*(each.value for each in app.markdown), *(each.proto.body for each in app.get("html"))])
    assert f"{ALL_DRAWN[0].upper()}{ALL_DRAWN[1:]}." in unescape(text)
    for expected in ("60, of which 15 held out", "Estimated building heights", "93 %", "36 / 76", "Ensemble", "9 / –",
                     "Single street view", "within 100 m", "rendered from OpenStreetMap", "42.24° N"):  # fmt: skip
        assert expected in text
    assert "build city --name boston" in app.code[0].value


def test_the_fake_streets_end(both):
    streets = fake_city.FakeStreets()
    first = streets.nearest(42.36, -72)
    assert streets.ahead(first.lat, first.lon, 270) is None
    assert streets.ahead(first.lat, first.lon, 90).lon > first.lon
    assert np.asarray(streets.picture(first.lat, first.lon, 90)).shape == (336, 448, 3)


def test_what_was_compared_in_one_atlas_is_not_asked_of_the_other(both):
    both.query_params["at"], both.query_params["box"] = "42.36,-71.06", "42.3,-71.1,42.4,-71"
    both.run()
    switch(both, "world")
    assert address(both) == {"atlas": ["world"]}
