"""The table of the app's own routes, beside Streamlit's: web files, tiles, pictures, street views, overlays.

Nothing here keeps state of a visitor. Every address names what it returns, so browsers may keep the answers. `urls`
builds the addresses.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from starlette.routing import Mount, Route

from pages.ui.http import overlays, pictures, progress, qr, street_views, suggestions, tiles
from pages.ui.http.responses import Workers, immediate
from pages.ui.http.static import RevalidatedFiles
from pages.ui.shell import WEB

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from pages.ui.services import Services

HEATMAPS_WAITING, HEATMAPS_OF_ONE = 20, 4  # more would come later than the page's own answer


def table(services: Services) -> list[BaseRoute]:
    """All routes of data and web files."""
    workers = Workers.beside(services.page_runs, partial(services.metrics.count_refusal, "request"))
    services.metrics.gauge("requests_in_flight", "Tiles and pictures that wait or are drawn", lambda: workers.in_flight)
    # What a click waits for goes beside its page's run, not after it.
    at_once = Workers(1, HEATMAPS_WAITING, HEATMAPS_OF_ONE, refused=partial(services.metrics.count_refusal, "request"))
    threaded, explorers = workers.threaded, services.explorers
    return [
        Mount("/web", RevalidatedFiles(directory=WEB)),
        Route("/data/qr.svg", threaded(qr.code)),  # drawing a long address takes a while
        Route("/data/progress/{name}", immediate(partial(progress.progress, services.topics))),
        Route("/data/overlays/{name}", immediate(partial(overlays.overlay, services.overlays))),
        Route("/data/private/{name}", immediate(partial(overlays.private, services.probe.files))),
        Route("/data/{atlas}/tiles/{style}/{z}/{x}/{y}", threaded(partial(tiles.tile, explorers))),
        Route("/data/{atlas}/vectors/{layer}", threaded(partial(tiles.vectors, explorers))),
        Route("/data/{atlas}/pictures/{modality}/{point}", threaded(partial(pictures.picture, explorers))),
        Route("/data/{atlas}/heights/{point}", threaded(partial(pictures.heights, explorers))),
        Route("/data/{atlas}/street/{pose}.jpg", threaded(partial(street_views.street, explorers))),
        Route("/data/{atlas}/street/{pose}/{way}", threaded(partial(street_views.step, explorers))),
        Route("/data/{atlas}/heatmap/{point}", at_once.threaded(overlays.PointHeatmapRoute(services))),
        Route("/data/{atlas}/live/{model}", threaded(partial(overlays.compact_grid, explorers))),
        Route("/data/{atlas}/live/encoder/{model}", threaded(partial(overlays.point_encoder, explorers))),
        Route("/data/{atlas}/live/query/{key}", threaded(partial(overlays.query_heatmaps, services.weighed))),
        Route("/data/{atlas}/live/compare/encoder/{key}", threaded(partial(overlays.region_encoder, services.compare))),
        Route("/data/{atlas}/live/compare/{key}", threaded(partial(overlays.compact_region, services.compare))),
        Route("/data/{atlas}/suggestions", threaded(partial(suggestions.suggestions, services))),
        Route("/data/{atlas}/names", suggestions.names(services, workers)),
    ]
