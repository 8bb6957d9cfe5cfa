"""What the server is made of besides Streamlit: routes, protection, and services that live as long as it runs."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypedDict

from starlette.middleware import Middleware

from pages.ui.http import index, routes
from pages.ui.http.protection import Protection, Visitors
from pages.ui.services import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from starlette.routing import BaseRoute

    from pages.ui.services import Services


class AppOptions(TypedDict):
    """Arguments of ``st.App``."""

    routes: list[BaseRoute]
    middleware: list[Middleware]
    lifespan: Callable[[Any], AbstractAsyncContextManager[None]]


def options(services: Services) -> AppOptions:
    """Options for ``st.App`` so that it serves the pages over these services.

    Raises:
        InputError: An environment variable that limits visitors is not a number in its range.
    """
    visitors = Visitors.from_environment()
    protection = Middleware(
        Protection, visitors=visitors, page_runs=services.page_runs, script_hashes=index.script_hashes()
    )

    @asynccontextmanager
    async def lifespan(_app: Any) -> AsyncIterator[None]:
        with serving(services):
            services.explorers.start()
            yield

    return {
        "routes": [*routes.table(services), *index.routes(visitors)],
        "middleware": [protection],
        "lifespan": lifespan,
    }
