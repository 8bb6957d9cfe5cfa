"""How the maps of page Compare are drawn while they follow the pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.ui.compare.explanation import SIMILARITY_SPAN
from pages.ui.http.urls import urls
from pages.ui.map import live

if TYPE_CHECKING:
    from pages.ui.protocol import LiveGrid
    from unigeoclip.atlas import Atlas
    from unigeoclip.compare.regions import Embedded
    from unigeoclip.similarity.heatmap import Scale
    from unigeoclip.similarity.levels import Levels


def live_grid(atlas: Atlas, embedded: Embedded, *, ranked: bool, levels: Levels | None, fixed: bool) -> LiveGrid:
    """What the browser needs to compute a model's similarity to points, drawn as that to a clicked one would be.

    Args:
        atlas: What is compared.
        embedded: Its part under the model.
        ranked: Whether colors are shares of the area.
        levels: What similarities mean, if an absolute scale is wanted and was measured.
        fixed: Whether the legend has no opacity slider of its own.
    """
    from unigeoclip.similarity.colormaps import DEFAULT_COLORMAP

    own: tuple[Scale, str] = ("percentile", ", by rank") if ranked else ("similarity", ", its own range")
    scale, heading = own if levels is None else ("absolute", ", absolute")
    return live.live_grid(
        urls.live_region(atlas, embedded.key),
        embedded.region.grid.mercator_bounds,
        DEFAULT_COLORMAP,
        scale=scale,
        levels=levels,
        least_span=SIMILARITY_SPAN,
        low_opacity=1.0,
        heading=heading,
        fixed=fixed,
        encoder=None if embedded.browser_encoder is None else urls.live_region_encoder(atlas, embedded.key),
    )
