"""Alignment, modality gap and uniformity as tables, each with a sentence that says what it means here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.formatting import title
from pages.ui.widgets.tables import Cell, Table
from pages.ui.widgets.templating import render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from unigeoclip.evaluation.modalities.study import ModalityStudy


def show(study: ModalityStudy) -> None:
    """Draw the three tables."""
    st.html(
        render(
            "modalities/templates/agreement.html",
            alignment=_pairs_table(study, study.alignment, "Alignment"),
            gap=_pairs_table(study, study.gap, "Modality gap"),
            uniformity=_uniformity_table(study),
            sentences=sentences(study),
            n=f"{len(study.items):,}".replace(",", "\u202f"),
            split=study.split,
        )
    )


def sentences(study: ModalityStudy) -> dict[str, str]:
    """What each figure means here, in one sentence each."""
    closest, widest = (
        min(study.alignment, key=study.alignment.__getitem__),
        max(study.alignment, key=study.alignment.__getitem__),
    )
    apart = max(study.gap, key=study.gap.__getitem__)
    tight = max(study.uniformity, key=study.uniformity.__getitem__)
    return {
        "alignment": "Mean squared distance between two modalities of the same place, 0 at best and 2 for unrelated "
        f"vectors: {_both(closest)} agree best here, {_both(widest)} least.",
        "gap": "Distance between the mean vectors of two modalities, 0 to 2: how far the modalities lie apart whatever "
        f"the place, here the farthest for {_both(apart)}.",
        "uniformity": "How evenly the vectors of a modality fill the sphere, 0 (all are one) to about −4 (evenly): "
        f"those of the modality {title(tight).lower()} are the most alike here.",
    }


def _both(pair: tuple[str, str]) -> str:
    return " and ".join(title(name).lower() for name in pair)


def _pairs_table(study: ModalityStudy, values: Mapping[tuple[str, str], float], label: str) -> Table:
    """A triangle of all pairs; the order within a pair changes nothing."""
    names = study.modalities
    rows = [
        [Cell(title(row)), *(Cell(_number(values[column, row])) if (column, row) in values else Cell("") for column in
                             names[:-1])]
        for row in names[1:]
    ]  # fmt: skip
    return Table(("", *map(title, names[:-1])), rows, figures=True, row_heads=True, label=label)


def _uniformity_table(study: ModalityStudy) -> Table:
    rows = [[Cell(title(name)), Cell(_number(value))] for name, value in study.uniformity.items()]
    return Table(("", "Uniformity"), rows, figures=True, row_heads=True, label="Uniformity")


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
