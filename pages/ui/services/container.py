"""All services of the app, made at its start, and the one way to those of the app that is running."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from pages.ui.services.answers.completions import Completions
from pages.ui.services.answers.heatmaps import PointHeatmaps
from pages.ui.services.answers.weights import WeighedQueries
from pages.ui.services.compare_service import CompareService, load_embedders
from pages.ui.services.explorers import Explorers, open_explorer
from pages.ui.services.fair_queue import FairQueue
from pages.ui.services.modalities import ModalitiesService
from pages.ui.services.online import OnlinePictures
from pages.ui.services.operation.metrics import Metrics
from pages.ui.services.operation.readiness import Readiness
from pages.ui.services.operation.site import site_from_environment
from pages.ui.services.operation.stores import stores_from_environment
from pages.ui.services.overlays import OverlayStore
from pages.ui.services.priority import Priority
from pages.ui.services.probe import Library, ProbeService
from pages.ui.services.suggestions import PlaceNames, Suggestions
from pages.ui.services.topics import Topics
from unigeoclip.atlas import list_atlases
from unigeoclip.parallel import use_one_thread_per_operation
from unigeoclip.site.take_home import TakeHome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE_RUNS_AT_ONCE = 3  # a run also waits for the event loop to send its messages
PAGE_RUN_HOLD_S = 1.0

_Arguments = ParamSpec("_Arguments")
_Loaded = TypeVar("_Loaded")


@dataclass(frozen=True, eq=False)
class Services:
    """What all visitors share.

    Attributes:
        explorers: Atlases and their explorers.
        compare: Regions under several models.
        modalities: What was measured of the modalities of each atlas, and layouts of them.
        probe: Probes of built-in tasks and of visitors' own labels.
        overlays: Pictures that lie over maps.
        heatmaps: Of points that were clicked.
        weighed: Queries whose weights browsers may try out.
        completions: Slow parts of answers, in the background.
        topics: What visitors follow while it is being done.
        suggestions: Texts that the search field suggests.
        place_names: Names that the place search of the map finds.
        take_home: Maps to take home, with a visitor's query.
        online: Present pictures of spots, for visitors who have switched them on.
        page_runs: The queue of runs of page scripts.
        site: Address of the same maps as a static site, to which the codes of poster mode lead; empty without one.
        metrics: Counts and times for those who run this server.
        readiness: Whether this server takes new visitors.
        origin: Returns where others reach this server, as ``http://192.168.1.20:8501``; empty if they cannot.
    """

    explorers: Explorers
    compare: CompareService
    modalities: ModalitiesService
    probe: ProbeService
    overlays: OverlayStore = field(default_factory=OverlayStore)
    heatmaps: PointHeatmaps = field(default_factory=PointHeatmaps)
    weighed: WeighedQueries = field(default_factory=WeighedQueries)
    completions: Completions = field(default_factory=Completions)
    topics: Topics = field(default_factory=Topics)
    suggestions: Suggestions = field(default_factory=Suggestions)
    place_names: PlaceNames = field(default_factory=PlaceNames)
    take_home: TakeHome = field(default_factory=TakeHome)
    online: OnlinePictures = field(default_factory=OnlinePictures.from_environment)
    page_runs: FairQueue = field(default_factory=lambda: FairQueue(PAGE_RUNS_AT_ONCE, PAGE_RUN_HOLD_S))
    origin: Callable[[], str] = str
    site: str = ""
    metrics: Metrics = field(default_factory=Metrics)
    readiness: Readiness = field(init=False)

    def __post_init__(self) -> None:
        """Make what depends on the other services."""
        object.__setattr__(self, "readiness", Readiness(self.explorers))

    @classmethod
    def create(cls, origin: Callable[[], str] = str) -> Services:
        """Services over the atlases, models and stores of this machine; nothing is opened yet.

        Raises:
            InputError: See `stores_from_environment`, `site_from_environment` and `OnlinePictures.from_environment`.
        """
        site, priority = site_from_environment(), Priority()
        compare = CompareService(priority, load_embedders=_single_threaded(load_embedders))
        probe = ProbeService(priority, library=Library(compare.embedders))
        stores = stores_from_environment(list_atlases())
        opened = _single_threaded(partial(open_explorer, stores=stores))
        names = PlaceNames()
        explorers = Explorers(priority, open_explorer=opened, at_start=stores, after_opening=names.of)
        return cls(explorers, compare, ModalitiesService(priority), probe, place_names=names, origin=origin, site=site)

    def close(self) -> None:
        """End background threads; nothing is asked of the services afterwards."""
        self.compare.close()
        self.modalities.close()
        self.probe.close()
        self.completions.close()
        self.online.close()
        self.explorers.close()


def _single_threaded(load: Callable[_Arguments, _Loaded]) -> Callable[_Arguments, _Loaded]:
    """The same function; torch computes visitors' small queries in one thread each from its first call on."""

    def loaded(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Loaded:
        use_one_thread_per_operation()
        return load(*args, **kwargs)

    return loaded


class _Serving:
    """Holds the services in use. Streamlit executes page scripts and hands them nothing, so this has to be found."""

    def __init__(self) -> None:
        self._stack: list[Services] = []

    def current(self) -> Services:
        if not self._stack:
            raise RuntimeError("No services are in use: start the app with 'streamlit run app.py', or use `serving`.")
        return self._stack[-1]

    @contextlib.contextmanager
    def use(self, made: Services) -> Iterator[Services]:
        self._stack.append(made)
        try:
            yield made
        finally:
            self._stack.remove(made)
            made.close()


_serving = _Serving()


def services() -> Services:
    """The services of the app that is running.

    Raises:
        RuntimeError: None is.
    """
    return _serving.current()


def serving(made: Services) -> contextlib.AbstractContextManager[Services]:
    """Put services in use until the block ends, which closes them; the server does, and each test with its own."""
    return _serving.use(made)
