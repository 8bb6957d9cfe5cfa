"""The live map in chromium: what a heatmap under the moving pointer takes, on one pane and on three."""

import statistics

STEPS, PAUSE_MS, FIRST = 80, 40, 5  # positions, the time between them, and how many of the first do not count
REST_MS = 3000  # by then the page has drawn its charts, which takes the browser long
PATIENCE_MS = 300_000  # the map of every model is encoded before it can be live
PAGES = {"one_pane": "/?", "three_panes": "/compare?"}
# From where to where the pointer moves over land: west, north, east, south, degrees.
WAYS = {"boston": (-71.13, 42.37, -71.07, 42.34), "world": (5.0, 50.0, 45.0, 45.0)}
ON_SCREEN = "([lat, lon]) => document.querySelector('.ugc-map').ugcMap.panes[0].map.latLngToContainerPoint([lat, lon])"
# Times from the pointer's event until every pane has been repainted and until the frame that shows it, and of tasks of
# the page that took longer than 50 ms: the browser reports no shorter ones.
CLOCK = """() => {
    const clock = (window.ugcHover = { asked: 0, repainted: [], shown: [], worker: [], long: [] });
    const { live } = document.querySelector('.ugc-map').ugcMap;
    const { ask, answered } = live;
    let asked = 0;
    const kind = 'onpointerrawupdate' in window ? 'pointerrawupdate' : 'pointermove';
    addEventListener(kind, ({ timeStamp }) => { clock.asked = timeStamp; }, true);
    live.ask = function () {
        if (!this.computing && this.wanted) asked = clock.asked;
        return ask.call(this);
    };
    live.answered = function (data) {
        const since = asked;
        answered.call(this, data);
        clock.worker.push(data.ms);
        clock.repainted.push(performance.now() - since);
        requestAnimationFrame(() => clock.shown.push(performance.now() - since));
    };
    new PerformanceObserver((list) => clock.long.push(...list.getEntries().map((each) => each.duration)))
        .observe({ type: 'longtask' });
}"""


def measure(address, atlas):
    """Move the pointer over the map of page Explore, and over those of page Compare.

    Returns:
        For each page "panes", "moves" and, in milliseconds, "median_ms" and "p95_ms" from the event until the heatmaps
        have been repainted, "frame_median_ms" and "frame_p95_ms" until the frame that shows them (16.7 ms apart),
        "worker_ms", the median of the computation alone, and "longest_task_ms" of the page, 0 if below 50.
    """
    from playwright.sync_api import sync_playwright

    from tests.chromium import CHROMIUM, FLAGS

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        found = {name: _on(browser, f"{address}{page}atlas={atlas}", WAYS[atlas]) for name, page in PAGES.items()}
        browser.close()
    return found


def _on(browser, url, way):
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.set_default_timeout(PATIENCE_MS)
    page.goto(url)
    panes = 3 if "/compare" in url else 1
    page.wait_for_selector(f".ugc-pane:nth-child({panes})")
    if panes > 1:
        page.locator(".js-plotly-plot .main-svg").first.wait_for()  # to draw it holds the page up
    page.wait_for_selector("[data-test-script-state=notRunning]")
    page.get_by_role("button", name="Live").click()
    at = list(_pixels(page, way))
    page.mouse.move(*at[0])  # the grids are fetched, or even made
    page.wait_for_function(f"() => document.querySelectorAll('canvas.ugc-live[data-shown=true]').length === {panes}")
    page.wait_for_timeout(REST_MS)
    page.evaluate(CLOCK)
    for position in at:
        page.mouse.move(*position)
        page.wait_for_timeout(PAUSE_MS)
    page.wait_for_timeout(500)
    clock = page.evaluate("ugcHover")
    page.close()
    return {
        "panes": panes,
        "moves": len(clock["repainted"][FIRST:]),
        **_summary("", clock["repainted"][FIRST:]),
        **_summary("frame_", clock["shown"][FIRST:]),
        "worker_ms": round(statistics.median(clock["worker"][FIRST:]), 1),
        "longest_task_ms": round(max(clock["long"], default=0.0), 1),
    }


def _pixels(page, way):
    box = page.locator(".ugc-pane-canvas").first.bounding_box()
    west, north, east, south = way
    for share in (n / STEPS for n in range(STEPS)):
        pixel = page.evaluate(ON_SCREEN, [north + share * (south - north), west + share * (east - west)])
        yield box["x"] + pixel["x"], box["y"] + pixel["y"]


def _summary(name, times):
    times = sorted(times)
    p95 = times[round(0.95 * (len(times) - 1))]
    return {f"{name}median_ms": round(statistics.median(times), 1), f"{name}p95_ms": round(p95, 1)}
