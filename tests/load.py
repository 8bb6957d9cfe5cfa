"""How the app bears visitors: ``python -m tests.load``, with the real data and models, on the machine it runs on.

Six measurements, none of them a test, since they are as good as the machine is idle:

- *Visitors at once.* Ten visitors, each a session of its own over Streamlit's websocket protocol, click the map every
  two seconds (``--pause``) for a minute, or as soon as their last click is answered if that takes longer. No browser
  takes part: ten of them on two cores would measure browsers. From the click to the heatmap's picture having come:
  median and p95, and whether every answer was the visitor's own: the marker stands where that visitor clicked, and a
  part of the clicks, asked again by a visitor who is alone, give the same heatmap. These visitors fetch the heatmap and
  no other picture, and what the page finds out while a visitor rests, they do not wait for. With ``--uploads`` every
  fifth act is the upload of a photograph of about a megabyte, and with ``--replicas`` nginx and two servers with one
  cache answer.
- *One visitor, many queries.* A thousand clicks in one session; the server's resident memory after the first hundred
  and at the end.
- *On screen.* One visitor in chromium clicks thirty times: from the button going down to the first frame that holds the
  new heatmap, as the page's own clock tells, and the bytes of each heatmap.
- *Under the pointer.* With "Live", from an event of the pointer until the heatmap has been repainted, and until the
  frame that shows it: on page Explore, and on page Compare, where three models answer.
- *Taken home.* The seconds from the button "Take-home map" to the file, and from opening that without a network to its
  first answer, in chromium.
- *Among hostile ones.* Thirty visitors click as in the first measurement while ten others send addresses that are none,
  fetch tiles without end, upload junk, open hostile links and leave, or act faster than anybody can.
"""

import argparse
import contextlib
import io
import json
import multiprocessing
import random
import statistics
import sys
import threading
import time
from collections import Counter

import numpy as np
import psutil
from PIL import Image
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from pages.ui.http import protection
from tests import hover, take_home
from tests.app import server
from tests.app.visitor import Visitor
from tests.attacks import http
from tests.deploy import replicas

VISITORS, SECONDS, PAUSE_S, RECHECKED = 10, 60.0, 2.0, 20
UPLOAD_EVERY, PHOTO_PX = 5, (1200, 900)
QUERIES, FIRST_QUERIES = 1000, 100
CLICKS = 30
HONEST, HOSTILE, HARM_PER_S = 30, 10, 20.0
IDLE_PERCENT, SETTLES_WITHIN_S = 15.0, 180.0
BARS = {"p95_s": 3.0, "hostile_p95_s": 2.0, "growth_mb": 60.0, "on_screen_s": 1.0, "heatmap_kb": 150.0, "open_s": 2.0,
        "hover_ms": [16.0, 33.0]}  # fmt: skip
# Where clicks fall: south, west, north, east, degrees; well inside what the map shows at first.
WHERE = {"boston": (42.29, -71.17, 42.42, -71.03), "world": (-35.0, -100.0, 60.0, 130.0)}
DIGITS = {"boston": 5, "world": 2}  # of a click's coordinates, as the page rounds them, or coarser
CHROMIUM = "/usr/bin/chromium"
# Remembers when the button went down, and when the next heatmap has been painted.
WATCH = """() => {
    const clock = (window.ugcClock = { asked: 0, url: null, shown: 0 });
    addEventListener('pointerdown', () => { clock.asked = performance.now(); clock.shown = 0; }, true);
    new MutationObserver(() => {
        const newest = [...document.querySelectorAll('.ugc-heat[data-shown]')].at(-1);
        if (!newest || newest.getAttribute('src') === clock.url) return;
        clock.url = newest.getAttribute('src');
        requestAnimationFrame(() => requestAnimationFrame(() => { clock.shown = performance.now(); }));
    }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-shown'] });
}"""


