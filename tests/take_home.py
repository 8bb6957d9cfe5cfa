"""The take-home map of page Explore in chromium: fetched by its button, opened without a network; what that takes."""

import statistics
import tempfile
import time
from pathlib import Path

from tests.site.looker import Looker

PATIENCE_MS = 300_000  # the first file of an atlas has every model encode the map
OPENED = 5  # times
HOVERS, PAUSE_MS = 20, 150


def fetch(page, path):
    """Press the button under "Export" of a page with an answer; the file is at ``path`` then.

    Returns:
        Seconds from the press to the whole file.
    """
    button = page.get_by_role("button", name="Take-home map (HTML)")
    if not button.is_visible():
        page.get_by_role("button", name="Export").click()
        button.wait_for()
    began = time.perf_counter()
    with page.expect_download(timeout=PATIENCE_MS) as download:
        button.click()
    download.value.save_as(path)
    return time.perf_counter() - began


def measure(address, atlas, query="q=text:park"):
    """Fetch the file twice, and open it a few times; see the module.

    Returns:
        "mb"; "first_s" and "next_s" from press to file, of the first one of an atlas and of one more; "open_s", median
        from opening it to its first answer; "hover_ms", median that the maps of one position of the pointer take.
    """
    from playwright.sync_api import sync_playwright

    from tests.chromium import CHROMIUM, FLAGS

    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{address}/?atlas={atlas}&{query}")
        page.wait_for_selector(".ugc-heat[data-shown]")
        path = Path(folder) / "map.html"
        first_s, next_s = fetch(page, path), fetch(page, path)
        page.close()
        opened, hovered = [], []
        for _ in range(OPENED):
            context = browser.new_context(viewport={"width": 1280, "height": 720}, offline=True)
            began = time.perf_counter()
            seen = Looker(context, path.as_uri())
            opened.append(time.perf_counter() - began)
            for number in range(HOVERS):
                seen.point(0.3 + 0.4 * number / HOVERS)
                seen.page.wait_for_timeout(PAUSE_MS)  # over water nothing is painted
                hovered.append(seen.page.evaluate("() => document.querySelector('#app').ugcSite.took"))
            context.close()
        size = path.stat().st_size
        browser.close()
    return {
        "mb": round(size / 1e6, 2), "first_s": round(first_s, 2), "next_s": round(next_s, 2),
        "open_s": round(statistics.median(opened), 2), "hover_ms": round(statistics.median(hovered), 1),
    }  # fmt: skip
