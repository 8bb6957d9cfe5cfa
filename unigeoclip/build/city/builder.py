"""A city's atlas, built from vector tiles; real rasters and photos can stand in place of drawn ones.

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
from unigeoclip.build.city import place_tables, staging, tile_sources
from unigeoclip.build.city.manifest import GRID_STEP_DEG, About, city_manifest, unread_share
from unigeoclip.build.city.own import prepared as own_data
from unigeoclip.build.city.own.user_data import OwnData
from unigeoclip.build.city.parts import Extent, draw_parts
from unigeoclip.build.rules import city_rules
from unigeoclip.build.stages import Stages
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from unigeoclip.build.sentences import Embed
    from unigeoclip.build.stages import Progress
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
        source: Vector tiles of the OpenMapTiles schema, see `tiles.open_tiles`.
        out: The atlas folder. A model in it stays; everything else is replaced at the very end.
        bbox: South, west, north, east in degrees; all tiles of the source by default.
        own: Real rasters and photos.
        title: Name on screen; the name with a capital by default.
        seed: Of what the aerial picture alone depends on: roof colours, textures, cars.
        window_m: Side of the aerial and surface windows, `SMALLEST_WINDOW_M` to `WINDOW_M` metres; by default the
            largest that fits into most of the pictures.
        cache: Folder of downloaded tiles.
        embed: Sentences -> (m, 384) unit vectors; the frozen sentence encoder by default.
        progress: Called with what is being done, with the time left of the stage, and the share of all that is done.

    Returns:
        The folder.

    Raises:
        InputError: A name, source, box, raster or table of photos that cannot be used; nothing was written to ``out``.
        DownloadError: Tiles cannot be fetched.
    """
    own = own or OwnData()
    out = Path(out)
    _check(name, out, own, window_m)
    stages = Stages(progress or (lambda _text, _share: None))
    tile_set = tile_sources.open_tiles(source, bbox, cache, stages.start("Tiles", 0.02))
    extent = Extent.of(tile_set, bbox)
    prepared = own_data.prepare(own, extent.ground, extent.grids(extent.ground))
    window_m = own_data.window_of(prepared, window_m, WINDOW_M, SMALLEST_WINDOW_M)
    prepared = replace(prepared, spots=own_data.spots_of(prepared, window_m))
    own_data.refuse_full_disk(prepared, out)
    remarks = list(prepared.notes)
    folder = out.with_name(f".{out.name}.building")
    stamp = [staging.digest_of(tile_set), *own.stamps()]
    staging.open_staging(folder, [name, str(source), bbox, seed, window_m, BUILDER, *stamp])
    layers, notes = staging.read_layers(folder, tile_set, stages.start("Map", 0.25))
    remarks += own_data.write_rasters(folder, prepared, extent.ground, stages.start("Pictures and heights", 0.35))
    report = stages.start("Land, buildings, places and texts", 0.70)
    parts, estimated = [], []
    drawn = draw_parts(folder, extent, layers, paints_aerial=not own.aerial, seed=seed, report=report)
    for part in drawn:
        parts.append(place_tables.describe_part(part, prepared, report))
        estimated.append(part.estimated)
    told = place_tables.write_places(folder, parts, prepared, window_m, remarks, stages.start("Places and views", 0.75))
    place_tables.write_vectors(folder, told.gallery_texts, embed, stages.start("Sentence vectors", 0.98))
    city_rules.build_city_rules(name, folder / schema.RULES_FOLDER, extent.ground.bounds_deg, GRID_STEP_DEG)
    guessed = np.concatenate(estimated)
    share = {"estimated building heights": round(float(guessed.mean()) if len(guessed) else 0.0, 4)}
    shares = {**share, **told.shares, **unread_share(tile_set, notes)}
    about = About(name, window_m, title or name.replace("-", " ").title(), shares, remarks)
    manifest = city_manifest(folder, about, extent, tile_set, prepared, notes)
    config.write_json(folder / schema.MANIFEST, manifest)
    staging.move_into_place(folder, out, manifest)
    stages.start("The atlas is written", 1.0)("", 1.0)
    return out


def _check(name: str, out: Path, own: OwnData, window_m: float | None) -> None:
    """Refuse what cannot be built before anything is read."""
    staging.check_name(name)
    staging.check_folder(out, name)
    own.check()
    if window_m is not None and not SMALLEST_WINDOW_M <= window_m <= WINDOW_M:
        raise InputError(f"A window is {SMALLEST_WINDOW_M:g} to {WINDOW_M:g} m wide, not {window_m:g} m.")
