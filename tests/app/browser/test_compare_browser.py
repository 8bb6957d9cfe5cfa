"""Page Compare in a real chromium."""

import json
import re
import time

import pytest

pytestmark = pytest.mark.browser

CENTERS = """() => document.querySelector('.ugc-map').ugcMap.panes.map(pane => {
    const centre = pane.map.getCenter();
    return [pane.map.getZoom(), centre.lat, centre.lng];
})"""
PICTURES = """() => document.querySelector('.ugc-map').ugcMap.panes.map(pane => pane.overlayUrl)"""


@pytest.fixture
def compared(visit):
    """The page over the made-up world, everything embedded."""
    visitor = visit("/?atlas=world")
    visitor.page.get_by_role("link", name="Compare").click()
    visitor.page.wait_for_selector(".ugc-pane:nth-child(3) .ugc-heat[data-shown]")
    visitor.page.get_by_text("Effective rank").wait_for()
    return visitor


def pictures_other_than(visitor, before):
    """Wait until every pane shows another picture; returns them."""
    visitor.page.wait_for_function(
        "before => { const now = ("
        + PICTURES
        + ")(); return now.length && now.every((url, i) => url && url !== before[i]); }",
        arg=before,
    )
    return visitor.page.evaluate(PICTURES)


def together(page):
    """Zoom and centre of the first pane; no other differs by more than Leaflet's rounding of moves to whole pixels."""
    first, *others = page.evaluate(CENTERS)
    pixel_deg = 360 / 256 / 2 ** first[0]
    for zoom, lat, lng in others:
        assert zoom == first[0]
        assert (lat, lng) == pytest.approx((first[1], first[2]), abs=1.5 * pixel_deg)
    return first


def test_the_maps_are_painted_before_the_scatter_is_drawn(compared, visit):
    visitor = visit("/?atlas=world")
    page = visitor.page
    held = []
    page.route("**/data/overlays/*", lambda route: held.append(route))
    page.goto(f"{visitor.address}/compare?atlas=world")
    page.wait_for_function("() => document.querySelectorAll('.ugc-heat').length >= 3")
    page.wait_for_timeout(1000)  # in which it would be drawn
    assert page.get_by_text("Effective rank").count() == page.locator(".js-plotly-plot").count() == 0
    for route in held:
        route.continue_()
    page.unroute("**/data/overlays/*")
    page.locator(".js-plotly-plot").wait_for()
    assert page.locator(".ugc-heat[data-shown]").count() >= 3


def test_the_page_answers_while_a_model_works_and_stop_is_ones_own(visit):
    visitor = visit("/compare?atlas=world&models=fourier,slow")
    page = visitor.page
    stop, go_on = (page.get_by_role("button", name=name) for name in ("Stop", "Resume"))
    page.wait_for_selector(".ugc-pane:nth-child(2) .ugc-heat[data-shown]")  # its coarse look
    coarse = page.evaluate(PICTURES)
    page.locator(".ugc-pane-canvas").first.click(position={"x": 150, "y": 200})
    pictures_other_than(visitor, coarse)
    assert stop.is_visible(), "the click was answered when the work was done"
    other = visit("/compare?atlas=world&models=fourier,slow").page
    others_stop = other.get_by_role("button", name="Stop")
    others_stop.wait_for()
    stop.click()
    go_on.wait_for()
    other.wait_for_timeout(1000)
    assert others_stop.is_visible()
    go_on.click()
    for each in (page, other):
        each.get_by_text("Effective rank").wait_for()
        assert not each.get_by_text("Stopped.").count()


def test_panes_move_together_and_nothing_reruns(compared):
    page = compared.page
    compared.settle()
    sent = len(compared.sent)
    box = page.locator(".ugc-pane-canvas").nth(1).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 90, y - 40, steps=6)
    page.mouse.up()
    page.mouse.wheel(0, -300)
    page.wait_for_timeout(900)
    assert together(page)[0] > 0
    assert len(compared.sent) == sent


