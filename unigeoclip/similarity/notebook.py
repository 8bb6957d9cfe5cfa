"""Heatmaps as notebooks show them: a picture with its range of similarity, and a plot with matplotlib."""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING, Any

from unigeoclip.errors import excerpt
from unigeoclip.extras import needs_extra
from unigeoclip.similarity.colormaps import palette

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from unigeoclip.geo import Bounds

__all__ = ["plotted", "shown"]


def plotted(values: NDArray[np.float32], bounds: Bounds, ax: Any, colormap: str, options: Mapping[str, Any]) -> Any:
    """Plot a raster of similarities, (h, w) with NaN outside; see `Heatmap.plot`."""
    with needs_extra("plot"):
        from matplotlib import pyplot
        from matplotlib.colors import ListedColormap
    colors = ListedColormap(palette(colormap, 255) / 255)
    ax = pyplot.subplots()[1] if ax is None else ax
    south, west, north, east = bounds
    image = ax.imshow(values, **{"extent": (west, east, south, north), "cmap": colors, **options})
    ax.figure.colorbar(image, ax=ax, label="similarity")
    ax.set(xlabel="longitude (degrees)", ylabel="latitude (degrees)")
    return ax


def shown(picture: bytes, query: Sequence[str], between: tuple[float, float], best: tuple[float, float]) -> str:
    """A heatmap as HTML; everything in it is escaped.

    Args:
        picture: PNG.
        query: Its items, as links spell them.
        between: The lowest and the highest similarity that has a color of its own.
        best: Latitude and longitude of the most similar cell, degrees.
    """
    encoded = base64.b64encode(picture).decode()
    words = [
        *(["; ".join(map(excerpt, query))] if query else []),
        f"similarity {between[0]:.2f} or less (dark) to {between[1]:.2f} (bright)",
        f"most similar at {best[0]:.4f}, {best[1]:.4f}",
    ]
    return (
        f'<figure><img src="data:image/png;base64,{encoded}" alt="Heatmap" style="max-width:100%">'
        f"<figcaption>{html.escape(' · '.join(words))}</figcaption></figure>"
    )
