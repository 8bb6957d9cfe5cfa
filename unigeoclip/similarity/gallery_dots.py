"""Points as dots on a Web Mercator picture: items of a gallery by similarity, points in given colors."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from unigeoclip.errors import InputError
from unigeoclip.geo import as_latlon, web_mercator
from unigeoclip.similarity.colormaps import DEFAULT_COLORMAP, palette, paletted_png

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from unigeoclip.geo import Bounds

__all__ = ["colored_dots", "dots_png"]

WIDTH_PX = 1536
_LEVELS = 64
_RIM_RGB, _RIM_ALPHA = (16, 22, 26), 190
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
    order = np.argsort(values)  # painted in this order: the best is never covered
    if top_share is not None:
        order = order[len(order) - max(1, round(top_share * len(order))) :]
    shape = _shape(bounds, WIDTH_PX)
    radius = int(np.clip(_FILLED * (shape[0] * shape[1] / len(points)) ** 0.5, *_RADII_PX))
    rows, columns = _discs(bounds, points[order], shape, radius)
    numbers = _numbers(values[order], np.percentile(values, floor_percentile))
    pixels = np.zeros(shape, np.uint8)
    pixels[rows.ravel(), columns.ravel()] = np.repeat(numbers, rows.shape[1])
    opaque = np.full((_LEVELS, 1), 255, np.uint8)
    comment = "EPSG:3857; south, west, north, east = {}, {}, {}, {}".format(*bounds)
    return paletted_png(pixels, np.hstack([palette(colormap, _LEVELS), opaque]), {"Comment": comment})


def colored_dots(
    bounds: Bounds,
    latlon: ArrayLike,
    rgb: NDArray[np.uint8],
    *,
    width_px: int = WIDTH_PX,
    radii_px: tuple[int, int] = _RADII_PX,
) -> bytes:
    """Draw points as dots with a thin dark rim, later ones above earlier ones.

    Args:
        bounds: South, west, north, east of the picture in degrees; points outside are drawn at its edge.
        latlon: (n, 2) degrees.
        rgb: (n, 3) sRGB.
        width_px: Width of the picture.
        radii_px: Smallest and largest radius of a dot; few points have large ones.

    Returns:
        A lossless WebP in EPSG:3857, transparent between the dots.

    Raises:
        InputError: Not as many colors as points.
    """
    points = as_latlon(latlon)
    if rgb.shape != (len(points), 3):
        raise InputError(f"{len(points)} points need as many colors, (n, 3); got {rgb.shape}.")
    shape = _shape(bounds, width_px)
    radius = int(np.clip(_FILLED * (shape[0] * shape[1] / len(points)) ** 0.5, *radii_px))
    picture = np.zeros((*shape, 4), np.uint8)
    rims, dots = (_discs(bounds, points, shape, each) for each in (radius + 1, radius))
    # Rims first: in a crowd of dots their colors count, and the rim stays round the crowd.
    picture[rims[0].ravel(), rims[1].ravel()] = (*_RIM_RGB, _RIM_ALPHA)
    colors = np.concatenate([rgb, np.full((len(rgb), 1), 255, np.uint8)], axis=1)
    picture[dots[0].ravel(), dots[1].ravel()] = np.repeat(colors, dots[0].shape[1], axis=0)
    file = io.BytesIO()
    Image.fromarray(picture, "RGBA").save(file, "WEBP", lossless=True, quality=30, method=2)
    return file.getvalue()


def _shape(bounds: Bounds, width_px: int) -> tuple[int, int]:
    """Height and width of a Web Mercator picture of bounds, pixels."""
    south, west, north, east = bounds
    (left, bottom), (right, top) = web_mercator(np.array([(south, west), (north, east)]))
    return max(1, round(width_px * float((top - bottom) / (right - left)))), width_px


def _discs(
    bounds: Bounds, points: NDArray[np.float64], shape: tuple[int, int], radius: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of the pixels of a disc round each point, (n, pixels of a disc) each."""
    south, west, north, east = bounds
    height, width = shape
    (left, bottom), (right, top) = web_mercator(np.array([(south, west), (north, east)]))
    xy = web_mercator(points)
    column = ((xy[:, 0] - left) / (right - left) * width).astype(np.int64)
    row = ((top - xy[:, 1]) / (top - bottom) * height).astype(np.int64)
    reach = np.arange(-radius, radius + 1)
    disc = [(y, x) for y in reach for x in reach if x * x + y * y <= radius * radius + 1]
    rows = np.clip(np.add.outer(row, [y for y, _ in disc]), 0, height - 1)
    columns = np.clip(np.add.outer(column, [x for _, x in disc]), 0, width - 1)
    return rows, columns


def _numbers(values: NDArray[np.float32], floor: np.floating) -> NDArray[np.uint8]:
    """Colour numbers from 1: the floor and below are the lowest, the greatest value the highest."""
    span = max(float(values.max() - floor), 1e-6)
    fractions = np.clip((values - floor) / span, 0, 1)
    return np.minimum(fractions * _LEVELS, _LEVELS - 1).astype(np.uint8) + np.uint8(1)
