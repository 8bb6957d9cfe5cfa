"""Turns: few pages are worked on at once, and whoever has used the server little of late goes first.

Python runs one thread at a time. Thirty scripts that run at once are not thirty times slower than one but worse: the
server's event loop, which carries every message of every page, gets every thirtieth slice of time, and needs many of
them for one answer. A few at once leave it room, and everybody is answered sooner.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HALF_LIFE_S = 10.0  # of what is remembered of a client's use
MAX_CLIENTS = 4096  # whose use is remembered; whoever is forgotten has used nothing


class Turns:
    """Hands out turns; everything here is called on one event loop."""

    def __init__(self, at_once: int, hold_s: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """Make the queue.

        Args:
            at_once: How many have their turn at the same time.
            hold_s: How long one keeps others from theirs, seconds, as what takes longer waits for something else than
                the processor: a file, or a browser that does not read. None: until it ends.
            clock: Tells the time in seconds.
        """
        self._at_once, self._free, self._hold_s, self._clock = at_once, at_once, hold_s, clock
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []
        self._used: OrderedDict[str, tuple[float, float]] = OrderedDict()  # seconds used, and as of when
        self._resting: list[asyncio.Future[None]] = []  # who waits until nobody has a turn

    async def take(self, client: str) -> Turn:
        """Wait for a turn; it must be ended."""
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
                else:  # it had just been given one
                    self._pass_on()
                raise
        return Turn(self, client, self._hold_s, self._clock)

    async def rest(self, patience_s: float) -> None:
        """Wait until nobody has a turn, at most that many seconds."""
        if self._free < self._at_once:
            over = asyncio.get_running_loop().create_future()
            self._resting.append(over)
            await asyncio.wait({over}, timeout=patience_s)
            if over in self._resting:
                self._resting.remove(over)

    def _pass_on(self) -> None:
        """Give a turn that is over to whoever has used little, of those the one who has waited longest."""
        if self._waiting:
            levels = [self._level(client) for client, _ in self._waiting]
            self._waiting.pop(levels.index(min(levels)))[1].set_result(None)
            return
        self._free += 1
        if self._free == self._at_once:
            for over in self._resting:
                over.set_result(None)
            self._resting.clear()

    def _level(self, client: str) -> int:
        """How much a client has used, by doublings: among those who use about as much, none is passed over for long."""
        return int(math.log2(1 + self.used_s(client)))

    def used_s(self, client: str) -> float:
        """Seconds of turns that a client has had, of which half is forgotten every `HALF_LIFE_S`."""
        used, since = self._used.get(client, (0.0, 0.0))
        return used * math.pow(0.5, (self._clock() - since) / HALF_LIFE_S)

    def _count(self, client: str, seconds: float) -> None:
        self._used[client] = (self.used_s(client) + seconds, self._clock())
        self._used.move_to_end(client)
        while len(self._used) > MAX_CLIENTS:
            self._used.popitem(last=False)


class Turn:
    """One turn; others get theirs when it has ended, or been held for too long."""

    def __init__(self, turns: Turns, client: str, hold_s: float | None, clock: Callable[[], float]) -> None:
        self._turns, self._client, self._clock, self._begun = turns, client, clock, clock()
        self._is_held, self._is_over = True, False
        if hold_s is not None:
            asyncio.get_running_loop().call_later(hold_s, self._let_go)

    def _let_go(self) -> None:
        if self._is_held:
            self._is_held = False
            self._turns._pass_on()

    def end(self) -> None:
        """It is over; to say so again changes nothing."""
        if not self._is_over:
            self._is_over = True
            self._turns._count(self._client, self._clock() - self._begun)
            self._let_go()


acts = Turns(at_once=3, hold_s=1.0)  # of pages; three, as a run also waits for the event loop to send what it has made
