"""Clustered vectors, and the folder that `unigeoclip encode` makes of them."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

DIM = 32


def clustered(count: int, seed: int = 0, dim: int = DIM) -> np.ndarray:
    """Unit vectors round 20 centers that are the same for every seed."""
    centers = np.random.default_rng(99).normal(size=(20, dim))
    rng = np.random.default_rng(seed)
    vectors = centers[rng.integers(20, size=count)] + 0.5 * rng.normal(size=(count, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def positions(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform((-80, -180), (80, 180), (count, 2))


def part(count: int, seed: int, prefix: str, kind=np.float16, modalities=("aerial", "text")) -> pa.Table:
    """Every place has all modalities; years and surfaces are attributes."""
    latlon, number = positions(count, seed), len(modalities)
    ids = [f"{prefix}{row}" for row in range(count)]
    vectors = np.concatenate([clustered(count, seed + 1000 * (m + 1)) for m in range(number)])
    vectors = np.round(vectors * 127).astype(np.int8) if kind is np.int8 else vectors.astype(kind)
    names = pa.array(np.repeat(modalities, count)).dictionary_encode()
    lat, lon = np.tile(latlon, (number, 1)).T
    columns = {
        "place_id": pa.array(ids * number),
        "modality": names,
        "lat": lat,
        "lon": lon,
        "geometry": pa.array([b"\x01" * 21] * count * number),
        "bbox": pa.array([{"xmin": x, "ymin": y, "xmax": x, "ymax": y} for y, x in zip(lat, lon, strict=True)]),
        "year": pa.array(np.arange(count * number) % 5 + 2020),
        "kind": pa.array(np.where(np.arange(count * number) % 3, "it's land", "water")).dictionary_encode(),
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), DIM),
    }
    emb = {"model": "made", "atlas": "made", "dim": DIM, "dtype": str(np.dtype(kind))}
    return pa.table(columns).replace_schema_metadata({"emb": json.dumps(emb)})


def write_parts(folder, *counts: int, first: int = 0, kind=np.float16):
    """Folder with store.json and a part for each count; ``first`` numbers go on where another call ended."""
    (folder / "parts").mkdir(parents=True, exist_ok=True)
    (folder / "store.json").write_text("{}")
    for number, count in enumerate(counts, start=first):
        pq.write_table(part(count, number, f"p{number}-", kind), folder / "parts" / f"{number:02x}.parquet")
    return folder
