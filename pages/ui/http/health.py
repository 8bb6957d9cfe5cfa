"""What operators ask this server: whether it lives, whether it takes visitors, and its metrics."""

from __future__ import annotations

import ipaddress
import os
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pages.ui.http.protection import client_of, held_uploads
from pages.ui.http.responses import DO_NOT_KEEP
from pages.ui.services.operation.metrics import CONTENT_TYPE
from unigeoclip.errors import InputError, excerpt

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.requests import Request

    from pages.ui.http.protection import Visitors
    from pages.ui.services import Services

    Network = ipaddress.IPv4Network | ipaddress.IPv6Network

METRICS_FROM = "UNIGEOCLIP_METRICS_FROM"  # environment variable
THIS_MACHINE = "127.0.0.0/8,::1"
# A request that came through a proxy seems to come from the proxy's machine, if that one does not say whose it is.
_FORWARDED = ("x-forwarded-for", "x-real-ip", "forwarded", "via")


def metrics_networks() -> tuple[Network, ...]:
    """Who may read the metrics: this machine, or the networks that ``UNIGEOCLIP_METRICS_FROM`` names.

    Raises:
        InputError: The variable is no list of addresses or networks with commas between them.
    """
    given = os.environ.get(METRICS_FROM, "").strip() or THIS_MACHINE
    try:
        return tuple(ipaddress.ip_network(each.strip()) for each in given.split(","))
    except ValueError as error:
        raise InputError(
            f"{METRICS_FROM} is '{excerpt(given)}'; it takes addresses or networks, such as 127.0.0.1,10.0.0.0/8."
        ) from error


def routes(visitors: Visitors, services: Services) -> list[Route]:
    """The routes ``/healthz``, ``/readyz`` and ``/metrics``.

    Raises:
        InputError: See `metrics_networks`.
    """
    networks = metrics_networks()
    _add_gauges(visitors, services)

    async def live(_request: Request) -> Response:
        return PlainTextResponse("ok", headers=DO_NOT_KEEP)

    async def ready(_request: Request) -> Response:
        state = services.readiness.state()
        said = {"state": state} | ({"message": services.readiness.message()} if state == "failed" else {})
        return JSONResponse(said, 200 if state == "ready" else 503, DO_NOT_KEEP)

    async def metrics(request: Request) -> Response:
        if not _may_read(request, networks):
            return PlainTextResponse("Not Found", 404)
        return Response(services.metrics.text(), media_type=CONTENT_TYPE, headers=DO_NOT_KEEP)

    return [Route("/healthz", live), Route("/readyz", ready), Route("/metrics", metrics)]


def _may_read(request: Request, networks: Collection[Network]) -> bool:
    if any(name in request.headers for name in _FORWARDED):
        return False
    try:
        address = ipaddress.ip_address(client_of(request.scope))
    except ValueError:  # no address, as of a socket
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address  # how a socket for both kinds calls IPv4
    return any(mapped in network for network in networks)


def _add_gauges(visitors: Visitors, services: Services) -> None:
    gauge = services.metrics.gauge
    gauge("pages_open", "Pages that are open now", lambda: visitors.pages)
    gauge("page_runs_running", "Runs of page scripts that have not ended", lambda: services.page_runs.running)
    gauge("page_runs_waiting", "Runs of page scripts that wait for their turn", lambda: services.page_runs.waiting)
    gauge("compare_waiting", "Pieces of work of page Compare that wait", lambda: services.compare.queued)
    gauge("layouts_waiting", "Layouts of page Modalities that wait", lambda: len(services.modalities.layouts))
    gauge("probes_waiting", "Jobs of page Probe that wait", lambda: services.probe.waiting)
    gauge("uploads_held_bytes", "Uploaded files in memory", lambda: sum(held_uploads().values()))
    gauge("overlays_held_bytes", "Heatmaps and other overlays in memory", lambda: services.overlays.nbytes)
    gauge("ready", "1 if this server takes visitors, else 0", lambda: services.readiness.state() == "ready")
