"""Metrics of one server, in the format of Prometheus: counters, times, and gauges that are read when somebody asks."""

from __future__ import annotations

import contextlib
import platform
import time
from importlib.metadata import version
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

import unigeoclip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # upper edges of the histograms
QUERY_KINDS = ("location", "place", "view", "text", "aerial", "street", "surface", "vector", "sum")
RUN_KINDS = ("page", "fragment")
REFUSALS = ("page", "ending", "upload", "request", "message")
OTHER = "other"


class Metrics:
    """Counts and times; labels have few values, all known beforehand, whatever visitors send."""

    def __init__(self) -> None:
        """Make them, all zero."""
        self._registry = CollectorRegistry()
        self._gauges: dict[str, Gauge] = {}
        ProcessCollector(registry=self._registry)  # memory, processor time, open files; on Linux alone
        self._queries = self._histogram(
            "query", "Time of a query on page Explore, in the computation alone", QUERY_KINDS
        )
        self._runs = self._histogram(
            "page_run", "Time from a message of a page to its answer, in queues too", RUN_KINDS
        )
        self._refused = Counter(
            "unigeoclip_refused", "What was refused over a limit or a stop", ["what"], registry=self._registry
        )
        for what in REFUSALS:
            self._refused.labels(what)
        self._delayed = Counter(
            "unigeoclip_delayed_acts", "Messages of pages that came too fast and had to wait", registry=self._registry
        )

    def _histogram(self, name: str, words: str, kinds: tuple[str, ...]) -> Histogram:
        made = Histogram(f"unigeoclip_{name}_seconds", words, ["kind"], buckets=SECONDS, registry=self._registry)
        for kind in (*kinds, OTHER):
            made.labels(kind)
        return made

    def describe_build(self, replica: str) -> None:
        """Add what runs.

        Args:
            replica: Name of this server among several, or empty.
        """
        versions = {"version": unigeoclip.__version__, "python": platform.python_version()}
        Info("unigeoclip_build", "What runs", registry=self._registry).info(
            {**versions, "streamlit": version("streamlit"), "replica": replica}
        )

    @contextlib.contextmanager
    def timed_query(self, kind: str) -> Iterator[None]:
        """Time a query that is answered; one that fails does not count.

        Args:
            kind: One of `QUERY_KINDS`; anything else counts as "other".
        """
        begun = time.perf_counter()
        yield
        self._queries.labels(kind if kind in QUERY_KINDS else OTHER).observe(time.perf_counter() - begun)

    def count_run(self, kind: str, seconds: float) -> None:
        """Count a run of a page's script.

        Args:
            kind: One of `RUN_KINDS`.
            seconds: From the message that asked for it to its last answer.
        """
        self._runs.labels(kind).observe(seconds)

    def count_refusal(self, what: str) -> None:
        """Count something that was refused: one of `REFUSALS`."""
        self._refused.labels(what).inc()

    def count_delay(self) -> None:
        """Count a message of a page that had to wait because it came too fast."""
        self._delayed.inc()

    def gauge(self, name: str, words: str, read: Callable[[], float]) -> None:
        """Add a value that is read whenever the metrics are, in place of the one of that name.

        Args:
            name: What follows "unigeoclip_".
            words: What it is.
            read: Returns the value; must not block.
        """
        if name not in self._gauges:
            self._gauges[name] = Gauge(f"unigeoclip_{name}", words, registry=self._registry)
        self._gauges[name].set_function(read)

    def text(self) -> bytes:
        """All metrics as Prometheus reads them, of the type `CONTENT_TYPE`."""
        return generate_latest(self._registry)
