"""The app over the fake atlas in a real chromium; every request of a visit is recorded."""

import re

import pytest

from tests.app import server

PATIENCE_MS = 120_000  # a busy machine is slow, not broken
FAILED = "[data-testid=stException]"  # where a page shows that its script has failed
LOG_SHOWN = 5_000  # characters of the server's log


@pytest.fixture(scope="session")
def served():
    """A server of the app."""
    with server.running() as running:
        yield running


_FUNCTION = re.compile(r"\s*(async\s*)?(\w+|\([^()]*\))\s*=>")


def _wait_under_policy(page):
    """Let ``page.wait_for_function`` take plain expressions: it has the page evaluate those, which the app forbids."""
    wait = page.wait_for_function
    page.wait_for_function = lambda expression, **options: wait(
        expression if _FUNCTION.match(expression) else f"() => ({expression})", **options
    )


class Visit:
    """A page of the app, with what it requested, complained about and sent to the server."""

    def __init__(self, context, address):
        self.page = context.new_page()
        _wait_under_policy(self.page)
        self.page.set_default_timeout(PATIENCE_MS)
        self.address, self.requests, self.complaints, self.sent = address, [], [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._hear)
        self.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: self.sent.append(frame)))

    def _hear(self, message):
        if message.type == "error":
            self.complaints.append(f"{message.text} {message.location.get('url', '')}".strip())

    def open(self, path="/"):
        self.page.goto(self.address + path)
        self.page.wait_for_selector(f".ugc-map[data-ready], {FAILED}")
        assert not self.failed, "the app has failed"
        return self

    def click_map(self, across=0.5, down=0.5):
        box = self.page.locator(".ugc-pane-canvas").bounding_box()
        self.page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])

    def click_at(self, lat, lon):
        """Click the map where a point is."""
        x, y = self.leaflet("map.latLngToContainerPoint(argument)", [lat, lon], "[value.x, value.y]")
        box = self.page.locator(".ugc-pane-canvas").bounding_box()
        self.page.mouse.click(box["x"] + x, box["y"] + y)

    def wait_for_heatmap(self, other_than=None):
        """Wait until the page has answered with a heatmap (another one than before); returns its address."""
        self.page.wait_for_function(
            """before => {
                const shown = [...document.querySelectorAll('.ugc-heat[data-shown]')].at(-1);
                const asking = document.querySelector('.ugc-marker-asking'); // the heatmap of a click comes first
                return shown && shown.getAttribute('src') !== before && !asking;
            }""",
            arg=other_than,
        )
        return self.page.locator(".ugc-heat[data-shown]").last.get_attribute("src")

    def leaflet(self, expression, argument=None, of="value"):
        """Evaluate on the Leaflet map of the first pane."""
        return self.page.evaluate(
            f"""argument => {{
                const map = document.querySelector('.ugc-map').ugcMap.panes[0].map;
                const value = {expression};
                return {of};
            }}""",
            argument,
        )

    def settle(self):
        """Wait until the page's script has ended and what its end causes has been sent."""
        for _ in range(2):  # cards come after the heatmap, and what they say of a place after that
            self.page.wait_for_function(
                "![...document.querySelectorAll('.ugc-card-figures')].some(each => each.innerText.includes('…'))"
            )
            self.page.wait_for_selector("[data-test-script-state=notRunning]")
            self.page.wait_for_timeout(500)

    def view(self):
        return self.leaflet("map.getCenter()", of="[map.getZoom(), value.lat, value.lng]")

    @property
    def failed(self):
        """Whether the page says that its script has failed."""
        return not self.page.is_closed() and self.page.locator(FAILED).count() > 0

    @property
    def foreign(self):
        """Requests that left the machine."""
        here = (self.address, self.address.replace("http", "ws"), "data:", "blob:")
        return [url for url in self.requests if not url.startswith(here)]


@pytest.fixture
def visit(browser, served):
    """Open the app: ``visit(path, width=, height=, scheme=)``; at the end nothing may have left the machine."""
    contexts, visits = [], []

    def go(path="/", *, width=1280, height=720, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        contexts.append(context)
        visits.append(Visit(context, served.address))
        return visits[-1].open(path)

    yield go
    foreign = [url for each in visits for url in each.foreign]
    complaints = [text for each in visits for text in each.complaints]
    failed = any(each.failed for each in visits)
    for context in contexts:
        context.close()
    assert not failed, f"the app has failed: {served.written()[-LOG_SHOWN:]}"
    assert foreign == [], "requests left the machine"
    assert complaints == [], "the browser complained"
