"""What all routes of our own share: threads, refusals, pictures, how long browsers may keep an answer."""

from __future__ import annotations

import io
import logging
import os
from collections import Counter
from typing import TYPE_CHECKING

from anyio import CapacityLimiter, to_thread
from starlette.responses import PlainTextResponse, Response

from pages.ui.services.errors import NotFoundError, NotReadyError
from pages.ui.services.fair_queue import FairQueue
from unigeoclip.errors import InputError, UniGeoError
from unigeoclip.parsing.numbers import bounded_float

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from PIL import Image
    from starlette.requests import Request

    Endpoint = Callable[[Request], Awaitable[Response]]

KEEP = {"Cache-Control": "public, max-age=86400"}
# What shows where somebody looked or what they asked: their own browser may keep it, a proxy for many may not.
KEEP_PRIVATE = {"Cache-Control": "private, max-age=86400"}
DO_NOT_KEEP = {"Cache-Control": "no-store"}  # what is made of a visitor's own labels
RETRY_AFTER_S = 1
# How long a picture waits for page runs, seconds: long enough to let clicks go first, short enough that a base map of a
# dozen tiles takes a second or two under load. Clients that have had much drawn recently wait longer.
YIELD_S, MAX_YIELD_S = 0.1, 1.0
MAX_LON_DEG = 540.0  # of a map that one has turned round; it is wrapped where it is used
_log = logging.getLogger(__name__)


# Status codes of errors; the first that fits counts, and what is none of these is a fault of ours: 500.
STATUS_CODES: dict[type[UniGeoError], int] = {InputError: 400, NotFoundError: 404, NotReadyError: 503, UniGeoError: 503}


def refusal(error: Exception) -> Response:
    """The one way in which an error becomes an answer: a status and a sentence, never a traceback.

    Args:
        error: What was raised; a fault of ours, which is everything but a `UniGeoError`, goes to the server's log.
    """
    status = next((status for kind, status in STATUS_CODES.items() if isinstance(error, kind)), 500)
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, NotReadyError):
        headers["Retry-After"] = str(RETRY_AFTER_S)
    elif status == 503:  # its message names files of this machine, which are nobody's business
        _log.error("A request failed: %s", error)
        return PlainTextResponse("The data for this cannot be read; the server's log says why.", status, headers)
    if status == 500:
        _log.error("A request failed", exc_info=error)
        return PlainTextResponse("Something went wrong here; the server's log says what.", status, headers)
    return PlainTextResponse(str(error), status, headers)


def _answered(answer: Callable[[Request], Response], request: Request) -> Response:
    try:
        return answer(request)
    except Exception as error:  # whatever it is, it must not reach the connection
        return refusal(error)


class Workers:
    """Threads for slow requests, with a bounded, fair queue that lets page runs go first."""

    def __init__(
        self,
        threads: int,
        waiting: int,
        per_client: int,
        yield_to: FairQueue | None = None,
        refused: Callable[[], None] = lambda: None,
    ) -> None:
        """Make them.

        Args:
            threads: How many answers are worked on at the same time.
            waiting: How many more may wait.
            per_client: How many of both may be one client's.
            yield_to: Work with priority: a request starts when none of it is running, or after `YIELD_S` to
                `MAX_YIELD_S`, depending on the recent use of its client.
            refused: Called for each request that is refused because too many wait.
        """
        self._limiter = CapacityLimiter(threads)
        self._turns, self._yield_to, self._refused = FairQueue(threads), yield_to, refused
        self._most, self._per_client = threads + waiting, per_client
        self._in_flight: Counter[str] = Counter()

    @classmethod
    def beside(cls, page_runs: FairQueue, refused: Callable[[], None] = lambda: None) -> Workers:
        """The workers of a server, which yield to page runs.

        One core is left for those. A browser asks for six things at a time; behind one address there may be a room full
        of browsers.
        """
        return cls(max(1, (os.cpu_count() or 2) - 1), waiting=400, per_client=200, yield_to=page_runs, refused=refused)

    @property
    def in_flight(self) -> int:
        """Requests that wait or are being answered."""
        return self._in_flight.total()

    def threaded(self, answer: Callable[[Request], Response]) -> Endpoint:
        """An endpoint that works in these threads: many tiles at once must not keep the pages' files waiting."""

        async def endpoint(request: Request) -> Response:
            return await self.run(answer, request)

        return endpoint

    async def run(self, answer: Callable[[Request], Response], request: Request) -> Response:
        """Answer in a thread, or refuse at once where too many wait already."""
        client = request.client.host if request.client else ""
        if self._in_flight.total() >= self._most or self._in_flight[client] >= self._per_client:
            self._refused()
            return refusal(NotReadyError("Too many requests are waiting; ask again in a moment."))
        self._in_flight[client] += 1
        try:
            turn = await self._turns.take(client)
            try:
                if self._yield_to is not None:
                    await self._yield_to.wait_until_idle(min(max(YIELD_S, self._turns.used_s(client)), MAX_YIELD_S))
                return await to_thread.run_sync(_answered, answer, request, limiter=self._limiter)
            finally:
                turn.end()
        finally:
            self._in_flight[client] -= 1
            if not self._in_flight[client]:
                del self._in_flight[client]


def immediate(answer: Callable[[Request], Response]) -> Endpoint:
    """An endpoint for what takes no time: it must not queue behind tiles."""

    async def endpoint(request: Request) -> Response:
        return _answered(answer, request)

    return endpoint


def numbers(text: str, count: int, form: str) -> list[str]:
    """The parts of a list with commas in an address.

    Raises:
        InputError: There are fewer or more of them.
    """
    parts = text.split(",", count)
    if len(parts) != count:
        raise InputError(f"This is written as {form}.")
    return parts


def point(lat: str, lon: str) -> tuple[float, float]:
    """Latitude and longitude in an address, degrees.

    Raises:
        InputError: One of them is not a finite number in its range.
    """
    return (
        bounded_float(lat, -90, 90, "The latitude"),
        bounded_float(lon, -MAX_LON_DEG, MAX_LON_DEG, "The longitude"),
    )


def image_response(image: Image.Image, keep: dict[str, str] = KEEP) -> Response:
    """A picture as a JPEG, or as a WebP where it is transparent."""
    buffer = io.BytesIO()
    if image.mode in ("RGBA", "LA"):
        image.save(buffer, "WEBP", quality=80, method=2)
        return Response(buffer.getvalue(), media_type="image/webp", headers=keep)
    image.save(buffer, "JPEG", quality=86)
    return Response(buffer.getvalue(), media_type="image/jpeg", headers=keep)
