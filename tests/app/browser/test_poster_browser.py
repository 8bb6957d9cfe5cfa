"""Poster mode and the introduction in a real chromium; the browser's clock is turned forward by hand."""

import urllib.parse
import urllib.request

import pytest

from pages.ui.http import qr
from pages.ui.poster.playlist import scenes
from tests.app import fake

pytestmark = pytest.mark.browser

SCENE_MS, REST_MS = 14_000, 60_000
SCENES = scenes(["boston", "world"])
SHOWN = """title => document.querySelector('.ugc-poster-title')?.textContent === title
    && !document.querySelector('.ugc-poster-veil.is-on')
    && parseFloat(document.querySelector('.ugc-poster-bar').style.transform.slice(7)) > 0"""


@pytest.fixture
def poster(visit):
    """Open the app in poster mode, with a clock that the test can turn forward, at its first scene."""

    def go(path="/?mode=poster", **options):
        opened = visit("/?atlas=world", **options)
        opened.page.clock.install()
        opened.open(path)
        wait_for(opened, 0)
        return opened

    return go


def wait_for(visitor, number):
    visitor.page.wait_for_function(SHOWN, arg=SCENES[number].title)


def phase(visitor):
    classes = visitor.page.evaluate("document.documentElement.className").split()
    return "playing" if "is-playing" in classes else "paused" if "is-poster" in classes else "off"


def turn(visitor, milliseconds):
    visitor.page.clock.fast_forward(milliseconds)


def test_the_address_starts_it_with_map_and_caption_alone(poster):
    visitor = poster()
    page = visitor.page
    assert phase(visitor) == "playing"
    assert page.get_by_text(SCENES[0].caption).is_visible()
    assert not page.locator("[data-testid=stHeader]").is_visible()
    assert not page.get_by_label("Describe a place").is_visible()
    box = page.locator(".ugc-map").bounding_box()
    assert (box["x"], box["y"]) == (0, 0)
    assert box["width"] * box["height"] > 0.45 * 1280 * 720
    assert page.locator(".ugc-card img").first.is_visible()
    assert page.locator(".ugc-attribution").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_scale_has_its_unit_and_names_have_two_lines(poster):
    page = poster(width=3840, height=2160).page
    scale = page.locator(".leaflet-control-scale-line").first
    assert scale.inner_text().endswith(("km", " m"))
    assert scale.evaluate("line => line.scrollWidth <= line.clientWidth")
    assert page.locator(".ugc-card-name").first.evaluate("name => getComputedStyle(name).webkitLineClamp") == "2"


def test_the_loop_goes_round_through_both_pages_without_loading_anew(poster):
    visitor = poster()
    visitor.page.evaluate("window.ugcMark = 'same'")
    for number in [*range(1, len(SCENES)), 0]:
        turn(visitor, SCENE_MS)
        wait_for(visitor, number)
        shown = urllib.parse.urlsplit(visitor.page.url)
        assert shown.path == urllib.parse.urlsplit(SCENES[number].address).path
    assert visitor.page.evaluate("window.ugcMark") == "same"
    visitor.page.wait_for_function("document.querySelectorAll('.ugc-map').length === 1")


def test_the_last_picture_is_held_until_the_next_is_there(poster):
    visitor = poster()
    shown = visitor.page.locator(".ugc-heat[data-shown]").last.get_attribute("src")
    box = visitor.page.locator(".ugc-map").bounding_box()
    waiting = []
    visitor.page.route("**/data/overlays/*", lambda route: waiting.append(route))
    turn(visitor, SCENE_MS)
    held = visitor.page.locator(".ugc-poster-veil.is-on .ugc-map")
    assert held.locator(".ugc-heat").last.get_attribute("src") == shown
    assert held.bounding_box() == box
    assert visitor.page.locator(".ugc-poster-veil.is-on .st-key-results").count() == 1
    assert visitor.page.locator(".ugc-poster-title").inner_text() == SCENES[0].title
    for route in waiting:
        route.continue_()
    visitor.page.unroute("**/data/overlays/*")
    wait_for(visitor, 1)
    held.wait_for(state="detached")


