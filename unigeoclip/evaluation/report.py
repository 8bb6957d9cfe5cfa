"""From a model and an atlas to the tables that the model card shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.atlas.schema import RULES_FOLDER
from unigeoclip.checkpoint import load_model
from unigeoclip.config import read_json
from unigeoclip.errors import AtlasError
from unigeoclip.evaluation.queries import load_rules, precision_at_area
from unigeoclip.evaluation.retrieval import all_pairs
from unigeoclip.modalities.text import sentence_encoder
from unigeoclip.vectors import encode_cells, encode_places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.model import UniGeoCLIP

CHUNK = 500  # pictures compared with the whole map at once: 500 x 64,000 float32 similarities are 128 MB
UNLIKE_PERCENTILE = 5


def evaluate(atlas: Atlas, model_path: Path | None = None) -> dict[str, Any]:
    """Everything that is measured of a model: retrieval on its split's held-out places, and plain queries.

    A model can be measured only on the split it was trained for. For the shipped model, the figures of the other split
    were written down by the training that measured them (``model/metrics-<split>.json``); they come with ``"recorded":
    true``.

    Args:
        atlas: The atlas.
        model_path: Another model folder than the one that ships with the atlas.

    Returns:
        ``{"splits": {split: {"retrieval": {"a->b": {...}}, "recorded": bool}}, "queries": [{"query", "rule",
            "precision", "chance"}], "mean_precision": float}``; percentages from 0 to 100.

    Raises:
        AtlasError: The model folder has no ``metrics.json`` that names its split, or was trained on other data.
        CheckpointError: The model cannot be loaded.
    """
    folder = model_path or atlas.model_path
    model, metrics = load_model(folder), _metrics(folder, atlas)
    split = metrics["split"]
    report = held_out_report(model, atlas, split, sentence_vectors(atlas, held_out_rows(atlas, split)))
    splits: dict[str, Any] = {split: {"retrieval": report, "recorded": False}}
    for path in sorted(folder.glob("metrics-*.json")):
        other = read_json(path)
        splits[other["split"]] = {"retrieval": other["retrieval"], "recorded": True}
    scores = query_scores(model, atlas)
    mean = float(np.mean([score["precision"] for score in scores])) if scores else None
    return {"splits": splits, "queries": scores, "mean_precision": mean}


def _metrics(folder: Path, atlas: Atlas) -> dict[str, Any]:
    metrics: dict[str, Any] = read_json(folder / "metrics.json")
    if metrics.get("data") != atlas.data_hash:
        raise AtlasError(
            f"{folder} was trained on {metrics.get('atlas')} {metrics.get('data')}, but {atlas.path} holds "
            f"{atlas.data_hash}: held-out places may have been seen in training. Train again, or restore the atlas."
        )
    return metrics


def query_scores(model: UniGeoCLIP, atlas: Atlas) -> list[dict[str, Any]]:
    """Plain text queries against their rules: how much of the hottest area lies inside."""
    folder = atlas.path / RULES_FOLDER
    if not folder.is_dir():
        return []
    rules, grid = load_rules(folder), atlas.land_grid()
    cells = encode_cells(model, grid.latlon)
    text = model.encode({"text": [[rule.query] for rule in rules]})["text"].numpy()
    scores = []
    for rule, similarity in zip(rules, text @ cells.T, strict=True):
        score = precision_at_area(similarity, grid.latlon, rule, step_deg=grid.step_deg)
        kept = {"query": rule.query, "rule": rule.words}
        scores.append(kept | {"precision": score.precision, "chance": score.chance})
    return scores


def sentence_vectors(atlas: Atlas, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Vectors of all sentences that some places use, (sentences, 384): those that ship, the others embedded now."""
    shipped = atlas.sentence_vectors()
    used = np.unique(np.concatenate([np.asarray(some, np.int64) for some in atlas.places["sentences"].iloc[rows]]))
    missing = used[used >= len(shipped)]
    if not len(missing):
        return shipped
    vectors = np.zeros((len(atlas.sentences), shipped.shape[1]), np.float32)
    vectors[: len(shipped)] = shipped
    vectors[missing] = sentence_encoder().embed(atlas.sentences["text"].iloc[missing].tolist())
    return vectors


def encode_modalities(
    model: UniGeoCLIP, atlas: Atlas, rows: NDArray[np.int64], sentence_vectors: NDArray[np.floating[Any]]
) -> dict[str, NDArray[np.float32]]:
    """Embeddings of some places in every modality that model and atlas have: name -> (len(rows), dim) unit vectors."""
    names = [name for name in model.modalities if name in atlas.manifest.modalities]
    return {name: encode_places(model, atlas, name, rows, sentence_vectors=sentence_vectors) for name in names}


def held_out_rows(atlas: Atlas, split: str) -> NDArray[np.int64]:
    """Rows of the held-out places of a split."""
    return np.flatnonzero((atlas.places[split] == "held_out").to_numpy())


def held_out_report(
    model: UniGeoCLIP, atlas: Atlas, split: str, sentence_vectors: NDArray[np.floating[Any]]
) -> dict[str, dict[str, float]]:
    """Retrieval among the held-out places of a split, all ordered pairs, full captions."""
    rows = held_out_rows(atlas, split)
    latlon = atlas.places[["lat", "lon"]].to_numpy(np.float64)[rows]
    return all_pairs(encode_modalities(model, atlas, rows, sentence_vectors), latlon)


def unlike_thresholds(model: UniGeoCLIP, atlas: Atlas, split: str = "random") -> dict[str, float]:
    """Per raster modality, the 5th percentile over held-out places of the best similarity to any cell of the map.

    A picture whose best similarity lies below is unlike anything in the atlas.
    """
    rows = held_out_rows(atlas, split)
    cells = encode_cells(model, atlas.land_grid().latlon)
    thresholds: dict[str, float] = {}
    for name in ("aerial", "street", "surface"):
        if name in model.modalities and name in atlas.manifest.modalities:
            vectors = encode_places(model, atlas, name, rows)
            best = [(part @ cells.T).max(1) for part in np.array_split(vectors, max(1, len(vectors) // CHUNK))]
            thresholds[name] = float(np.percentile(np.concatenate(best), UNLIKE_PERCENTILE))
    return thresholds
