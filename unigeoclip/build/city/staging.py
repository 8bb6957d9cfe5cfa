"""The half-done build of a city: the folder beside the atlas, what it keeps of a build before, and the last move."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd

from unigeoclip import config
from unigeoclip.atlas import schema
from unigeoclip.atlas.store import ATLASES_FOLDER
from unigeoclip.build.city import vector_tiles
from unigeoclip.build.city.tile_sources import TileSet
from unigeoclip.city.layers import TEXT_COLUMNS
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from unigeoclip.build.city.extracts.open_map import CityMap
    from unigeoclip.build.stages import Progress
    from unigeoclip.city.layers import CityLayers

__all__ = ["check_folder", "check_name", "digest_of", "move_into_place", "open_staging", "read_layers"]

_CHUNK_BYTES = 1 << 20


def check_name(name: str) -> None:
    """Refuse what is no name of an atlas.

    Raises:
        InputError: It is none.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,40}", name):
        raise InputError(f"{name!r} is no name for an atlas: use small letters, digits and hyphens, such as 'boston'.")


def check_folder(folder: Path, name: str) -> None:
    """An atlas may be replaced by a new one of its own name only.

    Raises:
        InputError: There is a file, or another atlas.
    """
    if folder.resolve().parent == ATLASES_FOLDER and folder.name != name:
        raise InputError(
            f"Among the shipped atlases the folder of {name!r} is {name}, not {folder.name}: change --out."
        )
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; give a folder for the atlas with --out.")
    if (folder / schema.MANIFEST).is_file():
        there = config.read_json(folder / schema.MANIFEST)
        other = there.get("name") if isinstance(there, dict) else None
        if other != name:
            raise InputError(f"{folder} holds the atlas {other!r}. Choose another --out for {name!r}, or remove it.")


def digest_of(city_map: CityMap) -> str:
    """Changes with the files of a map: their names, sizes and times of change."""
    digest = hashlib.sha256()
    for path in city_map.files:
        stamp = f"{path.stat().st_size} {path.stat().st_mtime_ns}" if path.is_file() else ""
        digest.update(f"{path} {stamp}\n".encode())
    return digest.hexdigest()


def open_staging(staging: Path, key: list[Any]) -> None:
    """Keep what an interrupted build of the same thing left, throw away anything else."""
    note = staging / "key.json"
    text = json.dumps(key)
    if not (note.is_file() and note.read_text(encoding="utf-8") == text):
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        note.write_text(text, encoding="utf-8")


def read_layers(staging: Path, city_map: CityMap, report: Progress) -> tuple[CityLayers, dict[str, Any]]:
    """The map, from its files or from the build before; and which tiles were broken."""
    folder, note = staging / "layers", staging / "layers" / "tiles.json"
    if note.is_file():
        notes = config.read_json(note)
        city_map.broken.update(notes["broken"])
        if not isinstance(city_map, TileSet):
            city_map.counts.update(notes["counts"])
        return {name: gpd.read_parquet(folder / f"{name}.parquet") for name in TEXT_COLUMNS}, notes
    counts: dict[str, dict[str, int]] = {}
    if isinstance(city_map, TileSet):
        layers = vector_tiles.read_layers(city_map, report)
    else:
        layers, counts = city_map.read_layers(report), city_map.counts
    folder.mkdir(exist_ok=True)
    for name, table in layers.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
    if city_map.missing or city_map.broken:
        unread = [*city_map.missing, *(f"{name} ({why})" for name, why in city_map.broken.items())]
        report(f"{len(unread)} tiles are missing or broken and stay empty: {', '.join(unread[:5])}", 1.0)
    digest, size = hashlib.sha256(), 0
    for path in city_map.files:
        if path.is_file():
            with path.open("rb") as file:
                while data := file.read(_CHUNK_BYTES):
                    digest.update(data)
                    size += len(data)
    notes = {
        "broken": city_map.broken,
        "missing": city_map.missing,
        "counts": counts,
        "sha256": digest.hexdigest(),
        "bytes": size,
    }
    config.write_json(note, notes)
    return layers, notes


def move_into_place(staging: Path, folder: Path, manifest: schema.Manifest) -> None:
    """The manifest goes away first and comes last: a folder that is half replaced is no atlas, not a wrong one."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / schema.MANIFEST).unlink(missing_ok=True)
    # Rules of an earlier build with larger bounds would judge by what is gone.
    shutil.rmtree(folder / schema.RULES_FOLDER, ignore_errors=True)
    for file in schema.VALIDITY.values():
        (folder / file).unlink(missing_ok=True)
    for name in [*manifest.files, schema.MANIFEST]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (staging / name).replace(folder / name)
    shutil.rmtree(staging)
