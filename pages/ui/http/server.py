"""What the server is made of besides Streamlit: routes, protection, and services that live as long as it runs."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import threading
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypedDict

from starlette.middleware import Middleware

from pages.ui.http import health, index, routes
from pages.ui.http.protection import Protection, Visitors
from pages.ui.services import serving
from unigeoclip.errors import InputError, excerpt
from unigeoclip.files.atomic import discard_unfinished
from unigeoclip.parsing.numbers import bounded_int

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from types import FrameType

    from starlette.routing import BaseRoute

    from pages.ui.services import Services

REPLICA, STOP_WITHIN_S = "UNIGEOCLIP_REPLICA", "UNIGEOCLIP_STOP_WITHIN_S"  # environment variables
STOP_S, MOST_STOP_S = 5, 600
WRITING_S = 2.0  # for which a file of the cache may still be finished
LOOK_EVERY_S, QUIET_S = 0.05, 0.5  # after a run, browsers fetch what it shows
_NAME = re.compile(r"[a-z0-9-]{0,32}")


class AppOptions(TypedDict):
    """Arguments of ``st.App``."""

    routes: list[BaseRoute]
    middleware: list[Middleware]
    lifespan: Callable[[Any], AbstractAsyncContextManager[None]]


def replica_name() -> str:
    """Name of this server among several, as ``UNIGEOCLIP_REPLICA`` has it; empty for one that is alone.

    Raises:
        InputError: It holds anything but small letters, digits and hyphens.
    """
    name = os.environ.get(REPLICA, "")
    if not _NAME.fullmatch(name):
        raise InputError(f"{REPLICA} is '{excerpt(name)}'; it takes up to 32 small letters, digits and hyphens.")
    return name


def options(services: Services) -> AppOptions:
    """Options for ``st.App`` so that it serves the pages over these services.

    Raises:
        InputError: An environment variable is not what it should be.
    """
    visitors, replica = Visitors.from_environment(), replica_name()
    stop_s = bounded_int(os.environ.get(STOP_WITHIN_S, str(STOP_S)), 0, MOST_STOP_S, STOP_WITHIN_S)
    services.metrics.describe_build(replica)
    protection = Middleware(
        Protection, visitors=visitors, services=services, script_hashes=index.script_hashes(), replica=replica
    )

    @asynccontextmanager
    async def lifespan(_app: Any) -> AsyncIterator[None]:
        with serving(services), stopping_gently(services, stop_s):
            services.explorers.start()
            yield
        discard_unfinished(WRITING_S)

    return {
        "routes": [*routes.table(services), *health.routes(visitors, services), *index.routes(visitors, services)],
        "middleware": [protection],
        "lifespan": lifespan,
    }


@contextmanager
def stopping_gently(services: Services, most_s: float) -> Iterator[None]:
    """Between SIGTERM and the server's own end, let no new visitors in and let runs of pages end.

    Args:
        services: Their readiness ends first; their queue tells which runs have not ended.
        most_s: Seconds after which the server ends whatever runs.
    """
    stop = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or not callable(stop):
        yield  # no server with signals of its own, as in tests
        return
    loop, tasks = asyncio.get_running_loop(), set[asyncio.Task[None]]()

    async def end(number: int) -> None:
        busy_at = loop.time()
        until = busy_at + most_s
        while loop.time() < min(until, busy_at + QUIET_S):
            await asyncio.sleep(LOOK_EVERY_S)
            if services.page_runs.running:
                busy_at = loop.time()
        stop(number, None)

    def begin(number: int) -> None:
        if not services.readiness.is_ending:
            services.readiness.end()
            tasks.add(asyncio.ensure_future(end(number)))

    def handle(number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(begin, number)

    signal.signal(signal.SIGTERM, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, stop)
