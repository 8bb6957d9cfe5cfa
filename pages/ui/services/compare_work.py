"""One model on one region of page Compare: what there is of it, and what is being done for it."""

from __future__ import annotations

import threading
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pages.ui.services.waiters import Waiters
    from unigeoclip.compare.disagreement import Example
    from unigeoclip.compare.region import Region
    from unigeoclip.compare.regions import Embedded

# What has to be done for a model, and about how long each takes compared with the others, for the bar.
PHASES = {"map": 10.0, "layout": 25.0, "disagreement": 15.0, "figures": 10.0}
_BYTES_A_NEIGHBOR = 60  # in lists as libpysal keeps them: 83 MB were measured for 1.5 million


class Work:
    """One embedder on one region.

    Attributes:
        name: Of the embedder.
        waiters: The visitors who wait for it.
        embedded: The cells' vectors, coarse or complete; None until there is a first look.
        complete: Whether all cells have vectors of their own.
        doing: What is asked for and not done, in words; empty if nothing is.
        phase: One of `PHASES` that this belongs to.
        ready: The phases that were on disk already, and cost nothing.
        stopped: Whether that was given up.
        share: How much of it is done, 0 to 1.
        error: A sentence why there is nothing.
        is_current: Whether the worker is at it.
        figures: Of this model on parts of the region, when they have been computed.
        agreement: With another model, by its name and the part of the region.
        examples: Places at which it disagrees with another model, by that model's name.
        pictures: Colours and pictures of the map, by what they depend on.
        prepared: Whether what may be asked for next has been begun.
    """

    def __init__(self, name: str, waiters: Waiters) -> None:
        self.name, self.waiters = name, waiters
        self.embedded: Embedded | None = None
        self.complete = self.stopped = False
        self.doing = self.phase = ""
        self.ready: set[str] = set()
        self.share = 0.0
        self.error = ""
        self.is_current = False
        self._version = 0
        self._ending = threading.Lock()  # a page must not see that a work has ended without seeing what it brought
        self.figures: dict[Region, dict[str, Any]] = {}
        self.agreement: dict[tuple[str, Region], dict[str, Any]] = {}
        self.examples: dict[str, list[Example]] = {}
        self.pictures: dict[Any, Any] = {}
        self.prepared = False

    @property
    def version(self) -> int:
        """Changes when there is more of it to show."""
        with self._ending:
            return self._version

    def end_act(self, *, is_done: bool) -> None:
        """An act of the worker has ended; ``is_done`` if nothing follows it by itself."""
        with self._ending:
            self._version += 1
            if is_done:
                self.doing = ""
                self.waiters.forget()

    @property
    def busy(self) -> bool:
        """Whether more of it is on its way."""
        return bool(self.doing) and not (self.stopped or self.error)

    @property
    def measured(self) -> bool:
        """Whether its figures are known, whatever it is compared with."""
        return bool(self.figures and self.agreement)

    @property
    def laid_out(self) -> bool:
        """Whether UMAP has been computed."""
        return self.complete and self.embedded is not None and self.embedded.is_laid_out

    def done(self, phase: str) -> float:
        """How much of a phase is done, 0 to 1; of a disagreement only while the work is at it."""
        ended = {"map": self.complete, "layout": self.laid_out, "figures": self.measured}
        return 1.0 if ended.get(phase) else self.share if self.doing and self.phase == phase else 0.0

    @property
    def nbytes(self) -> int:
        """Memory that only this work holds."""
        held = dict(vars(self.embedded)) if self.embedded is not None else {}
        arrays = [value for name, value in held.items() if name not in ("embedder", "region")]
        return nbytes_of([arrays, self.pictures])

    def report(self, done: int, total: int) -> bool:
        """Note progress; returns whether to continue."""
        self.share = done / max(total, 1)
        return self.is_running()

    def is_running(self) -> bool:
        """Whether anybody wants it; it is given up once somebody has stopped it and nobody else waits."""
        self.stopped = self.stopped or self.waiters.is_gone()
        return not self.stopped

    def is_stopped_for(self, visitor: str) -> bool:
        """Whether a visitor has stopped it, though others may wait for it."""
        return self.waiters.has_left(visitor) and (self.busy or self.stopped)


def nbytes_of(held: Any) -> int:
    """Bytes of arrays, pictures and neighbour lists in lists and dictionaries, and in what is made of them."""
    if isinstance(held, np.memmap):
        return 0
    if isinstance(held, np.ndarray):
        return 0 if isinstance(held.base, np.memmap) else held.nbytes
    if isinstance(held, bytes):
        return len(held)
    if isinstance(held, dict):
        return sum(nbytes_of(each) for each in list(held.values()))
    if isinstance(held, list | tuple):
        return sum(map(nbytes_of, held))
    if hasattr(held, "neighbors"):  # libpysal's weights
        return _BYTES_A_NEIGHBOR * int(held.nonzero)
    if hasattr(held, "indptr"):
        return int(held.data.nbytes + held.indices.nbytes + held.indptr.nbytes)
    return nbytes_of(dict(vars(held))) if is_dataclass(held) else 0
