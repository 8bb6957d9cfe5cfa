"""Addresses that nobody meant: every answer is a status and a sentence, whatever is asked."""

import asyncio
import time
from types import SimpleNamespace
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware

from pages.ui.http import index, routes
from pages.ui.http.protection import Protection, Visitors
from tests.app import fake

WITHIN_S = 60  # against a hang, not a measurement
SECRETS = (b"root:x:0", b"[project]", b"Traceback", b'File "')

numbers = st.one_of(
    st.integers(-3, 40).map(str),
    st.integers().map(str),
    st.floats().map(repr),
    st.integers(1, 6000).map(lambda digits: "9" * digits),
    st.integers(1, 400).map(lambda digits: f"1e{'9' * digits}"),
    st.sampled_from(
        ["", "²", "٣", "0x10", "1_0", "+1", "-0", " 1", "1\n", "1/2", "inf", "nan", "NaN", "1e308", "-1e-320"]
    ),
)
words = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "..",
            ".",
            "",
            "%2e%2e",
            "..%2f..%2fetc%2fpasswd",
            "../../pyproject.toml",
            "\\..\\..\\x",
            "\x00",
            "a\r\nSet-Cookie: a=b",
        ]
    ),
)
atlases = st.one_of(st.sampled_from(["world", "boston"]), words)


def joined(*parts):
    return st.tuples(*[st.just(part) if isinstance(part, str) else part for part in parts]).map("".join)


paths = st.one_of(
    joined(
        "/data/", atlases, "/tiles/", st.sampled_from(["photo", "plain", "x"]), "/", numbers, "/", numbers, "/", numbers
    ),
    joined(
        "/data/",
        atlases,
        "/pictures/",
        st.sampled_from(["aerial", "surface", "text", ".."]),
        "/",
        numbers,
        ",",
        numbers,
    ),
    joined("/data/", atlases, "/heights/", numbers, ",", numbers),
    joined("/data/", atlases, "/street/", numbers, ",", numbers, ",", numbers, ".jpg"),
    joined("/data/", atlases, "/street/42.36,-71.12,", numbers, "/", st.sampled_from(["ahead", "back", "up"])),
    joined("/data/", atlases, "/vectors/", words),
    joined("/data/", atlases, "/suggestions"),
    joined("/data/overlays/", words, ".", words),
    joined("/data/progress/", words),
    joined("/data/qr.svg"),
    joined("/web/", words, "/", words),
    joined("/", words, "/", words, "/", words),
)
queries = st.one_of(
    st.just(""),
    joined("w=", numbers),
    joined("address=http://", st.text(max_size=600).map(quote)),
    st.text(max_size=40),
)


@pytest.fixture(scope="module")
def app():
    served = fake.services(("boston", "world"))
    yield app_of(served)
    served.close()


def app_of(served):
    """Our own routes and pages over some services, protected."""
    for name in served.explorers.names():
        assert served.explorers.opening(name).wait(WITHIN_S)
    visitors = Visitors()
    protection = Middleware(Protection, visitors=visitors, services=served)
    return Starlette(routes=[*routes.table(served), *index.routes(visitors, served)], middleware=[protection])


def ask(app, path, query="", method="GET", headers=()):
    """One request as the server hands it on, with nothing tidied up on the way; returns status, headers, body."""
    sent = []
    raw = path.encode(errors="surrogatepass")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": raw, "root_path": "", "query_string": query.encode(errors="replace"),
        "headers": list(headers), "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip

    unread = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive():
        if not unread:
            await asyncio.Event().wait()  # the other side stays connected
        return unread.pop()

    async def send(message):
        sent.append(message)

    asyncio.run(asyncio.wait_for(app(scope, receive, send), WITHIN_S))
    start = next(message for message in sent if message["type"] == "http.response.start")
    return start["status"], start["headers"], b"".join(message.get("body", b"") for message in sent)


def check(app, path, query, method="GET", headers=()):
    began = time.monotonic()
    status, answered, body = ask(app, path, query, method, headers)
    assert time.monotonic() - began < WITHIN_S
    assert status < 500, (path, query, body[:200])
    assert not any(secret in body for secret in SECRETS)
    assert not any(b"\r" in value or b"\n" in value for _, value in answered)
    assert b"set-cookie" not in {name.lower() for name, _ in answered}
    if status in (400, 404):
        assert len(body) < 1000


@given(path=paths, query=queries)
def test_no_address_is_a_fault_of_the_server(app, path, query):
    check(app, path, query)


@given(path=paths.map(lambda path: unquote_to_bytes(path).decode(errors="replace")), query=queries)
def test_no_spelling_of_an_address_is_either(app, path, query):
    check(app, path, query)


methods = st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get", "X"])
header_values = st.one_of(
    st.sampled_from([b"bytes=0-", b"bytes=-1", b"bytes=9-1", b"bytes=0-1,5-6", b"bytes=" + b"9" * 5000 + b"-", b"x"]),
    st.binary(max_size=40),
)


@given(
    path=st.sampled_from(
        [
            "/",
            "/web/components/map/map.js",
            "/data/world/vectors/coast",
            "/data/world/tiles/photo/0/0/0",
            "/data/qr.svg",
        ]
    ),
    method=methods,
    range_asked=header_values,
    other=header_values,
)
def test_methods_and_headers_are_no_fault_of_the_server(app, path, method, range_asked, other):
    check(app, path, "", method, [(b"range", range_asked), (b"if-none-match", other), (b"if-modified-since", other)])


def test_the_check_finds_what_it_looks_for(app):
    """Else the tests above could not fail."""
    status, _, body = ask(app, "/data/world/tiles/plain/0/0/0")
    assert status == 200
    assert body.startswith(b"RIFF")
    faulty = app_of(fake.services(suggestions=SimpleNamespace(json=lambda atlas: 1 / 0)))
    with pytest.raises(AssertionError):
        check(faulty, "/data/world/suggestions", "")
