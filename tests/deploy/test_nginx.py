"""Two replicas behind nginx, by the files of ``deploy``: visitors stay with their session, and survive its server."""

import io
import os
import signal
import socket
import threading
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.app import server
from tests.app.visitor import Visitor
from tests.attacks import http
from tests.deploy import replicas

pytestmark = [pytest.mark.slow, pytest.mark.skipif(replicas.NGINX is None, reason="nginx is not installed")]
ATLAS, POINT = "world", (23.0, 8.0)


@pytest.fixture(scope="module")
def served():
    with replicas.running() as made:
        yield made


@pytest.fixture
def fresh():
    """Replicas of one test, which kills some."""
    with replicas.running() as made:
        yield made


def photo(seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((600, 450)).save(buffer, "JPEG")
    return buffer.getvalue()


def kill(served, name):
    process = psutil.Process(served.replicas[replicas.NAMES.index(name)].pid)
    process.kill()
    psutil.wait_procs([process], timeout=60)


def status(address, path, source="127.0.0.1", headers=(), method="GET", body=b""):
    return http.send(address, http.request(path, method, list(headers)) + body, source=source)[0]


def test_visitors_are_spread_and_all_are_answered(served):
    together = threading.Barrier(20)

    def visit(number):
        with Visitor(served.address, ATLAS) as visitor:
            together.wait(120)  # all are in at the same time
            clicked = visitor.click(-40.0 + 4 * number, 8.0)
            return visitor.cookies["unigeoclip_replica"], clicked.point, visitor.upload(photo(number)).overlay

    with ThreadPoolExecutor(20) as executor:
        found = list(executor.map(visit, range(20)))
    assert Counter(name for name, _, _ in found) == {"a": 10, "b": 10}
    assert [point for _, point, _ in found] == [(-40.0 + 4 * number, 8.0) for number in range(20)]
    for number in (3, 14):  # each picture has the answer that it has elsewhere
        other = "b" if found[number][0] == "a" else "a"
        with Visitor(served.address, ATLAS, cookies={"unigeoclip_replica": other}) as alone:
            assert alone.upload(photo(number)).overlay == found[number][2]
    for each in served.replicas:
        assert replicas.metric(each.address, 'unigeoclip_query_seconds_count{kind="location"}') == 10


def test_the_same_query_has_the_same_overlay_on_both(served):
    overlays = {}
    for name in replicas.NAMES:
        with Visitor(served.address, ATLAS, cookies={"unigeoclip_replica": name}) as visitor:
            assert visitor.cookies["unigeoclip_replica"] == name
            overlays[name] = visitor.click(*POINT).overlay
    assert overlays["a"] == overlays["b"]


def test_who_loses_a_replica_is_back_with_the_same_address_and_the_others_notice_nothing(fresh):
    address = fresh.address
    with Visitor(address, ATLAS, cookies={"unigeoclip_replica": "b"}) as stays:
        with Visitor(address, ATLAS, cookies={"unigeoclip_replica": "a"}) as loses:
            before = loses.click(*POINT)
            kill(fresh, "a")
            with pytest.raises(ConnectionClosed):
                loses.click(*POINT)
        assert stays.click(*POINT).overlay == before.overlay
        # A reload: the same address, the same cookies.
        with Visitor(address, ATLAS, query_string=loses.query_string, cookies=loses.cookies) as back:
            assert back.cookies["unigeoclip_replica"] == "b"
            assert back.shown_overlay == before.overlay
            uploaded = back.upload(photo())
            with replicas.restart(fresh, "a") as again:
                assert stays.click(*POINT).overlay == before.overlay
                assert back.upload(photo()).overlay == uploaded.overlay  # still where the session is
                assert replicas.metric(again.address, "unigeoclip_pages_open") == 0
        with Visitor(address, ATLAS) as comes:
            assert comes.click(*POINT).overlay == before.overlay


def test_a_replica_that_is_stopped_sends_new_visitors_to_the_other(fresh):
    first = fresh.replicas[0]
    with Visitor(fresh.address, ATLAS, cookies={"unigeoclip_replica": "a"}) as visitor:
        os.kill(first.pid, signal.SIGTERM)
        for _ in range(3):
            with Visitor(fresh.address, ATLAS, cookies=visitor.cookies.copy()) as other:
                assert other.click(*POINT).bytes > 0
                assert other.cookies["unigeoclip_replica"] in ("a", "b")
        psutil.Process(first.pid).wait(60)
        with Visitor(fresh.address, ATLAS, visitor.patience_s, cookies=visitor.cookies) as back:
            assert back.cookies["unigeoclip_replica"] == "b"


def test_without_any_replica_nginx_says_so(fresh):
    for name in replicas.NAMES:
        kill(fresh, name)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{fresh.address}/compare")
    assert (refused.value.code, refused.value.headers["Retry-After"]) == (503, "10")
    assert "tries again by itself" in refused.value.read().decode()


@pytest.mark.parametrize(
    "path", ["/metrics", "/readyz", "/_stcore/metrics", "//metrics", "/x/../metrics", "/%6detrics"]
)
def test_what_is_for_operators_is_not_for_strangers(served, path):
    assert status(served.address, path) == 404
    assert status(served.replicas[0].address, "/metrics") == 200


def test_the_compressed_page_comes_from_nginx(served):
    asked = urllib.request.Request(f"{served.address}/web/theme.css", headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(asked) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_pages_of_other_sites_are_refused_and_our_own_are_not(served):
    stream = served.address.replace("http", "ws", 1) + "/_stcore/stream"
    with pytest.raises(InvalidStatus, match="403"):
        connect(stream, subprotocols=["streamlit"], origin="http://evil.example").close()
    connect(stream, subprotocols=["streamlit"], origin=served.address).close()
    port = int(served.address.rpartition(":")[2])
    named = socket.create_connection(("127.0.0.1", port))  # by a browser that knows the server by a name
    origin = "http://maps.example:8080"
    connect("ws://maps.example:8080/_stcore/stream", sock=named, subprotocols=["streamlit"], origin=origin).close()


def test_a_body_is_as_large_as_it_needs_to_be(served):
    large = 52 * 1024 * 1024
    session = "/_stcore/upload_file/none/1"
    assert status(served.address, session, headers=[f"Content-Length: {large}"], method="PUT") == 413
    assert status(served.address, "/", headers=["Content-Length: 100000"], method="POST") == 413


def test_limits_are_those_of_the_visitors_own_address():
    with replicas.running(environment={"UNIGEOCLIP_MAX_PAGES_PER_CLIENT": "1"}) as served:
        cookies = {"unigeoclip_replica": "a"}
        with Visitor(served.address, ATLAS, source="127.0.0.2", cookies=cookies.copy()):
            to_a = "Cookie: unigeoclip_replica=a"
            assert status(served.address, "/", "127.0.0.2", [to_a]) == 503
            forged = [to_a, "X-Forwarded-For: 192.0.2.9", "Forwarded: for=192.0.2.9", "X-Real-IP: 192.0.2.9"]
            assert status(served.address, "/", "127.0.0.2", forged) == 503
            assert status(served.address, "/", "127.0.0.3", [to_a]) == 200


def test_a_server_believes_only_the_proxies_that_it_was_told_of():
    environment = {"UNIGEOCLIP_MAX_PAGES_PER_CLIENT": "1", "FORWARDED_ALLOW_IPS": "127.0.0.9"}
    with server.running(environment=environment) as served, Visitor(served.address, ATLAS, source="127.0.0.2"):
        assert status(served.address, "/", "127.0.0.2", ["X-Forwarded-For: 192.0.2.9"]) == 503  # a stranger's claim
        assert status(served.address, "/", "127.0.0.9", ["X-Forwarded-For: 192.0.2.9"]) == 200
        assert status(served.address, "/", "127.0.0.9", ["X-Forwarded-For: 127.0.0.2"]) == 503
