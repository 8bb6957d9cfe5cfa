"""An area that is searched in, and "any of them", on page Explore without a browser: widgets, link, what is said."""

import numpy as np
import pytest

from pages.ui import query_string
from pages.ui.explore.composing import scope
from pages.ui.explore.composing.scope import Scope
from unigeoclip.search.query_items import QueryItem

SAHARA = (10.0, -5.0, 30.0, 20.0)


def session(app):
    return app.session_state["sessions"]["world"]


def draw(app, bounds):
    """Choose an area as a rectangle on the map does; AppTest has no browser to draw in."""
    session(app).choose_area(bounds)
    return app.run()


def test_an_area_restricts_results_heatmap_and_best_match(ask, drawn, shown):
    app = ask(words="sea")
    assert session(app).answer.best.lat > 30
    app = draw(app, SAHARA)
    assert not app.error
    answer = session(app).answer
    south, west, north, east = SAHARA
    assert south <= answer.best.lat <= north
    assert west <= answer.best.lon <= east
    assert 0 < len(answer.heatmap.values) < 200
    for matches in answer.matches.values():
        assert all(south <= match.lat <= north and west <= match.lon <= east for match in matches)
    pane = drawn["panes"][0]
    assert pane["area"] == SAHARA
    assert pane["values"]["land"] == "the area"
    assert app.query_params["area"] == "10,-5,30,20"
    assert any(caption.value.startswith("Fewer than 10 in the area: ") for caption in app.caption)
    python, shell = (block.value for block in app.code)
    assert "area=(10.0, -5.0, 30.0, 20.0)" in python
    assert shell.count("--bbox=10.0,-5.0,30.0,20.0") == 2
    app = app.button(key="whole-area").click().run()
    assert session(app).scope.area is None
    assert "area" not in drawn["panes"][0]
    assert "area" not in app.query_params
    assert len(session(app).answer.heatmap.values) > 2000


def test_an_area_without_land_is_refused_and_the_answer_stays(ask, drawn):
    app = draw(ask(words="sea"), SAHARA)
    app = draw(app, (-45.0, -140.0, -40.0, -130.0))
    assert "holds no land" in app.error[0].value
    assert session(app).scope.area == SAHARA
    assert drawn["panes"][0]["area"] == SAHARA


def test_an_area_without_places_says_so(ask, drawn, shown):
    app = ask(words="sea")
    answer = session(app).answer
    taken = np.array([(match.lat, match.lon) for match in answer.matches["location"]])
    for lat, lon in answer.heatmap.grid.cells.tolist():
        area = (lat - 0.5, lon - 0.5, lat + 0.5, lon + 0.5)
        app = draw(app, area)
        if not any(session(app).answer.matches.values()):
            break
    assert len(taken)
    assert "No place with samples lies in the area" in app.info[0].value
    assert not [button for button in app.button if button.key == "more"]


def test_a_link_holds_area_and_combination(app, drawn):
    app.query_params.update({"q": ["text:sea", "text:himalaya"], "area": "-40,-20,60,100", "combine": "any"})
    app = app.run()
    assert not app.error
    assert session(app).scope == Scope("any", (-40.0, -20.0, 60.0, 100.0))
    assert session(app).answer.query.combine == "any"
    assert app.query_params["area"] == "-40,-20,60,100"
    assert app.query_params["combine"] == "any"


@pytest.mark.parametrize(
    ("key", "value"), [("area", "1,2,3"), ("area", "9" * 5000), ("area", "50,0,40,10"), ("combine", "x" * 5000)]
)
def test_what_of_a_link_cannot_be_read_is_left_out(app, key, value):
    app.query_params.update({"q": ["text:sea"], key: value})
    app = app.run()
    assert f"The link's part '{key}' was left out" in app.error[0].value.replace("\\", "")
    assert len(app.error[0].value) < 400
    assert session(app).scope == Scope()
    assert session(app).answer is not None


def test_a_link_with_an_area_of_sea_keeps_its_query(app):
    app.query_params.update({"q": ["text:sea"], "area": "-45,-140,-40,-130"})
    app = app.run()
    assert "holds no land" in app.error[0].value
    assert [item.value for item in session(app).answer.items] == ["sea"]


def test_any_of_them_is_offered_for_several_examples_only(ask, drawn):
    app = ask(words="sea")
    assert not [each for each in app.segmented_control if each.key == "combine-chosen"]
    app.segmented_control(key="join").set_value("plus").run()
    app = ask(words="himalaya")
    summed = drawn["panes"][0]["overlay"]
    app = app.segmented_control(key="combine-chosen").set_value("any").run()
    answer = session(app).answer
    assert answer.query.combine == "any"
    assert drawn["panes"][0]["overlay"] != summed
    assert answer.best.similarity > 0.95, "as similar as to the closest example"
    assert "closest of your examples" in drawn["panes"][0]["legend"]["title"]
    assert "closest of several examples" in drawn["panes"][0]["legend"]["words"]
    assert app.query_params["combine"] == "any"
    python, shell = (block.value for block in app.code)
    assert 'combine="any"' in python.replace("'", '"')
    assert shell.count("--combine any") == 2
    assert [block.proto.popover.label for block in app.get("popover")][:3].count("or\u2002sea") == 1
    app = app.button(key="remove-0").click().run()
    assert session(app).scope.combine == "sum"
    assert "combine" not in app.query_params


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ((-95.0, -190.0, 95.0, 500.0), None),
        ((10.1234567, 170.0, 20.0, 190.0), (10.12346, 170.0, 20.0, 180.0)),
        ((10.0, 200.0, 20.0, 210.0), None),
        (None, None),
    ],
)
def test_a_rectangle_on_the_map_is_cut_off_where_the_globe_ends(bounds, expected):
    assert scope.on_globe(bounds) == expected


def test_examples_that_are_subtracted_give_no_choice():
    items = [QueryItem("text", "sea"), QueryItem("text", "mountains", -1.0)]
    assert not scope.is_choice(items)
    assert scope.is_choice([*items, QueryItem("text", "desert", 0.25)])


def test_another_atlas_does_not_take_the_area_along(both):
    both.query_params.update({"atlas": "world", "q": "text:sea", "area": "10,-5,30,20", "combine": "any"})
    app = both.run()
    assert query_string.AREA in app.query_params
    app = app.segmented_control(key="atlas-switch").set_value("boston").run()
    assert not {query_string.AREA, query_string.COMBINE} & set(app.query_params)
