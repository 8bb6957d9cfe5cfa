"""What is known of open data services: addresses, licenses, whom to name. Their addresses and terms may change."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["COLLECTIONS", "READABLE_LICENSES", "TILES", "Collection", "Tiles", "license_of", "tokens_of"]

PLANETARY_COMPUTER = "https://planetarycomputer.microsoft.com/api/stac/v1"
EARTH_SEARCH = "https://earth-search.aws.element84.com/v1"
COPERNICUS_DEM = (
    "© DLR e.V. 2010-2014 and © Airbus Defence and Space GmbH 2014-2018, provided under COPERNICUS by the European "
    "Union and ESA; all rights reserved"
)


@dataclass(frozen=True)
class Collection:
    """A collection of a STAC service.

    Attributes:
        modality: "aerial" or "surface".
        title: What it is, for people.
        catalog: Address of the STAC service.
        name: Of the collection there.
        asset: Which file of an item has the pixels.
        license: Of all its items.
        credit: Whom to name.
        ground_px_m: Ground resolution of items that do not say it.
        px_bytes: Bytes of one pixel, all bands, before compression.
        clear: Whether the item with the fewest clouds is the best, not the newest.
    """

    modality: str
    title: str
    catalog: str
    name: str
    asset: str
    license: str
    credit: str
    ground_px_m: float
    px_bytes: int
    clear: bool = False


_NAIP = "USDA Farm Service Agency, National Agriculture Imagery Program"
_LIDAR = "U.S. Geological Survey, 3D Elevation Program"
_SENTINEL = "contains modified Copernicus Sentinel data"
COLLECTIONS: dict[str, Collection] = {
    "naip": Collection("aerial", "aerial photographs of the US, 0.3 to 1 m", PLANETARY_COMPUTER, "naip", "image",
                       "public domain", _NAIP, 0.6, 4),
    "3dep-lidar-dsm": Collection("surface", "lidar surface model of parts of the US, 2 m", PLANETARY_COMPUTER,
                                 "3dep-lidar-dsm", "data", "public domain", _LIDAR, 2.0, 4),
    "3dep-lidar-hag": Collection("surface", "lidar heights above ground of parts of the US, 2 m", PLANETARY_COMPUTER,
                                 "3dep-lidar-hag", "data", "public domain", _LIDAR, 2.0, 4),
    "cop-dem-glo-30": Collection("surface", "surface model of the world, 30 m", PLANETARY_COMPUTER, "cop-dem-glo-30",
                                 "data", "Copernicus DEM license", COPERNICUS_DEM, 30.0, 4),
    "sentinel-2-l2a": Collection("aerial", "satellite pictures of the world, 10 m", PLANETARY_COMPUTER,
                                 "sentinel-2-l2a", "visual", "Copernicus Sentinel data terms", _SENTINEL, 10.0, 3,
                                 clear=True),
    "sentinel-2-c1-l2a": Collection("aerial", "satellite pictures of the world, 10 m", EARTH_SEARCH,
                                    "sentinel-2-c1-l2a", "visual", "Copernicus Sentinel data terms", _SENTINEL, 10.0, 3,
                                    clear=True),
}  # fmt: skip


@dataclass(frozen=True)
class Tiles:
    """A server of map tiles.

    Attributes:
        title: What it shows, for people.
        template: Address with {z}, {x} and {y}, in Web Mercator.
        license: Of the pictures; empty if a person has to state it.
        credit: Whom to name.
        largest_zoom: The finest that it has.
    """

    title: str
    template: str
    license: str = ""
    credit: str = ""
    largest_zoom: int = 19


TILES: dict[str, Tiles] = {
    "naip": Tiles(
        "the latest aerial photographs of the US, 0.3 to 1 m",
        "https://imagery.nationalmap.gov/arcgis/rest/services/USGSNAIPPlus/ImageServer/tile/{z}/{y}/{x}",
        "public domain",
        _NAIP,
    ),
    "massgis-2021": Tiles(
        "aerial photographs of Massachusetts of 2021, 15 cm",
        "https://tiles.arcgis.com/tiles/hGdibHYSPO59RG1h/arcgis/rest/services/orthos2021/MapServer/tile/{z}/{y}/{x}",
        "free use with credit",
        "MassGIS (Bureau of Geographic Information), Commonwealth of Massachusetts",
        20,
    ),
    "pdok-ortho": Tiles(
        "the latest aerial photographs of the Netherlands, 8 cm",
        "https://service.pdok.nl/hwh/luchtfotorgb/wmts/v1_0/Actueel_orthoHR/EPSG:3857/{z}/{x}/{y}.jpeg",
        "CC BY 4.0",
        "Beeldmateriaal Nederland",
        19,
    ),
}

# Identifiers of licenses as services give them -> as people read them.
READABLE_LICENSES = {
    "cc-by-4.0": "CC BY 4.0",
    "cc-by-sa-4.0": "CC BY-SA 4.0",
    "cc0-1.0": "CC0 1.0",
    "etalab-2.0": "Licence Ouverte 2.0 (Etalab)",
    "pddl-1.0": "public domain",
    "odbl-1.0": "ODbL 1.0",
}
_SAYING_NOTHING = ("", "proprietary", "various", "other", "none", "unknown", "not-provided")


def license_of(said: object, page: object = None) -> str:
    """A license as people read it; empty if there is none.

    Args:
        said: Identifier or name of the license.
        page: Address of its text, which alone tells what "other" or "proprietary" means.
    """
    text = " ".join(str(said or "").split())[:100]
    if text.lower() in _SAYING_NOTHING:
        return f"see {page[:200]}" if isinstance(page, str) and page.startswith("https://") else ""
    return READABLE_LICENSES.get(text.lower(), text)


def tokens_of(catalog: str) -> str | None:
    """Address that gives tokens for the files of a STAC service, with {collection}; None if it needs none."""
    if catalog.rstrip("/") == PLANETARY_COMPUTER:
        return "https://planetarycomputer.microsoft.com/api/sas/v1/token/{collection}"
    return None
