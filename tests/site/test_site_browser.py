"""Sites in a real chromium: a file from a disk, a folder from a plain file server, and without a network after that."""

import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.axe_core import RUN
from unigeoclip.site import builder
from unigeoclip.site.content import with_query

pytestmark = pytest.mark.browser


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def file(material, asked, tmp_path_factory):
    path = tmp_path_factory.mktemp("taken") / "map.html"
    content = with_query(builder.single_contents([material])[0], material.explorer, asked)
    path.write_bytes(builder.page_of([content]))
    return path.as_uri()


@pytest.fixture
def served(material, tmp_path):
    """Address of a site in a folder below that of a plain file server, and what ends the server."""
    builder.write_site(tmp_path / "some" / "where", builder.site_files([material]))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def end():
        server.shutdown()
        server.server_close()
        thread.join()

    yield f"http://127.0.0.1:{server.server_port}/some/where/", end
    if thread.is_alive():
        end()


def test_one_file_answers_without_a_single_request(look, file):
    seen = look(file, offline=True)
    page = seen.page
    assert page.locator(".site-pane").count() == 3
    first = seen.pixels()
    seen.repainted(lambda: seen.point(0.4))
    hovered = seen.pixels(but=[first])
    seen.repainted(lambda: seen.point(0.6))
    moved = seen.pixels(but=[hovered])
    seen.repainted(lambda: page.get_by_role("button", name="office towers").click())
    seen.pixels(but=[first, hovered, moved])
    assert "office towers" in page.locator(".site-said").text_content()
    seen.repainted(lambda: page.get_by_role("button", name="Components").click())
    page.get_by_text("Principal components as colors").first.wait_for()
    assert [url for url in seen.requests if not url.startswith(("blob:", "data:"))] == [file]


def test_a_site_without_its_encoder_interpolates(look, material, tmp_path):
    files = builder.site_files([material])
    missing = next(name for name in files if "-encoder-" in name)
    builder.write_site(tmp_path / "site", {name: data for name, data in files.items() if name != missing})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "site")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    seen = look(f"http://127.0.0.1:{server.server_port}/")
    seen.repainted(lambda: seen.point(0.4))
    first = seen.pixels()
    seen.repainted(lambda: seen.point(0.6))
    seen.pixels(but=[first])
    assert any("404" in words for words in seen.complaints), "the browser says what is missing; the page goes on"
    seen.complaints.clear()
    server.shutdown()
    server.server_close()


def test_the_query_of_the_visitor_comes_first_and_is_no_markup(look, file):
    page = look(file).page
    assert page.locator(".site-examples button").first.text_content() == "Your query: </script><b>pond − 0.5 × tower"
    assert page.locator(".site-examples b").count() == 0
    page.locator(".site-item .site-picture").first.wait_for()
    assert "blob:" in page.locator(".site-picture").first.get_attribute("style")
    page.get_by_text("found by the app when this was made").wait_for()


def test_a_click_keeps_the_point_until_it_is_let_go(look, file):
    seen = look(file)
    page = seen.page
    seen.repainted(lambda: seen.point(0.4))
    seen.repainted(lambda: page.mouse.click(*at(page, 0.4)))
    page.get_by_text("Kept", exact=True).wait_for()
    assert re.search(r"#madeup/-?\d+\.\d{5},-?\d+\.\d{5}$", page.url)
    kept = seen.pixels()
    seen.point(0.7)
    page.get_by_text("places whose pictures are kept here").wait_for()
    assert seen.pixels() == kept
    page.keyboard.press("Escape")
    page.get_by_text("Live", exact=True).wait_for()
    seen.repainted(lambda: seen.point(0.3))
    seen.pixels(but=[kept])


def at(page, across, down=0.5):
    box = page.locator(".site-map").first.bounding_box()
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


def test_arrow_keys_move_the_point_and_maps_move_together(look, file):
    seen = look(file)
    page = seen.page
    page.locator(".site-map").first.focus()
    seen.repainted(lambda: page.keyboard.press("ArrowRight"))
    first = seen.pixels(1)
    seen.repainted(lambda: page.keyboard.press("Shift+ArrowRight"))
    seen.pixels(1, but=[first])
    page.keyboard.press("+")
    zooms = "() => document.querySelector('#app').ugcSite.panes.map(pane => pane.map.getZoom())"
    page.wait_for_function(f"() => {{ const all = ({zooms})(); return all[0] > 0 && new Set(all).size === 1; }}")
    page.keyboard.press("Enter")
    page.get_by_text("Kept", exact=True).wait_for()


def test_a_folder_works_below_any_address_and_without_a_network_afterwards(look, served):
    address, end = served
    seen = look(address)
    page = seen.page
    assert all(url.startswith((address, "blob:", "data:")) for url in seen.requests)
    page.evaluate("() => navigator.serviceWorker.ready.then(() => null)")
    page.wait_for_function("() => navigator.serviceWorker.controller")
    end()
    page.reload()
    seen.painted()
    first = seen.pixels()
    seen.repainted(lambda: seen.point(0.4))
    seen.pixels(but=[first])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_sites_keep_nobody_out(look, file, axe, scheme, width):
    seen = look(file, width=width, scheme=scheme)
    page = seen.page
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.evaluate(axe)
    assert page.evaluate(RUN) == []
    seen.repainted(lambda: page.get_by_role("button", name="office towers").click())
    assert page.evaluate(RUN) == []
