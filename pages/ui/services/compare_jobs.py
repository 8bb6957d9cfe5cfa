"""Regions on their way through the embedders: one worker for the whole server, a coarse look first, then all of it.

Visitors read what is there; what they no longer wait for can be stopped. Finished regions stay on disk.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections import OrderedDict
from dataclasses import is_dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from pages.ui.compare.state import DEFAULT_NUMBER
from pages.ui.services.rate_limits import Budgets
from pages.ui.services.waiters import Audience
from unigeoclip.errors import InputError, StoppedError, UniGeoError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from unigeoclip.atlas import Atlas
    from unigeoclip.compare.regions import Comparison, Embedded, Region
    from unigeoclip.compare.selection import Said
    from unigeoclip.embedders import Embedder
    from unigeoclip.geo import Bounds

KEPT_BYTES = 600_000_000  # of all regions in memory; vectors that are mapped from their files do not count
REGIONS, REGIONS_PER_S = 6, 1 / 15  # new parts of a map that one client gets at once, and per second in the long run
_COARSE, _LAYOUT, _FULL, _FIGURES, _AHEAD = range(5)  # what comes first
# What has to be done for a model, and about how long each takes compared with the others, for the bar.
PHASES = {"map": 10.0, "layout": 25.0, "figures": 10.0}
_BYTES_A_NEIGHBOR = 60  # in lists as libpysal keeps them: 83 MB were measured for 1.5 million


class Work:
    """One embedder on one region.

    Attributes:
        name: Of the embedder.
        audience: The visitors who wait for it.
        embedded: The cells' vectors, coarse or complete; None until there is a first look.
        complete: Whether all cells have vectors of their own.
        doing: What is asked for and not done, in words; empty if nothing is.
        phase: One of `PHASES` that this belongs to.
        ready: The phases that were on disk already, and cost nothing.
        stopped: Whether that was given up.
        share: How much of it is done, 0 to 1.
        error: A sentence why there is nothing.
        version: Counts changes of what can be shown.
        figures: Of this model, when they have been computed.
        agreement: With another model, by its name.
        pictures: Colours and pictures of the map, by what they depend on.
        prepared: Whether what may be asked for next has been begun.
    """

    def __init__(self, name: str, audience: Audience) -> None:
        self.name, self.audience = name, audience
        self.embedded: Embedded | None = None
        self.complete = self.stopped = False
        self.doing = self.phase = ""
        self.ready: set[str] = set()
        self.share = 0.0
        self.error = ""
        self.version = 0
        self.figures: dict[str, Any] | None = None
        self.agreement: dict[str, dict[str, Any]] = {}
        self.pictures: dict[Any, Any] = {}
        self.prepared = False

    @property
    def busy(self) -> bool:
        """Whether more of it is on its way."""
        return bool(self.doing) and not (self.stopped or self.error)

    @property
    def measured(self) -> bool:
        """Whether its figures are known, whatever it is compared with."""
        return self.figures is not None and bool(self.agreement)

    @property
    def laid_out(self) -> bool:
        """Whether UMAP has been computed."""
        return self.complete and self.embedded is not None and self.embedded.is_laid_out

    def done(self, phase: str) -> float:
        """How much of a phase is done, 0 to 1."""
        ended = {"map": self.complete, "layout": self.laid_out, "figures": self.measured}
        return 1.0 if ended[phase] else self.share if self.doing and self.phase == phase else 0.0

    @property
    def nbytes(self) -> int:
        """Memory that only this work holds."""
        held = dict(vars(self.embedded)) if self.embedded is not None else {}
        arrays = [value for name, value in held.items() if name not in ("embedder", "region")]
        return _nbytes([arrays, self.pictures])

    def report(self, done: int, total: int) -> bool:
        """Note progress; says whether to go on."""
        self.share = done / max(total, 1)
        return self.goes_on()

    def goes_on(self) -> bool:
        """Give it up if somebody has stopped it and nobody else waits; says whether that is not so."""
        self.stopped = self.stopped or self.audience.is_gone()
        return not self.stopped

    def is_stopped_for(self, visitor: str) -> bool:
        """Whether a visitor has stopped it, though others may wait for it."""
        return self.audience.has_left(visitor) and (self.busy or self.stopped)


class Job:
    """A region of an atlas under several embedders."""

    def __init__(self, atlas: Atlas, region: Region) -> None:
        self.atlas, self.region = atlas, region
        self.work: dict[str, Work] = {}
        self.names: dict[tuple[Any, ...], list[str]] = {}  # of clusters, by model, number and first model
        self._taking_up = threading.Lock()  # two visitors at once begin once

    def want(self, names: list[str], visitor: str, *, umap: bool = False) -> None:
        """Ask for maps of these embedders, then for layouts and figures; what the visitor has stopped stays so.

        Args:
            names: The models, the first of which the others are compared with.
            visitor: Who asks.
            umap: Whether layouts are wanted.
        """
        with self._taking_up:
            for name in names:
                self._take_up(name, visitor)
        works = [self.work[name] for name in names]
        if not all(work.complete for work in works):
            return
        for work in works:
            if umap and not work.laid_out:
                self._begin(_LAYOUT, work, "layout", "Waiting to be laid out with UMAP", self._lay_out)
            elif work.figures is None or names[0] not in work.agreement:
                self._want_figures(work, self.work[names[0]])

    def _want_figures(self, work: Work, first: Work) -> None:
        """Show those on disk at once; compute what is not."""
        if self.comparison([first.name, work.name]).is_measured(work.name):
            work.ready.add("figures")
            self._measure(work, first)
        else:
            self._begin(_FIGURES, work, "figures", "Measuring", lambda work: self._measure(work, first))
        if not work.prepared:
            work.prepared = True
            _later(_AHEAD, work, self._prepare)

    def _take_up(self, name: str, visitor: str) -> None:
        """Begin with an embedder, or again with one that others have stopped."""
        work = self.work.get(name)
        audience = Audience() if work is None else work.audience
        audience.see(visitor)
        if work is not None and (audience.has_left(visitor) or not work.stopped):
            return
        if work is not None and work.complete:
            work.stopped, work.doing = False, ""
        else:
            self._open(name, audience)

    def _open(self, name: str, audience: Audience) -> None:
        """Show what is on disk at once; embed what is not."""
        from unigeoclip.compare.regions import cached_region

        work = Work(name, audience)
        work.embedded = cached_region(_embedder(self.atlas, name), self.region)
        work.complete = work.embedded is not None
        if not work.complete:
            self._begin(_COARSE, work, "map", "Working through the map", self._look)
        work.ready = {phase for phase in PHASES if phase != "figures" and work.done(phase) == 1}
        self.work[name] = work

    def _begin(self, rank: int, work: Work, phase: str, words: str, act: Callable[[Work], bool]) -> None:
        """Queue an act unless the work is at something already, was stopped, or failed."""
        if work.doing or work.stopped or work.error:
            return
        work.doing, work.phase, work.share = words, phase, 0.0
        _later(rank, work, act)

    def version(self, names: list[str]) -> int:
        """Changes whenever there is more to see of these embedders, or to begin with them."""
        with _changing:
            return sum(self.work[name].version for name in names if name in self.work)

    def progress(self, names: list[str], *, umap: bool = False) -> tuple[str, float]:
        """What is being done for these embedders, in words, and how much of all that had to be done is, 0 to 1.

        The words are empty when nothing is on its way.
        """
        works = [self.work[name] for name in names if name in self.work]
        busy = [work for work in works if work.busy]
        if not busy:
            return "", 1.0
        now = next((work for work in busy if work is _at), max(busy, key=lambda work: work.share))
        costs = [
            (PHASES[phase], work.done(phase))
            for work in works
            for phase in PHASES
            if phase not in work.ready and (umap or phase != "layout") and not work.error
        ]
        total = sum(cost for cost, _ in costs)
        share = sum(cost * done for cost, done in costs) / total if total else 1.0
        title = _embedder(self.atlas, now.name).title
        return f"{now.doing}: {title}, {works.index(now) + 1} of {len(works)}", share

    def see(self, names: list[str], visitor: str) -> None:
        """Note that a visitor waits for these embedders."""
        for name in names:
            self.work[name].audience.see(visitor)

    def stop(self, visitor: str) -> None:
        """A visitor does not wait for what is not done; it is given up if nobody else does."""
        for work in list(self.work.values()):
            if work.busy:
                work.audience.leave(visitor)
                work.goes_on()

    def abandon(self) -> None:
        """Give up what is not done, whoever waits."""
        for work in list(self.work.values()):
            work.stopped = work.busy

    def try_again(self, names: list[str]) -> None:
        """Forget what went wrong with these embedders: the next `want` begins with them again."""
        with self._taking_up:
            for name in names:
                if name in self.work and self.work[name].error:
                    del self.work[name]

    def cluster_names(self, comparison: Comparison, name: str, count: int) -> list[str]:
        """What the clusters of a model are, by what is said of the places in each; empty where nothing is."""
        from unigeoclip.compare.selection import name_of

        first = self.work[comparison.reference.embedder.name]
        key = name, count, self.work[name].complete, first.name, first.complete
        if key not in self.names:
            found = self.characteristic(comparison.cluster_labels(name, count), count)
            self.names[key] = [name_of(said) for _, said in found]
        return self.names[key]

    def characteristic(
        self, groups: NDArray[np.integer[Any]], count: int, most: int = 3
    ) -> list[tuple[int, list[Said]]]:
        """What is said of groups of cells, (n,): how many places each holds, and characteristic sentences."""
        from unigeoclip.compare.selection import characteristic

        cells = self.places
        return characteristic(self.atlas, np.where(cells >= 0, groups[cells], -1), count, most)

    @cached_property
    def places(self) -> NDArray[np.int32]:
        """The cell of each place of the atlas, -1 outside the region."""
        from unigeoclip.compare.selection import places_of_cells

        return places_of_cells(self.atlas, self.region.grid)

    @property
    def nbytes(self) -> int:
        """Memory that the region and its works hold, but for vectors that are mapped from their files."""
        return _nbytes(self.region) + sum(work.nbytes for work in list(self.work.values()))

    def go_on(self, visitor: str) -> None:
        """A visitor wants after all what they have stopped: the next `want` asks for it."""
        for work in list(self.work.values()):
            work.audience.come_back(visitor)

    @property
    def is_waited_for(self) -> bool:
        """Whether a visitor waits for something of it."""
        return any(work.busy and work.audience.is_waiting() for work in list(self.work.values()))

    def comparison(self, names: list[str]) -> Comparison:
        """What can be shown of these embedders, which may be nothing yet."""
        from unigeoclip.compare.regions import Comparison

        found = {name: work.embedded for name in names if (work := self.work[name]).embedded is not None}
        return Comparison(self.region, found)

    # Acts of the worker; they say whether the work has come to an end.

    def _look(self, work: Work) -> bool:
        from unigeoclip.compare.regions import embed_coarsely

        work.embedded = embed_coarsely(_embedder(self.atlas, work.name), self.region)
        _later(_FULL, work, self._embed)
        return False

    def _embed(self, work: Work) -> bool:
        from unigeoclip.compare.regions import cached_region, embed_region

        embedder = _embedder(self.atlas, work.name)
        fresh = embed_region(embedder, self.region, work.report, coarse=work.embedded)
        # Mapped from the file they need no memory of their own; where no file could be written they stay.
        work.embedded = cached_region(embedder, self.region) or fresh
        work.complete = True
        work.pictures.clear()
        return True

    def _lay_out(self, work: Work) -> bool:
        from unigeoclip.compare.projection import compile_umap, is_umap_compiled

        if work.embedded is None:
            return True
        if not is_umap_compiled():
            work.doing = "Preparing UMAP, once after a start"
            compile_umap()
        work.doing = "Laying out with UMAP"
        work.embedded.compute_layout(work.report)
        return True

    def _measure(self, work: Work, first: Work) -> bool:
        comparison = self.comparison([first.name, work.name])
        if work.figures is None:
            work.figures = comparison.figures(work.name, lambda done, total: work.report(done, total + 1))
        work.agreement[first.name] = comparison.agreement(work.name, first.name)
        if all(each.figures is not None for each in list(self.work.values())):
            self.region.forget_rings()
        return True

    def _prepare(self, work: Work) -> bool:
        """What a visitor is likely to ask for next; nobody waits for it."""
        if work.embedded is not None:
            work.embedded.clusters(DEFAULT_NUMBER["clusters"])
            _later(_AHEAD, work, _compile)
        return False


def _compile(_work: Work) -> bool:
    from unigeoclip.compare.projection import compile_umap

    compile_umap()
    return False


_log = logging.getLogger(__name__)
_regions = Budgets(REGIONS, REGIONS_PER_S)
_jobs: OrderedDict[tuple[str, Bounds | None], Job] = OrderedDict()
_known: dict[str, tuple[dict[str, Embedder], dict[str, str]]] = {}
_lock = threading.Lock()
_changing = threading.Lock()  # a page must not see that a work has ended without seeing what it brought
_queue: queue.PriorityQueue[tuple[int, int, Work, Callable[[Work], bool]]] = queue.PriorityQueue()
_number = itertools.count()
_worker: threading.Thread | None = None
_MAPS = (_COARSE, _FULL)
_maps = 0  # acts of these ranks that have not ended
_maps_changed = threading.Condition()
_at: Work | None = None  # what the worker is at


def job(atlas: Atlas, bounds: Bounds | None = None) -> Job:
    """The one job of a region in this process.

    When all of them hold more than `KEPT_BYTES` of memory, those used least recently that nobody waits for are
    forgotten; their files are kept.

    Args:
        atlas: What is compared.
        bounds: South, west, north, east of a rectangle of it, degrees; all of it by default.

    Raises:
        InputError: The rectangle cannot be compared, or the visitor has asked for too many in a short time.
    """
    from unigeoclip.compare.regions import Region

    key = (atlas.name, bounds)
    with _lock:
        found = _jobs.get(key)
    if found is None:
        if bounds is not None and not _regions.take(st.context.ip_address or "this machine"):
            raise InputError("Many parts of the map have just been compared; the next one can follow in a minute.")
        found = Job(atlas, Region.whole(atlas) if bounds is None else Region.rectangle(atlas, bounds))
    with _lock:
        found = _jobs.setdefault(key, found)
        _jobs.move_to_end(key)
    forget_old(found)
    return found


def forget_old(used: Job | None = None) -> None:
    """Forget regions until the others fit into `KEPT_BYTES`, the least recently used first.

    Those that somebody waits for stay, and so does the one in use.
    """
    with _lock:
        jobs = list(_jobs.items())
    used = jobs[-1][1] if used is None and jobs else used
    total = sum(each.nbytes for _, each in jobs)
    for key, each in jobs:
        if total <= KEPT_BYTES:
            return
        if each is used or each.is_waited_for:
            continue
        total -= each.nbytes
        with _lock:
            if _jobs.get(key) is each:
                del _jobs[key]
        each.abandon()


def _nbytes(held: Any) -> int:
    """Bytes of arrays, pictures and neighbour lists in lists and dictionaries, and in what is made of them."""
    if isinstance(held, np.memmap):
        return 0
    if isinstance(held, np.ndarray):
        return 0 if isinstance(held.base, np.memmap) else held.nbytes
    if isinstance(held, bytes):
        return len(held)
    if isinstance(held, dict):
        return sum(_nbytes(each) for each in list(held.values()))
    if isinstance(held, list | tuple):
        return sum(map(_nbytes, held))
    if hasattr(held, "neighbors"):  # libpysal's weights
        return _BYTES_A_NEIGHBOR * int(held.nonzero)
    if hasattr(held, "indptr"):
        return int(held.data.nbytes + held.indices.nbytes + held.indptr.nbytes)
    return _nbytes(dict(vars(held))) if is_dataclass(held) else 0


def embedders(atlas: Atlas) -> tuple[dict[str, Embedder], dict[str, str]]:
    """Those that can be used with an atlas, ours first, and why the published others cannot; loaded once.

    Ours stands there once more for each of its spatial scales, with that scale switched off.
    """
    from unigeoclip.embedders import load_all
    from unigeoclip.embedders.unigeoclip import UniGeoCLIPEmbedder

    with _lock:
        if atlas.name not in _known:
            found, missing = load_all(atlas)
            ours = [each for each in found.values() if isinstance(each, UniGeoCLIPEmbedder) and each.n_scales > 1]
            without = [each.without_scale(number) for each in ours for number in range(each.n_scales)]
            _known[atlas.name] = found | {each.name: each for each in without}, missing
        return _known[atlas.name]


def is_loaded(atlas: Atlas) -> bool:
    """Whether `embedders` returns at once."""
    return atlas.name in _known


def scales_of(found: dict[str, Embedder]) -> list[str]:
    """Which of these are ours with a scale switched off, the widest first."""
    from unigeoclip.embedders import WITHOUT

    return [name for name in found if name.startswith(WITHOUT)]


def _embedder(atlas: Atlas, name: str) -> Embedder:
    return embedders(atlas)[0][name]


def give_way() -> None:
    """Wait while maps are being computed: what can wait calls this, so that a visitor of page Compare need not."""
    with _maps_changed:
        _maps_changed.wait_for(lambda: not _maps)


def _count_maps(change: int) -> None:
    global _maps
    with _maps_changed:
        _maps += change
        _maps_changed.notify_all()


def _later(rank: int, work: Work, act: Callable[[Work], bool]) -> None:
    global _worker
    _count_maps(rank in _MAPS)
    _queue.put((rank, next(_number), work, act))
    with _lock:
        if _worker is None:
            _worker = threading.Thread(target=_run, name="compare", daemon=True)
            _worker.start()


def _run() -> None:
    global _at
    while True:
        rank, _, work, act = _queue.get()
        if work.goes_on():
            _at = work
            _do(work, act)
            _at = None
            forget_old()
        _count_maps(-(rank in _MAPS))


def _do(work: Work, act: Callable[[Work], bool]) -> None:
    ended = True
    try:
        ended = act(work)
    except StoppedError:
        return
    except UniGeoError as error:
        work.error = str(error)
    except MemoryError:
        _log.exception("Comparing %s failed", work.name)
        work.error = "There is not enough memory for this model on this region: choose a smaller part, or fewer models."
    except Exception:  # a fault of ours must not end the worker for everybody
        _log.exception("Comparing %s failed", work.name)
        work.error = "This model stopped unexpectedly; the server's log says why. The others are not affected."
    with _changing:
        work.version += 1
        if ended:
            work.doing = ""
            work.audience.forget()
