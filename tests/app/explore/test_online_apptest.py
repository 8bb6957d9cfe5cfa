"""Online pictures on page Explore: nothing is requested until a visitor switches them on and clicks."""

import socket

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.explore.online import words
from pages.ui.services import services as app_services
from pages.ui.services.online import OnlinePictures
from tests.app import fake
from tests.attacks import hostile_files as hostile
from unigeoclip.errors import DownloadError
from unigeoclip.sources.spot import NothingThereError, SpotPicture

LAT, LON = 42.36, -71.06
KEY = "online-switch"


def picture(modality, **said):
    data = hostile.saved(hostile.noise(64), "PNG")
    known = {
        "lat": LAT, "lon": LON, "license": "CC BY 4.0", "credit": "A <b>_maker_</b>", "time": "2021",
        "host": "tiles.test", "across_m": 225.0, "heading": 45.0, "distance_m": 33.0,
    }  # fmt: skip
    return SpotPicture(modality, data, hostile.saved(hostile.noise(64), "WEBP"), **{**known, **said})


class Fetchers(dict):
    """Fetchers that count, and return or raise what is set here."""

    def __init__(self):
        self.asked, self.gives = [], {name: picture(name) for name in ("aerial", "street")}
        super().__init__({name: self.of(name) for name in self.gives})

    def of(self, name):
        def fetch(spot, web):
            self.asked.append((name, spot))
            given = self.gives[name]
            if isinstance(given, Exception):
                raise given
            return given

        return fetch


@pytest.fixture
def fetchers():
    return Fetchers()


@pytest.fixture
def at(serve, drawn, fetchers, monkeypatch, tmp_path):
    """Opens the app at an atlas, over these fetchers."""
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))

    def open_app(name="boston", **options):
        serve(name, online=OnlinePictures(fetchers=fetchers, **options))
        app = AppTest.from_file(str(fake.ROOT / "app.py"), default_timeout=60)
        app.query_params["atlas"] = name
        return app.run()

    return open_app


def ask(app, lat=LAT, lon=LON):
    app.text_input(key="latitude").set_value(str(lat))
    app.text_input(key="longitude").set_value(str(lon))
    app.button(key="ask-button").click()
    return app.run()


def wait(app):
    """Run the page again when all has arrived, as the browser has it do."""
    look = app.session_state["online-look"]
    for future in look.parts.values():
        future.result(20)
    return app.run()


def toggles(app):
    return [each for each in app.toggle if each.key == KEY]


def figures(app):
    return [each.proto.body for each in app.get("html") if "ugc-online" in each.proto.body]


def buttons(app):
    return {each.key for each in app.button if each.key and each.key.startswith("online-")}


def captions(app):
    return " ".join(each.value.replace("\\", "") for each in app.caption)


