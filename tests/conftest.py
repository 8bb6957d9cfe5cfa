"""What tests of several folders share."""

import pytest

from tests.chromium import CHROMIUM, FLAGS


@pytest.fixture(scope="session")
def browser():
    """One chromium for all tests: Playwright runs once in a process."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
