"""Page Probe through app.py, without a browser."""

import gc
import time
import weakref
from types import FunctionType, ModuleType

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.services import services
from tests.app import fake, fake_probe
from unigeoclip.errors import InputError

PATIENCE_S = 60.0
APP = fake.ROOT / "app.py"


def settled(app):
    """Run the page until nothing is being read or computed."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        app.run()
        if not [each for each in app.get("bidi_component") if each.proto.component_name.endswith("_progress")]:
            return app
        time.sleep(0.05)
    pytest.fail("the probe never ended")


def html(app):
    return " ".join(element.proto.body for element in app.get("html"))


def captions(app):
    return " ".join(caption.value.replace("\\", "") for caption in app.caption)


def errors(app):
    return " ".join(error.value.replace("\\", "") for error in app.error)


def csv_of(table, column="height"):
    rows = zip(table.latlon.tolist(), table.target.tolist(), strict=True)
    return "\n".join([f"lat,lon,{column},part", *(f"{a},{b},{t},{i % 5}" for i, ((a, b), t) in enumerate(rows))])


@pytest.fixture
def page(app):
    return settled(app.switch_page("pages/probe.py"))


@pytest.fixture
def probed(page):
    page.button(key="probe-run").click()
    return settled(page)


@pytest.fixture
def library(page):
    return services().probe.library


def own(page, data=None, name="mine.csv"):
    """Upload a file of one's own."""
    page.segmented_control(key="probe-source-world").set_value("own").run()
    data = csv_of(fake_probe.table_of("height", "regression")) if data is None else data
    page.file_uploader[0].upload(name, data.encode(), "text/csv")
    return settled(page)


def test_a_task_shows_its_labels_before_anything_is_computed(page, drawn, library):
    assert not page.exception
    assert [pane["id"] for pane in drawn["panes"]] == ["truth"]
    assert "The height of a made-up sphere." in html(page)
    assert library.probed == []


def test_tasks_that_are_not_here_are_listed_with_their_command(page):
    page.session_state["probe-missing"] = True
    settled(page)
    assert "python -m unigeoclip tasks download waves" in html(page)
    assert "Rain" in html(page)


def test_the_table_has_floors_intervals_and_marks(probed, drawn):
    assert not probed.exception
    body = html(probed)
    for words in ("Plain coordinates", "Sine and cosine of the position", "floor", "[−0.", "±"):
        assert words in body
    assert "Seen in training: its waves are these waves" in body
    assert "<b>1.000" not in body, "what was seen in training wins"
    assert "Best in blocks: Plain coordinates" in captions(probed)
    assert [pane["id"] for pane in drawn["panes"]] == ["truth", "prediction", "residual"]
    assert all(pane["overlay"]["url"].startswith("/data/private/") for pane in drawn["panes"])


def test_the_table_can_be_sorted(probed):
    def order():
        body = html(probed)
        return sorted(fake_probe.TITLES.values(), key=lambda title: body.find(title))

    by_score = order()
    probed.segmented_control(key="probe-sort").set_value("name").run()
    assert not probed.exception
    assert "Mean" in html(probed)
    assert order() != by_score


def test_a_click_reads_the_nearest_row(probed, drawn, monkeypatch):
    from pages.ui.probe import maps

    state = probed.session_state["probe"]["world"]
    table = state.shown.report.table
    lat, lon = table.latlon[7]
    maps.clicked(state, {"pane": "truth", "lat": lat + 0.05, "lng": lon, "by": "point", "nonce": "1"})
    probed.run()
    assert "held out in fold" in captions(probed)
    assert drawn["panes"][0]["markers"][0]["lat"] == pytest.approx(lat)
    maps.clicked(state, {"pane": "truth", "lat": -89.0, "lng": 0.0, "by": "point", "nonce": "2"})
    probed.run()
    assert "There is no row near" in captions(probed)


