"""Pictures round a point, and the height scale of those of the surface."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from starlette.responses import JSONResponse, Response

from pages.ui.formatting import height
from pages.ui.http.responses import KEEP_PRIVATE, image_response, numbers, point
from pages.ui.services.errors import NotFoundError
from unigeoclip.similarity.colormaps import relief_colors

if TYPE_CHECKING:
    from starlette.requests import Request

    from pages.ui.protocol import HeightScale
    from pages.ui.services.explorers import Explorers

PICTURE_PX = 224
SCALE_PX = 96  # finest detail that a card's height scale sees


def _point(request: Request) -> tuple[float, float]:
    return point(*numbers(request.path_params["point"], 2, "latitude,longitude: 42.3601,-71.0589"))


def picture(explorers: Explorers, request: Request) -> Response:
    """The aerial or surface picture round a point."""
    explorer = explorers.explorer(request.path_params["atlas"])
    modality = request.path_params["modality"]
    if modality not in ("aerial", "surface") or modality not in explorer.atlas.manifest.modalities:
        raise NotFoundError("The atlas has no such pictures.")
    return image_response(explorer.picture(modality, _point(request), px=PICTURE_PX), KEEP_PRIVATE)


def heights(explorers: Explorers, request: Request) -> Response:
    """Lowest and highest meter in a surface picture, and the colors between them, as JSON; null without data."""
    atlas = explorers.atlas(request.path_params["atlas"])
    window = atlas.raster("surface").windows([_point(request)], atlas.window_m, SCALE_PX)
    if not np.isfinite(window).any():
        return JSONResponse(None, headers=KEEP_PRIVATE)
    low, high = float(np.nanmin(window)), float(np.nanmax(window))
    colors = relief_colors(low, high, atlas.window_m / PICTURE_PX)
    scale: HeightScale = {"low": height(low), "high": height(high), "colors": colors}
    return JSONResponse(scale, headers=KEEP_PRIVATE)
