"""What all routes of our own share: threads, pictures, how long browsers may keep an answer."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from anyio import CapacityLimiter, to_thread
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from PIL import Image
    from starlette.requests import Request

    from unigeoclip.atlas import Atlas

KEEP = {"Cache-Control": "public, max-age=86400"}

_workers = CapacityLimiter(4)


def version(atlas: Atlas) -> str:
    """Changes with the atlas's data, so that no browser shows those of yesterday."""
    return f"v={atlas.data_hash}"


def threaded(answer: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that works in threads of its own: many tiles at once must not keep the pages' files waiting."""

    async def endpoint(request: Request) -> Response:
        return await to_thread.run_sync(answer, request, limiter=_workers)

    return endpoint


def image_response(image: Image.Image) -> Response:
    """A picture as a JPEG, or as a WebP where it is transparent."""
    buffer = io.BytesIO()
    if image.mode in ("RGBA", "LA"):
        image.save(buffer, "WEBP", quality=80, method=2)
        return Response(buffer.getvalue(), media_type="image/webp", headers=KEEP)
    image.save(buffer, "JPEG", quality=86)
    return Response(buffer.getvalue(), media_type="image/jpeg", headers=KEEP)
