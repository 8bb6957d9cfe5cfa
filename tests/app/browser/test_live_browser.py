"""The live map in a real chromium: the heatmap of the point under the pointer, computed there."""

import numpy as np
import pytest
import torch

from tests.app import fake
from unigeoclip.similarity.browser.compact import CompactGrid

pytestmark = pytest.mark.browser

LIVE = "document.querySelector('.ugc-map').ugcMap.live"
SAHARA, SUDAN = (23, 8), (12, 32)
# The heatmap of a point, as the worker computes it.
COMPUTE = """async ([lat, lng]) => {
    const { readCompact } = await import('/web/components/map/compact-grid.js');
    const { url } = document.querySelector('.ugc-map').ugcMap.panes[0].live;
    const grid = await readCompact(await (await fetch(url)).arrayBuffer());
    return [...grid.similaritiesTo({ lat, lng })];
}"""

# Addresses and opacities of the pictures of all panes.
COLORS = """() => [...document.querySelectorAll('.ugc-heat[data-shown]')].map(
    each => [each.src, getComputedStyle(each).opacity])"""


def switch_live(visitor):
    visitor.page.get_by_role("button", name="Live").click()


def point_at(visitor, lat, lon, pane=0):
    """Move the pointer there on one of the panes, and wait for a heatmap."""
    painted = visitor.page.evaluate(f"{LIVE}.painted")
    x, y = visitor.leaflet("map.latLngToContainerPoint(argument)", [lat, lon], "[value.x, value.y]")
    box = visitor.page.locator(".ugc-pane-canvas").nth(pane).bounding_box()
    visitor.page.mouse.move(box["x"] + x, box["y"] + y)
    visitor.page.wait_for_function(f"{LIVE}.painted > {painted}")


def picture(visitor):
    """What the live picture shows, as base64; its drawing surface belongs to the worker."""
    return visitor.page.locator("canvas.ugc-live").screenshot()


def wait_for_another_picture(visitor, before):
    """Wait until the frame that the worker has painted is on screen, which may be later than the worker says so."""
    for _ in range(100):
        if picture(visitor) != before:
            return
        visitor.page.wait_for_timeout(100)
    pytest.fail("the live picture stays as it was")


def is_shown(visitor):
    return visitor.page.locator("canvas.ugc-live[data-shown=true]").count() == 1


def test_the_heatmap_follows_the_pointer_and_asks_the_server_nothing(visit):
    visitor = visit("/?atlas=world")
    assert not visitor.page.locator("canvas.ugc-live").count()
    switch_live(visitor)
    point_at(visitor, *SAHARA)
    assert is_shown(visitor)
    first, requests, sent = picture(visitor), len(visitor.requests), len(visitor.sent)
    point_at(visitor, *SUDAN)
    wait_for_another_picture(visitor, first)
    assert "under the pointer" in visitor.page.locator(".ugc-legend").inner_text()
    assert (len(visitor.requests), len(visitor.sent)) == (requests, sent)
    visitor.page.mouse.move(5, 5)
    visitor.page.wait_for_function("!document.querySelector('canvas.ugc-live[data-shown=true]')")
    switch_live(visitor)
    visitor.page.mouse.move(600, 500)
    assert not is_shown(visitor)


def test_without_raw_pointer_events_the_heatmap_follows_the_pointer_too(visit):
    visitor = visit("/?atlas=world")
    visitor.page.add_init_script("delete window.onpointerrawupdate")  # as over http, or in another browser
    visitor.open("/?atlas=world")
    assert not visitor.page.evaluate("'onpointerrawupdate' in window")
    switch_live(visitor)
    point_at(visitor, *SAHARA)
    assert is_shown(visitor)


