"""Page Probe in a real chromium: a built-in task and one's own file, from labels to exports."""

import json
import math

import numpy as np
import pytest

from tests.app import fake_probe
from tests.attacks import hostile_files as hostile

pytestmark = pytest.mark.browser

PANES = ".ugc-pane:nth-child(3) .ugc-heat[data-shown]"


def csv_rows(n=120):
    table = fake_probe.table_of("height", "regression", fake_probe.positions(n))
    rows = zip(table.latlon.tolist(), table.target.tolist(), strict=True)
    return ["lat,lon,height", *(f"{lat:.4f},{lon:.4f},{value:.3f}" for (lat, lon), value in rows)]


@pytest.fixture
def probe(visit):
    """The page over the made-up world."""

    def go(path="/probe?atlas=world", **window):
        return visit(path, **window)

    return go


def run(visitor):
    visitor.page.get_by_role("button", name="Run probe").click()
    visitor.page.wait_for_selector(PANES)
    visitor.settle()


def upload(visitor, name, data, kind="text/csv"):
    page = visitor.page
    page.get_by_text("Your own labels", exact=True).click()
    page.get_by_role("button", name="Try an example file").wait_for()
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": kind, "buffer": data})


def overlays(page):
    return page.evaluate("() => document.querySelector('.ugc-map').ugcMap.panes.map(pane => pane.overlayUrl)")


def test_a_task_from_table_to_predictions_everywhere_and_back_by_its_link(probe, visit):
    visitor = probe()
    page = visitor.page
    page.get_by_text("The height of a made-up sphere.").wait_for()
    run(visitor)
    page.get_by_role("region", name="Scores of encoders").get_by_text("Sine and cosine").first.wait_for()
    assert page.locator(".js-plotly-plot").count() == 1
    before = overlays(page)
    page.get_by_text("Predict everywhere", exact=True).click()
    page.get_by_text("Prediction everywhere:").wait_for()
    page.wait_for_function(f"() => document.querySelectorAll('{PANES}').length === 1")
    visitor.settle()
    assert overlays(page)[0] == before[0]
    assert overlays(page)[1] != before[1]
    page.get_by_role("button", name="Export").click()
    for label, ending in (("GeoParquet", "parquet"), ("HTML report", "html"), ("GeoTIFF", "tif"), ("JSON", "json")):
        with page.expect_download() as download:
            page.get_by_role("button", name=label, exact=True).click()
        assert download.value.suggested_filename.startswith("world-height")
        assert download.value.suggested_filename.endswith(ending)
        assert download.value.path().stat().st_size > 0
    page.keyboard.press("Escape")
    address = page.evaluate("location.search")
    assert "task=height" in address
    assert "layer=everywhere" in address
    other = visit(f"/probe{address}")
    other.page.get_by_text("Prediction everywhere:").wait_for()
    assert other.page.evaluate("location.search") == address
    page.reload()
    page.get_by_text("Prediction everywhere:").wait_for()


def test_a_click_on_any_map_reads_the_row_and_maps_move_together(probe):
    visitor = probe()
    page = visitor.page
    run(visitor)
    row = fake_probe.positions()[np.abs(fake_probe.positions()).sum(axis=1).argmin()].tolist()
    x, y = visitor.leaflet("map.latLngToContainerPoint(argument)", row, "[value.x, value.y]")
    page.locator(".ugc-pane-canvas").nth(1).click(position={"x": x, "y": y})
    page.get_by_text("held out in fold").wait_for()
    centers = """() => document.querySelector('.ugc-map').ugcMap.panes.map(pane => {
        const at = pane.map.getCenter(); return [pane.map.getZoom(), at.lat, at.lng]; })"""
    page.get_by_role("button", name="12 rows").click()
    visitor.settle()
    first, *others = page.evaluate(centers)
    assert first[1] == pytest.approx(10.0, abs=5)
    assert first[2] == pytest.approx(20.0, abs=5)
    assert all(zoom == first[0] for zoom, *_ in others)


