"""Outlines of countries, and in which of them points lie."""

from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from unigeoclip.build.topojson import decode_shapes
from unigeoclip.errors import DownloadError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["countries_at", "read_countries", "read_ids"]

_MEMBER = "package/countries-50m.json"


def read_countries(world_atlas: Path) -> dict[str, Any]:
    """Outlines by everyday name, longitudes running on beyond 180 where a country crosses that meridian.

    Raises:
        DownloadError: The npm package is not the expected one.
    """
    shapes = decode_shapes(_topology(world_atlas), "countries")
    return {name: shapely.union_all(parts) for name, parts in shapes.items() if name}


def read_ids(world_atlas: Path) -> dict[int, str]:
    """Everyday names by number in ISO 3166-1."""
    geometries = _topology(world_atlas)["objects"]["countries"]["geometries"]
    return {
        int(geometry["id"]): geometry["properties"]["name"]
        for geometry in geometries
        if geometry.get("id", "").isdigit()
    }


def _topology(world_atlas: Path) -> Any:
    try:
        with tarfile.open(world_atlas) as archive:
            opened = archive.extractfile(_MEMBER)
            return json.load(opened) if opened else {}
    except (OSError, KeyError, ValueError, tarfile.TarError) as error:
        raise DownloadError(
            f"{world_atlas} is not the expected Natural Earth package ({error!r}). Delete it and try again."
        ) from error


def countries_at(latlon: NDArray[np.float64], countries: dict[str, Any]) -> NDArray[np.object_]:
    """(n,) names of the countries of points (n, 2) degrees; empty at sea."""
    out = np.full(len(latlon), "", dtype=object)
    names = np.array(list(countries), dtype=object)
    tree = shapely.STRtree(list(countries.values()))
    for turn in (0.0, 360.0, -360.0):
        points = shapely.points(latlon[:, 1] + turn, latlon[:, 0])
        row, country = tree.query(points, predicate="within")
        out[row] = names[country]
    return out
