"""Hostile requests: ``python -m tests.attacks.http`` sends them to the app, started as README says, and counts.

Everything goes to a server of our own on this machine, over plain sockets, so that nothing tidies an address up on its
way. What once stopped the server or was answered with a fault comes first, then spellings of paths that lead elsewhere,
methods, ranges, headers, requests that are none, messages that are none, and addresses made at random, the same at
every run. The server is ended if it takes more than 3 GB of memory.

Printed as JSON: "requests"; "server_stops", how often the server was gone or did not say within 15 s that it lives;
"http_500"; "tracebacks" in its log; "leaks", answers that hold a file of this machine; "injected", answers with a
header of the asker's; "slowest_s"; "peak_rss_mb"; "statuses".
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from urllib.parse import quote, urlparse

import psutil
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.app import server
from tests.app.visitor import Visitor

MOST_MB, LIVES_WITHIN_S, PATIENCE_S = 3000, 15, 60
GENERATED, SEED = 300, 0
SECRETS = (b"root:x:0", b"[project]", b"[server]\naddress", b"Traceback (most recent")
DIGITS = [
    "9" * 400,
    "9" * 5000,
    "1000000000",
    "1000000",
    "25",
    "-1",
    "2.5",
    "%C2%B2",
    "nan",
    "inf",
    "1e999",
    "0x10",
    "1_0",
]
UP = ["..", "%2e%2e", "..%2f", "%2e%2e%2f", "..%5c", "..%c0%af", "....//", "%252e%252e", "..;", ".%00.", "..\\"]
TARGETS = ["etc/passwd", "pyproject.toml", ".streamlit/config.toml", "app.py"]
MOUNTS = [
    "/web",
    "/data/boston/vectors",
    "/static",
    "/component",
    "/media",
    "/_stcore/bidi-components",
    "/app/static",
    "",
]
PAGES = [
    "/",
    "/compare",
    "/web/components/map/map.js",
    "/data/boston/tiles/photo/0/0/0",
    "/data/boston/suggestions",
    "/_stcore/health",
]
METHODS = ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT", "get", "PROPFIND", "A" * 3000]
RANGES = [
    "bytes=0-",
    "bytes=-1",
    "bytes=9-1",
    "bytes=0-0,1-1",
    "bytes=" + "9" * 5000 + "-",
    "bytes=" + "0-1," * 2000,
    "x=1",
]


def known():
    """Addresses that once stopped the server, or were answered with a fault."""
    for digits in DIGITS:
        yield f"/data/boston/tiles/photo/{digits}/0/0"
        yield f"/data/boston/tiles/plain/{digits}/{digits}/{digits}"
        yield f"/data/boston/tiles/photo/3/{digits}/0"
        yield f"/data/boston/tiles/photo/3/0/{digits}"
        yield f"/data/boston/street/42.36,-71.06,0.jpg?w={digits}"
        yield f"/data/boston/street/{digits},{digits},{digits}.jpg"
        yield f"/data/boston/pictures/aerial/{digits},{digits}"
        yield f"/data/boston/heights/42.36,{digits}"
    for ending in ("%F0%9F%97%BA", "x%0d%0aSet-Cookie:%20a=b", "html", "svg+xml", "geojson", "png"):
        yield f"/data/overlays/0123456789abcdef01234567.{ending}"
    for rest in ("pictures/aerial/1,2", "suggestions", "vectors/coast", "heights/1,2", "tiles/photo/0/0/0"):
        yield f"/data/nope/{rest}"
    yield "/data/qr.svg?address=http://" + "%F0%9F%97%BA" * 900
    yield "/data/qr.svg?address=http://" + "a" * 60_000
    yield "/_stcore/metrics"
    yield "/compare/_stcore/health"
    yield "//evil.example/%2f.."


def elsewhere():
    """Paths that lead out of a folder."""
    for mount in MOUNTS:
        for up in UP:
            target = TARGETS[(len(mount) + len(up)) % len(TARGETS)]
            for depth in (1, 4, 9):
                yield f"{mount}/{'/'.join([up] * depth)}/{target}"
        yield f"{mount}//etc/passwd"


def at_random(dice, count=GENERATED):
    """Addresses made of parts that belong together, and parts that do not."""
    parts = [
        *DIGITS,
        *UP,
        "data",
        "boston",
        "world",
        "tiles",
        "photo",
        "pictures",
        "street",
        "vectors",
        "overlays",
        "web",
    ]
    for _ in range(count):
        chosen = [dice.choice(parts) for _ in range(dice.randint(1, 8))]
        if dice.random() < 0.5:
            chosen.append(quote("".join(chr(dice.randint(1, 0x2FFF)) for _ in range(dice.randint(1, 30)))))
        yield "/" + "/".join(chosen) + dice.choice(["", "?", "?w=" + dice.choice(DIGITS), "?%"])


def request(path, method="GET", headers=()):
    """A request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