@pytest.mark.parametrize("width", [1280, 1291])
def test_no_pane_drifts_at_the_edge_of_the_map(compared, width):
    page = compared.page
    page.set_viewport_size({"width": width, "height": 720})
    page.wait_for_timeout(500)
    for pane, zoom in ((2, 0), (1, -200), (2, -200), (0, 500)):
        box = page.locator(".ugc-pane-canvas").nth(pane).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.wheel(0, zoom)
        page.wait_for_timeout(500)
        page.mouse.down()
        page.mouse.move(x + 160, y + 150, steps=5)
        page.mouse.up()
        page.wait_for_timeout(900)
        together(page)


def test_a_click_in_any_pane_asks_all_models(compared):
    page = compared.page
    before = page.evaluate(PICTURES)
    page.evaluate("document.querySelector('.ugc-pane-canvas').dataset.mark = 'same'")
    zoom, lat, lng = together(page)
    box = page.locator(".ugc-pane-canvas").nth(2).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    pictures_other_than(compared, before)
    notes = page.locator(".ugc-pane-title small").all_inner_texts()
    assert len(notes) == 3
    assert all(re.fullmatch(r"similarity −?\d\.\d\d to \d\.\d\d in this region", note) for note in notes)
    assert notes[2].startswith("similarity 1.00")
    assert page.locator(".ugc-marker-query").count() == 3
    assert page.get_by_text("This model hardly varies here.").count() == 1
    assert page.locator(".ugc-pane-canvas[data-mark=same]").count() == 1
    assert together(page) == pytest.approx([zoom, lat, lng], abs=2 * 360 / 256 / 2**zoom)  # as above
    asked = page.evaluate(PICTURES)
    page.get_by_role("button", name="Similarity to").click()
    assert pictures_other_than(compared, asked) == before


def test_coloring_changes_every_pane_and_keeps_the_map(compared):
    page = compared.page
    before = page.evaluate(PICTURES)
    page.evaluate("document.querySelector('.ugc-pane-canvas').dataset.mark = 'same'")
    page.get_by_role("radio", name="Clusters").or_(page.get_by_role("button", name="Clusters")).first.click()
    pictures_other_than(compared, before)
    assert page.locator(".ugc-pane").first.locator(".ugc-legend-swatches li").count() == 8
    assert page.locator(".ugc-pane-canvas[data-mark=same]").count() == 1


def test_this_view_and_a_drawn_rectangle_are_compared_in_detail(compared):
    page = compared.page
    before = page.evaluate(PICTURES)
    page.evaluate("document.querySelector('.ugc-map').ugcMap.panes[0].map.setView([25, 10], 4, {animate: false})")
    page.get_by_role("button", name="This view").click()
    before = pictures_other_than(compared, before)
    assert page.evaluate(CENTERS)[0] == pytest.approx([4, 25, 10], abs=1e-6), "what is seen already moves nothing"
    bounds = "document.querySelector('.ugc-map').ugcMap.panes[0].overlay.getBounds().toBBoxString()"
    west, _, east, _ = (float(part) for part in page.evaluate(bounds).split(","))
    assert east - west < 180
    page.get_by_role("button", name="Draw").click()
    box = page.locator(".ugc-pane-canvas").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 60, y - 60)
    page.mouse.down()
    page.mouse.move(x + 60, y + 60, steps=5)
    page.mouse.up()
    before = pictures_other_than(compared, before)
    drawn_west, _, drawn_east, _ = (float(part) for part in page.evaluate(bounds).split(","))
    assert drawn_east - drawn_west < (east - west) / 2
    zoom, lat, lng = together(page)
    assert zoom > 4, "the drawn part fills the maps"
    drawn = [float(part) for part in page.evaluate(bounds).split(",")]
    assert (lat, lng) == pytest.approx(((drawn[1] + drawn[3]) / 2, (drawn[0] + drawn[2]) / 2), abs=1)
    page.evaluate("document.querySelector('.ugc-map').ugcMap.panes[0].map.setZoom(6, {animate: false})")
    page.locator(".ugc-pane-canvas").first.click(position={"x": 200, "y": 300})
    before = pictures_other_than(compared, before)
    assert together(page)[0] == 6, "from then on the view is the visitor's"
    page.get_by_role("button", name="Similarity to").click()
    before = pictures_other_than(compared, before)
    assert page.locator(".ugc-marker-query").count() == 0, "drawing asked about a point"
    page.get_by_role("button", name="All", exact=True).click()
    pictures_other_than(compared, before)
    assert together(page)[0] < 2, "the whole atlas is seen again"


