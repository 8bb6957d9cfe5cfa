"""From a model and an atlas to the tables that the model card shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from unigeoclip.evaluation.retrieval import all_pairs
from unigeoclip.modalities.text import TextBatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.model import UniGeoCLIP

CHUNK = 1000  # places encoded at once
HELD_OUT = 5000  # places of a split that retrieval is measured among, at most
UNLIKE_PERCENTILE = 5


def text_batch(vectors: NDArray[np.floating[Any]], rows: list[NDArray[np.int64]]) -> TextBatch:
    """Bags of precomputed sentence vectors: (sentences, 384), and one array of row numbers a place."""
    flat = torch.from_numpy(vectors[np.concatenate(rows)].astype(np.float32))
    return TextBatch(flat, torch.tensor([len(some) for some in rows]))


def raw_inputs(
    model: UniGeoCLIP, atlas: Atlas, rows: NDArray[np.int64], sentence_vectors: NDArray[np.floating[Any]]
) -> dict[str, Any]:
    """Inputs of some places, by row, in every modality that both the model and the atlas have."""
    places = atlas.places.iloc[rows]
    latlon = places[["lat", "lon"]].to_numpy(np.float64)
    inputs: dict[str, Any] = {}
    for name in model.modalities:
        if name == "location":
            inputs[name] = latlon
        elif name == "text":
            inputs[name] = text_batch(sentence_vectors, [np.asarray(s, np.int64) for s in places["sentences"]])
        elif name in atlas.manifest.modalities:
            inputs[name] = atlas.raster(name).windows(latlon, atlas.window_m, model.window_px(name))
    return inputs


def encode_places(
    model: UniGeoCLIP, atlas: Atlas, rows: NDArray[np.int64], sentence_vectors: NDArray[np.floating[Any]]
) -> dict[str, NDArray[np.float32]]:
    """Embeddings of some places: modality -> (len(rows), dim) unit vectors."""
    parts: dict[str, list[NDArray[np.float32]]] = {}
    for start in range(0, len(rows), CHUNK):
        inputs = raw_inputs(model, atlas, rows[start : start + CHUNK], sentence_vectors)
        for name, vectors in model.encode(inputs).items():
            parts.setdefault(name, []).append(vectors.numpy())
    return {name: np.concatenate(some) for name, some in parts.items()}


def held_out_rows(atlas: Atlas, split: str) -> NDArray[np.int64]:
    """Rows of the held-out places of a split, the first 5,000 (places lie in random order)."""
    return np.flatnonzero((atlas.places[split] == "held_out").to_numpy())[:HELD_OUT]


def held_out_report(
    model: UniGeoCLIP, atlas: Atlas, split: str, sentence_vectors: NDArray[np.floating[Any]]
) -> dict[str, dict[str, float]]:
    """Retrieval among the held-out places of a split, all ordered pairs, full captions."""
    rows = held_out_rows(atlas, split)
    latlon = atlas.places[["lat", "lon"]].to_numpy(np.float64)[rows]
    return all_pairs(encode_places(model, atlas, rows, sentence_vectors), latlon)


def unlike_thresholds(model: UniGeoCLIP, atlas: Atlas, split: str = "random") -> dict[str, float]:
    """Per raster modality, the 5th percentile over held-out places of the best similarity to any cell of the map.

    A picture whose best similarity lies below is unlike anything in the atlas.
    """
    rows = held_out_rows(atlas, split)
    latlon = atlas.places[["lat", "lon"]].to_numpy(np.float64)[rows]
    cells = atlas.land_grid()
    grid = np.concatenate([model.encode({"location": part})["location"].numpy() for part in _chunks(cells)])
    thresholds: dict[str, float] = {}
    for name in ("aerial", "street", "surface"):
        if name in model.modalities and name in atlas.manifest.modalities:
            best = []
            for part in _chunks(latlon):
                windows = atlas.raster(name).windows(part, atlas.window_m, model.window_px(name))
                best.append((model.encode({name: windows})[name].numpy() @ grid.T).max(1))
            thresholds[name] = float(np.percentile(np.concatenate(best), UNLIKE_PERCENTILE))
    return thresholds


def _chunks(points: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    return [points[start : start + CHUNK] for start in range(0, len(points), CHUNK)]
