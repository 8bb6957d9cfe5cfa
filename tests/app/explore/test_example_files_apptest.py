"""The examples of a query saved as a file and loaded again, without a browser."""

import json

import pytest

from pages.ui.explore.composing import example_files
from tests.app.fake import FakeAtlas, FakeExplorer


def session(app):
    return app.session_state["sessions"]["world"]


def saved(app):
    return example_files.saved(session(app), FakeExplorer(FakeAtlas()))


@pytest.mark.parametrize(
    "link",
    [
        {"q": ["text:sea", "-0.5*at:23,8", "place:w000007", "0.75*item:aerial:w000008"]},
        {"q": ["text:sea", "text:himalaya"], "combine": "any", "area": "-40,-20,60,100"},
    ],
)
def test_a_file_holds_the_query_and_gives_it_again(app, drawn, link):
    app.query_params.update(link)
    app = app.run()
    before, overlay, address = session(app).pending, drawn["panes"][0]["overlay"], dict(app.query_params)
    data = saved(app)
    app = app.button(key="clear").click().run()
    session(app).choose_area(None)
    example_files.load(session(app), "mine.geojson", data)
    app = app.run()
    assert not app.error
    assert [(item.modality, item.value, item.weight, item.label) for item in session(app).pending] == [
        (item.modality, item.value, item.weight, item.label) for item in before
    ]
    assert drawn["panes"][0]["overlay"] == overlay
    assert dict(app.query_params) == address


def test_places_of_a_file_are_points_on_a_map(app):
    app.query_params["q"] = ["text:sea", "place:w000007", "item:aerial:w000008"]
    places = [each["geometry"] for each in json.loads(saved(app.run()))["features"]]
    assert places[0] is None
    assert all(place["type"] == "Point" for place in places[1:])


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"MZ\x90\x00", "evil.geojson: This is no GeoJSON"),
        (json.dumps({"type": "FeatureCollection", "features": [
            {"type": "Feature", "properties": {"item": "3*text:sea"}}]}).encode(), "weight 3 of an example"),
        (json.dumps({"type": "FeatureCollection", "features": [
            {"type": "Feature", "properties": {"item": "place:nobody"}}]}).encode(), "no place 'nobody'"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_a_sentence_and_the_query_stays(ask, drawn, data, says):
    app = ask(words="sea")
    before = drawn["panes"][0]["overlay"]
    example_files.load(session(app), "evil.geojson", data)
    app = app.run()
    assert not app.exception
    assert says in app.error[0].value.replace("\\", "")
    assert [item.value for item in session(app).pending] == ["sea"]
    assert drawn["panes"][0]["overlay"] == before


def test_a_file_of_another_atlas_says_so(ask):
    app = ask(words="sea")
    data = json.loads(saved(app))
    data["unigeoclip"]["atlas"] = "boston"
    example_files.load(session(app), "boston.geojson", json.dumps(data).encode())
    app = app.run()
    assert "saved in the atlas “boston”" in app.info[0].value
