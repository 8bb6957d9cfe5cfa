"""Texts and names that fields suggest."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from starlette.responses import Response

from pages.ui.formatting import coordinates
from pages.ui.http.responses import KEEP, KEEP_PRIVATE, immediate
from unigeoclip.errors import InputError, excerpt
from unigeoclip.gazetteer import MAX_CHARACTERS
from unigeoclip.parsing.coordinates import parse_point

if TYPE_CHECKING:
    from starlette.requests import Request

    from pages.ui.http.responses import Endpoint, Workers
    from pages.ui.protocol import FoundName, FoundNames
    from pages.ui.services import Services
    from unigeoclip.atlas import Atlas
    from unigeoclip.geo import Bounds


def suggestions(services: Services, request: Request) -> Response:
    """All suggestions of an atlas, a JSON list."""
    atlas = services.explorers.atlas(request.path_params["atlas"])
    return Response(services.suggestions.json(atlas), media_type="application/json", headers=KEEP)


def names(services: Services, workers: Workers) -> Endpoint:
    """The endpoint of `_names`: at once where the names are ready, for somebody is typing; else in a thread."""
    answer = partial(_names, services)
    at_once = immediate(answer)

    async def endpoint(request: Request) -> Response:
        name = request.path_params["atlas"]
        return await (at_once(request) if services.place_names.is_ready(name) else workers.run(answer, request))

    return endpoint


def _names(services: Services, request: Request) -> Response:
    """Names of an atlas that begin with the parameter "text", or the point that it spells, as `FoundNames`."""
    atlas = services.explorers.atlas(request.path_params["atlas"])
    text = request.query_params.get("text", "")
    if len(text) > MAX_CHARACTERS:
        raise InputError(f"A name has at most {MAX_CHARACTERS} characters.")
    found: FoundNames = {"names": [], "problem": ""}
    try:
        point = parse_point(text)
        if point is not None:
            found["names"] = [_point(atlas.manifest.bounds, *point)]
        else:
            found["names"] = _listed(services, atlas, text)
    except InputError as error:
        found["problem"] = str(error)
    if text.strip() and not found["names"] and not found["problem"]:
        found["problem"] = f"No place of this map is called \u201c{excerpt(text, 40)}\u201d."
    content = json.dumps(found, ensure_ascii=False).encode()
    return Response(content, media_type="application/json", headers=KEEP_PRIVATE)


def _listed(services: Services, atlas: Atlas, text: str) -> list[FoundName]:
    gazetteer = services.place_names.of(atlas)
    return [
        {"name": place.name, "detail": place.detail, "lat": place.lat, "lng": place.lon}
        for place in gazetteer.search(text)
    ]


def _point(bounds: Bounds, lat: float, lon: float) -> FoundName:
    """A point as if it had a name.

    Raises:
        InputError: It is outside of the atlas.
    """
    south, west, north, east = bounds
    if not (south <= lat <= north and (lon - west) % 360 <= east - west):
        raise InputError(f"The point {lat:.6g}, {lon:.6g} is outside of this map.")
    return {"name": coordinates(lat, lon, 4), "detail": "point", "lat": lat, "lng": lon}
