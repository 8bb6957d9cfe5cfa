"""A complete, valid, made-up atlas of the whole Earth, small enough for every test."""

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import safetensors.numpy

from unigeoclip.atlas import schema
from unigeoclip.build.parquet import write_places, write_sentences
from unigeoclip.config import read_json, write_json
from unigeoclip.files.atomic import sha256_of
from unigeoclip.files.cog import global_transform, write_cog
from unigeoclip.sentences import SENTENCE_DIM

PLACES = 60
GALLERY = 40  # the first so many places, and those held out
HEIGHT, WIDTH = 180, 360  # one pixel a degree
CLIMATES = ("hot desert", "tropical rainforest", "taiga", "savanna", "tundra")
COUNTRIES = ("Northland", "Southland", "Eastland", "Westland")


def is_land(lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Two continents: everything from 10 to 80 degrees east or west, between 50 south and 70 north."""
    return (np.abs(lon) > 10) & (np.abs(lon) < 80) & (lat > -50) & (lat < 70)


def write_tiny_atlas(path: Path, name: str = "tiny") -> Path:
    """Write the atlas into a folder (made if needed) and return it. The same bytes each time."""
    path = Path(path)
    (path / schema.VECTORS_FOLDER).mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    _write_rasters(path, rng)
    places, sentences = _places(rng)
    write_places(path / schema.PLACES, places)
    write_sentences(path / schema.SENTENCES, sentences)
    shown = 1 + max(max(rows) for rows in places.loc[places["gallery"], "sentences"])
    vectors = rng.integers(-127, 128, (shown, SENTENCE_DIM)).astype(np.int8)
    scale = np.full(shown, 1 / 127, np.float32)
    safetensors.numpy.save_file({"vectors": vectors, "scale": scale}, path / schema.SENTENCE_VECTORS)
    line = {"type": "MultiLineString", "coordinates": [[[10, -50], [10, 70]], [[-10, -50], [-10, 70]]]}
    geojson = {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": line}]}
    for layer in ("coast", "borders"):
        packed = gzip.compress(json.dumps(geojson).encode(), mtime=0)
        (path / schema.VECTORS_FOLDER / f"{layer}{schema.LINES}").write_bytes(packed)
    write_manifest(path, name)
    return path


def write_flat_atlas(path: Path, name: str = "flat") -> Path:
    """The tiny atlas without a surface model."""
    write_tiny_atlas(path, name)
    manifest = read_json(path / "atlas.json")
    manifest["modalities"].remove("surface")
    del manifest["files"]["surface.tif"], manifest["pictures"]["surface"]
    (path / "surface.tif").unlink()
    write_json(path / "atlas.json", manifest)
    return path


def write_manifest(path: Path, name: str = "tiny") -> None:
    """Write atlas.json for the files that are in the folder now."""
    files = sorted(
        str(file.relative_to(path))
        for file in path.rglob("*")
        if file.is_file() and file.name != schema.MANIFEST and not str(file.relative_to(path)).startswith("model")
    )
    manifest = schema.Manifest(
        format=schema.FORMAT,
        name=name,
        title="A tiny world",
        summary="Made up for tests.",
        bounds=(-60.0, -180.0, 84.0, 180.0),
        modalities=["location", "aerial", "surface", "text"],
        window_m=333_585.0,
        grid=schema.GridSpec(4.0),
        pictures={"aerial": "photographed", "surface": "measured"},
        sources=[
            schema.Source(
                name="Nothing real",
                package="none",
                version="1",
                url="https://example.org/",
                what="everything here is made up",
                licence="CC0",
                attribution="nobody",
                date="2026",
                bytes=0,
                sha256="",
            )
        ],
        files={file: schema.FileEntry((path / file).stat().st_size, sha256_of(path / file)) for file in files},
    )
    write_json(path / schema.MANIFEST, manifest)


def _write_rasters(path: Path, rng: np.random.Generator) -> None:
    lat = 90 - (np.arange(HEIGHT) + 0.5)[:, None] + np.zeros((1, WIDTH))
    lon = -180 + (np.arange(WIDTH) + 0.5)[None] + np.zeros((HEIGHT, 1))
    land = is_land(lat, lon)
    red = 127 + 127 * np.sin(np.radians(3 * lat))
    green = 127 + 127 * np.cos(np.radians(2 * lon))
    blue = rng.integers(0, 256, (HEIGHT, WIDTH))
    aerial = np.stack([red, green, blue]).astype(np.uint8) * land
    heights = np.round((1500 + 1000 * np.sin(np.radians(5 * lon)) + 500 * np.cos(np.radians(4 * lat))) * land)
    transform = global_transform(HEIGHT, WIDTH)
    write_cog(path / schema.RASTERS["aerial"], aerial.astype(np.uint8), transform, compress="DEFLATE")
    write_cog(path / schema.RASTERS["surface"], heights[None].astype(np.int16), transform, compress="DEFLATE")
    write_cog(path / schema.LAND, land[None].astype(np.uint8), transform, compress="DEFLATE")


def _places(rng: np.random.Generator) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    lat = np.round(rng.uniform(-48, 68, PLACES), 3)
    lon = np.round(rng.uniform(12, 78, PLACES) * np.where(np.arange(PLACES) % 2, 1, -1), 3)
    written = []
    for i in range(PLACES):
        country = COUNTRIES[2 * (lat[i] < 20) + (lon[i] < 0)]
        climate = CLIMATES[int(abs(lat[i])) // 14]
        town = ("settlement", f"Town {chr(65 + i % 26)}{chr(97 + i // 26)}, {country}")
        written.append([town, ("country", country), ("climate", climate), ("terrain", ("plain", "hills")[i % 2])])
    gallery = (np.arange(PLACES) < GALLERY) | (np.arange(PLACES) % 5 == 0)
    shown = {sentence for i in np.flatnonzero(gallery) for sentence in written[i]}
    sentences = sorted(shown) + sorted({sentence for of_place in written for sentence in of_place} - shown)
    rows = {sentence: row for row, sentence in enumerate(sentences)}
    table = pd.DataFrame(
        {
            "place_id": [f"w{i:06d}" for i in range(PLACES)],
            "lat": lat,
            "lon": lon,
            "name": [of_place[0][1] for of_place in written],
            "country": [of_place[1][1] for of_place in written],
            "stratum": np.where(np.arange(PLACES) % 3, "land", "city").astype(object),
            "random": np.where(np.arange(PLACES) % 5 == 0, "held_out", "train").astype(object),
            "blocks": np.select([lon > 60, lon > 50], ["held_out", "buffer"], "train").astype(object),
            "gallery": gallery,
            "sentences": [[rows[sentence] for sentence in of_place] for of_place in written],
        }
    )
    return table, sentences
