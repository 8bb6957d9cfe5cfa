"""Geometries as positions: polygons at their centroids, lines at their midpoints, all in degrees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from unigeoclip.errors import InputError, excerpt

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["check_crs", "positions"]

WGS84 = "EPSG:4326"
_POINT, _LINES, _POLYGONS, _MULTIPOINT = (0,), (1, 2, 5), (3, 6), (4,)  # numbers of shapely's types
_WIDE_DEG = 180.0


def positions(geometries: Any) -> tuple[NDArray[np.float64], str, str, list[str]]:
    """Where geometries are.

    Args:
        geometries: A ``geopandas.GeoSeries``.

    Returns:
        (n, 2) float64 degrees, NaN for geometries that are missing, empty or leave the globe; what they are ("points",
        "polygons", "lines" or "mixed"); the name of their reference system; sentences on what was done.

    Raises:
        InputError: They are not in degrees, and nothing says which reference system they are in.
    """
    shapes = geometries.to_numpy()
    kinds = shapely.get_type_id(shapes)
    notes = []
    points = np.full(len(shapes), None, object)
    is_polygon, is_line = np.isin(kinds, _POLYGONS), np.isin(kinds, _LINES)
    direct = np.isin(kinds, _POINT)
    points[direct] = shapes[direct]
    points[is_line] = shapely.line_interpolate_point(_as_line(shapes[is_line]), 0.5, normalized=True)
    rest = (kinds >= 0) & ~direct & ~is_line
    points[rest] = shapely.centroid(shapes[rest])
    if is_polygon.any():
        notes.append(f"{_count(is_polygon, 'polygon')} became centroids.")
    if is_line.any():
        notes.append(f"{_count(is_line, 'line')} became midpoints.")
    if (~is_polygon & rest).any():
        notes.append(f"{_count(~is_polygon & rest, 'collection')} of geometries became centroids.")
    xy = shapely.get_coordinates(points[points != np.array(None)])
    xy, name, said = _in_degrees(xy, geometries.crs)
    latlon = np.full((len(shapes), 2), np.nan)
    has = ~shapely.is_missing(points) & ~shapely.is_empty(points)
    latlon[has] = xy[:, ::-1]
    notes += said
    wide = is_polygon & (_width(shapes) > _WIDE_DEG) if not said else np.zeros(len(shapes), bool)
    if wide.any():
        notes.append(
            f"{_count(wide, 'polygon')} reach over more than 180 degrees of longitude; their centroids may lie on the"
            " wrong side of the globe. Split them at the date line."
        )
    return latlon, _kind(direct | np.isin(kinds, _MULTIPOINT), is_line, is_polygon), name, notes


def check_crs(name: str) -> None:
    """Refuse the name of a coordinate reference system that is not known.

    Raises:
        InputError: It is not.
    """
    import geopandas

    try:
        geopandas.GeoSeries([], crs=name)
    except Exception as error:  # pyproj has its own, and GDAL others
        raise InputError(
            f"{excerpt(name, 40)!r} is no coordinate reference system that is known here; write it as EPSG:25832."
        ) from error


def _as_line(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """The longest part of each line."""
    lines = np.empty(len(shapes), object)
    for row, shape in enumerate(shapes):
        parts = shapely.get_parts(shape)
        lines[row] = parts[np.argmax(shapely.length(parts))] if len(parts) else shapely.LineString()
    return lines


def _in_degrees(xy: NDArray[np.float64], crs: Any) -> tuple[NDArray[np.float64], str, list[str]]:
    """Points (x, y) of a reference system as longitude and latitude, its name, and what was done."""
    import geopandas

    if crs is None:
        if len(xy) and np.nanmax(np.abs(xy), initial=0) > 360:
            x, y = xy[0]
            raise InputError(
                f"The geometries have no reference system, and are not in degrees (the first is at {x:g}, {y:g}). Save"
                " the file with its reference system (.prj of a shapefile), or name it: crs='EPSG:...', --crs."
            )
        return xy, "", ["The geometries have no reference system; they are taken as degrees of WGS84."]
    name = excerpt(f"{crs.name}", 60)
    if (crs.is_geographic and crs.to_epsg() in (4326, 4979)) or crs.to_authority() == ("OGC", "CRS84"):
        return xy, name, []
    moved = geopandas.GeoSeries(geopandas.points_from_xy(xy[:, 0], xy[:, 1]), crs=crs).to_crs(WGS84)
    points = np.column_stack([moved.x.to_numpy(), moved.y.to_numpy()])
    points[~np.isfinite(points).all(axis=1)] = np.nan
    return points, name, [f"Coordinates were converted from {name} to degrees of WGS84."]


def _width(shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    bounds = shapely.bounds(shapes)
    width: NDArray[np.float64] = np.nan_to_num(bounds[:, 2] - bounds[:, 0])
    return width


def _kind(points: NDArray[np.bool_], lines: NDArray[np.bool_], polygons: NDArray[np.bool_]) -> str:
    there = [name for name, some in (("points", points), ("lines", lines), ("polygons", polygons)) if some.any()]
    return there[0] if len(there) == 1 else "mixed"


def _count(mask: NDArray[np.bool_], what: str) -> str:
    number = int(mask.sum())
    return f"{number:,} {what}{'' if number == 1 else 's'}"
