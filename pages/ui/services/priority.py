"""Priority of urgent work over work that can wait."""

from __future__ import annotations

import threading


class Priority:
    """Counts pieces of urgent work; what can wait waits until there is none."""

    def __init__(self) -> None:
        self._urgent = 0
        self._changed = threading.Condition()

    def begin(self) -> None:
        """A piece of urgent work is queued."""
        self._add(1)

    def end(self) -> None:
        """A piece of urgent work has ended, or was given up."""
        self._add(-1)

    def _add(self, change: int) -> None:
        with self._changed:
            self._urgent += change
            self._changed.notify_all()

    def yield_priority(self) -> None:
        """Wait while there is urgent work; work that can wait calls this between its steps."""
        with self._changed:
            self._changed.wait_for(lambda: self._urgent <= 0)
