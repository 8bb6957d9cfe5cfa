"""The pictures of README and docs, taken again: ``make screenshots``, or ``python -m tests.screenshots --out FOLDER``.

Starts the app with the real data, opens what each picture shows in chromium, waits until all of it is drawn, and writes
WebP files 1200 pixels wide. A picture that would be larger than `MOST_BYTES` is written at a lower quality. With
``--growth REPORT.json``, a report of ``bench --growth``, it writes docs/growth.json and growth.svg instead.
"""

import argparse
import contextlib
import io
import json
import sys
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tests.app import fake, server
from tests.chromium import CHROMIUM, FLAGS

FOLDER, DOCS = fake.ROOT / "assets" / "screenshots", fake.ROOT / "docs"
WIDTH, QUALITY, LEAST_QUALITY, MOST_BYTES = 1200, 70, 40, 70_000
PATIENCE_MS = 300_000  # the first start of an atlas draws and encodes it
STREET = "42.350400,-71.076700,60"  # camera of the street view that is uploaded: latitude, longitude, heading

# Gives the map another height than most of the window's.
LOWER = """addEventListener('DOMContentLoaded', () => {
    const style = document.createElement('style');
    style.textContent = '.ugc-map { --ugc-map-height: HEIGHTpx; }';
    document.head.append(style);
});"""
# Nothing turns, nothing is still being fetched or faded in: every picture that can be seen is there.
DRAWN = """() => {
    const seen = element => {
        const box = element.getBoundingClientRect();
        return box.width && box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight;
    };
    const any = selector => [...document.querySelectorAll(selector)].some(seen);
    const all = (selector, test) => [...document.querySelectorAll(selector)].filter(seen).every(test);
    return !any('[data-testid=stSpinner], .ugc-progress-bar, [data-testid=stSkeleton], .ugc-marker-asking')
        && document.querySelectorAll('.ugc-heat').length === document.querySelectorAll('.ugc-heat[data-shown]').length
        && all('img', image => image.complete && image.naturalWidth > 0)
        && all('.leaflet-tile', tile => tile.classList.contains('leaflet-tile-loaded'))
        && all('.ugc-card-heights', line => line.querySelector('.ugc-card-heights-bar'))
        && document.fonts.status === 'loaded';
}"""


@dataclass(frozen=True)
class Shot:
    """One picture.

    Attributes:
        path: Page and query of the app.
        ready: Selectors that must be on the page, besides everything being drawn.
        height: Of the window, pixels.
        map_height: Of the map, pixels, so that what stands below it is in the picture; 0 for its own height.
        scheme: "light" or "dark".
        upload: Whether a street view of the atlas is uploaded as a query.
    """

    path: str
    ready: tuple[str, ...] = (".ugc-heat[data-shown]", ".ugc-card img")
    height: int = 900
    map_height: int = 0
    scheme: str = "light"
    upload: bool = False


MAPS = (".ugc-pane:nth-child(3) .ugc-heat[data-shown]", ".stPlotlyChart .main-svg", ".ugc-table")
SCATTER = (".ugc-points-marks circle", ".ugc-place-items img", ".ugc-similarities")
SHOTS = {
    "explore-text": Shot("/?atlas=world&q=text:hot%20desert"),
    "explore-composed": Shot("/?atlas=world&q=text:Switzerland&q=-1.5*text:mountains&q=1.5*text:sea"),
    "explore-image": Shot("/?atlas=boston", upload=True),
    "explore-boston": Shot("/?atlas=boston&q=text:park%20by%20the%20river", scheme="dark"),
    "compare-boston": Shot("/compare?atlas=boston", MAPS, 1240, 560),
    "compare-world": Shot("/compare?atlas=world", MAPS, 1240, 560),
    "modalities-boston": Shot("/modalities?atlas=boston&centered=1", SCATTER, 1120),
    "probe-boston": Shot(
        "/probe?atlas=boston&task=boston-population-density&encoder=unigeoclip&layer=everywhere",
        (".ugc-pane:nth-child(3) .ugc-heat[data-shown]", ".stPlotlyChart .main-svg", ".ugc-table"),
        1620,
        420,
    ),
    "poster": Shot("/?mode=poster", height=810),
}


