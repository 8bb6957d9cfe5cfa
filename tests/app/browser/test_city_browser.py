"""Page Explore over a city in a real chromium: street views, looking around, whole places, the switch of atlases."""

import re

import pytest

from tests.app.browser.test_explore_browser import ask_words, picture, upload

pytestmark = pytest.mark.browser

FENWAY = "/?atlas=boston&q=text:Fenway"
CAMERA = """() => {
    const map = document.querySelector('.ugc-map').ugcMap.panes[0];
    return map.camera && [map.camera.getLatLng().lng, map.camera.ugcHeading];
}"""


def look_around(visitor):
    """Open the viewer at the first street card; returns the button that did."""
    visitor.wait_for_heatmap()
    button = visitor.page.get_by_role("button", name=re.compile("^Look around: ")).first
    button.click()
    visitor.page.wait_for_selector(".ugc-viewer[open]")
    settle(visitor)
    return button


def settle(visitor):
    visitor.page.wait_for_selector(".ugc-viewer:not(.is-waiting)")
    visitor.page.wait_for_timeout(200)


def press(visitor, key):
    before = visitor.page.locator(".ugc-viewer img").get_attribute("src")
    visitor.page.keyboard.press(key)
    visitor.page.wait_for_function(
        "before => document.querySelector('.ugc-viewer img').src.indexOf(before) < 0", arg=before
    )
    settle(visitor)


def test_street_cards_are_wide_and_their_cameras_have_cones(visit):
    visitor = visit(FENWAY)
    page = visitor.page
    visitor.wait_for_heatmap()
    street = page.locator(".ugc-card.is-street .ugc-card-picture").first.bounding_box()
    aerial = page.locator(".ugc-card:not(.is-street) .ugc-card-picture").first.bounding_box()
    assert street["width"] / street["height"] == pytest.approx(4 / 3, rel=0.02)
    assert street["width"] > 1.4 * aerial["width"]
    assert page.locator(".ugc-marker-match .ugc-marker-cone").count() == page.locator(".ugc-card.is-street").count()
    page.locator(".ugc-card.is-street").first.hover()
    assert page.locator(".ugc-marker-match.is-lit .ugc-marker-cone").count() == 1
    drawn = page.locator(".ugc-strip-note", has_text="rendered from OpenStreetMap")
    assert drawn.count() == 3  # aerial, street, surface
    assert "Rendered from OpenStreetMap" in page.locator(".ugc-attribution").inner_text()
    page.locator(".ugc-card-heights").first.scroll_into_view_if_needed()
    scale = page.locator(".ugc-card-heights", has=page.locator(".ugc-card-heights-bar")).first
    assert scale.inner_text().split() == ["0", "m", "38", "m"]


def test_turning_and_stepping_stay_in_the_browser_and_the_cone_follows(visit):
    visitor = visit(FENWAY)
    page = visitor.page
    button = look_around(visitor)
    page.wait_for_timeout(1000)
    visitor.settle()
    sent = len(visitor.sent)
    lng, heading = page.evaluate(CAMERA)
    press(visitor, "ArrowRight")
    press(visitor, "ArrowRight")
    assert page.evaluate(CAMERA) == [lng, heading + 90]
    assert "Looking south" in page.locator(".ugc-viewer").inner_text() or heading == 270
    press(visitor, "ArrowLeft")
    press(visitor, "ArrowLeft")
    press(visitor, "ArrowUp")
    assert abs(page.evaluate(CAMERA)[0] - lng) == pytest.approx(0.0005, abs=1e-6)
    press(visitor, "ArrowDown")
    assert page.evaluate(CAMERA)[0] == pytest.approx(lng)
    assert "Middle Street" in page.locator(".ugc-viewer-name").inner_text()
    assert "Rendered from OpenStreetMap" in page.locator(".ugc-viewer").inner_text()
    assert len(visitor.sent) == sent

    # The focus stays inside until Esc, and then goes back to where it came from.
    for _ in range(12):
        page.keyboard.press("Tab")
        inside = page.evaluate(
            "() => document.activeElement === document.body || !!document.activeElement.closest('.ugc-viewer')"
        )
        assert inside
    page.keyboard.press("Escape")
    page.wait_for_selector(".ugc-viewer[open]", state="detached")
    assert page.evaluate(CAMERA) is None
    assert button.evaluate("element => element === document.activeElement")
    assert len(visitor.sent) == sent


def test_the_end_of_a_street_is_said(visit):
    visitor = visit("/?atlas=boston&q=at:42.36,-71.14")
    page = visitor.page
    visitor.wait_for_heatmap()
    page.get_by_role("button", name="Look around at your point").click()
    settle(visitor)
    assert page.locator(".ugc-viewer-name").inner_text() == "Middle Street"
    page.evaluate(
        "document.querySelector('.ugc-viewer').ugcViewer.go({lat: 42.36, lng: -71.15, heading: 270})",
    )
    settle(visitor)
    page.wait_for_selector(".is-ahead[aria-disabled=true]")
    page.keyboard.press("ArrowUp")
    page.get_by_text("no more views").wait_for()
    press(visitor, "ArrowDown")
    assert page.get_by_text("no more views").count() == 0


