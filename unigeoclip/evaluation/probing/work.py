"""Progress and cancellation of one long computation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unigeoclip.errors import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Cancelled", "Progress", "Work"]

if TYPE_CHECKING:
    Progress = Callable[[str, float], None]  # what is being done, and the share of all that is done, 0 to 1
    Cancelled = Callable[[], bool]  # whether the caller no longer wants it


class Work:
    """Counts what is done of a computation, tells it, and ends the computation where it is not wanted any more."""

    def __init__(self, total: float, progress: Progress | None = None, cancelled: Cancelled | None = None) -> None:
        """Nothing is done yet.

        Args:
            total: All that there is to do, in any unit.
            progress: Called with what is being done, and the share of all that is done.
            cancelled: Asked at every step.
        """
        self.total = max(total, 1e-9)
        self.words = ""
        self._weight = 1.0
        self._done = 0.0
        self._progress, self._cancelled = progress, cancelled

    def begin(self, words: str, weight: float = 1.0) -> None:
        """Say what comes next, and how much of the total each of its steps is.

        Raises:
            StoppedError: The computation is not wanted any more.
        """
        self.words, self._weight = words, weight
        self.step(0.0)

    def step(self, amount: float = 1.0) -> None:
        """So many steps more are done.

        Raises:
            StoppedError: The computation is not wanted any more.
        """
        if self._cancelled is not None and self._cancelled():
            raise StoppedError("The probe was stopped.")
        self._done += amount * self._weight
        if self._progress is not None:
            self._progress(self.words, min(1.0, self._done / self.total))
