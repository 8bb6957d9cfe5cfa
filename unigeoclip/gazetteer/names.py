"""The names that an atlas knows: of a city its districts, streets and sights, of the world its towns and landscapes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from unigeoclip.atlas.schema import VIEWS
from unigeoclip.gazetteer.folding import fold
from unigeoclip.gazetteer.towns import read_towns
from unigeoclip.geo import distance_m, unit_xyz

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from unigeoclip.atlas import Atlas

__all__ = ["KINDS", "PlaceName", "names_of"]

# Kinds of names, the ones that are more likely to be meant first; those of a city are kinds of its sentences.
SIGHTS = (
    "transit", "university", "landmark", "park", "culture", "water", "civic", "health", "sport", "school", "worship",
)  # fmt: skip
KINDS = ("town", "neighborhood", "landscape", "country", *SIGHTS, "street")
_WORDS = {"transit": "station", "culture": "place of culture", "civic": "public building", "health": "health care",
          "sport": "sports ground", "worship": "place of worship"}  # fmt: skip
SAME_TOWN_M = 40_000.0  # a name of the atlas within that distance of a town of this name is that town
MAX_CHARACTERS = 60  # what is longer is a sentence
_ARTICLES = re.compile(r"(?:(?:in|near|by|on the banks of|on) )?(?:the )?")
_AT = re.compile(r"(?:near|by|on the banks of) ")


@dataclass(frozen=True)
class PlaceName:
    """A name, and where it is.

    Attributes:
        name: As it is written.
        detail: What tells it from others of the same name: the country, or the kind and the part of a city.
        kind: One of `KINDS`.
        lat: Latitude, degrees.
        lon: Longitude, degrees.
        weight: How much there is of it: inhabitants of a town where they are known, else places of the atlas.
        others: Other spellings and names.
    """

    name: str
    detail: str
    kind: str
    lat: float
    lon: float
    weight: float = 1.0
    others: tuple[str, ...] = ()


def names_of(atlas: Atlas) -> list[PlaceName]:
    """All names of an atlas; of an atlas without street views the towns of GeoNames within its bounds as well.

    Args:
        atlas: Its places are called "town, country" and have sentences, or "street, part, town" and have views.
    """
    if "street" in atlas.manifest.modalities:
        table = _placed(atlas)
        return [*_areas(table), *_streets(atlas, table), *_sights(atlas, table)]
    towns = _towns(atlas)
    return [*towns, *_landscapes(atlas, towns)]


def _towns(atlas: Atlas) -> list[PlaceName]:
    table = read_towns()
    south, west, north, east = atlas.manifest.bounds
    inside = table["lat"].between(south, north) & ((table["lon"] - west) % 360 <= east - west)
    return [
        PlaceName(row.name, row.country, "town", row.lat, row.lon, float(row.population), tuple(row.others))
        for row in table[inside].itertuples(index=False)
    ]


def _landscapes(atlas: Atlas, towns: list[PlaceName]) -> list[PlaceName]:
    """Landscapes, countries, and towns too small for the table of towns: what the places of the atlas are called."""
    landscapes = _said(atlas, ("natural_region",))
    parts = atlas.places["name"].str.rsplit(", ", n=1, expand=True).reindex(columns=[0, 1]).fillna("")
    table = pd.DataFrame(
        {"name": parts[0], "country": parts[1], "lat": atlas.places["lat"], "lon": atlas.places["lon"]}
    )
    named = table[~table["name"].str.startswith("near ")]
    found = [
        PlaceName(name, "landscape", "landscape", lat, lon, count)
        for (name,), lat, lon, count in _central(landscapes, ["name"])
    ]
    known: dict[str, list[PlaceName]] = {town.name: [] for town in towns}
    for town in towns:
        known[town.name].append(town)
    for (name, country), lat, lon, count in _central(
        named[~named["name"].isin(landscapes["name"])], ["name", "country"]
    ):
        towns_so_called = np.array([(town.lat, town.lon) for town in known.get(name, ())]).reshape(-1, 2)
        is_known = bool((distance_m((lat, lon), towns_so_called) < SAME_TOWN_M).any())
        if name and country and not is_known:
            found.append(PlaceName(name, country, "town", lat, lon, count))
    countries = _central(table[table["country"] != ""], ["country"])
    return [*found, *(PlaceName(name, "country", "country", lat, lon, n) for (name,), lat, lon, n in countries)]


def _areas(table: pd.DataFrame) -> list[PlaceName]:
    """Towns and their parts."""
    towns = _central(table[table["town"] != ""], ["town"])
    parts = _central(table[table["part"] != ""], ["part", "town"])
    return [
        *(PlaceName(name, "town or city", "town", lat, lon, count) for (name,), lat, lon, count in towns),
        *(PlaceName(name, town, "neighborhood", lat, lon, count) for (name, town), lat, lon, count in parts),
    ]


def _streets(atlas: Atlas, table: pd.DataFrame) -> list[PlaceName]:
    file = atlas.path / VIEWS
    if not file.is_file():
        return []
    views = pd.read_parquet(file, columns=["place_id", "lat", "lon", "street"])
    towns = table.set_index(atlas.places["place_id"])["town"]
    views["town"] = views["place_id"].map(towns).fillna("")
    streets = _central(views[(views["street"] != "") & views["street"].notna()], ["street", "town"])
    return [
        PlaceName(name, f"street in {town}" if town else "street", "street", lat, lon, count)
        for (name, town), lat, lon, count in streets
    ]


def _sights(atlas: Atlas, table: pd.DataFrame) -> list[PlaceName]:
    """What sentences of places name: stations, parks, museums."""
    said = _said(atlas, SIGHTS)
    said["town"] = table["town"].loc[said.index]
    return [
        PlaceName(
            name, f"{_WORDS.get(kind, kind)} in {town}" if town else _WORDS.get(kind, kind), kind, lat, lon, count
        )
        for (name, kind, town), lat, lon, count in _central(said, ["name", "kind", "town"])
    ]


def _said(atlas: Atlas, kinds: Sequence[str]) -> pd.DataFrame:
    """Names in sentences of these kinds, once for each place that has one; the index is that of the place.

    Of what is said both to be there and to be near, only the former counts.
    """
    sentences = atlas.sentences
    rows = sentences[sentences["kind"].isin(kinds)]
    said = pd.DataFrame({"kind": rows["kind"], "near": rows["text"].str.match(_AT)})
    said["name"] = rows["text"].map(lambda text: _bare(text).partition(", ")[0])
    said = said[said["name"].map(_is_name).astype(bool)]
    places = pd.DataFrame({key: atlas.places[key] for key in ("lat", "lon", "sentences")}).explode("sentences")
    numbers = pd.to_numeric(places["sentences"])
    places = places[numbers.isin(said.index)]
    joined = places.join(said, on="sentences")
    return joined[~joined["near"].astype(bool) | joined.groupby(["name", "kind"])["near"].transform("all")]


def _placed(atlas: Atlas) -> pd.DataFrame:
    """Positions of the places of a city, with their town and their part of it, empty where they have none."""
    places = atlas.places
    parts = places["name"].str.split(", ")
    streets = _street_names(atlas)
    areas = parts.map(lambda names: [name for name in names if name not in streets][-2:])
    town = areas.map(lambda names: names[-1] if names else "")
    part = areas.map(lambda names: names[0] if len(names) == 2 else "")
    return pd.DataFrame({"lat": places["lat"], "lon": places["lon"], "town": town, "part": part})


def _street_names(atlas: Atlas) -> set[str]:
    file = atlas.path / VIEWS
    return set(pd.read_parquet(file, columns=["street"])["street"].dropna()) if file.is_file() else set()


def _bare(text: str) -> str:
    """A sentence without what stands before the name: "near the Charles River" is "Charles River"."""
    begin = _ARTICLES.match(text)
    return text[begin.end() :] if begin else text


def _is_name(text: str) -> bool:
    return 3 <= len(text) <= MAX_CHARACTERS and text[0].isupper() and bool(fold(text))


def _central(table: pd.DataFrame, by: list[str]) -> list[tuple[tuple[str, ...], float, float, float]]:
    """Of rows that are called alike: their name, the position in their middle, and how many they are.

    The position is that of the row next to the mean on the sphere: a mean may lie beside the thing.
    """
    if table.empty:
        return []
    latlon: NDArray[np.float64] = table[["lat", "lon"]].to_numpy(float)
    groups = table.groupby(by, sort=True)
    codes = groups.ngroup().to_numpy()
    points = unit_xyz(latlon).astype(np.float64)
    sums = np.zeros((groups.ngroups, 3))
    np.add.at(sums, codes, points)
    order = np.lexsort((-(points * sums[codes]).sum(axis=1), codes))
    first = order[np.unique(codes[order], return_index=True)[1]]
    counts = np.bincount(codes, minlength=groups.ngroups)
    names = table[by].iloc[first].itertuples(index=False, name=None)
    return [
        (tuple(name), float(lat), float(lon), float(count))
        for name, (lat, lon), count in zip(names, latlon[first], counts, strict=True)
    ]
