"""Collect figures: from the records in model folders, from retrained baselines, and from reports of probes."""

from __future__ import annotations

import datetime
import math
import re
from typing import TYPE_CHECKING, Any

from unigeoclip.atlas.records import data_state
from unigeoclip.atlas.store import load_atlas
from unigeoclip.embedders.retrained import recorded_baselines
from unigeoclip.errors import InputError
from unigeoclip.evaluation.out_of_distribution import recorded_elsewhere
from unigeoclip.files.atomic import write_bytes
from unigeoclip.files.json_files import read_json, write_json
from unigeoclip.paths import IMPORT_ROOT, RESULTS, is_installed
from unigeoclip.results.page import filled
from unigeoclip.results.records import Figure, Record, Records, fold_interval, share_interval, write_measured
from unigeoclip.training.commands import train_command

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from unigeoclip.atlas.store import Atlas

__all__ = ["SHIPPED", "WRITE_COMMAND", "add_report", "collect", "update_files"]

SHIPPED = ("boston", "world")
WRITE_COMMAND = "python -m unigeoclip results --write"
OURS = "UniGeoCLIP"
SHARES = ("recall@1", "recall@10", "acc@100m")
PROBES_FOLDER = "probes"
_MAX_FOLDS = 1000


def collect(folder: Path = RESULTS) -> Records:
    """All figures of the shipped models, and of the reports that were added.

    Args:
        folder: Where `add_report` has put reports of probes.

    Raises:
        UniGeoError: An atlas or a record cannot be read.
    """
    found = [record for name in SHIPPED for record in _of_atlas(load_atlas(name))]
    found += [record for path in sorted((folder / PROBES_FOLDER).glob("*.json")) for record in _of_probe(path)]
    return Records(WRITE_COMMAND, found)


def add_report(path: Path, folder: Path = RESULTS) -> Path:
    """Take a report of ``probe --json`` among the results that ship; one of the same task and data is replaced.

    Args:
        path: The report.
        folder: Of the results.

    Returns:
        Where it is now. Of each embedder the values of the folds are stored, to five digits.

    Raises:
        InputError: It is no such report, or cannot be written.
    """
    report = read_json(path)
    _check_report(report, path)
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
        "results": {
            split: {
                name: {"title": entry.get("title", name), "folds": [round(fold, 5) for fold in entry["folds"]]}
                for name, entry in found.items()
            }
            for split, found in report["results"].items()
        },
    }
    name = "-".join(filter(None, (str(report["task"]), small["where"], small["protocol"])))
    target = folder / PROBES_FOLDER / f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-') or 'task'}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    write_json(target, small)
    return target


def update_files() -> Records:
    """Collect all figures, and write them into the file that ships and into the tables of docs/results.md.

    Raises:
        InputError: This is no checkout of the repository, or a file cannot be written.
        UniGeoError: An atlas or a record cannot be read.
    """
    page = _results_page()
    records = collect()
    text = filled(page.read_text(encoding="utf-8"), records)
    write_measured(records)
    write_bytes(page, text.encode())
    return records


def _results_page() -> Path:
    page: Path = IMPORT_ROOT / "docs" / "results.md"
    if is_installed() or not page.is_file():
        raise InputError("Results are written in a checkout of the repository; this package is installed from a wheel.")
    return page


def _check_report(report: Any, path: Path) -> None:
    """Refuse what is no report of a probe, by the first thing that is wrong."""
    wrong = f"{path} is no report of a probe (python -m unigeoclip probe --json)"
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


def _of_atlas(atlas: Atlas) -> Iterator[Record]:
    folder = atlas.model_path
    paths = sorted(folder.glob("metrics*.json"), key=lambda path: (path.name != "metrics.json", path.name))
    for path in paths:
        record = read_json(path)
        command = train_command(atlas, record)
        yield _retrieval(OURS, atlas.name, record["split"], command, record | data_state(atlas, record))
        if groups := record.get("query_groups"):
            measures = f"python -m unigeoclip evaluate --atlas {atlas.name} --json"
            yield _queries(atlas.name, record["split"], measures, groups, record | data_state(atlas, record))
    for name, record in recorded_elsewhere(folder, atlas).items():
        command = f"python -m unigeoclip evaluate --atlas {atlas.name} --elsewhere atlases/{name} --json"
        yield _retrieval(OURS, name, "cities", command, record | {"seed": 0})
    for name, record in recorded_baselines(atlas).items():
        yield _retrieval(record["title"], atlas.name, record["split"], train_command(atlas, record, name), record)


def _retrieval(subject: str, where: str, split: str, command: str | None, record: Mapping[str, Any]) -> Record:
    figures = []
    for pair, measured in record["retrieval"].items():
        if measured.get("too_few"):
            continue
        n = int(measured["n"])
        for metric in SHARES:
            if metric in measured:
                low, high = share_interval(measured[metric], n)
                figures.append(Figure(pair, metric, round(measured[metric], 3), round(low, 3), round(high, 3), n))
    return _record(subject, "retrieval", where, split, command, record, figures)


def _queries(where: str, split: str, command: str, groups: Mapping[str, Any], record: Mapping[str, Any]) -> Record:
    figures = []
    for name, group in groups.items():
        low, high = group["interval_95"]
        value = round(group["mean_precision"], 3)
        figures.append(Figure(name, "precision", value, round(low, 3), round(high, 3), group["n"]))
    return _record(OURS, "text queries", where, split, command, record, figures)


def _record(
    subject: str,
    kind: str,
    where: str,
    split: str,
    command: str | None,
    record: Mapping[str, Any],
    figures: list[Figure],
) -> Record:
    return Record(
        subject=subject,
        kind=kind,
        where=where,
        split=split,
        seeds=[int(record.get("seed", 0))],
        command=command,
        date=record.get("date"),
        data=record.get("data"),
        outdated=bool(record.get("outdated")),
        protocol=None,
        seen_by=[],
        figures=figures,
    )


def _of_probe(path: Path) -> Iterator[Record]:
    report = read_json(path)
    _check_report(report, path)
    for split, found in report["results"].items():
        figures = []
        for name, entry in found.items():
            folds = entry["folds"]
            low, high = fold_interval(folds) or (None, None)
            mean = sum(folds) / len(folds)
            figures.append(
                Figure(
                    what=entry.get("title", name),
                    metric=report["metric"],
                    value=round(mean, 5),
                    low=None if low is None else round(low, 5),
                    high=None if high is None else round(high, 5),
                    n=report["n"],
                )
            )
        yield Record(
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
        )
