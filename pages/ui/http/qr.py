"""QR codes of addresses, and which address of this machine others can reach."""

from __future__ import annotations

import io
import ipaddress
import socket
from typing import TYPE_CHECKING

import segno
import streamlit as st
from starlette.responses import Response
from starlette.routing import Route

from pages.ui.http.responses import KEEP_PRIVATE, threaded
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from starlette.requests import Request

PATH = "/data/qr.svg"
MAX_LENGTH = 1000  # a code of more letters is too fine for a phone across a room
_NOWHERE = ("192.0.2.1", 9)  # set aside for documentation by RFC 5737


def svg(address: str) -> bytes:
    """A QR code as SVG, dark on white with its quiet zone: scanners need both, whatever the theme."""
    out = io.BytesIO()
    segno.make_qr(address, error="m").save(
        out, kind="svg", border=4, light="white", xmldecl=False, svgns=True, omitsize=True
    )
    return out.getvalue()


def _answer(request: Request) -> Response:
    """The code of ``?address=``, an address of the web."""
    address = request.query_params.get("address", "")
    # In bytes: a code holds no more, and a letter beyond ASCII takes up to four.
    if not address.startswith(("http://", "https://")) or len(address.encode(errors="replace")) > MAX_LENGTH:
        raise InputError(f"A web address of at most {MAX_LENGTH} letters is needed.")
    return Response(svg(address), media_type="image/svg+xml", headers=KEEP_PRIVATE)


ROUTE = Route(PATH, threaded(_answer))  # to draw a code of a thousand letters takes a while


def origin() -> str:
    """Where others reach this server, as ``http://192.168.1.20:8501``; empty if they cannot or it is not known."""
    bound = st.get_option("server.address")
    host = machine_address() if bound in (None, "", "0.0.0.0", "::") else str(bound)
    if not host or host == "localhost" or _is_loopback(host):
        return ""
    scheme = "https" if st.get_option("server.sslCertFile") else "http"
    return f"{scheme}://{host}:{st.get_option('server.port')}"


def machine_address() -> str:
    """This machine's address in its network, or empty. Nothing is sent: a socket for datagrams only picks a way."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
            way.connect(_NOWHERE)
            return str(way.getsockname()[0])
    except OSError:
        return ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name, which others may know