def test_the_view_in_the_viewer_is_a_query_and_is_shown_on_the_map(visit):
    visitor = visit(FENWAY)
    page = visitor.page
    first = visitor.wait_for_heatmap()
    page.evaluate("document.querySelector('.ugc-pane-canvas').dataset.mark = 'same'")
    look_around(visitor)
    zoom = visitor.view()[0]
    page.get_by_role("button", name="Show on map", exact=True).click()
    page.wait_for_function(
        "zoom => document.querySelector('.ugc-map').ugcMap.panes[0].map.getZoom() > zoom + 2", arg=zoom
    )
    page.wait_for_timeout(800)
    window = page.locator(".ugc-viewer-frame").bounding_box()
    camera = page.locator(".ugc-marker-camera").bounding_box()
    assert camera["x"] + camera["width"] < window["x"]  # beside the window, not under it
    press(visitor, "ArrowRight")
    page.get_by_role("button", name="Use this view as query").click()
    visitor.wait_for_heatmap(other_than=first)
    page.wait_for_url("**q=view*")
    assert page.locator(".st-key-chips").get_by_text("looking").count() >= 1
    assert page.locator(".ugc-marker-query .ugc-marker-cone").count() == 1
    assert page.locator(".ugc-viewer[open]").count() == 0
    assert page.locator(".ugc-pane-canvas[data-mark=same]").count() == 1


def test_a_photo_along_a_street_is_a_query(visit):
    visitor = visit(FENWAY)
    page = visitor.page
    first = visitor.wait_for_heatmap()
    page.get_by_role("button", name="Image", exact=True).click()
    page.get_by_text("Street view", exact=True).last.click()
    page.get_by_text("central 4:3 part").wait_for()
    upload(visitor, "corner.png", picture((400, 300)))
    visitor.wait_for_heatmap(other_than=first)
    assert page.locator(".st-key-chips").get_by_text("corner.png").count() >= 1


def test_a_click_can_ask_by_the_whole_place(visit):
    visitor = visit(FENWAY)
    page = visitor.page
    last = visitor.wait_for_heatmap()
    page.evaluate("document.querySelector('.ugc-pane-canvas').dataset.mark = 'same'")
    visitor.settle()
    sent = len(visitor.sent)
    choice = page.get_by_role("group", name="Query by click")
    choice.get_by_role("button", name="Full place").click()
    page.wait_for_timeout(500)
    assert len(visitor.sent) == sent
    visitor.click_at(42.33, -71.15)
    last = visitor.wait_for_heatmap(other_than=last)
    page.wait_for_url("**q=place*")
    assert page.locator(".ugc-marker-query").count() == 1
    choice.get_by_role("button", name="Point").click()
    visitor.click_at(42.40, -71.05)
    visitor.wait_for_heatmap(other_than=last)
    page.wait_for_url("**q=at*")
    assert page.locator(".ugc-pane-canvas[data-mark=same]").count() == 1


def test_switching_the_atlas_leaves_nothing_of_the_other_behind(visit):
    visitor = visit()
    page = visitor.page
    assert page.locator(".ugc-map.is-city").count() == 1
    ask_words(visitor, "Fenway")
    visitor.wait_for_heatmap()
    page.wait_for_url("**atlas=boston**")
    visitor.leaflet("map.setView([42.35, -71.1], 14, {animate: false})", of="0")
    page.wait_for_timeout(300)

    page.get_by_role("button", name="World").or_(page.get_by_role("radio", name="World")).first.click()
    page.wait_for_selector(".ugc-map[data-ready]:not(.is-city)")
    page.wait_for_url("**atlas=world**")
    assert page.locator(".ugc-map").count() == 1
    assert page.locator(".ugc-heat, .ugc-marker, .ugc-card").count() == 0
    assert visitor.view()[0] < 5
    tiles = page.locator(".ugc-base img.leaflet-tile").evaluate_all("tiles => tiles.map(tile => tile.src)")
    assert tiles
    assert all("/data/world/" in tile for tile in tiles)
    page.wait_for_selector(".ugc-line-coast", state="attached")  # the coast is fetched after the map is ready
    assert page.locator(".ugc-line-coast").count() > 0
    ask_words(visitor, "hot desert")
    visitor.wait_for_heatmap()

    page.get_by_role("button", name="Boston").or_(page.get_by_role("radio", name="Boston")).first.click()
    page.wait_for_selector(".ugc-map.is-city[data-ready]")
    visitor.wait_for_heatmap()
    page.wait_for_url("**q=text*Fenway*")
    assert visitor.view()[0] == 14
    assert page.locator(".ugc-line-coast").count() == 0
    tiles = page.locator(".ugc-base img.leaflet-tile").evaluate_all("tiles => tiles.map(tile => tile.src)")
    assert all("/data/boston/" in tile for tile in tiles)
    page.go_back()
    page.wait_for_selector(".ugc-map[data-ready]:not(.is-city)")
    page.wait_for_url("**hot*desert*")


@pytest.mark.parametrize(
    ("width", "height", "scheme"), [(420, 800, "light"), (1440, 900, "dark"), (3840, 2160, "light")]
)
def test_the_viewer_fits_any_screen(visit, width, height, scheme):
    visitor = visit(FENWAY, width=width, height=height, scheme=scheme)
    page = visitor.page
    look_around(visitor)
    box = page.locator(".ugc-viewer-frame").bounding_box()
    assert box["x"] >= 0
    assert box["y"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["y"] + box["height"] <= height
    assert box["width"] >= min(380, 0.25 * width)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
