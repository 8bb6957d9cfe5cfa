"""Figures that ship, as page Atlas shows them: ours with their intervals, the paper's, and those of CoordBench."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pages.ui.atlas.retrieval import DASH
from pages.ui.widgets.tables import Cell, Table
from pages.ui.widgets.templating import render
from unigeoclip import paths

if TYPE_CHECKING:
    from unigeoclip.atlas import Atlas
    from unigeoclip.results.page import ResultTable
    from unigeoclip.results.records import Record

PAPER_HEADING = "Beside the paper"
COORDBENCH_HEADING = "Location encoders of others"
ALL_HEADING = "All figures with intervals"


@dataclass(frozen=True)
class ResultSection:
    """A heading and the HTML below it.

    Attributes:
        heading: Markdown.
        html: The section.
    """

    heading: str
    html: str


def sections(atlas: Atlas) -> list[ResultSection]:
    """The sections of an atlas that ships; none for any other, whose model was measured by nobody else.

    Raises:
        UniGeoError: A file of the results cannot be read.
    """
    if atlas.path.parent.resolve() != paths.ATLASES.resolve():
        return []
    from unigeoclip.results.page import tables
    from unigeoclip.results.records import measured

    records = measured()
    own = replace(records, records=[record for record in records.records if _is_of(record, atlas)])
    if not own.records:
        return []
    found = tables(own)
    if "street" in atlas.manifest.modalities:
        retrieval = _html(found["paper-retrieval"], "Ours and the paper's")
        regressions = _html(found["paper-regressions"], "The paper's")
        html = render("atlas/templates/paper.html", retrieval=retrieval, regressions=regressions)
        first = ResultSection(PAPER_HEADING, html)
    else:
        table = found["coordbench"]
        coordbench = _html(table, "Scores of location encoders")
        html = render("atlas/templates/coordbench.html", table_of_scores=coordbench, source=table.source)
        first = ResultSection(COORDBENCH_HEADING, html)
    every = _html(found["retrieval"], "All retrieval figures")
    return [first, ResultSection(ALL_HEADING, render("atlas/templates/all_figures.html", figures=every))]


def _is_of(record: Record, atlas: Atlas) -> bool:
    """Whether a record is of the atlas, or of its model in another city."""
    return record.where == atlas.name or f"--atlas {atlas.name} --elsewhere" in (record.command or "")


def _html(table: ResultTable, label: str) -> Table:
    rows = [[_cell(text) for text in row] for row in table.rows]
    return Table(table.head, rows, figures=True, row_heads=True, label=label)


def _cell(text: str) -> Cell:
    strong = text.startswith("**")
    value, _, interval = text.strip("*").partition(" (")
    if interval and " to " in interval:
        return Cell(value, below=interval.rstrip(")"), strong=strong)
    return Cell(text.strip("*") or DASH, strong=strong)
