"""Where others reach this server."""

from __future__ import annotations

import ipaddress
import socket

import streamlit as st

_NOWHERE = ("192.0.2.1", 9)  # set aside for documentation by RFC 5737


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
