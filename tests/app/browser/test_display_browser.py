"""What an answer looks like in a real chromium: values under the pointer, outline, dots, examples, suggestions."""

import io

import pytest
from PIL import Image

pytestmark = pytest.mark.browser

_png = io.BytesIO()
Image.new("RGB", (256, 256), "beige").save(_png, "PNG")
TILE = _png.getvalue()
LINK = "/?atlas=world&q=text:hot desert"


def choose(visitor, group, option):
    page = visitor.page
    if not page.get_by_text(group, exact=True).is_visible():
        page.get_by_role("button", name="Display").click()
    page.get_by_role("radiogroup", name=group).get_by_role("radio", name=option).click()


def test_an_example_is_a_picture_that_asks(visit):
    visitor = visit("/?atlas=world")
    page = visitor.page
    page.wait_for_selector(".ugc-example img")
    page.wait_for_function("[...document.querySelectorAll('.ugc-example img')].every(image => image.naturalWidth)")
    assert page.locator(".ugc-example").count() == 6
    page.locator(".ugc-example").nth(2).click()
    visitor.wait_for_heatmap()
    assert page.locator(".st-key-chips").get_by_text("big city by the sea").count() >= 1
    page.wait_for_selector(".ugc-example", state="detached")


def test_the_heatmap_says_its_value_under_the_pointer(visit):
    visitor = visit(LINK)
    page = visitor.page
    visitor.wait_for_heatmap()
    x, y = visitor.leaflet("map.latLngToContainerPoint([23, 8])", of="[value.x, value.y]")
    box = page.locator(".ugc-pane-canvas").bounding_box()
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.wait_for_timeout(800)
    page.mouse.move(box["x"] + x + 1, box["y"] + y + 1)
    said = page.locator(".ugc-value")
    said.wait_for()
    assert "more similar than 9" in said.inner_text()
    assert said.inner_text().endswith("% of the land")
    x, y = visitor.leaflet("map.latLngToContainerPoint([0, -25])", of="[value.x, value.y]")
    page.mouse.move(box["x"] + x, box["y"] + y)  # the sea says nothing
    page.wait_for_function("document.querySelector('.ugc-value').hidden")


def test_the_display_changes_the_picture_and_nothing_else(visit):
    visitor = visit(LINK)
    page = visitor.page
    first = visitor.wait_for_heatmap()
    visitor.leaflet("map.setView([30, 20], 4, {animate: false})", of="0")
    page.evaluate("document.querySelector('.ugc-pane-canvas').dataset.mark = 'same'")
    before = visitor.view()
    choose(visitor, "Area", "Best 5 %")
    second = visitor.wait_for_heatmap(other_than=first)
    choose(visitor, "Outline", "Best 20 %")
    page.wait_for_selector(".ugc-outline", state="attached")
    choose(visitor, "Show", "Aerial image")
    visitor.wait_for_heatmap(other_than=second)
    page.wait_for_function("location.search.includes('items=aerial')")
    assert "each dot" in page.locator(".ugc-legend").inner_text()
    assert visitor.view() == before
    assert page.evaluate("document.querySelector('.ugc-pane-canvas').dataset.mark") == "same"
    assert "best=5" in page.url
    assert "outline=20" in page.url


def test_words_are_suggested_as_one_types(visit):
    visitor = visit("/?atlas=world")
    page = visitor.page
    field = page.get_by_label("Describe a place")
    field.click()
    field.press_sequentially("des")
    page.wait_for_function("document.querySelector('#ugc-suggestions').options.length > 0")
    offered = page.evaluate("[...document.querySelector('#ugc-suggestions').options].map(option => option.value)")
    assert offered == ["hot desert"]
    assert page.evaluate("document.activeElement.list?.id") == "ugc-suggestions"
    field.fill(offered[0])
    page.keyboard.press("Enter")
    visitor.wait_for_heatmap()


def test_the_online_map_is_fetched_when_it_is_chosen_and_no_longer(visit):
    visitor = visit("/?atlas=world")
    page, host = visitor.page, "https://tile.openstreetmap.org/"
    page.route(host + "**", lambda route: route.fulfill(body=TILE, content_type="image/png"))
    visitor.settle()
    assert not any(url.startswith(host) for url in visitor.requests)
    page.get_by_role("button", name="Online").click()
    page.wait_for_selector(".ugc-base-online.is-shown .leaflet-tile-loaded")
    assert page.locator(".ugc-attribution").inner_text() == "© OpenStreetMap contributors"
    tile = page.locator(".ugc-base-online img").first
    assert tile.get_attribute("referrerpolicy") == "origin"  # it asks for that; the query in the address it is not told
    visitor.click_map(0.5, 0.5)
    visitor.wait_for_heatmap()
    visitor.settle()
    assert "b=" not in page.url  # a link makes nobody else's browser fetch it
    assert not page.get_by_text("is left out").count()
    page.get_by_role("button", name="Relief").click()
    page.wait_for_timeout(300)
    asked = [url for url in visitor.requests if url.startswith(host)]
    page.get_by_role("button", name="Zoom in").click()
    page.wait_for_timeout(1000)
    assert [url for url in visitor.requests if url.startswith(host)] == asked != []
    visitor.requests[:] = [url for url in visitor.requests if not url.startswith(host)]  # these were wanted


def test_without_internet_the_online_map_says_so(visit):
    visitor = visit("/?atlas=world")
    page, host = visitor.page, "https://tile.openstreetmap.org/"
    page.route(host + "**", lambda route: route.abort())
    page.get_by_role("button", name="Online").click()
    page.get_by_text("The online map cannot be reached").wait_for()
    page.get_by_role("button", name="Relief").click()
    assert "cannot be reached" not in page.locator(".ugc-attribution").inner_text()
    visitor.requests[:] = [url for url in visitor.requests if not url.startswith(host)]
    visitor.complaints.clear()  # of the tiles that did not come
