"""The fair queue: how many at once, who is next, how use decays; how a page takes and ends its turn."""

import asyncio

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from pages.ui.http import protection, responses
from pages.ui.services import fair_queue
from pages.ui.services.fair_queue import HALF_LIFE_S, FairQueue
from tests.app import fake

ACT = {
    "type": "websocket.receive",
    "bytes": BackMsg(rerun_script=ClientState(query_string="q=text:sea")).SerializeToString(),
}
GONE = {"type": "websocket.disconnect", "code": 1001}


def sent(**content):
    return {"type": "websocket.send", "bytes": ForwardMsg(**content).SerializeToString()}


FINISHED = sent(script_finished=ForwardMsg.FINISHED_SUCCESSFULLY)


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


async def settle():
    for _ in range(10):
        await asyncio.sleep(0)


async def in_order(queue, clients, order):
    """Have clients ask for a turn one after the other; each ends it at once and notes that it had it."""

    async def one(client):
        turn = await queue.take(client)
        order.append(client)
        turn.end()

    tasks = [asyncio.create_task(one(client)) for client in clients]
    await settle()
    return tasks


def test_no_more_than_so_many_have_their_turn_and_the_others_wait():
    async def main():
        queue, order = FairQueue(at_once=2), []
        first, second = await queue.take("a"), await queue.take("b")
        tasks = await in_order(queue, "cd", order)
        assert order == []
        second.end()
        await settle()
        assert order == ["c", "d"]
        first.end()
        await asyncio.gather(*tasks)
        assert queue._free == 2

    asyncio.run(main())


def test_whoever_has_used_little_is_next_and_use_is_forgotten():
    async def main():
        clock = Clock()
        queue, order = FairQueue(at_once=1, clock=clock), []
        greedy = await queue.take("greedy")
        clock.now += 8
        greedy.end()
        assert queue.used_s("greedy") == pytest.approx(8)
        holder = await queue.take("holder")
        tasks = await in_order(queue, ["greedy", "modest", "greedy", "modest"], order)
        holder.end()
        await asyncio.gather(*tasks)
        assert order == ["modest", "modest", "greedy", "greedy"]
        queue._count("about as modest", 0.5)
        holder = await queue.take("holder")
        tasks = await in_order(queue, ["about as modest", "modest"], order := [])
        holder.end()
        await asyncio.gather(*tasks)
        assert order == ["about as modest", "modest"]  # in the order in which they came
        clock.now += 3 * HALF_LIFE_S
        assert queue.used_s("greedy") == pytest.approx(1)

    asyncio.run(main())


def test_a_turn_that_is_held_too_long_keeps_nobody_waiting_and_counts_whole():
    async def main():
        clock = Clock()
        queue, order = FairQueue(at_once=1, hold_s=0.01, clock=clock), []
        stuck = await queue.take("stuck")
        await asyncio.gather(*await in_order(queue, "ab", order))
        assert order == ["a", "b"]
        clock.now += 5
        stuck.end()
        stuck.end()
        assert queue.used_s("stuck") == pytest.approx(5)
        assert queue._free == 1

    asyncio.run(main())


def test_whoever_leaves_the_queue_gives_the_turn_back():
    async def main():
        queue, order = FairQueue(at_once=1), []
        holder = await queue.take("holder")
        waits, given = (asyncio.create_task(queue.take(client)) for client in "ab")
        await settle()
        waits.cancel()
        await settle()
        holder.end()
        given.cancel()  # the turn is b's already, but b has not heard of it
        await settle()
        await asyncio.gather(*await in_order(queue, "c", order))
        assert order == ["c"]
        assert queue._free == 1

    asyncio.run(main())


def test_a_turn_that_ends_while_a_waiting_client_is_being_cancelled_is_not_lost():
    async def main():
        queue, order = FairQueue(at_once=1), []
        holder = await queue.take("holder")
        leaves = asyncio.create_task(queue.take("a"))
        await settle()
        leaves.cancel()
        holder.end()  # before the task has resumed: its place in the queue is still there
        await settle()
        await asyncio.gather(*await in_order(queue, "b", order))
        assert order == ["b"]
        assert queue._free == 1

    asyncio.run(main())


