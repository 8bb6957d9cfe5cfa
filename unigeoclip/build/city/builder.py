"""A city's atlas, built from a vector map; real rasters and photos can stand in place of drawn ones.

Everything is written into a folder beside the atlas, which an interrupted build picks up again, and moved into place
when it is complete. The same tiles and seed give the same bytes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip import config
from unigeoclip.atlas import schema
from unigeoclip.build.city import place_tables, staging
from unigeoclip.build.city.extracts.open_map import open_map
from unigeoclip.build.city.manifest import GRID_STEP_DEG, About, city_manifest, unread_share
from unigeoclip.build.city.own import prepared as own_data
from unigeoclip.build.city.own.user_data import OwnData
from unigeoclip.build.city.parts import Extent, draw_parts
from unigeoclip.build.rules import city_rules
from unigeoclip.build.stages import Stages
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.build.sentences import Embed
    from unigeoclip.build.stages import Progress
    from unigeoclip.city.layers import CityLayers
    from unigeoclip.geo import Bounds

BUILDER = 7  # raised when the same tiles give another atlas: a half-done build of another number starts afresh
WINDOW_M = 225.0
SMALLEST_WINDOW_M = 80.0  # 32 pixels of the rendered aerial picture


def build_city(
    name: str,
    source: str | Path,
    out: str | Path,
    *,
    bbox: Bounds | None = None,
    own: OwnData | None = None,
    title: str | None = None,
    seed: int = 0,
    window_m: float | None = None,
    cache: Path | None = None,
    embed: Embed | None = None,
    progress: Progress | None = None,
) -> Path:
    """Build the atlas of a city; run again, an interrupted build goes on where it stopped.

    Args:
        name: Of the atlas: small letters, digits and hyphens.
        source: The map: vector tiles of the OpenMapTiles schema or an extract of OpenStreetMap, see `open_map`.
        out: The atlas folder. A model in it stays; everything else is replaced at the very end.
        bbox: South, west, north, east in degrees; all tiles of the source by default.
        own: Real rasters and photos.
        title: Name on screen; the name with a capital by default.
        seed: Of what the aerial picture alone depends on: roof colours, textures, cars.
        window_m: Side of windows, `SMALLEST_WINDOW_M` to `WINDOW_M`; by default what fits into most pictures.
        cache: Folder of downloaded tiles.
        embed: Sentences -> (m, 384) unit vectors; the frozen sentence encoder by default.
        progress: Called with what is being done and the time left of the stage, and the share of all that is done.

    Returns:
        The folder.

    Raises:
        InputError: A name, source, box, raster or table of photos that cannot be used; nothing was written to ``out``.
        DownloadError: Tiles cannot be fetched.
    """
    own, out = own or OwnData(), Path(out)
    _check(name, out, own, window_m)
    stages = Stages(progress or (lambda _text, _share: None))
    city_map = open_map(source, bbox, cache, stages.start("Tiles", 0.02))
    extent = Extent.of(city_map, bbox)
    prepared, window_m = _prepared(own, extent, window_m, out)
    folder = out.with_name(f".{out.name}.building")
    options = [name, str(source), bbox, seed, window_m, BUILDER]
    staging.open_staging(folder, [*options, staging.digest_of(city_map), *own.stamps()])
    layers, notes = staging.read_layers(folder, city_map, stages.start("Map", 0.25))
    report = stages.start("Pictures and heights", 0.35)
    remarks = [*prepared.notes, *own_data.write_rasters(folder, prepared, extent.ground, report)]
    drawn = _draw(folder, extent, layers, prepared, seed, stages)
    report = stages.start("Places and views", 0.75)
    told = place_tables.write_places(folder, [each for each, _ in drawn], prepared, window_m, remarks, report)
    place_tables.write_vectors(folder, told.gallery_texts, embed, stages.start("Sentence vectors", 0.98))
    city_rules.build_city_rules(name, folder / schema.RULES_FOLDER, extent.ground.bounds_deg, GRID_STEP_DEG)
    shares = {**_guessed([flags for _, flags in drawn]), **told.shares, **unread_share(city_map, notes)}
    about = About(name, window_m, title or name.replace("-", " ").title(), shares, remarks)
    manifest = city_manifest(folder, about, extent, city_map, prepared, notes)
    config.write_json(folder / schema.MANIFEST, manifest)
    staging.move_into_place(folder, out, manifest)
    stages.start("The atlas is written", 1.0)("", 1.0)
    return out


def _draw(
    folder: Path, extent: Extent, layers: CityLayers, prepared: own_data.Prepared, seed: int, stages: Stages
) -> list[tuple[place_tables.Described, NDArray[np.bool_]]]:
    """Draw and describe one city after the other: its places, and which of its buildings have estimated heights."""
    report = stages.start("Land, buildings, places and texts", 0.70)
    parts = draw_parts(folder, extent, layers, paints_aerial=not prepared.own.aerial, seed=seed, report=report)
    return [(place_tables.describe_part(part, prepared, report), part.estimated) for part in parts]


def _guessed(parts: list[NDArray[np.bool_]]) -> dict[str, float]:
    flags = np.concatenate(parts)
    return {"estimated building heights": round(float(flags.mean()) if len(flags) else 0.0, 4)}


def _prepared(own: OwnData, extent: Extent, asked_m: float | None, out: Path) -> tuple[own_data.Prepared, float]:
    """A person's data looked through, and the side of the windows; refuses what does not fit on the disk."""
    prepared = own_data.prepare(own, extent.ground, extent.grids(extent.ground))
    window_m = own_data.window_of(prepared, asked_m, WINDOW_M, SMALLEST_WINDOW_M)
    own_data.refuse_full_disk(prepared, out)
    return replace(prepared, spots=own_data.spots_of(prepared, window_m)), window_m


def _check(name: str, out: Path, own: OwnData, window_m: float | None) -> None:
    """Refuse what cannot be built before anything is read."""
    staging.check_name(name)
    staging.check_folder(out, name)
    own.check()
    if window_m is not None and not SMALLEST_WINDOW_M <= window_m <= WINDOW_M:
        raise InputError(f"A window is {SMALLEST_WINDOW_M:g} to {WINDOW_M:g} m wide, not {window_m:g} m.")
