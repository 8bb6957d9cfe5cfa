"""Protection of the server: security headers, a limit of visitors, rate limits for each.

An ASGI middleware, outside of Streamlit's own. Limits are per client address. Behind a proxy that is the address which
the proxy reports in X-Forwarded-For: uvicorn puts it into the scope, and believes only proxies on this machine, or
those that the environment variable FORWARDED_ALLOW_IPS names.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import h11
from google.protobuf.message import DecodeError
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from pages.ui.services.fair_queue import FairQueue
from pages.ui.services.rate_limits import Bucket, RateLimits
from unigeoclip.parsing.numbers import bounded_int

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from pages.ui.services import Services
    from pages.ui.services.fair_queue import Turn

MAX_VISITORS = "UNIGEOCLIP_MAX_VISITORS"  # environment variables
MAX_OF_ONE = "UNIGEOCLIP_MAX_PAGES_PER_CLIENT"
RUNS_A_SECOND = "UNIGEOCLIP_ACTS_PER_S"
METRICS = "UNIGEOCLIP_METRICS"
VISITORS = 100  # open pages at once, unless the variable says otherwise
CONNECTS, CONNECTS_PER_S = 30, 0.5  # of one client: pages it may open at once, and how many a second in the long run
RUNS, RUNS_PER_S = 20, 2  # of one page: clicks and other acts; what comes faster waits
CLIENT_RUNS, CLIENT_RUNS_PER_RUN = 50, 4  # of all pages of one client: how many at once, and times those of one page
MAX_LAST_BYTES = 256  # of the message that says that a run is over
UPLOADS_AT_ONCE, UPLOADS_WAITING, UPLOAD_WAITS_S = 4, 40, 20.0  # what waits is not read, and so not in memory
SESSION_UPLOAD_BYTES, ALL_UPLOAD_BYTES = 200_000_000, 1_000_000_000  # of files that Streamlit holds in memory
ENDING_STATUS = 502  # of a server that is being stopped: a proxy asks the next one, which it does not for 503
ENDING = "This server is being restarted. Please try again in a few seconds."
REPLICA_COOKIE = "unigeoclip_replica"  # tells a proxy which of several servers holds the session of a browser
FULL = "Too many people are using this server just now. Please come back in a few minutes."
TILES = "https://tile.openstreetmap.org"  # the base map "Online", fetched by browsers whose visitors chose it
_log = logging.getLogger(__name__)


def content_security_policy(script_hashes: tuple[str, ...] = ()) -> str:
    """What pages may load and run: what this server gives them, and map tiles of OpenStreetMap.

    Args:
        script_hashes: Of the inline scripts of Streamlit's page, as ``sha256-...``.
    """
    inline = "".join(f" '{each}'" for each in script_hashes)
    return "; ".join(
        (
            "default-src 'self'",
            # blob: is how Streamlit loads the scripts of components; WebAssembly multiplies for the live map.
            f"script-src 'self' 'wasm-unsafe-eval' blob:{inline}",
            "style-src 'self' 'unsafe-inline'",  # Streamlit, Leaflet and Plotly write styles into elements
            f"img-src 'self' data: blob: {TILES}",
            "font-src 'self' data:",
            "media-src 'self' data: blob:",
            "worker-src 'self' blob:",
            "connect-src 'self' blob: data:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'self'",
        )
    )


HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",  # an address says what was asked; tiles of OpenStreetMap are told the server only
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


class Visitors:
    """Who is here: open pages, of all and of each client."""

    def __init__(self, most: int = VISITORS, runs_per_s: float = RUNS_PER_S, most_of_one: int | None = None) -> None:
        """Make the count.

        Args:
            most: Pages that may be open at once.
            runs_per_s: Acts of one page for each second in the long run.
            most_of_one: Pages that one client may have open; half of all by default, so that none shuts others out.
        """
        self._most, self._most_of_one = most, max(1, most // 2) if most_of_one is None else most_of_one
        # A page that was let in while there was room should not fail at its second step, which opens the connection.
        self._spare = max(2, most // 10)
        self._open: Counter[str] = Counter()
        self._connects = RateLimits(CONNECTS, CONNECTS_PER_S)
        self._runs_per_s = runs_per_s
        self._runs = RateLimits(CLIENT_RUNS, CLIENT_RUNS_PER_RUN * runs_per_s)

    @classmethod
    def from_environment(cls) -> Visitors:
        """As the environment says: `MAX_VISITORS`, `RUNS_A_SECOND`, `MAX_OF_ONE`.

        Raises:
            InputError: One of them is not a number from 1 to 100,000.
        """

        def asked(name: str, usual: int) -> int:
            return bounded_int(os.environ.get(name, str(usual)), 1, 100_000, name)

        most = asked(MAX_VISITORS, VISITORS)
        return cls(most, asked(RUNS_A_SECOND, RUNS_PER_S), asked(MAX_OF_ONE, max(1, most // 2)))

    @property
    def pages(self) -> int:
        """Pages that are open."""
        return self._open.total()

    def is_full(self, client: str) -> bool:
        """Whether there is no room for another page of a client."""
        return self._open.total() >= self._most or self._open[client] >= self._most_of_one

    def enter(self, client: str) -> bool:
        """Open a page, if there is room and the client does not open them too fast; says whether it is open."""
        full = self._open.total() >= self._most + self._spare or self._open[client] >= self._most_of_one + self._spare
        if full or not self._connects.take(client):
            return False
        self._open[client] += 1
        return True

    def pace(self, client: str) -> Callable[[], float]:
        """Of a new page: call it before each of its acts; it returns how long that has to wait, seconds."""
        of_page = Bucket(RUNS, self._runs_per_s)
        return lambda: max(of_page.wait_s(), self._runs.wait_s(client))

    def leave(self, client: str) -> None:
        """Close a page that was opened."""
        self._open[client] -= 1
        if self._open[client] <= 0:
            del self._open[client]


def client_of(scope: Scope) -> str:
    """Address of the client, or nothing where it is not known."""
    client: tuple[str, int] | None = scope.get("client")
    return client[0] if client else ""


class Protection:
    """The middleware."""

    def __init__(
        self,
        app: ASGIApp,
        visitors: Visitors,
        services: Services,
        script_hashes: tuple[str, ...] = (),
        metrics: bool | None = None,
        replica: str = "",
    ) -> None:
        """Wrap an app.

        Args:
            app: What is protected.
            visitors: Counts open pages.
            services: Their queue limits how many runs of page scripts there are at once; their metrics count.
            script_hashes: See `content_security_policy`.
            metrics: Whether Streamlit's ``/_stcore/metrics`` is open; if ``UNIGEOCLIP_METRICS`` is 1 by default.
            replica: Name of this server among several; browsers get it as a cookie.
        """
        self._app, self._visitors, self._services = app, visitors, services
        self._cookie = f"{REPLICA_COOKIE}={replica}; Path=/; HttpOnly; SameSite=Lax" if replica else ""
        self._headers = HEADERS | {"Content-Security-Policy": content_security_policy(script_hashes)}
        self._metrics = os.environ.get(METRICS) == "1" if metrics is None else metrics
        self._uploads = FairQueue(UPLOADS_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http":
            try:
                await self._http(scope, receive, self._with_headers(send))
            except h11.LocalProtocolError:  # the server had given up the connection over a body that is none
                _log.warning("A request of %s broke off.", client_of(scope))
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _with_headers(self, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if self._cookie and headers.get("content-type", "").startswith("text/html"):
                    headers.append("Set-Cookie", self._cookie)
            elif message["type"] == "websocket.accept" and self._cookie:  # the session is here from now on
                MutableHeaders(scope=message).append("Set-Cookie", self._cookie)
            await send(message)

        return sending

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path.endswith("/_stcore/metrics") and not self._metrics:
            await PlainTextResponse("Not Found", 404)(scope, receive, send)
        elif scope["method"] == "PUT" and "/_stcore/upload_file/" in path:
            await self._upload(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let files in, a few at once, as long as there is room for them in memory."""
        turn = await self._turn_of_upload(scope)
        if turn is None:
            words = "Too many files are being uploaded; try again in a moment, or reload the page."
            self._services.metrics.count_refusal("upload")
            await PlainTextResponse(words, 503, headers={"Retry-After": "5"})(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            turn.end()

    async def _turn_of_upload(self, scope: Scope) -> Turn | None:
        """Wait until a file may be read; None if it may not, or if that takes too long."""
        if self._uploads.waiting >= UPLOADS_WAITING:
            return None
        try:
            turn = await asyncio.wait_for(self._uploads.take(client_of(scope)), UPLOAD_WAITS_S)
        except TimeoutError:
            return None
        if not _has_room_for_upload(scope["path"]):
            turn.end()
            return None
        return turn

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = client_of(scope)
        if self._services.readiness.is_ending:
            self._services.metrics.count_refusal("ending")
            await _deny(scope, receive, send, ENDING_STATUS, ENDING)
            return
        if not self._visitors.enter(client):
            _log.warning("A page of %s was not let in: too many are open, or it opens them too fast.", client)
            self._services.metrics.count_refusal("page")
            await _deny(scope, receive, send, 503, FULL)
            return
        page = _Page(receive, self._with_headers(send), client, self._visitors.pace(client), self._services)
        try:
            await self._app(scope, page.receive, page.send)
        finally:
            page.close()
            self._visitors.leave(client)


async def _deny(scope: Scope, receive: Receive, send: Send, status: int, words: str) -> None:
    """Refuse a websocket before it is opened, with a reason where the server can give one."""
    await receive()
    if "websocket.http.response" in (scope.get("extensions") or {}):
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"retry-after", b"10")]
        await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": words.encode()})
    else:
        await send({"type": "websocket.close", "code": 1013})


