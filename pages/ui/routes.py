"""Routes of our own on the app's port: the vendored map library, base map tiles, pictures, street views, heatmaps.

Nothing here keeps state of a visitor. Every address names what it returns, so browsers may keep the answers.
"""

from __future__ import annotations

import hashlib
import io
import math
import threading
from collections import OrderedDict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from anyio import CapacityLimiter, to_thread
from PIL import Image
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from pages.ui import engine
from pages.ui.shell import WEB
from unigeoclip.colours import shaded_relief
from unigeoclip.errors import InputError, UniGeoError
from unigeoclip.geo import MERCATOR_RADIUS_M, as_latlon, inverse_web_mercator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.requests import Request

    from unigeoclip.atlas import Atlas

MAX_OVERLAYS = 256  # about 25 MB: a heatmap is needed until the browser that asked has fetched it
PICTURE_PX = 224
STREET_PX = 448  # wide; street views are 4:3
MAX_STREET_PX = 1344
SCALE_PX = 96  # finest detail that a card's height scale sees
_PAPER = [min(255, 105 + int(value * 0.68)) for value in range(256)]  # relief as a light wash, not as a picture
_KEEP = {"Cache-Control": "public, max-age=86400"}

_workers = CapacityLimiter(4)
_overlays: OrderedDict[str, bytes] = OrderedDict()
_overlays_lock = threading.Lock()


def publish_overlay(png: bytes) -> str:
    """Make a heatmap picture fetchable; returns its address, which depends on the content alone."""
    digest = hashlib.sha256(png).hexdigest()[:24]
    with _overlays_lock:
        _overlays[digest] = png
        _overlays.move_to_end(digest)
        while len(_overlays) > MAX_OVERLAYS:
            _overlays.popitem(last=False)
    return f"/data/overlays/{digest}.png"


def tile_url(atlas: Atlas, style: str) -> str:
    """Address template of a base map, as Leaflet takes it."""
    return f"/data/{atlas.name}/tiles/{style}/{{z}}/{{x}}/{{y}}?{_version(atlas)}"


def picture_url(atlas: Atlas, modality: str, lat: float, lon: float) -> str:
    """Address of the picture of a modality round a point."""
    return f"/data/{atlas.name}/pictures/{modality}/{lat:.5f},{lon:.5f}?{_version(atlas)}"


def street_url(atlas: Atlas, lat: float, lon: float, heading_deg: float) -> str:
    """Address of the street view of a camera."""
    return f"/data/{atlas.name}/street/{lat:.6f},{lon:.6f},{heading_deg % 360:g}.jpg?w={STREET_PX}&{_version(atlas)}"


def street_addresses(atlas: Atlas) -> dict[str, str]:
    """Address templates for looking around: ``picture`` with a pose and a width, ``step`` with a pose and a way."""
    folder, version = f"/data/{atlas.name}/street", _version(atlas)
    return {
        "picture": f"{folder}/{{pose}}.jpg?w={{width}}&{version}",
        "step": f"{folder}/{{pose}}/{{way}}?{version}",
    }


def vector_url(atlas: Atlas, layer: str) -> str:
    """Address of a line layer of the base map."""
    return f"/data/{atlas.name}/vectors/{layer}?{_version(atlas)}"


def _version(atlas: Atlas) -> str:
    """Changes with the atlas's data, so that no browser shows those of yesterday."""
    return f"v={atlas.data_hash}"


