"""The figures below the maps of page Compare: the numbers of all models as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui.widgets import downloads
from pages.ui.widgets.tables import Cell, Table, table_html

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pages.ui.services.compare_jobs import Job
    from unigeoclip.compare.figure_table import Row
    from unigeoclip.compare.regions import Comparison


def show(job: Job, comparison: Comparison) -> None:
    """Draw the table with its downloads, once there are figures of every model."""
    from unigeoclip.compare.figure_table import method_of, table_csv, table_latex

    works, first = [job.work[name] for name in comparison.embedded], comparison.reference.embedder.name
    common = comparison.common_or_none
    if common is None:
        st.caption("These models have too few cells in common for figures.")
        return
    figures = {work.name: work.figures[common] for work in works if common in work.figures}
    if len(figures) < len(works) or any((first, common) not in work.agreement for work in works):
        st.caption("The figures appear when every model has processed the whole map.")
        return
    agreement = {work.name: work.agreement[first, common] for work in works}
    st.html(figures_table(comparison, figures, agreement))
    one, rows = figures[first], _rows(comparison, figures, agreement)
    titles = {name: comparison.embedded[name].embedder.title for name in figures}
    stem = f"{job.atlas.name}-figures"
    with st.container(horizontal=True, vertical_alignment="center", key="figures-files"):
        downloads.button("Table as CSV", table_csv, rows, titles, one, file=f"{stem}.csv")
        downloads.button("Table as LaTeX", table_latex, rows, titles, one, job.atlas.title, file=f"{stem}.tex")
        st.caption(method_of(one))


def figures_table(
    comparison: Comparison, figures: Mapping[str, dict[str, Any]], agreement: Mapping[str, dict[str, Any]]
) -> str:
    """The numbers of all models as an HTML table, each with a sentence that says what it means."""
    cells = [
        [Cell(row.title, below=row.meaning), *(_shown(row, number) for number in range(len(row.values)))]
        for row in _rows(comparison, figures, agreement)
    ]
    titles = [comparison.embedded[name].embedder.title for name in figures]
    return table_html(Table(("", *titles), cells, figures=True, row_heads=True, label="Figures"))


def _rows(
    comparison: Comparison, figures: Mapping[str, dict[str, Any]], agreement: Mapping[str, dict[str, Any]]
) -> list[Row]:
    from unigeoclip.compare.figure_table import table_rows

    return table_rows(figures, agreement, comparison.reference.embedder.title)


def _shown(row: Row, number: int) -> Cell:
    """The value of a model, and its interval below it."""
    each, interval = row.values[number], row.interval(number)
    if each is None:
        return Cell("–")
    ends = "" if interval is None else " to ".join(_digits(row, end) for end in interval)
    return Cell(f"{_digits(row, each.value)}{f' {row.unit}' if row.unit else ''}", below=ends)


def _digits(row: Row, value: float) -> str:
    return f"{row.scale * value:.{row.digits}f}".replace("-", "−")
