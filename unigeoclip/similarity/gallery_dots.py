"""Items of a gallery as dots on a Web Mercator picture, coloured by how like a query they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.errors import InputError
from unigeoclip.geo import as_latlon, web_mercator
from unigeoclip.similarity.colormaps import DEFAULT_COLORMAP, palette, paletted_png

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from unigeoclip.geo import Bounds

__all__ = ["dots_png"]

WIDTH_PX = 1536
_LEVELS = 64
_FILLED, _RADII_PX = 0.35, (2, 6)  # radius of a dot, as a share of the distance between evenly spread ones


def dots_png(
    bounds: Bounds,
    latlon: ArrayLike,
    values: NDArray[np.float32],
    *,
    colormap: str = DEFAULT_COLORMAP,
    floor_percentile: float = 50.0,
    top_share: float | None = None,
) -> bytes:
    """Draw items as dots, those most like the query above the others.

    Args:
        bounds: South, west, north, east of the picture in degrees (`Heatmap.bounds`).
        latlon: (n, 2) degrees.
        values: (n,) similarities.
        colormap: One of ``colours.COLORMAPS``.
        floor_percentile: Items below this percentile of all items have the lowest colour.
        top_share: Draw only the best share, (0, 1], of the items.

    Returns:
        A paletted PNG, `WIDTH_PX` wide, transparent between the dots.

    Raises:
        InputError: Not as many values as points, or an option out of range.
    """
    points = as_latlon(latlon)
    if len(points) != len(values):
        raise InputError(f"{len(points)} items need as many similarities; got {len(values)}.")
    if top_share is not None and not 0 < top_share <= 1:
        raise InputError(f"The share of the items must lie above 0 and at most at 1; it is {top_share:g}.")
    south, west, north, east = bounds
    corners = web_mercator(np.array([(south, west), (north, east)]))
    (left, bottom), (right, top) = corners
    height = max(1, round(WIDTH_PX * float((top - bottom) / (right - left))))
    order = np.argsort(values)  # painted in this order: the best is never covered
    if top_share is not None:
        order = order[len(order) - max(1, round(top_share * len(order))) :]
    xy = web_mercator(points[order])
    column = ((xy[:, 0] - left) / (right - left) * WIDTH_PX).astype(np.int64)
    row = ((top - xy[:, 1]) / (top - bottom) * height).astype(np.int64)
    numbers = _numbers(values[order], np.percentile(values, floor_percentile))
    pixels = np.zeros((height, WIDTH_PX), np.uint8)
    radius = int(np.clip(_FILLED * (height * WIDTH_PX / len(points)) ** 0.5, *_RADII_PX))
    reach = np.arange(-radius, radius + 1)
    disc = [(y, x) for y in reach for x in reach if x * x + y * y <= radius * radius + 1]
    rows = np.clip(np.add.outer(row, [y for y, _ in disc]), 0, height - 1)
    columns = np.clip(np.add.outer(column, [x for _, x in disc]), 0, WIDTH_PX - 1)
    pixels[rows.ravel(), columns.ravel()] = np.repeat(numbers, len(disc))
    opaque = np.full((_LEVELS, 1), 255, np.uint8)
    comment = "EPSG:3857; south, west, north, east = {}, {}, {}, {}".format(*bounds)
    return paletted_png(pixels, np.hstack([palette(colormap, _LEVELS), opaque]), {"Comment": comment})


def _numbers(values: NDArray[np.float32], floor: np.floating) -> NDArray[np.uint8]:
    """Colour numbers from 1: the floor and below are the lowest, the greatest value the highest."""
    span = max(float(values.max() - floor), 1e-6)
    fractions = np.clip((values - floor) / span, 0, 1)
    return np.minimum(fractions * _LEVELS, _LEVELS - 1).astype(np.uint8) + np.uint8(1)
