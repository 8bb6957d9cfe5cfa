"""What the commands print for people: figures as tables, and a sentence on what they say. Text in lines, no output."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from unigeoclip.errors import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from unigeoclip.results.records import Records

__all__ = ["evaluation_lines", "nested_lines", "probe_lines", "results_lines", "training_lines"]

_MOST_NUMBERS = 10  # of a list that are printed; of more than that, only how many they are
_MOST_CHARACTERS = 200  # of a value
FEW = 100  # held-out items, below which a share in percent says little
_HEADS = {
    "recall@1": "first",
    "recall@10": "in first 10",
    "acc@100m": "within 100 m",
    "median_m": "median m",
    "n": "of",
}
_WORST = 3  # plain queries named in the summary


def training_lines(metrics: Mapping[str, Any], out: Path) -> list[str]:
    """How good a training turned out: a sentence, the pairs, plain queries, where curves and weights are.

    Args:
        metrics: What `training.train` or `train_baseline` gives.
        out: Folder of the run.
    """
    split, retrieval = str(metrics.get("split", "")), metrics.get("retrieval", {})
    lines = [summary(retrieval, split), "", *retrieval_table(retrieval)]
    if queries := metrics.get("queries"):
        lines += ["", *query_lines(queries)]
    elif "queries" in metrics:
        lines += ["", "Plain queries: none tried, since this atlas has no rules to judge them by."]
    seconds = metrics.get("training", {}).get("seconds")
    took = "" if seconds is None else f" (trained for {_duration(seconds)})"
    model = out / ("baseline" if "baseline" in metrics else "model")
    if others := [part["atlas"] for part in metrics.get("atlases", [])][1:]:
        lines += ["", f"These are of {metrics.get('atlas')}; those of {', '.join(others)} are in {model / 'atlases'}."]
    return [
        *lines,
        "",
        f"Model:  {model}{took}",
        f"Curves: {out / 'history.csv'}, or: tensorboard --logdir {out / 'tensorboard'}",
        "All figures and the configuration: add --json, or see the .json files there.",
    ]


def evaluation_lines(report: Mapping[str, Any]) -> list[str]:
    """What was measured of a model, for people.

    Args:
        report: What `evaluation.evaluate` gives, or ``{"ablations": table}``.
    """
    lines: list[str] = []
    for split, found in report.get("splits", {}).items():
        means = f": {found['means']}" if found.get("means") else ""
        recorded = "; written down when it was trained, not measured now" if found.get("recorded") else ""
        lines += [f"Split {split}{means}{recorded}", summary(found["retrieval"], split)]
        lines += ["", *retrieval_table(found["retrieval"]), ""]
        if facts := {key: value for key, value in found.items() if key not in ("means", "retrieval", "recorded")}:
            lines += [*nested_lines(facts), ""]
    if words := report.get("means"):
        lines += [*(f"{name}: {what}" for name, what in words.items()), ""]
    if note := report.get("note"):
        lines += [f"Note: {note}.", ""]
    for name, found in report.get("elsewhere", {}).items():
        lines += [*_elsewhere(name, found), ""]
    if queries := report.get("queries"):
        lines += [*query_lines(queries), ""]
    for key in ("ablations", "baselines"):
        if key in report:
            lines += [key.capitalize(), *nested_lines(report[key], 1), ""]
    known = {"splits", "means", "note", "elsewhere", "queries", "mean_precision", "ablations", "baselines"}
    lines += nested_lines({key: value for key, value in report.items() if key not in known})
    return lines[:-1] if lines and not lines[-1] else lines


def _elsewhere(name: str, found: Mapping[str, Any]) -> list[str]:
    outdated = "; of another checkpoint than this" if found.get("outdated") else ""
    recorded = "; written down earlier, not measured now" if found.get("recorded") else ""
    head = f"Elsewhere, {found.get('title') or name}: {found.get('means', '')}{recorded}{outdated}"
    return [head, *retrieval_table(found.get("retrieval", {}))]


def summary(retrieval: Mapping[str, Mapping[str, Any]], split: str) -> str:
    """One sentence on how good retrieval is, with how many items, on which split, and chance."""
    pairs = {name: figures for name, figures in retrieval.items() if {"recall@1", "recall@10", "n"} <= set(figures)}
    if not pairs:
        most = max((int(figures.get("n", 0)) for figures in retrieval.values()), default=0)
        return f"How good it is cannot be said: {most or 'no'} held-out items (split {split}) are too few to judge by."
    counts = sorted({int(figures["n"]) for figures in pairs.values()})
    among = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    first, ten = (statistics.fmean(figures[key] for figures in pairs.values()) for key in ("recall@1", "recall@10"))
    best, worst = (choose(pairs, key=lambda name: pairs[name]["recall@1"]) for choose in (max, min))
    chance = 100 / counts[-1]
    said = (
        f"Held out (split {split}): the right one among {among} is first for {first:.0f} % and among the first ten for "
        f"{ten:.0f} % of the items, a mean over {len(pairs)} pairs (chance {chance:.2g} %); most often first for "
        f"{best} ({pairs[best]['recall@1']:.0f} %), least often for {worst} ({pairs[worst]['recall@1']:.0f} %)."
    )
    if left := len(retrieval) - len(pairs):
        said += f" {left} more pairs have too few items to judge."
    if counts[0] < FEW:
        said += f" Beware: among {counts[0]} items even a poor model often looks right."
    return said


def retrieval_table(retrieval: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A line a pair, figures in columns, percentages with one decimal."""
    columns = [key for key in _HEADS if any(key in figures for figures in retrieval.values())]
    rows = [
        [name, *(_cell(key, figures.get(key)) for key in columns), "too few to judge" if figures.get("too_few") else ""]
        for name, figures in retrieval.items()
    ]
    return _table(["query->target", *(_HEADS[key] for key in columns), ""], rows) if rows else []


