"""Threads, queues and budgets of the server, without Streamlit."""

import asyncio
import threading

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from pages.ui.http import responses
from pages.ui.services import rate_limits
from pages.ui.services.compare_service import CompareService
from pages.ui.services.priority import Priority
from tests.app import fake
from unigeoclip.errors import InputError

WITHIN_S = 60  # against a hang, not a measurement


def request(client):
    return Request({"type": "http", "client": (client, 1), "headers": [], "method": "GET", "path": "/"})


def test_a_full_queue_refuses_and_one_client_never_fills_it():
    workers = responses.Workers(threads=1, waiting=3, per_client=2)
    gate = threading.Event()

    def slow(_request):
        assert gate.wait(WITHIN_S)
        return PlainTextResponse("done")

    async def crowd():
        asked = [asyncio.create_task(workers.run(slow, request(client))) for client in "aaabbc"]
        await asyncio.sleep(0)  # all have come to the queue
        refused = [task.done() for task in asked]
        gate.set()
        answers = await asyncio.wait_for(asyncio.gather(*asked), WITHIN_S)
        again = await workers.run(slow, request("a"))
        return refused, [answer.status_code for answer in answers], answers[2], again.status_code

    refused, statuses, third, again = asyncio.run(crowd())
    assert statuses == [200, 200, 503, 200, 200, 503]  # a's third is one too many of a, c comes to a full queue
    assert refused == [False, False, True, False, False, True]
    assert third.headers["retry-after"] == "1"
    assert again == 200
    assert not workers._in_flight


def test_a_fault_gives_its_turn_back():
    workers = responses.Workers(threads=1, waiting=0, per_client=1)

    def fail(_request):
        raise RuntimeError("a fault")

    for _ in range(3):
        assert asyncio.run(workers.run(fail, request("a"))).status_code == 500


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_a_bucket_gives_a_burst_and_then_a_steady_rate():
    clock = Clock()
    bucket = rate_limits.Bucket(3, 0.5, clock)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    clock.now += 2
    assert [bucket.take() for _ in range(2)] == [True, False]
    clock.now += 1000
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


def test_a_bucket_on_credit_says_how_long_to_wait():
    clock = Clock()
    bucket = rate_limits.Bucket(1, 2.0, clock)
    assert [bucket.wait_s() for _ in range(3)] == pytest.approx([0.0, 0.5, 1.0])
    clock.now += 10
    assert bucket.wait_s() == 0


def test_each_client_has_a_budget_and_only_so_many_are_remembered(monkeypatch):
    monkeypatch.setattr(rate_limits, "MAX_CLIENTS", 2)
    each = rate_limits.RateLimits(1, 0.001, Clock())
    assert [each.take(client) for client in "aab"] == [True, False, True]
    each.take("c")
    assert len(each._buckets) == 2
    assert each.take("a")  # was forgotten


def test_a_visitor_gets_only_so_many_new_regions_in_a_while():
    compare = CompareService(Priority(), load_embedders=fake.embedders, regions=rate_limits.RateLimits(2, 1e-9))
    atlas = fake.FakeAtlas()
    boxes = [(0.0, 0.0, 30.0, 30.0 + step) for step in range(3)]
    first = compare.job(atlas, boxes[0])
    compare.job(atlas, boxes[1])
    with pytest.raises(InputError, match="in a minute"):
        compare.job(atlas, boxes[2])
    compare.job(atlas, boxes[2], "another client")
    assert compare.job(atlas, boxes[0]) is first  # what is there is there
    compare.job(atlas)  # and so is the whole atlas
