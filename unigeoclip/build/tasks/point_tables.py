"""Tasks whose sources are tables of points: airports, weather stations, houses, listings."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from unigeoclip.errors import DownloadError
from unigeoclip.tasks.stored import PackTable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["airports", "boston_airbnb", "california_housing", "common_only", "read_csv", "weather_stations"]

LEAST_OF_A_CLASS = 20  # rarer classes are left out: folds would miss them
_FOOT_M = 0.3048
_AIRPORT_COLUMNS = {3: "country", 6: "lat", 7: "lon", 8: "feet", 12: "type"}
_CALIFORNIA_COLUMNS = ("lon", "lat", "age", "rooms", "bedrooms", "population", "households", "income", "value")


def read_csv(path: Path, columns: Mapping[Any, str], **options: Any) -> pd.DataFrame:
    """Read some columns of a CSV under new names; no other column is looked at.

    Raises:
        DownloadError: The file cannot be read, or lacks a column.
    """
    try:
        table = pd.read_csv(path, usecols=list(columns), **options)
    except (OSError, ValueError) as error:
        raise DownloadError(
            f"{path} is not the expected table ({error}). Delete it to have it fetched again."
        ) from error
    return table.rename(columns=dict(columns))


def common_only(classes: NDArray[Any], least: int = LEAST_OF_A_CLASS) -> NDArray[np.object_]:
    """Classes as objects, None in place of those with fewer rows than ``least``."""
    names, number, count = np.unique(classes.astype(str), return_inverse=True, return_counts=True)
    out = names[number].astype(object)
    out[(count[number] < least) | (out == "")] = None
    return out


def airports(files: Mapping[str, Path]) -> PackTable:
    """Height and country of airports."""
    table = read_csv(files["airports"], _AIRPORT_COLUMNS, header=None, na_values=["\\N"], keep_default_na=False)
    known = table[table["type"] == "airport"]
    notes = [f"{len(table) - len(known)} entries that are no airports are left out."]
    return PackTable(
        known[["lat", "lon"]].to_numpy(np.float64),
        {
            # Zero stands for "not known" hundreds of times, far from any sea.
            "airport-elevation": np.where(known["feet"] == 0, np.nan, known["feet"].to_numpy(np.float64) * _FOOT_M),
            "airport-country": common_only(known["country"].to_numpy(object)),
        },
        notes=[*notes, "A height of exactly 0 stands for one that is not known, and is left out."],
    )


def weather_stations(files: Mapping[str, Path]) -> PackTable:
    """Mean temperature and rain at weather stations."""
    columns = {"Lat": "lat", "Lon": "lon", "meanT": "temperature", "meanP": "rain"}
    table = read_csv(files["stations"], columns)
    return PackTable(
        table[["lat", "lon"]].to_numpy(np.float64),
        {
            "station-temperature": table["temperature"].to_numpy(np.float64),
            "station-rain": table["rain"].to_numpy(np.float64),
        },
    )


def california_housing(files: Mapping[str, Path]) -> PackTable:
    """Median house value of block groups of California, rows as scikit-learn has them."""
    path = files["california"]
    try:
        with tarfile.open(path) as archive:
            opened = archive.extractfile("CaliforniaHousing/cal_housing.data")
            values = np.loadtxt(opened, delimiter=",", ndmin=2) if opened else np.empty((0, 9))
        table = pd.DataFrame(values, columns=_CALIFORNIA_COLUMNS)
    except (OSError, KeyError, ValueError, tarfile.TarError) as error:
        raise DownloadError(
            f"{path} is not the expected archive ({error}). Delete it to have it fetched again."
        ) from error
    return PackTable(
        table[["lat", "lon"]].to_numpy(np.float64),
        {"california-house-value": table["value"].to_numpy(np.float64) / 100_000},
    )


def boston_airbnb(files: Mapping[str, Path]) -> PackTable:
    """Price of a night, of whole homes and of rooms. Nothing about hosts is read."""
    table = read_csv(
        files["boston airbnb"], {"latitude": "lat", "longitude": "lon", "room_type": "room", "price": "price"}
    )
    price = table["price"]
    if not pd.api.types.is_numeric_dtype(price):
        price = pd.to_numeric(price.astype(str).str.replace(r"[$,]", "", regex=True), errors="coerce")
    logs = np.log10(price.to_numpy(np.float64), out=np.full(len(table), np.nan), where=price.to_numpy() > 0)
    room = table["room"].to_numpy(object)
    return PackTable(
        table[["lat", "lon"]].to_numpy(np.float64),
        {
            "boston-airbnb-price": np.where(room == "Entire home/apt", logs, np.nan),
            "boston-airbnb-room-price": np.where(room == "Private room", logs, np.nan),
        },
        notes=["Inside Airbnb moves each position by up to 150 m."],
    )
