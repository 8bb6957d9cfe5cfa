"""Taking away from page Explore, without a browser: what the popover offers, and the address as Python keeps it."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from pages.ui import query_string
from pages.ui.explore import export
from tests.app import fake
from unigeoclip.search.query_items import PackedVector, QueryItem, write_item


def code(app):
    return [block.value for block in app.code]


def address(app):
    return {key: [value] if isinstance(value, str) else value for key, value in dict(app.query_params).items()}


def test_there_is_nothing_to_take_away_before_a_question(app):
    assert not app.code


def test_the_lines_name_every_item_with_its_weight(app):
    app.query_params["q"] = ['text:it\'s a "sea"', "-0.5*at:40.85,14.27", "0.25*place:w000007"]
    app = app.run()
    python, shell = code(app)
    compile(python, "taken", "exec")
    assert 'QueryItem("text", "it\'s a \\"sea\\"")' in python
    assert 'QueryItem("location", (40.85, 14.27), weight=-0.5)' in python
    assert 'QueryItem("place", "w000007", weight=0.25)' in python
    assert "--item '-0.5*at:40.85,14.27' --item '0.25*place:w000007' --top 10" in shell


def test_a_picture_of_a_link_is_a_query_with_its_name(app, drawn):
    packed = PackedVector.of([0.6, 0.8], "fa4e00")
    app.query_params["q"] = [write_item(QueryItem("aerial", packed, 0.5, "field.png"))]
    app = app.run()
    assert not app.error
    assert drawn["panes"][0]["overlay"]
    (item,) = app.session_state["sessions"]["world"].pending
    assert (item.value, item.weight, item.label) == (packed, 0.5, "field.png")
    assert f'PackedVector.from_text("{packed.text}"), weight=0.5' in code(app)[0]
    app.query_params["q"] = [write_item(QueryItem("aerial", packed))]
    assert [item.label for item in app.run().session_state["sessions"]["world"].pending] == ["Aerial image"]


def test_a_picture_of_another_model_is_refused(app):
    app.query_params["q"] = [write_item(QueryItem("aerial", PackedVector.of(np.eye(5)[0], "fa4e00")))]
    app = app.run()
    assert not app.exception
    assert "another model" in app.error[0].value


def test_the_maps_part_of_the_address_stays_within_an_atlas(both):
    both.query_params.update({"atlas": "world", "q": "text:sea", "v": "30,20,4", "b": "plain", "o": "40"})
    app = both.run()
    app.text_input(key="words").set_value("hot desert")
    app = app.button(key="ask-button").click().run()
    kept = {"v": ["30,20,4"], "b": ["plain"], "o": ["40"]}
    assert address(app) == {"atlas": ["world"], "q": ["text:hot desert"], **kept}
    app = app.segmented_control(key="atlas-switch").set_value("boston").run()
    assert not kept.keys() & address(app).keys()


@pytest.mark.parametrize(
    ("key", "value"), [("v", "here"), ("v", "95,0,3"), ("v", "1,2"), ("b", "marble"), ("o", "101"), ("o", "half")]
)
def test_a_broken_part_of_the_map_is_a_sentence(app, key, value):
    app.query_params.update({"q": "text:sea", key: value})
    app = app.run()
    assert f"{key}={value}" in app.error[0].value.replace("\\", "")
    assert app.session_state["sessions"]["world"].answer is not None
    assert not app.run().error


def test_a_point_is_asked_as_its_link_says(ask):
    app = ask(words="42.123456789, -71.987654321")
    (item,) = app.session_state["sessions"]["world"].pending
    assert item.value == (42.12346, -71.98765)
    assert (
        query_string.parse(
            app.query_params["q"][0] if isinstance(app.query_params["q"], list) else app.query_params["q"]
        )
        == item
    )


def test_long_texts_are_said_to_be_missing_from_the_link(ask):
    app = ask(words="desert " * 100)
    assert any("leaves out texts" in caption.value for caption in app.caption)


def test_files_of_an_answer(tmp_path, serve):
    from pages.ui.explore.session import Session

    serve()
    explorer = fake.FakeExplorer(fake.FakeAtlas())
    session = Session("world")
    session.start((query_string.words("Hot desert!"), query_string.point(40.85, 14.27, -0.5)))
    session.apply_pending(explorer)
    drawn = export._drawn(explorer, session)
    assert export._stem("world", session.answer) == "world-hot-desert-40-85-n-14-27-e"
    page = export._page(explorer, session.answer, drawn).decode()
    assert "+1 Hot desert! −0.5 40.85° N, 14.27° E" in page
    assert (
        page.count("L.circleMarker(") == len({(m.lat, m.lon) for ms in session.answer.matches.values() for m in ms}) + 2
    )
    (tmp_path / "a.png").write_bytes(export._png(session.answer, drawn))
    assert Image.open(tmp_path / "a.png").size[0] >= 512


def test_sharing_needs_no_heavy_import_before_it_is_drawn():
    code = "import sys; import pages.ui.query_string; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=fake.ROOT, check=False).returncode == 0


def test_what_is_in_a_closed_popover_is_not_made(ask):
    app = ask(words="sea")
    assert app.code
    made = len(app.main)
    for key in ("examples", "display", "take"):
        app.session_state[key] = False
    app.run()
    assert not app.code
    assert not [each for each in app.button if each.key.startswith("example-")]
    assert not [each for each in app.segmented_control if each.key.startswith("display-")]
    assert len(app.main) == made
