"""Page Modalities in a real chromium."""

import re

import pytest

pytestmark = pytest.mark.browser

# Where a point of the scatter is on the screen: by the number of its modality and of its place.
POINT = """([modality, place]) => {
    const chart = document.querySelector('.js-plotly-plot');
    const { left, top } = chart.getBoundingClientRect();
    const { xaxis, yaxis } = chart._fullLayout;
    const { x, y } = chart._fullData.filter(trace => trace.mode === 'markers')[modality];
    return [left + xaxis._offset + xaxis.c2p(x[place]), top + yaxis._offset + yaxis.c2p(y[place])];
}"""
DRAWN = "document.querySelector('.ugc-points-marks .is-open circle')"


def opened(visit, path="/modalities?atlas=boston", **window):
    visitor = visit(path, **window)
    visitor.page.wait_for_selector(".ugc-matrix button")
    visitor.page.wait_for_function(DRAWN)
    visitor.settle()
    return visitor


def point_at(page, modality, place):
    page.locator(".js-plotly-plot").scroll_into_view_if_needed()
    x, y = page.evaluate(POINT, [modality, place])
    page.mouse.move(x - 4, y - 4)
    page.mouse.move(x, y, steps=4)
    return x, y


def name_of_place(page):
    return page.locator(".ugc-place-head b").inner_text(), page.locator(".ugc-place-head span").inner_text()


def test_a_visitor_opens_a_place_and_a_pair_and_a_reload_keeps_both(visit):
    visitor = opened(visit)
    page = visitor.page
    assert page.locator(".ugc-marker-match").count() == 35
    point_at(page, 1, 20)
    card = page.locator(".ugc-points-card")
    card.wait_for(state="visible")
    assert card.locator("b").inner_text() == "Aerial image"
    page.wait_for_function("document.querySelector('.ugc-points-card img')?.naturalWidth > 0")
    before = name_of_place(page)
    page.mouse.click(*point_at(page, 1, 20))
    page.wait_for_function("new URLSearchParams(location.search).has('place')")
    visitor.settle()
    place = name_of_place(page)
    assert place != before
    assert page.locator(".ugc-points-marks .is-open circle").count() == 5
    assert page.locator(".ugc-place-items > li").count() == 5
    assert page.locator(".ugc-similarities td b").count() == 20
    button = page.locator('.ugc-matrix button[data-pair="aerial->street"]')
    button.focus()
    page.keyboard.press("ArrowDown")  # over the diagonal, where there is nothing to press
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_function("new URLSearchParams(location.search).get('pair') === 'surface->aerial'")
    page.get_by_role("region", name="Examples: Surface model finds Aerial image").wait_for()
    visitor.settle()
    assert page.evaluate("document.activeElement.dataset.pair") == "surface->aerial", "the focus stays"
    page.reload()
    page.wait_for_selector(".ugc-matrix button[aria-pressed=true]")
    page.wait_for_function(DRAWN)
    visitor.settle()
    assert name_of_place(page) == place
    pressed = page.locator(".ugc-matrix button[aria-pressed=true]")
    assert pressed.get_attribute("data-pair") == "surface->aerial"
    pressed.scroll_into_view_if_needed()
    broken = "[...document.querySelectorAll('.ugc-example-row img, .ugc-place-items img')].every(e => e.naturalWidth)"
    page.locator(".ugc-example-row").last.scroll_into_view_if_needed()
    page.wait_for_function(broken)


def test_a_click_on_a_point_keeps_the_chart_as_it_was_zoomed(visit):
    visitor = opened(visit, "/modalities?atlas=world")
    page = visitor.page
    x, y = page.evaluate(POINT, [0, 3])
    page.mouse.move(x, y)
    page.mouse.wheel(0, -400)
    range_of = "document.querySelector('.js-plotly-plot')._fullLayout.xaxis.range"
    page.wait_for_timeout(800)
    zoomed = page.evaluate(range_of)
    page.evaluate("document.querySelector('.js-plotly-plot').dataset.mark = 'same'")
    page.mouse.click(*point_at(page, 0, 3))
    page.wait_for_function("new URLSearchParams(location.search).has('place')")
    visitor.settle()
    assert page.locator(".js-plotly-plot[data-mark=same]").count() == 1, "the chart was drawn anew"
    assert page.evaluate(range_of) == pytest.approx(zoomed)


def test_a_marker_opens_its_place_and_a_click_on_the_map_shows_the_nearest(visit):
    visitor = opened(visit, "/modalities?atlas=world&count=12")
    page = visitor.page
    before = name_of_place(page)
    page.locator(".ugc-marker-match").nth(5).dispatch_event("click")
    page.wait_for_function("new URLSearchParams(location.search).has('place')")
    visitor.settle()
    assert name_of_place(page) != before
    visitor.click_at(20.0, 10.0)
    page.wait_for_function("(new URLSearchParams(location.search).get('places') ?? '').startsWith('near:')")
    page.wait_for_function(DRAWN)
    visitor.settle()
    lats = [float(each) for each in re.findall(r"places=near%3A(-?[\d.]+)", page.url)]
    assert lats[0] == pytest.approx(20, abs=2)
    page.get_by_role("button", name="Resample").wait_for(state="detached")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (400, "light")])
def test_nothing_runs_out_of_a_dark_or_a_narrow_window(visit, width, scheme):
    page = opened(visit, width=width, height=800, scheme=scheme).page
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth <= innerWidth")
    ink, paper = page.evaluate(
        """() => ['.ugc-points-marks', '.stApp'].map((selector, background) => getComputedStyle(
            document.querySelector(selector))[background ? 'backgroundColor' : 'color'])"""
    )
    assert ink != paper
    heights = page.evaluate("[...document.querySelectorAll('.ugc-matrix button')].map(each => each.offsetHeight)")
    assert min(heights) >= 44, "as large as a finger"
