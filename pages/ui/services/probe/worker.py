"""The worker of page Probe: one thread, one job at a time, and clients take turns."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from pages.ui.services.probe.jobs import Job

MAX_WAITING, MAX_WAITING_OF_ONE = 40, 6
MAX_CLIENTS = 4096  # of which is known when they had their turn


class FairWorker:
    """A queue and the thread that processes it: next is a job of the client whose last turn is longest ago."""

    def __init__(self, name: str) -> None:
        """Make it; the thread, of that name, starts with the first job."""
        self._name = name
        self._waiting: list[Job[Any]] = []
        self._turns: OrderedDict[str, None] = OrderedDict()  # clients, the one served last at the end
        self._current: Job[Any] | None = None
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def submit(self, job: Job[Any]) -> None:
        """Queue a job.

        Raises:
            InputError: Too many wait already, of all visitors or of this one.
        """
        with self._changed:
            self._waiting = [each for each in self._waiting if each.is_wanted]
            of_one = sum(each.client == job.client for each in self._waiting)
            if len(self._waiting) >= MAX_WAITING or of_one >= MAX_WAITING_OF_ONE:
                raise InputError("Many probes are waiting to be computed just now. Try again in a minute.")
            if self._closed:
                raise InputError("The server is being stopped.")
            self._waiting.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def ahead_of(self, job: Job[Any]) -> int:
        """How many jobs may be done before this one; 0 when it is being done or has ended."""
        with self._changed:
            if job not in self._waiting:
                return 0
            others = {each.client for each in self._waiting if each.is_wanted and each is not job}
            return len(others - {job.client}) + (self._current is not None)

    @property
    def waiting(self) -> int:
        """Jobs that wait."""
        return len(self._waiting)

    def close(self) -> None:
        """Give up all jobs and end the thread."""
        with self._changed:
            self._closed = True
            for job in [*self._waiting, *([self._current] if self._current else [])]:
                job.stop()
            self._waiting.clear()
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                job = self._current = self._next()
            job.run()
            with self._changed:
                self._current = None
            del job  # a result lives as long as its visitor, not until the next job

    def _next(self) -> Job[Any]:
        """Take the next job off the queue, and note whose turn it was."""
        served = {client: turn for turn, client in enumerate(self._turns)}
        job = min(self._waiting, key=lambda each: served.get(each.client, -1))  # the first of equals
        self._waiting.remove(job)
        self._turns[job.client] = None
        self._turns.move_to_end(job.client)
        while len(self._turns) > MAX_CLIENTS:
            self._turns.popitem(last=False)
        return job
