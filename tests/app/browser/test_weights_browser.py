"""Weights of a query's chips in a real chromium: the map follows a slider while it is dragged."""

import itertools
import json

import pytest

pytestmark = pytest.mark.browser

LIVE = "document.querySelector('.ugc-map').ugcMap.live"
THUMB = "[class*=st-key-weight-] [data-rac]:has(> div > input)"
STEP_PX = 12


def open_weight(visitor, index):
    """Open the popover of a chip; returns the thumb of its slider."""
    visitor.wait_for_heatmap()
    visitor.settle()
    visitor.page.locator(f".st-key-chip-{index} button").click()
    thumb = visitor.page.locator(THUMB)
    thumb.wait_for()
    visitor.page.wait_for_timeout(300)  # the popover slides in
    return thumb


def drag(visitor, thumb, steps):
    """Press the thumb and move it, without letting it go."""
    box = thumb.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    visitor.page.mouse.move(x, y)
    visitor.page.mouse.down()
    for step in range(1, abs(steps) + 1):
        visitor.page.mouse.move(x + STEP_PX * step * (1 if steps > 0 else -1), y)


def shown_weights(visitor):
    """Wait for a heatmap of moved weights; returns them."""
    visitor.page.wait_for_function(f"{LIVE}.shown?.weights && !{LIVE}.computing")
    return json.loads(visitor.page.evaluate(f"JSON.stringify({LIVE}.shown.weights)"))


def test_the_map_follows_a_weight_while_it_is_dragged_and_the_answer_comes_when_it_is_let_go(visit):
    visitor = visit("/?atlas=world&q=text:hot desert&q=text:himalaya")
    page = visitor.page
    thumb = open_weight(visitor, 1)
    first = page.locator(".ugc-heat[data-shown]").last.get_attribute("src")
    sent = len(visitor.sent)
    drag(visitor, thumb, -5)
    weights = shown_weights(visitor)
    assert weights[0] == 1
    assert -2 <= weights[1] < 1
    assert page.locator("canvas.ugc-live[data-shown=true]").count() == 1
    assert "while a weight is moved" in page.locator(".ugc-legend").inner_text()
    assert len(visitor.sent) == sent, "the server hears nothing yet"
    assert len([url for url in visitor.requests if "/live/" in url and "/live/query/" not in url]) == 0
    page.mouse.up()
    visitor.wait_for_heatmap(other_than=first)
    page.wait_for_function(f"{LIVE}.shown === null")
    assert "while a weight is moved" not in page.locator(".ugc-legend").inner_text()
    assert f"{weights[1]:+g}".replace("-", "−") in page.locator(".st-key-chip-1").inner_text()


def test_the_browser_computes_the_sum_that_the_server_does(visit):
    visitor = visit("/?atlas=world&q=text:hot desert&q=-0.5*text:himalaya&q=at:-25,134")
    visitor.wait_for_heatmap()
    values, exact = visitor.page.evaluate(
        """async () => {
            const { readCompact } = await import('/web/components/map/compact-grid.js');
            const { combined } = await import('/web/components/map/weights.js');
            const { pixelsOf } = await import('/web/components/map/values.js');
            const pane = document.querySelector('.ugc-map').ugcMap.panes[0];
            const { url, values, combine } = pane.live.weights;
            const grid = await readCompact(await (await fetch(url)).arrayBuffer());
            const { data } = await pixelsOf(pane.values.spec.url);
            return [[...combined(grid, values, combine)], [...grid.cells].map((at) => data[4 * at])];
        }"""
    )
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [exact[number] for number in order]
    assert max(ranks) == 100
    # Percentiles of the exact heatmap rise with what the browser computes.
    assert sum(after >= before - 1 for before, after in itertools.pairwise(ranks)) > 0.99 * len(ranks)


def test_arrow_keys_move_a_weight_and_back_at_the_answer_the_exact_map_is_shown(visit):
    visitor = visit("/?atlas=world&q=text:hot desert&q=text:himalaya")
    page = visitor.page
    open_weight(visitor, 0)
    page.locator(f"{THUMB} input").focus()
    with page.expect_request(lambda request: "/live/query/" in request.url):
        page.keyboard.press("ArrowLeft")
    visitor.page.wait_for_function("document.querySelector('.st-key-chip-0').innerText.includes('0.75')")
    page.wait_for_function(f"{LIVE}.shown === null")
    assert page.locator("canvas.ugc-live[data-shown=true]").count() == 0
