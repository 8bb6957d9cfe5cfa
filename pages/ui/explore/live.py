"""How the map of page Explore is drawn while it follows the pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.ui.explore import composer
from pages.ui.http.urls import urls
from pages.ui.map import live
from pages.ui.query_string import display_parameters
from pages.ui.services.answers.heatmaps import LOW_OPACITY, coloring
from pages.ui.view_options import MATCHES
from unigeoclip.similarity.levels import levels_of_modality

if TYPE_CHECKING:
    from pages.ui.explore.session import Session
    from pages.ui.protocol import LiveGrid
    from unigeoclip.search.explorer import Explorer


def live_grid(explorer: Explorer, session: Session) -> LiveGrid:
    """What the browser needs to compute the heatmaps of points, drawn as the answers of a session are.

    Where the answer to a click is the heatmap of that point alone, the browser also learns how to fetch that at once.
    """
    from unigeoclip.similarity.calibration import calibration  # brings torch along
    from unigeoclip.similarity.heatmap import LEAST_SPAN

    display = session.display
    levels = levels_of_modality(calibration(explorer.atlas), "location")
    options = coloring(display.scale, levels)
    grid = live.live_grid(
        urls.live(explorer.atlas, explorer.model_id),
        explorer.grid.mercator_bounds,
        display.colors,
        scale=options["scale"],
        levels=levels if options.get("limits") is not None else None,
        least_span=LEAST_SPAN,
        low_opacity=LOW_OPACITY,
        floor=options.get("floor_percentile", 0.0),
        share=display.best / 100,
        area=session.scope.area,
    )
    if session.scope.area is None and composer.join() == "new":
        grid["exact"] = urls.heatmap(explorer.atlas, display_parameters(display, MATCHES))
    return grid
