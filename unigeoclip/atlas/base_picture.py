"""The picture of an atlas that lies below the colors of a map."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from unigeoclip.geo import MERCATOR_HALF_M, web_mercator
from unigeoclip.maps.contents import Overlay

if TYPE_CHECKING:
    from unigeoclip.atlas.store import Atlas
    from unigeoclip.geo import Bounds

__all__ = ["base_overlay", "base_picture"]

BASE_WIDTH_PX = 1024  # at least
_TILE_PX = 256


def base_picture(atlas: Atlas, bounds: Bounds) -> tuple[bytes, Bounds]:
    """The aerial picture of an atlas in Web Mercator, put together from its tiles.

    Args:
        atlas: The atlas.
        bounds: South, west, north, east in degrees, within the Web Mercator square.

    Returns:
        The picture as WebP, and its own bounds, which end at 180 E.
    """
    south, west, north, east = bounds
    east = min(east, 180.0)
    (left_m, top_m), (right_m, bottom_m) = web_mercator(np.array([[north, west], [south, east - 1e-9]])).tolist()
    zoom = math.log2(BASE_WIDTH_PX / _TILE_PX * 2 * MERCATOR_HALF_M / (right_m - left_m))
    zoom = min(24, max(0, math.ceil(zoom)))
    px_m = 2 * MERCATOR_HALF_M / 2**zoom / _TILE_PX
    left, right = ((x_m + MERCATOR_HALF_M) / px_m for x_m in (left_m, right_m))
    top, bottom = ((MERCATOR_HALF_M - y_m) / px_m for y_m in (top_m, bottom_m))
    across, down = (
        range(int(low) // _TILE_PX, min(math.ceil(high / _TILE_PX), 2**zoom))
        for low, high in ((left, right), (top, bottom))
    )
    raster = atlas.raster("aerial")
    rows = [np.concatenate([raster.tile(zoom, x, y, _TILE_PX) for x in across], axis=2) for y in down]
    picture = Image.fromarray(np.concatenate(rows, axis=1).transpose(1, 2, 0)[..., :3])
    corner_x, corner_y = across[0] * _TILE_PX, down[0] * _TILE_PX
    picture = picture.crop((left - corner_x, top - corner_y, right - corner_x, bottom - corner_y))
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=72, method=2)
    return file.getvalue(), (south, west, north, east)


def base_overlay(atlas: Atlas, bounds: Bounds) -> Overlay:
    """`base_picture` as a layer of a map, with the makers of its data."""
    # The rules that judge the model are drawn on no map.
    shown = [source for source in atlas.manifest.sources if not source.what.startswith("rules")]
    attribution = " · ".join(dict.fromkeys(source.attribution for source in shown))
    return Overlay(atlas.title, *base_picture(atlas, bounds), attribution=attribution)
