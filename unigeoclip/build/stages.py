"""Progress of a build that goes through stages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Progress = Callable[[str, float], None]


class Stages:
    """Turns the progress of each stage into that of the whole, with the time left of the stage, every few seconds."""

    def __init__(self, report: Progress, pause_s: float = 2.0) -> None:
        self._report = report
        self._pause_s = pause_s
        self._end = 0.0

    def start(self, stage: str, end: float) -> Progress:
        """A reporter for the stage that ends at the share ``end`` of the whole."""
        begin, self._end = self._end, end
        started = last = time.monotonic()
        self._report(stage, begin)

        def report(text: str, share: float) -> None:
            nonlocal last
            now = time.monotonic()
            if not text or (now - last < self._pause_s and 0 < share < 1):
                return
            last = now
            left_s = (now - started) * (1 - share) / share if share > 0.02 else 0.0
            left = f", {_duration(left_s)} left" if left_s >= 1 else ""
            self._report(f"{stage}: {text}{left}", begin + (end - begin) * share)

        return report


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
