"""How an answer is shown on the map: what is painted, in which colors, outlined or not; the widgets for it."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui.explore.model import Drawn, Steps
from pages.ui.formatting import title
from pages.ui.services.answers.heatmaps import colors_of, heatmap_png, levels_of
from pages.ui.view_options import OUTLINES, SCALES, SHARES
from pages.ui.widgets.popovers import popover
from unigeoclip.errors import InputError, UniGeoError
from unigeoclip.similarity.colormaps import COLORMAPS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pages.ui.explore.model import Answer
    from pages.ui.explore.session import Session
    from pages.ui.view_options import Display
    from unigeoclip.search.explorer import Explorer

_SCALE_HELP = (
    "Absolute: the same similarity has the same color in every answer, from that of unrelated places to that of "
    "matches, as measured on held-out places; a weak answer looks weak. Similarity: all colors over the range of "
    "this answer, however weak. Rank: by share of the area, however similar."
)


def shown(explorer: Explorer, session: Session) -> Drawn | None:
    """The pictures of the session's answer; the heatmap with a sentence why where items cannot be shown."""
    if session.answer is None:
        return None
    try:
        return draw(explorer, session.answer, session.display)
    except UniGeoError as error:
        session.problem = session.problem or str(error)
        session.display = replace(session.display, items="")
        return draw(explorer, session.answer, session.display)


def draw(explorer: Explorer, answer: Answer, display: Display) -> Drawn:
    """The pictures of an answer in a display, made once."""
    if display not in answer.drawn:
        answer.drawn[display] = _draw(explorer, answer, display)
    drawn: Drawn = answer.drawn[display]
    return drawn


def _draw(explorer: Explorer, answer: Answer, display: Display) -> Drawn:
    heat = answer.heatmap
    levels = levels_of(explorer, answer.items)
    colors = colors_of(display, levels)
    dots = ""
    if display.items:
        from unigeoclip.similarity.gallery_dots import dots_png

        latlon, values = explorer.item_similarities(answer.query, display.items)
        if not len(values):
            raise InputError(f"The area holds nothing to show as dots ({_items(display.items)}): this is the heatmap.")
        overlay = dots_png(heat.bounds, latlon, values, colormap=display.colors, top_share=colors["top_share"])
        dots = f"the {len(values):,} most similar items" if explorer.searched else "each dot is an item of the gallery"
    else:
        overlay = heatmap_png(answer.query, heat, colors)
    outline = None
    if display.outline:
        text = json.dumps(heat.outline(display.outline / 100), separators=(",", ":"))
        outline = gzip.compress(text.encode(), mtime=0)
    steps = heat.levels()
    drawn_steps = Steps(heat.levels_png(steps), steps.low, steps.step)
    return Drawn(overlay, heat.percentiles_png(), drawn_steps, outline, colors, levels, dots)


def offer(session: Session, modalities: Sequence[str]) -> None:
    """A popover with what can be chosen; a choice changes the display of the session."""
    display = session.display
    with popover("Display", icon=":material/tune:", key="display", help="What is shown, and how") as is_open:
        if not is_open:
            return
        options = {"items": ("", *modalities), "best": SHARES, "outline": OUTLINES, "colors": COLORMAPS,
                   "scale": tuple(SCALES)}  # fmt: skip
        for key in options:
            chosen = getattr(display, key)
            st.session_state[f"display-{key}"] = chosen if chosen in options[key] else options[key][0]
        _choice(session, "items", "Show", options["items"], lambda name: _items(name) if name else "Heatmap")
        _choice(session, "scale", "Scale", tuple(SCALES), SCALES.__getitem__, _SCALE_HELP)
        _choice(session, "best", "Area", SHARES, lambda share: f"Best {share} %" if share else "All")
        _choice(session, "outline", "Outline", OUTLINES, lambda share: f"Best {share} %" if share else "None")
        _choice(session, "colors", "Colors", COLORMAPS, str.capitalize)
        st.caption(
            "The heatmap compares your query with the location embedding of every point; items are the pictures and "
            "texts that are searched, drawn as dots over their own range. All color maps are readable in "
            "grayscale and with any color vision."
        )


def _items(modality: str) -> str:
    return "Places" if modality == "location" else title(modality)


def _choice(
    session: Session, key: str, label: str, options: Sequence[Any], words: Callable[[Any], str], about: str = ""
) -> None:
    widget = f"display-{key}"

    def chosen() -> None:
        session.display = replace(session.display, **{key: st.session_state[widget]})

    st.segmented_control(
        label, options, format_func=words, key=widget, required=True, on_change=chosen, help=about or None
    )
