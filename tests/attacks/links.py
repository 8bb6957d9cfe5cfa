"""Open hostile links in the app as it runs, and count what breaks: ``python -m tests.attacks.links [COUNT [SECONDS]]``.

Each link is opened by a visitor without a browser (``tests.app.visitor``), in a session of its own, on a server of
its own on loopback. The counts are printed as JSON: {"links", "exceptions_shown", "errors_told", "timeouts",
"tracebacks_in_log", "server_stops", "slowest_s"}; the exit status is 1 if anything broke.
"""

import contextlib
import itertools
import json
import random
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.app import server
from tests.app.visitor import Visitor

COUNT, SECONDS = 300, 240.0
PATIENCE_S = 60.0
PAGES = ("explore", "compare", "modalities", "atlas")
HUGE = "9" * 5000

# Those that were found to break the app, or could.
_EXPLORE = [
    {"q": ["view:42.36,-71.06," + "9" * 400]},
    {"q": ["view:" + "9" * 400 + ",-71.06,45"]},
    {"q": [f"at:{HUGE},1"]},
    {"q": ["at:1,1e308"]},
    {"q": ["at:1," + "9" * 308]},
    {"q": [f"{HUGE}*text:sea"]},
    {"q": ["1e308*text:sea", "1e308*text:desert"]},
    {"q": [f"place:{HUGE}"]},
    {"q": [f"place:{HUGE[:150]}", "text:sea"]},
    {"q": [f"vec:aerial:{HUGE}"]},
    {"q": ["vec:aerial:AAAAAAAA"]},
    {"q": ["vec:nothing:ABCDEFGH~name"]},
    {"q": [f"text:{HUGE}"]},
    {"q": ["text:\x00"]},
    {"q": [f"text:{number}" for number in range(300)]},
    {"q": ["text:sea"], "o": [HUGE]},
    {"q": ["text:sea"], "o": ["²"]},
    {"v": [f"{HUGE},1,1"]},
    {"v": ["nan,inf,1"]},
    {"b": [HUGE]},
    {"q": ["text:sea"], "top": [HUGE]},
    {"q": ["text:sea"], "best": [HUGE], "outline": ["²"], "colors": ["<b>"], "items": ["place"]},
    {"atlas": [HUGE]},
    {"atlas": ["../boston"]},
    {"mode": [HUGE]},
]
_COMPARE = [
    {"color": ["clusters:²"]},
    {"color": ["component:³"]},
    {"colour": [f"clusters:{HUGE}"]},
    {"colour": [f"component:{HUGE}"]},
    {"colour": [HUGE]},
    {"box": [",".join([HUGE] * 4)]},
    {"box": ["nan,nan,nan,nan"]},
    {"box": ["10,20,10.0000001,30"]},
    {"box": ["80,100,80.00002,100.00002"]},
    {"at": [f"{HUGE},{HUGE}"]},
    {"at": ["1,1e308"]},
    {"at": ["inf,nan"]},
    {"models": [HUGE]},
    {"models": [",".join(["unigeoclip"] * 2000)]},
    {"models": ["unigeoclip,../../x"]},
]
_MODALITIES = [
    {"places": ["cluster:²"]},
    {"places": [f"cluster:{HUGE}"]},
    {"places": ["near:inf,nan"]},
    {"places": ["box:10,20,10.0000001,30"], "count": ["12"]},
    {"places": ["map"], "seed": [HUGE]},
    {"count": ["100000"], "layout": ["umap;tsne"]},
    {"place": [HUGE], "pair": ["street->street"], "figure": ["<b>"], "centered": ["²"]},
]
_FIRST = {
    "explore": _EXPLORE,
    "compare": _COMPARE,
    "modalities": _MODALITIES,
    "atlas": [{"atlas": [HUGE]}, {"atlas": [""]}, {"q": [HUGE]}],
}
_KEYS = {
    "explore": ("q", "q", "q", "v", "b", "o", "top", "best", "outline", "colors", "colours", "items", "atlas"),
    "compare": ("models", "color", "colour", "box", "at", "at", "atlas", "q"),
    "modalities": ("places", "places", "seed", "count", "layout", "centered", "place", "pair", "figure", "atlas", "q"),
    "atlas": ("atlas", "q", "mode"),
}
_NUMBERS = (
    "", "²", "٣", "-0", "1e308", "-1e400", "inf", "nan", "1_0", "0x1F", "9" * 30, "9" * 400, "1", "42.36", "-71.06",
)  # fmt: skip
_WORDS = (
    "text", "at", "place", "view", "vec:aerial", "clusters", "component", "umap", "boston", "world", "<script>", "%00",
)  # fmt: skip


