"""Positions of rows, out of columns or geometries of a file, and what is odd about them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.errors import InputError, excerpt
from unigeoclip.geo import MAX_LON_DEG, wrap_lon_deg
from unigeoclip.parsing.coordinates import LATITUDE, LONGITUDE, parse_degrees
from unigeoclip.tasks.values import Numbers, numbers_of, plural
from unigeoclip.uploads.tables.geometries import check_crs

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from unigeoclip.geo import Bounds
    from unigeoclip.tasks.label_table import LabelTable

__all__ = ["note_outside", "position_notes", "positions_of_columns", "positions_of_geometries"]

_MOST_BAD = 0.5  # share of rows without a usable position from which on the columns are taken for wrong ones
_MOST_DUPLICATES = 0.02  # share of rows at a position of another one that is worth a note
_NOTATIONS = 20_000  # values in degrees, minutes and seconds that are read one by one


def positions_of_columns(
    lat: pa.Array, lon: pa.Array, lat_name: str, lon_name: str, crs: str = ""
) -> tuple[NDArray[np.float64], list[str]]:
    """Positions of two columns.

    Args:
        lat: Latitudes, or northings of ``crs``.
        lon: Longitudes, or eastings.
        lat_name: What that column is called.
        lon_name: What that column is called.
        crs: Coordinate reference system; empty for degrees of WGS84.

    Returns:
        (n, 2) degrees, NaN where there is none; sentences on rows without a position.

    Raises:
        InputError: The columns are swapped, projected, or no coordinates.
    """
    north, east = _degrees(lat, LATITUDE), _degrees(lon, LONGITUDE)
    for numbers, name in ((north, lat_name), (east, lon_name)):
        present = int((~numbers.missing).sum())
        if present == 0:
            raise InputError(f"Column {excerpt(name, 40)!r} is empty: choose the columns of the position.")
        if numbers.bad.sum() > _MOST_BAD * present:
            raise InputError(
                f"{int(numbers.bad.sum()):,} of {present:,} values of {excerpt(name, 40)!r} are no coordinates:"
                f" {numbers.bad_examples()}. Choose the columns of the position, in degrees."
            )
    latlon = np.column_stack([north.values, east.values])
    notes = [] if not crs else [f"Coordinates were converted from {excerpt(crs, 40)} to degrees of WGS84."]
    if crs:
        latlon = _converted(latlon, crs)
    else:
        _check_degrees(latlon, excerpt(lat_name, 40), excerpt(lon_name, 40))
    unread: NDArray[np.bool_] = np.logical_or(north.bad, east.bad)
    if unread.any():
        bad = north if north.bad.any() else east
        notes.append(
            f"Left out: {plural(int(unread.sum()), 'row')} whose coordinates are no degrees: {bad.bad_examples()}."
        )
    there = np.isfinite(latlon[:, 0] + latlon[:, 1])
    missing = int((~there & ~unread).sum())
    if missing:
        notes.append(f"Left out: {plural(missing, 'row')} without a position.")
    return _on_globe(latlon, there, notes)


def positions_of_geometries(latlon: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[str]]:
    """Positions of geometries, (n, 2) degrees, NaN where there is none, and sentences on those.

    Raises:
        InputError: They are no degrees.
    """
    there = np.isfinite(latlon[:, 0] + latlon[:, 1])
    notes: list[str] = []
    if not there.all():
        notes.append(f"Left out: {plural(int((~there).sum()), 'row')} without a geometry.")
    _check_degrees(latlon, "the latitude of the geometries", "the longitude of the geometries")
    return _on_globe(latlon, there, notes)


def _on_globe(
    latlon: NDArray[np.float64], there: NDArray[np.bool_], notes: list[str]
) -> tuple[NDArray[np.float64], list[str]]:
    with np.errstate(invalid="ignore"):
        inside = (np.abs(latlon[:, 0]) <= 90) & (np.abs(latlon[:, 1]) <= MAX_LON_DEG)
    off = there & ~inside
    if off.any():
        row = int(np.flatnonzero(off)[0])
        notes.append(
            f"Left out: {plural(int(off.sum()), 'row')} off the globe, the first at latitude {latlon[row, 0]:g},"
            f" longitude {latlon[row, 1]:g}."
        )
    if changed := int((there & inside & ((latlon[:, 1] < -180) | (latlon[:, 1] > 180))).sum()):
        notes.append(f"The longitude of {plural(changed, 'row')} was brought to -180 to 180 degrees.")
    kept = np.where((there & inside)[:, None], latlon, np.nan)
    kept[there & inside, 1] = wrap_lon_deg(kept[there & inside, 1])
    return kept, notes


def _degrees(column: pa.Array, axis: str) -> Numbers:
    """A column of coordinates, whose texts may be in degrees, minutes and seconds."""
    numbers = numbers_of(column, decimal_comma=True)
    if numbers.texts is None or not 0 < numbers.bad.sum() <= _NOTATIONS:
        return numbers
    values, bad = numbers.values.copy(), numbers.bad.copy()
    for row in np.flatnonzero(numbers.bad).tolist():
        try:
            values[row] = parse_degrees(numbers.texts[row].as_py(), axis)
            bad[row] = False
        except InputError:
            continue
    return replace(numbers, values=values, bad=bad)


def _check_degrees(latlon: NDArray[np.float64], lat: str, lon: str) -> None:
    """Refuse columns that are swapped or projected.

    Raises:
        InputError: Says which.
    """
    points = latlon[np.isfinite(latlon[:, 0] + latlon[:, 1])]
    if not len(points):
        return
    bad = (np.abs(points[:, 0]) > 90) | (np.abs(points[:, 1]) > MAX_LON_DEG)
    other = (np.abs(points[:, 1]) > 90) | (np.abs(points[:, 0]) > MAX_LON_DEG)
    if bad.mean() > other.mean() and other.mean() <= 0.01 and bad.mean() > 0.1:
        low, high = points[:, 0].min(), points[:, 0].max()
        raise InputError(
            f"Latitude and longitude look swapped: {lat} runs from {low:g} to {high:g}, and latitudes lie within"
            " -90 and 90. Swap the two columns."
        )
    if bad.mean() > _MOST_BAD:
        y, x = points[np.flatnonzero(bad)[0]]
        raise InputError(
            f"The positions are not in degrees: the first has {lat} {y:g} and {lon} {x:g}. They look like projected"
            " coordinates: name their reference system (crs='EPSG:...', --crs), or convert them to WGS84."
        )


def _converted(latlon: NDArray[np.float64], crs: str) -> NDArray[np.float64]:
    """Northings and eastings of a reference system as degrees.

    Raises:
        InputError: There is no such system.
    """
    import geopandas

    check_crs(crs)
    points = geopandas.GeoSeries(geopandas.points_from_xy(latlon[:, 1], latlon[:, 0]), crs=crs).to_crs("EPSG:4326")
    moved = np.column_stack([points.y.to_numpy(), points.x.to_numpy()])
    moved[~np.isfinite(moved).all(axis=1)] = np.nan
    return moved


def position_notes(latlon: NDArray[np.float64]) -> list[str]:
    """What is odd about the positions that are used, (n, 2) degrees."""
    notes = []
    nowhere = int((latlon == 0).all(axis=1).sum())
    if nowhere > 1:
        notes.append(f"{plural(nowhere, 'row')} lie at latitude 0, longitude 0: are their positions missing?")
    distinct = len(np.unique(latlon, axis=0))
    if distinct == 1:
        raise InputError("All rows have the same position, so an embedding cannot tell them apart.")
    again = len(latlon) - distinct
    if again > _MOST_DUPLICATES * len(latlon):
        notes.append(
            f"{plural(again, 'row')} have the position of an earlier row: random folds may put one into training and"
            " the other into the test. Look at the blocks."
        )
    return notes


def note_outside(table: LabelTable, bounds: Bounds, title: str) -> LabelTable:
    """A table with a note on how many of its positions an atlas does not cover.

    Args:
        table: The table.
        bounds: Of the atlas: south, west, north, east in degrees; east may exceed 180.
        title: Of the atlas.

    Raises:
        InputError: None lies inside.
    """
    inside = _inside(table.latlon, bounds)
    if inside.all():
        return table
    if not inside.any():
        swapped = _inside(table.latlon[:, ::-1], bounds)
        hint = (
            " With latitude and longitude swapped they would: swap the two columns."
            if swapped.mean() > _MOST_BAD
            else " Choose another atlas."
        )
        raise InputError(f"None of the {len(table):,} positions lies in {title}.{hint}")
    note = (
        f"{int((~inside).sum()):,} of {len(table):,} rows lie outside {title}, where its model was not trained; their"
        " embeddings mean little."
    )
    return replace(table, notes=(*table.notes, note))


def _inside(latlon: NDArray[np.float64], bounds: Bounds) -> NDArray[np.bool_]:
    south, west, north, east = bounds
    inside: NDArray[np.bool_] = (latlon[:, 0] >= south) & (latlon[:, 0] <= north)
    return inside & ((latlon[:, 1] - west) % 360 <= east - west)
