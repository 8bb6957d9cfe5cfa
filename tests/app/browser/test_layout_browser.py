"""Pages on a telephone and on a wall of screens: nothing is wider than the window, and nothing lies beyond its edge."""

import pytest

pytestmark = pytest.mark.browser

PAGES = {
    "explore": "/?atlas=world&q=text:hot%20desert",
    "city": "/?atlas=boston&q=text:Fenway",
    "compare": "/compare?atlas=world",
    "modalities": "/modalities?atlas=world",
    "probe": "/probe?atlas=world",
    "atlas": "/atlas?atlas=world",
}
# Widths of what scrolls, and what of the header and of the map's controls is beyond the window.
MEASURED = """() => {
    const main = document.querySelector('[data-testid=stMain]');
    const controls = '[data-testid=stMainMenuButton], .ugc-corner *, .ugc-find-input';
    const beyond = [...document.querySelectorAll(controls)].filter((each) => {
        const box = each.getBoundingClientRect();
        return box.width > 1 && (box.left < -1 || box.right > innerWidth + 1);
    });
    return {
        wider: Math.max(document.documentElement.scrollWidth - innerWidth, main.scrollWidth - main.clientWidth),
        beyond: beyond.map((each) => `${each.tagName}.${each.className}`),
    };
}"""


@pytest.mark.parametrize("width", [390, 3840])
@pytest.mark.parametrize("page", PAGES)
def test_no_page_is_wider_than_the_window(visit, page, width):
    at = visit(width=width, height=844 if width < 1000 else 2160)
    at.page.goto(at.address + PAGES[page])
    at.page.wait_for_selector(".st-key-atlas-switch")  # on every page
    at.settle()
    assert at.page.evaluate(MEASURED) == {"wider": 0, "beyond": []}


def test_the_models_of_compare_can_be_chosen_on_a_telephone(visit):
    at = visit(PAGES["compare"], width=390, height=844)
    names = at.page.locator(".st-key-compare-models [data-testid=stButtonGroup]").bounding_box()
    assert names["width"] > 300, "the buttons beside the names leave them their room"