def test_waiting_until_idle_ends_when_no_turn_is_held_or_in_time():
    async def main():
        queue = FairQueue(at_once=2)
        await queue.wait_until_idle(60)
        holder = await queue.take("a")
        await queue.wait_until_idle(0.01)
        idle = asyncio.create_task(queue.wait_until_idle(60))
        await settle()
        assert not idle.done()
        holder.end()
        await idle
        assert not queue._until_idle

    asyncio.run(main())


def test_the_use_of_few_clients_is_remembered(monkeypatch):
    monkeypatch.setattr(fair_queue, "MAX_CLIENTS", 2)
    queue = FairQueue(at_once=1, clock=Clock())
    for client in "abc":
        queue._count(client, 1.0)
    assert [queue.used_s(client) for client in "abc"] == [0.0, 1.0, 1.0]


@pytest.fixture
def page_runs():
    """One page's script at a time."""
    return FairQueue(at_once=1)


class Line:
    """A page's connection, of which a test says what comes."""

    def __init__(self, client, page_runs):
        self.coming, self.sent = asyncio.Queue(), []
        pace = protection.Visitors().pace(client)
        self.page = protection._Page(self.coming.get, self._send, client, pace, fake.services([], page_runs=page_runs))

    async def _send(self, message):
        self.sent.append(message)

    async def receives(self, message):
        self.coming.put_nowait(message)
        task = asyncio.create_task(self.page.receive())
        await settle()
        return task


def test_a_page_has_its_turn_until_its_script_is_over(page_runs):
    async def main():
        one, other = Line("a", page_runs), Line("b", page_runs)
        first = await one.receives(ACT)
        assert first.result() is ACT
        waits = await other.receives(ACT)
        interrupts = await one.receives(ACT)  # Streamlit ends the run for it: it must not wait for that run
        assert (waits.done(), interrupts.done()) == (False, True)
        await one.page.send(sent(delta=Delta()))
        await settle()
        assert not waits.done()
        await one.page.send(FINISHED)
        assert await waits is ACT
        assert one.sent[-1] is FINISHED
        other.page.close()
        assert page_runs._free == 1

    asyncio.run(main())


def test_an_act_of_a_page_that_has_gone_is_not_worked_on(page_runs):
    async def main():
        holder = await page_runs.take("holder")
        line = Line("a", page_runs)
        waits = await line.receives(ACT)
        line.coming.put_nowait(GONE)
        assert await waits is GONE
        line.page.close()
        holder.end()
        assert page_runs._free == 1

    asyncio.run(main())


def test_what_comes_while_an_act_waits_is_not_lost(page_runs):
    async def main():
        holder = await page_runs.take("holder")
        line = Line("a", page_runs)
        waits = await line.receives(ACT)
        later = dict(ACT)
        line.coming.put_nowait(later)
        await settle()
        assert not waits.done()
        holder.end()
        assert await waits is ACT
        assert await line.page.receive() is later
        line.page.close()

    asyncio.run(main())


def test_what_runs_no_script_needs_no_turn(page_runs):
    async def main():
        holder = await page_runs.take("holder")
        message = {"type": "websocket.receive", "bytes": BackMsg(stop_script=True).SerializeToString()}
        assert await (await Line("a", page_runs).receives(message)) is message
        holder.end()

    asyncio.run(main())


def test_pictures_are_drawn_when_nobody_is_answered(monkeypatch):
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse

    monkeypatch.setattr(responses, "MAX_YIELD_S", 60.0)

    async def main():
        queue = FairQueue(at_once=1)
        workers = responses.Workers(threads=1, waiting=3, per_client=2, yield_to=queue)
        workers._turns._count("b", 100.0)
        clicked = await queue.take("a")
        request = Request({"type": "http", "client": ("b", 1), "headers": [], "method": "GET", "path": "/"})
        drawn = asyncio.create_task(workers.run(lambda _request: PlainTextResponse("done"), request))
        await settle()
        assert not drawn.done()
        clicked.end()
        assert (await drawn).status_code == 200

    asyncio.run(main())
