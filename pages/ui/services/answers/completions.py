"""Slow parts of answers, found in the background when no visitor is waiting for the fast parts."""

from __future__ import annotations

import math
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class Completions:
    """One background thread for all visitors, and when any of them sent a query last."""

    def __init__(self, executor: Executor | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """Make it.

        Args:
            executor: Runs what is submitted; one thread by default.
            clock: Returns the time in seconds.
        """
        self._executor = executor or ThreadPoolExecutor(1, "complete")
        self._clock, self._queried_at = clock, -math.inf

    def now(self) -> float:
        """Seconds by the clock of these completions."""
        return self._clock()

    def note_query(self) -> float:
        """Note that a visitor has sent a query; returns when, in seconds by `now`."""
        self._queried_at = self._clock()
        return self._queried_at

    def quiet_s(self) -> float:
        """Seconds since any visitor's last query."""
        return self._clock() - self._queried_at

    def submit(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run something in the background, after what was submitted before."""
        return self._executor.submit(work, *args, **kwargs)

    def close(self) -> None:
        """Drop what has not begun, and end the thread."""
        self._executor.shutdown(wait=False, cancel_futures=True)
