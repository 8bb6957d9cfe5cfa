"""Tables as plain data and as HTML: the one table that all pages show figures in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pages.ui.widgets.templating import render

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Cell:
    """A cell of a table; all of it is text.

    Attributes:
        text: What it says.
        aside: Small print behind the text.
        below: Small print on a line below the text.
        strong: Whether the text is bold.
        bar: Length of a bar above the text, in percent of the cell; None without.
    """

    text: str = ""
    aside: str = ""
    below: str = ""
    strong: bool = False
    bar: float | None = None


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        head: Headings of its columns; an empty one is a corner.
        rows: Its cells, each row as long as the head.
        figures: Whether it shows figures, in digits of one width.
        bars: Whether its cells have bars.
        row_heads: Whether the first cell of a row is its heading.
        label: What a screen reader calls the table, which scrolls sideways; empty for no name.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    figures: bool = False
    bars: bool = False
    row_heads: bool = False
    label: str = ""


def table_html(table: Table) -> str:
    """A table as HTML; templates show one with the macro ``table`` of ``widgets/templates/tables.html``."""
    return render("widgets/templates/table.html", table=table)
