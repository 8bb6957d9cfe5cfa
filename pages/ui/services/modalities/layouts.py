"""Layouts of the modalities of some places: one thread computes them, visitors taking turns."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unigeoclip.errors import UniGeoError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    Positions = dict[str, NDArray[np.float32]]
    LayOut = Callable[[Mapping[str, NDArray[np.float32]], str], Positions]

MOST_LAYOUTS = 300  # that are remembered: 600 points of two numbers are 5 kB
WAITING, COMPUTING = "Waiting for another layout", "Computing the layout"
_TYPICAL_SHARE = 0.5  # t-SNE and UMAP of so few points do not say how far they are
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LayoutKey:
    """What a layout depends on.

    Attributes:
        atlas: Name and checksum of the atlas.
        places: Numbers of the held-out items, in order.
        method: One of ``compare.modality_layout.METHODS``.
        centered: Whether each modality is moved to the middle first.
    """

    atlas: str
    places: tuple[int, ...]
    method: str
    centered: bool


class LayoutTask:
    """A layout that is being computed.

    Attributes:
        positions: Modality -> (n, 2), when it is done.
        error: A sentence why there is none.
        words: What is being done.
    """

    def __init__(self, vectors: Mapping[str, NDArray[np.float32]], method: str) -> None:
        self.method = method
        self.vectors: Mapping[str, NDArray[np.float32]] | None = vectors  # until they are laid out
        self.positions: Positions | None = None
        self.error = ""
        self.words = WAITING
        self._done = threading.Event()

    @property
    def share(self) -> float:
        """About how much of it is done, 0 to 1."""
        return 0.0 if self.words == WAITING else _TYPICAL_SHARE

    @property
    def is_done(self) -> bool:
        """Whether it has ended, with or without a result."""
        return self._done.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait at most that long; returns whether it is over."""
        return self._done.wait(seconds)

    def run(self, lay_out: LayOut) -> None:
        """Compute it; what goes wrong is noted."""
        vectors, self.vectors = self.vectors, None
        self.words = COMPUTING if self.method != "umap" else f"{COMPUTING}; UMAP is prepared once after a start"
        try:
            if vectors is not None:
                self.positions = lay_out(vectors, self.method)
        except UniGeoError as error:
            self.error = str(error)
        except Exception:  # an unexpected error must not stop the thread for all visitors
            _log.exception("A layout of modalities failed")
            self.error = "The layout stopped unexpectedly; the server's log says why. Try another selection."
        self._done.set()


class LayoutQueue:
    """Layouts by what they depend on. Of each visitor only the latest one waits; visitors take turns. Thread-safe."""

    def __init__(self, lay_out: LayOut, most: int = MOST_LAYOUTS) -> None:
        """Make it; its thread starts with the first layout.

        Args:
            lay_out: Computes a layout of vectors by a method.
            most: Layouts that are remembered.
        """
        self._lay_out, self._most = lay_out, most
        self._tasks: OrderedDict[LayoutKey, LayoutTask] = OrderedDict()
        self._waiting: OrderedDict[str, tuple[LayoutKey, LayoutTask]] = OrderedDict()  # by visitor
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def known(self, key: LayoutKey) -> LayoutTask | None:
        """The layout if it was asked for before and has not been forgotten."""
        with self._changed:
            task = self._tasks.get(key)
            if task is not None:
                self._tasks.move_to_end(key)
            return task

    def request(self, key: LayoutKey, visitor: str, vectors: Mapping[str, NDArray[np.float32]]) -> LayoutTask:
        """Ask for a layout in place of what the visitor asked for before, if that has not begun.

        Args:
            key: What it depends on.
            visitor: Who asks.
            vectors: Modality -> (n, dim) of the places.
        """
        with self._changed:
            task = self._tasks.get(key)
            if task is None:
                task = self._tasks[key] = LayoutTask(vectors, key.method)
            if not task.is_done and task.words == WAITING:
                self._replace(visitor, key, task)
            self._forget()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="modality layouts", daemon=True)
                self._thread.start()
            self._changed.notify()
            return task

    def _replace(self, visitor: str, key: LayoutKey, task: LayoutTask) -> None:
        """Let a visitor wait for a task; one that nobody waits for any more is dropped."""
        before = self._waiting.get(visitor)
        self._waiting[visitor] = key, task  # keeps the visitor's turn
        if before is not None and all(before[1] is not other for _, other in self._waiting.values()):
            self._tasks.pop(before[0], None)

    def _forget(self) -> None:
        for key in [key for key, task in self._tasks.items() if task.is_done][: max(0, len(self._tasks) - self._most)]:
            del self._tasks[key]

    def __len__(self) -> int:
        """How many layouts wait."""
        return len(self._waiting)

    def close(self) -> None:
        """End the thread after the layout that it is at."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or bool(self._waiting))
                if self._closed:
                    return
                _, (_, task) = self._waiting.popitem(last=False)
                if task.is_done:  # two visitors waited for it
                    continue
                task.words = COMPUTING
            task.run(self._lay_out)
