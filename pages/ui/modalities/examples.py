"""Examples of a pair of modalities: queries that found their own item first, and queries that did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.formatting import distance, title
from pages.ui.widgets.templating import render

if TYPE_CHECKING:
    from typing import Any

    from pages.ui.modalities.items import ItemViews
    from pages.ui.modalities.state import ModalitiesState
    from unigeoclip.evaluation.modalities.study import Found

COUNT = 3  # of hits, and of misses


def show(found: Found, views: ItemViews, state: ModalitiesState) -> None:
    """Draw examples of hits and misses.

    Args:
        found: What the queries of the pair found.
        views: Of items.
        state: Of the page.
    """
    hits = int((found.rank == 1).sum())
    misses = len(found.rank) - hits
    groups = [
        _group(found, views, state.examples, hits=False, total=misses),
        _group(found, views, state.examples, hits=True, total=hits),
    ]
    query, target = title(found.pair.query), title(found.pair.targets[0])
    n = f"{len(found.rank):,}".replace(",", "\u202f")
    st.html(render("modalities/templates/examples.html", query=query, target=target, groups=groups, n=n))
    if max(hits, misses) > COUNT:
        st.button("Other examples", icon=":material/refresh:", key="other-examples",
                  on_click=state.open_pair, args=(found.pair.name,))  # fmt: skip


def _group(found: Found, views: ItemViews, seed: int, *, hits: bool, total: int) -> dict[str, Any]:
    numbers = found.examples(hits=hits, count=COUNT, seed=seed).tolist()
    return {
        "hits": hits,
        "total": f"{total:,}".replace(",", "\u202f"),
        "rows": [_row(found, views, each) for each in numbers],
    }


def _row(found: Found, views: ItemViews, number: int) -> dict[str, Any]:
    """One query: its item, its own item of the other modality with its rank, and what was found before it."""
    query, target = found.pair.query, found.pair.targets[0]
    first = int(found.first[number])
    return {
        "query": views.of(found.items, number, query),
        "own": views.of(found.items, number, target),
        "rank": f"{int(found.rank[number]):,}".replace(",", "\u202f"),
        "first": None if found.rank[number] == 1 else views.of(found.items, first, target),
        "away": distance(float(found.meters[number])),
    }
