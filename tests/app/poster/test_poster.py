"""Poster mode without a browser: the playlist, following it, QR codes and the address they hold."""

import io

import pytest
import segno
import streamlit as st
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from pages.ui import network, query_string
from pages.ui.explore import introduction
from pages.ui.http import qr, routes
from pages.ui.http.urls import urls
from pages.ui.poster import mode, playlist
from pages.ui.poster.playlist import PAGES, scenes
from pages.ui.rectangles import parse_box
from tests.app.conftest import APP


@pytest.fixture
def told(monkeypatch):
    """What the component in the browser was last told."""
    last = {}
    monkeypatch.setattr(mode, "_component", lambda: lambda **options: last.update(options["data"]))
    return last


@pytest.fixture
def first_run(monkeypatch, serve, drawn, told, tmp_path):
    """Run the app once, as if the browser had asked for a scene; later runs of AppTest leave app.py out."""
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    serve()

    def run(wanted=None):
        app = AppTest.from_file(str(APP), default_timeout=60)
        if wanted is not None:
            app.session_state["poster-at"] = app.session_state["poster-wanted"] = wanted
        return app.run()

    return run


def number_of(page, atlas):
    return next(i for i, scene in enumerate(scenes([atlas])) if scene.page == page)


def test_both_pages_and_both_atlases_are_played_in_turn():
    played = scenes(["boston", "world"])
    assert {(scene.page, scene.atlas) for scene in played} == {(p, a) for p in PAGES for a in ("boston", "world")}
    assert 6 <= len(played) <= 12


def test_scenes_of_an_atlas_that_is_not_there_are_skipped():
    assert {scene.atlas for scene in scenes(["world", "atlantis"])} == {"world"}
    assert scenes([]) == []


@pytest.mark.parametrize("scene", playlist._SCENES, ids=lambda scene: scene.title)
def test_every_scene_is_a_link_that_the_pages_understand(scene):
    for key, value in scene.link:
        if scene.page == "explore":
            assert key == query_string.KEY
            assert query_string.parse(value)
        else:
            reader = {"color": query_string.parse_color, "at": query_string.parse_at, "box": parse_box}[key]
            assert reader(value)
    assert scene.address.startswith(f"{PAGES[scene.page]}?atlas={scene.atlas}")


@pytest.mark.parametrize("scene", playlist._SCENES, ids=lambda scene: scene.title)
def test_captions_are_one_or_two_calm_sentences(scene):
    assert len(scene.title) <= 45
    assert 1 <= scene.caption.count(". ") + 1 <= 2
    assert scene.caption.endswith(".")
    assert len(scene.caption) <= 170
    assert not set("!—") & set(scene.title + scene.caption)


def test_a_wish_on_the_same_page_is_its_query_in_the_address(first_run, told, drawn):
    wanted = number_of("explore", "world")
    app = first_run(wanted)
    assert not app.exception
    assert app.query_params["q"] == "text:hot desert"
    assert app.query_params["mode"] == "poster"
    assert drawn["panes"][0]["overlay"]
    assert told["at"] == wanted


def test_a_wish_on_the_other_page_leads_there(first_run):
    app = first_run(number_of("compare", "world"))
    assert not app.exception
    assert "color-by" in app.session_state
    assert app.query_params["mode"] == "poster"


def test_the_component_is_told_the_scenes_that_can_be_played(first_run, told):
    first_run()
    assert [scene["atlas"] for scene in told["scenes"]] == ["world"] * len(scenes(["world"]))
    assert told["at"] is None


def test_with_a_site_every_scene_has_its_address_there(monkeypatch, serve, drawn, told, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    serve("boston", "world", site="https://example.org/map/")
    AppTest.from_file(str(APP), default_timeout=60).run()
    found = {scene["title"]: scene["site"] for scene in told["scenes"]}
    assert found["“hot desert”"] == "https://example.org/map/#world/1"
    assert found["“airport”"] == "https://example.org/map/#boston/6"
    assert found["Switzerland − mountains + sea"] == "https://example.org/map/#world/6"
    assert found["What is like the Congo rainforest?"] == "https://example.org/map/#world/0,22"
    assert found["Eight kinds of Boston"] == "https://example.org/map/#boston"


def test_without_a_site_no_scene_has_one(first_run, told):
    first_run()
    assert {scene["site"] for scene in told["scenes"]} == {""}


def test_a_code_holds_its_address():
    address = "http://192.168.1.20:8501/?atlas=world&q=text%3Ahot+desert"
    out = io.BytesIO()
    segno.make_qr(address, error="m").save(out, kind="svg", border=4, light="white", xmldecl=False, omitsize=True)
    assert qr.svg(address) == out.getvalue()
    assert qr.svg(address) != qr.svg(f"{address}s")


def test_the_route_makes_codes_of_web_addresses_only(serve):
    client = TestClient(Starlette(routes=routes.table(serve())))
    good = client.get(urls.qr, params={"address": "https://example.org/?q=text:sea"})
    assert good.status_code == 200
    assert good.headers["content-type"].startswith("image/svg+xml")
    assert good.content == qr.svg("https://example.org/?q=text:sea")
    for bad in ("", "javascript:alert(1)", "ftp://example.org", "http://" + "x" * qr.MAX_LENGTH):
        assert client.get(urls.qr, params={"address": bad}).status_code == 400


@pytest.mark.parametrize(
    ("bound", "machine", "expected"),
    [
        (None, "192.168.1.20", "http://192.168.1.20:8501"),
        ("0.0.0.0", "192.168.1.20", "http://192.168.1.20:8501"),
        ("127.0.0.1", "192.168.1.20", ""),  # nobody else reaches it
        ("localhost", "192.168.1.20", ""),
        ("10.0.0.7", "192.168.1.20", "http://10.0.0.7:8501"),
        (None, "127.0.1.1", ""),
        (None, "", ""),
    ],
)
def test_the_origin_is_one_that_others_reach_or_none(monkeypatch, bound, machine, expected):
    options = {"server.address": bound, "server.port": 8501, "server.sslCertFile": None}
    monkeypatch.setattr(st, "get_option", options.get)
    monkeypatch.setattr(network, "machine_address", lambda: machine)
    assert network.origin() == expected


def test_without_a_network_the_machine_has_no_address(monkeypatch):
    def unreachable(*_):
        raise OSError

    monkeypatch.setattr(network.socket.socket, "connect", unreachable, raising=False)
    assert network.machine_address() == ""


def test_the_introduction_knows_whether_there_are_results(app, ask, monkeypatch):
    last = {}
    monkeypatch.setattr(introduction, "_component", lambda: lambda **options: last.update(options["data"]))
    app.run()
    assert last == {"where": "where on Earth", "asked": False}
    ask(words="sea")
    assert last["asked"] is True
