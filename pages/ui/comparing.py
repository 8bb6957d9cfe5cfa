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

import streamlit as st

from pages.ui.audience import Audience
from pages.ui.budgets import Budgets
from pages.ui.looking import DEFAULT_NUMBER
from unigeoclip.errors import InputError, StoppedError, UniGeoError

if TYPE_CHECKING:
    from collections.abc import Callable

    from unigeoclip.atlas import Atlas
    from unigeoclip.compare import Comparison, Embedded, Region
    from unigeoclip.embedders import Embedder
    from unigeoclip.geo import Bounds

KEPT_REGIONS = 6
REGIONS, REGIONS_PER_S = 12, 0.1  # new parts of a map, each minutes of work, that one client gets at once and for ever
_COARSE, _LAYOUT, _FULL, _FIGURES, _AHEAD = range(5)  # what comes first


class Work:
    """One embedder on one region.

    Attributes:
        name: Of the embedder.
        audience: The visitors who wait for it.
        embedded: The cells' vectors, coarse or complete; None until there is a first look.
        complete: Whether all cells have vectors of their own.
        doing: What is asked for and not done, in words; empty if nothing is.
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
        self.doing = ""
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
    def laid_out(self) -> bool:
        """Whether UMAP has been computed."""
        return self.complete and self.embedded is not None and self.embedded.is_laid_out

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
                self._begin(_LAYOUT, work, "Laying out with UMAP", self._lay_out)
            elif work.figures is None or names[0] not in work.agreement:
                self._want_figures(work, self.work[names[0]])

    def _want_figures(self, work: Work, first: Work) -> None:
        """Show those on disk at once; compute what is not."""
        if self.comparison([first.name, work.name]).is_measured(work.name):
            self._measure(work, first)
        else:
            self._begin(_FIGURES, work, "Measuring", lambda work: self._measure(work, first))
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
        from unigeoclip.compare import kept_region

        work = Work(name, audience)
        work.embedded = kept_region(_embedder(self.atlas, name), self.region)
        work.complete = work.embedded is not None
        if not work.complete:
            self._begin(_COARSE, work, "Working through the map", self._look)
        self.work[name] = work

    def _begin(self, rank: int, work: Work, words: str, act: Callable[[Work], bool]) -> None:
        """Queue an act unless the work is at something already, was stopped, or failed."""
        if work.doing or work.stopped or work.error:
            return
        work.doing, work.share = words, 0.0
        _later(rank, work, act)

    def version(self, names: list[str]) -> int:
        """Changes whenever there is more to see of these embedders, or to begin with them."""
        with _changing:
            return sum(self.work[name].version for name in names if name in self.work)

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
        from unigeoclip.compare import Comparison

        found = {name: work.embedded for name in names if (work := self.work[name]).embedded is not None}
        return Comparison(self.region, found)

    # Acts of the worker; they say whether the work has come to an end.

    def _look(self, work: Work) -> bool:
        from unigeoclip.compare import embed_coarsely

        work.embedded = embed_coarsely(_embedder(self.atlas, work.name), self.region)
        _later(_FULL, work, self._embed)
        return False

    def _embed(self, work: Work) -> bool:
        from unigeoclip.compare import embed_region

        embedder = _embedder(self.atlas, work.name)
        work.embedded = embed_region(embedder, self.region, work.report, coarse=work.embedded)
        work.complete = True
        work.pictures.clear()
        return True

    def _lay_out(self, work: Work) -> bool:
        if work.embedded is not None:
            work.embedded.lay_out(work.report)
        return True

    def _measure(self, work: Work, first: Work) -> bool:
        comparison = self.comparison([first.name, work.name])
        work.figures = work.figures or comparison.figures(work.name)
        work.agreement[first.name] = comparison.agreement(work.name, first.name)
        return True

    def _prepare(self, work: Work) -> bool:
        """What a visitor is likely to ask for next; nobody waits for it."""
        if work.embedded is not None:
            work.embedded.clusters(DEFAULT_NUMBER["clusters"])
            _later(_AHEAD, work, _compile)
        return False


def _compile(_work: Work) -> bool:
    from unigeoclip.projection import compile_umap

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


def job(atlas: Atlas, bounds: Bounds | None = None) -> Job:
    """The one job of a region in this process; those used least recently that nobody waits for are forgotten.

    Their files are kept.

    Args:
        atlas: What is compared.
        bounds: South, west, north, east of a rectangle of it, degrees; all of it by default.

    Raises:
        InputError: The rectangle cannot be compared, or the visitor has asked for too many in a short time.
    """
    from unigeoclip.compare import Region

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
        old = [each for each, other in _jobs.items() if other is not found and not other.is_waited_for]
        for each in old[: max(0, len(_jobs) - KEPT_REGIONS)]:
            _jobs.pop(each).abandon()
        return found


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
    while True:
        rank, _, work, act = _queue.get()
        if work.goes_on():
            _do(work, act)
        _count_maps(-(rank in _MAPS))


def _do(work: Work, act: Callable[[Work], bool]) -> None:
    ended = True
    try:
        ended = act(work)
    except StoppedError:
        return
    except UniGeoError as error:
        work.error = str(error)
    except Exception:  # a fault of ours must not end the worker for everybody
        _log.exception("Comparing %s failed", work.name)
        work.error = "This model stopped unexpectedly; the server's log says why. The others are not affected."
    with _changing:
        work.version += 1
        if ended:
            work.doing = ""
            work.audience.forget()
