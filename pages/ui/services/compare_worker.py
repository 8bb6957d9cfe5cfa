"""The worker of page Compare: one thread for the whole server, which does the most urgent work first."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from unigeoclip.errors import StoppedError, UniGeoError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pages.ui.services.compare_work import Work
    from pages.ui.services.priority import Priority

    Act = Callable[[Work], bool]  # returns whether the work has come to an end

_log = logging.getLogger(__name__)


class Rank(IntEnum):
    """What comes first."""

    COARSE = 0
    LAYOUT = 1
    FULL = 2
    FIGURES = 3
    AHEAD = 4


_MAPS = (Rank.COARSE, Rank.FULL)  # other work of the server yields to these


class WorkQueue(Protocol):
    """Where jobs put their work."""

    def submit(self, rank: Rank, work: Work, act: Act) -> None:
        """Queue an act on a work."""


class Worker:
    """A priority queue and the thread that works it off; the thread starts with the first act."""

    def __init__(self, priority: Priority, after_act: Callable[[], None]) -> None:
        """Make it.

        Args:
            priority: Is urgent while maps are queued or being computed.
            after_act: Called in the thread after each act.
        """
        self._priority, self._after_act = priority, after_act
        self._queue: queue.PriorityQueue[tuple[int, int, Work | None, Act | None]] = queue.PriorityQueue()
        self._number = itertools.count()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def submit(self, rank: Rank, work: Work, act: Act) -> None:
        """Queue an act on a work."""
        if rank in _MAPS:
            self._priority.begin()
        self._queue.put((rank, next(self._number), work, act))
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="compare", daemon=True)
                self._thread.start()

    @property
    def queued(self) -> int:
        """Acts that wait."""
        return self._queue.qsize()

    def close(self) -> None:
        """End the thread after the act that it is at; what is queued is not done."""
        self._queue.put((-1, next(self._number), None, None))

    def _run(self) -> None:
        while True:
            rank, _, work, act = self._queue.get()
            if work is None or act is None:
                return
            if work.is_running():
                work.is_current = True
                run_act(work, act)
                work.is_current = False
                self._after_act()
            if rank in _MAPS:
                self._priority.end()


def run_act(work: Work, act: Act) -> None:
    """Do an act; what goes wrong is noted in the work."""
    is_done = True
    try:
        is_done = act(work)
    except StoppedError:
        return
    except UniGeoError as error:
        work.error = str(error)
    except MemoryError:
        _log.exception("Comparing %s failed", work.name)
        work.error = "There is not enough memory for this model on this region: choose a smaller part, or fewer models."
    except Exception:  # an unexpected error must not stop the worker for all visitors
        _log.exception("Comparing %s failed", work.name)
        work.error = "This model stopped unexpectedly; the server's log says why. The others are not affected."
    work.end_act(is_done=is_done)