def test_a_link_to_a_region_shows_it_and_one_with_a_view_shows_that(visit):
    seen = "document.querySelector('.ugc-map').ugcMap.panes[0].map.getBounds().toBBoxString()"
    page = visit("/compare?atlas=world&box=0,-20,50,40").page
    page.wait_for_selector(".ugc-pane:nth-child(3) .ugc-heat[data-shown]")
    west, south, east, north = (float(part) for part in page.evaluate(seen).split(","))
    assert west < -20 < 40 < east
    assert south < 0 < 50 < north
    assert east - west < 150
    page = visit("/compare?atlas=world&box=0,-20,50,40&v=20,5,5").page
    page.wait_for_selector(".ugc-pane:nth-child(3) .ugc-heat[data-shown]")
    assert together(page) == pytest.approx([5, 20, 5], abs=0.1)


def test_a_lasso_dims_everything_else_on_every_map(compared):
    page = compared.page
    before = page.evaluate(PICTURES)
    plot = page.locator(".stPlotlyChart .nsewdrag").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    corners = [(0.1, 0.1), (0.55, 0.1), (0.55, 0.9), (0.1, 0.9), (0.1, 0.1)]
    page.mouse.move(box["x"] + corners[0][0] * box["width"], box["y"] + corners[0][1] * box["height"])
    page.mouse.down()
    for across, down in corners[1:]:
        page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"], steps=8)
    page.mouse.up()
    page.wait_for_function(
        "before => (" + PICTURES + ")()[0] !== before[0] && (" + PICTURES + ")()[1] !== before[1]", arg=before
    )
    page.get_by_text("cells selected").wait_for()
    page.wait_for_function(
        "[...document.querySelectorAll('.ugc-selection-pictures img')].some(img => img.complete && img.naturalWidth)"
    )
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    assert download.value.suggested_filename == "world-selection.csv"


def test_the_legend_is_whole_on_a_telephone(visit):
    page = visit("/compare?atlas=world&colour=clusters:8", width=390, height=844).page
    page.wait_for_selector(".ugc-pane:nth-child(3) .ugc-heat[data-shown]")
    heights = "(() => { const e = document.querySelector('.ugc-legend'); return [e.clientHeight, e.scrollHeight]; })()"
    shown, whole = page.evaluate(heights)
    assert shown == whole > 100


def test_disagreement_is_drawn_and_an_example_goes_to_the_maps(visit):
    visitor = visit("/compare?atlas=world&models=fourier,twisted&color=disagreement")
    page = visitor.page
    page.get_by_text("Disagreement with").first.wait_for()
    page.get_by_text("differ most").wait_for()
    page.locator(".ugc-example").first.wait_for()
    before = page.evaluate(CENTERS)
    page.get_by_role("button", name="Show on the maps").first.click()
    page.locator(".ugc-marker-best").nth(1).wait_for()
    assert page.locator(".ugc-marker-query").count() == 2
    page.wait_for_function("before => JSON.stringify((" + CENTERS + ")()) !== before", arg=json.dumps(before))
    page.get_by_role("button", name="Hide on the maps").click()
    page.wait_for_function("document.querySelectorAll('.ugc-marker').length === 0")
    assert "color=disagreement" in page.evaluate("location.search")


def test_a_link_brings_back_what_was_looked_at(compared, visit):
    page = compared.page
    page.get_by_role("radio", name="Clusters").or_(page.get_by_role("button", name="Clusters")).first.click()
    page.wait_for_selector(".ugc-legend-swatches li:nth-child(8)")
    box = page.locator(".ugc-pane-canvas").nth(1).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.get_by_role("button", name="Similarity to").wait_for()
    page.wait_for_function("location.search.includes('at=') && location.search.includes('color=clusters')")
    compared.settle()
    address, shown = page.evaluate("location.pathname + location.search"), page.evaluate(PICTURES)
    other = visit(address).page
    other.wait_for_selector(".ugc-pane:nth-child(3) .ugc-heat[data-shown]")
    assert [url.split("?")[0] for url in other.evaluate(PICTURES)] == [url.split("?")[0] for url in shown]
    other.get_by_role("button", name="Similarity to").click()
    other.wait_for_selector(".ugc-legend-swatches li:nth-child(8)")


