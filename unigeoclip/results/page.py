"""The tables of docs/results.md that are written from the figures that ship, between markers in its text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from unigeoclip.errors import InputError
from unigeoclip.evaluation.published import coordbench, paper
from unigeoclip.results.probe_tables import probe_tables
from unigeoclip.results.result_table import DASH, ResultTable
from unigeoclip.results.study_tables import study_tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from unigeoclip.results.records import Figure, Record, Records

__all__ = ["ResultTable", "filled", "sections", "tables"]

_ALL_METRICS = ("recall@1", "recall@10", "acc@100m")
_REGRESSIONS = ("health", "social", "environment", "mean of 27 regressions")
_COORDBENCH_PROTOCOL = "coordbench"
_OUR_NAMES = {
    "station-temperature": "satclip-air-temp",
    "california-house-value": "california-housing",
}  # task -> its name there


def filled(text: str, records: Records) -> str:
    """A page with its tables written again, each between ``<!-- results: NAME -->`` and ``<!-- end -->``.

    Raises:
        InputError: A marker names no table, a table has no marker, or one does not end.
    """
    tables = sections(records)
    seen = re.findall(r"<!-- results: (\S+) -->", text)
    if sorted(seen) != sorted(tables) or text.count("<!-- end -->") != len(tables):
        raise InputError(f"The page has tables {', '.join(seen) or 'none'}; it should have {', '.join(tables)}.")
    for name, table in tables.items():
        marker = f"<!-- results: {name} -->"
        before, after = text.split(marker, 1)
        text = before + marker + "\n" + table + "<!-- end -->" + after.split("<!-- end -->", 1)[1]
    return text


def tables(records: Records) -> dict[str, ResultTable]:
    """Name of a table -> the table; one without rows has nothing to show yet."""
    return {
        "paper-retrieval": _paper_retrieval(records.records),
        "paper-regressions": _paper_regressions(),
        "coordbench": _coordbench(records.records),
        **probe_tables(records.records),
        **study_tables(records.records),
        "retrieval": _retrieval(records.records),
    }


def sections(records: Records) -> dict[str, str]:
    """The same as Markdown."""
    return {name: _markdown(table) for name, table in tables(records).items()}


def _markdown(table: ResultTable) -> str:
    if not table.rows:
        return "\nNothing has been measured yet.\n\n"
    rows = [table.head, ["---"] * len(table.head), *table.rows]
    lines = [f"| {' | '.join(row)} |" if row[0] != "---" else "|" + "---|" * len(row) for row in rows]
    source = "" if table.source is None else f"\n[Source]({table.source[1]}): {table.source[0]}.\n"
    return source + "\n" + "\n".join(lines) + "\n\n"


def _percent(figure: Figure | None) -> str:
    if figure is None:
        return DASH
    if figure.low is None or figure.high is None:
        return f"{figure.value:.1f}"
    return f"{figure.value:.1f} ({figure.low:.1f} to {figure.high:.1f})"


def _by_pair(record: Record) -> Iterator[tuple[str, int, dict[str, Figure]]]:
    for pair in dict.fromkeys(figure.what for figure in record.figures):
        found = {figure.metric: figure for figure in record.figures if figure.what == pair}
        yield pair, next(iter(found.values())).n, found


def _retrieval(records: Sequence[Record]) -> ResultTable:
    rows = [
        [
            record.subject + (" (outdated data)" if record.outdated else ""),
            record.where,
            record.split,
            pair.replace("->", " → "),
            f"{n:,}",
            *(_percent(found.get(metric)) for metric in _ALL_METRICS),
        ]
        for record in records
        if record.kind == "retrieval"
        for pair, n, found in _by_pair(record)
    ]
    return ResultTable(["model", "where", "split", "pair", "n", "first", "among the first ten", "within 100 m"], rows)


def _paper_retrieval(records: Sequence[Record]) -> ResultTable:
    theirs = paper()
    rows = []
    for figure in theirs.figures:
        if figure.metric != "acc@100m":
            continue
        ours = _counterpart(records, figure.what, figure.like) if figure.model == "UniGeoCLIP" else None
        pair, value = figure.what.replace("->", " → "), f"{figure.value:.1f}, {figure.where}"
        rows.append([figure.model, pair, *_ours(ours), value])
    return ResultTable(
        ["model", "within 100 m (%)", "ours, on our data", "split, n", f"the paper: {theirs.note}"], rows
    )


def _ours(found: tuple[Record, Figure] | None) -> tuple[str, str]:
    if found is None:
        return DASH, DASH
    record, figure = found
    return _percent(figure), f"{record.split}, {record.where}, {figure.n:,}"


def _counterpart(records: Sequence[Record], pair: str, like: str | None) -> tuple[Record, Figure] | None:
    """Our figure of the same pair, held out in the same way."""
    split = "cities" if like == "elsewhere" else like
    for record in records:
        if record.subject == "UniGeoCLIP" and record.kind == "retrieval" and record.split == split:
            for figure in record.figures:
                if figure.what == pair and figure.metric == "acc@100m":
                    return record, figure
    return None


def _paper_regressions() -> ResultTable:
    figures = [figure for figure in paper().figures if figure.metric == "mean r2"]
    values = {(figure.model, figure.what): figure.value for figure in figures}
    rows = [
        [model, *(f"{values[model, group]:.1f}" for group in _REGRESSIONS)]
        for model in dict.fromkeys(figure.model for figure in figures)
    ]
    return ResultTable([f"R2 (%), {paper().note}", *_REGRESSIONS], rows)


def _coordbench(records: Sequence[Record]) -> ResultTable:
    scores, ours = coordbench(), _by_coordbench(records)
    added = list(dict.fromkeys(name for found in ours.values() for name in found))
    rows = []
    for name, task in scores.tasks.items():
        for split, results in task.results.items():
            values = {model: (value, (high - low) / 2) for model, (value, low, high) in results.items()}
            values |= {f"ours: {model}": score for model, score in ours.get((name, split), {}).items()}
            best = max(value for value, _ in values.values())
            cells = [
                _score(values.get(model), best) for model in (*scores.models, *(f"ours: {each}" for each in added))
            ]
            rows.append([name, split, task.metric, f"{task.n:,}", *cells])
    heads = [f"{model} ({dim})" for model, dim in scores.models.items()]
    heads += [f"ours: {model}" for model in added]
    words = (
        f"{scores.title}, read on {scores.read}; {scores.protocol}; "
        "in brackets the length of an embedding; bold: the highest value of a row"
    )
    return ResultTable(["task", "split", "metric", "n", *heads], rows, (words, scores.url))


def _score(found: tuple[float, float] | None, best: float) -> str:
    if found is None:
        return DASH
    shown = f"{found[0]:.3f} ± {found[1]:.3f}"
    return f"**{shown}**" if found[0] == best else shown


def _by_coordbench(records: Sequence[Record]) -> dict[tuple[str, str], dict[str, tuple[float, float]]]:
    """Our probes of the same tasks by the same protocol: (task, split) -> embedder -> mean and half its interval."""
    found: dict[tuple[str, str], dict[str, tuple[float, float]]] = {}
    for record in records:
        if record.kind == "probe" and record.protocol == _COORDBENCH_PROTOCOL:
            task = _OUR_NAMES.get(record.subject, record.subject)
            split = "spatial" if record.split == "blocks" else record.split
            for figure in record.figures:
                half = 0.0 if figure.low is None or figure.high is None else (figure.high - figure.low) / 2
                found.setdefault((task, split), {})[figure.what] = (figure.value, half)
    return found
