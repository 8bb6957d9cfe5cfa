"""The place search of the map, driven as a visitor does: by keyboard, by pointer, on Explore and on Compare."""

import pytest

pytestmark = pytest.mark.browser

FIELD = ".ugc-find-input"


def options(page):
    return page.locator(".ugc-find-list li").all_inner_texts()


def test_a_name_is_found_by_keyboard_and_queried(visit):
    at = visit("/?atlas=world")
    page, before = at.page, at.view()
    page.focus(FIELD)
    page.keyboard.type("lodz")
    page.wait_for_selector(".ugc-find-list li")
    assert page.get_attribute(FIELD, "aria-expanded") == "true"
    assert options(page)[0] == "Łódź Poland"
    page.keyboard.press("ArrowDown")
    active = page.get_attribute(FIELD, "aria-activedescendant")
    assert page.get_attribute(f"#{active}", "aria-selected") == "true"
    page.keyboard.press("Enter")
    at.wait_for_heatmap()
    page.wait_for_function("location.search.includes('q=at')")
    at.settle()
    zoom, lat, lon = at.view()
    assert zoom > before[0]
    assert (abs(lat - 51.77) < 1, abs(lon - 19.47) < 1) == (True, True)
    assert page.input_value("input[aria-label=Latitude]").startswith("51.7")
    assert page.input_value(FIELD) == "Łódź"
    assert page.get_attribute(FIELD, "aria-expanded") == "false"


def test_what_no_place_is_called_is_said_and_asks_nothing(visit):
    page = visit("/?atlas=world").page
    page.fill(FIELD, "qqqq")
    page.get_by_text("No place of this map is called “qqqq”.").wait_for()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    assert page.input_value(FIELD) == ""
    assert "q=" not in page.evaluate("location.search")


def test_coordinates_are_found_on_a_telephone(visit):
    at = visit("/?atlas=boston", width=390, height=844)
    page = at.page
    assert page.locator(FIELD).bounding_box()["width"] < 50  # a button until it is used
    page.click(FIELD)
    page.wait_for_function(f"document.querySelector('{FIELD}').clientWidth > 300")
    page.keyboard.type("42.36, -71.06")
    page.click(".ugc-find-list li")
    at.wait_for_heatmap()
    assert page.input_value("input[aria-label=Latitude]") == "42.36"


def test_compare_queries_every_model_there(visit):
    at = visit("/compare?atlas=world")
    page = at.page
    page.click(FIELD)
    page.keyboard.type("perth")
    page.wait_for_selector(".ugc-find-list li")
    page.keyboard.press("Enter")
    page.wait_for_function("location.search.includes('at=-3')")