def test_worst_regions_move_the_maps(probed, drawn):
    before = drawn["focus"]
    probed.button(key="probe-region-0").click().run()
    south, west, north, east = drawn["focus"]
    assert drawn["focus"] != before
    assert (south + north) / 2 == pytest.approx(10.0)
    assert (west + east) / 2 == pytest.approx(20.0)
    probed.button(key="probe-all").click().run()
    assert drawn["focus"] == before


def test_predict_everywhere_is_a_layer_and_in_the_link(probed, drawn):
    probed.selectbox(key="probe-shown-encoder").set_value("coordinates").run()
    probed.segmented_control(key="probe-layer").set_value("everywhere")
    settled(probed)
    assert not probed.exception
    assert drawn["panes"][1]["title"] == "Prediction everywhere: Plain coordinates"
    address = {key: np.atleast_1d(value)[0] for key, value in probed.query_params.items()}
    assert address == {"task": "height", "encoder": "coordinates", "layer": "everywhere", "atlas": "world"}


def test_a_link_computes_what_it_shows(app, drawn):
    app.query_params |= {"atlas": "world", "task": "climate", "encoder": "coordinates", "layer": "everywhere"}
    page = settled(app.switch_page("pages/probe.py"))
    page = settled(page)
    assert not page.exception
    assert drawn["panes"][1]["title"] == "Prediction everywhere: Plain coordinates"
    assert [swatch[1] for swatch in drawn["panes"][0]["legend"]["swatches"]] != []


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ({"task": "nothing"}, "not one of this atlas"),
        ({"task": "rain"}, "Download them: python -m unigeoclip tasks download waves"),
        ({"task": "height", "layer": "<b>"}, "is left out"),
        ({"task": "height", "encoder": "x" * 500}, "its name is too long"),
    ],
)
def test_a_bad_link_is_a_sentence(app, link, words):
    app.query_params |= {"atlas": "world", **link}
    page = app.switch_page("pages/probe.py").run()
    assert not page.exception
    assert words in errors(page)


def test_cancel_leaves_what_was_shown(probed, library, drawn):
    before = [pane["overlay"]["url"] for pane in drawn["panes"]]
    library.may_go.clear()
    probed.multiselect(key="probe-encoders-world").set_value(["constant"]).run()
    probed.button(key="probe-run").click().run()
    probed.button(key="probe-cancel").click()
    settled(probed)
    library.may_go.set()
    assert "Canceled" in captions(probed) or not probed.button(key="probe-run").disabled
    assert [pane["overlay"]["url"] for pane in drawn["panes"]] == before
    assert "Plain coordinates" in html(probed)


def test_an_error_of_the_probe_is_a_sentence(page, library, monkeypatch):
    def refuse(*_arguments):
        raise InputError("All 300 rows have one value: there is nothing to predict. Choose another column.")

    monkeypatch.setattr(library, "probe", refuse)
    page.button(key="probe-run").click()
    settled(page)
    assert "nothing to predict" in errors(page)
    assert not page.button(key="probe-run").disabled


def test_ones_own_file_from_upload_to_table(page, drawn):
    own(page)
    assert not page.exception
    assert "300 rows; target height: a number." in captions(page)
    page.button(key="probe-run").click()
    settled(page)
    assert not page.exception
    assert [pane["id"] for pane in drawn["panes"]] == ["truth", "prediction", "residual"]
    assert "task" not in page.query_params, "one's own labels are in no link"
    assert page.session_state["probe"]["world"].shown.task == ""


def test_columns_and_kind_can_be_changed(page, library):
    own(page)
    page.selectbox(key="probe-column-groups").set_value("part")
    page.segmented_control(key="probe-kind").set_value("classification")
    settled(page)
    assert "300 rows; target height: 300 classes, folds by part." in captions(page)
    page.button(key="probe-run").click()
    settled(page)
    assert "The target has 300 classes" in errors(page)
    page.segmented_control(key="probe-kind").set_value("regression")
    settled(page)
    page.button(key="probe-run").click()
    settled(page)
    assert not page.exception
    assert library.probed[-1].splits == ("random", "blocks", "groups")
    assert "By part" in html(page)


