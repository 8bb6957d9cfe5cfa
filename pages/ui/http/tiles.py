"""Base maps: tiles of an atlas's picture and relief, and its lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from starlette.responses import FileResponse, Response

from pages.ui.http.responses import KEEP, image_response
from pages.ui.services.errors import NotFoundError
from unigeoclip.geo import MERCATOR_RADIUS_M, inverse_web_mercator
from unigeoclip.parsing.numbers import MAX_ZOOM, bounded_int
from unigeoclip.similarity.colormaps import shaded_relief

if TYPE_CHECKING:
    from starlette.requests import Request

    from pages.ui.services.explorers import Explorers
    from unigeoclip.atlas import Atlas

_PAPER = [min(255, 105 + int(value * 0.68)) for value in range(256)]  # relief as a light wash, not as a picture


def tile(explorers: Explorers, request: Request) -> Response:
    """A tile of the base map "photo" or "plain"."""
    style = request.path_params["style"]
    if style not in ("photo", "plain"):
        raise NotFoundError("There is no such base map.")
    z = bounded_int(request.path_params["z"], 0, MAX_ZOOM, "The zoom")
    x, y = (bounded_int(request.path_params[key], 0, 2**z - 1, f"At zoom {z}, {key}") for key in "xy")
    atlas = explorers.atlas(request.path_params["atlas"])
    return image_response(photo_tile(atlas, z, x, y) if style == "photo" else plain_tile(atlas, z, x, y))


def photo_tile(atlas: Atlas, z: int, x: int, y: int) -> Image.Image:
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


def plain_tile(atlas: Atlas, z: int, x: int, y: int) -> Image.Image:
    """Grey relief on land, nothing on water: the page's own colour shows through as the sea."""
    heights_m = atlas.raster("surface").tile(z, x, y)[0]
    px = heights_m.shape[0]
    pixel_m = 2 * np.pi * MERCATOR_RADIUS_M / 2**z / px
    relief = shaded_relief(heights_m, float(pixel_m)).convert("L").point(_PAPER)
    lats, lons = _tile_degrees(z, x, y, px)
    land = atlas.is_land(np.stack(np.meshgrid(lats, lons, indexing="ij"), axis=-1).reshape(-1, 2)).reshape(px, px)
    return Image.merge("LA", (relief, Image.fromarray(np.where(land, 255, 0).astype(np.uint8))))


def vectors(explorers: Explorers, request: Request) -> Response:
    """A line layer, gzipped GeoJSON."""
    path = explorers.atlas(request.path_params["atlas"]).line_layers().get(request.path_params["layer"])
    if path is None:
        raise NotFoundError("There is no such line layer.")
    return FileResponse(path, media_type="application/geo+json", headers={**KEEP, "Content-Encoding": "gzip"})
