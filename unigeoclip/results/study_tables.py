"""Tables of the studies: where or what embedders know, and how true descriptions in words are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unigeoclip.results.result_table import DASH, ResultTable, with_interval
from unigeoclip.results.studies import WHERE_OR_WHAT, WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from unigeoclip.results.records import Figure, Record

__all__ = ["study_tables"]

_STRUCTURE = {
    "effective_rank": "effective rank",
    "smooth_share": "smooth in position",
    "position_r2": "position from the embedding (R2)",
    "moran_near": "Moran's I, near",
    "moran_far": "Moran's I, far",
    "cka": "CKA with ours",
    "neighbors": "shared neighbors with ours",
}
_WORDS = ("described", "explained", "explained by chance", "precision", "chance")
_DIGITS = {"effective_rank": 1}


def study_tables(records: Sequence[Record]) -> dict[str, ResultTable]:
    """Name of a table -> the table; one without rows has nothing to show yet."""
    return {WHERE_OR_WHAT: _where_or_what(records), WORDS: _words(records)}


def _where_or_what(records: Sequence[Record]) -> ResultTable:
    rows = []
    for record in records:
        for embedder, found in _grouped(record, WHERE_OR_WHAT):
            n = f"{next(iter(found.values())).n:,}"
            figures = [_shown(found.get(key), _DIGITS.get(key, 2)) for key in _STRUCTURE]
            rows.append([record.where, embedder, n, *figures])
    return ResultTable(["where", "embedder", "n", *_STRUCTURE.values()], rows)


def _words(records: Sequence[Record]) -> ResultTable:
    rows = []
    for record in records:
        for modality, found in _grouped(record, WORDS):
            counts = [f"{found[key].n:,}" if key in found else DASH for key in ("described", "precision")]
            rows.append([record.where, record.split, modality, *counts, *(_shown(found.get(key)) for key in _WORDS)])
    head = ["where", "split", "modality", "places", "phrases judged"]
    return ResultTable([*head, "described", "share explained", "of random vectors", "true phrases", "by chance"], rows)


def _grouped(record: Record, kind: str) -> Iterator[tuple[str, dict[str, Figure]]]:
    """Embedder or modality -> metric -> figure, of a record of that kind."""
    if record.kind == kind:
        for what in dict.fromkeys(figure.what for figure in record.figures):
            yield what, {figure.metric: figure for figure in record.figures if figure.what == what}


def _shown(figure: Figure | None, digits: int = 2) -> str:
    return DASH if figure is None else with_interval(figure.value, figure.low, figure.high, digits)