def test_the_browser_computes_what_python_does(visit):
    visitor = visit("/?atlas=world")
    visitor.page.get_by_role("button", name="Live").wait_for()
    values = visitor.page.evaluate(COMPUTE, SAHARA)
    explorer = fake.FakeExplorer(fake.FakeAtlas("world"))
    compact = CompactGrid.fit(explorer.grid, explorer.cells)
    np.testing.assert_allclose(values, compact.similarities(compact.vector_at(*SAHARA)), atol=2e-4)


# Vectors of points by the encoder that the page names: along the components, and their products with the mean vector.
ENCODE = """async (points) => {
    const { readCompact } = await import('/web/components/map/compact-grid.js');
    const { readEncoder } = await import('/web/components/map/point-encoder.js');
    const { encoder, url } = document.querySelector('.ugc-map').ugcMap.panes[0].live;
    const reads = await readEncoder(await (await fetch(encoder)).arrayBuffer());
    const grid = await readCompact(await (await fetch(url)).arrayBuffer());
    return points.map(([lat, lng]) => {
        const vector = reads.vectorAt({ lat, lng });
        return [...vector.along, grid.withMean(vector)];
    });
}"""


def test_the_browser_encodes_points_as_python_does(visit):
    visitor = visit("/?atlas=world")
    visitor.page.get_by_role("button", name="Live").wait_for()
    points = [[lat, lon] for lat in (-89.0, -33.9, 0.0, 51.5, 78.2) for lon in (-179.5, -71.1, 0.1, 151.2)]
    found = np.array(visitor.page.evaluate(ENCODE, points))
    explorer = fake.FakeExplorer(fake.FakeAtlas("world"))
    compact, encoder = CompactGrid.fit(explorer.grid, explorer.cells), fake.fake_encoder()
    with torch.inference_mode():
        exact = encoder(encoder.prepare(points)).numpy()
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    np.testing.assert_allclose(found, np.column_stack([exact @ compact.basis, exact @ compact.mean]), atol=0.02)
    assert np.abs(found).max() > 0.5


def test_the_point_under_the_pointer_is_encoded_as_soon_as_the_encoder_is_here(visit):
    visitor = visit("/?atlas=world")
    held = []
    visitor.page.route("**/live/encoder/**", lambda route: held.append(route))
    switch_live(visitor)
    point_at(visitor, *SUDAN)
    point_at(visitor, *SAHARA)  # without it the map answers all the same
    without = picture(visitor)
    held[0].continue_()
    for _ in range(50):
        point_at(visitor, *SUDAN)
        point_at(visitor, *SAHARA)
        if picture(visitor) != without:
            break
    else:
        pytest.fail("points are still interpolated")
    assert len(held) == 1


def test_without_the_encoder_the_map_stays_live(visit):
    visitor = visit("/?atlas=world")
    visitor.page.route("**/live/encoder/**", lambda route: route.fulfill(status=503, body="no"))
    switch_live(visitor)
    point_at(visitor, *SAHARA)
    point_at(visitor, *SUDAN)
    assert is_shown(visitor)
    visitor.complaints.clear()  # the refusal that this test is about


def spot(visitor, lat, lon, px=24):
    """What is on screen around a point of the map."""
    x, y = visitor.leaflet("map.latLngToContainerPoint(argument)", [lat, lon], "[value.x, value.y]")
    box = visitor.page.locator(".ugc-pane-canvas").bounding_box()
    clip = {"x": box["x"] + x - px / 2, "y": box["y"] + y - px / 2, "width": px, "height": px}
    return visitor.page.screenshot(clip=clip)


def test_in_an_area_the_live_heatmap_is_that_of_the_area(visit):
    visitor = visit("/?atlas=world&q=text:hot desert&area=0,-20,40,50")
    visitor.wait_for_heatmap()
    visitor.settle()
    inside, outside = (10, 20), (52, 60)  # land, both
    before = spot(visitor, *outside)
    switch_live(visitor)
    for point in (SAHARA, outside):  # a point beyond the area is compared with what lies within as well
        within = spot(visitor, *inside)
        point_at(visitor, *point)
        for _ in range(100):  # until the frame is on screen
            if spot(visitor, *inside) != within:
                break
            visitor.page.wait_for_timeout(100)
        else:
            pytest.fail("the live picture is not seen in the area")
        assert spot(visitor, *outside) == before


