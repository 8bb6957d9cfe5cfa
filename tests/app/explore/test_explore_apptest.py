"""Page Explore through app.py, without a browser: what is entered, what the map and the notices then say."""

import pytest

from pages.ui.services.explorers import Explorers
from pages.ui.services.priority import Priority
from tests.app import fake
from unigeoclip.errors import AtlasError, InputError


def chips(app):
    labels = [block.proto.popover.label for block in app.get("popover")]
    return [label for label in labels if "\u2002" in label]  # between weight and words


def items(app):
    return app.session_state["sessions"]["world"].pending


def overlay(drawn):
    return drawn["panes"][0].get("overlay")


def test_first_look_is_a_map_without_a_heatmap(app, drawn):
    assert not app.exception
    assert drawn["whole_earth"] is True
    assert overlay(drawn) is None
    assert [style["id"] for style in drawn["base"]["styles"]] == ["photo", "plain", "online"]
    assert "Nobody in particular" in drawn["base"]["styles"][0]["attribution"]


def test_words_give_a_heatmap_a_legend_and_markers(ask, drawn):
    app = ask(words="hot desert")
    assert not app.exception
    assert not app.error
    pane = drawn["panes"][0]
    assert pane["overlay"]["url"].startswith("/data/overlays/")
    assert [round(edge, 2) for edge in pane["overlay"]["bounds"]] == [-85.05, -180, 85.05, 180]
    assert pane["legend"]["ticks"][0][1] < pane["legend"]["ticks"][-1][1]
    best = next(marker for marker in pane["markers"] if marker["kind"] == "best")
    assert abs(best["lat"] - 23) < 3
    assert abs(best["lng"] - 8) < 3


def test_latitude_and_longitude_ask_about_the_point(ask, drawn):
    ask(latitude=23.0, longitude=8.0)
    query = next(marker for marker in drawn["panes"][0]["markers"] if marker["kind"] == "query")
    assert (query["lat"], query["lng"]) == (23.0, 8.0)


def test_coordinates_typed_as_words_are_a_point(ask):
    app = ask(words="-23.5, 133.9")
    assert items(app)[0].modality == "location"
    assert items(app)[0].value == (-23.5, 133.9)
    assert app.text_input(key="latitude").value == "-23.5"


@pytest.mark.parametrize(
    ("fields", "point"),
    [
        ({"latitude": "1,5", "longitude": "2,5"}, (1.5, 2.5)),
        ({"latitude": "0,5", "longitude": "-0,5"}, (0.5, -0.5)),
        ({"latitude": "48,85", "longitude": "2,35"}, (48.85, 2.35)),
        ({"latitude": "48°51'N", "longitude": "2°21'E"}, (48.85, 2.35)),
        ({"latitude": "48.85, 2.35"}, (48.85, 2.35)),
        ({"latitude": "0", "longitude": "190"}, (0.0, -170.0)),
        ({"words": "48,85 2,35"}, (48.85, 2.35)),
        ({"words": "48,85; 2,35"}, (48.85, 2.35)),
    ],
)
def test_either_decimal_sign_is_read_and_shown_in_the_fields(ask, fields, point):
    app = ask(**fields)
    assert not app.error
    assert items(app)[0].value == pytest.approx(point)
    assert [float(app.text_input(key=axis).value) for axis in ("latitude", "longitude")] == pytest.approx(list(point))


@pytest.mark.parametrize(
    ("fields", "bad", "sentence"),
    [
        ({"latitude": "1.000,5", "longitude": "2"}, ("latitude",), "is no latitude. Write it as"),
        ({"latitude": "48", "longitude": "east"}, ("longitude",), "is no longitude. Write it as"),
        ({"latitude": "4885", "longitude": "2"}, ("latitude",), "The latitude 4885 is outside"),
        ({"latitude": "1", "longitude": "1e308"}, ("longitude",), "is no longitude"),
        ({"latitude": "1", "longitude": "541"}, ("longitude",), "The longitude 541 is outside"),
        ({"latitude": "x" * 5000, "longitude": "y"}, ("latitude", "longitude"), "is no latitude"),
        ({"longitude": "2"}, ("latitude",), "enter the latitude as well"),
    ],
)
def test_what_a_field_cannot_mean_stays_in_it_with_the_reason(ask, fields, bad, sentence):
    app = ask(**fields)
    assert items(app) == ()
    assert sentence in app.error[0].value.replace("\\", "")
    assert len(app.error[0].value) < 500
    assert {axis: app.text_input(key=axis).value for axis in fields} == fields
    assert app.session_state["sessions"]["world"].bad_fields == bad
    app = ask(latitude="23", longitude="8")
    assert not app.error
    assert app.session_state["sessions"]["world"].bad_fields == ()


def test_words_that_are_new_go_before_a_point_that_is_not(ask):
    ask(latitude=23.0, longitude=8.0)
    app = ask(words="sea")
    assert [item.modality for item in items(app)] == ["text"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"latitude": 95.0, "longitude": 8.0}, "The latitude 95 is outside"),
        ({"latitude": 23.0}, "needs both numbers"),
        ({}, "The query is empty"),
        ({"words": "   "}, "at least one word"),
    ],
)
def test_bad_input_is_a_sentence_and_the_query_stays(ask, drawn, fields, sentence):
    ask(words="hot desert")
    before = overlay(drawn)
    app = ask(**({"words": ""} | fields))
    assert not app.exception
    assert sentence in app.error[0].value.replace("\\", "")
    assert [item.value for item in items(app)] == ["hot desert"]
    assert overlay(drawn) == before


