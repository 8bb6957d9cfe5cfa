"""Scripts, style sheets and fonts of ``assets/web``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from starlette.responses import Response


class RevalidatedFiles(StaticFiles):
    """Files that browsers keep but ask about each time: after an upgrade, pages and scripts belong together."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Answer as `StaticFiles` does, with another ``Cache-Control``."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response