def test_a_click_stops_it_and_asks_nothing_and_rest_goes_on(poster):
    visitor = poster()
    page = visitor.page
    before = urllib.parse.parse_qs(urllib.parse.urlsplit(page.url).query)["q"]
    page.mouse.click(400, 200)
    assert phase(visitor) == "paused"
    assert page.get_by_text("Playing again in").is_visible()
    assert page.locator("[data-testid=stHeader]").is_visible()
    page.wait_for_timeout(500)
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(page.url).query)["q"] == before
    # From now on the app is as ever, and using it puts off the next scene.
    heat = page.locator(".ugc-heat[data-shown]").last.get_attribute("src")
    visitor.click_at(23, 8)
    visitor.wait_for_heatmap(other_than=heat)
    turn(visitor, REST_MS - 10_000)
    page.mouse.move(300, 300)
    turn(visitor, REST_MS - 10_000)
    page.wait_for_timeout(300)
    assert phase(visitor) == "paused"
    turn(visitor, REST_MS)
    wait_for(visitor, 1)
    assert phase(visitor) == "playing"


def test_a_key_stops_it_and_escape_leaves_for_good(poster):
    visitor = poster()
    page = visitor.page
    page.keyboard.press("a")
    assert phase(visitor) == "paused"
    page.keyboard.press("Escape")
    assert phase(visitor) == "off"
    page.wait_for_function("!location.search.includes('mode=')")
    turn(visitor, 2 * REST_MS)
    page.wait_for_timeout(300)
    assert phase(visitor) == "off"
    assert page.get_by_label("Describe a place").is_visible()


def test_the_key_and_the_button_start_it_but_typing_does_not(visit):
    visitor = visit("/?atlas=world")
    page = visitor.page
    button = page.get_by_role("button", name="Poster mode")
    assert "Shift+P" in button.get_attribute("title")
    page.get_by_label("Describe a place").fill("")
    page.keyboard.press("Shift+KeyP")
    assert phase(visitor) == "off"
    assert page.get_by_label("Describe a place").input_value() == "P"
    page.locator(".ugc-pane-canvas").focus()
    page.keyboard.press("Shift+KeyP")
    assert phase(visitor) == "playing"
    page.wait_for_url("**mode=poster*")
    page.keyboard.press("Escape")
    assert phase(visitor) == "off"
    button.click()
    assert phase(visitor) == "playing"


@pytest.mark.parametrize("path", ["/?mode=poster", "/compare?mode=poster"])
def test_fingers_hit_everything(poster, path):
    visitor = poster(path)
    page = visitor.page
    page.keyboard.press("a")
    page.wait_for_timeout(600)
    small = page.evaluate("""() => [...document.querySelectorAll('button, a[href], input, [role=button], [role=radio]')]
        .filter(each => each.checkVisibility({ visibilityProperty: true }) && !each.closest('[data-testid=stToolbar]'))
        .map(each => [each.getBoundingClientRect(), each])
        .filter(([box]) => box.width > 1 && box.height > 1 && (box.height < 43.5 || box.width < 43.5))
        .map(([box, each]) => `${each.outerHTML.slice(0, 120)} ${box.width} x ${box.height}`)""")
    assert small == []


def test_the_code_is_that_of_the_link_to_what_is_shown(poster):
    visitor = poster()
    image = visitor.page.locator(".ugc-poster-phone img")
    assert image.evaluate("image => image.complete && image.naturalWidth > 0")
    address = fake.ORIGIN + SCENES[0].address
    assert image.get_attribute("alt") == f"QR code of {address}"
    with urllib.request.urlopen(visitor.address + image.get_attribute("src")) as answer:
        assert answer.read() == qr.svg(address)


def test_with_a_static_site_the_code_leads_there(poster):
    visitor = poster()
    made = """async (site) => {
        const { Band } = await import('/web/components/poster/band.js');
        const nothing = () => {};
        const band = new Band({ start: nothing, play: nothing, pause: nothing, leave: nothing });
        const scene = { page: 'explore', atlas: 'world', place: '', title: '', caption: '', address: '/?q=1', site };
        band.caption(scene, '1 of 9', null);
        const { phone } = band;
        return [phone.hidden, phone.querySelector('img')?.alt, phone.querySelector('figcaption')?.textContent];
    }"""
    address = "https://example.org/map/#world/1"
    expected = [False, f"QR code of {address}", "Take this map with youexample.org"]
    assert visitor.page.evaluate(made, address) == expected
    assert visitor.page.evaluate(made, "") == [True, None, None], "others cannot reach this server"


