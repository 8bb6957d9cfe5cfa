"""Texts that the search field suggests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from pages.ui.http.responses import KEEP

if TYPE_CHECKING:
    from starlette.requests import Request

    from pages.ui.services import Services


def suggestions(services: Services, request: Request) -> Response:
    """All suggestions of an atlas, a JSON list."""
    atlas = services.explorers.atlas(request.path_params["atlas"])
    return Response(services.suggestions.json(atlas), media_type="application/json", headers=KEEP)
