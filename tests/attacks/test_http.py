"""The attack on a server over made-up data; with the real ones: ``python -m tests.attacks.http``."""

import pytest

from tests.app import server
from tests.app.visitor import Visitor
from tests.attacks import http


@pytest.mark.slow
def test_nothing_that_a_stranger_sends_is_a_fault_of_the_server():
    with server.running() as served:
        report = http.attack(served)
        with Visitor(served.address, "world", source="127.0.0.2") as visitor:  # it serves others as before
            assert visitor.click(23.0, 8.0).bytes > 0
    counted = ("server_stops", "http_500", "tracebacks", "leaks", "injected")
    assert {name: report[name] for name in counted} == dict.fromkeys(counted, 0), report
    assert report["requests"] > 500
    assert report["peak_rss_mb"] < http.MOST_MB
