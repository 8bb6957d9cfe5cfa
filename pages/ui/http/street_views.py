"""Routes for looking around: what a camera sees, and the next camera along the street."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from pages.ui.formatting import street_origin
from pages.ui.http.responses import KEEP_PRIVATE, image_response, numbers, point
from pages.ui.http.urls import STREET_PX
from pages.ui.services.errors import NotFoundError
from unigeoclip.parsing.numbers import bounded_float, bounded_int

if TYPE_CHECKING:
    from starlette.requests import Request

    from pages.ui.protocol import StreetStep
    from pages.ui.services.explorers import Explorers
    from unigeoclip.atlas.street_views import StreetViews, View

MIN_STREET_PX, MAX_STREET_PX = 64, 1344
MAX_HEADING_DEG = 36_000.0  # of somebody who has turned a hundred times


def _pose(request: Request) -> tuple[float, float, float]:
    """Latitude, longitude and heading in an address.

    Raises:
        InputError: They are not three finite numbers, or no point on the globe.
    """
    form = "latitude,longitude,heading: 42.3601,-71.0589,45"
    lat, lon, heading = numbers(request.path_params["pose"], 3, form)
    heading_deg = bounded_float(heading, -MAX_HEADING_DEG, MAX_HEADING_DEG, "The heading")
    return *point(lat, lon), heading_deg % 360


def street(explorers: Explorers, request: Request) -> Response:
    """One street view; its width is asked for by ``?w=``."""
    streets = _streets(explorers, request)
    asked = request.query_params.get("w", str(STREET_PX))
    width = bounded_int(asked, MIN_STREET_PX, MAX_STREET_PX, "The width of a street view in pixels")
    return image_response(streets.picture(*_pose(request), width=width, height=width * 3 // 4), KEEP_PRIVATE)


def step(explorers: Explorers, request: Request) -> Response:
    """The next camera ahead or behind, as JSON, turned as the visitor looks; null where the street ends."""
    streets = _streets(explorers, request)
    way = request.path_params["way"]
    if way not in ("ahead", "back"):
        raise NotFoundError("A step goes ahead or back.")
    lat, lon, heading = _pose(request)
    here = streets.nearest(lat, lon)
    view = _next(streets, here, heading if way == "ahead" else (heading + 180) % 360)
    if view is None:
        return JSONResponse(None, headers=KEEP_PRIVATE)
    # Cameras look one way or the other; where the street bends, the visitor turns with it.
    bend = (view.heading_deg - here.heading_deg + 90) % 180 - 90
    towards = (heading + bend) % 360
    manifest = explorers.explorer(request.path_params["atlas"]).atlas.manifest
    credit = street_origin(manifest, streets.photo_of(view.lat, view.lon, towards))
    found: StreetStep = {
        "lat": view.lat, "lng": view.lon, "heading": towards, "street": view.street, "origin": credit,
    }  # fmt: skip
    return JSONResponse(found, headers=KEEP_PRIVATE)


def _next(streets: StreetViews, here: View, towards_deg: float) -> View | None:
    """The camera in a direction; who looks at a house walks along the street, the way that is nearer to their eyes."""
    view = streets.ahead(here.lat, here.lon, towards_deg)
    if view is not None:
        return view
    turn = (here.heading_deg - towards_deg + 90) % 180 - 90
    return streets.ahead(here.lat, here.lon, (towards_deg + turn) % 360)


def _streets(explorers: Explorers, request: Request) -> StreetViews:
    """Street views of the atlas in an address.

    Raises:
        NotFoundError: It has none.
    """
    streets = explorers.explorer(request.path_params["atlas"]).streets
    if streets is None:
        raise NotFoundError("This atlas has no street views.")
    return streets
