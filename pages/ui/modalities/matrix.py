"""The retrieval matrix: what every modality finds of every other; its cells are buttons."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import atlas_scale
from pages.ui.formatting import title
from pages.ui.modalities.state import Widgets, widgets
from pages.ui.widgets.components import component, stylesheet
from unigeoclip.atlas.origins import upper_bound
from unigeoclip.evaluation import glossary
from unigeoclip.evaluation.retrieval import FEWEST, share_interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from pages.ui.modalities.protocol import MatrixCell, MatrixOpen, MatrixProps, MatrixRow
    from pages.ui.modalities.state import ModalitiesState
    from unigeoclip.atlas import Atlas
    from unigeoclip.atlas.schema import Manifest
    from unigeoclip.evaluation.modalities.study import Found, ModalityStudy

NARROW_SPACE = "\u202f"  # between thousands
_HTML = f"""
{stylesheet("components/matrix/matrix.css")}
<div class="ugc-matrix"></div>
"""
_component = partial(component, "matrix", _HTML)


@dataclass(frozen=True)
class Figure:
    """A figure of retrieval.

    Attributes:
        title: Of the choice.
        means: What it is, in a sentence.
        most_rank: The own item must be among so many; 0 for distances.
        limit_m: The first item must lie within this distance.
    """

    title: str
    means: str
    most_rank: int = 0
    limit_m: float = 0.0

    def share(self, found: Found) -> float:
        """Percent of the queries of a pair that reach it."""
        if self.most_rank:
            return 100 * float((found.rank <= self.most_rank).mean())
        return found.share_within(self.limit_m)


_RECALLS = {
    "recall@1": Figure("Recall@1", "Share of queries whose own item is the most similar one.", most_rank=1),
    "recall@10": Figure("Recall@10", "Share of queries whose own item is among the ten most similar.", most_rank=10),
}
_CITY_M, _WORLD_KM = 100, (25, 200, 750)


def figures_of(manifest: Manifest) -> dict[str, Figure]:
    """The figures that the matrix of an atlas can show: recall, and accuracy at distances of its scale."""
    means = "Share of queries whose most similar item lies within {} of the place of the query."
    if atlas_scale.of(manifest).is_city:
        near = f"{_CITY_M} m"
        return _RECALLS | {f"acc@{_CITY_M}m": Figure(f"Within {near}", means.format(near), limit_m=_CITY_M)}
    return _RECALLS | {
        f"acc@{limit}km": Figure(f"Within {limit} km", means.format(f"{limit} km"), limit_m=1000.0 * limit)
        for limit in _WORLD_KM
    }


def choice(manifest: Manifest, state: ModalitiesState) -> Figure:
    """Which figure the cells show."""
    figures = figures_of(manifest)
    widgets.figure = state.view.figure if state.view.figure in figures else next(iter(figures))
    st.segmented_control("Figure", list(figures), format_func=lambda key: figures[key].title, required=True,
                         key=Widgets.figure.key, label_visibility="collapsed",
                         on_change=lambda: state.show(figure=widgets.figure))  # fmt: skip
    return figures[widgets.figure]


def explanation(atlas: Atlas, study: ModalityStudy, figure: Figure) -> str:
    """What the figures are, among how many places, of which split, and how far they can be trusted."""
    counts = sorted({len(found.items) for found in study.found.values()})
    among = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    bound = upper_bound(atlas.manifest)
    reserve = f" {bound[0].upper()}{bound[1:]}." if bound else ""
    return (
        f"Rows are queries, columns are targets. {figure.means} Percent, with the 95 % interval (Wilson), among "
        f"{among.replace(',', NARROW_SPACE)} held-out places. Split “{study.split}”: "
        f"{glossary.of_split(atlas, study.split)}. The figures are those of 'evaluate' and of page Atlas.{reserve}"
    )


def show(study: ModalityStudy, figure: Figure, opened: str, on_open: Callable[[str], None]) -> None:
    """Draw the matrix.

    Args:
        study: Of the atlas.
        figure: That the cells show.
        opened: Name of the pair whose examples are shown.
        on_open: Called with the name of a pair in the run that pressing its cell causes.
    """
    key = "modalities-matrix"

    def pressed() -> None:
        event: MatrixOpen | None = getattr(st.session_state.get(key), "open", None)
        if event:
            on_open(event["pair"])

    _component()(key=key, data=matrix_props(study, figure, opened), on_open_change=pressed)


def matrix_props(study: ModalityStudy, figure: Figure, opened: str) -> MatrixProps:
    """What the browser draws."""
    names = study.modalities
    same_count = len({len(found.items) for found in study.found.values()}) == 1
    rows: list[MatrixRow] = [
        {
            "title": title(query),
            "cells": [
                None if query == target else _cell(study.found[f"{query}->{target}"], figure, count=not same_count)
                for target in names
            ],
        }
        for query in names
    ]
    return {"label": figure.title, "columns": [title(name) for name in names], "rows": rows, "opened": opened}


def _cell(found: Found, figure: Figure, *, count: bool) -> MatrixCell:
    n, name = len(found.items), found.pair.name
    means = f"{title(found.pair.query)} finds {title(found.pair.targets[0])}"
    if n < FEWEST:
        return {"pair": name, "value": f"n = {n}", "note": "too few", "share": 0.0, "means": f"{means}: too few places"}
    share = figure.share(found)
    low, high = share_interval(share, n)
    interval = f"{low:.1f}–{high:.1f}"
    return {
        "pair": name,
        "value": _percent(share),
        "note": interval + (f", n = {n:,}".replace(",", "\u202f", 1) if count else ""),
        "share": round(share / 100, 4),
        "means": f"{means}: {figure.title} {_percent(share)} %, 95 % interval {interval}. Show examples",
    }


def _percent(share: float) -> str:
    return f"{share:.1f}" if share < 99.95 else f"{share:.0f}"