def take(browser, address, shot):
    """Open what a picture shows, wait until it is drawn, and return it as a PNG."""
    context = browser.new_context(viewport={"width": 1440, "height": shot.height}, color_scheme=shot.scheme)
    try:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        if shot.map_height:
            page.add_init_script(LOWER.replace("HEIGHT", str(shot.map_height)))
        page.goto(address + shot.path)
        page.wait_for_selector(".ugc-map[data-ready]")
        if shot.upload:
            _upload(page, address)
        for selector in shot.ready:
            page.locator(selector).first.wait_for(state="visible")
        page.mouse.move(1438, shot.height - 2)  # nothing is pointed at
        for _ in range(2):  # what is drawn may ask for more
            page.wait_for_function(DRAWN)
            page.wait_for_selector("[data-test-script-state=notRunning]")
            page.wait_for_timeout(1500)
        return page.screenshot()
    finally:
        context.close()


def _upload(page, address):
    """Ask by a street view that the atlas itself draws."""
    page.get_by_text("Search the map").wait_for()
    with urllib.request.urlopen(f"{address}/data/boston/street/{STREET}.jpg?w=448") as response:
        photo = {"name": "street.jpg", "mimeType": "image/jpeg", "buffer": response.read()}
    page.get_by_role("button", name="Image", exact=True).click()
    page.get_by_text("Street view", exact=True).last.click()
    page.get_by_text("central 4:3 part").wait_for()
    page.wait_for_selector("[data-test-script-state=notRunning]")
    page.wait_for_function("() => document.querySelectorAll('input[type=file]').length === 1")
    page.locator("input[type=file]").set_input_files(photo)
    page.locator(".ugc-heat[data-shown]").first.wait_for()
    page.keyboard.press("Escape")
    page.get_by_label("Describe a place").focus()
    page.evaluate("document.activeElement.blur()")


def save(png, path):
    """Write a picture as WebP, `WIDTH` pixels wide, at the highest quality that keeps it small; returns its size."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image = image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS)
    for quality in range(QUALITY, LEAST_QUALITY - 1, -5):
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=quality, method=6)
        if buffer.tell() <= MOST_BYTES:
            break
    path.write_bytes(buffer.getvalue())
    return buffer.tell(), quality


def save_growth(browser, report):
    """Write a report of growth, and its figure, as those of the docs."""
    from unigeoclip.growth.figure import growth_figure

    page = browser.new_page()
    page.set_content(growth_figure(json.loads(report)).to_html(div_id="growth-figure"))
    size = {"format": "svg", "width": 1000, "height": 440}
    url = page.evaluate("size => Plotly.toImage(document.getElementById('growth-figure'), size)", size)
    (DOCS / "growth.svg").write_text(urllib.parse.unquote(url.partition(",")[2]) + "\n")
    (DOCS / "growth.json").write_text(report)


def main():
    """Take the pictures that were asked for, all by default."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SHOTS)}; all by default")
    parser.add_argument("--out", type=Path, default=FOLDER, help="where the pictures are written")
    parser.add_argument("--address", help="of an app that runs already")
    parser.add_argument("--growth", type=Path, metavar="REPORT.json", help="the figure of growth in docs, alone")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(SHOTS):
        parser.error(f"There is no picture {', '.join(sorted(unknown))}; there are {', '.join(SHOTS)}.")
    arguments.out.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        browser = stack.enter_context(sync_playwright()).chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        if arguments.growth:
            save_growth(browser, arguments.growth.read_text())
            return
        address = arguments.address or stack.enter_context(server.running(server.REAL)).address
        for name in arguments.names or SHOTS:
            path = arguments.out / f"{name}.webp"
            size, quality = save(take(browser, address, SHOTS[name]), path)
            sys.stdout.write(f"{path.name}: {size / 1000:.0f} kB at quality {quality}\n")


if __name__ == "__main__":
    main()
