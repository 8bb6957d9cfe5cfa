"""The services as a whole: what they depend on, and how page scripts find them."""

import ast
import threading

import pytest

from pages.ui.services import Services, services, serving
from pages.ui.services.explorers import Explorers
from pages.ui.services.priority import Priority
from tests.app import fake

PAGES = fake.ROOT / "pages"
HANDLERS = "pages.ui.http"
ALLOWED = "pages.ui.http.urls"


def imports(path):
    """Modules that a file imports anywhere, those for type checking included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("path", sorted((PAGES / "ui" / "services").rglob("*.py")), ids=lambda path: path.stem)
def test_services_know_neither_streamlit_nor_http_nor_pages(path):
    allowed = ("pages.ui.services", "pages.ui.protocol", "pages.ui.view_options")
    for name in imports(path):
        assert name.split(".")[0] not in ("streamlit", "starlette", "app"), name
        assert not name.startswith("pages") or name.startswith(allowed), name


@pytest.mark.parametrize("path", sorted(PAGES.rglob("*.py")), ids=lambda path: path.stem)
def test_pages_know_addresses_but_no_handlers(path):
    if path.parent.name == "http":
        return
    assert not [name for name in imports(path) if name.startswith(HANDLERS) and not name.startswith(ALLOWED)]


def test_page_scripts_find_the_services_that_were_put_in_use_last():
    outer, inner = fake.services(), fake.services()
    with serving(outer):
        with serving(inner):
            assert services() is inner
        assert services() is outer
    with pytest.raises(RuntimeError, match="streamlit run"):
        services()


def test_what_keeps_the_first_visitor_waiting_is_made_once_an_atlas_is_open():
    atlas, made = fake.FakeAtlas("world"), []

    def after(opened):
        made.append((opened, explorers.explorer("world")))  # visitors have it already
        done.set()

    done = threading.Event()
    explorers = Explorers(
        Priority(),
        list_atlases=lambda: ["world"],
        load_atlas=lambda _: atlas,
        open_explorer=fake.open_explorer,
        after_opening=after,
    )
    explorer = explorers.opening("world")
    assert done.wait(30)
    assert made == [(atlas, explorer.explorer)]
    explorers.close()


def test_names_of_places_are_made_with_the_app(monkeypatch):
    monkeypatch.delenv("UNIGEOCLIP_STORES", raising=False)
    made = Services.create()
    assert made.explorers._after_opening == made.place_names.of
    made.close()


def test_closed_services_do_no_more_work(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    with serving(fake.services()) as made:
        job = made.compare.job(fake.FakeAtlas())
    with pytest.raises(RuntimeError):
        made.completions.submit(print)
    job.request(["slow"], "somebody")
    made.compare.close()
    assert not job.work["slow"].is_running()
