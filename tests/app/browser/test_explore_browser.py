"""Page Explore in a real chromium."""

import io
import re
import urllib.request

import pytest
from PIL import Image

pytestmark = pytest.mark.browser


def ask_words(visitor, words):
    visitor.page.get_by_label("Describe a place").fill(words)
    visitor.page.keyboard.press("Enter")


def upload(visitor, name, data, mime="image/png"):
    page, field = visitor.page, visitor.page.locator("input[type=file]")
    # After an upload its field makes way for a new one; while the script runs both may be on the page.
    page.wait_for_selector("[data-test-script-state=notRunning]")
    if not field.count():
        page.get_by_role("button", name="Image", exact=True).click()
    page.wait_for_function("document.querySelectorAll('input[type=file]').length === 1")
    field.set_input_files({"name": name, "mimeType": mime, "buffer": data})


def picture(size=(64, 64), color=(180, 150, 100)):
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_click_gives_heatmap_cards_fields_and_link(visit):
    visitor = visit("/?atlas=world")
    page = visitor.page
    assert page.locator(".ugc-heat").count() == 0
    visitor.click_at(23, 8)
    url = visitor.wait_for_heatmap()
    page.wait_for_selector(".ugc-card img")
    assert page.locator(".ugc-strip").count() == 5  # the place itself, and four modalities
    assert page.locator(".ugc-marker-best").count() == 1
    assert page.locator(".ugc-marker-query").count() == 1
    assert abs(float(page.get_by_label("Latitude").input_value()) - 23) < 0.5
    assert "q=at" in page.url
    assert page.locator(".ugc-legend").is_visible()
    with urllib.request.urlopen(visitor.address + url) as answer:
        assert len(answer.read()) <= 150_000


def test_a_query_stands_there_in_words_and_its_phrases_open_by_keyboard(visit):
    visitor = visit("/?atlas=world&q=text:desert")
    page = visitor.page
    line = page.locator(".st-key-in-words")
    line.get_by_text("hot desert climate · sand <dunes>").wait_for()
    button = line.get_by_role("button", name="explains 41 %")
    button.focus()
    page.keyboard.press("Enter")
    table = page.locator("table", has_text="few people live here")
    table.wait_for()
    assert "0.52" in table.inner_text()
    assert "of random vectors, phrases explain 12 % on average" in page.locator("body").inner_text()
    page.keyboard.press("Escape")
    ask_words(visitor, "zebra")
    line.get_by_text("not known. The vocabulary has nothing close to these words.").wait_for()
    assert not line.get_by_role("button").count()


def test_the_place_itself_is_judged_after_the_rest_and_then_the_page_rests(visit):
    visitor = visit("/?atlas=world")
    page = visitor.page
    visitor.click_at(23, 8)
    visitor.wait_for_heatmap()
    page.wait_for_selector(".ugc-card[data-card^=here-]")
    page.wait_for_function(
        "/\\d\\.\\d\\d/.test(document.querySelector('.ugc-card[data-card^=here-] .ugc-card-figures').innerText)"
    )
    visitor.settle()
    sent = len(visitor.sent)
    page.wait_for_timeout(2500)
    assert len(visitor.sent) == sent


def test_pictures_out_of_sight_are_fetched_when_they_are_scrolled_to(visit):
    visitor = visit("/?atlas=world")
    visitor.click_at(23, 8)
    visitor.wait_for_heatmap()
    images = visitor.page.locator(".ugc-card-picture img")
    images.first.wait_for()
    visitor.settle()
    with_source = visitor.page.locator(".ugc-card-picture img[src]")
    assert 0 < with_source.count() < images.count()
    last = images.last
    assert last.get_attribute("src") is None
    last.scroll_into_view_if_needed()
    visitor.page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=last.element_handle())


def test_words_and_examples_are_answered(visit):
    visitor = visit("/?atlas=world")
    visitor.page.get_by_role("button", name="Himalaya").click()
    first = visitor.wait_for_heatmap()
    ask_words(visitor, "hot desert")
    visitor.wait_for_heatmap(other_than=first)
    assert visitor.page.locator(".st-key-chips").get_by_text("hot desert").count() >= 1


def test_the_view_and_the_map_survive_clicks_words_and_opacity(visit):
    visitor = visit("/?atlas=world")
    page = visitor.page
    visitor.leaflet("map.setView([30, 20], 4, {animate: false})", of="0")
    page.evaluate("document.querySelector('.ugc-pane-canvas').dataset.mark = 'same'")
    before = visitor.view()
    visitor.click_map(0.4, 0.4)
    first = visitor.wait_for_heatmap()
    assert visitor.view() == before
    ask_words(visitor, "sea")
    visitor.wait_for_heatmap(other_than=first)
    assert visitor.view() == before

    # Opacity, panning and zooming stay in the browser: nothing is sent, nothing is built again.
    page.wait_for_timeout(1500)
    visitor.settle()
    sent = len(visitor.sent)
    slider = page.get_by_label("Heatmap opacity")
    slider.focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    page.mouse.move(400, 450)
    page.mouse.wheel(0, -400)
    page.wait_for_timeout(1500)
    assert len(visitor.sent) == sent
    assert visitor.view()[0] > before[0]
    heat = page.locator(".ugc-heat[data-shown]").last
    assert heat.evaluate("image => image.style.opacity") == "0.55"
    assert page.locator(".ugc-pane-canvas[data-mark=same]").count() == 1