def test_nothing_is_requested_before_it_is_switched_on(at, fetchers, monkeypatch):
    """No fetch, no socket, no thread for either: whatever visitors do."""

    def refuse(self, address):
        raise AssertionError(f"a connection to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    app = at()
    assert not toggles(app), "there is no point yet"
    app = ask(app)
    (toggle,) = toggles(app)
    assert toggle.value is False
    app = ask(app, LAT + 0.01)
    app.text_input(key="words").set_value("fenway")
    app.button(key="ask-button").click()
    app = app.run()
    assert not app.exception
    assert not fetchers.asked
    assert not app_services().online._executor._threads
    assert not figures(app)


def test_the_switch_says_what_is_asked_of_whom(at):
    app = ask(at())
    (toggle,) = toggles(app)
    for part in ("tiles.arcgis.com or imagery.nationalmap.gov", "api.panoramax.xyz", "told where the point is"):
        assert part in toggle.help
    assert "No link contains this switch" in toggle.help


def test_pictures_of_a_point(at, fetchers):
    app = ask(at())
    toggles(app)[0].set_value(True).run()
    app = wait(app)
    assert not app.exception
    assert sorted(name for name, _ in fetchers.asked) == ["aerial", "street"]
    assert {(spot.lat, spot.lon, spot.window_m, spot.reach_m) for _, spot in fetchers.asked} == {
        (LAT, LON, 225.0, 100.0)
    }
    aerial, street = figures(app)
    assert "2021 · 225 m across, north up" in aerial
    assert "2021 · 33 m away, looking north-east" in street
    for each in (aerial, street):
        assert "A &lt;b&gt;_maker_&lt;/b&gt;, CC BY 4.0" in each
        assert 'src="/' in each
        assert 'alt="' in each
    assert buttons(app) == {"online-use-aerial", "online-use-street"}
    assert "unlike all that it knows" in captions(app), "the city's pictures are rendered"
    app = ask(app, LAT + 0.01)  # the next point, while it is on
    wait(app)
    assert len(fetchers.asked) == 4


@pytest.mark.parametrize("modality", ["aerial", "street"])
def test_a_picture_becomes_the_query(at, drawn, modality):
    app = ask(at())
    toggles(app)[0].set_value(True).run()
    app = wait(app)
    before = drawn["panes"][0]["overlay"]["url"]
    app.button(key=f"online-use-{modality}").click().run()
    assert not app.exception
    assert not app.error
    session = app.session_state["sessions"]["boston"]
    assert [item.modality for item in session.pending] == [modality]
    assert session.pending[0].label.endswith("42.3600° N, 71.0600° W")
    assert drawn["panes"][0]["overlay"]["url"] != before
    assert len(figures(app)) == 2, "its spot is still shown, for the other picture"
    assert app.query_params["q"].startswith(f"vec:{modality}:"), (
        "as an uploaded picture's, its embedding is in the link"
    )


def test_switched_off_again(at, fetchers):
    app = ask(at())
    toggles(app)[0].set_value(True).run()
    app = wait(app)
    toggles(app)[0].set_value(False).run()
    assert not figures(app)
    ask(app, LAT + 0.01)
    assert len(fetchers.asked) == 2


def test_points_of_links_wait_for_a_button(at, fetchers, drawn):
    """A link has no switch; and in a page where it is on, a link's point is asked for by a button."""
    app = ask(at())
    toggles(app)[0].set_value(True).run()
    app = wait(app)
    assert not {"online", "on"} & set(app.query_params)
    app.query_params["q"] = ["at:42.35,-71.07"]
    app.run()
    assert buttons(app) == {"online-show"}
    assert len(fetchers.asked) == 2
    app.button(key="online-show").click().run()
    app = wait(app)
    assert fetchers.asked[-1][1][:2] == (42.35, -71.07)
    assert len(figures(app)) == 2


def test_what_is_missing_is_a_sentence(at, fetchers):
    fetchers.gives["aerial"] = DownloadError("tiles.test did not answer: HTTP 500. Try again later.")
    fetchers.gives["street"] = NothingThereError("Panoramax has no street photo within 100 m.")
    app = ask(at())
    toggles(app)[0].set_value(True).run()
    app = wait(app)
    assert not app.exception
    assert "Aerial image: tiles.test did not answer: HTTP 500. Try again later." in captions(app)
    assert "Street view: Panoramax has no street photo within 100 m." in captions(app)
    assert buttons(app) == {"online-again"}
    fetchers.gives["aerial"] = picture("aerial")
    app.button(key="online-again").click().run()
    app = wait(app)
    assert len(figures(app)) == 1


def test_a_picture_that_cannot_be_decoded_is_a_sentence(at, fetchers):
    fetchers.gives["street"] = SpotPicture("street", b"\xff\xd8\xff" + bytes(99), b"RIFF", LAT, LON, "l", "c", "h")
    app = ask(at())
    toggles(app)[0].set_value(True).run()
    app = wait(app)
    app.button(key="online-use-street").click().run()
    assert not app.exception
    assert "not a picture that can be read" in app.error[0].value


def test_the_world_shows_a_street_photo_but_does_not_ask_by_it(at, fetchers):
    app = ask(at("world"), 48.85, 2.35)
    assert "gibs.earthdata.nasa.gov" in toggles(app)[0].help
    toggles(app)[0].set_value(True).run()
    app = wait(app)
    assert {(spot.window_m, spot.reach_m) for _, spot in fetchers.asked} == {(333_585.0, 1000.0)}
    assert buttons(app) == {"online-use-aerial"}
    assert "no encoder of street views" in captions(app)


def test_an_operator_who_forbids_it(at):
    app = ask(at(is_allowed=False))
    assert not toggles(app)


@pytest.mark.parametrize(
    ("time", "said"),
    [("2024-05-01T10:00:00Z", "1 May 2024"), ("2026-03-10", "10 March 2026"), ("2021", "2021"),
     ("2021-07", "July 2021"), ("", ""), ("2021-99-01", "2021")],
)  # fmt: skip
def test_dates(time, said):
    assert words.date(time) == said
