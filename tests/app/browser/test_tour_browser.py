"""Guided tours on the real page: they ask by its controls, can be left at any time, and work on a telephone."""

import pytest

pytestmark = pytest.mark.browser

CARD = ".ugc-tour"


def begin(page, title):
    page.click(f".ugc-intro-tours button:has-text('{title}')")
    page.wait_for_selector(CARD)


def next_step(page):
    page.click(f"{CARD} button.is-primary")
    page.wait_for_selector(f"{CARD}:not([aria-busy=true])")


def title(page):
    return page.inner_text(f"{CARD} h2")


def test_a_tour_asks_by_the_controls_of_the_page(visit):
    at = visit("/?atlas=world")
    page = at.page
    begin(page, "Where versus what")
    assert page.evaluate("document.activeElement.id") == "ugc-tour-title"
    next_step(page)
    assert title(page) == "By a place"
    page.wait_for_function("location.search.includes('q=at')")
    assert page.input_value("input[aria-label=Latitude]") == "24"
    next_step(page)
    assert title(page) == "By words"
    assert "hot desert" in page.inner_text(f"{CARD} #ugc-tour-text")
    page.wait_for_function("location.search.includes('text:hot') || location.search.includes('text%3Ahot')")
    next_step(page)
    assert title(page) == "Both at once"
    page.wait_for_function("location.search.split('q=').length === 3")
    page.click(f"{CARD} button:has-text('Back')")
    page.wait_for_selector(f"{CARD}:not([aria-busy=true])")
    assert title(page) == "By words"
    page.wait_for_function("location.search.split('q=').length === 2")


def test_escape_leaves_a_tour_and_gives_the_focus_back(visit):
    page = visit("/?atlas=boston", width=390, height=844).page
    page.focus(".ugc-intro-tours button >> nth=2")
    page.keyboard.press("Enter")
    page.wait_for_selector(CARD)
    box = page.locator(CARD).bounding_box()
    assert (box["x"] >= 0, box["x"] + box["width"] <= 390, box["y"] + box["height"] <= 844) == (True, True, True)
    page.keyboard.press("Escape")
    page.wait_for_selector(CARD, state="detached")
    assert page.evaluate("document.activeElement.textContent") == "Your own query"


@pytest.mark.parametrize("atlas", ["boston", "world"])
def test_every_step_of_every_tour_points_at_something(visit, atlas):
    page = visit(f"/?atlas={atlas}").page
    for tour in ("What is an embedding", "Where versus what", "Your own query"):
        if not page.locator(".ugc-intro-tours").count():
            page.click("button.ugc-poster-help")
        begin(page, tour)
        for _ in range(6):
            page.wait_for_selector(".ugc-tour-ring:not([hidden])")
            is_last = page.inner_text(f"{CARD} button.is-primary") == "Done"
            if is_last:
                page.click(f"{CARD} button.is-primary")
                break
            next_step(page)
        page.wait_for_selector(CARD, state="detached")


def test_a_tour_has_no_serious_problem_of_access(visit):
    page = visit("/?atlas=world").page
    begin(page, "What is an embedding")
    labelled = page.evaluate(
        """() => {
            const card = document.querySelector('.ugc-tour');
            const byId = (name) => document.getElementById(card.getAttribute(name)).textContent;
            return [card.getAttribute('role'), byId('aria-labelledby'), byId('aria-describedby').length > 40];
        }"""
    )
    assert labelled == ["dialog", "A vector for every point", True]
    assert page.get_attribute(f"{CARD} #ugc-tour-text", "aria-live") == "polite"
