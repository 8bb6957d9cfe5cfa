"""Regions on their way through the embedders: one worker for the whole server, a coarse look first, then all of it.

Visitors read what is there; what they no longer wait for can be stopped. Finished regions stay on disk.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from unigeoclip.errors import UniGeoError

if TYPE_CHECKING:
    from collections.abc import Callable

    from unigeoclip.atlas import Atlas
    from unigeoclip.compare import Comparison, Embedded, Region
    from unigeoclip.embedders import Embedder

KEPT_REGIONS = 6
_COARSE, _LAYOUT, _FULL = 0, 1, 2  # what comes first


class Work:
    """One embedder on one region.

    Attributes:
        name: Of the embedder.
        embedded: The cells' vectors, coarse or complete; None until there is a first look.
        complete: Whether all cells have vectors of their own.
        laid_out: Whether UMAP has been computed.
        laying_out: Whether it is being computed.
        share: How much of what is being done is done, 0 to 1.
        error: A sentence why there is nothing.
        version: Counts changes of what can be shown.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.embedded: Embedded | None = None
        self.complete = self.laid_out = self.laying_out = False
        self.stopped = False
        self.share = 0.0
        self.error = ""
        self.version = 0
        self.pictures: dict[Any, Any] = {}

    @property
    def busy(self) -> bool:
        """Whether more of it is on its way."""
        return not (self.stopped or self.error) and (not self.complete or self.laying_out)

    def report(self, done: int, total: int) -> bool:
        """Note progress; says whether to go on."""
        self.share = done / max(total, 1)
        return not self.stopped


class Job:
    """A region of an atlas under several embedders."""

    def __init__(self, atlas: Atlas, region: Region) -> None:
        self.atlas, self.region = atlas, region
        self.work: dict[str, Work] = {}

    def want(self, names: list[str]) -> None:
        """Begin with those embedders that are new here."""
        for name in names:
            if name not in self.work or self.work[name].stopped:
                self.work[name] = work = Work(name)
                _later(_COARSE, work, self._look)

    def want_layout(self, name: str) -> None:
        """Lay the region out with UMAP as one embedder sees it, unless that is done or being done."""
        work = self.work[name]
        if work.complete and not work.laid_out and not work.laying_out:
            work.laying_out, work.stopped, work.share = True, False, 0.0
            _later(_LAYOUT, work, self._lay_out)

    def stop(self) -> None:
        """Give up what is not done."""
        for work in self.work.values():
            work.stopped = not work.complete or work.laying_out

    def comparison(self, names: list[str]) -> Comparison | None:
        """What can be shown of these embedders; None if there is nothing yet."""
        from unigeoclip.compare import Comparison

        found = {name: self.work[name].embedded for name in names if self.work[name].embedded is not None}
        return Comparison(self.region, found) if found else None

    def figures(self, comparison: Comparison) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
        """Figures of each model, and of its agreement with the first one; computed once."""
        first = comparison.reference.embedder.name
        found, agreed = {}, {}
        for name in comparison.embedded:
            kept = self.work[name].pictures
            if "figures" not in kept:
                kept["figures"] = comparison.figures(name)
            if ("agreement", first) not in kept:
                kept["agreement", first] = comparison.agreement(name, first)
            found[name], agreed[name] = kept["figures"], kept["agreement", first]
        return found, agreed

    def _look(self, work: Work) -> None:
        from unigeoclip.compare import embed_coarsely, is_kept

        embedder = _embedder(self.atlas, work.name)
        if not is_kept(embedder, self.region):
            work.embedded = embed_coarsely(embedder, self.region)
            work.version += 1
        _later(_FULL, work, self._embed)

    def _embed(self, work: Work) -> None:
        from unigeoclip.compare import embed_region

        work.embedded = embed_region(_embedder(self.atlas, work.name), self.region, work.report)
        work.complete = True
        work.pictures.clear()
        work.version += 1

    def _lay_out(self, work: Work) -> None:
        try:
            if work.embedded is not None:
                work.embedded.lay_out(work.report)
                work.laid_out = True
                work.version += 1
        finally:
            work.laying_out = False


_log = logging.getLogger(__name__)
_jobs: OrderedDict[tuple[str, str], Job] = OrderedDict()
_known: dict[str, tuple[dict[str, Embedder], dict[str, str]]] = {}
_lock = threading.Lock()
_queue: queue.PriorityQueue[tuple[int, int, Work, Callable[[Work], None]]] = queue.PriorityQueue()
_number = itertools.count()
_worker: threading.Thread | None = None


def job(atlas: Atlas, region: Region) -> Job:
    """The one job of a region in this process; the ones used least recently are forgotten, not their files."""
    key = (atlas.name, region.name)
    with _lock:
        if key not in _jobs:
            _jobs[key] = Job(atlas, region)
        _jobs.move_to_end(key)
        while len(_jobs) > KEPT_REGIONS:
            _, old = _jobs.popitem(last=False)
            old.stop()
        return _jobs[key]


def embedders(atlas: Atlas) -> tuple[dict[str, Embedder], dict[str, str]]:
    """Those that can be used with an atlas, ours first, and why the published others cannot; loaded once."""
    from unigeoclip.embedders import load_all

    with _lock:
        if atlas.name not in _known:
            _known[atlas.name] = load_all(atlas)
        return _known[atlas.name]


def _embedder(atlas: Atlas, name: str) -> Embedder:
    return embedders(atlas)[0][name]


def _later(rank: int, work: Work, act: Callable[[Work], None]) -> None:
    global _worker
    _queue.put((rank, next(_number), work, act))
    with _lock:
        if _worker is None:
            _worker = threading.Thread(target=_run, name="compare", daemon=True)
            _worker.start()


def _run() -> None:
    from unigeoclip.projection import StoppedError

    while True:
        _, _, work, act = _queue.get()
        if work.stopped:
            continue
        try:
            act(work)
        except StoppedError:
            pass
        except UniGeoError as error:
            work.error = str(error)
            work.version += 1
        except Exception:  # a fault of ours must not end the worker for everybody
            _log.exception("Comparing %s failed", work.name)
            work.error = "This stopped unexpectedly; see the server's log."
            work.version += 1
