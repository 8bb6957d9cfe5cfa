"""Links and files of page Explore in a real chromium: what one visitor sees, another gets."""

import csv
import io
import json
import re
import urllib.request

import pytest
import rasterio
from PIL import Image

from tests.app.browser.test_explore_browser import ask_words, picture, upload

pytestmark = pytest.mark.browser


def path_of(visitor):
    return "/" + visitor.page.url.split("/", 3)[3]


def picture_of(visitor, address):
    with urllib.request.urlopen(visitor.address + address) as answer:
        return answer.read()


def open_take_away(visitor):
    visitor.page.get_by_role("button", name="Export").click()
    visitor.page.get_by_role("button", name="Copy link").wait_for()


def is_at(visitor, lat, lon, zoom):
    """Whether a map shows a view, to the pixel: Leaflet moves by whole ones when the page's layout settles."""
    pixel_deg = 360 / 256 / 2**zoom
    return visitor.view() == pytest.approx([zoom, lat, lon], abs=1.01 * pixel_deg)


def map_state(visitor):
    return visitor.page.evaluate(
        """() => {
            const { memory, panes: [{ map, overlay }] } = document.querySelector('.ugc-map').ugcMap;
            const { lat, lng } = map.getCenter();
            const shown = overlay ? Number(overlay.getElement().style.opacity) : null;
            return { lat, lng, zoom: map.getZoom(), base: memory.base, opacity: memory.opacity, shown };
        }"""
    )


def test_a_link_brings_back_query_weights_picture_view_base_and_opacity(visit):
    first = visit("/?atlas=world&q=text:hot%20desert&q=-0.5*at:40.85,14.27")
    page = first.page
    before = first.wait_for_heatmap()
    page.get_by_label("How to add the next item").get_by_text("+ more like").click()
    first.settle()
    upload(first, "desert.png", picture())
    shown = first.wait_for_heatmap(other_than=before)
    page.wait_for_url("**vec*")
    page.keyboard.press("Escape")  # the upload's popover
    first.settle()
    sent = len(first.sent)
    first.leaflet("map.setView([30.12345, 20.5], 4.25, {animate: false})", of="0")
    page.get_by_role("button", name="Relief").click()
    page.get_by_label("Heatmap opacity").fill("40")
    page.wait_for_url(re.compile(r"[?&]v=30\.\d+,20\.5,4\.25.*b=plain.*o=40"))
    assert len(first.sent) == sent, "the map's part of the address costs no run"
    assert "q=" in page.url
    assert len(page.url) < 1000

    second = visit(path_of(first))
    again = second.wait_for_heatmap()
    assert again == shown
    assert picture_of(second, again) == picture_of(first, shown)
    second.settle()
    here, there = map_state(first), map_state(second)
    assert is_at(second, 30.12345, 20.5, 4.25)
    for key in ("zoom", "base", "opacity", "shown"):
        assert there[key] == here[key], key
    assert there["shown"] == 0.4
    chips = second.page.locator(".st-key-chips")
    for words in ("+1", "hot desert", "−0.5", "40.85° N", "desert.png"):
        assert chips.get_by_text(words).count() >= 1, words
    assert path_of(second) == path_of(first)


def test_the_back_button_brings_back_the_query_and_the_view_stays(visit):
    visitor = visit("/?atlas=world&q=text:sea")
    page = visitor.page
    first = visitor.wait_for_heatmap()
    visitor.leaflet("map.setView([30, 20], 4, {animate: false})", of="0")
    page.wait_for_url("**v=30,20,4")
    ask_words(visitor, "hot desert")
    second = visitor.wait_for_heatmap(other_than=first)
    page.wait_for_url("**q=text*desert*v=30,20,4")
    visitor.settle()
    visitor.leaflet("map.setView([10, 40], 5, {animate: false})", of="0")
    page.wait_for_url("**v=10,40,5")
    page.go_back()
    assert visitor.wait_for_heatmap(other_than=second) == first
    page.wait_for_url("**v=10,40,5")
    assert "sea" in page.url
    assert is_at(visitor, 10, 40, 5)
    page.go_forward()
    assert visitor.wait_for_heatmap(other_than=first) == second


