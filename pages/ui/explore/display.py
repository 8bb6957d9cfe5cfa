"""How an answer is shown on the map: what is painted, in which colours, outlined or not; kept in the page's address."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui.formatting import title
from pages.ui.popovers import popover
from unigeoclip.search.query_levels import levels_of_query
from unigeoclip.similarity.colormaps import COLORMAPS, DEFAULT_COLORMAP

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pages.ui.explore.session import Answer, Session
    from unigeoclip.atlas import Atlas
    from unigeoclip.search.explorer import Explorer
    from unigeoclip.similarity.calibration import Calibration
    from unigeoclip.similarity.levels import Levels

SHARES = (0, 20, 5, 1)  # per cent of the area that are painted, 0 for all of it
OUTLINES = (0, 20, 5, 1)
LOW_OPACITY = 0.25  # where nothing is like the query, the map below shows through
SCALES = {"absolute": "Absolute", "similarity": "Similarity", "rank": "Rank"}  # what colours stand for
RANKED_FROM = 80.0  # percentile of the area at which ranked colours start
KEYS = ("best", "outline", "colours", "items", "scale")  # in the page's address
_SCALE_HELP = (
    "Absolute: the same similarity has the same colour in every answer, from that of unrelated places to that of "
    "matches, as measured on held-out places; a weak answer looks weak. Similarity: all colours over the range of "
    "this answer, however weak. Rank: by share of the area, however similar."
)


@dataclass(frozen=True)
class Display:
    """What a visitor chose to see of answers.

    Attributes:
        best: Only so many per cent of the area are painted, one of `SHARES`.
        outline: So many per cent of the area, the best, are outlined, one of `OUTLINES`.
        colours: One of ``colours.COLORMAPS``.
        items: A modality whose items are drawn as dots in place of the heatmap; empty for the heatmap.
        scale: What colours of the heatmap stand for, one of `SCALES`. "absolute" needs measured levels; an answer
            without them is coloured by "similarity", and its legend says so.
    """

    best: int = 0
    outline: int = 0
    colours: str = DEFAULT_COLORMAP
    items: str = ""
    scale: str = "absolute"

    def to_link(self) -> dict[str, str]:
        """What differs from the first look, as it stands in an address."""
        first = Display()
        values = {key: str(getattr(self, key)) for key in KEYS}
        return {key: value for key, value in values.items() if value != str(getattr(first, key))}

    @classmethod
    def from_link(cls, values: dict[str, str], modalities: Sequence[str]) -> Display:
        """The display of an address; what is not known there is as at first."""
        known = {"best": map(str, SHARES), "outline": map(str, OUTLINES), "colours": COLORMAPS, "items": modalities,
                 "scale": SCALES}  # fmt: skip
        valid: dict[str, Any] = {key: values[key] for key in KEYS if values.get(key) in tuple(known[key])}
        numbers: dict[str, Any] = {key: int(value) for key, value in valid.items() if value.isdigit()}
        return replace(cls(), **(valid | numbers))


@dataclass(frozen=True)
class Drawn:
    """Pictures of an answer.

    Attributes:
        overlay: PNG of the heatmap or of the items.
        percentiles: PNG that tells the percentile of every cell, see ``Heatmap.percentiles_png``.
        outline: Gzipped GeoJSON, if there is to be one.
        colors: Options of ``Heatmap.png`` and ``Heatmap.legend``.
        levels: What similarities mean for this query; None where that was not measured.
    """

    overlay: bytes
    percentiles: bytes
    outline: bytes | None
    colors: dict[str, Any]
    levels: Levels | None = None


def draw(explorer: Explorer, answer: Answer, how: Display) -> Drawn:
    """The pictures of an answer in a display, made once."""
    if how not in answer.drawn:
        answer.drawn[how] = _draw(explorer, answer, how)
    drawn: Drawn = answer.drawn[how]
    return drawn


def _draw(explorer: Explorer, answer: Answer, how: Display) -> Drawn:
    heat, share = answer.heatmap, how.best / 100 or None
    levels = levels_of_query(calibration(explorer.atlas), answer.items)
    colors = {**coloring(how.scale, levels), "colormap": how.colours, "top_share": share}
    if how.items:
        from unigeoclip.similarity.gallery_dots import dots_png

        latlon, values = explorer.item_similarities(answer.query, how.items)
        overlay = dots_png(heat.bounds, latlon, values, colormap=how.colours, top_share=share)
    else:
        overlay = heat.png(low_opacity=LOW_OPACITY, **colors)
    outline = None
    if how.outline:
        text = json.dumps(heat.outline(how.outline / 100), separators=(",", ":"))
        outline = gzip.compress(text.encode(), mtime=0)
    return Drawn(overlay, heat.percentiles_png(), outline, colors, levels)


def calibration(atlas: Atlas) -> Calibration | None:
    """What was measured of an atlas's model, see ``unigeoclip.similarity.calibration``."""
    from unigeoclip.similarity.calibration import calibration  # brings torch along, so not before it is needed

    return calibration(atlas)


def coloring(scale: str, levels: Levels | None) -> dict[str, Any]:
    """Options of ``Heatmap.png`` for a scale; "absolute" without levels is "similarity"."""
    if scale == "rank":
        return {"scale": "percentile", "floor_percentile": RANKED_FROM}
    if scale == "absolute" and levels is not None:
        return {"scale": "absolute", "limits": levels.limits}
    return {"scale": "similarity", "floor_percentile": 50.0}


def offer(visitor: Session, modalities: Sequence[str]) -> None:
    """A popover with what can be chosen; a choice changes the visitor's display."""
    how = visitor.display
    with popover("Display", icon=":material/tune:", key="display", help="What is painted, and how") as is_open:
        if not is_open:
            return
        options = {"items": ("", *modalities), "best": SHARES, "outline": OUTLINES, "colours": COLORMAPS,
                   "scale": tuple(SCALES)}  # fmt: skip
        for key in KEYS:
            chosen = getattr(how, key)
            st.session_state[f"display-{key}"] = chosen if chosen in options[key] else options[key][0]
        _choice(visitor, "items", "Show", options["items"], lambda name: _items(name) if name else "Heatmap")
        _choice(visitor, "scale", "Scale", tuple(SCALES), SCALES.__getitem__, _SCALE_HELP)
        _choice(visitor, "best", "Paint", SHARES, lambda share: f"Best {share} %" if share else "Everything")
        _choice(visitor, "outline", "Outline", OUTLINES, lambda share: f"Best {share} %" if share else "None")
        _choice(visitor, "colours", "Colours", COLORMAPS, str.capitalize)
        st.caption(
            "The heatmap compares your query with the location embedding of every point; items are the pictures and "
            "texts of the atlas's gallery, drawn as dots over their own range. All colour maps read in grey and with "
            "any colour vision."
        )


def _items(modality: str) -> str:
    return "Places" if modality == "location" else title(modality)


def _choice(
    visitor: Session, key: str, label: str, options: Sequence[Any], words: Callable[[Any], str], about: str = ""
) -> None:
    widget = f"display-{key}"

    def chosen() -> None:
        visitor.display = replace(visitor.display, **{key: st.session_state[widget]})

    st.segmented_control(
        label, options, format_func=words, key=widget, required=True, on_change=chosen, help=about or None
    )
