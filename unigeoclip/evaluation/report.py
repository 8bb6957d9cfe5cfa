"""From a model and an atlas to the tables that the model card shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.atlas.schema import RULES_FOLDER, SPLITS
from unigeoclip.checkpoint import load_model
from unigeoclip.config import read_json
from unigeoclip.embedders.retrained import recorded_baselines
from unigeoclip.errors import AtlasError, InputError
from unigeoclip.evaluation import meanings
from unigeoclip.evaluation.elsewhere import check_elsewhere, elsewhere_report, record_elsewhere, recorded_elsewhere
from unigeoclip.evaluation.held_out import encode_items, encode_photos, held_out
from unigeoclip.evaluation.queries import load_rules, precision_at_area
from unigeoclip.evaluation.retrieval import all_pairs
from unigeoclip.evaluation.streets import street_report
from unigeoclip.vectors import encode_cells, encode_places, land_grid, mean_over_waves

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.model import UniGeoCLIP

CHUNK = 500  # pictures compared with the whole map at once: 500 x 64,000 float32 similarities are 128 MB
UNLIKE_PERCENTILE = 5
ABLATIONS_FILE = "ablations.json"  # in a model's folder


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
        record: Write the figures from elsewhere into the model's folder.

    Returns:
        ``{"splits": {split: {"means": str, "retrieval": {"a->b": {...}}, "recorded": bool}}, "queries": [{"query",
            "rule", "precision", "chance"}], "mean_precision": float}``; percentages from 0 to 100. Of a city also
            ``"means": {"street": str, ...}``; ``"note"`` where its pictures are drawn; ``"elsewhere": {name: {"title",
            "means", "retrieval", "recorded"}}``, ``"ablations"`` and ``"baselines"`` (`recorded_baselines`) where there
            are any.

    Raises:
        AtlasError: The model folder has no ``metrics.json`` that names its split, or was trained on other data.
        CheckpointError: The model cannot be loaded.
        InputError: The model cannot be measured elsewhere (`check_elsewhere`).
    """
    folder = model_path or atlas.model_path
    model, metrics = load_model(folder), _metrics(folder, atlas)
    if elsewhere is not None:
        check_elsewhere(model, atlas, elsewhere)  # before minutes are spent on the rest
    split = metrics["split"]
    report = held_out_report(model, atlas, split)
    splits: dict[str, Any] = {split: _split(atlas, split, report, recorded=False)}
    for path in sorted(folder.glob("metrics-*.json")):
        other = read_json(path)
        splits[other["split"]] = _split(atlas, other["split"], other["retrieval"], recorded=True)
    scores = query_scores(model, atlas)
    mean = float(np.mean([score["precision"] for score in scores])) if scores else None
    found: dict[str, Any] = {"splits": splits, "queries": scores, "mean_precision": mean}
    if means := meanings.of_items(atlas):
        found["means"] = means
    if meanings.are_drawn(atlas):
        found["note"] = meanings.UPPER_BOUND
    away = recorded_elsewhere(folder)
    if elsewhere is not None:
        figures = elsewhere_report(model, atlas, elsewhere)
        away[elsewhere.name] = {
            "title": elsewhere.title, "means": meanings.ELSEWHERE, "retrieval": figures, "recorded": False
        }  # fmt: skip
        if record:
            record_elsewhere(folder, atlas, elsewhere, figures)
    if away:
        found["elsewhere"] = away
    if ablations := recorded_ablations(folder, atlas):
        found["ablations"] = ablations
    if baselines := recorded_baselines(atlas):
        found["baselines"] = baselines
    return found


def _split(atlas: Atlas, split: str, figures: dict[str, Any], *, recorded: bool) -> dict[str, Any]:
    return {"means": meanings.of_split(atlas, split), "retrieval": figures, "recorded": recorded}


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
    outdated = {} if kept.get("data") == atlas.data_hash else {"outdated": True}
    return kept | {"recorded": True} | outdated


def _metrics(folder: Path, atlas: Atlas) -> dict[str, Any]:
    metrics: dict[str, Any] = read_json(folder / "metrics.json")
    if metrics.get("data") != atlas.data_hash:
        raise AtlasError(
            f"{folder} was trained on {metrics.get('atlas')} {metrics.get('data')}, but {atlas.path} holds "
            f"{atlas.data_hash}: held-out places may have been seen in training. Train again, or restore the atlas."
        )
    return metrics


def query_scores(model: UniGeoCLIP, atlas: Atlas) -> list[dict[str, Any]]:
    """Plain text queries against their rules: how much of the hottest area lies inside.

    Empty for an atlas without rules, and for a model that does not know words or points.
    """
    folder = atlas.path / RULES_FOLDER
    if not folder.is_dir() or not {"text", "location"} <= set(model.modalities):
        return []
    rules, grid = load_rules(folder), atlas.land_grid()
    cells = _cells(model, atlas)
    text = model.encode({"text": [[rule.query] for rule in rules]})["text"].numpy()
    scores = []
    for rule, similarity in zip(rules, text @ cells.T, strict=True):
        score = precision_at_area(similarity, grid.latlon, rule, step_deg=grid.step_deg)
        kept = {"query": rule.query, "rule": rule.words}
        scores.append(kept | {"precision": score.precision, "chance": score.chance})
    return scores


def _cells(model: UniGeoCLIP, atlas: Atlas) -> NDArray[np.float32]:
    """The cells of the atlas's heatmaps, as the search sees them."""
    grid = land_grid(atlas)
    return mean_over_waves(model, grid, encode_cells(model, grid.cells))


def held_out_report(
    model: UniGeoCLIP, atlas: Atlas, split: str, sentence_vectors: NDArray[np.floating[Any]] | None = None
) -> dict[str, dict[str, float]]:
    """Retrieval among the held-out items of a split, all ordered pairs, full captions; in a city ensembles, too."""
    items = held_out(atlas, split)
    embeddings = encode_items(model, atlas, items, sentence_vectors)
    report = all_pairs(embeddings, items.latlon)
    if items.cameras is not None and "street" in embeddings:
        report |= street_report(model, atlas, items, embeddings)
    return report


def unlike_thresholds(model: UniGeoCLIP, atlas: Atlas) -> dict[str, float]:
    """Per modality of pictures, the 5th percentile over held-out items of the best similarity to any cell of the map.

    A picture whose best similarity lies below is unlike anything in the atlas. Empty for a model without location.
    """
    if "location" not in model.modalities:
        return {}
    items = held_out(atlas, next(split for split in SPLITS if split in atlas.places))
    cells = _cells(model, atlas)
    thresholds: dict[str, float] = {}
    for name in ("aerial", "street", "surface"):
        if name in model.modalities and name in atlas.manifest.modalities:
            vectors = (
                encode_photos(model, atlas, items)
                if name == "street"
                else encode_places(model, atlas, name, items.rows, latlon=items.latlon)
            )
            best = [(part @ cells.T).max(1) for part in np.array_split(vectors, max(1, len(vectors) // CHUNK))]
            thresholds[name] = float(np.percentile(np.concatenate(best), UNLIKE_PERCENTILE))
    return thresholds
