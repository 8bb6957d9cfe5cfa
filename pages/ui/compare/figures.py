"""The figures below the maps of page Compare: the numbers of all models as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui.formatting import distance
from pages.ui.widgets.tables import Cell, Table, table_html

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pages.ui.services.compare_jobs import Job
    from unigeoclip.compare.regions import Comparison


def show(job: Job, comparison: Comparison) -> None:
    """Draw the table, once there are figures of every model."""
    works, first = [job.work[name] for name in comparison.embedded], comparison.reference.embedder.name
    figures = {work.name: work.figures for work in works if work.figures is not None}
    if len(figures) < len(works) or any(first not in work.agreement for work in works):
        st.caption("The figures appear when every model has processed the whole map.")
        return
    agreement = {work.name: work.agreement[first] for work in works}
    st.html(figures_table(comparison, figures, agreement))


def figures_table(comparison: Comparison, figures: Mapping[str, dict[str, Any]], agreement: dict[str, Any]) -> str:
    """The numbers of all models as an HTML table, each with a sentence that says what it means."""
    names = list(figures)
    reference = comparison.reference.embedder.title
    rows = [
        ("Variance", "spread of the embeddings of this region, 0 (all the same) to 1",
         [f"{figures[name]['variance']:.3f}" for name in names]),
        ("First three components", "share of that variance that they explain, which the color scheme Components shows",
         [f"{100 * sum(figures[name]['shares'][:3]):.0f} %" for name in names]),
        ("Effective rank", "number of dimensions that are effectively used",
         [f"{figures[name]['effective_rank']:.1f}" for name in names]),
        ("Smooth in position", "share of the variance that a smooth function of position explains, cross-validated; "
         "the rest is detail, such as parks, coasts and districts",
         [_percent(figures[name]["smooth_share"]) for name in names]),
        *_moran_rows(figures, names),
        (f"CKA with {reference}", "how far the two models agree on which places are similar, 0 to 1",
         [_number(agreement[name]["cka"]) for name in names]),
        (f"Shared neighbors with {reference}", "of the ten most similar places in a sample",
         [_percent(agreement[name]["neighbours"]) for name in names]),
    ]  # fmt: skip
    cells = [[Cell(title, below=meaning), *map(Cell, values)] for title, meaning, values in rows]
    titles = [comparison.embedded[name].embedder.title for name in names]
    return table_html(Table(("", *titles), cells, figures=True, row_heads=True, label="Figures"))


def _moran_rows(figures: Mapping[str, dict[str, Any]], names: Sequence[str]) -> list[tuple[str, str, list[str]]]:
    """Moran's I at a short, a middle and a long distance that all models have a figure for."""
    rings = [ring for ring in range(len(figures[names[0]]["moran"]))
             if any(figures[name]["moran"][ring][1] is not None for name in names)]  # fmt: skip
    chosen = sorted({rings[0], rings[len(rings) // 2], rings[-1]}) if rings else []
    return [
        (
            f"Moran's I up to {distance(figures[names[0]]['moran'][ring][0])}",
            "spatial autocorrelation: 1 = places at this distance are similar, 0 = random",
            [_number(figures[name]["moran"][ring][1]) for name in names],
        )
        for ring in chosen
    ]


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}".replace("-", "−")
