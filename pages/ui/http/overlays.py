"""What lies over maps: heatmaps, pictures of compared models, outlines; and what browsers compute heatmaps of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from pages.ui.http.responses import DO_NOT_KEEP, KEEP, KEEP_PRIVATE
from pages.ui.services.errors import NotFoundError
from pages.ui.services.overlays import TYPES

if TYPE_CHECKING:
    from starlette.requests import Request

    from pages.ui.services.compare_service import CompareService
    from pages.ui.services.explorers import Explorers
    from pages.ui.services.overlays import OverlayStore
    from pages.ui.services.probe.private_files import PrivateFiles


def overlay(store: OverlayStore, request: Request) -> Response:
    """An overlay that was published."""
    name = request.path_params["name"]
    content = store.get(name)
    encoding = {"Content-Encoding": "gzip"} if name.endswith(".geojson") else {}
    return Response(content, media_type=TYPES[name.rpartition(".")[2]], headers=KEEP_PRIVATE | encoding)


def private(files: PrivateFiles, request: Request) -> Response:
    """A picture made of one visitor's labels; no browser keeps it, so that it is gone with the visitor's session."""
    file = files.get(request.path_params["name"])
    return Response(file.content, media_type=TYPES[file.extension], headers=DO_NOT_KEEP)


def compact_grid(explorers: Explorers, request: Request) -> Response:
    """The compact grid of an atlas under its model, see `CompactGrid.to_bytes`."""
    explorer = explorers.explorer(request.path_params["atlas"])
    if request.path_params["model"] != explorer.model_id:
        raise NotFoundError("The atlas has another model by now: load the page again.")
    return Response(explorer.compact_bytes(), media_type="application/octet-stream", headers=KEEP)


def compact_region(compare: CompareService, request: Request) -> Response:
    """The compact grid of a region under one of the models that page Compare shows."""
    data = compare.compact_bytes(request.path_params["atlas"], request.path_params["key"])
    return Response(data, media_type="application/octet-stream", headers=KEEP)