def _threaded(answer: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that works in threads of its own: many tiles at once must not keep the pages' files waiting."""

    async def endpoint(request: Request) -> Response:
        return await to_thread.run_sync(answer, request, limiter=_workers)

    return endpoint


def _overlay(request: Request) -> Response:
    with _overlays_lock:
        png = _overlays.get(request.path_params["digest"])
    if png is None:
        return PlainTextResponse("This heatmap is no longer kept; ask again.", 404)
    return Response(png, media_type="image/png", headers=_KEEP)


def _tile(request: Request) -> Response:
    name, style = request.path_params["atlas"], request.path_params["style"]
    z, x, y = (request.path_params[key] for key in "zxy")
    if style not in ("photo", "plain") or name not in engine.atlas_names():
        return PlainTextResponse("There is no such base map.", 404)
    atlas = engine.opening(name).atlas
    if atlas is None:
        return PlainTextResponse("The atlas is still being opened.", 503, headers={"Retry-After": "1"})
    try:
        image = _photo_tile(atlas, z, x, y) if style == "photo" else _plain_tile(atlas, z, x, y)
    except UniGeoError as error:
        return PlainTextResponse(str(error), 404)
    return _image_response(image)


def _photo_tile(atlas: Atlas, z: int, x: int, y: int) -> Image.Image:
    """The aerial picture; beyond the edge of a city nothing, so that the page shows through."""
    raster = atlas.raster("aerial")
    image = Image.fromarray(np.ascontiguousarray(raster.tile(z, x, y).transpose(1, 2, 0)[:, :, :3]))
    south, west, north, east = raster.bounds
    lats, lons = _tile_degrees(z, x, y, image.width)
    inside = ((lats > south) & (lats < north))[:, None] & ((lons > west) & (lons < east))[None, :]
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
    name, layer = request.path_params["atlas"], request.path_params["layer"]
    atlas = engine.opening(name).atlas if name in engine.atlas_names() else None
    path = None if atlas is None else atlas.path / "vectors" / f"{layer}.geojson"
    if path is None or not path.is_file():
        return PlainTextResponse("There is no such line layer.", 404)
    return FileResponse(path, media_type="application/geo+json", headers=_KEEP)


def _picture(request: Request) -> Response:
    name, modality = request.path_params["atlas"], request.path_params["modality"]
    explorer = engine.opening(name).explorer if name in engine.atlas_names() else None
    if explorer is None:
        return PlainTextResponse("The atlas is still being opened.", 503, headers={"Retry-After": "1"})
    try:
        lat, lon = (float(part) for part in request.path_params["point"].split(","))
        return _image_response(explorer.picture(modality, (lat, lon), px=PICTURE_PX))
    except (UniGeoError, ValueError) as error:
        return PlainTextResponse(str(error), 404)


def _pose(request: Request) -> tuple[float, float, float]:
    """Latitude, longitude and heading in an address.

    Raises:
        InputError: They are not three finite numbers, or no point on the globe.
    """
    try:
        lat, lon, heading = (float(part) for part in request.path_params["pose"].split(","))
    except ValueError as error:
        raise InputError("A camera is written as latitude,longitude,heading: 42.3601,-71.0589,45") from error
    if not math.isfinite(heading):
        raise InputError("The heading is a number of degrees, clockwise from north.")
    as_latlon((lat, lon))
    return lat, lon, heading % 360


def _street(request: Request) -> Response:
    """One street view; its width is asked for by ``?w=``."""
    streets, refusal = _streets(request)
    if refusal is not None:
        return refusal
    width = request.query_params.get("w", str(STREET_PX))
    if not (width.isdecimal() and 64 <= int(width) <= MAX_STREET_PX):
        return PlainTextResponse(f"A street view is 64 to {MAX_STREET_PX} pixels wide, not {width[:20]}.", 400)
    try:
        return _image_response(streets.picture(*_pose(request), width=int(width), height=int(width) * 3 // 4))
    except UniGeoError as error:
        return PlainTextResponse(str(error), 400)


def _step(request: Request) -> Response:
    """The next camera ahead or behind, as JSON, turned as the visitor looks; null where the street ends."""
    streets, refusal = _streets(request)
    if refusal is not None:
        return refusal
    way = request.path_params["way"]
    if way not in ("ahead", "back"):
        return PlainTextResponse("A step goes ahead or back.", 404)
    try:
        lat, lon, heading = _pose(request)
        here = streets.nearest(lat, lon)
        view = _next(streets, here, heading if way == "ahead" else (heading + 180) % 360)
    except UniGeoError as error:
        return PlainTextResponse(str(error), 400)
    if view is None:
        return JSONResponse(None, headers=_KEEP)
    # Cameras look one way or the other; where the street bends, the visitor turns with it.
    bend = (view.heading_deg - here.heading_deg + 90) % 180 - 90
    found = {"lat": view.lat, "lng": view.lon, "heading": (heading + bend) % 360, "street": view.street}
    return JSONResponse(found, headers=_KEEP)


def _next(streets: Any, here: Any, towards_deg: float) -> Any:
    """The camera in a direction; who looks at a house walks along the street, the way that is nearer to their eyes."""
    view = streets.ahead(here.lat, here.lon, towards_deg)
    if view is not None:
        return view
    turn = (here.heading_deg - towards_deg + 90) % 180 - 90
    return streets.ahead(here.lat, here.lon, (towards_deg + turn) % 360)


def _streets(request: Request) -> tuple[Any, Response | None]:
    """Street views of the atlas in an address, or what to answer if there are none."""
    name = request.path_params["atlas"]
    if name not in engine.atlas_names():
        return None, PlainTextResponse("There is no such atlas.", 404)
    explorer = engine.opening(name).explorer
    if explorer is None:
        return None, PlainTextResponse("The atlas is still being opened.", 503, headers={"Retry-After": "1"})
    if explorer.streets is None:
        return None, PlainTextResponse("This atlas has no street views.", 404)
    return explorer.streets, None


def _image_response(image: Image.Image) -> Response:
    buffer = io.BytesIO()
    if image.mode in ("RGBA", "LA"):
        image.save(buffer, "WEBP", quality=80, method=2)
        return Response(buffer.getvalue(), media_type="image/webp", headers=_KEEP)
    image.save(buffer, "JPEG", quality=86)
    return Response(buffer.getvalue(), media_type="image/jpeg", headers=_KEEP)


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Start opening the first atlas together with the server, so that the first visitor waits less."""
    for name in engine.atlas_names()[:1]:
        engine.opening(name)
    yield


class _Checked(StaticFiles):
    """Files that browsers keep but ask about each time: after an upgrade, pages and scripts belong together."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


ROUTES = [
    Mount("/web", _Checked(directory=WEB)),
    Route("/data/overlays/{digest}.png", _threaded(_overlay)),
    Route("/data/{atlas}/tiles/{style}/{z:int}/{x:int}/{y:int}", _threaded(_tile)),
    Route("/data/{atlas}/pictures/{modality}/{point}", _threaded(_picture)),
    Route("/data/{atlas}/street/{pose}.jpg", _threaded(_street)),
    Route("/data/{atlas}/street/{pose}/{way}", _threaded(_step)),
    Route("/data/{atlas}/vectors/{layer}", _threaded(_vector)),
]
