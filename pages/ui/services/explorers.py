"""The explorers that all visitors share: each atlas is opened once, in the background, with progress."""

from __future__ import annotations

import gc
import threading
import time
from typing import TYPE_CHECKING

from pages.ui.http.responses import NotFoundError, NotReadyError
from pages.ui.services import compare_jobs
from unigeoclip.atlas import list_atlases, load_atlas
from unigeoclip.errors import AtlasError, UniGeoError

if TYPE_CHECKING:
    from collections.abc import Callable

    from unigeoclip.atlas import Atlas
    from unigeoclip.search.explorer import Explorer

COLLECT_EVERY_S = 10.0
FIRST = ("boston", "world")  # the first of these that is there opens with the app


def open_explorer(atlas: Atlas, progress: Callable[[str, float], None]) -> Explorer:
    """Open the explorer of an atlas; here, so that the import of torch happens in the background as well."""
    from unigeoclip.search.explorer import Explorer

    return Explorer.open(atlas, progress=progress)


class Opening:
    """One atlas on its way to being explorable; visitors read its attributes, a thread of its own writes them.

    Attributes:
        atlas: The atlas, as soon as it is read and checked: enough for the map.
        explorer: Model, grid and indexes, when everything is ready.
        error: What went wrong on purpose, to be shown as a sentence.
        words: What is being done, for the progress bar.
        share: How much of it is done, 0 to 1.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.atlas: Atlas | None = None
        self.explorer: Explorer | None = None
        self.error: UniGeoError | None = None
        self.words, self.share = "Reading the atlas", 0.0
        self._done = threading.Event()
        threading.Thread(target=self._open, name=f"open {name}", daemon=True).start()

    def _open(self) -> None:
        try:
            atlas = load_atlas(self.name)
            # The first tile decodes a whole raster. Done here, requests for tiles are quick from the beginning.
            for raster in ("aerial", "surface"):
                atlas.raster(raster).tile(0, 0, 0)
            self.atlas = atlas
            self.words = "Loading the model"
            self.explorer = open_explorer(self.atlas, self._report)
        except UniGeoError as error:
            self.error = error
        finally:
            if self.explorer is None and self.error is None:  # a fault of ours: its traceback is in the server's log
                self.error = AtlasError(f"Opening the atlas '{self.name}' stopped unexpectedly; see the server's log.")
            self._done.set()
        self._warm_streets()
        self._warm_questions()
        _keep_from_the_collector()

    def _warm_streets(self) -> None:
        """Draw one view, so that reading the city and compiling the renderer keep no visitor waiting."""
        if self.explorer is None or self.explorer.streets is None:
            return
        south, west, north, east = self.explorer.atlas.manifest.bounds
        view = self.explorer.streets.nearest((south + north) / 2, (west + east) / 2)
        self.explorer.streets.picture(view.lat, view.lon, view.heading_deg)

    def _warm_questions(self) -> None:
        """Ask by one word about one place, so that loading what that takes keeps no visitor waiting."""
        if self.explorer is None or "text" not in self.explorer.modalities:
            return
        from unigeoclip.search.explorer import QueryItem

        query = self.explorer.query([QueryItem("text", "sea")])
        places = self.explorer.atlas.places
        for place_id in places["place_id"][~places["gallery"]].head(1):  # of the gallery everything is encoded already
            self.explorer.place_matches(query, place_id)

    def _report(self, words: str, share: float) -> None:
        self.words, self.share = words, min(max(share, 0.0), 1.0)
        compare_jobs.give_way()

    def wait(self, seconds: float) -> bool:
        """Wait at most that long; says whether it is over, well or badly."""
        return self._done.wait(seconds)


def _keep_from_the_collector() -> None:
    """Spare the garbage collector what stays anyway.

    To look through torch, numba and an atlas takes a third of a second, in which no visitor is served; what is frozen
    is not looked at again.
    """
    gc.collect()
    gc.freeze()


def collect_garbage() -> None:
    """Collect garbage from time to time, for ever: Streamlit would after every run, while somebody waits."""
    while True:
        time.sleep(COLLECT_EVERY_S)
        gc.collect()


_openings: dict[str, Opening] = {}
_lock = threading.Lock()


def opening(name: str) -> Opening:
    """The one opening of this atlas in this process; the first caller starts it."""
    with _lock:
        if name not in _openings:
            _openings[name] = Opening(name)
        return _openings[name]


def opened_atlas(name: str) -> Atlas:
    """The atlas of an address, read and checked.

    Raises:
        NotFoundError: There is none of that name.
        NotReadyError: It is still being opened.
        UniGeoError: It cannot be opened.
    """
    opening = _known(name)
    if opening.atlas is None:
        raise opening.error or NotReadyError("The atlas is still being opened; ask again in a moment.")
    return opening.atlas


def opened_explorer(name: str) -> Explorer:
    """The explorer of the atlas of an address; raises as `opened_atlas` does."""
    opening = _known(name)
    if opening.explorer is None:
        raise opening.error or NotReadyError("The atlas is still being opened; ask again in a moment.")
    return opening.explorer


def _known(name: str) -> Opening:
    if name not in atlas_names():  # a stranger's name must not begin an opening
        raise NotFoundError("There is no such atlas.")
    return opening(name)


def forget(name: str) -> None:
    """Drop a failed opening, so that the next caller tries again."""
    with _lock:
        _openings.pop(name, None)


def atlas_names() -> list[str]:
    """Names of the atlases at hand, the default first."""
    rank = {name: number for number, name in enumerate(FIRST)}
    return sorted(list_atlases(), key=lambda name: (rank.get(name, len(FIRST)), name))
