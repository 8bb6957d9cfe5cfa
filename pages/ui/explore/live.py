"""How the map of page Explore is drawn while it follows the pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.ui.explore import composer
from pages.ui.http.urls import urls
from pages.ui.map import live
from pages.ui.query_string import display_parameters
from pages.ui.services import services
from pages.ui.services.answers.heatmaps import LOW_OPACITY, coloring
from pages.ui.view_options import MATCHES
from unigeoclip.similarity.levels import levels_of_modality

if TYPE_CHECKING:
    from pages.ui.explore.model import Answer
    from pages.ui.explore.session import Session
    from pages.ui.protocol import LiveGrid, LiveWeights
    from unigeoclip.search.explorer import Explorer

_ANSWER_OF_WEIGHTS = "Computed in this browser while a weight is moved; results and exact map follow."


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
        encoder=urls.live_encoder(explorer.atlas, explorer.model_id) if explorer.has_browser_encoder else None,
    )
    if session.scope.area is None and composer.join() == "new":
        grid["exact"] = urls.heatmap(explorer.atlas, display_parameters(display, MATCHES))
    if session.answer is not None and not session.answer.query.is_foreign:
        grid["weights"] = _live_weights(explorer, session, session.answer, grid["colors"])
    return grid


def _live_weights(explorer: Explorer, session: Session, answer: Answer, colors: list[str]) -> LiveWeights:
    """What the browser needs to draw the answer's heatmap while a weight is moved; no scale is measured for sums."""
    options = coloring(session.display.scale, None)
    ranked = options["scale"] == "percentile"
    return {
        "url": urls.live_query(explorer.atlas, services().weighed.keep(explorer, answer.query)),
        "combine": "any" if answer.query.any_of else "sum",
        "values": [item.weight for item in answer.items],
        "sliders": [composer.weight_key(session, index) for index in range(len(answer.items))],
        "scale": options["scale"],
        "floor": options["floor_percentile"],
        "legend": live.live_legend(
            f"Similarity to your query, {'by rank' if ranked else 'its own range'}", _ANSWER_OF_WEIGHTS, colors
        ),
    }
