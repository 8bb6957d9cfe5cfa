"""Heatmaps as notebooks show them: a picture with its range of similarity, and a plot with matplotlib."""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING, Any

from unigeoclip.errors import InputError, excerpt
from unigeoclip.similarity.colormaps import palette

if TYPE_CHECKING:
    from collections.abc import Mapping

    from unigeoclip.similarity.heatmap import Heatmap

__all__ = ["plotted", "shown"]


def plotted(heatmap: Heatmap, ax: Any, colormap: str, options: Mapping[str, Any]) -> Any:
    """See `Heatmap.plot`."""
    try:
        from matplotlib import pyplot
        from matplotlib.colors import ListedColormap
    except ImportError as error:
        raise InputError(
            "Heatmap.plot() draws with matplotlib, which is not installed: pip install matplotlib, or use "
            "heatmap.to_png(path)."
        ) from error
    colors = ListedColormap(palette(colormap, 255) / 255)
    ax = pyplot.subplots()[1] if ax is None else ax
    south, west, north, east = heatmap.grid.bounds
    image = ax.imshow(heatmap.raster(), **{"extent": (west, east, south, north), "cmap": colors, **options})
    ax.figure.colorbar(image, ax=ax, label="similarity")
    ax.set(xlabel="longitude (degrees)", ylabel="latitude (degrees)")
    return ax


def shown(heatmap: Heatmap) -> str:
    """The picture of a heatmap with its query and its range of similarity, as HTML; everything in it is escaped."""
    picture = base64.b64encode(heatmap.png(describe=True)).decode()
    legend, best = heatmap.legend(), heatmap.best()
    query = () if heatmap.provenance is None else heatmap.provenance.query
    words = [
        *(["; ".join(map(excerpt, query))] if query else []),
        f"similarity {legend[0].similarity:.2f} or less (dark) to {legend[-1].similarity:.2f} (bright)",
        f"most similar at {best.lat:.4f}, {best.lon:.4f}",
    ]
    return (
        f'<figure><img src="data:image/png;base64,{picture}" alt="Heatmap" style="max-width:100%">'
        f"<figcaption>{html.escape(' · '.join(words))}</figcaption></figure>"
    )
