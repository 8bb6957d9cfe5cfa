"""Reports of probes that ship: one small file for each task, read back as records of figures."""

from __future__ import annotations

import datetime
import json
import math
import re
from typing import TYPE_CHECKING, Any

from unigeoclip.errors import InputError
from unigeoclip.files.atomic import write_bytes
from unigeoclip.files.json_files import read_json
from unigeoclip.paths import RESULTS
from unigeoclip.results.records import Figure, Gain, Record, fold_interval
from unigeoclip.tasks.catalog import TASKS, WITHOUT_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["NEIGHBORHOODS", "PLAIN", "add_report", "is_kept", "keep_report", "kept_reports"]

PROBES_FOLDER = "probes"
PLAIN, NEIGHBORHOODS = "", "neighborhoods"  # variants of a probe: vectors of places, or means around them, too
_MAX_FOLDS = 1000
_DIGITS = 5


def add_report(path: Path, folder: Path = RESULTS) -> Path:
    """Take a report of ``probe --json`` among the results that ship; see `keep_report`.

    Raises:
        InputError: It is no such report, or cannot be written.
    """
    return keep_report(read_json(path), folder, str(path))


def keep_report(report: Any, folder: Path = RESULTS, where: str = "The report") -> Path:
    """Keep a report of a probe among the results that ship; one of the same task, data and settings is replaced.

    Args:
        report: As `probing.report_json.to_json` gives it; also "command", "inputs" (what it depends on) and "variant".
        folder: Of the results.
        where: What the report is called in messages.

    Returns:
        Where it is now. Of each embedder the values of the folds are stored, to five digits.

    Raises:
        InputError: It is no such report, or cannot be written.
    """
    _check_report(report, where)
    settings = report.get("settings") or {}
    small = {
        "task": report["task"],
        "n": report["n"],
        "metric": report["metric"],
        "date": report.get("date") or datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "command": report.get("command"),
        "seeds": [settings["seed"]] if isinstance(settings.get("seed"), int) else [],
        "where": settings.get("atlas"),
        "data": settings.get("atlas_data"),
        "seen_by": sorted(report.get("seen_by") or ()),
        "protocol": settings.get("protocol"),
        "variant": report.get("variant") or PLAIN,
        "inputs": report.get("inputs") or {},
        "results": {
            split: {name: _small(name, entry, report) for name, entry in found.items()}
            for split, found in report["results"].items()
        },
    }
    target = folder / PROBES_FOLDER / _file_name(small)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(target, _text(small).encode())
    return target


