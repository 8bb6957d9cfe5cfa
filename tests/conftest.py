"""What tests of several folders share."""

import shutil

import pytest

from tests import axe_core
from tests.chromium import CHROMIUM, FLAGS


@pytest.fixture(scope="session")
def browser():
    """One chromium for all tests: Playwright runs once in a process."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe():
    """The text of axe-core's script."""
    if shutil.which("npm") is None:
        pytest.skip("axe-core is fetched by npm, which is not installed")
    return axe_core.script()
