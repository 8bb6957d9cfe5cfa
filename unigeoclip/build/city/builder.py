"""A city's atlas, built from vector tiles; real rasters and photos can stand in place of drawn ones.

Everything is written into a folder beside the atlas, which an interrupted build picks up again, and moved into place
when it is complete. The same tiles and seed give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from unigeoclip import config
from unigeoclip.atlas import schema
from unigeoclip.atlas.rasters import Raster
from unigeoclip.atlas.store import ATLASES_FOLDER, known_share
from unigeoclip.build import parquet
from unigeoclip.build.city import captions, cells, tile_sources, user_photos, user_rasters, vector_tiles
from unigeoclip.build.city.manifest import GRID_STEP_DEG, About, city_manifest, unread_share
from unigeoclip.build.city.user_data import OwnData, covered, refuse_uncovered
from unigeoclip.build.rules import city_rules
from unigeoclip.build.sentences import number_sentences, write_sentence_vectors
from unigeoclip.build.stages import Stages
from unigeoclip.city import city_model, ortho, raster_storage, street_view
from unigeoclip.city.layers import TEXT_COLUMNS, CityGrid, CityLayers, CityRasters
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.build.sentences import Embed, Sentence
    from unigeoclip.build.stages import Progress
    from unigeoclip.geo import Bounds

BUILDER = 7  # raised when the same tiles give another atlas: a half-done build of another number starts afresh
GROUND_PX_M = 2.5  # of the aerial picture
CITY_PX_M = 3.0  # of heights and street views: their outlines are smoothed, and half the bytes of an atlas are outlines
WINDOW_M = 225.0
SMALLEST_WINDOW_M = 80.0  # 32 pixels of the aerial picture
MARGIN_M = 220.0  # between the centre of a place and the edge: half a window, and room to draw positions in
VIEW_STEP_DEG = 2.0**-18  # 0.4 m: positions that are exact in binary pack well
GALLERY_PLACES = 4_500  # what is shown and searched; encoded when an atlas is first opened
GALLERY_PICTURES = 500  # beside them, places that have what few places have
LARGEST_CITY_PX = 400_000_000  # 50 x 50 km; more would not fit into memory
_ROWS_AT_ONCE = 640


def build_city(
    name: str,
    source: str | Path,
    out: str | Path,
    *,
    bbox: Bounds | None = None,
    own: OwnData | None = None,
    title: str | None = None,
    seed: int = 0,
    window_m: float = WINDOW_M,
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
        window_m: Side of the aerial and surface windows, `SMALLEST_WINDOW_M` to `WINDOW_M` metres. Smaller ones fit
            into pictures that are smaller than the default.
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
    _check(name, Path(out), own, window_m)
    stages = Stages(progress or (lambda _text, _share: None))
    tile_set = tile_sources.open_tiles(source, bbox, cache, stages.start("Tiles", 0.02))
    grid = _grid_over(bbox or tile_set.bounds_deg)
    user_rasters.check(grid, own.aerial, own.surface)
    photos = None if own.street is None else user_photos.read_photos(own.street, grid.bounds_deg)
    remarks = [*own.unlicensed(), *(photos.notes if photos else ())]
    staging = Path(out).with_name(f".{Path(out).name}.building")
    _open_staging(staging, [name, str(source), bbox, seed, window_m, BUILDER, _digest(tile_set), *own.stamps()])
    layers, notes = _layers(staging, tile_set, stages.start("Map", 0.25))
    city, estimated = _paint_city(staging, layers, grid, own, seed, stages, remarks)
    report = stages.start("Places, views and texts", 0.75)
    told = _places_and_views(staging, layers, city, own, photos, window_m, remarks, report)
    _write_sentence_vectors(staging, told.gallery_texts, embed, stages.start("Sentence vectors", 0.98))
    city_rules.build_city_rules(name, staging / schema.RULES_FOLDER, grid.bounds_deg, GRID_STEP_DEG)
    shares = {"estimated building heights": estimated, **told.shares, **unread_share(tile_set, notes)}
    about = About(name, window_m, title or name.replace("-", " ").title(), shares, remarks)
    manifest = city_manifest(staging, about, grid, tile_set, own, notes)
    config.write_json(staging / schema.MANIFEST, manifest)
    _move_into_place(staging, Path(out), manifest)
    stages.start("The atlas is written", 1.0)("", 1.0)
    return Path(out)


def _check(name: str, out: Path, own: OwnData, window_m: float) -> None:
    """Refuse what cannot be built before anything is read."""
    _check_name(name)
    _check_folder(out, name)
    own.check()
    if not SMALLEST_WINDOW_M <= window_m <= WINDOW_M:
        raise InputError(f"A window is {SMALLEST_WINDOW_M:g} to {WINDOW_M:g} m wide, not {window_m:g} m.")


def _grid_over(bounds_deg: Bounds) -> CityGrid:
    grid = CityGrid.cover(bounds_deg, GROUND_PX_M)
    if grid.width * grid.height > LARGEST_CITY_PX:
        raise InputError(
            f"The city would have {grid.width:,} x {grid.height:,} pixels of {GROUND_PX_M} m. Choose a smaller --bbox."
        )
    return grid


def _paint_city(
    staging: Path, layers: CityLayers, grid: CityGrid, own: OwnData, seed: int, stages: Stages, remarks: list[str]
) -> tuple[CityRasters, float]:
    """Write all rasters; returns what street views are made of, and the share of buildings with estimated heights."""
    report = stages.start("Heights and land", 0.35)
    report("painting land, buildings and trees", 0.0)
    model, fine = city_model.build_model(layers, grid)
    report(f"writing the rasters, {len(model.trees.xy_m):,} trees", 0.5)
    city = _write_rasters(staging, model)
    report = stages.start("Aerial picture", 0.60)
    if own.aerial is None:
        _paint_aerial(staging, ortho.AerialPainter(model, fine, layers["building"], seed), report)
    remarks += _write_own_rasters(staging, grid, own, report)
    return city, round(float(model.estimated.mean()) if len(model.estimated) else 0.0, 4)


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,40}", name):
        raise InputError(f"{name!r} is no name for an atlas: use small letters, digits and hyphens, such as 'boston'.")


def _check_folder(folder: Path, name: str) -> None:
    """An atlas may be replaced by a new one of its own name only."""
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


# The half-done build


def _digest(tile_set: tile_sources.TileSet) -> str:
    """Changes with the tiles: their names, sizes and times of change."""
    digest = hashlib.sha256()
    for tile in tile_set.tiles:
        path = Path(tile.path)
        stamp = f"{path.stat().st_size} {path.stat().st_mtime_ns}" if path.is_file() else ""
        digest.update(f"{tile.path} {stamp}\n".encode())
    return digest.hexdigest()


def _open_staging(staging: Path, key: list[Any]) -> None:
    """Keep what an interrupted build of the same thing left, throw away anything else."""
    note = staging / "key.json"
    text = json.dumps(key)
    if not (note.is_file() and note.read_text(encoding="utf-8") == text):
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        note.write_text(text, encoding="utf-8")


def _layers(staging: Path, tile_set: tile_sources.TileSet, report: Progress) -> tuple[CityLayers, dict[str, Any]]:
    """The map, from the tiles or from the build before; and which tiles were broken."""
    folder, note = staging / "layers", staging / "layers" / "tiles.json"
    if note.is_file():
        notes = config.read_json(note)
        tile_set.broken.update(notes["broken"])
        return {name: gpd.read_parquet(folder / f"{name}.parquet") for name in TEXT_COLUMNS}, notes
    layers = vector_tiles.read_layers(tile_set, report)
    folder.mkdir(exist_ok=True)
    for name, table in layers.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
    if tile_set.missing or tile_set.broken:
        unread = [*tile_set.missing, *(f"{name} ({why})" for name, why in tile_set.broken.items())]
        report(f"{len(unread)} tiles are missing or broken and stay empty: {', '.join(unread[:5])}", 1.0)
    digest, size = hashlib.sha256(), 0
    for tile in tile_set.tiles:
        if Path(tile.path).is_file():
            data = Path(tile.path).read_bytes()
            digest.update(data)
            size += len(data)
    notes = {"broken": tile_set.broken, "missing": tile_set.missing, "sha256": digest.hexdigest(), "bytes": size}
    config.write_json(note, notes)
    return layers, notes


def _write_rasters(staging: Path, model: city_model.CityModel) -> CityRasters:
    """Write what heights and street views are made of, and return it: what does not depend on the seed."""
    grid = CityGrid.cover(model.grid.bounds_deg, CITY_PX_M)
    bare, building_id, roof = city_model.paint_city(model, grid)
    raster_storage.write_city(staging / schema.CITY, grid, bare, building_id, roof)
    return city_model.raise_city(grid, bare, building_id, roof)[0]


def _write_own_rasters(staging: Path, grid: CityGrid, own: OwnData, report: Progress) -> list[str]:
    """Write a person's own picture and heights, and where they are known if that is not everywhere; returns notes."""
    remarks: list[str] = []
    if own.aerial is not None:
        report(f"reading {own.aerial.name}", 0.0)
        photo = user_rasters.read_picture(own.aerial, grid)
        raster_storage.write_aerial(staging / schema.RASTERS["aerial"], grid, photo.rgb, raster_storage.PHOTO_QUALITY)
        _write_validity(staging / schema.VALIDITY["aerial"], grid, photo.valid)
        remarks += photo.notes
    if own.surface is not None:
        report(f"reading {own.surface.name}", 0.0)
        measured = user_rasters.read_heights(own.surface, grid)
        raster_storage.write_heights(staging / schema.RASTERS["surface"], grid, measured.height_m, max_error_m=0.1)
        _write_validity(staging / schema.VALIDITY["surface"], grid, measured.valid)
        remarks += measured.notes
    return remarks


