"""What lies over maps: heatmaps, pictures of compared models, outlines; and what browsers compute heatmaps of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response

from pages.ui import atlas_scale, query_string
from pages.ui.http.responses import DO_NOT_KEEP, KEEP, KEEP_PRIVATE, numbers, point
from pages.ui.http.urls import urls
from pages.ui.services.answers.heatmaps import colors_of, heatmap_png, levels_of
from pages.ui.services.errors import NotFoundError, NotReadyError
from pages.ui.services.overlays import TYPES
from pages.ui.services.rate_limits import RateLimits
from unigeoclip.parsing.coordinates import check_point

if TYPE_CHECKING:
    from starlette.requests import Request

    from pages.ui.services import Services
    from pages.ui.services.answers.weights import WeighedQueries
    from pages.ui.services.compare_service import CompareService
    from pages.ui.services.explorers import Explorers
    from pages.ui.services.overlays import OverlayStore
    from pages.ui.services.probe.private_files import PrivateFiles
    from unigeoclip.search.explorer import Explorer

HEATMAPS, HEATMAPS_PER_S = 12, 3.0  # of points, of one client at once and in the long run


def overlay(store: OverlayStore, request: Request) -> Response:
    """An overlay that was published."""
    name = request.path_params["name"]
    content = store.get(name)
    encoding = {"Content-Encoding": "gzip"} if name.endswith(".geojson") else {}
    return Response(content, media_type=TYPES[name.rpartition(".")[2]], headers=KEEP_PRIVATE | encoding)


class PointHeatmapRoute:
    """The heatmap of a point that was clicked, which the page's own run will publish as well: leads to that picture."""

    def __init__(self, services: Services) -> None:
        """Make it."""
        self._services, self._limits = services, RateLimits(HEATMAPS, HEATMAPS_PER_S)

    def __call__(self, request: Request) -> Response:
        """Compute and publish it.

        Raises:
            NotReadyError: The client asks faster than anybody clicks; its page answers all the same.
        """
        if request.client is not None and not self._limits.take(request.client.host):
            raise NotReadyError("Too many heatmaps are asked for; the page has the answer in a moment.")
        services = self._services
        explorer = services.explorers.explorer(request.path_params["atlas"])
        digits = atlas_scale.of(explorer.atlas.manifest).click_digits
        lat, lon = point(*numbers(request.path_params["point"], 2, "latitude,longitude: 42.3601,-71.0589"))
        asked = query_string.point(*check_point(round(lat, digits), round(lon, digits)))  # as `results.use_click` does
        query, heatmap = services.heatmaps.of(explorer, asked.value)
        given = {key: value for key, value in request.query_params.items() if key in query_string.DISPLAY_KEYS}
        display, _, _ = query_string.parse_display(given, ())
        colors = colors_of(display, levels_of(explorer, query.items))
        name = services.overlays.publish(heatmap_png(query, heatmap, colors))
        return RedirectResponse(urls.overlay(name), 303, DO_NOT_KEEP)


def private(files: PrivateFiles, request: Request) -> Response:
    """A picture made of one visitor's labels; no browser keeps it, so that it is gone with the visitor's session."""
    file = files.get(request.path_params["name"])
    return Response(file.content, media_type=TYPES[file.extension], headers=DO_NOT_KEEP)


def compact_grid(explorers: Explorers, request: Request) -> Response:
    """The compact grid of an atlas under its model, see `CompactGrid.to_bytes`."""
    explorer = _with_model(explorers, request)
    return Response(explorer.compact_bytes(), media_type="application/octet-stream", headers=KEEP)


def point_encoder(explorers: Explorers, request: Request) -> Response:
    """The location encoder of an atlas's model, see `similarity.browser.point_encoder`."""
    explorer = _with_model(explorers, request)
    if not explorer.has_browser_encoder:
        raise NotFoundError("This model's location encoder is too large for a browser.")
    return Response(explorer.encoder_bytes(), media_type="application/octet-stream", headers=KEEP)


def _with_model(explorers: Explorers, request: Request) -> Explorer:
    """The explorer of an atlas, if its model is still the one that is asked for."""
    explorer = explorers.explorer(request.path_params["atlas"])
    if request.path_params["model"] != explorer.model_id:
        raise NotFoundError("The atlas has another model by now: load the page again.")
    return explorer


def query_heatmaps(weighed: WeighedQueries, request: Request) -> Response:
    """The heatmaps of the items of a query, from which the browser adds up those of other weights."""
    data = weighed.heatmaps(request.path_params["atlas"], request.path_params["key"])
    return Response(data, media_type="application/octet-stream", headers=KEEP_PRIVATE)


def compact_region(compare: CompareService, request: Request) -> Response:
    """The compact grid of a region under one of the models that page Compare shows."""
    data = compare.compact_bytes(request.path_params["atlas"], request.path_params["key"])
    return Response(data, media_type="application/octet-stream", headers=KEEP)


def region_encoder(compare: CompareService, request: Request) -> Response:
    """What points of a region are encoded by under one of the models that page Compare shows."""
    data = compare.encoder_bytes(request.path_params["atlas"], request.path_params["key"])
    return Response(data, media_type="application/octet-stream", headers=KEEP)
