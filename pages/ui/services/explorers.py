"""The explorers that all visitors share: each atlas is opened once, in the background, with progress."""

from __future__ import annotations

import contextlib
import gc
import threading
from typing import TYPE_CHECKING

from pages.ui.services.errors import NotFoundError, NotReadyError
from unigeoclip.atlas import list_atlases, load_atlas
from unigeoclip.errors import AtlasError, InputError, UniGeoError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from pages.ui.services.operation.stores import StoreSource
    from pages.ui.services.priority import Priority
    from unigeoclip.atlas import Atlas
    from unigeoclip.search.explorer import Explorer

    ExplorerFactory = Callable[[Atlas, Callable[[str, float], None]], Explorer]

COLLECT_EVERY_S = 10.0
_NOT_READY = "The atlas is still being opened; ask again in a moment."
FIRST = ("boston", "world")  # the first of these that is there opens with the app


def open_explorer(
    atlas: Atlas, progress: Callable[[str, float], None], stores: Mapping[str, StoreSource] | None = None
) -> Explorer:
    """Open the explorer of an atlas; here, so that the import of torch happens in the background as well.

    Args:
        atlas: The atlas.
        progress: Called with what is being done and the share of it that is, 0 to 1.
        stores: Atlases that answer from a store, by name.
    """
    from unigeoclip.search.explorer import Explorer

    if stores is not None and atlas.name in stores:
        from unigeoclip.search.store_explorer import StoreExplorer

        source = stores[atlas.name]
        return StoreExplorer.over(source.address, atlas, places=source.places, progress=progress)
    explorer = Explorer.open(atlas, progress=progress)
    progress("Preparing descriptions", 1.0)
    with contextlib.suppress(InputError):  # captions that the vocabulary has nothing close to
        explorer.descriptions.prepare()
    return explorer


class Opening:
    """One atlas on its way to being explorable; visitors read its attributes, a thread of its own writes them.

    Attributes:
        atlas: The atlas, as soon as it is read and checked: enough for the map.
        explorer: Model, grid and indexes, when everything is ready.
        error: What went wrong on purpose, to be shown as a sentence.
        words: What is being done, for the progress bar.
        share: How much of it is done, 0 to 1.
    """

    def __init__(
        self,
        name: str,
        load: Callable[[str], Atlas],
        open_explorer: ExplorerFactory,
        priority: Priority,
        after: Callable[[Atlas], object],
    ) -> None:
        """Start opening an atlas in a thread; see `Explorers`."""
        self.name = name
        self._load, self._open_explorer, self._priority, self._after = load, open_explorer, priority, after
        self.atlas: Atlas | None = None
        self.explorer: Explorer | None = None
        self.error: UniGeoError | None = None
        self.words, self.share = "Reading the atlas", 0.0
        self._done = threading.Event()
        threading.Thread(target=self._open, name=f"open {name}", daemon=True).start()

    def _open(self) -> None:
        try:
            atlas = self._load(self.name)
            # The first tile decodes a whole raster. Done here, requests for tiles are quick from the beginning.
            for raster in ("aerial", "surface"):
                atlas.raster(raster).tile(0, 0, 0)
            self.atlas = atlas
            self.words = "Loading the model"
            self.explorer = self._open_explorer(self.atlas, self._report)
        except UniGeoError as error:
            self.error = error
        finally:
            if self.explorer is None and self.error is None:  # a fault of ours: its traceback is in the server's log
                self.error = AtlasError(f"Opening the atlas '{self.name}' stopped unexpectedly; see the server's log.")
            self._done.set()
        self._warm_streets()
        self._warm_questions()
        self._warm_live()
        if self.atlas is not None:
            self._after(self.atlas)
        _freeze_garbage()

    def _warm_streets(self) -> None:
        """Draw one view, so that reading the city and compiling the renderer keep no visitor waiting."""
        if self.explorer is None or self.explorer.streets is None:
            return
        south, west, north, east = self.explorer.atlas.manifest.bounds
        view = self.explorer.streets.nearest((south + north) / 2, (west + east) / 2)
        self.explorer.streets.picture(view.lat, view.lon, view.heading_deg)

    def _warm_questions(self) -> None:
        """Ask by one word about one place, so that loading what that takes keeps no visitor waiting."""
        explorer = self.explorer
        if explorer is None or "text" not in explorer.modalities:
            return
        from unigeoclip.search.explorer import QueryItem

        query = explorer.query([QueryItem("text", "sea")])
        places = explorer.atlas.places
        explorer.search(query, 1)
        for place_id in places["place_id"][~places["gallery"]].head(1):  # of the gallery everything is encoded already
            with contextlib.suppress(InputError):  # a store need not have it
                explorer.place_matches(query, place_id)

    def _warm_live(self) -> None:
        """Make the compact grid, which takes seconds the first time, before somebody wants the map live."""
        if self.explorer is not None:
            self.explorer.compact_bytes()

    def _report(self, words: str, share: float) -> None:
        self.words, self.share = words, min(max(share, 0.0), 1.0)
        self._priority.yield_priority()

    def wait(self, seconds: float) -> bool:
        """Wait at most that long; returns whether it is over, well or badly."""
        return self._done.wait(seconds)


