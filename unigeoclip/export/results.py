"""Matches of a search as tables and files: GeoJSON and CSV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.errors import InputError
from unigeoclip.files.atomic import write_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from unigeoclip.search.explorer import Match

__all__ = ["check_results_ending", "results_csv", "results_geojson", "results_table", "save_results"]


def results_table(results: Mapping[str, Sequence[Match]]) -> Any:
    """The matches of all modalities as one table.

    Args:
        results: From ``Explorer.search``: modality name -> matches, the most similar first.

    Returns:
        A GeoDataFrame in EPSG:4326, a row a match in the same order: "place_id", "modality", "name", "lat" and "lon"
        (degrees; of a street view, where the camera stands), "similarity" in [-1, 1], "distance_m" (metres from the
        query's point, if it has one) and "heading_deg" (of a street view, clockwise from north).
    """
    import geopandas

    matches = [match for found in results.values() for match in found]
    columns: dict[str, Any] = {name: [getattr(match, name) for match in matches] for name in _RESULT_COLUMNS}
    for name, digits in _RESULT_DIGITS.items():
        columns[name] = np.round(np.array(columns[name], np.float64), digits)
    points = geopandas.points_from_xy(columns["lon"], columns["lat"])
    return geopandas.GeoDataFrame(columns, geometry=points, crs="EPSG:4326")


_RESULT_COLUMNS = ("place_id", "modality", "name", "lat", "lon", "similarity", "distance_m", "heading_deg")
_RESULT_DIGITS = {"lat": 7, "lon": 7, "similarity": 6, "distance_m": 1, "heading_deg": 1}


def results_geojson(results: Mapping[str, Sequence[Match]]) -> bytes:
    """`results_table` as GeoJSON (RFC 7946), a point a match, in UTF-8; figures that are missing are null."""
    text: str = results_table(results).to_json(drop_id=True, na="null", ensure_ascii=False)
    return text.encode()


def results_csv(results: Mapping[str, Sequence[Match]]) -> bytes:
    """`results_table` as CSV with a header, in UTF-8; figures that are missing are empty."""
    text: str = results_table(results).drop(columns="geometry").to_csv(index=False, lineterminator="\n")
    return text.encode()


def save_results(results: Mapping[str, Sequence[Match]], path: str | Path) -> None:
    """Write results in the form that the ending of the file's name says: .geojson or .csv.

    Raises:
        InputError: Another ending, or the file cannot be written.
    """
    check_results_ending(path)
    write_bytes(path, _RESULT_WRITERS[Path(path).suffix.lower()](results))


def check_results_ending(path: str | Path) -> None:
    """Check that results can be written to a file of that name, before the work is done.

    Raises:
        InputError: The ending is unknown, or the folder does not exist.
    """
    path = Path(path)
    if path.suffix.lower() not in _RESULT_WRITERS:
        raise InputError(f"{path.name}: results are written as .geojson or .csv.")
    if not path.parent.is_dir():
        raise InputError(f"{path} cannot be written: the folder {path.parent} does not exist.")


_RESULT_WRITERS = {".geojson": results_geojson, ".csv": results_csv}
