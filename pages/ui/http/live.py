"""Compact grids, of which browsers compute heatmaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from pages.ui.http.responses import KEEP
from pages.ui.services.errors import NotFoundError

if TYPE_CHECKING:
    from starlette.requests import Request

    from pages.ui.services.explorers import Explorers


def live(explorers: Explorers, request: Request) -> Response:
    """The compact grid of an atlas under its model."""
    explorer = explorers.explorer(request.path_params["atlas"])
    if request.path_params["model"] != explorer.model_id:
        raise NotFoundError("The atlas has another model by now: load the page again.")
    return Response(explorer.compact(), media_type="application/octet-stream", headers=KEEP)