class _Page:
    """The connection of a page: limits the rate of its messages and queues those that run its script.

    Streamlit runs the script for each message: a page that sends them without end would keep a core busy.
    """

    def __init__(
        self, receive: Receive, send: Send, client: str, wait_s: Callable[[], float], services: Services
    ) -> None:
        self._receive, self._send, self._client, self._wait_s = receive, send, client, wait_s
        self._page_runs, self._metrics = services.page_runs, services.metrics
        self._asked: tuple[str, float] | None = None  # kind of the run that was asked for first, and when
        self._turn: Turn | None = None
        self._ahead: asyncio.Task[Message] | None = None  # the message after the one that waits

    async def receive(self) -> Message:
        """The next message of the page, once it may be processed."""
        message = await self._next()
        if message["type"] != "websocket.receive":
            return message
        act = _read(message.get("bytes"))
        if act is None:  # Streamlit takes it for a fault of its own, with a traceback
            self._metrics.count_refusal("message")
            await self._send({"type": "websocket.close", "code": 1003})
            return {"type": "websocket.disconnect", "code": 1003}
        runs = act.WhichOneof("type") == "rerun_script"
        if runs and self._asked is None:
            self._asked = "fragment" if act.rerun_script.fragment_id else "page", time.monotonic()
        disconnect = await self._unless_disconnected(self._wait(runs))
        return disconnect or message

    async def _wait(self, runs: bool) -> None:
        wait_s = self._wait_s()
        if wait_s > 0:
            self._metrics.count_delay()
        await asyncio.sleep(wait_s)
        if runs and self._turn is None:  # a message that interrupts a run of the same page shares its turn
            self._turn = await self._page_runs.take(self._client)

    async def _unless_disconnected(self, waiting: Coroutine[Any, Any, None]) -> Message | None:
        """Wait; if the page disconnects meanwhile, stop waiting and return that message, so that no run is wasted."""
        task = asyncio.ensure_future(waiting)
        try:
            await asyncio.wait({task}, timeout=0)
            if not task.done():
                self._ahead = self._ahead or asyncio.ensure_future(self._receive())
                await asyncio.wait({task, self._ahead}, return_when=asyncio.FIRST_COMPLETED)
                if self._ahead.done() and self._ahead.result()["type"] == "websocket.disconnect":
                    return self._ahead.result()
            await task
        finally:
            task.cancel()
        return None

    async def _next(self) -> Message:
        ahead, self._ahead = self._ahead, None
        return await (ahead or self._receive())

    async def send(self, message: Message) -> None:
        """Send to the page; the last message of a run ends its turn."""
        if self._turn is not None and _ends_run(message.get("bytes")):
            self._end_turn()
            if self._asked is not None:
                self._metrics.count_run(self._asked[0], time.monotonic() - self._asked[1])
                self._asked = None
        await self._send(message)

    def _end_turn(self) -> None:
        if self._turn is not None:
            self._turn.end()
            self._turn = None

    def close(self) -> None:
        """Free what the connection holds."""
        self._end_turn()
        if self._ahead is not None:
            self._ahead.cancel()


