"""The form of an atlas folder: the manifest, the files, the columns of its tables."""

from __future__ import annotations

from dataclasses import dataclass, field

FORMAT = 1
MANIFEST = "atlas.json"
PLACES = "places.parquet"
SENTENCES = "sentences.parquet"
SENTENCE_VECTORS = "sentence_vectors.safetensors"
LAND = "land.tif"  # 0 is water and the sea, all else is land
CITY = "city.tif"  # land class, façade code, roof level: what heights, land and street views of a city are made of
VIEWS = "views.parquet"
PHOTOS_FOLDER = "street"
MODEL_FOLDER = "model"
VECTORS_FOLDER = "vectors"
LINES = ".geojson.gz"  # ending of a line layer, compressed as browsers take it
RULES_FOLDER = "rules"
RASTERS = {"aerial": "aerial.tif", "surface": "surface.tif"}
# Where a raster does not cover the whole atlas: 255 on its known pixels, 0 elsewhere. Without the file all are known.
VALIDITY = {"aerial": "aerial_valid.tif", "surface": "surface_valid.tif"}
LEAST_VALID = 0.9  # share of known pixels from which on a window is a picture: a place with less lacks the modality

# How the description of a source begins that gives the pictures of one modality.
SOURCE_OF = {name: f"{file}:" for name, file in (*RASTERS.items(), ("street", f"{PHOTOS_FOLDER}/"))}

MODALITIES = ("location", "aerial", "street", "surface", "text")
OVERTURE = "Overture Maps"  # name of its sources
PICTURE_ORIGINS = ("photographed", "measured", "rendered")

# Column -> kind of its values: "text", "number", "truth", "numbers" (a list), or the allowed words.
# In the file, lat and lon of a place stand in its geometry alone.
PLACE_COLUMNS: dict[str, str | tuple[str, ...]] = {
    "place_id": "text",
    "lat": "number",
    "lon": "number",
    "name": "text",
    "country": "text",
    "stratum": "text",
    "random": ("train", "held_out"),
    "blocks": ("train", "held_out", "buffer"),
    "gallery": "truth",
    "sentences": "numbers",
    "geometry": "point",
}
# How places are split beside "blocks": at random among training points, or, in a city, by "views": held out are places
# with a held-out view in territory that is trained on.
SPLITS = ("random", "views")
SENTENCE_COLUMNS = {"kind": "text", "text": "text"}
VIEW_COLUMNS: dict[str, str | tuple[str, ...]] = {
    "place_id": "text",
    "lat": "number",
    "lon": "number",
    "heading_deg": "number",
    "road_class": "text",
    "street": "text",
    "photo": "text",  # path in the folder; empty where the view is rendered
    "views": ("train", "held_out"),
    "blocks": ("train", "held_out", "buffer"),
}
# What a view may have beside these where it is a photo; empty where nobody says: ISO 8601, license, whom to name, page.
PHOTO_COLUMNS = ("time", "license", "credit", "url")


def place_columns(split: str) -> dict[str, str | tuple[str, ...]]:
    """Columns of the places of an atlas that is split in this way, one of `SPLITS`."""
    return {split if name == "random" else name: kind for name, kind in PLACE_COLUMNS.items()}


def credits_of(manifest: Manifest, modality: str) -> list[str]:
    """Whom to name beside a picture of a modality: the makers of its file; none where it is drawn."""
    begin = SOURCE_OF.get(modality)
    makers = [source.attribution for source in manifest.sources if begin and source.what.startswith(begin)]
    return list(dict.fromkeys(maker for maker in makers if maker))


@dataclass(frozen=True)
class Source:
    """Where data of an atlas comes from; ``bytes`` and ``sha256`` are those of the package it was taken out of."""

    name: str
    package: str
    version: str
    url: str
    what: str
    licence: str
    attribution: str
    date: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class FileEntry:
    """Size and checksum of one file of the folder."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class GridSpec:
    """Spacing of the cells over which heatmaps are computed."""

    step_deg: float = 0.5


@dataclass(frozen=True)
class Manifest:
    """What ``atlas.json`` says.

    Attributes:
        format: Version of this form, `FORMAT`.
        name: Name of the folder.
        title: Name on screen.
        summary: One or two sentences.
        bounds: South, west, north, east in degrees.
        modalities: Those the places have.
        window_m: Side of the aerial and surface windows in local metres.
        grid: Heatmap cells.
        pictures: Modality -> "photographed", "measured" or "rendered".
        shares: Named shares, 0 to 1, of what was estimated rather than known.
        sources: Origin and licence of everything in the folder.
        files: Path in the folder -> size and checksum.
        notes: What a person should know of the data, in whole sentences: what was left out, what is taken for what.
        areas: South, west, north, east of each of several cities that share an atlas; nothing lies between them.
    """

    format: int
    name: str
    title: str
    summary: str
    bounds: tuple[float, float, float, float]
    modalities: list[str]
    window_m: float
    grid: GridSpec
    pictures: dict[str, str]
    sources: list[Source]
    files: dict[str, FileEntry] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    areas: list[tuple[float, float, float, float]] = field(default_factory=list)
