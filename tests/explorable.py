"""A tiny atlas with a tiny random model, and a sentence encoder that needs no weights: all that a search test needs."""

import hashlib
import json
from pathlib import Path
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import rasterio
import shapely
import torch
from rasterio.transform import from_bounds

from tests.atlas.tiny import write_tiny_atlas
from tests.build import made_up_tiles as made_up
from unigeoclip import geo
from unigeoclip.atlas import load_atlas
from unigeoclip.build.city import cells
from unigeoclip.build.city.builder import build_city
from unigeoclip.build.city.own.user_data import OwnData
from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.config import write_json
from unigeoclip.modalities import text
from unigeoclip.model import ModelConfig, UniGeoCLIP, save_model

PX = 16
CONFIG = ModelConfig(
    dim=16,
    encoders={
        "location": {"scales": [1.0, 8.0], "width": 32, "depth": 1, "heads": 2, "registers": 1},
        "aerial": {"px": PX, "widths": [8, 16], "blocks": [0, 1], "hidden": 16},
        "surface": {"px": PX, "widths": [8, 16], "blocks": [0, 1], "hidden": 16},
        "text": {"hidden": 16},
    },
)
CITY_CONFIG = ModelConfig(
    dim=16,
    encoders={
        "location": {"scales": [1e3, 4e3, 1.6e4, 6.4e4], "width": 32, "depth": 1, "heads": 2, "pooled_blocks": 1},
        "aerial": {"px": PX, "widths": [8, 16], "blocks": [0, 1], "hidden": 16},
        "street": {"px": PX, "height_px": 8, "widths": [8, 16], "blocks": [0, 1], "hidden": 16},
        "surface": {"px": PX, "widths": [8, 16], "blocks": [0, 1], "hidden": 16},
        "text": {"hidden": 16},
    },
)


class HashedSentences:
    """Stands in for the sentence encoder: a sentence is a random direction that depends on its letters alone."""

    def embed(self, sentences, batch=128, progress=None):
        seeds = [int.from_bytes(hashlib.sha256(sentence.encode()).digest()[:8]) for sentence in sentences]
        vectors = np.stack([np.random.default_rng(seed).normal(size=384) for seed in seeds])
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def use_hashed_sentences(monkeypatch) -> None:
    monkeypatch.setattr(text, "sentence_encoder", HashedSentences)


def write_explorable_atlas(path: Path) -> Path:
    """Write the tiny atlas and a model of random weights into it."""
    write_tiny_atlas(path)
    torch.manual_seed(0)
    model = UniGeoCLIP(CONFIG).eval()
    folder = load_atlas(path).model_path
    save_model(model, folder)
    write_json(folder / "metrics.json", {"unlike": {}})
    return path


def write_explorable_city(path: Path, name: str = "madeup", east_m: float = 0.0, model: bool = True) -> Path:
    """Build the made-up town, so far to the east, with every second camera held out, and give it a random model."""
    shift = (east_m / made_up.GROUND, 0)
    layers = {
        layer: [(shapely.affinity.translate(geometry, *shift), tags) for geometry, tags in features]
        for layer, features in made_up.town().items()
    }
    tiles = made_up.write_tiles(path.parent / f".{name}-tiles", layers)
    corners = geo.web_mercator(np.array(made_up.bbox()).reshape(2, 2)) + shift
    bbox = tuple(geo.inverse_web_mercator(corners).ravel().tolist())
    with mock.patch.object(cells, "HELD_OUT_VIEWS", 2):
        build_city(name, tiles, path, bbox=bbox, embed=HashedSentences().embed)
    if model:
        atlas = load_atlas(path)
        torch.manual_seed(0)
        save_model(UniGeoCLIP(CITY_CONFIG).eval(), atlas.model_path)
        metrics = {"atlas": name, "data": atlas.data_hash, "split": "views", "unlike": {}}
        write_json(atlas.model_path / "metrics.json", metrics)
    return path


def write_partly_pictured_city(path: Path) -> Path:
    """Build a city of 1.8 km with a photograph of its middle 500 m, and black without a word around it; no model."""
    pixels = np.zeros((3, 720, 720), np.uint8)
    pixels[:, 260:460, 260:460] = np.random.default_rng(0).integers(80, 180, (3, 200, 200))
    south, west, north, east = bbox = made_up.bbox(900)
    picture = path.parent / "part.tif"
    profile = {"driver": "GTiff", "count": 3, "height": 720, "width": 720, "dtype": "uint8", "crs": "EPSG:4326"}
    with rasterio.open(picture, "w", **profile, transform=from_bounds(west, south, east, north, 720, 720)) as dataset:
        dataset.write(pixels)
    own = OwnData(aerial=(picture,), licenses={"aerial": "CC0 1.0"}, credits={"aerial": "Madeup Survey"})
    tiles = made_up.write_tiles(path.parent / ".partly-tiles")
    with mock.patch.object(cells, "HELD_OUT_VIEWS", 2):
        build_city("partly", tiles, path, bbox=bbox, own=own, embed=HashedSentences().embed)
    return path


def write_long_street(path: Path) -> Path:
    """Build a larger town, 3.4 km wide, with a straight street whose every second camera is held out; no model."""
    tiles = made_up.write_tiles(path.parent / ".long-street-tiles", made_up.long_street())
    with mock.patch.object(cells, "HELD_OUT_VIEWS", 2):
        build_city("longstreet", tiles, path, bbox=made_up.bbox(1700), embed=HashedSentences().embed)
    return path


def write_store_of(explorer, folder, model_id=None, more=(), without=""):
    """The gallery of an explorer as `unigeoclip encode` would write it: centers only.

    Args:
        explorer: Whose.
        folder: Made, and returned.
        model_id: What encoded it; by default the explorer's model.
        more: Further places, (id, latitude, longitude), whose vectors are those of their locations.
        without: Id of a place that is left out.
    """
    parts, dim = [], explorer.model.dim
    points = np.array([each[1:] for each in more], np.float64).reshape(-1, 2)
    located = explorer.model.encode({"location": points})["location"].numpy() if more else np.zeros((0, dim))
    for modality in explorer.modalities:
        places = explorer.atlas.places.iloc[explorer.item_rows(modality)]
        kept = (places["place_id"] != without).to_numpy()
        latlon = np.concatenate([places[["lat", "lon"]].to_numpy(np.float64)[kept], points])
        vectors = np.concatenate([explorer.vectors(modality)[kept], located]).astype(np.float16)
        columns = {
            "place_id": [*places["place_id"][kept], *(each[0] for each in more)],
            "modality": pa.array([modality] * len(latlon)).dictionary_encode(),
            "lat": latlon[:, 0],
            "lon": latlon[:, 1],
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), dim),
        }
        parts.append(pa.table(columns))
    emb = {"model_id": model_id or checkpoint_id(explorer.atlas.model_path), "dim": dim}
    table = pa.concat_tables(parts).unify_dictionaries().replace_schema_metadata({"emb": json.dumps(emb)})
    (folder / "parts").mkdir(parents=True)
    (folder / "store.json").write_text("{}")
    pq.write_table(table, folder / "parts" / "89c25.parquet")
    return folder
