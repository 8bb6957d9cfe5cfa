"""A fair queue: it limits how many page runs execute at once, and clients with little recent use go first.

Python runs one thread at a time. Thirty scripts that run at once take more than thirty times as long as one: the
server's event loop, which carries every message of every page, gets one in thirty slices of time and needs many of them
for one answer. With only a few at once the event loop keeps up, and all visitors are answered sooner.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HALF_LIFE_S = 10.0  # of the recorded use of a client
MAX_CLIENTS = 4096  # whose use is recorded; the least recent one is dropped and counts as unused


class FairQueue:
    """Hands out turns. Not thread-safe: call it on one event loop."""

    def __init__(self, at_once: int, hold_s: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """Make the queue.

        Args:
            at_once: Turns that can be held at the same time.
            hold_s: Seconds after which a turn no longer blocks others: what takes longer is not waiting for the
                processor but for a file, or for a browser that does not read. None for no limit.
            clock: Returns the time in seconds.
        """
        self._at_once, self._free, self._hold_s, self._clock = at_once, at_once, hold_s, clock
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []
        self._used: OrderedDict[str, tuple[float, float]] = OrderedDict()  # seconds used, and as of when
        self._running = 0  # turns that have not ended, over their time limit or not
        self._until_idle: list[asyncio.Future[None]] = []  # see `wait_until_idle`

    async def take(self, client: str) -> Turn:
        """Wait for a turn; the caller has to end it."""
        if self._free > 0:
            self._free -= 1
        else:
            mine = (client, asyncio.get_running_loop().create_future())
            self._waiting.append(mine)
            try:
                await mine[1]
            except asyncio.CancelledError:
                if mine in self._waiting:
                    self._waiting.remove(mine)
                elif not mine[1].cancelled():  # the turn had been granted, but the task had not resumed yet
                    self._pass_on()
                raise
        self._running += 1
        return Turn(self, client, self._hold_s, self._clock)

    @property
    def running(self) -> int:
        """Turns that have not ended."""
        return self._running

    @property
    def waiting(self) -> int:
        """How many wait for a turn."""
        return len(self._waiting)

    async def wait_until_idle(self, timeout_s: float) -> None:
        """Wait until no turn is held, for at most that many seconds."""
        if self._free < self._at_once:
            idle = asyncio.get_running_loop().create_future()
            self._until_idle.append(idle)
            try:
                await asyncio.wait({idle}, timeout=timeout_s)
            finally:
                if idle in self._until_idle:
                    self._until_idle.remove(idle)

    def _pass_on(self) -> None:
        """Grant a free turn to the client of the lowest level of use, first come, first served within a level."""
        # A cancelled future leaves the list only when its task resumes.
        self._waiting = [(client, future) for client, future in self._waiting if not future.cancelled()]
        if self._waiting:
            levels = [self._level(client) for client, _ in self._waiting]
            self._waiting.pop(levels.index(min(levels)))[1].set_result(None)
            return
        self._free += 1
        if self._free == self._at_once:
            for idle in self._until_idle:
                idle.set_result(None)
            self._until_idle.clear()

    def _level(self, client: str) -> int:
        """Use on a logarithmic scale: strict order by use would keep a client waiting for all with slightly less."""
        return int(math.log2(1 + self.used_s(client)))

    def used_s(self, client: str) -> float:
        """Seconds for which a client has held turns, decaying with a half-life of `HALF_LIFE_S`."""
        used, since = self._used.get(client, (0.0, 0.0))
        return used * math.pow(0.5, (self._clock() - since) / HALF_LIFE_S)

    def _count(self, client: str, seconds: float) -> None:
        self._used[client] = (self.used_s(client) + seconds, self._clock())
        self._used.move_to_end(client)
        while len(self._used) > MAX_CLIENTS:
            self._used.popitem(last=False)


class Turn:
    """One turn; it is passed on when it ends or its time limit is reached."""

    def __init__(self, queue: FairQueue, client: str, hold_s: float | None, clock: Callable[[], float]) -> None:
        self._queue, self._client, self._clock, self._begun = queue, client, clock, clock()
        self._is_held, self._is_over = True, False
        if hold_s is not None:
            asyncio.get_running_loop().call_later(hold_s, self._let_go)

    def _let_go(self) -> None:
        if self._is_held:
            self._is_held = False
            self._queue._pass_on()

    def end(self) -> None:
        """End the turn; calling it again has no effect."""
        if not self._is_over:
            self._is_over = True
            self._queue._running -= 1
            self._queue._count(self._client, self._clock() - self._begun)
            self._let_go()
