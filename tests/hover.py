"""The live map in chromium: what a heatmap under the moving pointer takes, on one pane and on three."""

import statistics

STEPS, PAUSE_MS, FIRST = 80, 40, 5  # positions, the time between them, and how many of the first do not count
PATIENCE_MS = 300_000  # the map of every model is encoded before it can be live
PAGES = {"one_pane": "/?", "three_panes": "/compare?"}
# Times from the pointer's event to the frame in which every pane shows the new heatmap, and of tasks of the page that
# took longer than 50 ms: the browser reports no shorter ones.
CLOCK = """() => {
    const clock = (window.ugcHover = { asked: 0, times: [], worker: [], long: [] });
    const { live } = document.querySelector('.ugc-map').ugcMap;
    const { ask, answered } = live;
    let asked = 0;
    addEventListener('pointermove', ({ timeStamp }) => { clock.asked = timeStamp; }, true);
    live.ask = function () {
        if (!this.computing && this.wanted) asked = clock.asked;
        return ask.call(this);
    };
    live.answered = function (data) {
        const since = asked;
        answered.call(this, data);
        clock.worker.push(data.ms);
        requestAnimationFrame(() => clock.times.push(performance.now() - since));
    };
    new PerformanceObserver((list) => clock.long.push(...list.getEntries().map((each) => each.duration)))
        .observe({ type: 'longtask' });
}"""


def measure(address, atlas):
    """Move the pointer over the map of page Explore, and over those of page Compare.

    Returns:
        For each page "panes", "moves" and, in milliseconds, "median_ms" and "p95_ms" from the event to the frame,
        "worker_ms", the median of the computation alone, and "longest_task_ms" of the page, 0 if below 50.
    """
    from playwright.sync_api import sync_playwright

    from tests.chromium import CHROMIUM, FLAGS

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        found = {name: _on(browser, f"{address}{page}atlas={atlas}") for name, page in PAGES.items()}
        browser.close()
    return found


def _on(browser, url):
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.set_default_timeout(PATIENCE_MS)
    page.goto(url)
    panes = 3 if "/compare" in url else 1
    page.wait_for_selector(f".ugc-pane:nth-child({panes})")
    if panes > 1:
        page.get_by_text("Effective rank").wait_for()
    page.wait_for_selector("[data-test-script-state=notRunning]")
    page.get_by_role("button", name="Live").click()
    box = page.locator(".ugc-pane-canvas").first.bounding_box()
    at = [(box["x"] + box["width"] * (0.3 + 0.4 * n / STEPS), box["y"] + box["height"] * 0.45) for n in range(STEPS)]
    page.mouse.move(*at[0])  # the grids are fetched, or even made
    page.wait_for_function(f"() => document.querySelectorAll('canvas.ugc-live[data-shown=true]').length === {panes}")
    page.wait_for_timeout(1000)
    page.evaluate(CLOCK)
    for position in at:
        page.mouse.move(*position)
        page.wait_for_timeout(PAUSE_MS)
    page.wait_for_timeout(500)
    clock = page.evaluate("ugcHover")
    page.close()
    times = sorted(clock["times"][FIRST:])
    return {
        "panes": panes,
        "moves": len(times),
        "median_ms": round(statistics.median(times), 1),
        "p95_ms": round(times[round(0.95 * (len(times) - 1))], 1),
        "worker_ms": round(statistics.median(clock["worker"][FIRST:]), 1),
        "longest_task_ms": round(max(clock["long"], default=0.0), 1),
    }