def test_the_first_look_adds_nothing_to_the_address(visit):
    visitor = visit("/?atlas=world&q=text:sea")
    visitor.wait_for_heatmap()
    visitor.settle()
    assert not re.search(r"[?&][vbo]=", visitor.page.url)


def test_another_atlas_has_a_view_of_its_own(visit):
    visitor = visit("/?atlas=world&q=text:sea&v=30,20,4&o=40")
    page = visitor.page
    visitor.wait_for_heatmap()
    assert is_at(visitor, 30, 20, 4)
    page.get_by_role("button", name="Boston").or_(page.get_by_role("radio", name="Boston")).first.click()
    page.wait_for_url("**atlas=boston*")
    visitor.settle()
    assert visitor.view()[1] == pytest.approx(42.36, abs=0.05)
    assert not re.search(r"[?&][vbo]=", page.url)


def test_a_broken_view_in_the_address_is_a_sentence_and_the_map_is_whole(visit):
    visitor = visit("/?atlas=world&q=text:sea&v=here&b=marble&o=140")
    visitor.wait_for_heatmap()
    text = visitor.page.locator("[data-testid=stAlert]").first.inner_text()
    assert "v=here" in text
    assert map_state(visitor)["base"] == "photo"
    visitor.page.wait_for_function("!/[?&][vbo]=/.test(location.search)")


def test_the_link_is_copied_with_what_the_map_shows(visit):
    visitor = visit("/?atlas=world&q=text:sea")
    page = visitor.page
    visitor.wait_for_heatmap()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_take_away(visitor)
    visitor.leaflet("map.setView([30, 20], 4, {animate: false})", of="0")
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.url
    assert copied.endswith("v=30,20,4")


def test_without_a_clipboard_the_link_can_be_copied_by_hand(visit):
    visitor = visit("/?atlas=world&q=text:sea")
    page = visitor.page
    visitor.wait_for_heatmap()
    open_take_away(visitor)
    # What a browser gives a page that came over http from another machine; and one that lacks the older way, too.
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.evaluate("document.execCommand = () => false")
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("Copy it from here:").wait_for()
    field = page.get_by_label("Address of this page")
    assert field.input_value() == page.url
    assert page.evaluate("getSelection().toString()") == page.url
    page.evaluate("document.execCommand = () => true")
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("Copied").wait_for()
    assert field.is_hidden()


def test_every_file_is_readable(visit):
    visitor = visit("/?atlas=world&q=text:sea&q=0.5*at:40,14")
    page = visitor.page
    shown = visitor.wait_for_heatmap()
    open_take_away(visitor)

    def take(label):
        with page.expect_download() as started:
            page.get_by_role("button", name=label, exact=True).click()
        assert started.value.suggested_filename.startswith("world-sea-40")
        return started.value.path().read_bytes()

    assert take("PNG") == picture_of(visitor, shown)
    with rasterio.MemoryFile(take("GeoTIFF")) as file, file.open() as tiff:
        assert tiff.crs.to_epsg() == 4326
        assert tiff.read(1, masked=True).max() <= 1
    features = json.loads(take("GeoJSON"))["features"]
    rows = list(csv.DictReader(io.StringIO(take("CSV").decode())))
    assert len(features) == len(rows) == 40
    assert features[0]["properties"]["place_id"] == rows[0]["place_id"]
    html = take("Map page").decode()
    opened = page.context.new_page()
    requests, complaints = [], []
    opened.on("request", lambda request: requests.append(request.url))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.set_content(html)
    opened.wait_for_selector("path.leaflet-interactive")
    assert opened.locator("path.leaflet-interactive").count() >= 12
    opened.locator("path.leaflet-interactive").last.hover()
    assert "Best match" in html
    assert complaints == []
    assert [url for url in requests if not url.startswith(("data:", "about:", "blob:"))] == []
    assert Image.open(io.BytesIO(picture_of(visitor, shown))).format == "PNG"