_LETTERS = [*map(chr, range(32, 127)), *map(chr, range(160, 0x3000))]


def hostile_links(page, count, seed=0):
    """The first links of a page and then made-up ones, ``count`` in all: key -> values of an address."""
    rng = random.Random(f"{page} {seed}")
    first = _FIRST[page]
    return [*first[:count], *(_made_up(page, rng) for _ in range(count - len(first)))]


def _made_up(page, rng):
    def numbers():
        return ",".join(rng.choice(_NUMBERS) for _ in range(rng.randint(1, 5)))

    def value():
        kind, letters = rng.choice(_WORDS), (rng.choice(_LETTERS) for _ in range(40))
        shapes = (
            numbers(),
            kind,
            f"{kind}:{numbers()}",
            f"{rng.choice(_NUMBERS)}*{kind}:{numbers()}",
            "".join(letters),
        )
        return rng.choice(shapes)

    keys = rng.sample(_KEYS[page], rng.randint(1, 3))
    return {key: [value() for _ in range(rng.randint(1, 3) if key == "q" else 1)] for key in keys}


class _Guest(Visitor):
    """A visitor who follows a link and looks whether the page breaks."""

    def follow(self, page, query):
        """Open a page at an address; returns how many exceptions and errors it shows."""
        self.exceptions = self.errors = 0
        self._query_string = urllib.parse.urlencode(query, doseq=True, errors="replace")
        state = ClientState(page_name="" if page == "explore" else page)
        self._rerun(state)
        self._until_script_ends()
        return self.exceptions, self.errors

    def __enter__(self):
        stream = self.address.replace("http", "ws", 1) + "/_stcore/stream"
        self._socket = connect(
            stream, subprotocols=["streamlit"], max_size=None, open_timeout=self.patience_s,
            source_address=(self.source, 0),
        )  # fmt: skip
        return self

    def _hear(self, message: ForwardMsg):
        super()._hear(message)
        if message.WhichOneof("type") == "delta":
            kind = message.delta.new_element.WhichOneof("type")
            self.exceptions += kind == "exception"
            self.errors += kind == "alert"


def attack(count=COUNT, seconds=SECONDS, arguments=server.REAL):
    """Open so many links, a third on each page, and stop after so many seconds; returns the counts."""
    counts = dict.fromkeys(("links", "exceptions_shown", "errors_told", "timeouts", "server_stops"), 0)
    broke, slowest = [], 0.0
    by_page = [[(page, query) for query in hostile_links(page, count // len(PAGES))] for page in PAGES]
    with server.running(arguments) as served:
        _warm(served.address)
        end = time.monotonic() + seconds
        for page, query in itertools.chain.from_iterable(zip(*by_page, strict=True)):
            begun = time.monotonic()
            if begun > end:
                break
            counts["links"] += 1
            found = _open(served.address, page, query, counts["links"])
            slowest = max(slowest, time.monotonic() - begun)
            for name, value in found.items():
                counts[name] += value
            if found["timeouts"] or found["exceptions_shown"]:
                broke.append([page, str(query)[:120]])
        counts["server_stops"] = int(not _is_up(served.address))
        counts["tracebacks_in_log"] = tracebacks(served.written())
    return counts | {"slowest_s": round(slowest, 2), "broke": broke[:10]}


def tracebacks(log):
    """How many tracebacks a log holds; Streamlit writes them in colours, with the codes of those between the words."""
    return re.sub(r"\x1b\[[0-9;]*m", "", log).count("Traceback (most recent call last)")


def _open(address, page, query, number):
    """Follow one link in a session of its own, from an address of its own; what it showed, as counts.

    One client that opens pages as fast as this is refused, and then not a link but that limit would be tried.
    """
    try:
        with _Guest(address, "", PATIENCE_S, f"127.1.{number // 250}.{number % 250 + 1}") as guest:
            exceptions, errors = guest.follow(page, query)
    except (OSError, WebSocketException):  # too late, or it hung up; whether the server is gone is asked at the end
        return {"timeouts": 1, "exceptions_shown": 0}
    return {"timeouts": 0, "exceptions_shown": exceptions, "errors_told": errors}


def _warm(address):
    """Wait until both atlases are open: links are then answered and not only taken."""
    for atlas in ("boston", "world"):
        with contextlib.suppress(StopIteration), Visitor(address, atlas, 300.0):
            pass


def _is_up(address):
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=10) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    given = sys.argv[1:]
    found = attack(int(given[0]) if given else COUNT, float(given[1]) if len(given) > 1 else SECONDS)
    sys.stdout.write(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    bad = ("exceptions_shown", "timeouts", "tracebacks_in_log", "server_stops")
    sys.exit(int(any(found[name] for name in bad)))
