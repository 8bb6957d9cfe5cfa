"""The take-home map as a visitor gets it: by the button of the app, in a real chromium, opened without a network."""

import re

import pytest

from tests import take_home
from tests.app import server
from tests.explorable import write_explorable_city

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SMALL = ["-m", "streamlit", "run", "tests/app/small_app.py", "--server.address", "127.0.0.1", "--server.port"]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Address of the app over a small atlas with a model of its own."""
    made = tmp_path_factory.mktemp("small")
    environment = {
        "UNIGEOCLIP_SMALL_ATLAS": str(write_explorable_city(made / "madeup")),
        "UNIGEOCLIP_CACHE": str(made / "cache"),
        "PYTHONPATH": str(server.fake.ROOT),
    }
    with server.running(SMALL, environment) as served:
        yield served.address


def test_the_file_of_the_export_menu_answers_without_a_network(browser, look, address, tmp_path):
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(take_home.PATIENCE_MS)
    page.goto(f"{address}/?atlas=madeup&q=text:pond&q=-0.5*text:tower")
    page.wait_for_selector(".ugc-heat[data-shown]")
    path = tmp_path / "map.html"
    take_home.fetch(page, path)
    page.close()

    seen = look(path.as_uri(), offline=True)
    assert seen.page.locator(".site-examples button").first.text_content() == "Your query: pond − 0.5 × tower"
    first = seen.pixels()
    seen.repainted(lambda: seen.point(0.4))
    hovered = seen.pixels(but=[first])
    seen.repainted(lambda: seen.point(0.6))
    seen.pixels(but=[first, hovered])
    assert [url for url in seen.requests if not url.startswith(("blob:", "data:"))] == [path.as_uri()]
    assert not re.search(r"https?://(?:127\.0\.0\.1|localhost)", path.read_text()), "it knows nothing of the server"