def test_a_figure_and_the_table_are_downloaded(compared, tmp_path):
    page = compared.page
    page.get_by_text("Export").click()
    for label, ending, begin in (("Figure PNG", "png", b"\x89PNG"), ("Figure PDF", "pdf", b"%PDF")):
        with page.expect_download() as download:
            page.get_by_role("button", name=label).click()
        assert download.value.suggested_filename == f"world-components-figure.{ending}"
        download.value.save_as(tmp_path / "figure")
        assert (tmp_path / "figure").read_bytes().startswith(begin)
    page.keyboard.press("Escape")
    with page.expect_download() as download:
        page.get_by_role("button", name="Table as LaTeX").click()
    download.value.save_as(tmp_path / "table.tex")
    assert "Effective rank" in (tmp_path / "table.tex").read_text(encoding="utf-8")


def test_the_map_page_opens_without_a_network(compared, tmp_path):
    page = compared.page
    page.get_by_text("Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Map page").click()
    download.value.save_as(tmp_path / "page.html")
    taken = page.context.new_page()
    asked, faults = [], []
    taken.on("request", lambda request: None if request.url.startswith("data:") else asked.append(request.url))
    taken.on("pageerror", lambda error: faults.append(str(error)))
    taken.goto((tmp_path / "page.html").as_uri())
    taken.wait_for_function("document.querySelectorAll('.leaflet-image-layer').length === 6")
    taken.locator(".leaflet-control-zoom-in").first.click()
    taken.wait_for_timeout(600)
    assert asked == [(tmp_path / "page.html").as_uri()]
    assert not faults
    assert taken.locator("aside").count() == 3
    heading, first = (taken.locator(each).first.bounding_box() for each in ("header", ".folium-map"))
    assert first["y"] == pytest.approx(heading["y"] + heading["height"], abs=1), "the heading hides no map"
    zooms = "[...document.querySelectorAll('.leaflet-proxy')].map(each => each.style.transform)"
    assert len(set(taken.evaluate(zooms))) == 1


def test_a_map_library_that_comes_late_finds_the_map_wanted_last(visit):
    visitor = visit("/?atlas=world")
    page = visitor.page

    def late(route):
        time.sleep(3)  # meanwhile the models come in, and each time the page draws its maps anew
        route.continue_()

    page.route("**/leaflet.js", late)
    visitor.open("/compare?atlas=world")
    page.wait_for_selector(".ugc-pane:nth-child(3) .ugc-heat[data-shown]")
    visitor.settle()
    assert page.locator(".ugc-pane").count() == 3
    assert page.evaluate(PICTURES) == [
        each.get_attribute("src") for each in page.locator(".ugc-heat[data-shown]").all()
    ]


def test_a_pane_that_changes_its_size_leaves_the_address_alone(visit):
    visitor = visit("/compare?atlas=world")
    page = visitor.page
    visitor.settle()
    assert page.evaluate("document.querySelector('.ugc-map').ugcMap.panes.length") > 1
    width = page.evaluate(
        """() => {
            const { panes } = document.querySelector('.ugc-map').ugcMap;
            const { x } = panes[1].map.getSize();
            panes[1].element.style.paddingRight = '40px'; // as a legend that wraps, or a scroll bar, may do
            panes[1].canvas.style.right = '40px';
            return x;
        }"""
    )
    page.wait_for_function(
        "before => document.querySelector('.ugc-map').ugcMap.panes[1].map.getSize().x < before", arg=width
    )
    page.evaluate("document.querySelector('.ugc-map').ugcMap.address.write()")
    assert "v=" not in page.evaluate("location.search")
