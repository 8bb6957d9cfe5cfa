"""Progress of what visitors follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from pages.ui.http.responses import DO_NOT_KEEP

if TYPE_CHECKING:
    from starlette.requests import Request

    from pages.ui.services.topics import Topics


def progress(topics: Topics, request: Request) -> Response:
    """How far something is, as JSON."""
    return JSONResponse(topics.progress(request.path_params["name"]).props(), headers=DO_NOT_KEEP)