def _write_validity(path: Path, grid: CityGrid, valid: NDArray[np.bool_]) -> None:
    """Without the file everything is known."""
    path.unlink(missing_ok=True)
    if not valid.all():
        raster_storage.write_validity(path, grid, valid)


def _paint_aerial(staging: Path, painter: ortho.AerialPainter, report: Progress) -> None:
    """Paint some rows at a time into a file that an interrupted build finds again."""
    if (staging / schema.RASTERS["aerial"]).is_file():
        return
    height, width = painter.grid.shape
    path, note = staging / "aerial.npy", staging / "aerial.rows"
    done = int(note.read_text()) if note.is_file() and path.is_file() else 0
    picture = np.lib.format.open_memmap(path, "r+" if done else "w+", np.uint8, None if done else (height, width, 3))
    for first in range(done, height, _ROWS_AT_ONCE):
        last = min(first + _ROWS_AT_ONCE, height)
        picture[first:last] = painter.rows(first, last)
        picture.flush()
        note.write_text(str(last))
        report(f"row {last:,} of {height:,}", last / height)
    raster_storage.write_aerial(staging / schema.RASTERS["aerial"], painter.grid, picture)
    path.unlink()
    note.unlink()


# Places, views, sentences


@dataclass(frozen=True)
class _Told:
    """What later stages need of the places: sentences of the gallery, and the shares of places with own data."""

    gallery_texts: list[str]
    shares: dict[str, float]