def test_ones_own_file_stays_out_of_the_address_and_is_gone_after_a_reload(probe):
    visitor = probe()
    page = visitor.page
    upload(visitor, "rents.csv", "\n".join(csv_rows()).encode())
    page.get_by_text("120 rows; target height: a number.").wait_for()
    run(visitor)
    page.get_by_text("Best in blocks").wait_for()
    assert "task" not in page.evaluate("location.search")
    private = overlays(page)
    assert all(url.startswith("/data/private/") for url in private)
    assert page.evaluate("url => fetch(url).then(answer => answer.headers.get('cache-control'))", private[0]) == (
        "no-store"
    )
    page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_role("button", name="Try an example file").wait_for()
    visitor.settle()
    assert page.request.get(visitor.address + private[0]).status == 404
    page.reload()
    page.wait_for_selector(".ugc-map[data-ready]")
    assert page.get_by_text("rents.csv").count() == 0


def test_the_example_is_one_click(probe):
    visitor = probe()
    visitor.page.get_by_text("Your own labels", exact=True).click()
    visitor.page.get_by_role("button", name="Try an example file").click()
    visitor.page.get_by_text("example.csv").wait_for()
    visitor.page.get_by_text("60 rows; target").wait_for()
    run(visitor)
    visitor.page.get_by_role("region", name="Scores of encoders").wait_for()


FEATURES = {"type": "FeatureCollection", "features": [
    {"type": "Feature", "properties": {"height": round(100 * math.sin(i / 9), 2)},
     "geometry": {"type": "Polygon", "coordinates": [[[x, 0], [x + 1, 0], [x + 1, 1], [x, 1], [x, 0]]]}}
    for i, x in enumerate(range(-60, 60))]}  # fmt: skip


def test_polygons_count_as_their_centroids(probe):
    visitor = probe()
    upload(visitor, "areas.geojson", json.dumps(FEATURES).encode(), "application/geo+json")
    visitor.page.get_by_text("120 rows; target height").wait_for()
    visitor.page.get_by_text("centroid").first.wait_for()


HOSTILE = {
    "empty.csv": b"",
    "header.csv": b"lat,lon,height\n",
    "words.csv": ("lat,lon,height\n" + "north,west,tall\n" * 50).encode(),
    "swapped.csv": "\n".join(
        ["lat,lon,height", *(f"{120 + i / 50},{40 + i / 50},{i / 7:.3f}" for i in range(50))]
    ).encode(),
    "projected.csv": "\n".join(
        ["lat,lon,height", *(f"{5.2e6 + i},{4.5e5 + i},{i / 7:.3f}" for i in range(50))]
    ).encode(),
    "ten.csv": "\n".join(csv_rows(5)).encode(),
    "page.csv": b"<html><script>alert(1)</script></html>" * 100,
    "program.zip": b"MZ\x90\0" + bytes(3000),
    "links.geojson": b'{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": null}]}',
    "picture.parquet": hostile.saved(hostile.noise(64), "PNG"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_bad_file_is_a_clear_sentence(probe, name):
    visitor = probe()
    page = visitor.page
    upload(visitor, name, HOSTILE[name], "application/octet-stream")
    own = ".st-key-probe-own"
    page.wait_for_selector(f"{own} [data-testid=stAlert], {own} :text('Choose the columns')")
    visitor.settle()
    said = " ".join(page.locator("[data-testid=stAlert]").all_inner_texts())
    assert "Traceback" not in said
    assert "unexpectedly" not in said
    assert page.get_by_role("button", name="Run probe").is_disabled()
    page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_role("button", name="Try an example file").wait_for()


def test_stop_and_narrow_and_dark(probe):
    visitor = probe(width=390, height=800, scheme="dark")
    page = visitor.page
    run(visitor)
    wide = page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
    assert wide, "the page scrolls sideways"
    boxes = [page.locator(".ugc-pane").nth(place).bounding_box() for place in range(3)]
    assert boxes[0]["y"] < boxes[1]["y"] < boxes[2]["y"], "maps stand one below the other"
    assert page.get_by_role("button", name="Run probe").is_visible()


def test_the_keyboard_reaches_what_there_is(probe):
    visitor = probe()
    page = visitor.page
    page.get_by_role("button", name="Run probe").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(PANES)
    page.locator(".ugc-pane-canvas").first.focus()
    page.keyboard.press("Enter")
    page.get_by_text("There is no row near").or_(page.get_by_text("held out in fold")).wait_for()
