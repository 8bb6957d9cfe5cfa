"""What the browser hears of work that is on its way."""

import gc
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pages.ui.http import routes
from pages.ui.widgets import progress
from pages.ui.widgets.progress import Progress
from tests.app import fake


@pytest.fixture
def shown(monkeypatch):
    """What the component was told, one after the other, without a browser."""
    drawn = []
    monkeypatch.setattr(progress, "_component", lambda: lambda **options: drawn.append(options["data"]))
    monkeypatch.setattr(progress, "st", SimpleNamespace(session_state={}))
    return drawn


@pytest.fixture
def client(serve):
    return TestClient(Starlette(routes=routes.table(serve())))


def test_the_browser_hears_what_is_new(shown, client):
    told = Progress("0", "Working", 0.25)
    progress.follow(lambda: told, "0", "work")
    (data,) = shown
    assert data["seen"] == "0"
    assert data["progress"] == {"version": "0", "words": "Working", "share": 0.25}
    told = Progress("1")
    answer = client.get(data["url"])
    assert answer.json() == {"version": "1", "words": "", "share": 0.0}
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_visitor_has_one_address_for_one_thing(shown, client):
    for version in ("0", "1"):
        progress.follow(lambda version=version: Progress(version), version, "work")
    progress.follow(lambda: Progress("other"), "other", "other work")
    first, second, other = (data["url"] for data in shown)
    assert first == second != other
    assert client.get(first).json()["version"] == "1"


def test_nothing_is_kept_of_a_visitor_who_has_gone(shown, client):
    progress.follow(lambda: Progress("0"), "0", "work")
    (data,) = shown
    progress.st.session_state.clear()
    gc.collect()
    assert client.get(data["url"]).status_code == 404


def test_no_page_repeats_a_fragment():
    """Streamlit's browser keeps what is gone from the page where such a run follows another one at once; see `news`."""
    for path in (fake.ROOT / "pages").rglob("*.py"):
        assert "run_every" not in path.read_text(), path
