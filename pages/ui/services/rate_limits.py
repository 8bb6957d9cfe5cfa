"""Rate limits for each visitor, so that one in a hurry does not slow the others down."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_CLIENTS = 4096  # whose buckets are remembered; whoever is forgotten starts with a full one


class Bucket:
    """A token bucket: full at first, one token for each act, filled up again at a steady rate."""

    def __init__(self, burst: float, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Make a full one.

        Args:
            burst: Most tokens that it holds: how many acts may follow one another at once.
            per_s: Tokens that come back each second: the sustained rate.
            clock: Tells the time in seconds.
        """
        self._burst, self._per_s, self._clock = burst, per_s, clock
        self._tokens, self._filled_at = burst, clock()

    def _fill(self) -> None:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_s)
        self._filled_at = now

    def take(self, tokens: float = 1.0) -> bool:
        """Take tokens if they are there; says whether they were."""
        self._fill()
        if self._tokens < tokens:
            return False
        self._tokens -= tokens
        return True

    def wait_s(self) -> float:
        """Take a token, on credit if there is none; returns how long to wait for it, in seconds."""
        self._fill()
        self._tokens -= 1.0
        return max(0.0, -self._tokens / self._per_s)


class RateLimits:
    """A bucket for each client, by any name that tells them apart; safe to share between threads."""

    def __init__(self, burst: float, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Make none yet; see `Bucket`."""
        self._new = partial(Bucket, burst, per_s, clock)
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, client: str, tokens: float = 1.0) -> bool:
        """Take tokens of a client's bucket if they are there; says whether they were."""
        with self._lock:
            return self._of(client).take(tokens)

    def wait_s(self, client: str) -> float:
        """Take a token of a client's bucket, on credit if there is none; returns how long to wait for it, seconds."""
        with self._lock:
            return self._of(client).wait_s()

    def _of(self, client: str) -> Bucket:
        bucket = self._buckets.setdefault(client, self._new())
        self._buckets.move_to_end(client)
        while len(self._buckets) > MAX_CLIENTS:
            self._buckets.popitem(last=False)
        return bucket
