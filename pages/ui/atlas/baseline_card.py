"""What retrained baselines find, beside what ours finds: a table and what comes out, in words."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from pages.ui.atlas import model_card

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from unigeoclip.atlas import Atlas

HEADING = "Baselines, retrained"
_RECALLS = ("recall@1", "recall@10")
_LEVEL = 1.96  # standard errors that two shares of found places may differ by and still be called level
_OURS = "UniGeoCLIP"


def section(atlas: Atlas) -> str:
    """The table as HTML; empty where no baseline was retrained, or ours was not measured.

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
    rows = [[f"<b>{_OURS}</b>", *(_figures(ours, pair) for pair in pairs)]]
    rows += [[escape(record["title"]), *(_figures(record["retrieval"], pair) for pair in pairs)] for record in records]
    words = [_training(card.metrics.get("training", {}), records)]
    if any(record.get("outdated") for record in records):
        words.append(f"<b>{_outdated(records)}</b>")
    return (
        f"<p>{' '.join(words)}</p><ul>{''.join(f'<li>{said}</li>' for said in _outcomes(ours, records, pairs))}</ul>"
        f"{model_card.table(('', *map(_arrow, pairs)), rows, figures=True)}"
        f"<p><small>recall@1 / recall@10 in %, among {ours[pairs[0]].get('n', 0):,} held-out places.</small></p>"
    )


def _outdated(records: Sequence[dict[str, Any]]) -> str:
    """Which were trained on another state of the data, with the checksums of both."""
    old = [record for record in records if record.get("outdated")]
    named = "; ".join(f"{record['title']}: data {record['data'] or 'not recorded'}" for record in old)
    return escape(f"Trained on an earlier state of this atlas, which is {old[0]['data_now']} now: {named}.")


def _training(own: dict[str, Any], records: Sequence[dict[str, Any]]) -> str:
    """What they learned from, and how long."""
    each = [record["training"] for record in records]
    steps = sorted({training["steps"] + training.get("restart_steps", 0) for training in each})
    budget = " or ".join(f"{count:,}" for count in steps) + f" steps of {each[0]['batch']:,} places"
    ours = own.get("steps", 0) + own.get("restart_steps", 0)
    as_long = "as long as ours was" if steps == [ours] else f"ours was trained for {ours:,} steps"
    finer = any(record["baseline"]["zoom"] > 1 for record in records)
    scales = " Finer scales are the published ones, shrunk to the extent of the atlas." if finer else ""
    return (
        "The location encoders of SatCLIP and GeoCLIP, trained anew on this atlas, each against one kind of picture, "
        f"for {budget}; {as_long}, which learned all its modalities at once. SatCLIP starts from random weights, "
        "GeoCLIP from the published ones, to which it learns updates of low rank."
        f"{scales}"
    )


def _outcomes(
    ours: dict[str, dict[str, float]], records: Sequence[dict[str, Any]], pairs: Sequence[str]
) -> Iterator[str]:
    """A sentence a pair: who finds more places at the first try, the best of the baselines or ours."""
    for pair in pairs:
        asked = [record for record in records if "recall@1" in record["retrieval"].get(pair, {})]
        if not asked or "recall@1" not in ours[pair]:
            continue
        best = max(asked, key=lambda record: record["retrieval"][pair]["recall@1"])
        found = {best["title"]: best["retrieval"][pair], _OURS: ours[pair]}
        first, second = sorted(found, key=lambda title: -found[title]["recall@1"])
        more, less = found[first]["recall@1"], found[second]["recall@1"]
        level = more - less <= _LEVEL * _deviation(*found.values())
        said = f"{first} and {second} are level" if level else f"{first} is ahead of {second}"
        yield f"{_arrow(pair)}: {escape(said)} ({more:.0f} and {less:.0f} % at the first try)."


def _deviation(*shares: dict[str, float]) -> float:
    """Standard deviation of a difference of two percentages, each of n places."""
    spread = (share["recall@1"] * (100 - share["recall@1"]) / max(share.get("n", 1), 1) for share in shares)
    deviation: float = sum(spread) ** 0.5
    return deviation


def _figures(pairs: dict[str, dict[str, float]], pair: str) -> str:
    figures = pairs.get(pair)
    if figures is None:
        return "–"
    if figures.get("too_few"):
        return f"<small>too few: n = {int(figures['n']):,}</small>"
    return " / ".join(f"{figures[key]:.0f}" for key in _RECALLS)


def _arrow(pair: str) -> str:
    query, target = pair.split("->")
    return f"{escape(model_card.named(query))} → {escape(model_card.named(target))}"
