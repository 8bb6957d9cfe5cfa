"""What the sources of the world atlas say about places: towns, relief, sea, climate, natural regions."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

from unigeoclip import geo
from unigeoclip.build.world.captions import PlaceFacts
from unigeoclip.build.world.climate import koeppen_geiger
from unigeoclip.build.world.geonames import read_member
from unigeoclip.build.world.macro_regions import parts_by_country, parts_by_region
from unigeoclip.build.world.natural_regions import regions_of_places

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from unigeoclip.atlas.rasters import Raster
    from unigeoclip.build.world.geonames import Country, Towns
    from unigeoclip.build.world.natural_regions import NaturalRegion

TOWN_MIN_POPULATION = 15_000  # a place in a town is named after one of at least so many
TOWN_KM = 12.0  # within it a place belongs to the town
QUARTER_KM = 8.0  # quarters and suburbs go by the name of the largest town so near
LANDMARK_KM = 70.0  # a place in the country is named after the largest town so near, else after the nearest at all
LANDMARK_MIN_POPULATION = 1_000
COUNTRYSIDE_KM = 120.0  # farther from any town is wilderness
BIG_CITY_POPULATION = 300_000
BIG_CITY_KM = 90.0
NEIGHBORHOOD_KM = 100.0
LAPSE_C_PER_M = 0.0065  # how much colder air is per metre of height
URALS_LON_DEG = 60.0
_ANTARCTICA_SOUTH_OF_DEG = -60.0
_SIZES = ((5_000_000, "megacity"), (1_000_000, "large city"), (100_000, "city"), (10_000, "town"), (0, "village"))


def settlement_class(population: int) -> str:
    """The word for a settlement of so many inhabitants."""
    return next(word for least, word in _SIZES if population >= least)


def gather_facts(
    place_ids: list[str],
    latlon: NDArray[np.float64],
    towns: Towns,
    countries: dict[str, Country],
    climate: NDArray[np.str_],
    surface: Raster,
    land: Raster,
    natural: tuple[list[NaturalRegion], NDArray[np.object_]],
) -> list[PlaceFacts]:
    """Collect everything the captions need, one `PlaceFacts` per place."""
    xyz = geo.unit_xyz(latlon)
    nearest_km, nearest = _nearest(towns, xyz)
    in_town, landmark = name_giving_towns(towns, xyz)
    big = towns.subset(towns.population >= BIG_CITY_POPULATION)
    big_km, big_nearest = _nearest(big, xyz)
    settlement = settlement_classes(towns, xyz, nearest_km)
    pattern = population_patterns(towns, xyz)
    terrain = terrain_classes(surface, latlon)
    water = water_classes(land, latlon)
    regions, shapes = natural
    inside, by_water = regions_of_places(latlon, regions, shapes)
    parts, parts_of_country = parts_by_country(), parts_by_region()
    facts = []
    for i, place_id in enumerate(place_ids):
        country = (
            countries.get(str(towns.country_code[nearest[i]])) if latlon[i, 0] > _ANTARCTICA_SOUTH_OF_DEG else None
        )
        town = int(landmark[i])
        size = settlement_class(int(towns.population[town])) if in_town[i] else "countryside"
        continent, part_names = continent_and_parts(country, float(latlon[i, 1]), parts)
        region = str(towns.region[nearest[i]]) if nearest_km[i] <= 2 * COUNTRYSIDE_KM else ""
        part_names += parts_of_country.get((country.code, region), ()) if country else ()
        big_name = str(big.name[big_nearest[i]]) if big_km[i] <= BIG_CITY_KM else ""
        facts.append(
            PlaceFacts(
                place_id=place_id,
                settlement=settlement[i],
                pattern=pattern[i],
                terrain=terrain[i],
                water=water[i],
                climate=str(climate[i]),
                town=str(towns.name[town]) if town >= 0 else "",
                town_class=size if town >= 0 else "",
                big_city=big_name,
                region=region,
                country_code=country.code if country else "",
                country=country.name if country else "",
                continent=continent,
                parts=part_names,
                inside=tuple(regions[k] for k in inside[i]),
                by_water=tuple(regions[k] for k in by_water[i]),
            )
        )
    return facts


def name_giving_towns(towns: Towns, xyz: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """The town each place is named after.

    Returns:
        (n,) whether the place lies in that town, and (n,) its number, -1 where there is none within `COUNTRYSIDE_KM`.
    """
    nameable = ~_has_digit(towns.name)
    large = np.flatnonzero(nameable & (towns.population >= TOWN_MIN_POPULATION))
    known = np.flatnonzero(nameable & (towns.population >= LANDMARK_MIN_POPULATION))
    large_km, large_nearest = _nearest(towns.subset(_marked(large, len(towns))), xyz)
    known_km, known_nearest = _nearest(towns.subset(_marked(known, len(towns))), xyz)
    in_town = large_km <= TOWN_KM
    chosen = np.where(in_town, large[large_nearest], np.where(known_km <= COUNTRYSIDE_KM, known[known_nearest], -1))
    _choose_largest(chosen, np.flatnonzero(large_km <= QUARTER_KM), large, QUARTER_KM, towns, xyz)
    _choose_largest(chosen, np.flatnonzero(~in_town & (known_km <= LANDMARK_KM)), known, LANDMARK_KM, towns, xyz)
    return in_town, chosen


def _choose_largest(
    chosen: NDArray[np.int64],
    of_places: NDArray[np.int64],
    candidates: NDArray[np.int64],
    within_km: float,
    towns: Towns,
    xyz: NDArray[np.float64],
) -> None:
    """Set ``chosen`` of some places to the most populous of the candidate towns within a distance."""
    tree = cKDTree(geo.unit_xyz(towns.latlon[candidates]))
    near = tree.query_ball_point(xyz[of_places], _chord(within_km), return_sorted=True)
    for place, found in zip(of_places, near, strict=True):
        chosen[place] = candidates[found][np.argmax(towns.population[candidates[found]])]


def continent_and_parts(
    country: Country | None, lon_deg: float, parts: dict[str, tuple[str, ...]]
) -> tuple[str, tuple[str, ...]]:
    """Continent of a place and names for its part of it; Russia is divided at the Urals."""
    if country is None:
        return "Antarctica", ("the Antarctic",)
    if country.code == "RU":
        if 20 < lon_deg < URALS_LON_DEG:
            return "Europe", ("Eastern Europe", "European Russia")
        far_east = ("the Russian Far East",) if lon_deg > 125 or lon_deg < 0 else ()
        return "Asia", ("Northern Asia", "Asian Russia", *far_east)
    return country.continent, parts.get(country.code, ())


def settlement_classes(towns: Towns, xyz: NDArray[np.float64], nearest_km: NDArray[np.float64]) -> list[str]:
    """Class of the largest settlement that reaches each place; larger ones reach farther."""
    reach_km = {"megacity": 25.0, "large city": 18.0, "city": 10.0, "town": 5.0, "village": 3.0}
    classes = np.where(nearest_km <= COUNTRYSIDE_KM, "countryside", "wilderness").astype(object)
    for least, word in reversed(_SIZES):  # larger ones overwrite smaller ones
        known = towns.subset(towns.population >= least)
        distance_km, _ = _nearest(known, xyz)
        classes[distance_km <= reach_km[word]] = word
    return [str(word) for word in classes]


def population_patterns(towns: Towns, xyz: NDArray[np.float64]) -> list[str]:
    """How densely people live within `NEIGHBORHOOD_KM`, from the inhabitants of towns there."""
    tree = cKDTree(geo.unit_xyz(towns.latlon))
    chord = _chord(NEIGHBORHOOD_KM)
    inhabitants = np.zeros(len(xyz))
    for start in range(0, len(xyz), 2000):
        near = tree.query_ball_point(xyz[start : start + 2000], chord)
        inhabitants[start : start + 2000] = [towns.population[found].sum() for found in near]
    words = np.select(
        [inhabitants > 3e6, inhabitants > 3e5, inhabitants > 1.5e4], ["dense", "populated", "sparse"], "empty"
    )
    return [str(word) for word in words]


def terrain_classes(surface: Raster, latlon: NDArray[np.float64]) -> list[str]:
    """Relief of the 80 km round each place, from mean height and roughness."""
    windows = surface.windows(latlon, 80_000.0, 12)[:, 0]
    heights = np.nan_to_num(windows)
    rough = heights.std(axis=(1, 2))
    center = heights[:, 4:8, 4:8].mean(axis=(1, 2))
    words = np.select(
        [
            (center > 3500) & (rough > 300),
            (center > 1500) & (rough > 280),
            rough > 220,
            center > 3000,
            (rough > 80) & (center < 1200),
            center > 900,
            center < -5,
            center < 150,
        ],
        [
            "very high mountains",
            "high mountains",
            "mountains",
            "high plateau",
            "hills",
            "plateau",
            "depression",
            "lowland",
        ],
        "plain",
    )
    return [str(word) for word in words]


def water_classes(land: Raster, latlon: NDArray[np.float64]) -> list[str]:
    """How near the sea is, from the share of land round each place."""

    def share(size_m: float) -> NDArray[np.float64]:
        mean: NDArray[np.float64] = (land.windows(latlon, size_m, 24)[:, 0] > 0).mean(axis=(1, 2))
        return mean

    near, around, region, far = share(40_000.0), share(160_000.0), share(300_000.0), share(1_000_000.0)
    words = np.select(
        [region < 0.12, near < 0.97, around < 0.95, far > 0.999],
        ["small island", "coast", "near the coast", "deep inland"],
        "inland",
    )
    return [str(word) for word in words]


def climate_classes(itur_wheel: Path, latlon: NDArray[np.float64], surface: Raster) -> NDArray[np.str_]:
    """Köppen-Geiger class of each place from the monthly normals of ITU-R P.1510 (temperature) and P.837 (rain).

    The temperature grid has steps of 0.75 degrees; a place higher or lower than its surroundings of that size is made
    colder or warmer by `LAPSE_C_PER_M`.
    """
    months = range(1, 13)
    temperature_k = np.stack(
        [_sampled(itur_wheel, f"1510/v1_t_month{m:02d}.npz", latlon, -90.0, 0.75) for m in months], 1
    )
    rain_mm = np.stack([_sampled(itur_wheel, f"837/v7_mt_month{m:02d}.npz", latlon, -90.125, 0.25) for m in months], 1)
    here = np.nan_to_num(surface.windows(latlon, 8_000.0, 4)[:, 0]).mean(axis=(1, 2))
    around = np.nan_to_num(surface.windows(latlon, 120_000.0, 12)[:, 0]).mean(axis=(1, 2))
    temperature_c = temperature_k - 273.15 - LAPSE_C_PER_M * (here - around)[:, None]
    return koeppen_geiger(temperature_c, rain_mm, latlon[:, 0])


def _sampled(
    wheel: Path, member: str, latlon: NDArray[np.float64], south_deg: float, step_deg: float
) -> NDArray[np.float64]:
    """Bilinear values at places of a global grid whose first node is (south_deg, south_deg - 90)."""
    grid = np.load(io.BytesIO(read_member(wheel, f"itur/data/{member}")))["arr_0"]
    west_deg = south_deg - 90.0
    rows = (latlon[:, 0] - south_deg) / step_deg
    cols = (latlon[:, 1] - west_deg) / step_deg
    values: NDArray[np.float64] = map_coordinates(grid, [rows, cols], order=1, mode="nearest")
    return values


def _nearest(towns: Towns, xyz: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    chord, index = cKDTree(geo.unit_xyz(towns.latlon)).query(xyz)
    return geo.arc_rad(chord) * geo.EARTH_RADIUS_M / 1000, index


def _marked(index: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    marked = np.zeros(count, dtype=np.bool_)
    marked[index] = True
    return marked


def _chord(distance_km: float) -> float:
    return float(geo.chord(distance_km * 1000 / geo.EARTH_RADIUS_M))


def _has_digit(names: NDArray[np.object_]) -> NDArray[np.bool_]:
    return np.array([any(letter.isdigit() for letter in name) for name in names], dtype=np.bool_)