def _places_and_views(
    staging: Path,
    layers: CityLayers,
    rasters: CityRasters,
    own: OwnData,
    photos: user_photos.Photos | None,
    window_m: float,
    remarks: list[str],
    report: Progress,
) -> _Told:
    """Write places, views and sentences; what is left out or lacking is added to ``remarks``."""
    report("choosing places", 0.0)
    table = cells.land_cells(rasters, MARGIN_M)
    if table.empty:
        raise InputError(
            f"No place lies {MARGIN_M:.0f} m or more inside the city on land. Choose a larger --bbox, or one with land."
        )
    blocks = cells.held_out_blocks(table[["lat", "lon"]].to_numpy(np.float64))
    report("choosing views", 0.1)
    poses = street_view.view_poses(layers, rasters.grid, rasters) if photos is None else photos.table
    snapped = {name: (poses[name] / VIEW_STEP_DEG).round() * VIEW_STEP_DEG for name in ("lat", "lon")}
    views = cells.split_views(poses.assign(**snapped), table, blocks).assign(photo="")
    if photos is not None:
        views, left_out = _stored_photos(staging, views, photos)
        remarks += left_out
    table = cells.split_cells(table, views, blocks)
    present = _present(staging, own, table, views, window_m)
    shares = {}
    for modality, here in present.items():
        name, share, sentence = covered(modality, here)
        shares[name] = share
        remarks += [sentence] if sentence else []
    report("writing texts", 0.2)
    latlon = table[["lat", "lon"]].to_numpy(np.float64)
    described = captions.describe(list(table["place_id"]), latlon, layers, rasters)
    shares["places inside a town's boundary"] = round(float(np.mean([place.bounded for place in described])), 4)
    report("writing tables", 0.9)
    gallery = _choose_gallery(len(table), present)
    sentences, rows, in_gallery = number_sentences([place.sentences for place in described], gallery)
    table = table.assign(
        name=[place.name for place in described],
        country="",
        stratum=[place.stratum for place in described],
        gallery=gallery,
        sentences=rows,
    )
    _write_tables(staging, table, views, sentences)
    return _Told([text for _, text in sentences[:in_gallery]], shares)


