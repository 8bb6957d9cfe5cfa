"""Figures of quality as they are stored and shown: with number of items, split, seeds, interval and command."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    "Gain",
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
class Gain:
    """How much better an embedder is than the best one that is not ours and has not seen the task.

    Attributes:
        over: Name of that one.
        value: Difference of the metric.
        low: Lower end of its interval of 95 %, by a paired bootstrap of the tested rows or blocks.
        high: Upper end.
    """

    over: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        what: A pair ("street->aerial"), a group of text queries, a modality, or the title of an embedder.
        metric: "recall@1", "recall@10", "acc@100m" and "precision" of text queries in percent; all others, such as
            "r2" and "accuracy", at most 1.
        value: The figure.
        low: Lower end of its interval of 95 %; None where there is none.
        high: Upper end.
        n: Items, queries, phrases or rows that it was measured on.
        name: Of the embedder, as the command line spells it; empty of what is none.
        gain: Of an embedder that was probed.
    """

    what: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n: int
    name: str = ""
    gain: Gain | None = None


@dataclass(frozen=True)
class Record:
    """Figures that were measured together.

    Attributes:
        subject: The model; of a probe, the task.
        kind: "retrieval", "text queries", "probe", "where-or-what" or "words".
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
        variant: Of a probe, "neighborhoods" where the vectors are joined with their means around each place.
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
    variant: str = ""


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
        figures = ",\n".join(f"    {json.dumps(_short(each), ensure_ascii=False)}" for each in values.pop("figures"))
        if not values["variant"]:
            del values["variant"]
        parts.append(f'  {json.dumps(values, ensure_ascii=False)[:-1]}, "figures": [\n{figures}\n  ]}}')
    body = ",\n".join(parts)
    return f'{{\n "written_by": {json.dumps(records.written_by)},\n "records": [\n{body}\n ]\n}}\n'


def _short(figure: dict[str, Any]) -> dict[str, Any]:
    """A figure without what it does not have."""
    return {key: value for key, value in figure.items() if value or key not in ("name", "gain")}
