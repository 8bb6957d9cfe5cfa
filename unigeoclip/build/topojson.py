"""Decoding quantised TopoJSON: the arcs that shapes share, and shapes made of them.

GDAL reads such files too, but gives each shape its own copy of its lines: which arc is the border of two countries and
which is coast is lost. It also cuts no shape free at the 180th meridian. Hence this decoder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from shapely.geometry import MultiPolygon, Polygon

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


def decode_arcs(topology: Mapping[str, Any]) -> list[NDArray[np.float64]]:
    """Arcs of a parsed TopoJSON with a ``transform``, (n, 2) of (lon, lat) degrees each."""
    scale, origin = np.array(topology["transform"]["scale"]), np.array(topology["transform"]["translate"])
    return [np.cumsum(np.array(arc), axis=0) * scale + origin for arc in topology["arcs"]]


def decode_shapes(topology: Mapping[str, Any], object_name: str) -> dict[str, list[Any]]:
    """Decode one object of a quantised TopoJSON file.

    Args:
        topology: Parsed TopoJSON with a ``transform``.
        object_name: Geometry collection in it, such as ``countries``.

    Returns:
        Shapely geometries in (lon, lat) degrees by their ``name`` property ("" where there is none). Longitudes run on
        beyond 180 where a shape crosses the 180th meridian.
    """
    arcs = decode_arcs(topology)

    def polygon(rings: list[list[int]]) -> Polygon:
        joined = [_join_arcs(arcs, ring) for ring in rings]
        # Antarctica comes with a second ring that only runs round the pole, as its shell or as its hole: leave it out.
        shell, *holes = [_unwrap(points) for points in joined if np.abs(points[:, 1]).min() < 89.9]
        # A hole is unwrapped on its own and may lie one turn away from its shell.
        turns = [np.round((shell[:, 0].mean() - hole[:, 0].mean()) / 360) for hole in holes]
        holes = [hole + np.array([360 * turn, 0]) for hole, turn in zip(holes, turns, strict=True)]
        return Polygon(shell, holes).buffer(0)  # mends rings that touch themselves

    named: dict[str, list[Any]] = {}
    for geometry in topology["objects"][object_name]["geometries"]:
        parts = [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry["arcs"]
        shape = polygon(parts[0]) if len(parts) == 1 else MultiPolygon(polygons_of([polygon(part) for part in parts]))
        named.setdefault(geometry.get("properties", {}).get("name", ""), []).append(shape)
    return named


def _join_arcs(arcs: list[NDArray[np.float64]], ring: list[int]) -> NDArray[np.float64]:
    """Points of one ring: arc numbers, ones' complement for an arc that is run backwards; joints are not repeated."""
    pieces = [arcs[number] if number >= 0 else arcs[~number][::-1] for number in ring]
    return np.concatenate([piece if i == 0 else piece[1:] for i, piece in enumerate(pieces)])


def _unwrap(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ring (n, 2) of (lon, lat) without jumps at the 180th meridian; one that rounds a pole is closed through it."""
    lon = np.unwrap(ring[:, 0], period=360)
    ring = np.stack([lon, ring[:, 1]], axis=1)
    if abs(lon[-1] - lon[0]) < 180:
        return ring
    pole = 90.0 if ring[:, 1].mean() > 0 else -90.0
    return np.concatenate([ring, [[lon[-1], pole], [lon[0], pole]]])


def polygons_of(shapes: list[Any]) -> list[Polygon]:
    """The polygons of polygons, multipolygons and collections, without empty ones."""
    return [part for shape in shapes for part in getattr(shape, "geoms", [shape]) if not part.is_empty]
