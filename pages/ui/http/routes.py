"""Routes of our own on the app's port: the vendored map library, base map tiles, pictures, street views, heatmaps.

Nothing here keeps state of a visitor. Every address names what it returns, so browsers may keep the answers.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections import OrderedDict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from pages.ui import progress
from pages.ui.formatting import height
from pages.ui.http import qr, street_views, suggestions
from pages.ui.http.responses import (
    KEEP,
    KEEP_PRIVATE,
    NotFoundError,
    at_once,
    image_response,
    numbers,
    point,
    threaded,
    version,
)
from pages.ui.services import explorers
from pages.ui.shell import WEB
from unigeoclip.geo import MERCATOR_RADIUS_M, inverse_web_mercator
from unigeoclip.parsing.numbers import MAX_ZOOM, bounded_int
from unigeoclip.similarity.colormaps import relief_colors, shaded_relief

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from starlette.requests import Request

    from pages.ui.protocol import HeightScale
    from unigeoclip.atlas import Atlas

# Of overlays, which are needed until the browser that asked has fetched them: 256 heatmaps are about 25 MB.
MAX_OVERLAYS, MAX_OVERLAYS_BYTES = 256, 64_000_000
OVERLAY_TYPES = {"png": "image/png", "webp": "image/webp", "geojson": "application/geo+json"}
PICTURE_PX = 224
SCALE_PX = 96  # finest detail that a card's height scale sees
_PAPER = [min(255, 105 + int(value * 0.68)) for value in range(256)]  # relief as a light wash, not as a picture

_overlays: OrderedDict[str, bytes] = OrderedDict()
_overlays_bytes = 0
_overlays_lock = threading.Lock()
_sent: dict[str, float] = {}  # when each of them was last fetched, seconds of `time.monotonic`


def publish_overlay(picture: bytes, ending: str = "png") -> str:
    """Make what lies over the map fetchable; its address depends on the content alone.

    Args:
        picture: A picture, or gzipped GeoJSON.
        ending: What it is, a key of `OVERLAY_TYPES`.
    """
    global _overlays_bytes
    name = f"{hashlib.sha256(picture).hexdigest()[:24]}.{ending}"
    with _overlays_lock:
        _overlays_bytes += len(picture) - len(_overlays.get(name, b""))
        _overlays[name] = picture
        _overlays.move_to_end(name)
        while len(_overlays) > MAX_OVERLAYS or (_overlays_bytes > MAX_OVERLAYS_BYTES and len(_overlays) > 1):
            old, gone = _overlays.popitem(last=False)
            _overlays_bytes -= len(gone)
            _sent.pop(old, None)
    return f"/data/overlays/{name}"


def overlays_sent(addresses: Sequence[str], since: float) -> bool:
    """Whether browsers have fetched all these overlays after a moment of `time.monotonic`."""
    with _overlays_lock:
        return all(_sent.get(address.rpartition("/")[2], -math.inf) >= since for address in addresses)


def tile_url(atlas: Atlas, style: str) -> str:
    """Address template of a base map, as Leaflet takes it."""
    return f"/data/{atlas.name}/tiles/{style}/{{z}}/{{x}}/{{y}}?{version(atlas)}"


def picture_url(atlas: Atlas, modality: str, lat: float, lon: float) -> str:
    """Address of the picture of a modality round a point."""
    return f"/data/{atlas.name}/pictures/{modality}/{lat:.5f},{lon:.5f}?{version(atlas)}"


def heights_url(atlas: Atlas, lat: float, lon: float) -> str:
    """Address of the height scale of the surface picture round a point."""
    return f"/data/{atlas.name}/heights/{lat:.5f},{lon:.5f}?{version(atlas)}"


def vector_url(atlas: Atlas, layer: str) -> str:
    """Address of a line layer of the base map."""
    return f"/data/{atlas.name}/vectors/{layer}?{version(atlas)}"


def _overlay(request: Request) -> Response:
    name = request.path_params["name"]
    with _overlays_lock:
        picture = _overlays.get(name)
        if picture is not None:
            _sent[name] = time.monotonic()
    if picture is None:
        raise NotFoundError("This picture is no longer kept; ask again.")
    kind = OVERLAY_TYPES[name.rpartition(".")[2]]
    zipped = {"Content-Encoding": "gzip"} if name.endswith(".geojson") else {}
    return Response(picture, media_type=kind, headers=KEEP_PRIVATE | zipped)


def _tile(request: Request) -> Response:
    style = request.path_params["style"]
    if style not in ("photo", "plain"):
        raise NotFoundError("There is no such base map.")
    z = bounded_int(request.path_params["z"], 0, MAX_ZOOM, "The zoom")
    x, y = (bounded_int(request.path_params[key], 0, 2**z - 1, f"At zoom {z}, {key}") for key in "xy")
    atlas = explorers.opened_atlas(request.path_params["atlas"])
    return image_response(_photo_tile(atlas, z, x, y) if style == "photo" else _plain_tile(atlas, z, x, y))


def _photo_tile(atlas: Atlas, z: int, x: int, y: int) -> Image.Image:
    """The aerial picture; beyond the edge of a city and where it has none nothing, so that the page shows through."""
    raster = atlas.raster("aerial")
    image = Image.fromarray(np.ascontiguousarray(raster.tile(z, x, y).transpose(1, 2, 0)[:, :, :3]))
    south, west, north, east = raster.bounds
    lats, lons = _tile_degrees(z, x, y, image.width)
    inside = ((lats > south) & (lats < north))[:, None] & ((lons > west) & (lons < east))[None, :]
    if (valid := atlas.validity("aerial")) is not None:
        inside &= valid.tile(z, x, y, image.width)[0] > 127
    if not inside.all():
        image.putalpha(Image.fromarray(np.where(inside, 255, 0).astype(np.uint8)))
    return image


def _tile_degrees(z: int, x: int, y: int, px: int) -> tuple[np.ndarray, np.ndarray]:
    """Latitudes of the rows of a tile and longitudes of its columns."""
    pixel_m = 2 * np.pi * MERCATOR_RADIUS_M / 2**z / px
    edge_m = np.pi * MERCATOR_RADIUS_M
    steps = (np.arange(px) + 0.5) * pixel_m
    along = np.stack([steps + x * px * pixel_m - edge_m, edge_m - y * px * pixel_m - steps], axis=1)
    latlon = inverse_web_mercator(along)
    return latlon[:, 0], latlon[:, 1]


def _plain_tile(atlas: Atlas, z: int, x: int, y: int) -> Image.Image:
    """Grey relief on land, nothing on water: the page's own colour shows through as the sea."""
    heights_m = atlas.raster("surface").tile(z, x, y)[0]
    px = heights_m.shape[0]
    pixel_m = 2 * np.pi * MERCATOR_RADIUS_M / 2**z / px
    relief = shaded_relief(heights_m, float(pixel_m)).convert("L").point(_PAPER)
    lats, lons = _tile_degrees(z, x, y, px)
    land = atlas.is_land(np.stack(np.meshgrid(lats, lons, indexing="ij"), axis=-1).reshape(-1, 2)).reshape(px, px)
    return Image.merge("LA", (relief, Image.fromarray(np.where(land, 255, 0).astype(np.uint8))))


