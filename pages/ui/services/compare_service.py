"""Comparison of models, shared by all visitors: regions in memory, embedders, and the worker."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from pages.ui.services.compare_jobs import Job
from pages.ui.services.compare_worker import Worker
from pages.ui.services.errors import NotFoundError
from pages.ui.services.rate_limits import RateLimits
from unigeoclip.errors import InputError, UniGeoError
from unigeoclip.geo import overlap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pages.ui.services.compare_worker import WorkQueue
    from pages.ui.services.priority import Priority
    from unigeoclip.atlas import Atlas
    from unigeoclip.compare.regions import Embedded
    from unigeoclip.embedders import Embedder
    from unigeoclip.geo import Bounds

    Embedders = tuple[dict[str, Embedder], dict[str, str]]  # by name; why published ones cannot be used, by name

_log = logging.getLogger(__name__)
MAX_BYTES = 600_000_000  # of all regions in memory; vectors that are mapped from their files do not count
REGIONS, REGIONS_PER_S = 6, 1 / 15  # new parts of a map that one client gets at once, and per second in the long run


def load_embedders(atlas: Atlas) -> Embedders:
    """Embedders that can be used with an atlas, ours first, and why the published others cannot.

    Ours is listed once more for each of its spatial scales, with that scale switched off. Files of embeddings that
    `named_files` names are listed where they overlap the atlas.
    """
    from unigeoclip.embedders import load_all
    from unigeoclip.embedders.unigeoclip import UniGeoCLIPEmbedder

    found, missing = load_all(atlas)
    ours = [each for each in found.values() if isinstance(each, UniGeoCLIPEmbedder) and each.n_scales > 1]
    without = [each.without_scale(number) for each in ours for number in range(each.n_scales)]
    files, unreadable = load_files(atlas)
    return found | files | {each.name: each for each in without}, missing | unreadable


def load_files(atlas: Atlas) -> Embedders:
    """Files of embeddings that `named_files` names and that overlap an atlas, and which cannot be read."""
    from unigeoclip.embedders.files import FileEmbedder
    from unigeoclip.embedders.files.named import named_files

    found: dict[str, Embedder] = {}
    unreadable: dict[str, str] = {}
    for name, address in named_files().items():
        try:
            embedder = FileEmbedder.from_address(address, name)
        except UniGeoError as error:  # it may name folders of this server: not for visitors
            _log.warning("%s cannot be compared: %s", name, error)
            unreadable[name] = "The file cannot be read; the log of the server says why."
            continue
        if overlap(embedder.coverage, atlas.manifest.bounds) is not None:
            found[name] = embedder
    return found, unreadable


def scales_of(names: Iterable[str]) -> list[str]:
    """Which of these embedders are ours with a scale switched off, the widest first."""
    from unigeoclip.embedders import WITHOUT

    return [name for name in names if name.startswith(WITHOUT)]


class CompareService:
    """The jobs of all regions, one each; thread-safe."""

    def __init__(
        self,
        priority: Priority,
        *,
        load_embedders: Callable[[Atlas], Embedders] = load_embedders,
        regions: RateLimits | None = None,
        max_bytes: int = MAX_BYTES,
        worker: WorkQueue | None = None,
    ) -> None:
        """Make it; its thread starts with the first work.

        Args:
            priority: Is urgent while maps are being computed.
            load_embedders: Loads the models of an atlas; called once for each.
            regions: Limits new regions of each client.
            max_bytes: Memory of all regions above which old ones are forgotten.
            worker: Does the work; a thread of its own by default.
        """
        self._load, self._max_bytes = load_embedders, max_bytes
        self._regions = regions or RateLimits(REGIONS, REGIONS_PER_S)
        self._own_worker = Worker(priority, self.forget_old)
        self._worker: WorkQueue = worker or self._own_worker
        self._jobs: OrderedDict[tuple[str, Bounds | None], Job] = OrderedDict()
        self._embedders: dict[str, Embedders] = {}
        self._lock = threading.Lock()
        self._loading = threading.Lock()
        self._compressing = threading.Lock()

    def close(self) -> None:
        """Give up all work and end the thread."""
        self._own_worker.close()
        for each in self.jobs:
            each.abandon()

    @property
    def queued(self) -> int:
        """Pieces of work that wait for the worker."""
        return self._own_worker.queued

    @property
    def jobs(self) -> list[Job]:
        """Jobs in memory, the least recently used first."""
        with self._lock:
            return list(self._jobs.values())

    def job(self, atlas: Atlas, bounds: Bounds | None = None, client: str = "this machine") -> Job:
        """The one job of a region.

        When all of them hold more memory than is allowed, those used least recently that nobody waits for are
        forgotten; their files are kept.

        Args:
            atlas: What is compared.
            bounds: South, west, north, east of a rectangle of it, degrees; all of it by default.
            client: Address of the client.

        Raises:
            InputError: The rectangle cannot be compared, or the client has asked for too many in a short time.
        """
        from unigeoclip.compare.regions import Region

        key = (atlas.name, bounds)
        with self._lock:
            found = self._jobs.get(key)
        if found is None:
            if bounds is not None and not self._regions.take(client):
                raise InputError("Many parts of the map have just been compared; the next one can follow in a minute.")
            region = Region.whole(atlas) if bounds is None else Region.rectangle(atlas, bounds)
            found = Job(atlas, region, self.embedders(atlas)[0], self._worker)
        with self._lock:
            found = self._jobs.setdefault(key, found)
            self._jobs.move_to_end(key)
        self.forget_old(found)
        return found

    def forget_old(self, used: Job | None = None) -> None:
        """Forget regions until the others fit into memory, the least recently used first.

        Those that somebody waits for stay, and so does the one in use.
        """
        with self._lock:
            jobs = list(self._jobs.items())
        used = jobs[-1][1] if used is None and jobs else used
        total = sum(each.nbytes for _, each in jobs)
        for key, each in jobs:
            if total <= self._max_bytes:
                return
            if each is used or each.is_waited_for:
                continue
            total -= each.nbytes
            with self._lock:
                if self._jobs.get(key) is each:
                    del self._jobs[key]
            each.abandon()

    def compact_bytes(self, atlas_name: str, key: str) -> bytes:
        """The compact grid of a region that is in memory and has all its vectors, see `Embedded.compact_bytes`.

        Args:
            atlas_name: Of the atlas.
            key: `Embedded.key`.

        Raises:
            NotFoundError: There is none; no region is begun for a browser that asks.
        """
        return self._of_region(atlas_name, key, lambda embedded: embedded.compact_bytes())

    def encoder_bytes(self, atlas_name: str, key: str) -> bytes:
        """What a browser encodes points of that region by, see `Embedded.encoder_bytes`; as `compact_bytes`.

        Raises:
            NotFoundError: There is no such region, or its model has nothing for browsers.
        """

        def of(embedded: Embedded) -> bytes:
            if embedded.browser_encoder is None:
                raise NotFoundError("This model has no location encoder for browsers.")
            return embedded.encoder_bytes()

        return self._of_region(atlas_name, key, of)

    def _of_region(self, atlas_name: str, key: str, of: Callable[[Embedded], bytes]) -> bytes:
        """Something of a region that is in memory and complete."""
        works = [work for job in self.jobs if job.atlas.name == atlas_name for work in list(job.work.values())]
        for embedded in (work.embedded for work in works if work.complete):
            if embedded is not None and embedded.key == key:
                with self._compressing:  # one at a time: each takes a second of all cores
                    return of(embedded)
        raise NotFoundError("This part of the map is no longer in memory: load the page again.")

    def embedders(self, atlas: Atlas) -> Embedders:
        """Embedders of an atlas, and why the published others cannot be used; loaded once."""
        with self._loading:
            if atlas.name not in self._embedders:
                self._embedders[atlas.name] = self._load(atlas)
            return self._embedders[atlas.name]

    def is_loaded(self, atlas: Atlas) -> bool:
        """Whether `embedders` returns at once."""
        return atlas.name in self._embedders
