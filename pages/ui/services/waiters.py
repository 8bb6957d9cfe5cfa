"""Who waits for a shared task: it is canceled when a visitor stops it and no other visitor waits."""

from __future__ import annotations

import time

GONE_S = 10.0  # visitors whose page has not asked for so long have closed it


class Waiters:
    """The visitors of one piece of work, by any name that tells them apart."""

    def __init__(self) -> None:
        self._waiting: dict[str, float] = {}  # when each was seen last, seconds of `time.monotonic`
        self._left: set[str] = set()

    def see(self, visitor: str) -> None:
        """Note that a visitor still waits; of one who has left, it changes nothing."""
        if visitor not in self._left:
            self._waiting[visitor] = time.monotonic()

    def leave(self, visitor: str) -> None:
        """A visitor does not want to wait any more."""
        self._waiting.pop(visitor, None)
        self._left.add(visitor)

    def restore(self, visitor: str) -> None:
        """A visitor wants to wait after all."""
        self._left.discard(visitor)
        self.see(visitor)

    def has_left(self, visitor: str) -> bool:
        """Whether a visitor has left and not come back."""
        return visitor in self._left

    def is_waiting(self) -> bool:
        """Whether anybody waits."""
        since = time.monotonic() - GONE_S
        return any(seen > since for seen in list(self._waiting.values()))

    def is_gone(self) -> bool:
        """Whether somebody has left and nobody waits; work that nobody has stopped goes on without visitors."""
        return bool(self._left) and not self.is_waiting()

    def forget(self) -> None:
        """The work has come to an end: nobody waits for it, and nobody need have left it."""
        self._waiting.clear()
        self._left.clear()
