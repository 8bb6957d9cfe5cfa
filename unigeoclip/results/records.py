"""Figures of quality as they are stored and shown: with number of items, split, seeds, interval and command."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unigeoclip.config import from_dict, to_dict
from unigeoclip.files.atomic import write_bytes
from unigeoclip.files.json_files import read_json
from unigeoclip.paths import RESULTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = [
    "MEASURED_FILE",
    "Figure",
    "Record",
    "Records",
    "fold_interval",
    "measured",
    "share_interval",
    "write_measured",
]

MEASURED_FILE = "measured.json"
_Z = 1.959964  # of a two-sided interval of 95 %


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        what: A pair ("street->aerial"), a group of text queries, or the embedder that was probed.
        metric: "recall@1", "recall@10", "acc@100m" and "precision" in percent; "r2" and "accuracy", at most 1.
        value: The figure.
        low: Lower end of its interval of 95 %; None where there is none.
        high: Upper end.
        n: Items, queries or rows that it was measured on.
    """

    what: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Record:
    """Figures that were measured together.

    Attributes:
        subject: The model; of a probe, the task.
        kind: "retrieval", "text queries" or "probe".
        where: Name of the atlas, city or data.
        split: What was held out.
        seeds: Of the trainings, or of the folds.
        command: What measures them again; None where no named configuration does.
        date: When they were measured, ISO 8601; None in records from before dates were written down.
        data: Checksum of the data; None where the record has none.
        outdated: Whether the data have changed since.
        protocol: Of a probe, "coordbench" where it is that benchmark's to the letter.
        seen_by: Embedders that have seen the task in training; their figures count as no win.
        figures: The figures.
    """

    subject: str
    kind: str
    where: str
    split: str
    seeds: list[int]
    command: str | None
    date: str | None
    data: str | None
    outdated: bool
    protocol: str | None
    seen_by: list[str]
    figures: list[Figure]


@dataclass(frozen=True)
class Records:
    """Content of the file that ships."""

    written_by: str
    records: list[Record]


def share_interval(percent: float, n: int) -> tuple[float, float]:
    """Wilson's interval of 95 % of a share that was found in ``n`` independent tries, percent.

    It says how far the choice of held-out items moves a figure, not how far another seed of the training would.
    """
    share, spread = percent / 100, _Z**2 / n
    middle = (share + spread / 2) / (1 + spread)
    half = _Z * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)


def fold_interval(folds: Sequence[float]) -> tuple[float, float] | None:
    """Interval of 95 % of the mean over folds, from Student's t distribution; None with less than two folds."""
    if len(folds) < 2:
        return None
    from scipy import stats

    mean = sum(folds) / len(folds)
    error = math.sqrt(sum((fold - mean) ** 2 for fold in folds) / (len(folds) - 1) / len(folds))
    half = float(stats.t.ppf(0.975, len(folds) - 1)) * error
    return mean - half, mean + half


def measured(folder: Path = RESULTS) -> Records:
    """The figures that ship.

    Raises:
        InputError: The file is missing or damaged.
    """
    return from_dict(Records, read_json(folder / MEASURED_FILE), where=MEASURED_FILE)


def write_measured(records: Records, folder: Path = RESULTS) -> Path:
    """Write the figures that ship, whole or not at all.

    Raises:
        InputError: The file cannot be written.
    """
    path = folder / MEASURED_FILE
    write_bytes(path, _text(records).encode())
    return path


def _text(records: Records) -> str:
    """JSON with one figure a line: short, and a change of a figure is a change of a line."""
    parts = []
    for record in records.records:
        values = to_dict(record)
        figures = ",\n".join(f"    {json.dumps(figure)}" for figure in values.pop("figures"))
        parts.append(f'  {json.dumps(values, ensure_ascii=False)[:-1]}, "figures": [\n{figures}\n  ]}}')
    body = ",\n".join(parts)
    return f'{{\n "written_by": {json.dumps(records.written_by)},\n "records": [\n{body}\n ]\n}}\n'
