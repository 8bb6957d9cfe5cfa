"""Routes for looking around: what a camera sees, and the next camera along the street."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pages.ui import engine
from pages.ui.serving import KEEP, image_response, threaded, version
from unigeoclip.errors import InputError, UniGeoError
from unigeoclip.geo import as_latlon

if TYPE_CHECKING:
    from starlette.requests import Request

    from unigeoclip.atlas import Atlas
    from unigeoclip.atlas.streets import StreetViews, View

STREET_PX = 448  # wide; street views are 4:3
MAX_STREET_PX = 1344


def street_url(atlas: Atlas, lat: float, lon: float, heading_deg: float) -> str:
    """Address of the street view of a camera."""
    return f"/data/{atlas.name}/street/{lat:.6f},{lon:.6f},{heading_deg % 360:g}.jpg?w={STREET_PX}&{version(atlas)}"


def street_addresses(atlas: Atlas) -> dict[str, str]:
    """Address templates for looking around: ``picture`` with a pose and a width, ``step`` with a pose and a way."""
    folder = f"/data/{atlas.name}/street"
    return {
        "picture": f"{folder}/{{pose}}.jpg?w={{width}}&{version(atlas)}",
        "step": f"{folder}/{{pose}}/{{way}}?{version(atlas)}",
    }


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
        return image_response(streets.picture(*_pose(request), width=int(width), height=int(width) * 3 // 4))
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
        return JSONResponse(None, headers=KEEP)
    # Cameras look one way or the other; where the street bends, the visitor turns with it.
    bend = (view.heading_deg - here.heading_deg + 90) % 180 - 90
    found = {"lat": view.lat, "lng": view.lon, "heading": (heading + bend) % 360, "street": view.street}
    return JSONResponse(found, headers=KEEP)


def _next(streets: StreetViews, here: View, towards_deg: float) -> View | None:
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


ROUTES = [
    Route("/data/{atlas}/street/{pose}.jpg", threaded(_street)),
    Route("/data/{atlas}/street/{pose}/{way}", threaded(_step)),
]