def test_it_keeps_one_timer_and_no_more_listeners(poster):
    """Started, stopped and left again and again, it holds what it held after the first time."""
    visitor = poster()
    page = visitor.page
    page.keyboard.press("Escape")
    page.evaluate("""() => {
        const timers = new Set(), heard = new Map();
        const { setInterval, clearInterval, addEventListener, removeEventListener } = window;
        const of = (kind) => heard.get(kind) ?? heard.set(kind, new Set()).get(kind);
        window.setInterval = (...all) => {
            const id = setInterval(...all);
            if (new Error().stack.includes('/web/components/')) timers.add(id);  // Streamlit and Plotly have their own
            return id;
        };
        window.clearInterval = (id) => { timers.delete(id); clearInterval(id); };
        window.addEventListener = (kind, act, how) => {
            of(kind).add(act);
            addEventListener.call(window, kind, act, how);
        };
        window.removeEventListener = (kind, act, how) => {
            of(kind).delete(act);
            removeEventListener.call(window, kind, act, how);
        };
        const touch = ['pointerdown', 'touchstart', 'pointermove', 'keydown'];
        window.ugcHeld = () => [timers.size, ...touch.map((kind) => of(kind).size)];
    }""")
    held = []
    for _ in range(3):
        page.evaluate("document.querySelector('.ugc-poster-offer button:last-child').click()")
        page.keyboard.press("a")
        held.append(page.evaluate("ugcHeld()"))
        page.keyboard.press("Escape")
        held.append(page.evaluate("ugcHeld()"))
    assert held[0][0] == 1
    assert held[0:2] == held[2:4] == held[4:6]
    assert held[1] == [0, 0, 0, 0, 0]


def test_without_motion_the_bar_moves_in_steps(visit):
    visitor = visit("/?atlas=world")
    visitor.page.emulate_media(reduced_motion="reduce")
    visitor.page.keyboard.press("Shift+KeyP")
    bar = visitor.page.locator(".ugc-poster-bar.is-still")
    bar.wait_for(state="attached")
    assert bar.evaluate("bar => getComputedStyle(bar).transitionDuration") == "0s"


def test_the_introduction_comes_once_and_again_when_it_is_asked_for(visit):
    visitor = visit("/?atlas=world")
    page = visitor.page
    steps = page.locator(".ugc-intro-steps li")
    assert steps.count() == 3
    assert page.locator("[role=dialog], dialog[open]").count() == 0
    page.get_by_role("button", name="Got it").click()
    assert steps.count() == 0
    page.reload()
    page.locator(".ugc-intro h2").wait_for()
    assert steps.count() == 0
    page.get_by_role("button", name="How to use this page").click()
    assert steps.count() == 3
    page.get_by_role("button", name="Got it").click()
    assert steps.count() == 0
    # Beside results it only comes when it is called.
    visitor.click_at(23, 8)
    visitor.wait_for_heatmap()
    page.locator(".ugc-card").first.wait_for()
    assert page.locator(".ugc-intro").inner_text() == ""
    page.get_by_role("button", name="How to use this page").click()
    assert steps.count() == 3


def test_a_scene_that_is_slow_to_come_shows_that_it_is_being_computed(poster):
    visitor = poster()
    page, held = visitor.page, []
    page.route("**/data/overlays/**", lambda route: held.append(route))  # not a method: playwright marks it
    turn(visitor, SCENE_MS)
    page.wait_for_selector(".ugc-poster-band.is-waiting")
    page.wait_for_function(
        "title => document.querySelector('.ugc-poster-hint').textContent.startsWith(`Next: ${title}. Computing`)",
        arg=SCENES[1].title,
    )
    for route in held:
        route.continue_()
    page.unroute("**/data/overlays/**")
    wait_for(visitor, 1)
    assert page.locator(".ugc-poster-band.is-waiting").count() == 0
    assert "take over" in page.locator(".ugc-poster-hint").inner_text()
