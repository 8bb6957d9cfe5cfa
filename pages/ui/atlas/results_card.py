"""Figures that ship, as page Atlas shows them: ours with their intervals, the paper's, and those of CoordBench."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from pages.ui.atlas.retrieval import DASH
from pages.ui.widgets.tables import Cell, Table
from pages.ui.widgets.templating import render
from unigeoclip import paths
from unigeoclip.results.studies import WHERE_OR_WHAT, WORDS

if TYPE_CHECKING:
    from unigeoclip.atlas import Atlas
    from unigeoclip.results.page import ResultTable
    from unigeoclip.results.records import Record

PAPER_HEADING = "Beside the paper"
COORDBENCH_HEADING = "Location encoders of others"
ALL_HEADING = "All figures with intervals"


PROBES_HEADING = "What the embeddings know"
WINS_LABEL = "On how many tasks ours is ahead"
_PROBE_TABLES = {
    "probes-boston": "Boston",
    "probes-us": "United States",
    "probes-world": "World",
    "probes-pictures": "Pictures and segmentation",
}
_STUDY_SECTIONS = {
    WHERE_OR_WHAT: ("Where or what", "where_or_what.html"),
    WORDS: ("Descriptions in words", "words.html"),
}


class _Titled(NamedTuple):
    """A table with a title to open it by."""

    title: str
    table: Table


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
    all_figures = ResultSection(ALL_HEADING, render("atlas/templates/all_figures.html", figures=every))
    return [first, *_probes(found), *_studies(found), all_figures]


def _probes(found: dict[str, ResultTable]) -> list[ResultSection]:
    """What the location encoder knows: on how many tasks it is ahead, and every task."""
    tables = [_Titled(title, _html(found[name], title)) for name, title in _PROBE_TABLES.items() if found[name].rows]
    if not tables:
        return []
    wins = _html(found["probe-wins"], WINS_LABEL)
    return [ResultSection(PROBES_HEADING, render("atlas/templates/probes.html", wins=wins, tables=tables))]


def _studies(found: dict[str, ResultTable]) -> list[ResultSection]:
    sections = []
    for name, (heading, template) in _STUDY_SECTIONS.items():
        if found[name].rows:
            html = render(f"atlas/templates/{template}", figures=_html(found[name], heading))
            sections.append(ResultSection(heading, html))
    return sections


def _is_of(record: Record, atlas: Atlas) -> bool:
    """Whether a record is of the atlas, or of its model in another city."""
    return record.where == atlas.name or f"--atlas {atlas.name} --elsewhere" in (record.command or "")


def _html(table: ResultTable, label: str) -> Table:
    rows = [[_cell(text) for text in row] for row in table.rows]
    return Table(table.head, rows, figures=True, row_heads=True, label=label)


def _cell(text: str) -> Cell:
    strong = text.startswith("**")
    value, _, interval = text.strip("*").rpartition(" (")
    if value and " to " in interval:
        return Cell(value, below=interval.rstrip(")"), strong=strong)
    return Cell(text.strip("*") or DASH, strong=strong)
