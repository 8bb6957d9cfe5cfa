"""What lies over maps: heatmaps, pictures of compared models, outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from pages.ui.http.responses import KEEP_PRIVATE
from pages.ui.services.overlays import TYPES

if TYPE_CHECKING:
    from starlette.requests import Request

    from pages.ui.services.overlays import OverlayStore


def overlay(store: OverlayStore, request: Request) -> Response:
    """An overlay that was published."""
    name = request.path_params["name"]
    content = store.get(name)
    encoding = {"Content-Encoding": "gzip"} if name.endswith(".geojson") else {}
    return Response(content, media_type=TYPES[name.rpartition(".")[2]], headers=KEEP_PRIVATE | encoding)
