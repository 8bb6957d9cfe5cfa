"""Ablations of a city's model: what modalities, loss, depth and scales add, each group of rows as data and as HTML."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pages.ui.atlas.retrieval import DASH, RECALLS, WITHIN, rounded, too_few
from pages.ui.formatting import title
from pages.ui.widgets.tables import Cell, Table
from pages.ui.widgets.templating import render

if TYPE_CHECKING:
    from collections.abc import Sequence

# Columns of the ablations: the pair and how it reads.
_PAIRS = {
    "street->aerial": "street → aerial",
    "street->location": "street → location",
    "street->ensemble": "street → ensemble",
    "photo->aerial": "single view → aerial",
    "location->aerial": "location → aerial",
}
_BAR_PAIRS = ("street->aerial", "street->location", "location->aerial")
_GROUPS = {
    "modalities": "What each modality adds",
    "loss": "All pairs of modalities or one pivot",
    "depth": "Depth of the location encoder",
    "scales": "Number of scales of the location encoder",
}
_TENTH = "recall@10"  # what rows are compared by: after so few steps the first one is hardly ever right


@dataclass(frozen=True)
class Budget:
    """How long every row of a table of ablations was trained, and on what.

    Attributes:
        steps: Of each training.
        batch: Places a step.
        seed: Of each training.
        minutes: That a training took; the median.
        split: What the rows were measured on.
        complete: Whether all rows are trained.
        outdated: Whether they are of other data than the atlas holds now.
        data: Checksum of the data.
        data_now: That of the atlas, where it is known.
    """

    steps: int
    batch: int
    seed: int
    minutes: int
    split: str
    complete: bool
    outdated: bool
    data: str | None
    data_now: str | None


@dataclass(frozen=True)
class Group:
    """Rows of a table of ablations that differ in one thing.

    Attributes:
        name: One of "modalities", "loss", "depth", "scales".
        table: Their figures.
        found: How many of 100 street views have their aerial picture among the first ten: with two modalities and with
            all, or with a pivot and without; None where one of the rows is missing.
        last: Name of the last row.
        pivot: Title of the modality that is the pivot; empty without.
        best: Name of the row that finds the location of a street view best.
    """

    name: str
    table: Table
    found: tuple[str, str] | None
    last: str
    pivot: str
    best: str


def sections(table: dict[str, Any], *, bound: str) -> list[tuple[str, str]]:
    """Headings and HTML of each group of a table of ablations; of a table without rows none.

    Args:
        table: ``evaluate()["ablations"]``.
        bound: The reservation of `origins.upper_bound`, empty where it does not hold.
    """
    rows: list[dict[str, Any]] = table["rows"]
    if not rows:
        return []
    base = Counter(row["run"] for row in rows).most_common(1)[0][0]
    of_groups = {name: [row for row in rows if row["group"] == name] for name in _GROUPS}
    groups = [_group(name, some, base) for name, some in of_groups.items() if some]
    shown: list[tuple[str, str]] = []
    for group in groups:
        budget = None if shown else _budget(table)  # said once, above the first table
        html = render("atlas/templates/ablations.html", group=group, budget=budget, bound=bound)
        shown.append((_GROUPS[group.name], html))
    return shown


def _budget(table: dict[str, Any]) -> Budget:
    seconds = sorted(row["seconds"] for row in table["rows"])
    return Budget(
        **{key: table["budget"][key] for key in ("steps", "batch", "seed")},
        minutes=max(1, round(seconds[len(seconds) // 2] / 60)),
        split=table["split"],
        complete=table.get("complete", True),
        outdated=table.get("outdated", False),
        data=table.get("data"),
        data_now=table.get("data_now"),
    )


def _group(name: str, rows: Sequence[dict[str, Any]], base: str) -> Group:
    first: dict[str, Any] | None = None
    last: dict[str, Any] | None = rows[-1]
    pivot = ""
    if name == "modalities":
        first = next((row for row in rows if set(row["modalities"]) == {"street", "aerial"}), None)
    elif name == "loss":
        first = next((row for row in rows if row["pivot"] is not None), None)
        last = next((row for row in rows if row["pivot"] is None), None)
        pivot = title(first["pivot"]) if first else ""
    return Group(
        name=name,
        table=(_figures_table if name in ("modalities", "loss") else _bars_table)(rows, base),
        found=_compared(first, last),
        last=rows[-1]["name"],
        pivot=pivot,
        best=max(rows, key=lambda row: _value(row, "street->location"))["name"],
    )


def _compared(first: dict[str, Any] | None, last: dict[str, Any] | None) -> tuple[str, str] | None:
    """Street view to aerial picture of two rows; None where one is missing."""
    if first is None or last is None or first is last or "street->aerial" not in last["retrieval"]:
        return None
    return rounded(_value(first, "street->aerial")), rounded(_value(last, "street->aerial"))


def _value(row: dict[str, Any], pair: str) -> float:
    return float(row["retrieval"].get(pair, {}).get(_TENTH, 0.0))


def _figures_table(rows: Sequence[dict[str, Any]], base: str) -> Table:
    """Within 100 m, and recall at 1 and 10 below it, of every pair."""
    pairs = [pair for pair in _PAIRS if any(pair in row["retrieval"] for row in rows)]
    body = [[_name(row, base), *(_cell(row["retrieval"].get(pair)) for pair in pairs)] for row in rows]
    return Table(("trained on ↓, query → target", *(_PAIRS[pair] for pair in pairs)), body, figures=True)


def _bars_table(rows: Sequence[dict[str, Any]], base: str) -> Table:
    """Recall among the first ten as bars, one column a pair; the longest bar of the table fills its cell."""
    pairs = [pair for pair in _BAR_PAIRS if any(pair in row["retrieval"] for row in rows)]
    longest = max((_value(row, pair) for row in rows for pair in pairs), default=0.0) or 1.0
    body = [
        [
            _name(row, base),
            *(
                Cell(_figure(row["retrieval"].get(pair, {}), _TENTH), bar=100 * _value(row, pair) / longest)
                for pair in pairs
            ),
        ]
        for row in rows
    ]
    return Table(("", *(_PAIRS[pair] for pair in pairs)), body, figures=True, bars=True)


def _name(row: dict[str, Any], base: str) -> Cell:
    return Cell(row["name"], aside="(base)" if row["run"] == base else "", strong=True)


def _cell(figures: dict[str, float] | None) -> Cell:
    if figures is None:
        return Cell(DASH)
    if figures.get("too_few"):
        return too_few(figures)
    return Cell(_figure(figures, WITHIN), below=" / ".join(_figure(figures, key) for key in RECALLS))


def _figure(figures: dict[str, float], key: str) -> str:
    return rounded(figures[key]) if key in figures else DASH
