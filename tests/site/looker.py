"""A page of a site in chromium, and what it requests and complains about."""

PATIENCE_MS = 60_000
PIXELS = """number => {
    const shown = document.querySelectorAll('.site-pane canvas')[number];
    const copy = new OffscreenCanvas(shown.width, shown.height);
    const context = copy.getContext('2d');
    context.drawImage(shown, 0, 0);
    const { data } = context.getImageData(0, 0, shown.width, shown.height);
    return data.reduce((sum, value) => (sum * 31 + value) % 1e9, 7);
}"""


class Looker:
    """A page of a site, with what it requested and complained about."""

    def __init__(self, context, address):
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.requests, self.complaints = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.goto(address)
        self.painted()

    def painted(self):
        """Wait until every map has a heatmap and nothing more is computed."""
        self.page.wait_for_function(
            """() => {
                const site = document.querySelector('#app').ugcSite;
                const shown = [...document.querySelectorAll('.site-pane canvas')];
                const busy = !site || site.isAsking || site.awaited;
                return !busy && shown.length && shown.every(each => each.dataset.shown === 'true');
            }"""
        )

    def pixels(self, number=0, *, but=()):
        """Hash of a map's picture, once it is none of `but`: a canvas shows a frame after its worker has painted it."""
        changed = (
            f"([number, but]) => {{ const hash = ({PIXELS})(number); return but.includes(hash) ? null : [hash]; }}"
        )
        return self.page.wait_for_function(changed, arg=[number, list(but)]).json_value()[0]

    def point(self, across, down=0.5, number=0):
        box = self.page.locator(".site-map").nth(number).bounding_box()
        self.page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])

    def repainted(self, act):
        """Do something, wait until it is painted."""
        before = self.page.evaluate("() => document.querySelector('#app').ugcSite.painted")
        act()
        self.page.wait_for_function("before => document.querySelector('#app').ugcSite.painted > before", arg=before)
        self.painted()