def _read(data: bytes | None) -> BackMsg | None:
    """What Streamlit's client sent; None if it is something else, such as text."""
    if data is None:
        return None
    try:
        message: BackMsg = BackMsg.FromString(data)
    except DecodeError:
        return None
    return message


def _ends_run(data: bytes | None) -> bool:
    """Whether this message to a page is the last of a run of its script."""
    return (
        data is not None
        and len(data) < MAX_LAST_BYTES
        and (ForwardMsg.FromString(data).WhichOneof("type") == "script_finished")
    )


def _has_room_for_upload(path: str) -> bool:
    """Whether files that Streamlit holds leave room for another, of this session and of all."""
    held = held_uploads()
    session = path.rpartition("/_stcore/upload_file/")[2].partition("/")[0]
    return held.get(session, 0) < SESSION_UPLOAD_BYTES and sum(held.values()) < ALL_UPLOAD_BYTES


def held_uploads() -> dict[str, int]:
    """Bytes of uploaded files in memory, by session."""
    from streamlit import runtime

    if not runtime.exists():
        return {}
    storage: dict[str, dict[str, Any]] = getattr(runtime.get_instance().uploaded_file_mgr, "file_storage", {})
    return {session: sum(len(file.data) for file in list(files.values())) for session, files in list(storage.items())}
