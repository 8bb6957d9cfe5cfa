"""Collect figures: from the records in model folders, from retrained baselines, and from what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unigeoclip.atlas.records import data_state
from unigeoclip.atlas.store import load_atlas
from unigeoclip.embedders.retrained import recorded_baselines
from unigeoclip.errors import InputError
from unigeoclip.evaluation.out_of_distribution import recorded_elsewhere
from unigeoclip.files.atomic import write_bytes
from unigeoclip.files.json_files import read_json
from unigeoclip.paths import IMPORT_ROOT, RESULTS, is_installed
from unigeoclip.results.page import filled
from unigeoclip.results.probe_reports import kept_reports
from unigeoclip.results.records import Figure, Record, Records, share_interval, write_measured
from unigeoclip.results.studies import SHIPPED, kept_studies
from unigeoclip.training.commands import train_command

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from unigeoclip.atlas.store import Atlas

__all__ = ["WRITE_COMMAND", "check_writable", "collect", "update_files"]

WRITE_COMMAND = "python -m unigeoclip results --write"
OURS = "UniGeoCLIP"
SHARES = ("recall@1", "recall@10", "acc@100m")


def collect(folder: Path = RESULTS) -> Records:
    """All figures of the shipped models, and of the reports and studies that are kept.

    Args:
        folder: Where `keep_report` and `measure_study` have put theirs.

    Raises:
        UniGeoError: An atlas or a record cannot be read.
    """
    found = [record for name in SHIPPED for record in _of_atlas(load_atlas(name))]
    found += [*kept_reports(folder), *kept_studies(folder)]
    return Records(WRITE_COMMAND, found)


def check_writable() -> None:
    """Refuse to write results where there are none, before the work whose figures they would hold.

    Raises:
        InputError: This is no checkout of the repository.
    """
    _results_page()


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
