"""Modalities of all atlases: what was measured of them, and layouts; shared by all visitors."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pages.ui.services.modalities.layouts import LayoutKey, LayoutQueue
from pages.ui.services.modalities.studies import StudyJob, key_of, measure
from pages.ui.services.rate_limits import RateLimits
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Executor

    import numpy as np
    from numpy.typing import NDArray

    from pages.ui.services.modalities.layouts import LayOut, LayoutTask
    from pages.ui.services.modalities.studies import Measure
    from pages.ui.services.priority import Priority
    from unigeoclip.search.explorer import Explorer

MAX_BYTES = 300_000_000  # of all studies in memory; the largest that ships holds 48 MB
LAYOUTS, LAYOUTS_PER_S = 12, 1 / 3  # new ones that one client gets at once, and per second in the long run


def lay_out(vectors: Mapping[str, NDArray[np.float32]], method: str) -> dict[str, NDArray[np.float32]]:
    """Lay modalities out on a plane; here, so that scikit-learn is imported by the thread that needs it."""
    from unigeoclip.compare.modality_layout import joint_layout

    return joint_layout(vectors, method)


class ModalitiesService:
    """The studies of all atlases, one each, and the layouts of their places; thread-safe."""

    def __init__(
        self,
        priority: Priority,
        *,
        measure: Measure = measure,
        lay_out: LayOut = lay_out,
        limits: RateLimits | None = None,
        max_bytes: int = MAX_BYTES,
        executor: Executor | None = None,
    ) -> None:
        """Make it; nothing is measured yet.

        Args:
            priority: Measuring yields to this.
            measure: Measures the modalities of an explorer.
            lay_out: Computes layouts.
            limits: Of new layouts of each client.
            max_bytes: Memory of all studies above which those used least recently are forgotten.
            executor: Runs the measuring; one thread by default.
        """
        self._priority, self._measure, self._max_bytes = priority, measure, max_bytes
        self._limits = limits or RateLimits(LAYOUTS, LAYOUTS_PER_S)
        self._executor = executor or ThreadPoolExecutor(1, "modalities")
        self._jobs: OrderedDict[str, StudyJob] = OrderedDict()
        self._lock = threading.Lock()
        self.layouts = LayoutQueue(lay_out)

    def job(self, explorer: Explorer) -> StudyJob:
        """The one study of an atlas; the first caller starts it.

        Args:
            explorer: Of the atlas.
        """
        key = key_of(explorer.atlas)
        with self._lock:
            job = self._jobs.get(key)
            if job is None:
                job = self._jobs[key] = StudyJob(explorer)
                self._executor.submit(job.run, self._measure, self._priority.yield_priority)
            self._jobs.move_to_end(key)
            self._forget_old(key)
        return job

    def forget(self, job: StudyJob) -> None:
        """Drop a failed study, so that the next caller tries again."""
        with self._lock:
            if self._jobs.get(job.key) is job:
                del self._jobs[job.key]

    def _forget_old(self, used: str) -> None:
        total = sum(job.nbytes for job in self._jobs.values())
        for key, job in list(self._jobs.items()):
            if total <= self._max_bytes:
                return
            if key != used and job.is_done:
                total -= job.nbytes
                del self._jobs[key]

    def layout(
        self, job: StudyJob, places: Sequence[int], method: str, *, centered: bool, visitor: str, client: str
    ) -> LayoutTask:
        """The layout of some places of a study that is done.

        Args:
            job: The study.
            places: Numbers of its items.
            method: One of ``compare.modality_layout.METHODS``.
            centered: Whether each modality is moved to the middle first.
            visitor: Tells visitors apart: of each, only the latest layout waits.
            client: Address of the client.

        Raises:
            InputError: The study is not done, or the client has asked for too many layouts in a short time.
        """
        if job.study is None:
            raise InputError("The modalities of this atlas are not measured yet.")
        key = LayoutKey(job.key, tuple(places), method, centered)
        found = self.layouts.known(key)
        if found is None and not self._limits.take(client):
            raise InputError("Many layouts have just been computed; the next one can follow in a few seconds.")
        vectors = job.study.centered if centered else job.study.vectors
        rows = list(places)
        return self.layouts.request(key, visitor, {name: each[rows] for name, each in vectors.items()})

    def close(self) -> None:
        """Drop what has not begun, and end the threads."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self.layouts.close()