@pytest.mark.parametrize(
    ("data", "words"),
    [(" ", "mine.csv is empty."), ("lat,lon,height\n1,2,tall\n2,3,small", "are no numbers")],
)
def test_a_bad_file_is_a_sentence_until_it_is_removed(page, data, words):
    own(page, data)
    if "tall" in data:
        page.segmented_control(key="probe-kind").set_value("regression")
        settled(page)
    assert not page.exception
    assert words in errors(page)
    assert page.button(key="probe-run").disabled
    page.button(key="probe-remove").click().run()
    assert words not in errors(page)
    assert len(page.file_uploader) == 1


def test_the_example_works_in_one_click(page):
    page.segmented_control(key="probe-source-world").set_value("own").run()
    page.button(key="probe-example").click()
    settled(page)
    assert not page.exception
    assert "example.csv" in " ".join(each.value.replace("\\", "") for each in page.markdown)
    page.button(key="probe-run").click()
    settled(page)
    assert not page.exception
    assert "Best" in captions(page)


def test_labels_are_gone_when_the_file_is_removed(page):
    own(page)
    page.button(key="probe-run").click()
    settled(page)
    mine = page.session_state["probe-own"]
    kept = [weakref.ref(mine), weakref.ref(mine.table), weakref.ref(page.session_state["probe"]["world"].shown)]
    files = services().probe.files
    assert len(files._files) > 0
    del mine
    page.button(key="probe-remove").click().run()
    page.run()  # AppTest keeps the state that a run began with until the next one
    gc.collect()
    assert [ref() for ref in kept] == [None, None, None]
    assert len(files._files) == 0
    assert "overlay" not in str(page.session_state["probe"]["world"].pictures)


def test_another_session_never_sees_them_and_nothing_is_written(page, tmp_path, caplog):
    own(page, name="secret.csv")
    page.button(key="probe-run").click()
    settled(page)
    assert services().probe._results == {}, "results on one's own labels are shared with nobody"
    other = AppTest.from_file(str(APP), default_timeout=60).run()
    other = settled(other.switch_page("pages/probe.py"))
    other.segmented_control(key="probe-source-world").set_value("own").run()
    assert len(other.file_uploader) == 1
    assert "secret" not in html(other) + captions(other) + "".join(each.value for each in other.markdown)
    assert "probe-own" in page.session_state
    assert not [path for path in tmp_path.rglob("*") if "secret" in path.name]
    assert "secret" not in caplog.text


def test_labels_are_gone_with_their_session(page):
    own(page)
    page.button(key="probe-run").click()
    settled(page)
    table = page.session_state["probe-own"].table
    report = page.session_state["probe"]["world"].shown.report
    assert _reaches(page.session_state["probe-own"], table)
    assert _reaches(services(), services().probe.library.probed), "the test looks into the services"
    assert not _reaches(services(), table)
    assert not _reaches(services(), report)


def _reaches(start, target, depth=9):
    """Whether an object refers to another, over a few steps; modules, classes and functions' globals do not count."""
    seen, front = {id(start)}, [start]
    for _ in range(depth):
        following = []
        for each in gc.get_referents(*front):
            if each is target:
                return True
            if id(each) not in seen and not isinstance(each, type | ModuleType | FunctionType):
                seen.add(id(each))
                following.append(each)
        front = following
    return False


def test_another_atlas_has_a_state_of_its_own(serve, drawn, monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    serve("boston", "world")
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    page = settled(app.switch_page("pages/probe.py"))
    assert not page.exception
    assert "There are no built-in tasks for this atlas" in html(page)
    page.segmented_control(key="atlas-switch").set_value("world")
    settled(page)
    assert "The height of a made-up sphere." in html(page)