def test_an_error_is_said_once(ask):
    app = ask(latitude=95.0, longitude=8.0)
    assert app.error
    assert not ask(words="sea").error


def test_very_long_text_is_answered_with_a_note(ask):
    app = ask(words="desert " * 15_000)
    assert not app.error
    assert "Only the first" in app.info[0].value
    assert len(chips(app)[0]) < 60


def test_a_point_in_the_sea_is_answered_with_a_note(ask):
    assert "sea" in ask(latitude=-40.0, longitude=-140.0).info[0].value


def test_items_join_with_signs_and_can_be_weighed_and_removed(ask, drawn):
    app = ask(words="switzerland")
    app.segmented_control(key="join").set_value("minus").run()
    app = ask(words="mountains")
    assert [(item.value, item.weight) for item in items(app)] == [("switzerland", 1.0), ("mountains", -1.0)]
    assert app.query_params["q"] == ["text:switzerland", "-1*text:mountains"]
    before = overlay(drawn)
    slider = next(slider for slider in app.slider if slider.value == -1.0)
    app = slider.set_value(-0.5).run()
    assert items(app)[1].weight == -0.5
    assert overlay(drawn) != before
    app = app.button(key="remove-0").click().run()
    assert [item.value for item in items(app)] == ["mountains"]


def test_weights_that_cancel_are_refused_with_the_remedy(ask):
    app = ask(words="sea")
    app.segmented_control(key="join").set_value("minus").run()
    app = ask(words="Sea")
    assert "cancel" in app.error[0].value
    assert len(items(app)) == 1


def test_clear_goes_back_to_the_examples(ask, drawn):
    app = ask(words="sea")
    app = app.button(key="clear").click().run()
    assert overlay(drawn) is None
    assert "q" not in app.query_params
    assert any(button.key.startswith("example-") for button in app.button)


def test_an_example_answers_in_one_click(app, drawn):
    button = next(button for button in app.button if button.key == "example-Switzerland − mountains + sea")
    app = button.click().run()
    assert len(items(app)) == 3
    assert overlay(drawn)


@pytest.mark.parametrize("link", [["at:23,8"], ["text:sea", "-0.5*text:mountains"], ["place:w000007"]])
def test_a_link_restores_its_query(app, drawn, link):
    app.query_params["q"] = link
    app = app.run()
    assert not app.error
    assert overlay(drawn)
    written = app.query_params["q"]
    assert ([written] if isinstance(written, str) else written) == link


@pytest.mark.parametrize("link", ["nonsense", "at:north", "9*text:sea", "at:95,8", "text:"])
def test_a_broken_link_is_a_sentence(app, link):
    app.query_params["q"] = [link]
    app = app.run()
    assert not app.exception
    assert app.error


def test_what_is_typed_is_shown_as_typed(ask):
    app = ask(words="**bold** [a](b)")
    assert "\\*\\*bold" in chips(app)[0]


def test_an_atlas_that_cannot_be_opened_is_a_sentence_with_another_try(app, serve):
    outcomes = iter([AtlasError("aerial.tif was changed. Build the atlas again: python -m unigeoclip build world")])

    def load(name):
        for error in outcomes:  # the first time
            raise error
        return fake.FakeAtlas()

    doors = {"list_atlases": lambda: ["world"], "open_explorer": fake.open_explorer}
    serve(explorers=Explorers(Priority(), load_atlas=load, **doors))
    app = app.run()
    assert "Build the atlas again" in app.error[0].value.replace("\\", "")
    app = app.button(key="retry").click().run()
    assert not app.error


def test_an_unknown_atlas_in_the_address_falls_back_with_a_word(app):
    app.query_params["atlas"] = "atlantis"
    app = app.run()
    assert "atlantis" in app.error[0].value


def test_no_atlas_at_all_says_how_to_build_one(app, serve):
    serve(explorers=Explorers(Priority(), list_atlases=list))
    app = app.run()
    assert "unigeoclip build world" in app.error[0].value


def test_visitors_do_not_see_each_other(ask):
    from streamlit.testing.v1 import AppTest

    from tests.app.conftest import APP

    ask(words="sea")
    other = AppTest.from_file(str(APP), default_timeout=60).run()
    assert other.session_state["sessions"]["world"].pending == ()


# In words


def test_a_query_in_words_is_shown_as_it_is_written(app):
    app.query_params["q"] = "text:desert"
    app.run()
    assert not app.exception
    lines = [each.value for each in app.markdown if each.value.startswith("In words")]
    assert lines == [r"In words: **hot desert climate · sand \<dunes\>**"]


def test_a_query_that_is_not_known_in_words(app):
    app.query_params["q"] = "text:zebra"
    app.run()
    captions = [each.value for each in app.caption]
    assert r"In words: not known. The vocabulary has nothing close to these words\." in captions


def test_without_words_there_is_no_line(app, monkeypatch):
    def refuse(explorer, query):
        raise InputError("The model of the atlas 'world' knows no words.")

    monkeypatch.setattr(fake.FakeExplorer, "describe", refuse)
    app.query_params["q"] = "text:desert"
    app.run()
    assert not app.exception
    assert not [each for each in [*app.markdown, *app.caption] if each.value.startswith("In words")]
