"""Online pictures in a real chromium, out of services on this machine: off at first, then shown, then a query.

The fixture `visit` holds that the browser itself asks no other host; what the server asks goes to the mirror.
"""

import pytest

from tests.app import server
from tests.app.browser.test_accessibility_browser import Audit
from tests.sources import pictures
from tests.sources.local_services import STALLED, LocalServices, Running, panoramax_photo
from tests.sources.test_spot import noise_tile
from unigeoclip.sources.web import MIRROR

pytestmark = pytest.mark.browser

LAT, LON = 42.36, -71.06


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    """The open services: tiles everywhere, and one photo."""
    with Running(LocalServices(tmp_path_factory.mktemp("served"))) as running:
        running.tile = noise_tile
        photo = running.folder / "panoramax.test" / "api" / "pictures" / "here" / "sd.jpg"
        photo.parent.mkdir(parents=True)
        photo.write_bytes(pictures.jpeg(640, 480))
        running.photos.append(panoramax_photo("here", LAT, LON, azimuth=180))
        yield running


@pytest.fixture(scope="module")
def served(mirror):
    """The app, with the mirror in place of the internet."""
    with server.running(environment={MIRROR: mirror.address}) as running:
        yield running


@pytest.fixture
def at_spot(visit, mirror):
    """Opens the city with the point queried."""
    mirror.asked.clear()

    def open_at(lat=LAT, **options):
        visitor = visit("/?atlas=boston&v=42.36,-71.06,15", **options)
        visitor.click_at(lat, LON)
        visitor.wait_for_heatmap()
        visitor.settle()
        return visitor

    return open_at


def switch(visitor):
    return visitor.page.get_by_role("switch", name="Online pictures of this spot")


def turn_on(visitor):
    visitor.page.locator(".st-key-online-switch label").click()
    visitor.page.wait_for_function("document.querySelectorAll('.ugc-online img').length === 2")
    visitor.page.wait_for_function("[...document.querySelectorAll('.ugc-online img')].every(each => each.naturalWidth)")


def test_off_then_on_then_a_query(at_spot, mirror):
    visitor = at_spot()
    page = visitor.page
    assert switch(visitor).is_checked() is False
    assert not mirror.asked, "nothing is requested before"
    turn_on(visitor)
    assert {path.split("/")[1] for path, _ in mirror.asked} == {
        "tiles.arcgis.com", "api.panoramax.xyz", "panoramax.test",
    }  # fmt: skip
    said = page.locator(".st-key-online-pictures").inner_text()
    assert "MassGIS" in said
    assert "looking south" in said
    assert "somebody, Panoramax, CC BY-SA 4.0" in said
    heatmap, asked = visitor.wait_for_heatmap(), len(mirror.asked)
    page.locator(".st-key-online-use-street").get_by_role("button").click()
    visitor.wait_for_heatmap(other_than=heatmap)
    page.get_by_role("button", name="Street view, 42.3600").first.wait_for()
    assert len(mirror.asked) == asked, "the picture is here already"
    page.reload()
    page.wait_for_selector(".ugc-map[data-ready]")
    visitor.settle()
    assert not switch(visitor).count() or not switch(visitor).is_checked()
    assert len(mirror.asked) == asked, "a page that is opened again is off"


def test_the_map_answers_while_services_hang(at_spot, mirror):
    mirror.faults["/"] = [STALLED] * 9
    try:
        visitor = at_spot(LAT - 0.004)  # which nobody has looked at before
        visitor.page.locator(".st-key-online-switch label").click()
        visitor.page.get_by_text("being fetched").first.wait_for()
        heatmap = visitor.wait_for_heatmap()
        visitor.click_at(LAT - 0.002, LON)
        visitor.wait_for_heatmap(other_than=heatmap)
        visitor.page.get_by_text("did not answer: no answer in time").first.wait_for()
        visitor.page.get_by_role("button", name="Try again").wait_for()
    finally:
        mirror.faults.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(at_spot, axe, scheme):
    visitor = at_spot(scheme=scheme)
    turn_on(visitor)
    audit = Audit(visitor, axe)
    audit.look("online pictures")
    assert not audit.found