def _vector(request: Request) -> Response:
    path = explorers.opened_atlas(request.path_params["atlas"]).line_layers().get(request.path_params["layer"])
    if path is None:
        raise NotFoundError("There is no such line layer.")
    return FileResponse(path, media_type="application/geo+json", headers={**KEEP, "Content-Encoding": "gzip"})


def _suggestions(request: Request) -> Response:
    atlas = explorers.opened_atlas(request.path_params["atlas"])
    return Response(suggestions.listed(atlas), media_type="application/json", headers=KEEP)


def _point(request: Request) -> tuple[float, float]:
    return point(*numbers(request.path_params["point"], 2, "latitude,longitude: 42.3601,-71.0589"))


def _picture(request: Request) -> Response:
    explorer = explorers.opened_explorer(request.path_params["atlas"])
    modality = request.path_params["modality"]
    if modality not in ("aerial", "surface") or modality not in explorer.modalities:
        raise NotFoundError("The atlas has no such pictures.")
    return image_response(explorer.picture(modality, _point(request), px=PICTURE_PX), KEEP_PRIVATE)


def _heights(request: Request) -> Response:
    """Lowest and highest metre in a surface picture, and the colours between them, as JSON; null without data."""
    atlas = explorers.opened_atlas(request.path_params["atlas"])
    window = atlas.raster("surface").windows([_point(request)], atlas.window_m, SCALE_PX)
    if not np.isfinite(window).any():
        return JSONResponse(None, headers=KEEP_PRIVATE)
    low, high = float(np.nanmin(window)), float(np.nanmax(window))
    colors = relief_colors(low, high, atlas.window_m / PICTURE_PX)
    scale: HeightScale = {"low": height(low), "high": height(high), "colors": colors}
    return JSONResponse(scale, headers=KEEP_PRIVATE)


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Start opening the first atlas together with the server, so that the first visitor waits less; keep it tidy."""
    threading.Thread(target=explorers.collect_garbage, name="collect garbage", daemon=True).start()
    for name in explorers.atlas_names()[:1]:
        explorers.opening(name)
    yield


class _Checked(StaticFiles):
    """Files that browsers keep but ask about each time: after an upgrade, pages and scripts belong together."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


ROUTES = [
    Mount("/web", _Checked(directory=WEB)),
    qr.ROUTE,
    progress.ROUTE,
    Route("/data/overlays/{name}", at_once(_overlay)),
    Route("/data/{atlas}/tiles/{style}/{z}/{x}/{y}", threaded(_tile)),
    Route("/data/{atlas}/pictures/{modality}/{point}", threaded(_picture)),
    Route("/data/{atlas}/heights/{point}", threaded(_heights)),
    *street_views.ROUTES,
    Route("/data/{atlas}/vectors/{layer}", threaded(_vector)),
    Route("/data/{atlas}/suggestions", threaded(_suggestions)),
]
