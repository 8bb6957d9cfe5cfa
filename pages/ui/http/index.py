"""The page that a browser gets first: Streamlit's own, which is told where its server is, or that there is no room."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from streamlit import file_util

from pages.ui.http.protection import ENDING, ENDING_STATUS, FULL, Visitors, client_of
from pages.ui.http.urls import urls
from pages.ui.shell import PATHS, PRODUCT

if TYPE_CHECKING:
    from starlette.requests import Request

    from pages.ui.services import Services

_SCRIPT = f'<script src="{urls.file("backend.js")}"></script>\n    '
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta http-equiv="refresh" content="{seconds}"><title>{product}</title></head>
<body style="font: 1.1rem/1.6 system-ui, sans-serif; max-width: 34rem; margin: 20vh auto; padding: 0 1rem">
<h1 style="font-size: 1.4rem">{product}</h1>
<p>{words}</p><p>This page tries again by itself.</p>
</body></html>
"""


@cache
def page() -> str:
    """Streamlit's page with a script before its own ones, see ``assets/web/backend.js``."""
    html = (Path(file_util.get_static_dir()) / "index.html").read_text(encoding="utf-8")
    return html.replace("<script", f"{_SCRIPT}<script", 1)


@cache
def script_hashes() -> tuple[str, ...]:
    """Of the inline scripts of the page, as a content security policy names them."""
    digests = [hashlib.sha256(script.encode()).digest() for script in _INLINE.findall(page())]
    return tuple(f"sha256-{base64.b64encode(digest).decode()}" for digest in digests)


def _later(status: int, words: str, seconds: int) -> Response:
    """A page that says why there is no other, and tries again by itself."""
    html = _PAGE.format(words=words, seconds=seconds, product=PRODUCT)
    return HTMLResponse(html, status, {"Cache-Control": "no-cache", "Retry-After": str(seconds)})


def routes(visitors: Visitors, services: Services) -> list[Route]:
    """Routes of the app's pages."""

    async def index(request: Request) -> Response:
        if services.readiness.is_ending:
            services.metrics.count_refusal("ending")
            return _later(ENDING_STATUS, ENDING, 5)
        if visitors.is_full(client_of(request.scope)):
            services.metrics.count_refusal("page")
            return _later(503, FULL, 30)
        return HTMLResponse(page(), headers={"Cache-Control": "no-cache"})

    return [Route(path, index) for path in PATHS]
