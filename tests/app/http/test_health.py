"""What operators ask the server: alive, ready, metrics; and who may not."""

import re

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pages.ui.http import health
from pages.ui.http.protection import Visitors
from tests.app import fake
from unigeoclip.errors import InputError


def client_of(services, address="127.0.0.1"):
    app = Starlette(routes=health.routes(Visitors(), services))
    return TestClient(app, client=(address, 50000))


def value(text, name):
    return float(re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)[1])


def test_a_server_is_ready_when_its_first_atlas_is_open_and_until_it_is_stopped():
    services = fake.services(["world"])
    client = client_of(services)
    assert client.get("/healthz").text == "ok"
    assert services.explorers.opening("world").wait(60)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"state": "ready"})
    services.readiness.end()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"state": "ending"})
    assert client.get("/healthz").status_code == 200  # it lives until it is gone
    assert answer.headers["cache-control"] == "no-store"


def test_a_server_without_atlases_is_not_ready():
    answer = client_of(fake.services([])).get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"state": "missing"})


def test_metrics_are_text_of_prometheus():
    services = fake.services(["world"])
    with services.metrics.timed_query("text"):
        pass
    with services.metrics.timed_query("something of a stranger"):
        pass
    services.metrics.count_run("fragment", 0.3)
    services.overlays.publish(b"12345")
    answer = client_of(services).get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    text = answer.text
    assert value(text, 'unigeoclip_query_seconds_count{kind="text"}') == 1
    assert value(text, 'unigeoclip_query_seconds_count{kind="other"}') == 1
    assert value(text, 'unigeoclip_page_run_seconds_bucket{kind="fragment",le="0.25"}') == 0
    assert value(text, 'unigeoclip_page_run_seconds_bucket{kind="fragment",le="0.5"}') == 1
    assert value(text, "unigeoclip_overlays_held_bytes") == 5
    assert value(text, "unigeoclip_pages_open") == 0
    assert value(text, "process_resident_memory_bytes") > 1e6
    assert "stranger" not in text


def test_a_query_that_fails_is_not_counted_as_answered():
    services = fake.services(["world"])
    with pytest.raises(InputError), services.metrics.timed_query("text"):
        raise InputError("no")
    assert value(services.metrics.text().decode(), 'unigeoclip_query_seconds_count{kind="text"}') == 0


@pytest.mark.parametrize(
    ("networks", "address", "headers", "status"),
    [
        ("", "127.0.0.1", {}, 200),
        ("", "::1", {}, 200),
        ("", "::ffff:127.0.0.1", {}, 200),
        ("", "192.0.2.1", {}, 404),
        ("", "testclient", {}, 404),
        ("", "127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 404),  # by a proxy on this machine
        ("", "127.0.0.1", {"Via": "1.1 proxy"}, 404),
        ("10.0.0.0/8, 192.0.2.1", "192.0.2.1", {}, 200),
        ("10.0.0.0/8, 192.0.2.1", "10.1.2.3", {}, 200),
        ("10.0.0.0/8, 192.0.2.1", "127.0.0.1", {}, 404),
    ],
)
def test_strangers_do_not_read_the_metrics(monkeypatch, networks, address, headers, status):
    monkeypatch.setenv(health.METRICS_FROM, networks)
    assert client_of(fake.services([]), address).get("/metrics", headers=headers).status_code == status


@pytest.mark.parametrize("given", ["everybody", "10.0.0.1/8", "127.0.0.1,", "*"])
def test_networks_that_are_none_are_refused(monkeypatch, given):
    monkeypatch.setenv(health.METRICS_FROM, given)
    with pytest.raises(InputError, match=f"{health.METRICS_FROM} is '{re.escape(given)}'; it takes addresses"):
        health.metrics_networks()