def broken():
    """Requests that are none."""
    yield b"\x00\xff\xfe\r\n\r\n"
    yield b"GET\r\n\r\n"
    yield b"GET / HTTP/9.9\r\n\r\n"
    yield b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    yield b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n"
    yield b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
    yield b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000 + b"\r\n\r\n"
    yield b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"
    yield b"GET / HTTP/1.1\r\n" + b"".join(b"X%d: a\r\n" % number for number in range(5000)) + b"\r\n"
    yield b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"
    yield b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    yield request("/_stcore/upload_file/a/b", "PUT", ["Content-Length: 99999999999"])
    yield request("/_stcore/upload_file/../b", "PUT", ["Content-Length: 1"]) + b"x"
    yield b"GET http://evil.example/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    yield b"GET / HTTP/1.1\r\nHost: a\r\nCookie: " + b"=;," * 5000 + b"\r\nConnection: close\r\n\r\n"
    yield b"GET / HTTP/1.1\r\nHost: a\r\nIf-Modified-Since: \xff\xff\r\nConnection: close\r\n\r\n"


def every_request():
    """All of them, as bytes."""
    for path in (*known(), *elsewhere(), *at_random(random.Random(SEED))):
        yield request(path)
    for path in PAGES:
        yield from (request(path, method) for method in METHODS)
        yield from (request(path, headers=[f"Range: {each}"]) for each in RANGES)
        yield request(path, headers=["Accept-Encoding: " + "gzip, " * 3000])


class Watch:
    """The server's memory and life, looked at all the while; ends it before it takes the machine's memory."""

    def __init__(self, served):
        self._process, self._address = psutil.Process(served.pid), served.address
        self.peak_mb, self.stops = 0.0, 0
        self._over = threading.Event()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._weigh, self._greet)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception):
        self._over.set()
        for thread in self._threads:
            thread.join(LIVES_WITHIN_S + 5)

    def _weigh(self):
        while not self._over.wait(0.05) and self._process.is_running():
            try:
                self.peak_mb = max(self.peak_mb, self._process.memory_info().rss / 1e6)
            except psutil.NoSuchProcess:
                return
            if self.peak_mb > MOST_MB:
                self._process.kill()

    def _greet(self):
        while not self._over.wait(0.5):
            try:
                with urllib.request.urlopen(f"{self._address}/_stcore/health", timeout=LIVES_WITHIN_S):
                    pass
            except OSError:
                self.stops += 1


def send(address, data, patience_s=PATIENCE_S, source=""):
    """Send bytes and read the answer, from an address of this machine; 127.0.0.2 and so on are other clients.

    Returns:
        Its status, 0 where there is none; its bytes; the seconds it took.
    """
    where, began, answer = urlparse(address), time.monotonic(), b""
    try:
        with socket.create_connection(
            (where.hostname, where.port), timeout=patience_s, source_address=(source, 0)
        ) as line:
            line.sendall(data)
            while (part := line.recv(65536)) and len(answer) < 2_000_000:
                answer += part
    except OSError:  # it hung up: an answer too
        pass
    first = answer.split(b"\r\n", 1)[0].split(b" ")
    status = int(first[1]) if len(first) > 1 and first[1].isdigit() else 0
    return status, answer, time.monotonic() - began


def strange_messages(address):
    """Connections of other origins, and messages that are none; returns how many were tried."""
    stream, tried = address.replace("http", "ws", 1) + "/_stcore/stream", 0
    for origin in ("http://evil.example", "null", "file:///", f"{address}.evil.example", address):
        for message in ("text", b"junk", b"", b"\xff" * 1000, b"\x0a" * 100_000, bytes(3_000_000)):
            tried += 1
            try:
                with connect(stream, subprotocols=["streamlit"], origin=origin, open_timeout=PATIENCE_S) as line:
                    line.send(message)
                    line.recv(timeout=0.2)
            except (OSError, TimeoutError, WebSocketException):
                pass
    return tried


def attack(served):
    """Send everything; see the module for what is returned."""
    statuses, slowest, leaks, injected, requests = Counter(), (0.0, ""), 0, 0, 0
    with Watch(served) as watch:
        for data, patience_s in [*((each, PATIENCE_S) for each in every_request()), *((each, 2) for each in broken())]:
            status, answer, seconds = send(served.address, data, patience_s)
            requests += 1
            statuses[status] += 1
            if status:  # where no answer comes, it is we who wait
                slowest = max(slowest, (seconds, data[:60].decode("latin-1")))
            head, _, body = answer.partition(b"\r\n\r\n")
            leaks += any(secret in body for secret in SECRETS)
            injected += b"\r\nset-cookie: a=b" in head.lower()
        requests += strange_messages(served.address)
    return {
        "requests": requests, "server_stops": watch.stops, "http_500": statuses[500],
        "tracebacks": served.written().count("Traceback (most recent call last)"), "leaks": leaks, "injected": injected,
        "slowest_s": round(slowest[0], 2), "slowest": slowest[1], "peak_rss_mb": round(watch.peak_mb),
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
    }  # fmt: skip


def main():
    """Start the app, attack it, print the counts; the exit code is 1 where something gave way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fake", action="store_true", help="made-up data: to try this script")
    arguments = parser.parse_args()
    with server.running(server.FAKE if arguments.fake else server.REAL) as served:
        with Visitor(served.address, "boston", patience_s=600) as visitor:  # until the atlas is open
            visitor.click(42.36, -71.06)
        report = attack(served)
        if report["tracebacks"]:
            sys.stderr.write(served.written()[:20_000])
    sys.stdout.write(json.dumps(report, indent=1) + "\n")
    return int(any(report[name] for name in ("server_stops", "http_500", "tracebacks", "leaks", "injected")))


if __name__ == "__main__":
    sys.exit(main())