def test_a_click_brings_the_exact_answer_which_the_next_movement_sets_aside(visit):
    visitor = visit("/?atlas=world")
    switch_live(visitor)
    point_at(visitor, *SAHARA)
    visitor.page.mouse.down()
    visitor.page.mouse.up()
    visitor.wait_for_heatmap()
    assert not is_shown(visitor)
    visitor.settle()
    assert "your query" in visitor.page.locator(".ugc-legend").inner_text()
    heat = visitor.page.locator(".ugc-heat[data-shown]")
    assert float(heat.evaluate("each => getComputedStyle(each).opacity")) > 0
    point_at(visitor, *SUDAN)
    assert is_shown(visitor)
    visitor.page.wait_for_function("getComputedStyle(document.querySelector('.ugc-heat')).opacity === '0'")


def test_a_click_shows_the_exact_heatmap_before_the_page_has_run(visit):
    visitor = visit("/?atlas=world")
    with visitor.page.expect_response(lambda answer: "/data/overlays/" in answer.url and answer.ok) as shown:
        visitor.click_at(*SAHARA)
    assert "/data/world/heatmap/" in shown.value.request.redirected_from.url
    visitor.wait_for_heatmap()
    visitor.settle()
    heat = visitor.page.locator(".ugc-heat[data-shown]")
    assert heat.evaluate("each => each.src") == shown.value.url, "what the page publishes is the same picture"


@pytest.mark.parametrize("held_ms", [0, 100, 3000])
def test_the_page_runs_once_the_heatmap_is_there_or_soon(visit, held_ms):
    visitor = visit("/?atlas=world")
    visitor.settle()
    page = visitor.page
    page.evaluate(
        """held => {
        const [fetched, clock] = [window.fetch, (window.ugcClock = {})];
        window.fetch = async (...what) => {
            const answer = await fetched(...what);
            if (!String(what[0]).includes('/heatmap/')) return answer;
            await new Promise(resolve => setTimeout(resolve, held));
            clock.answered = performance.now();
            return answer;
        };
        const { ugcMap } = document.querySelector('.ugc-map');
        const asks = ugcMap.onClick;
        ugcMap.onClick = (...what) => { clock.asked = performance.now(); asks(...what); };
        addEventListener('click', () => (clock.clicked = performance.now()), true);
    }""",
        held_ms,
    )
    visitor.click_at(*SAHARA)
    visitor.wait_for_heatmap()
    page.wait_for_function("ugcClock.asked && ugcClock.answered")
    clock = page.evaluate("ugcClock")
    if held_ms <= 100:
        assert (
            clock["asked"] >= clock["answered"] or clock["asked"] - clock["clicked"] >= 190
        )  # clocks of browsers are coarse
    else:
        assert 190 <= clock["asked"] - clock["clicked"] < clock["answered"] - clock["clicked"]


def test_a_click_that_adds_to_a_query_waits_for_the_page(visit):
    visitor = visit("/?atlas=world&q=text:hot desert")
    visitor.wait_for_heatmap()
    visitor.page.get_by_text("+ more like", exact=True).click()
    visitor.page.wait_for_function("!document.querySelector('.ugc-map').ugcMap.panes[0].live.exact")
    first = visitor.page.locator(".ugc-heat[data-shown]").get_attribute("src")
    visitor.click_at(*SUDAN)
    visitor.wait_for_heatmap(other_than=first)
    assert not [url for url in visitor.requests if "/heatmap/" in url]