def _small(name: str, entry: Mapping[str, Any], report: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of one embedder: its folds, those of a task's other metrics, and its gain on the best baseline."""
    small = {"title": entry.get("title", name), "folds": [round(fold, _DIGITS) for fold in entry["folds"]]}
    task = TASKS.get(report["task"])
    measured = entry.get("metrics") or {}
    others = {metric: measured[metric]["folds"] for metric in (task.also if task else ()) if metric in measured}
    if others:
        small["also"] = {metric: [round(fold, _DIGITS) for fold in folds] for metric, folds in others.items()}
    if gain := entry.get("difference"):
        small["gain"] = [gain["baseline"], *(round(gain[key], _DIGITS) for key in ("mean", "low", "high"))]
    return small


def _file_name(small: Mapping[str, Any]) -> str:
    seed = small["seeds"][0] if small["seeds"] else 0
    parts = [str(small["task"]), small["where"], small["protocol"], small["variant"], f"seed {seed}" if seed else ""]
    return f"{re.sub(r'[^a-z0-9]+', '-', '-'.join(filter(None, parts)).lower()).strip('-') or 'task'}.json"


def _text(small: Mapping[str, Any]) -> str:
    """JSON with one embedder a line."""
    about = ",\n".join(
        f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in small.items()
        if key != "results"
    )
    splits = []
    for split, found in small["results"].items():
        lines = ",\n".join(
            f"   {json.dumps(name)}: {json.dumps(entry, ensure_ascii=False, allow_nan=False)}"
            for name, entry in found.items()
        )
        splits.append(f"  {json.dumps(split)}: {{\n{lines}\n  }}")
    results = ",\n".join(splits)
    return f'{{\n{about},\n "results": {{\n{results}\n }}\n}}\n'


def is_kept(folder: Path, inputs: Mapping[str, Any], *, task: str, seed: int, variant: str) -> bool:
    """Whether a task has been measured with these inputs.

    One that was measured with a model without text beside ours holds all that is asked for without it.

    Args:
        folder: Of the results.
        inputs: What the result depends on.
        task: Name.
        seed: Of the folds.
        variant: `PLAIN` or `NEIGHBORHOODS`.
    """
    for path in (folder / PROBES_FOLDER).glob(f"{task}-*.json"):
        try:
            kept = read_json(path)
        except InputError:
            continue
        if not isinstance(kept, dict) or kept.get("task") != task or kept.get("variant") != variant:
            continue
        known = kept.get("inputs")
        if kept.get("seeds") != [seed] or not isinstance(known, dict):
            continue
        if "without_text" in known and "without_text" not in inputs:
            encoders = [name for name in known.get("encoders", []) if name != WITHOUT_TEXT]
            known = {**{key: value for key, value in known.items() if key != "without_text"}, "encoders": encoders}
        if known == dict(inputs):
            return True
    return False


def _check_report(report: Any, where: str) -> None:
    """Refuse what is no report of a probe, by the first thing that is wrong."""
    wrong = f"{where} is no report of a probe (python -m unigeoclip probe --json)"
    if not isinstance(report, dict) or not {"task", "n", "metric", "results"} <= set(report):
        raise InputError(f'{wrong}: it needs "task", "n", "metric" and "results".')
    if not isinstance(report["n"], int) or isinstance(report["n"], bool) or report["n"] < 1:
        raise InputError(f'{wrong}: "n" must be the number of rows.')
    if report["metric"] not in ("r2", "accuracy") or not isinstance(report["task"], str) or not report["task"]:
        raise InputError(f'{wrong}: "task" must be a name, and "metric" "r2" or "accuracy".')
    results = report["results"]
    if not isinstance(results, dict) or not results or not all(isinstance(each, dict) for each in results.values()):
        raise InputError(f'{wrong}: "results" must hold splits with embedders.')
    for split, found in results.items():
        for name, entry in found.items():
            folds = entry.get("folds") if isinstance(entry, dict) else None
            if not isinstance(folds, list) or not 1 <= len(folds) <= _MAX_FOLDS:
                raise InputError(f'{wrong}: {name!r} of the split {split!r} needs "folds", a list of values.')
            if not all(isinstance(each, int | float) and math.isfinite(each) for each in folds):
                raise InputError(f"{wrong}: a fold of {name!r} of the split {split!r} has no value.")


# Reading


def kept_reports(folder: Path = RESULTS) -> Iterator[Record]:
    """The records of all reports that are kept, one for each split.

    Raises:
        InputError: One of the files is damaged.
    """
    for path in sorted((folder / PROBES_FOLDER).glob("*.json")):
        report = read_json(path)
        _check_report(report, str(path))
        for split, found in report["results"].items():
            yield _record(report, split, found)


def _record(report: Mapping[str, Any], split: str, found: Mapping[str, Any]) -> Record:
    figures = []
    for name, entry in found.items():
        title, gain = entry.get("title", name), entry.get("gain")
        figures.append(
            _figure(name, title, report["metric"], entry["folds"], report["n"], Gain(*gain) if gain else None)
        )
        for metric, folds in (entry.get("also") or {}).items():
            figures.append(_figure(name, title, metric, folds, report["n"], None))
    return Record(
        subject=report["task"],
        kind="probe",
        where=report.get("where") or "",
        split=split,
        seeds=report.get("seeds") or [],
        command=report.get("command"),
        date=report.get("date"),
        data=report.get("data"),
        outdated=False,
        protocol=report.get("protocol"),
        seen_by=[found[name].get("title", name) for name in report.get("seen_by") or () if name in found],
        figures=figures,
        variant=report.get("variant") or PLAIN,
    )


def _figure(name: str, title: str, metric: str, folds: list[float], n: int, gain: Gain | None) -> Figure:
    low, high = fold_interval(folds) or (None, None)
    return Figure(
        what=title,
        metric=metric,
        value=round(sum(folds) / len(folds), _DIGITS),
        low=None if low is None else round(low, _DIGITS),
        high=None if high is None else round(high, _DIGITS),
        n=n,
        name=name,
        gain=gain,
    )
