"""Composing a query of page Explore in a real chromium: an area, any of them, thumbs, files of examples."""

import json

import pytest

pytestmark = pytest.mark.browser


def test_a_rectangle_is_drawn_searched_in_and_removed_by_keyboard(visit):
    visitor = visit("/?atlas=world&q=text:sea")
    page = visitor.page
    first = visitor.wait_for_heatmap()
    before = visitor.view()
    page.get_by_role("button", name="Draw").click()
    corners = visitor.leaflet(
        "[[30, -5], [8, 25]].map((at) => map.latLngToContainerPoint(at))", of="value.map(({ x, y }) => [x, y])"
    )
    box = page.locator(".ugc-pane-canvas").bounding_box()
    (left, top), (right, bottom) = ((box["x"] + x, box["y"] + y) for x, y in corners)
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(right, bottom, steps=4)
    page.mouse.up()
    second = visitor.wait_for_heatmap(other_than=first)
    page.locator(".ugc-area-outside").wait_for(state="attached")
    page.wait_for_url("**area=*")
    assert visitor.view() == before, "to draw an area moves nothing"
    where = visitor.leaflet(
        "[...document.querySelector('.ugc-map').ugcMap.panes[0].markers.values()]",
        of="value.map((marker) => [marker.getLatLng().lat, marker.getLatLng().lng])",
    )
    assert where
    assert all(7 < lat < 31 and -6 < lng < 26 for lat, lng in where)
    link = page.url.split("/", 3)[3]
    chip = page.get_by_role("button", name="Only in an area of")
    chip.focus()
    page.keyboard.press("Enter")
    assert visitor.wait_for_heatmap(other_than=second) == first
    page.locator(".ugc-area-outside").wait_for(state="detached")
    assert visitor.view() == before

    view = page.get_by_role("button", name="This view")
    visitor.leaflet("map.setView([15, 10], map.getMinZoom() + 2, {animate: false})", of="0")
    view.focus()
    page.keyboard.press("Enter")
    page.locator(".ugc-area-line").wait_for(state="attached")
    page.wait_for_url("**area=*")

    other = visit("/" + link)
    assert other.wait_for_heatmap() == second
    assert other.page.locator(".ugc-area-line").count() == 1


def test_a_finger_draws_a_rectangle_and_a_tap_before_that_asks_nothing(visit):
    visitor = visit("/?atlas=world&q=text:sea", width=390, height=844)
    page = visitor.page
    first = visitor.wait_for_heatmap()
    visitor.settle()
    line = page.context.new_cdp_session(page)
    line.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    page.get_by_role("button", name="Draw").click()
    page.wait_for_selector(".ugc-pane-canvas.is-drawing")
    page.locator(".ugc-pane-canvas").scroll_into_view_if_needed()
    before = visitor.view()
    box = page.locator(".ugc-pane-canvas").bounding_box()
    ((left, top), (right, bottom)) = visitor.leaflet(
        "[[30, -5], [8, 25]].map((at) => map.latLngToContainerPoint(at))", of="value.map(({ x, y }) => [x, y])"
    )

    def touch(kind, *at):
        points = [{"x": box["x"] + at[0], "y": box["y"] + at[1]}] if at else []
        line.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    sent = len(visitor.sent)
    touch("touchStart", left, top)
    touch("touchEnd")
    page.wait_for_selector(".ugc-drawn", state="detached")
    assert page.get_by_role("button", name="Draw").get_attribute("aria-pressed") == "true"
    assert len(visitor.sent) == sent
    touch("touchStart", left, top)
    touch("touchMove", (left + right) / 2, (top + bottom) / 2)
    touch("touchMove", right, bottom)
    page.wait_for_selector(".ugc-drawn", state="attached")
    touch("touchEnd")
    visitor.wait_for_heatmap(other_than=first)
    page.locator(".ugc-area-outside").wait_for(state="attached")
    page.wait_for_url("**area=*")
    assert visitor.view() == before, "the map stays"
    drawn = [float(edge) for edge in page.url.split("area=")[1].split("&")[0].replace("%2C", ",").split(",")]
    assert drawn == pytest.approx([8, -5, 30, 25], abs=2)
    assert page.get_by_role("button", name="Draw").get_attribute("aria-pressed") == "false"


def test_thumbs_work_by_keyboard_keep_the_focus_and_are_undone(visit):
    visitor = visit("/?atlas=world&q=text:sea")
    page = visitor.page
    first = visitor.wait_for_heatmap()
    thumb = page.locator(".ugc-strip[aria-label=Location] [data-vote=up]").first
    name = thumb.get_attribute("aria-label")
    assert name.startswith("More like this: ")
    assert thumb.get_attribute("aria-pressed") == "false"
    thumb.focus()
    page.keyboard.press("Enter")
    second = visitor.wait_for_heatmap(other_than=first)
    page.wait_for_url("**item*")
    page.locator(".ugc-card [data-vote=up][aria-pressed=true]").first.wait_for()
    assert page.evaluate("document.activeElement.getAttribute('data-vote')") == "up"
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == name
    page.locator(".st-key-chips").get_by_text("+0.75").wait_for()
    page.get_by_role("button", name="Undo").click()
    assert visitor.wait_for_heatmap(other_than=second) == first
    page.locator(".ugc-card [data-vote=up][aria-pressed=true]").first.wait_for(state="detached")


def test_any_of_them_is_kept_in_a_file_that_can_be_loaded(visit, tmp_path):
    visitor = visit("/?atlas=world&q=text:sea&q=text:himalaya")
    page = visitor.page
    summed = visitor.wait_for_heatmap()
    page.get_by_role("radio", name="Any of them").click()
    shown = visitor.wait_for_heatmap(other_than=summed)
    page.wait_for_url("**combine=any*")
    page.get_by_role("button", name="Examples").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save examples").click()
    waiting.value.save_as(tmp_path / "mine.geojson")
    saved = json.loads((tmp_path / "mine.geojson").read_text(encoding="utf-8"))
    assert [each["properties"]["text"] for each in saved["features"]] == ["sea", "himalaya"]

    other = visit("/?atlas=world&q=text:mountains")
    before = other.wait_for_heatmap()
    other.page.get_by_role("button", name="Examples").click()
    other.page.locator("input[type=file]").last.set_input_files(tmp_path / "mine.geojson")
    assert other.wait_for_heatmap(other_than=before) == shown
    other.page.wait_for_url("**combine=any*")