def test_the_keyboard_moves_the_point_and_enter_asks_for_it(visit):
    visitor = visit("/?atlas=world")
    switch_live(visitor)
    page = visitor.page
    page.locator(".ugc-pane-canvas").focus()
    center = visitor.leaflet("map.getCenter()", of="[value.lat, value.lng]")
    for key in ("ArrowUp", "ArrowUp", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    page.wait_for_function(f"{LIVE}.painted > 0")
    page.wait_for_selector("canvas.ugc-live[data-shown=true]")
    assert visitor.leaflet("map.getCenter()", of="[value.lat, value.lng]") == center
    page.keyboard.press("Enter")
    visitor.wait_for_heatmap()
    visitor.settle()
    expected = visitor.leaflet(
        "map.containerPointToLatLng(map.getSize().divideBy(2).add([-60, -24]))", of="[value.lat, value.lng]"
    )
    asked = [float(page.get_by_label(name).input_value()) for name in ("Latitude", "Longitude")]
    np.testing.assert_allclose(asked, expected, atol=0.1)


def test_a_finger_that_is_dragged_asks_and_the_map_stays(visit):
    visitor = visit("/?atlas=world", width=390, height=844)
    page = visitor.page
    line = page.context.new_cdp_session(page)
    line.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    page.get_by_role("button", name="Live").click()
    page.wait_for_selector(".ugc-pane-canvas.is-live")
    page.locator(".ugc-pane-canvas").scroll_into_view_if_needed()
    center = visitor.leaflet("map.getCenter()", of="[value.lat, value.lng]")
    x, y = visitor.leaflet("map.latLngToContainerPoint(argument)", SAHARA, "[value.x, value.y]")
    box = page.locator(".ugc-pane-canvas").bounding_box()
    for kind, moved in (("touchStart", 0), ("touchMove", 4), ("touchMove", 8)):
        point = {"x": box["x"] + x + moved, "y": box["y"] + y + moved}
        line.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    page.wait_for_function(f"{LIVE}.painted > 0")
    page.wait_for_selector("canvas.ugc-live[data-shown=true]")
    line.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert visitor.leaflet("map.getCenter()", of="[value.lat, value.lng]") == center


def test_a_grid_that_cannot_be_fetched_is_told_and_clicks_are_answered(visit):
    visitor = visit("/?atlas=world")
    visitor.page.route("**/data/world/live/**", lambda route: route.fulfill(status=503, body="no"))
    switch_live(visitor)
    visitor.page.mouse.move(600, 500)
    visitor.page.get_by_text("The live map cannot be fetched").wait_for()
    assert visitor.page.get_by_role("button", name="Live").get_attribute("aria-pressed") == "false"
    visitor.click_at(*SAHARA)
    visitor.wait_for_heatmap()
    visitor.complaints.clear()  # the refusal that this test is about


def test_all_maps_of_compare_follow_the_pointer_and_colors_come_back(visit):
    visitor = visit("/compare?atlas=world")
    page = visitor.page
    page.wait_for_selector(".ugc-pane:nth-child(3) .ugc-heat[data-shown]")
    page.get_by_text("Effective rank").wait_for()
    colors = page.evaluate(f"JSON.stringify(({COLORS})())")
    switch_live(visitor)
    point_at(visitor, *SAHARA, pane=1)
    page.wait_for_function("document.querySelectorAll('canvas.ugc-live[data-shown=true]').length === 3")
    assert page.get_by_text("Similarity to the point under the pointer").count() == 3
    requests, sent = len(visitor.requests), len(visitor.sent)
    point_at(visitor, *SUDAN, pane=1)
    assert (len(visitor.requests), len(visitor.sent)) == (requests, sent)
    page.mouse.move(5, 5)
    page.wait_for_function("!document.querySelector('canvas.ugc-live[data-shown=true]')")
    page.wait_for_function(f"before => JSON.stringify(({COLORS})()) === before", arg=colors)  # they fade in


def test_maps_are_live_in_poster_mode(visit):
    visitor = visit("/?atlas=world&mode=poster")
    visitor.page.wait_for_function("document.querySelector('.ugc-map')?.ugcMap?.live.isOn")
