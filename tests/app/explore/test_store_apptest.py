"""Page Explore answers from an index of places, without a browser: what it finds, says and exports."""

from functools import partial
from unittest import mock

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.services import services
from pages.ui.services.explorers import Explorers, open_explorer
from pages.ui.services.operation.stores import StoreSource
from pages.ui.services.priority import Priority
from tests.app.conftest import APP, open_popovers
from tests.explorable import use_hashed_sentences, write_explorable_atlas, write_store_of
from unigeoclip.atlas import load_atlas
from unigeoclip.errors import InputError
from unigeoclip.search.explorer import Explorer
from unigeoclip.stores.lance_writer import index_parts

SPOT = (33.0, 44.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny atlas, its cache, and an index of its gallery with one place more."""
    made = tmp_path_factory.mktemp("store")
    explorer = Explorer.open(write_explorable_atlas(made / "tiny"), cache_dir=made / "cache")
    index_parts(write_store_of(explorer, made / "encoded", more=[("elsewhere", *SPOT)]), made / "index")
    return made


@pytest.fixture
def visit(folder, monkeypatch, serve, drawn, shown):
    """Open the app over the atlas, with or without the index, on a query."""
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(folder / "cache"))
    use_hashed_sentences(monkeypatch)

    def opened(link, **stores):
        explorers = Explorers(
            Priority(), list_atlases=lambda: ["tiny"], load_atlas=lambda name: load_atlas(folder / name),
            open_explorer=partial(open_explorer, stores=stores), at_start=stores,
        )  # fmt: skip
        serve("tiny", explorers=explorers)
        assert explorers.opening("tiny").wait(60)
        app = AppTest.from_file(str(APP), default_timeout=60)
        open_popovers(app)
        app.query_params.update({"atlas": "tiny", **link})
        return app.run()

    return opened


def cards(shown, title):
    return next(group["cards"] for group in shown["groups"] if group["title"] == title)


def test_a_place_that_only_the_index_has_is_found(visit, folder, drawn, shown):
    link = {"q": f"at:{SPOT[0]},{SPOT[1]}"}
    app = visit(link)
    assert not app.exception
    assert "title" not in drawn["panes"][0]
    assert "elsewhere" not in [card["place_id"] for group in shown["groups"] for card in group["cards"]]

    app = visit(link, tiny=StoreSource(str(folder / "index")))
    assert not app.exception
    assert not app.error
    first = cards(shown, "Location")[0]
    assert (first["place_id"], first["name"], first["similarity"]) == ("elsewhere", "elsewhere", "1.00")
    assert first["text"] == "33.00° N, 44.00° E"
    assert cards(shown, "This place")[0]["place_id"] == "elsewhere"
    pane = drawn["panes"][0]
    assert pane["title"].endswith(f" places of {folder / 'index'}")
    assert any(marker["id"] == "location-elsewhere" for marker in pane["markers"])
    python, shell = (block.value for block in app.code)
    assert f'StoreExplorer.over("{folder / "index"}", "tiny")' in python
    assert f"--store {folder / 'index'} --top 10" in shell
    assert not [each.value for each in app.caption if "In words" in each.value]


def test_what_an_index_lacks_is_said_and_the_heatmap_shown(visit, folder, drawn):
    app = visit({"q": "at:33,44", "items": "street"}, tiny=StoreSource(str(folder / "index")))
    assert not app.exception
    assert drawn["panes"][0]["overlay"]


def test_an_index_that_cannot_be_reached_any_more_is_a_sentence_and_the_answer_stays(visit, folder, drawn, shown):
    app = visit({"q": "at:33,44", "items": "aerial"}, tiny=StoreSource(str(folder / "index")))
    store = services().explorers.explorer("tiny").store
    before = cards(shown, "Location")

    def lost(*_args, **_options):
        raise InputError("The bucket cannot be reached.")

    with mock.patch.multiple(store, search=lost, chunks=lost, items=lost, nearest=lost):
        app.button(key="more").click().run()
        assert not app.exception
        assert "cannot be reached" in app.error[0].value
        app.query_params["best"] = ["5"]  # the dots are drawn anew
        app.run()
        assert not app.exception
        assert "cannot be reached" in app.error[0].value
        assert drawn["panes"][0]["overlay"]
    assert cards(shown, "Location") == before


def test_an_index_that_cannot_be_opened_is_a_sentence_and_the_server_is_not_ready(visit, folder):
    app = visit({}, tiny=StoreSource(str(folder / "nothing")))
    assert not app.exception
    assert "holds no index.json" in app.error[0].value.replace("\\", "")
    assert services().readiness.state() == "failed"
    assert services().readiness.message().startswith(f"tiny: {folder / 'nothing'} holds no index.json")


def test_other_pages_say_what_they_use_instead(visit, folder):
    app = visit({}, tiny=StoreSource(str(folder / "index")))
    app = app.switch_page("pages/probe.py").run()
    assert not app.exception
    assert any("Explore searches" in each.value for each in app.caption)