class Clicks:
    """Random points of an atlas, never the same twice, the same at every run."""

    def __init__(self, atlas, seed):
        self._random, self._where, self._digits = random.Random(seed), WHERE[atlas], DIGITS[atlas]

    def __iter__(self):
        south, west, north, east = self._where
        while True:
            lat, lon = self._random.uniform(south, north), self._random.uniform(west, east)
            yield round(lat, self._digits), round(lon, self._digits)


class ClicksAndUploads(Clicks):
    """The same, and every `UPLOAD_EVERY`-th is a picture that nobody else has: a JPEG, as bytes."""

    def __init__(self, atlas, seed):
        super().__init__(atlas, seed)
        self._dice = np.random.default_rng(seed)

    def __iter__(self):
        for number, point in enumerate(super().__iter__(), 1 + self._dice.integers(UPLOAD_EVERY)):
            yield point if number % UPLOAD_EVERY else self._photo()

    def _photo(self):
        coarse = Image.fromarray(self._dice.integers(0, 256, (9, 12, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize(PHOTO_PX, Image.Resampling.BICUBIC), np.int16)
        noisy = np.clip(smooth + self._dice.integers(-40, 41, smooth.shape), 0, 255).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(noisy).save(buffer, "JPEG", quality=90)
        return buffer.getvalue()


def measure_visitors(
    address, atlas, visitors=VISITORS, seconds=SECONDS, pause_s=PAUSE_S, ended=lambda: None, acts=Clicks
):
    """Visitors who click at the same time; see the module. ``ended`` is called when they have.

    Returns:
        "visitors"; "clicks" and "uploads", of all of them; "median_s", "p95_s" and "slowest_s" from click or upload to
        heatmap, those of uploads once more by themselves; "others", answers that were not the visitor's own; "failed",
        sentences about visitors who gave up.
    """
    answers, failed = [], []
    together = threading.Barrier(visitors)

    def visit(number):
        try:
            with Visitor(address, atlas, source=f"127.0.0.{number + 2}") as visitor:
                together.wait()
                time.sleep(pause_s * number / visitors)  # people do not click in step
                answers.extend(_clicks_for(visitor, acts(atlas, number), seconds, pause_s))
        except (TimeoutError, OSError, threading.BrokenBarrierError) as error:
            together.abort()
            failed.append(f"visitor {number}: {type(error).__name__}: {error}")

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(visitors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ended()
    times = [shown.fetched_s for _, shown in answers]
    uploaded = [shown.fetched_s for act, shown in answers if isinstance(act, bytes)]
    of_uploads = {f"uploads_{name}": value for name, value in _spread(uploaded).items()}
    return {
        "visitors": visitors, "clicks": len(answers) - len(uploaded), "uploads": len(uploaded),
        **_spread(times), **of_uploads,
        "others": _not_their_own(address, atlas, answers), "failed": failed,
    }  # fmt: skip


def measure_hostile(address, atlas, visitors=HONEST, hostile=HOSTILE, seconds=SECONDS, pause_s=PAUSE_S):
    """Visitors who click as in `measure_visitors` while others do the server harm, each in one of five ways.

    All come from addresses of their own, as strangers do. The hostile ones stop when the honest ones have.

    Returns:
        As `measure_visitors`, of the honest ones, and "hostile"; "harm", what they did, by kind; "faults", answers 500.
    """
    begin = multiprocessing.get_context("spawn")
    ready, over, counted = begin.Event(), begin.Event(), begin.Queue()
    # A process of their own: their work must not be in the way of the clocks of the others, nor must its imports.
    ill = begin.Process(target=_do_harm, args=(address, atlas, hostile, ready, over, counted), daemon=True)
    ill.start()
    ready.wait(60)
    honest = measure_visitors(address, atlas, visitors, seconds, pause_s, over.set)
    done, faults = counted.get(timeout=180)
    ill.join(60)
    return {**honest, "hostile": hostile, "harm": done, "faults": faults}


def _do_harm(address, atlas, hostile, ready, over, counted):
    """Be the hostile visitors, at most `HARM_PER_S` acts a second each, until it is over; says when they begin."""
    done, faults = Counter(), Counter()
    ready.set()

    def harm(number):
        kind = HARM[number % len(HARM)]
        dice, source = random.Random(number), f"127.0.1.{number + 1}"
        while not over.is_set():
            with contextlib.suppress(OSError, TimeoutError, WebSocketException):  # refused, as it should be
                faults["500"] += kind(address, atlas, dice, source) == 500
            done[kind.__name__.lstrip("_")] += 1
            over.wait(1 / HARM_PER_S)

    threads = [threading.Thread(target=harm, args=(number,), daemon=True) for number in range(hostile)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counted.put((dict(done), faults["500"]))


def _bad_addresses(address, _atlas, dice, source):
    """Tiles and pictures that are none, with numbers of thousands of digits."""
    path = dice.choice([*http.known(), *http.at_random(dice, 5)])
    return http.send(address, http.request(path), source=source)[0]


def _many_tiles(address, atlas, dice, source):
    """Tiles, pictures and street views that nobody has asked for yet."""
    south, west, north, east = WHERE[atlas]
    lat, lon = dice.uniform(south, north), dice.uniform(west, east)
    path = dice.choice(
        [
            f"/data/{atlas}/tiles/plain/5/{dice.randrange(32)}/{dice.randrange(32)}",
            f"/data/{atlas}/pictures/surface/{lat},{lon}",
            f"/data/{atlas}/street/{lat},{lon},{dice.randrange(360)}.jpg?w=1344",
        ]
    )
    return http.send(address, http.request(path), source=source)[0]


def _junk_uploads(address, _atlas, dice, source):
    """Files for sessions that are none."""
    body = dice.randbytes(200_000)
    data = http.request(f"/_stcore/upload_file/{dice.random()}/1", "PUT", [f"Content-Length: {len(body)}"]) + body
    return http.send(address, data, source=source)[0]


def _connected(address, source):
    stream = address.replace("http", "ws", 1) + "/_stcore/stream"
    return connect(stream, subprotocols=["streamlit"], max_size=None, source_address=(source, 0), open_timeout=60)


def _hostile_links(address, atlas, dice, source):
    """A page opened by a link that is none, or that asks for much; gone at once, and back again."""
    digits = "9" * dice.randint(1, 6000)
    link = dice.choice(
        [f"q=view:42.36,-71.06,{digits}", f"q=at:{digits},1", f"q={'text:a&q=' * 500}", f"o={digits}", "q=vector:AAAA",
         f"top={digits}", f"q=text:{'word ' * 1000}"]
    )  # fmt: skip
    with _connected(address, source) as line:
        line.send(BackMsg(rerun_script=ClientState(query_string=f"atlas={atlas}&{link}")).SerializeToString())
        time.sleep(dice.uniform(0, 0.5))


def _endless_acts(address, atlas, dice, source):
    """A page that has the server draw it again and again without waiting, and now and then sends junk."""
    with _connected(address, source) as line:
        for _ in range(200):
            state = ClientState(query_string=f"atlas={atlas}&q=text:{dice.random()}")
            line.send(BackMsg(rerun_script=state).SerializeToString())
        line.send(b"junk")
        for _ in range(1000):
            line.recv(timeout=10)


HARM = (_bad_addresses, _many_tiles, _junk_uploads, _hostile_links, _endless_acts)


def _clicks_for(visitor, clicks, seconds, pause_s):
    """Click every ``pause_s`` seconds, or when the last answer is there; returns (act, what was shown)."""
    answers, begun = [], time.monotonic()
    due = begun
    for act in clicks:
        time.sleep(max(0.0, due - time.monotonic()))
        if time.monotonic() - begun >= seconds:
            return answers
        due = time.monotonic() + pause_s
        answers.append((act, _do(visitor, act)))
    return answers


def _do(visitor, act):
    return visitor.upload(act) if isinstance(act, bytes) else visitor.click(*act)


def _not_their_own(address, atlas, answers):
    """How many answers show another point, or another heatmap than a visitor who is alone gets."""
    wrong = sum(shown.point != (None if isinstance(act, bytes) else act) for act, shown in answers)
    sample = random.Random(0).sample(answers, min(RECHECKED, len(answers)))
    with Visitor(address, atlas) as alone:
        return wrong + sum(_do(alone, act).overlay != shown.overlay for act, shown in sample)


def measure_memory(served, atlas, queries=QUERIES, first=FIRST_QUERIES):
    """Resident memory of the server while one session asks and asks.

    Returns:
        "queries"; "opened_mb", "first_mb" after the first of them, "last_mb" at the end, "growth_mb" between these two;
        "median_s" of a query.
    """
    process, resident, times = psutil.Process(served.pid), {}, []
    with Visitor(served.address, atlas) as visitor:
        resident["opened_mb"] = _resident_mb(process)
        for number, point in zip(range(1, queries + 1), Clicks(atlas, 1), strict=False):
            times.append(visitor.click(*point).fetched_s)
            if number == first:
                resident["first_mb"] = _resident_mb(process)
            if number % 100 == 0:
                _say(f"{number} of {queries} queries: {_resident_mb(process)} MB")
        resident["last_mb"] = _resident_mb(process)
    growth = round(resident["last_mb"] - resident.get("first_mb", resident["opened_mb"]), 1)
    return {"queries": queries, **resident, "growth_mb": growth, "median_s": round(statistics.median(times), 3)}


def _resident_mb(process):
    return round(process.memory_info().rss / 1e6, 1)


def measure_screen(address, atlas, clicks=CLICKS):
    """One visitor in chromium; see the module.

    Returns:
        "clicks"; "median_s", "p95_s" and "slowest_s" from click to heatmap on screen; "heatmap_kb", median and largest.
    """
    from playwright.sync_api import sync_playwright

    from tests.chromium import FLAGS

    times, heatmaps, dice = [], [], random.Random(2)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.set_default_timeout(120_000)
        page.on("response", lambda response: "/data/overlays/" in response.url and heatmaps.append(response))
        page.goto(f"{address}/?atlas={atlas}")
        page.wait_for_selector(".ugc-map[data-ready]")
        page.get_by_text("Search the map").wait_for()
        page.evaluate(WATCH)
        box = page.locator(".ugc-pane-canvas").bounding_box()
        for _ in range(clicks + 1):  # the first one loads the cards' script, and is not counted
            page.mouse.click(*_bare_map(page, box, dice))
            page.wait_for_function("() => ugcClock.shown > 0")
            times.append(page.evaluate("(ugcClock.shown - ugcClock.asked) / 1000"))
            page.wait_for_selector("[data-test-script-state=notRunning]")
            page.wait_for_timeout(700)
        kb = [len(response.body()) / 1000 for response in heatmaps if response.url.endswith(".png")]
        browser.close()
    return {"clicks": clicks, **_spread(times[1:]), "heatmap_kb": [round(statistics.median(kb), 1), round(max(kb), 1)]}


def _bare_map(page, box, dice):
    """A random pixel of the map with nothing over it: a click on a marker brings up its card and asks nothing."""
    while True:
        x = box["x"] + dice.uniform(0.3, 0.7) * box["width"]
        y = box["y"] + dice.uniform(0.25, 0.6) * box["height"]
        if page.evaluate("([x, y]) => !document.elementFromPoint(x, y).closest('.ugc-marker, .ugc-corner')", [x, y]):
            return x, y


def _spread(times):
    if not times:
        return {}
    p95 = sorted(times)[min(len(times) - 1, round(0.95 * len(times)))]
    return {name: round(value, 3) for name, value in
            {"median_s": statistics.median(times), "p95_s": p95, "slowest_s": max(times)}.items()}  # fmt: skip


def _settle(served, atlas):
    """Ask once and wait until the server has done what it does at its start: drawing a first street view compiles."""
    process, end = psutil.Process(served.pid), time.monotonic() + SETTLES_WITHIN_S
    with Visitor(served.address, atlas) as visitor:
        visitor.click(*next(iter(Clicks(atlas, 0))))
    while process.cpu_percent(3.0) > IDLE_PERCENT and time.monotonic() < end:
        pass


def _with_processor_time(served, measure):
    """What ``measure`` returns, and the milliseconds that the servers computed for each act, until it calls "ended"."""
    processes = [psutil.Process(each.pid) for each in getattr(served, "replicas", [served])]

    def used_s():
        return sum(sum(each.cpu_times()[:2]) for each in processes)

    began, ended = used_s(), []
    found = measure(lambda: ended.append(used_s()))
    acts = max(1, found["clicks"] + found["uploads"])
    return {**found, "server_ms_per_act": round(1000 * (ended[0] - began) / acts)}


def _say(text):
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def _load():
    """What else the machine is doing: its load average of the last minute for each core, and its cores."""
    return {"cores": psutil.cpu_count(), "load_per_core": round(psutil.getloadavg()[0] / psutil.cpu_count(), 2)}


def main():
    """Measure what was asked for, everything by default, and print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--atlas", choices=sorted(WHERE), default="boston")
    parser.add_argument(
        "--only", choices=["visitors", "memory", "screen", "hover", "take_home", "hostile"], help="one measurement"
    )
    parser.add_argument("--visitors", type=int, default=VISITORS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long they click")
    parser.add_argument("--pause", type=float, default=PAUSE_S, help="seconds from a visitor's click to the next")
    parser.add_argument("--uploads", action="store_true", help="every fifth act of visitors is an upload")
    parser.add_argument("--replicas", action="store_true", help="two servers behind nginx; visitors alone")
    parser.add_argument("--queries", type=int, default=QUERIES, help="of one session, for its memory")
    parser.add_argument("--clicks", type=int, default=CLICKS, help="in chromium")
    parser.add_argument("--fake", action="store_true", help="made-up data: to try this script")
    arguments = parser.parse_args()
    report = {"atlas": arguments.atlas, "bars": BARS}
    acts = ClicksAndUploads if arguments.uploads else Clicks
    measurements = {
        "visitors": lambda served: _with_processor_time(
            served,
            lambda ended: measure_visitors(
                served.address, arguments.atlas, arguments.visitors, arguments.seconds, arguments.pause, ended, acts
            ),
        ),
        "memory": lambda served: measure_memory(served, arguments.atlas, arguments.queries),
        "screen": lambda served: measure_screen(served.address, arguments.atlas, arguments.clicks),
        "hover": lambda served: hover.measure(served.address, arguments.atlas),
        "take_home": lambda served: take_home.measure(served.address, arguments.atlas),
        "hostile": lambda served: measure_hostile(served.address, arguments.atlas, seconds=arguments.seconds),
    }
    if arguments.fake:
        del measurements["take_home"]  # made-up explorers make none
    if arguments.replicas:
        if arguments.only != "visitors":
            parser.error("--replicas belongs to --only visitors.")
        with replicas.running(server.FAKE if arguments.fake else server.REAL) as served:
            for each in served.replicas:
                _settle(each, arguments.atlas)
            report["visitors"] = _load() | measurements["visitors"](served)
        sys.stdout.write(json.dumps(report, indent=1) + "\n")
        return
    for name in [arguments.only] if arguments.only else measurements:
        # To ask a thousand times without waiting is what the server slows down; here it is what is measured.
        pace = {protection.RUNS_A_SECOND: "1000"} if name == "memory" else {}
        with server.running(server.FAKE if arguments.fake else server.REAL, pace) as served:
            _settle(served, arguments.atlas)
            _say(name)
            report[name] = _load() | measurements[name](served)
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
