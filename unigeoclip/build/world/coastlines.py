"""Coast and border lines for the drawn basemap, from Natural Earth as TopoJSON."""

from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from unigeoclip.build.topojson import decode_arcs
from unigeoclip.errors import DownloadError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

DECIMALS = 2  # of degrees: about a kilometre, finer than the basemap shows


def coast_and_borders(world_atlas: Path, tolerance_deg: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """Lines of coasts and of land borders as GeoJSON.

    An arc that one country uses is coast, an arc that two use is border.

    Args:
        world_atlas: The npm package's tarball.
        tolerance_deg: Lines are simplified so that they stay within this distance.

    Returns:
        Coast and borders, each a FeatureCollection of one MultiLineString in (longitude, latitude).
    """
    try:
        with tarfile.open(world_atlas) as archive:
            member = archive.extractfile("package/countries-50m.json")
            topology = json.load(member) if member else {}
        arcs = decode_arcs(topology)
        uses = _uses_of_arcs(topology["objects"]["countries"]["geometries"], len(arcs))
    except (OSError, KeyError, ValueError, tarfile.TarError) as error:
        raise DownloadError(
            f"{world_atlas} is not the expected Natural Earth package ({error!r}). Delete it and try again."
        ) from error
    coast = [arc for arc, count in zip(arcs, uses, strict=True) if count == 1]
    borders = [arc for arc, count in zip(arcs, uses, strict=True) if count > 1]
    return _collection(coast, tolerance_deg), _collection(borders, tolerance_deg)


def _uses_of_arcs(geometries: list[dict[str, Any]], count: int) -> NDArray[np.int64]:
    """How many countries use each arc; a negative number in TopoJSON is the arc backwards."""
    uses = np.zeros(count, dtype=np.int64)
    for geometry in geometries:
        polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        mine = {arc if arc >= 0 else ~arc for polygon in polygons for ring in polygon for arc in ring}
        uses[sorted(mine)] += 1
    return uses


def _collection(lines: list[NDArray[np.float64]], tolerance_deg: float) -> dict[str, Any]:
    """One MultiLineString; pieces along the date line and the south edge, which are cuts and no coast, are left out."""
    parts = []
    for line in lines:
        edge = (np.abs(line[:, 0]) > 179.99) | (line[:, 1] < -89.9)
        keep = np.flatnonzero(~(edge[:-1] & edge[1:]))
        for run in np.split(keep, np.flatnonzero(np.diff(keep) > 1) + 1):
            if len(run):
                parts.append(line[run[0] : run[-1] + 2])
    merged = shapely.line_merge(shapely.MultiLineString(parts))
    simple = shapely.simplify(shapely.get_parts(merged), tolerance_deg, preserve_topology=False)
    coordinates = [
        np.round(shapely.get_coordinates(line), DECIMALS).tolist() for line in simple if line.length > 2 * tolerance_deg
    ]
    geometry = {"type": "MultiLineString", "coordinates": coordinates}
    return {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": geometry}]}
