"""QR codes of addresses."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import segno
from starlette.responses import Response

from pages.ui.http.responses import KEEP_PRIVATE
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from starlette.requests import Request

ERROR_CORRECTION = "m"
MAX_LENGTH = 1000  # a code of more characters is too fine for a phone across a room


def svg(address: str) -> bytes:
    """A QR code as SVG, dark on white with its quiet zone: scanners need both, whatever the theme."""
    out = io.BytesIO()
    segno.make_qr(address, error=ERROR_CORRECTION).save(
        out, kind="svg", border=4, light="white", xmldecl=False, svgns=True, omitsize=True
    )
    return out.getvalue()


def code(request: Request) -> Response:
    """The code of ``?address=``, an address of the web."""
    address = request.query_params.get("address", "")
    # In bytes: a code holds no more, and a letter beyond ASCII takes up to four.
    if not address.startswith(("http://", "https://")) or len(address.encode(errors="replace")) > MAX_LENGTH:
        raise InputError(f"A web address of at most {MAX_LENGTH} characters is needed.")
    return Response(svg(address), media_type="image/svg+xml", headers=KEEP_PRIVATE)
