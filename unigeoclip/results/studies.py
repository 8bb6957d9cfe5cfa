"""Figures of an atlas that are no task: where or what its embedders know, and how true descriptions in words are."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from unigeoclip.atlas.store import load_atlas
from unigeoclip.checkpoint import checkpoint_id, encoder_id
from unigeoclip.files.json_files import read_json, write_json
from unigeoclip.paths import RESULTS
from unigeoclip.results.records import Figure, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.evaluation.probing.work import Progress

__all__ = ["SHIPPED", "STUDIES", "WHERE_OR_WHAT", "WORDS", "kept_studies", "measure_study"]

SHIPPED = ("boston", "world")
WHERE_OR_WHAT, WORDS = "where-or-what", "words"
STUDIES = (WHERE_OR_WHAT, WORDS)
_COMMANDS = {
    WHERE_OR_WHAT: "python -m unigeoclip where-or-what --atlas {}",
    WORDS: "python -m unigeoclip evaluate --atlas {} --words",
}
_DIGITS = 5


def measure_study(
    study: str,
    say: Callable[[str], None],
    progress: Progress | None = None,
    folder: Path = RESULTS,
    *,
    again: bool = False,
) -> tuple[list[Path], int]:
    """Measure a study on the atlases that ship, and keep what it gives.

    Args:
        study: One of `STUDIES`.
        say: Called with a sentence on everything that is done.
        progress: Called with what is being done and the share that is done, 0 to 1.
        folder: Of the results.
        again: Measure what has been measured of the same data and model, too.

    Returns:
        Files that were written, and how many results were there already.

    Raises:
        UniGeoError: An atlas or its model cannot be read.
    """
    added, kept = [], 0
    for name in SHIPPED:
        atlas = load_atlas(name)
        path = folder / study / f"{name}.json"
        folder_of_model = atlas.model_path
        location = encoder_id(folder_of_model, ["location"])  # where or what is asked of vectors of positions alone
        model = location if study == WHERE_OR_WHAT else checkpoint_id(folder_of_model)
        inputs = {"data": atlas.data_hash, "model": model}
        if not again and path.is_file() and read_json(path).get("inputs") == inputs:
            kept += 1
            continue
        say(f"Measuring {study} on {name}")
        report = _measured(study, atlas, progress)
        date = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"date": date, "inputs": inputs, "report": report})
        added.append(path)
    return added, kept


def _measured(study: str, atlas: Atlas, progress: Progress | None) -> dict[str, Any]:
    if study == WHERE_OR_WHAT:
        from unigeoclip.compare.where_or_what import where_or_what

        return where_or_what(atlas, progress=progress)
    from unigeoclip.evaluation.report import describe_held_out

    return describe_held_out(atlas)


def kept_studies(folder: Path = RESULTS) -> Iterator[Record]:
    """The records of the studies that are kept.

    Raises:
        InputError: A file is damaged.
    """
    for study in STUDIES:
        for path in sorted((folder / study).glob("*.json")):
            kept = read_json(path)
            where, report = path.stem, kept["report"]
            figures = _where_or_what(report) if study == WHERE_OR_WHAT else _words(report)
            yield Record(
                subject="embedders" if study == WHERE_OR_WHAT else "descriptions in words",
                kind=study,
                where=where,
                split=report["split"] if study == WORDS else "all cells",
                seeds=[int(report.get("seed", 0))],
                command=_COMMANDS[study].format(where),
                date=kept["date"],
                data=kept["inputs"]["data"],
                outdated=False,
                protocol=None,
                seen_by=[],
                figures=figures,
            )


def _where_or_what(report: Mapping[str, Any]) -> list[Figure]:
    return [
        Figure(
            what=embedder["title"],
            metric=key,
            value=figure["value"],
            low=figure["low"],
            high=figure["high"],
            n=report["n"],
            name=name,
        )
        for name, embedder in report["embedders"].items()
        for key, figure in embedder["figures"].items()
        if figure is not None
    ]


def _words(report: Mapping[str, Any]) -> list[Figure]:
    """Of every modality: what phrases explain, how many of them are true, and both by chance."""
    figures = []
    for modality, found in report["modalities"].items():
        explained = found.get("explained") or {}
        known = {
            "described": (found["described"], None, found["n"]),
            "explained": (explained.get("median"), explained.get("interval_95"), found["n"]),
            "explained by chance": (found["explained_by_chance"], None, found["n"]),
            "precision": (found.get("precision"), found.get("precision_interval_95"), found["judged_phrases"]),
            "chance": (found.get("chance"), None, found["judged_phrases"]),
        }
        for metric, (value, interval, n) in known.items():
            if value is None:
                continue
            low, high = interval or (None, None)
            rounded = [None if each is None else round(each, _DIGITS) for each in (value, low, high)]
            figures.append(Figure(modality, metric, rounded[0] or 0.0, rounded[1], rounded[2], n))
    return figures
