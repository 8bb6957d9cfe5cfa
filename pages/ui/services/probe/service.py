"""Probes for all visitors: one worker that reads files, one that computes, and what may be shared of their results."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeVar

from pages.ui.services.probe.jobs import Job
from pages.ui.services.probe.library import Library
from pages.ui.services.probe.private_files import PrivateFiles
from pages.ui.services.probe.worker import FairWorker
from pages.ui.services.rate_limits import RateLimits
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from pages.ui.services.priority import Priority
    from pages.ui.services.probe.requests import Encoders, Everywhere, Request
    from unigeoclip.atlas import Atlas
    from unigeoclip.evaluation.probing.results import ProbeReport
    from unigeoclip.tasks.label_table import LabelTable

T = TypeVar("T")
JOBS, JOBS_PER_S = 60, 1 / 3  # that one client begins at once, and per second in the long run
READING_S, COMPUTING_S = 60.0, 300.0  # that one job may take
KEPT = 24  # results on built-in tasks
_FILE = "Use a smaller file, or one of CSV or Parquet."
_FEWER = "Choose fewer encoders or splits, leave out the learning curve, or use a sample of the rows."


class ProbeService:
    """The jobs of all visitors; thread-safe.

    Labels of visitors are in the jobs alone, which belong to their sessions. Results on built-in tasks, whose labels
    are public, are kept for all visitors.
    """

    def __init__(self, priority: Priority, *, library: Library | None = None, jobs: RateLimits | None = None) -> None:
        """Make it; its threads start with the first work.

        Args:
            priority: Computing yields to this between its steps.
            library: Does the work; the package's own functions by default.
            jobs: Limits new jobs of each client.
        """
        self._priority = priority
        self.library = library or Library()
        self._jobs = jobs or RateLimits(JOBS, JOBS_PER_S)
        self._reading, self._computing = FairWorker("read labels"), FairWorker("probe")
        self._loading = FairWorker("load encoders")
        self._encoders: dict[str, Job[Encoders]] = {}
        self._results: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()
        self.files = PrivateFiles()

    @property
    def waiting(self) -> int:
        """Jobs that wait, of all kinds."""
        return self._reading.waiting + self._computing.waiting + self._loading.waiting

    def close(self) -> None:
        """Give up all work and end the threads."""
        self._reading.close()
        self._computing.close()
        self._loading.close()

    def read(self, act: Callable[[Job[T]], T], client: str) -> Job[T]:
        """Begin to read a file; see `compute`."""
        return self._begin(self._reading, Job(act, client, most_s=READING_S, advice=_FILE))

    def compute(self, act: Callable[[Job[T]], T], client: str, *, public: Hashable = None) -> Job[T]:
        """Begin to compute for a visitor.

        Args:
            act: Does it, in the worker's thread.
            client: Address of the client.
            public: What the result depends on, where it may be shown to all visitors; None for a visitor's own labels.

        Raises:
            InputError: The client asks for too much in a short time, or too many wait.
        """

        def doing(job: Job[T]) -> T:
            known = self._known(public)
            return known if known is not None else self._keep(public, act(job))

        job = Job(doing, client, most_s=COMPUTING_S, advice=_FEWER)
        return self._begin(self._computing, job, free=self._known(public) is not None)

    def _known(self, public: Hashable) -> Any:
        with self._lock:
            return None if public is None else self._results.get(public)

    def _begin(self, worker: FairWorker, job: Job[T], *, free: bool = False) -> Job[T]:
        """Let a worker do a job; what is known already is free of the limit."""
        if not free and not self._jobs.take(job.client):
            raise InputError("Many probes have just been started from here; the next one can follow in a minute.")
        worker.submit(job)
        return job

    def _keep(self, key: Hashable, result: T) -> T:
        if key is not None:
            with self._lock:
                self._results[key] = result
                while len(self._results) > KEPT:
                    self._results.popitem(last=False)
        return result

    def progress(self, job: Job[Any]) -> tuple[str, float]:
        """What is being done for a job, in words, and how much of it is done, 0 to 1; also notes that it is wanted.

        Words are empty when it has ended.
        """
        job.see()
        if job.has_ended:
            return "", 1.0
        ahead = self._computing.ahead_of(job) + self._reading.ahead_of(job)
        if ahead:
            return f"Waiting: {ahead} other {'probe' if ahead == 1 else 'probes'} first", 0.0
        return job.doing, job.share

    def encoders(self, atlas: Atlas) -> Job[Encoders]:
        """What can be probed on an atlas: one job for all visitors, begun by the first; again after a failure."""
        with self._lock:
            job = self._encoders.get(atlas.name)
            if job is None or (job.has_ended and job.result is None):
                job = Job(lambda _job: self.library.encoders(atlas), "", most_s=READING_S, advice="Reload the page.")
                self._encoders[atlas.name] = job
                self._loading.submit(job)
        return job

    def report(
        self, table: LabelTable, atlas: Atlas, request: Request, task: str, job: Job[ProbeReport]
    ) -> ProbeReport:
        """Probe a table, as an act of a job; see `Library.probe`."""
        return self.library.probe(table, atlas, request, task, lambda words, share: self._step(job, words, share))

    def everywhere(
        self, table: LabelTable, atlas: Atlas, encoder: str, request: Request, job: Job[Everywhere]
    ) -> Everywhere:
        """Predict every cell of an atlas, as an act of a job; see `Library.everywhere`."""
        return self.library.everywhere(
            table, atlas, encoder, request, lambda words, share: self._step(job, words, share)
        )

    def _step(self, job: Job[Any], words: str, share: float) -> None:
        """Note progress, and let urgent work of the server go first; that time does not count for the job."""
        job.report(words, share)
        begun = time.monotonic()
        self._priority.yield_priority()
        job.extend(time.monotonic() - begun)
