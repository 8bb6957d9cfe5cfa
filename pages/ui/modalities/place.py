"""One place: its items, and how similar its modalities are to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import streamlit as st

from pages.ui.formatting import coordinates, similarity, title
from pages.ui.modality_styles import COLORS, OTHER_COLOR
from pages.ui.widgets.templating import render

if TYPE_CHECKING:
    from typing import Any

    from pages.ui.modalities.items import ItemViews
    from unigeoclip.evaluation.modalities.agreement import SimilarityLevels
    from unigeoclip.evaluation.modalities.study import ModalityStudy


def show(atlas: str, study: ModalityStudy, number: int, views: ItemViews) -> None:
    """Draw the items of a place as cards, and the matrix of their similarities.

    Args:
        atlas: Its name.
        study: Of the atlas.
        number: Of the item.
        views: Of items.
    """
    cards = [
        (views.of(study.items, number, name), COLORS.get(name, OTHER_COLOR), _rank_of(study, number, name))
        for name in study.modalities
    ]
    lat, lon = study.items.latlon[number].tolist()
    query = urlencode({"atlas": atlas, "q": f"place:{views.place_id(study.items, number)}"})
    st.html(
        render(
            "modalities/templates/place.html",
            name=views.name(study.items, number),
            where=coordinates(lat, lon, 4),
            explore=f"/?{query}",
            cards=cards,
            heads=[title(name) for name in study.modalities],
            rows=similarity_rows(study, number),
            n=f"{len(study.items):,}".replace(",", "\u202f"),
        )
    )


def _rank_of(study: ModalityStudy, number: int, modality: str) -> str:
    """By which of the other modalities this place finds its own item of a modality first, in words."""
    others = [name for name in study.modalities if name != modality]
    hits = [name for name in others if _finds_own(study, number, name, modality)]
    if not hits:
        return "found first by none of the others"
    if len(hits) == len(others):
        return "found first by all the others"
    return f"found first by {' and '.join(title(name).lower() for name in hits)}"


def _finds_own(study: ModalityStudy, number: int, query: str, target: str) -> bool:
    """Whether the item of one modality finds that of another among all places before any other."""
    similar = study.vectors[target] @ study.vectors[query][number]
    return int((similar >= similar[number]).sum()) == 1


def similarity_rows(study: ModalityStudy, number: int) -> list[tuple[str, list[dict[str, Any] | None]]]:
    """The similarities of a place: heading and cells of each row; None on the diagonal.

    A cell has the similarity as ``text``, those of an ordinary match and of an unrelated pair as ``match`` and
    ``unrelated``, ``verdict`` in a word, and ``strength`` from 0 (unrelated) to 100 (an ordinary match).
    """
    values, rows = study.similarities(number), []
    for row, query in enumerate(study.modalities):
        cells: list[dict[str, Any] | None] = []
        for column, target in enumerate(study.modalities):
            levels = study.levels.get((query, target)) or study.levels.get((target, query))
            cells.append(None if levels is None else _cell(float(values[row, column]), levels))
        rows.append((title(query), cells))
    return rows


def _cell(value: float, levels: SimilarityLevels) -> dict[str, Any]:
    span = max(levels.match - levels.unrelated, 1e-6)
    return {
        "text": similarity(value),
        "match": similarity(levels.match),
        "unrelated": similarity(levels.unrelated),
        "verdict": _verdict(value, levels),
        "strength": round(100 * min(1.0, max(0.0, (value - levels.unrelated) / span))),
    }


def _verdict(value: float, levels: SimilarityLevels) -> str:
    """What a similarity is, in words."""
    if value >= levels.match and value > levels.chance:
        return "match"
    return "above chance" if value > levels.chance else "chance"
