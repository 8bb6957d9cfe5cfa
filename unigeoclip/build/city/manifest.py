"""The manifest of a city's atlas: what it is made of, by whom, and what it lacks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unigeoclip.atlas import schema
from unigeoclip.build.city.tile_sources import TileSet
from unigeoclip.build.rules import city_rules
from unigeoclip.files.atomic import sha256_of

if TYPE_CHECKING:
    from unigeoclip.build.city.extracts.open_map import CityMap
    from unigeoclip.build.city.own.prepared import Prepared
    from unigeoclip.build.city.parts import Extent

GRID_STEP_DEG = 0.001


@dataclass(frozen=True)
class About:
    """What the manifest says of a city in words and shares."""

    name: str
    window_m: float
    title: str
    shares: dict[str, float]
    notes: list[str]


def unread_share(city_map: CityMap, notes: dict[str, Any]) -> dict[str, float]:
    """Share of the tiles that could not be read, if there are such."""
    count = len(notes["broken"]) + len(notes["missing"])
    whole = len(city_map.files) + len(notes["missing"])
    return {"missing or broken tiles": round(count / whole, 4)} if count else {}


def city_manifest(
    staging: Path, about: About, extent: Extent, city_map: CityMap, prepared: Prepared, notes: dict[str, Any]
) -> schema.Manifest:
    """The manifest of an atlas whose files are complete in a folder.

    Args:
        staging: The folder.
        about: What is said of the city.
        extent: Where the city lies, or the cities.
        city_map: What the map was read from.
        prepared: Real rasters and photos.
        notes: Of the map: bytes, sha256, broken and missing tiles.
    """
    own = prepared.own
    listed = [schema.RASTERS["aerial"], schema.CITY, schema.PLACES, schema.VIEWS, schema.SENTENCES]
    listed += [schema.SENTENCE_VECTORS, *([schema.RASTERS["surface"]] if own.surface else [])]
    listed += [file for modality, file in schema.VALIDITY.items()
               if modality in own.given and (staging / file).is_file()]  # fmt: skip
    listed += [f"{schema.PHOTOS_FOLDER}/{path.name}" for path in sorted((staging / schema.PHOTOS_FOLDER).glob("*"))]
    ruled = sorted(path.name for path in (staging / schema.RULES_FOLDER).glob("*"))
    listed += [f"{schema.RULES_FOLDER}/{file}" for file in ruled]
    files = {entry: schema.FileEntry((staging / entry).stat().st_size, sha256_of(staging / entry)) for entry in listed}
    sources = [*_map_sources(city_map, notes), *(each for found in prepared.sources.values() for each in found)]
    if ruled:
        sources.append(city_rules.rules_source(about.name))
    drawn = [label for label, path in (("aerial pictures", own.aerial), ("heights", own.surface),
                                       ("street views", own.street)) if not path]  # fmt: skip
    summary = f"{about.title} at street level: places of about 150 m"
    summary += f"; {', '.join(drawn)} are rendered from {sources[0].name}." if drawn else "."
    return schema.Manifest(
        format=schema.FORMAT,
        name=about.name,
        title=about.title,
        summary=summary,
        bounds=extent.ground.bounds_deg,
        modalities=["location", "aerial", "street", "surface", "text"],
        window_m=about.window_m,
        grid=schema.GridSpec(GRID_STEP_DEG),
        pictures={
            "aerial": "photographed" if own.aerial else "rendered",
            "surface": "measured" if own.surface else "rendered",
            "street": "photographed" if own.street else "rendered",
        },
        sources=sources,
        files=files,
        shares=about.shares,
        notes=about.notes,
        areas=list(extent.areas),
    )


def _map_sources(city_map: CityMap, notes: dict[str, Any]) -> list[schema.Source]:
    size, sha256 = int(notes["bytes"]), str(notes["sha256"])
    return [_of_tiles(city_map, size, sha256)] if isinstance(city_map, TileSet) else city_map.sources(size, sha256)


def _of_tiles(tile_set: TileSet, size: int, sha256: str) -> schema.Source:
    said = re.sub(r"<[^>]*>", "", tile_set.attribution).strip()
    return schema.Source(
        name="OpenStreetMap",
        package=Path(tile_set.source).name if "://" not in tile_set.source else tile_set.source,
        version="",
        url="https://www.openstreetmap.org/copyright",
        what="streets, buildings, water, vegetation, names: vector tiles in the OpenMapTiles schema",
        licence="ODbL 1.0",
        attribution=said or "© OpenStreetMap contributors (ODbL), schema © OpenMapTiles",
        date="",
        bytes=size,
        sha256=sha256,
    )
