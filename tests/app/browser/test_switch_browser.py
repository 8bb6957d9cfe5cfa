"""Four atlases in a real chromium: the switch is a list, and coordinates are read as they are typed."""

import pytest

from tests.app import server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def served():
    """A server with four atlases."""
    with server.running([*server.FAKE, "boston", "world", "los-angeles", "new-york"]) as running:
        yield running


def test_the_list_switches_with_the_titles_of_the_manifests(visit):
    page = visit().page
    page.get_by_role("combobox", name="Atlas").click()
    options = page.get_by_role("option").all_inner_texts()
    assert [option.strip() for option in options] == [
        "Boston", "A made-up world", "Los-Angeles of McTest", "New-York of McTest",
    ]  # fmt: skip
    page.get_by_role("option", name="Los-Angeles of McTest").click()
    page.wait_for_url("**atlas=los-angeles**")
    page.get_by_role("link", name="Compare").click()
    page.wait_for_selector(".ugc-map[data-ready] .ugc-pane + .ugc-pane")


def test_decimal_commas_by_keyboard(visit):
    visitor = visit("/?atlas=boston")
    page = visitor.page
    page.get_by_label("Latitude").fill("42,36")
    page.keyboard.press("Tab")
    page.keyboard.type("-71,06")
    page.keyboard.press("Enter")
    visitor.wait_for_heatmap()
    page.wait_for_url("**q=at%3A42.36%2C-71.06**")
    assert page.get_by_label("Latitude").input_value() == "42.36"
    assert page.get_by_label("Longitude").input_value() == "-71.06"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_cannot_be_read_stays_with_a_rim_and_the_focus(visit, scheme):
    page = visit("/?atlas=boston", scheme=scheme).page
    page.get_by_label("Latitude").fill("42,36")
    page.get_by_label("Longitude").fill("east")
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("is no longitude").wait_for()
    assert page.get_by_label("Longitude").input_value() == "east"
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Longitude"
    field = "document.querySelector(`.st-key-${axis} [data-testid=stTextInputRootElement]`)"
    rim = f"axis => getComputedStyle({field}).outlineStyle"
    assert [page.evaluate(rim, axis) for axis in ("latitude", "longitude")] == ["none", "solid"]


def test_on_a_telephone_the_map_begins_in_the_upper_half(visit):
    visitor = visit("/?atlas=boston", width=390, height=844)
    assert visitor.page.locator(".ugc-map").bounding_box()["y"] < 320
    visitor.open("/?atlas=boston&q=at:42.36,-71.06")
    visitor.wait_for_heatmap()
    visitor.settle()
    assert visitor.page.locator(".ugc-map").bounding_box()["y"] < 400
