"""Census tracts in and around Boston: of 2012, and of 1970 with the figures of Harrison and Rubinfeld.

Neither file's columns on race are read.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely
from shapely.ops import transform

from unigeoclip import geo
from unigeoclip.atlas.store import load_atlas
from unigeoclip.build.debian import read_debian_member
from unigeoclip.build.tasks.areas import centers, points_inside
from unigeoclip.build.tasks.us_counties import read_outlines
from unigeoclip.errors import DownloadError
from unigeoclip.tasks.boston_tasks import TRACT_COLUMNS
from unigeoclip.tasks.stored import PackTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["tracts_of_1970", "tracts_of_2012"]

_SEED = 0
_SHAPES = "./usr/lib/R/site-library/spData/shapes/boston_tracts"
_COLUMNS_OF_2012 = ("population2012", "income2012", "education_bachelor2012")
_LEAST_PEOPLE = 200  # of a tract: parks, airports and prisons have tracts of their own


def tracts_of_2012(files: Mapping[str, Path]) -> PackTable:
    """Income, density and degrees of the tracts whose centers lie in the Boston atlas."""
    rows = read_outlines(files["boston tracts"], _COLUMNS_OF_2012)
    figures = np.array([[np.nan if value is None else value for value in values] for values, _ in rows], np.float64)
    inside, shapes = _in_atlas([outline for _, outline in rows])
    population, income, degrees = figures[inside].T
    lived_in = population >= _LEAST_PEOPLE
    area_km2 = np.array([_area_km2(outline) for outline in np.array(rows, object)[inside][:, 1]])
    few = np.full(len(shapes), np.nan)
    return PackTable(
        centers(shapes),
        {
            "boston-income": np.log10(income, out=few.copy(), where=lived_in & (income > 0)),
            "boston-population-density": np.log10(population / area_km2, out=few.copy(), where=lived_in),
            "boston-degrees": np.where(lived_in, 100 * degrees / np.maximum(population, 1), np.nan),
        },
        areas=points_inside(shapes, _SEED),
        notes=[f"Tracts with fewer than {_LEAST_PEOPLE} people are left out; points lie inside the atlas."],
    )


def tracts_of_1970(files: Mapping[str, Path]) -> PackTable:
    """The figures of 1970 of the tracts whose centers lie in the Boston atlas."""
    table = _read_tracts_of_1970(files["boston 1970"])
    outlines = list(table.geometry.to_crs("EPSG:4326"))
    inside, shapes = _in_atlas(outlines)
    table = table.iloc[inside]
    area_km2 = np.array([_area_km2(outlines[row]) for row in inside])
    table = table.assign(DENSITY=table["POP"].to_numpy(np.float64) / area_km2)
    targets: dict[str, NDArray[np.float64]] = {}
    for column, (name, _, _, unit) in TRACT_COLUMNS.items():
        values = table[column].to_numpy(np.float64)
        targets[name] = np.log10(values) if unit.startswith("log10") else values
    return PackTable(
        centers(shapes),
        targets,
        areas=points_inside(shapes, _SEED),
        notes=["Crime and industry are figures of whole towns. House values are capped at 50,000 dollars."],
    )


def _in_atlas(outlines: list[Any]) -> tuple[NDArray[np.int64], list[Any]]:
    """Numbers of the outlines whose centers lie in the Boston atlas, and their parts inside it."""
    south, west, north, east = load_atlas("boston").manifest.bounds
    box = shapely.box(west, south, east, north)
    middle = centers(outlines)
    inside = (middle >= (south, west)).all(axis=1) & (middle <= (north, east)).all(axis=1)
    chosen = np.flatnonzero(inside)
    return chosen, [outlines[row].intersection(box) for row in chosen]


def _area_km2(outline: Any) -> float:
    """Area on the sphere, by an equal-area cylinder."""
    radius_km = geo.EARTH_RADIUS_M / 1000
    flat = transform(lambda lon, lat: (np.radians(lon) * radius_km, np.sin(np.radians(lat)) * radius_km), outline)
    return float(flat.area)


def _read_tracts_of_1970(package: Path) -> gpd.GeoDataFrame:
    columns = [column for column in TRACT_COLUMNS if column != "DENSITY"]
    with tempfile.TemporaryDirectory() as folder:
        for ending in (".shp", ".shx", ".dbf", ".prj"):
            Path(folder, f"tracts{ending}").write_bytes(read_debian_member(package, _SHAPES + ending))
        table = gpd.read_file(Path(folder, "tracts.shp"), columns=[*columns, "POP"])
    if missing := [column for column in (*columns, "POP") if column not in table]:
        raise DownloadError(f"{package} has tracts without {missing[0]}. Delete it to have it fetched again.")
    return table
