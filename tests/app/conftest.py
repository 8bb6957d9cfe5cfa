import contextlib

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.explore import cards
from pages.ui.map import component
from pages.ui.services import serving
from tests.app import fake

APP = fake.ROOT / "app.py"


@pytest.fixture
def serve(monkeypatch):
    """Put services over made-up atlases in use until the test ends; call it with their names and `fake.services`'s."""
    with contextlib.ExitStack() as stack:

        def start(*names, **options):
            names = names or ("world",)
            fake.put_titles(monkeypatch.setattr, names)
            return stack.enter_context(serving(fake.services(names, **options)))

        yield start


@pytest.fixture
def drawn(monkeypatch):
    """What the map was last told to draw; AppTest has no browser to look at."""
    last = {}

    def record(**options):
        last.clear()
        last.update(options["data"])
        if last["tells_painted"]:
            options["on_painted_change"]()

    monkeypatch.setattr(component, "_component", lambda: record)
    return last


def open_popovers(app):
    """Have the content of all popovers made, as if a visitor had opened them."""
    for key in ("examples", "display", "take"):
        app.session_state[key] = True


@pytest.fixture
def app(monkeypatch, serve, drawn, tmp_path):
    """The app over the fake atlas, run once, on page Explore."""
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    serve()
    app = AppTest.from_file(str(APP), default_timeout=60)
    open_popovers(app)
    # The first run may still see the explorer being opened; it then draws itself anew.
    return app.run()


@pytest.fixture
def both(serve, drawn):
    """The app over a city and the world, run once, on page Explore; the city is shown."""
    serve("boston", "world")
    app = AppTest.from_file(str(APP), default_timeout=60)
    open_popovers(app)
    return app.run()


@pytest.fixture
def shown(monkeypatch):
    """What the cards were last told to show."""
    last = {}
    monkeypatch.setattr(cards, "_component", lambda: lambda **options: last.update(options["data"]))
    return last


@pytest.fixture
def ask(app):
    """Fill fields of the composer and press the button."""

    def fill(words=None, latitude=None, longitude=None):
        if words is not None:
            app.text_input(key="words").set_value(words)
        if latitude is not None:
            app.text_input(key="latitude").set_value(str(latitude))
        if longitude is not None:
            app.text_input(key="longitude").set_value(str(longitude))
        app.button(key="ask-button").click()
        return app.run()

    return fill