def _freeze_garbage() -> None:
    """Freeze long-lived objects, so that the garbage collector skips them.

    To look through torch, numba and an atlas takes a third of a second, in which no visitor is served; what is frozen
    is not looked at again.
    """
    gc.collect()
    gc.freeze()


class Explorers:
    """The openings of all atlases, one each; thread-safe."""

    def __init__(
        self,
        priority: Priority,
        *,
        list_atlases: Callable[[], list[str]] = list_atlases,
        load_atlas: Callable[[str], Atlas] = load_atlas,
        open_explorer: ExplorerFactory = open_explorer,
        at_start: Collection[str] = (),
        after_opening: Callable[[Atlas], object] = lambda _: None,
    ) -> None:
        """Make it; nothing is opened yet.

        Args:
            priority: Opening an atlas yields to this.
            list_atlases: Returns the names of the atlases at hand.
            load_atlas: Reads and checks an atlas by its name.
            open_explorer: Opens its explorer; the second argument takes progress in words and as a share.
            at_start: Names of atlases that open with the app besides the first.
            after_opening: Called, in the thread that opens it, with an atlas that visitors can already use, to make
                what would keep the first of them waiting later.
        """
        self._priority = priority
        self._list, self._load, self._open_explorer = list_atlases, load_atlas, open_explorer
        self._at_start, self._after_opening = tuple(at_start), after_opening
        self._openings: dict[str, Opening] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def start(self) -> None:
        """Open what opens with the app, so that first visitors wait less, and collect garbage from time to time."""
        threading.Thread(target=self._collect_garbage, name="collect garbage", daemon=True).start()
        for name in self.at_start():
            self.opening(name)

    def close(self) -> None:
        """End the thread that collects garbage; openings end by themselves."""
        self._closed.set()

    def _collect_garbage(self) -> None:
        """Collect garbage in time: Streamlit would after every run, while somebody waits."""
        while not self._closed.wait(COLLECT_EVERY_S):
            gc.collect()

    def names(self) -> list[str]:
        """Names of the atlases at hand, the default first."""
        rank = {name: number for number, name in enumerate(FIRST)}
        return sorted(self._list(), key=lambda name: (rank.get(name, len(FIRST)), name))

    def at_start(self) -> list[str]:
        """Names of the atlases that open with the app: the first, and those that were asked for."""
        return list(dict.fromkeys([*self.names()[:1], *self._at_start]))

    def opening(self, name: str) -> Opening:
        """The one opening of this atlas; the first caller starts it."""
        with self._lock:
            if name not in self._openings:
                self._openings[name] = Opening(
                    name, self._load, self._open_explorer, self._priority, self._after_opening
                )
            return self._openings[name]

    def forget(self, name: str) -> None:
        """Drop a failed opening, so that the next caller tries again."""
        with self._lock:
            self._openings.pop(name, None)

    def atlas(self, name: str) -> Atlas:
        """The atlas of that name, read and checked.

        Raises:
            NotFoundError: There is none of that name.
            NotReadyError: It is still being opened.
            UniGeoError: It cannot be opened.
        """
        opening = self._existing(name)
        if opening.atlas is None:
            raise opening.error or NotReadyError(_NOT_READY)
        return opening.atlas

    def explorer(self, name: str) -> Explorer:
        """The explorer of the atlas of that name; raises as `atlas` does."""
        opening = self._existing(name)
        if opening.explorer is None:
            raise opening.error or NotReadyError(_NOT_READY)
        return opening.explorer

    def _existing(self, name: str) -> Opening:
        """The opening of an atlas that exists: a name that a stranger made up must not begin one.

        The folder is not listed for an atlas that is open, since a map asks for dozens of tiles at once.
        """
        if name not in self._openings and name not in self.names():
            raise NotFoundError("There is no such atlas.")
        return self.opening(name)