def _choose_gallery(count: int, present: dict[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Which of the places are shown and searched, (count,); ``present`` says which have what few have."""
    gallery = np.zeros(count, bool)
    gallery[_evenly(count, GALLERY_PLACES)] = True  # along the curve of the cells, which fills the city evenly
    for here in present.values():
        if not here.all():
            having = np.flatnonzero(here)
            gallery[having[_evenly(len(having), GALLERY_PICTURES)]] = True
    return gallery


def _stored_photos(staging: Path, views: pd.DataFrame, photos: user_photos.Photos) -> tuple[pd.DataFrame, list[str]]:
    """Store the photos of views; returns the views that have one, and notes on what is left out.

    Raises:
        InputError: None is left.
    """
    if views.empty:
        raise InputError(
            f"None of the {len(photos.table):,} photos of --street was taken in a place of the city: places are on "
            f"land, {MARGIN_M:.0f} m or more inside the --bbox."
        )
    remarks = []
    if lost := len(photos.table) - len(views):
        remarks.append(
            f"{lost:,} of {len(photos.table):,} photos are left out: they were taken on water, or less than "
            f"{MARGIN_M:.0f} m from the edge of the city."
        )
    stored_as, broken = user_photos.store_photos(views, staging / schema.PHOTOS_FOLDER)
    views = views.assign(photo=stored_as)
    return views[views["photo"].notna()].reset_index(drop=True), [*remarks, *broken]


def _present(
    staging: Path, own: OwnData, table: pd.DataFrame, views: pd.DataFrame, window_m: float
) -> dict[str, NDArray[np.bool_]]:
    """Of each kind of own data, which places have it, (places,).

    Raises:
        InputError: Not one place has a kind.
    """
    latlon, present = table[["lat", "lon"]].to_numpy(np.float64), {}
    for modality, path in own.files.items():
        best = 0.0
        if modality == "street":
            here = table["place_id"].isin(views["place_id"]).to_numpy(np.bool_)
        elif (valid := staging / schema.VALIDITY[modality]).is_file():
            share = known_share(Raster.open(valid), latlon, window_m)
            here, best = share >= schema.LEAST_VALID, float(share.max())
        else:
            here = np.ones(len(table), np.bool_)
        refuse_uncovered(modality, path, here, best)
        present[modality] = here
    return present


def _evenly(count: int, most: int) -> NDArray[np.int64]:
    """At most so many of the numbers from 0 to count - 1, evenly spread."""
    return np.unique(np.rint(np.linspace(0, count - 1, min(count, most))).astype(np.int64))


def _write_tables(staging: Path, table: pd.DataFrame, views: pd.DataFrame, sentences: list[Sentence]) -> None:
    columns = [column for column in schema.place_columns("views") if column != "geometry"]
    parquet.write_places(staging / schema.PLACES, table[columns])
    parquet.write_views(staging / schema.VIEWS, views.astype({"heading_deg": np.float64}))
    parquet.write_sentences(staging / schema.SENTENCES, sentences)


def _write_sentence_vectors(staging: Path, texts: list[str], embed: Embed | None, report: Progress) -> None:
    """Write vectors of sentences, unless the build before the interruption did."""
    path, note = staging / schema.SENTENCE_VECTORS, staging / "vectors.key"
    key = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    if path.is_file() and note.is_file() and note.read_text() == key:
        return
    count = len(texts)
    write_sentence_vectors(path, texts, embed, lambda done: report(f"{done:,} of {count:,}", done / count))
    note.write_text(key)


def _move_into_place(staging: Path, folder: Path, manifest: schema.Manifest) -> None:
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
