"""What retrained baselines find, beside what ours finds: a table, and which of them is ahead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pages.ui.atlas import model_card
from pages.ui.atlas.retrieval import DASH, RECALLS, arrow, shares, too_few
from pages.ui.widgets.tables import Cell, Table
from pages.ui.widgets.templating import render

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from unigeoclip.atlas import Atlas

HEADING = "Retrained baselines"
_LEVEL = 1.96  # standard errors that two shares of found places may differ by and still be called level
_OURS = "UniGeoCLIP"


@dataclass(frozen=True)
class Outcome:
    """Who finds more places of a pair at the first try, the best of the baselines or ours.

    Attributes:
        pair: As people read it.
        first: Who finds more.
        second: The other.
        more: What the first finds, in percent.
        less: What the second finds.
        level: Whether the two differ by no more than chance.
    """

    pair: str
    first: str
    second: str
    more: float
    less: float
    level: bool


def section(atlas: Atlas) -> str:
    """Outcomes and table as HTML; empty where no baseline was retrained, or ours was not measured.

    Raises:
        UniGeoError: A record cannot be read.
    """
    from unigeoclip.embedders.retrained import recorded_baselines

    card, records = model_card.read(atlas), list(recorded_baselines(atlas).values())
    if card is None or not records:
        return ""
    ours = card.retrieval.get(card.metrics.get("split", ""), {})
    pairs = [pair for pair in dict.fromkeys(pair for record in records for pair in record["retrieval"]) if pair in ours]
    if not pairs:
        return ""
    own, outdated = card.metrics.get("training", {}), [record for record in records if record.get("outdated")]
    steps = sorted({_steps(record["training"]) for record in records})
    return render(
        "atlas/templates/baselines.html",
        steps=steps,
        batch=records[0]["training"]["batch"],
        own_steps=_steps(own),
        as_long=steps == [_steps(own)],
        finer=any(record["baseline"]["zoom"] > 1 for record in records),
        outdated=[(record["title"], record["data"]) for record in outdated],
        data_now=outdated[0]["data_now"] if outdated else None,
        outcomes=list(outcomes(ours, records, pairs)),
        figures=_table(ours, records, pairs),
        count=ours[pairs[0]].get("n", 0),
    )


def _steps(training: dict[str, Any]) -> int:
    return int(training.get("steps", 0)) + int(training.get("restart_steps", 0))


def outcomes(
    ours: dict[str, dict[str, float]], records: Sequence[dict[str, Any]], pairs: Sequence[str]
) -> Iterator[Outcome]:
    """The outcome of every pair that ours and a baseline have a figure for."""
    for pair in pairs:
        asked = [record for record in records if "recall@1" in record["retrieval"].get(pair, {})]
        if not asked or "recall@1" not in ours[pair]:
            continue
        best = max(asked, key=lambda record: record["retrieval"][pair]["recall@1"])
        found = {best["title"]: best["retrieval"][pair], _OURS: ours[pair]}
        first, second = sorted(found, key=lambda title: -found[title]["recall@1"])
        more, less = found[first]["recall@1"], found[second]["recall@1"]
        level = more - less <= _LEVEL * _deviation(*found.values())
        yield Outcome(arrow(pair), first, second, more, less, level)


def _deviation(*found: dict[str, float]) -> float:
    """Standard deviation of a difference of two percentages, each of n places."""
    spread = (share["recall@1"] * (100 - share["recall@1"]) / max(share.get("n", 1), 1) for share in found)
    deviation: float = sum(spread) ** 0.5
    return deviation


def _table(ours: dict[str, dict[str, float]], records: Sequence[dict[str, Any]], pairs: Sequence[str]) -> Table:
    rows = [[Cell(_OURS, strong=True), *(_cell(ours.get(pair)) for pair in pairs)]]
    rows += [[Cell(record["title"]), *(_cell(record["retrieval"].get(pair)) for pair in pairs)] for record in records]
    return Table(("", *map(arrow, pairs)), rows, figures=True)


def _cell(figures: dict[str, float] | None) -> Cell:
    if figures is None:
        return Cell(DASH)
    return too_few(figures) if figures.get("too_few") else Cell(shares(figures, RECALLS))
