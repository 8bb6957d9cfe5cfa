"""The scatter of the modalities of some places, and what happens at its points: a picture or a text, and a click."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.formatting import title
from pages.ui.modality_styles import COLORS, OTHER_COLOR, OTHER_SYMBOL, SYMBOLS
from pages.ui.widgets.components import component, stylesheet

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from pages.ui.modalities.items import ItemViews
    from pages.ui.modalities.protocol import PointItem, PointOpen, PointsProps
    from unigeoclip.evaluation.modalities.study import ModalityStudy

CHART = "modalities-chart"  # key of the container that the browser looks for the chart in
HEIGHT_PX = 520
APART = 0.5  # gap from which a modality is said to lie apart: half of the distance of a vector from the middle
_TOOLS = {
    "displaylogo": False,
    "scrollZoom": True,
    "modeBarButtonsToRemove": ["toImage", "select2d", "lasso2d", "autoScale2d"],
}
_HTML = f"""
{stylesheet("components/points/points.css")}
<div class="ugc-points"></div>
"""
_component = partial(component, "points", _HTML)


def explanation(study: ModalityStudy, *, centered: bool) -> str:
    """What the scatter shows, and what to do with it."""
    words = (
        "Each point is one modality of a place, laid out by all modalities together; lines join the points of a place. "
        "Where the modalities agree, they fall together. "
    )
    apart = max(study.modalities, key=lambda name: _mean_gap(study, name))
    if not centered and _mean_gap(study, apart) > APART:
        words += (
            f"The modality {title(apart).lower()} lies apart from the others (mean modality gap "
            f"{_mean_gap(study, apart):.2f}): “Without the gap” shows whether its places match all the same. "
        )
    return (
        words + "Hover over a point to see its item, click it to open its place. "
        "Click the map for the places nearest to a point."
    )


def _mean_gap(study: ModalityStudy, name: str) -> float:
    """Mean gap between a modality and the others."""
    gaps = [gap for pair, gap in study.gap.items() if name in pair]
    return sum(gaps) / len(gaps)


def chart(positions: dict[str, NDArray[np.float32]]) -> None:
    """Draw the points; which place is open is drawn by the browser, so that a click leaves the chart as it is."""
    from unigeoclip.compare.modality_layout import modality_scatter

    dark = st.context.theme.type == "dark"
    styles = {name: (title(name), COLORS.get(name, OTHER_COLOR), SYMBOLS.get(name, OTHER_SYMBOL)) for name in positions}
    with st.container(key=CHART):
        st.plotly_chart(
            modality_scatter(positions, styles, dark), key="modalities-scatter", config=_TOOLS, height=HEIGHT_PX,
            alt="Each point is one modality of a place; lines join the points of a place. The list beside it opens "
            "places without a pointer.",
        )  # fmt: skip


def points(
    study: ModalityStudy, places: NDArray[np.int64], views: ItemViews, opened: int, on_open: Callable[[str], None]
) -> None:
    """What the pointer shows at the points, and what a click opens.

    Args:
        study: Whose points they are.
        places: Numbers of the items in the scatter.
        views: Of items.
        opened: Number of the item that is open.
        on_open: Called with the id of a place in the run that a click causes.
    """
    key = "modalities-points"

    def clicked() -> None:
        event: PointOpen | None = getattr(st.session_state.get(key), "open", None)
        if event:
            on_open(event["place_id"])

    shown = places.tolist()
    data: PointsProps = {
        "chart": CHART,
        "places": len(shown),
        "opened": shown.index(opened) if opened in shown else -1,
        "items": [_item(study, number, name, views) for name in study.modalities for number in shown],
    }
    _component()(key=key, data=data, on_open_change=clicked)


def _item(study: ModalityStudy, number: int, modality: str, views: ItemViews) -> PointItem:
    picture, text = views.brief(study.items, number, modality)
    return {
        "place_id": views.place_id(study.items, number),
        "name": views.name(study.items, number),
        "kind": title(modality),
        "picture": picture or None,
        "text": text,
    }