def test_the_last_of_two_quick_clicks_counts(visit):
    """The second is sent before the browser has heard of the first one's address, and names the address before."""
    visitor = visit("/?atlas=world")
    page = visitor.page
    visitor.click_at(23, 8)
    visitor.wait_for_heatmap()
    # So far apart that none hits the marker of the one before.
    for lon, pause_ms in ((20, 30), (44, 60), (68, 100), (92, 150), (116, 250)):
        visitor.settle()
        visitor.click_at(10, lon - 30)
        page.wait_for_timeout(pause_ms)
        visitor.click_at(0, lon)
        page.wait_for_timeout(1500)
        visitor.settle()
        asked = re.search(r"q=at(?:%3A|:)([-0-9.]+)(?:%2C|,)([-0-9.]+)", page.url).groups()
        assert tuple(map(float, asked)) == pytest.approx((0, lon), abs=1)


def test_a_link_restores_the_query_in_a_fresh_browser(visit):
    first = visit("/?atlas=world")
    ask_words(first, "tropical rainforest")
    shown = first.wait_for_heatmap()
    first.page.wait_for_url("**q=text*")
    second = visit("/" + first.page.url.split("/", 3)[3])
    assert second.wait_for_heatmap() == shown


def test_cards_lead_to_the_map_and_to_the_next_query(visit):
    visitor = visit("/?atlas=world&q=text:hot%20desert")
    page = visitor.page
    first = visitor.wait_for_heatmap()
    card = page.locator(".ugc-card").first
    card.hover()
    assert page.locator(".ugc-marker-match.is-lit").count() == 1
    before = visitor.view()
    card.get_by_role("button", name=re.compile("Show on map")).click()
    page.wait_for_function(
        "zoom => document.querySelector('.ugc-map').ugcMap.panes[0].map.getZoom() > zoom", arg=before[0]
    )
    card.get_by_role("button", name=re.compile("Use as query")).click()
    visitor.wait_for_heatmap(other_than=first)
    page.wait_for_url("**q=place*")


def test_the_keyboard_alone_can_ask_the_map(visit):
    visitor = visit("/?atlas=world")
    page = visitor.page
    page.locator(".ugc-pane-canvas").focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(600)
    page.keyboard.press("Enter")
    visitor.wait_for_heatmap()
    page.wait_for_url("**q=at**")


def test_a_click_in_the_sea_is_answered_with_a_calm_note(visit):
    visitor = visit("/?atlas=world")
    visitor.click_at(0, -30)
    visitor.wait_for_heatmap()
    assert "not trained there" in visitor.page.locator("[data-testid=stAlert]").inner_text()


def test_a_picture_is_a_query_and_a_bad_one_a_sentence(visit):
    visitor = visit("/?atlas=world&q=text:sea")
    page = visitor.page
    first = visitor.wait_for_heatmap()
    upload(visitor, "setup.png", b"MZ\x90\x00" + bytes(2000))
    page.wait_for_selector("[data-testid=stAlert]")
    assert "setup.png" in page.locator("[data-testid=stAlert]").inner_text()
    assert page.locator(".st-key-chips").get_by_text("sea").count() >= 1
    upload(visitor, "desert.png", picture())
    visitor.wait_for_heatmap(other_than=first)
    assert page.locator(".st-key-chips").get_by_text("desert.png").count() >= 1


def test_sentences_that_come_and_go_do_not_mount_the_map_anew(visit):
    visitor = visit("/?atlas=world&q=text:sea")
    page = visitor.page
    last = visitor.wait_for_heatmap()
    page.evaluate("document.querySelector('.ugc-pane-canvas').dataset.mark = 'same'")
    canvas = page.locator(".ugc-pane-canvas[data-mark=same]")
    visitor.click_at(0, -30)  # a note beside the map
    last = visitor.wait_for_heatmap(other_than=last)
    upload(visitor, "setup.png", b"MZ\x90\x00" + bytes(2000))  # a problem above it
    page.locator("[data-testid=stAlert]").get_by_text("setup.png").wait_for()
    ask_words(visitor, "forest")
    visitor.wait_for_heatmap(other_than=last)
    assert canvas.count() == 1
    assert canvas.evaluate("element => element.clientHeight") > 300


def test_another_page_and_back_keeps_query_and_view(visit):
    visitor = visit("/?atlas=world&q=text:hot%20desert")
    page = visitor.page
    visitor.wait_for_heatmap()
    visitor.leaflet("map.setView([30, 20], 4, {animate: false})", of="0")
    page.get_by_role("link", name="Atlas").click()
    page.get_by_role("heading", name="Limitations").wait_for()
    page.get_by_role("link", name="Explore").click()
    visitor.wait_for_heatmap()
    assert visitor.view()[0] == 4
    page.wait_for_url("**q=text*")


@pytest.mark.parametrize(
    ("width", "height", "scheme"), [(400, 800, "light"), (1280, 720, "dark"), (3840, 2160, "dark")]
)
def test_it_is_usable_on_phones_and_walls_and_in_the_dark(visit, width, height, scheme):
    visitor = visit("/?atlas=world&q=text:hot%20desert", width=width, height=height, scheme=scheme)
    page = visitor.page
    visitor.wait_for_heatmap()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = page.locator(".ugc-map").bounding_box()
    assert box["width"] >= min(360, 0.5 * width)
    assert box["height"] >= 380
    dark = page.evaluate("document.querySelector('.ugc-map').classList.contains('is-dark')")
    assert dark is (scheme == "dark")
