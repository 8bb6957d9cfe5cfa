"""From a model and an atlas to the tables that the model card shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.atlas.origins import upper_bound
from unigeoclip.atlas.records import data_state, records_folder
from unigeoclip.atlas.schema import SPLITS
from unigeoclip.config import read_json, to_dict, write_json
from unigeoclip.devices import chosen_device
from unigeoclip.embedders.retrained import recorded_baselines
from unigeoclip.errors import AtlasError, InputError
from unigeoclip.evaluation import glossary
from unigeoclip.evaluation.calibrate import record_calibration
from unigeoclip.evaluation.held_out import PHOTO, encode_items, held_out, split_facts
from unigeoclip.evaluation.out_of_distribution import (
    check_elsewhere,
    elsewhere_report,
    record_elsewhere,
    recorded_elsewhere,
)
from unigeoclip.evaluation.pairs import measured_pairs
from unigeoclip.evaluation.plain_queries import query_groups, query_scores, searched_cells
from unigeoclip.model import load_model

if TYPE_CHECKING:
    from unigeoclip.atlas.store import Atlas
    from unigeoclip.model import UniGeoCLIP

CHUNK = 500  # pictures compared with the whole map at once: 500 x 64,000 float32 similarities are 128 MB
UNLIKE_PERCENTILE = 5
METRICS_FILE = "metrics.json"  # in a model's folder
ABLATIONS_FILE = "ablations.json"


def evaluate(
    atlas: Atlas, model_path: Path | None = None, *, elsewhere: Atlas | None = None, record: bool = False
) -> dict[str, Any]:
    """Everything that is measured of a model: retrieval on its split's held-out items, elsewhere, and plain queries.

    A model can be measured only on the split it was trained for. For the shipped model, the figures of the other split
    were written down by the training that measured them (``model/metrics-<split>.json``); they come with ``"recorded":
    true``, and so do those of other cities and of the ablations, where the model's folder has them.

    Args:
        atlas: The atlas.
        model_path: Another model folder than the one that ships with the atlas.
        elsewhere: The atlas of a city that the model never saw, to measure it there, too.
        record: Write what is measured now into the model's folder.

    Returns:
        ``{"splits": {split: {"means": str, "retrieval": {"a->b": {...}}, "recorded": bool, "held_out": {...}}},
            "queries": [{"query", "rule", "precision", "chance", "in_captions"}], "mean_precision": float,
            "query_groups": {...}}``; percentages from 0 to 100; see `measured`. Of a city also ``"means": {"street":
            str, ...}``; ``"note"`` where its pictures are drawn; ``"elsewhere": {name: {"title", "means", "retrieval",
            "recorded"}}``, ``"ablations"`` and ``"baselines"`` (`recorded_baselines`) where there are any. Whatever is
            recorded has ``"data"`` and ``"data_now"``, and ``"outdated": true`` where they differ (`data_state`).

    Raises:
        AtlasError: The model folder has no ``metrics.json`` that names its split, or was trained on other data.
        CheckpointError: The model cannot be loaded.
        InputError: The model cannot be measured elsewhere (`check_elsewhere`).
    """
    folder = model_path or atlas.model_path
    model, metrics = load_model(folder).to(chosen_device()), training_record(folder, atlas)
    if elsewhere is not None:
        check_elsewhere(model, atlas, elsewhere)  # before minutes are spent on the rest
        _check_unseen(metrics, elsewhere)
    split = metrics["split"]
    now = measured(model, atlas, split)
    records = records_folder(folder, atlas.name)
    if record:
        record_measured(records, atlas, metrics, now)
    splits = {split: _split(atlas, metrics | now, recorded=False)}
    for path in sorted(records.glob("metrics-*.json")):
        other = read_json(path)
        splits[other["split"]] = _split(atlas, other, recorded=True)
    scores = now["queries"]
    mean = float(np.mean([score["precision"] for score in scores])) if scores else None
    found: dict[str, Any] = {"splits": splits, "queries": scores, "mean_precision": mean}
    if groups := now["query_groups"]:
        found["query_groups"] = groups
    if means := glossary.of_items(atlas):
        found["means"] = means
    if bound := upper_bound(atlas.manifest):
        found["note"] = bound
    found |= _elsewhere(model, folder, atlas, elsewhere, record=record)
    if ablations := recorded_ablations(folder, atlas):
        found["ablations"] = ablations
    if baselines := recorded_baselines(atlas):
        found["baselines"] = baselines
    return found


def _check_unseen(metrics: dict[str, Any], elsewhere: Atlas) -> None:
    """Raises InputError if a city is one of several atlases that a model was trained on."""
    if elsewhere.name in (seen := [part["atlas"] for part in metrics.get("atlases", [])]):
        raise InputError(
            f"The model was trained on {', '.join(seen)}: what it does there is what the splits measure. Give a city "
            "that it never saw."
        )


def measured(model: UniGeoCLIP, atlas: Atlas, split: str, *, galleries: bool = True) -> dict[str, Any]:
    """What is measured of a model on the held-out items of the split it was trained for: a part of ``metrics.json``.

    Args:
        model: The model.
        atlas: The atlas.
        split: That of its training.
        galleries: See `measured_pairs`.

    Returns:
        ``{"retrieval", "held_out", "queries", "query_groups", "unlike"}``, see `measured_pairs`, `split_facts`,
        `query_scores`, `query_groups`, `unlike_thresholds`.
    """
    scores = query_scores(model, atlas)
    return {
        "retrieval": measured_pairs(model, atlas, split, galleries=galleries),
        "held_out": split_facts(atlas, split),
        "queries": scores,
        "query_groups": query_groups(scores),
        "unlike": unlike_thresholds(model, atlas),
    }


def record_measured(folder: Path, atlas: Atlas, metrics: dict[str, Any], now: dict[str, Any]) -> None:
    """Write what was measured into ``metrics.json`` of a model's folder; the record of its training stays as it is.

    How far the items of other recorded splits are from their training follows from the atlas alone and is written
    beside their figures, unless these are of other data.

    Args:
        folder: Of the model, or see `records_folder`.
        atlas: The atlas.
        metrics: Content of the file.
        now: From `measured`.
    """
    write_json(folder / METRICS_FILE, metrics | now)
    for path in folder.glob("metrics-*.json"):
        other = read_json(path)
        if not data_state(atlas, other).get("outdated"):
            write_json(path, other | {"held_out": split_facts(atlas, other["split"])})


def recalibrate(atlas: Atlas, model_path: Path | None = None) -> dict[str, Any]:
    """Measure how similar matches are and write ``calibration.json`` into the model's folder, see `calibrate`.

    Args:
        atlas: The atlas.
        model_path: Another model folder than the one that ships with the atlas.

    Returns:
        The content of the file.

    Raises:
        AtlasError: The model folder has no ``metrics.json`` that names its split, or was trained on other data.
        CheckpointError: The model cannot be loaded.
        InputError: The model does not know locations.
    """
    folder = model_path or atlas.model_path
    model, metrics = load_model(folder).to(chosen_device()), training_record(folder, atlas)
    found: dict[str, Any] = to_dict(record_calibration(model, atlas, metrics["split"], folder))
    return found


def describe_held_out(atlas: Atlas, model_path: Path | None = None) -> dict[str, Any]:
    """Measure descriptions in words on the held-out places of a model's split, see `measured_words`.

    Args:
        atlas: The atlas.
        model_path: Another model folder than the one that ships with the atlas.

    Raises:
        AtlasError: The model folder has no ``metrics.json`` that names its split, or was trained on other data.
        CheckpointError: The model cannot be loaded.
        InputError: The model knows no words.
    """
    from unigeoclip.evaluation.words.accuracy import measured_words
    from unigeoclip.search.explorer import Explorer

    split = training_record(model_path or atlas.model_path, atlas)["split"]
    return measured_words(Explorer.open(atlas, model=model_path), split)


def _elsewhere(
    model: UniGeoCLIP, folder: Path, atlas: Atlas, other: Atlas | None, *, record: bool
) -> dict[str, dict[str, Any]]:
    """What was recorded of a model in other cities, and what is measured in one now."""
    away = recorded_elsewhere(folder, atlas)
    if other is not None:
        figures = elsewhere_report(model, atlas, other)
        known = {"title": other.title, "means": glossary.ELSEWHERE, "retrieval": figures, "recorded": False}
        away[other.name] = known | {"data": atlas.data_hash, "data_now": atlas.data_hash}
        if record:
            record_elsewhere(folder, atlas, other, figures)
    return {"elsewhere": away} if away else {}


def _split(atlas: Atlas, metrics: dict[str, Any], *, recorded: bool) -> dict[str, Any]:
    """A split as it stands in the report; how far its items are from the training follows from the atlas alone."""
    split = metrics["split"]
    known = {"means": glossary.of_split(atlas, split), "retrieval": metrics["retrieval"], "recorded": recorded}
    return known | data_state(atlas, metrics) | {"held_out": split_facts(atlas, split)}


def recorded_ablations(folder: Path, atlas: Atlas) -> dict[str, Any] | None:
    """The table that ``evaluate --ablations`` wrote into a model's folder, with ``"recorded": true``; None without.

    A table of other data than the atlas holds now carries ``"outdated": true``.

    Raises:
        InputError: The file cannot be read.
    """
    path = folder / ABLATIONS_FILE
    if not path.is_file():
        return None
    kept = read_json(path)
    if not isinstance(kept, dict) or not isinstance(kept.get("rows"), list):
        raise InputError(f"{path} is no table of ablations; delete it, or run evaluate --ablations again.")
    return kept | {"recorded": True} | data_state(atlas, kept)


def training_record(folder: Path, atlas: Atlas) -> dict[str, Any]:
    """Content of ``metrics.json`` in a model's folder, which tells what the training held out.

    Raises:
        AtlasError: The model was trained on other data than the atlas holds.
        InputError: There is no such file, or it cannot be read.
    """
    metrics: dict[str, Any] = read_json(records_folder(folder, atlas.name) / METRICS_FILE)
    if metrics.get("data") != atlas.data_hash:
        raise AtlasError(
            f"{folder} was trained on {metrics.get('atlas')} {metrics.get('data')}, but {atlas.path} holds "
            f"{atlas.data_hash}: held-out places may have been seen in training. Train again, or restore the atlas."
        )
    return metrics


def unlike_thresholds(model: UniGeoCLIP, atlas: Atlas) -> dict[str, float]:
    """Per modality of pictures, the 5th percentile over held-out items of the best similarity to any cell of the map.

    A picture whose best similarity lies below is unlike anything in the atlas. Empty for a model without location.
    """
    if "location" not in model.modalities:
        return {}
    split = next(split for split in SPLITS if split in atlas.places)
    cells = searched_cells(model, atlas)
    thresholds: dict[str, float] = {}
    for name in ("aerial", "street", "surface"):
        if name not in model.modalities or name not in atlas.manifest.modalities:
            continue
        items = held_out(atlas, split, having=(name,))
        if not len(items):
            continue
        vectors = encode_items(model, atlas, PHOTO if name == "street" else name, items)
        best = [(part @ cells.T).max(1) for part in np.array_split(vectors, max(1, len(vectors) // CHUNK))]
        thresholds[name] = float(np.percentile(np.concatenate(best), UNLIKE_PERCENTILE))
    return thresholds
