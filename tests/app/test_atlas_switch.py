"""The switch between atlases, however many there are, and the names that stand in it."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui import atlas_titles
from pages.ui.atlas_switch import MAX_BUTTONS
from pages.ui.poster.playlist import scenes
from tests.app.conftest import APP


@pytest.mark.parametrize("count", [1, 2, 3, 4, 12, 40])
@pytest.mark.parametrize("page", ["pages/explore.py", "pages/compare.py", "pages/atlas.py"])
def test_every_page_opens_with_any_number_of_atlases(monkeypatch, serve, drawn, tmp_path, count, page):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    names = ["world", *(f"city-{number}" for number in range(1, count))]
    serve(*names)
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    if page != "pages/explore.py":
        app = app.switch_page(page).run()
    assert not app.exception
    if count == 1:
        return
    kind = "selectbox" if count > MAX_BUTTONS else "segmented_control"
    switch = next(each for each in app.get(kind) if each.key == "atlas-switch")
    assert set(switch.options) == {atlas_titles.atlas_title(name) for name in names}
    assert "City-1 of McTest" in switch.options
    app = switch.set_value("city-1").run()
    assert not app.exception
    assert app.session_state["atlas-shown"] == "city-1"


def test_an_atlas_is_called_as_its_manifest_says(tmp_path, monkeypatch):
    monkeypatch.setattr(atlas_titles.store, "ATLASES_FOLDER", tmp_path)
    folder = tmp_path / "los_angeles"
    folder.mkdir()
    (folder / "atlas.json").write_text(json.dumps({"title": "Los Angeles"}))
    assert atlas_titles.atlas_title("los_angeles") == "Los Angeles"
    assert all(scene.place.endswith("· Boston") for scene in scenes(["boston"]))


@pytest.mark.parametrize("written", ["", "{", "[]", '{"title": 7}', None])
def test_without_a_readable_title_it_is_the_folders_name(tmp_path, monkeypatch, written):
    monkeypatch.setattr(atlas_titles.store, "ATLASES_FOLDER", tmp_path)
    (tmp_path / "new-york_NY").mkdir()
    if written is not None:
        (tmp_path / "new-york_NY" / "atlas.json").write_text(written)
    assert atlas_titles.atlas_title("new-york_NY") == "New york NY"
