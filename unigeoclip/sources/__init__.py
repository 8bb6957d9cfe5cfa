"""Sources of real data: aerial pictures, heights and street photos from open services, for the builder of cities.

A source is named by a word, SCHEME:REST, such as stac:naip, ahn: or panoramax:. It finds what a service has in an area,
says what that costs, and writes it as ordinary files into the cache folder, with license and credit of each: GeoTIFFs
with a table ``sources.csv``, or JPEGs with a table ``photos.csv``. A new source is one new file and one line in
:data:`SOURCES`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from unigeoclip.errors import InputError, excerpt

if TYPE_CHECKING:
    from unigeoclip.sources.base import PhotoSource, RasterSource

__all__ = ["SOURCES", "Entry", "is_source", "open_source"]


@dataclass(frozen=True)
class Entry:
    """How a source is made; its module is imported when it is asked for.

    Attributes:
        factory: "module.Class" below this folder; takes what follows the colon.
        modalities: What it can serve.
        example: A word that names it.
        what: What it has, for lists.
    """

    factory: str
    modalities: tuple[str, ...]
    example: str
    what: str


SOURCES: dict[str, Entry] = {
    "stac": Entry("stac.StacSource", ("aerial", "surface"), "stac:naip", "collections of STAC services and catalogs"),
    "xyz": Entry("xyz.TileSource", ("aerial",), "xyz:pdok-ortho", "map tiles (XYZ, WMTS, ArcGIS)"),
    "ahn": Entry("ahn.AhnSource", ("surface",), "ahn:", "surface model of the Netherlands, 0.5 m"),
    "panoramax": Entry("panoramax.PanoramaxSource", ("street",), "panoramax:", "street photos, most of them of Europe"),
    "amsterdam": Entry("amsterdam.AmsterdamSource", ("street",), "amsterdam:", "panoramas of Amsterdam"),
    "alphaearth": Entry(
        "parquet.alphaearth.AlphaEarthSource", ("embeddings",), "alphaearth:", "embeddings of land, 10 m, by year"
    ),
    "mapillary": Entry("mapillary.MapillarySource", ("street",), "mapillary:", "street photos, with a token"),
}


def is_source(word: str) -> bool:
    """Whether a word names a source of the table, not a file."""
    scheme, colon, _ = word.partition(":")
    return bool(colon) and scheme in SOURCES


def open_source(word: str, modality: str) -> RasterSource | PhotoSource:
    """The source that a word names.

    Args:
        word: SCHEME:REST.
        modality: What it is wanted for: "aerial", "surface", "street" or "embeddings".

    Raises:
        InputError: There is no such source, or not for this modality.
    """
    scheme, _, rest = word.partition(":")
    entry = SOURCES.get(scheme)
    if entry is None or modality not in entry.modalities:
        fitting = ", ".join(each.example for each in SOURCES.values() if modality in each.modalities)
        raise InputError(f"--{modality} {excerpt(word)} is no source of that kind. Examples: {fitting}")
    module, _, name = entry.factory.rpartition(".")
    factory: Any = getattr(import_module(f"{__name__}.{module}"), name)
    source: RasterSource | PhotoSource = factory(rest)
    return source