def query_lines(queries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Plain queries with their rules: how much of the hottest area lies inside."""
    precision = [query["precision"] for query in queries]
    chance = statistics.fmean(query["chance"] for query in queries)
    worst = sorted(queries, key=lambda query: float(query["precision"]))[:_WORST]
    named = ", ".join(f"{query['query']} {query['precision']:.0f} %" for query in worst)
    said = (
        f"{len(queries)} plain queries: {statistics.fmean(precision):.0f} % of the hottest area lies inside the rule "
        f"on average (chance {chance:.0f} %); worst: {named}."
    )
    rows = [
        [str(query["query"]), f"{query['precision']:.0f}", f"{query['chance']:.1f}", str(query.get("rule", ""))]
        for query in queries
    ]
    return [said, "", *_table(["query", "precision %", "chance %", "rule"], rows)]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns of equal width; the first and words to the left, figures to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    figures = [all(row[column][:1] in "-0123456789" for row in rows) for column in range(len(head))]
    return [
        "  ".join(
            f"{cell:>{width}}" if number else f"{cell:<{width}}"
            for cell, width, number in zip(row, widths, figures, strict=True)
        ).rstrip()
        for row in (head, *rows)
    ]


def _cell(key: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if key in ("n", "median_m") else f"{value:.1f}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def nested_lines(value: Any, depth: int = 0) -> list[str]:
    """Nested dictionaries as indented lines, and rows of plain values in one line each."""
    pairs: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else enumerate(value, start=1)
    lines: list[str] = []
    for key, item in pairs:
        nested = item.values() if isinstance(item, dict) else item if isinstance(item, list) else None
        if isinstance(item, list) and len(item) > _MOST_NUMBERS and all(isinstance(part, float) for part in item):
            lines.append(f"{'  ' * depth}{key}: {len(item)} numbers")
        elif nested is None:
            lines.append(f"{'  ' * depth}{key}: {_plain(item)}")
        elif isinstance(item, dict) and not any(isinstance(part, dict | list) for part in nested):
            plain = ", ".join(f"{name} {_plain(part)}" for name, part in item.items())
            lines.append(f"{'  ' * depth}{key}: {plain}")
        else:
            lines += [f"{'  ' * depth}{key}", *nested_lines(item, depth + 1)]
    return lines


def _plain(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else excerpt(str(value), _MOST_CHARACTERS)


def probe_lines(report: Mapping[str, Any]) -> list[str]:
    """What encoders reached on a table, for people: one block a split, the best first.

    Args:
        report: What `evaluation.probing.report_json.to_json` gives.
    """
    unit = f" [{report['unit']}]" if report["unit"] else ""
    lines = [f"{report['task']}: {report['target']}{unit}, {report['n']:,} rows, {report['metric']}, mean of the folds"]
    for split, found in report["results"].items():
        units = report["settings"]["units"].get(split)
        width = max(len(name) for name in found)
        head = f"{'':{width}}     mean  std error  difference from the best baseline (95 %)"
        lines += ["", f"Split {split}{f': {units}' if units else ''}", head]
        for name, each in sorted(found.items(), key=lambda item: -item[1]["mean"]):
            error = "        -" if each["std_error"] is None else f"{each['std_error']:9.3f}"
            seen = "  seen in training" if name in report["seen_by"] else ""
            lines.append(f"{name:{width}}  {each['mean']:7.3f}  {error}  {_difference(each['difference'])}{seen}")
    return lines


def _difference(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "the best baseline"
    return f"{found['mean']:+.3f} ({found['low']:+.3f} to {found['high']:+.3f}) to {found['baseline']}"


def results_lines(results: Records) -> list[str]:
    """Every figure of quality with its interval and number of items, for people."""
    lines: list[str] = []
    for record in results.records:
        about = [record.kind, record.where, f"split {record.split}", f"seed {', '.join(map(str, record.seeds))}"]
        outdated = ", of data that have changed since" if record.outdated else ""
        lines += [f"{record.subject}: {', '.join(filter(None, about))}{outdated}"]
        lines += [f"  {record.command}"] if record.command else []
        for figure in record.figures:
            interval = "" if figure.low is None else f" ({figure.low:.4g} to {figure.high:.4g})"
            lines.append(f"  {figure.what:<24} {figure.metric:<10} {figure.value:.4g}{interval}, n = {figure.n:,}")
        lines.append("")
    return lines[:-1]
