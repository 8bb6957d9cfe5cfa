"""Well-known natural regions (deserts, ranges, basins, seas...) and which of them a place is in or by."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.spatial import cKDTree

from unigeoclip import geo
from unigeoclip.errors import AtlasError

if TYPE_CHECKING:
    from numpy.typing import NDArray

NATURAL_REGIONS_PATH = Path(__file__).with_name("natural_regions.geojson")
WATER_KINDS = frozenset({"sea", "gulf", "lake"})
SHORE_KM = 120.0  # a place so near a sea or lake is said to be by it
_OUTLINE_STEP_DEG = 0.1  # outlines are followed at this spacing when distances to them are measured


@dataclass(frozen=True)
class NaturalRegion:
    """A named part of the Earth; ``words`` says in general terms what it is, such as "sand desert"."""

    name: str
    kind: str
    aliases: tuple[str, ...] = ()
    words: str = ""


def read_natural_regions(path: Path = NATURAL_REGIONS_PATH) -> tuple[list[NaturalRegion], NDArray[np.object_]]:
    """Read the gazetteer: regions and their polygons (longitude, latitude), in the order of the file.

    Raises:
        AtlasError: The file is missing or a feature lacks its name, kind or polygon.
    """
    try:
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
        regions, shapes = [], []
        for feature in features:
            known = feature["properties"]
            aliases = tuple(known.get("aliases") or ())
            regions.append(NaturalRegion(known["name"], known["kind"], aliases, known.get("words") or ""))
            shapes.append(shapely.make_valid(shapely.geometry.shape(feature["geometry"])))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AtlasError(
            f"{path} is not a readable gazetteer of natural regions: {error!r}. Restore it from git."
        ) from error
    return regions, np.array(shapes, dtype=object)


def regions_of_places(
    latlon: NDArray[np.float64], regions: list[NaturalRegion], shapes: NDArray[np.object_]
) -> tuple[list[list[int]], list[list[int]]]:
    """Find the regions each place lies in and the waters whose shore it is near.

    Args:
        latlon: (n, 2) degrees.
        regions: m regions.
        shapes: (m,) their polygons.

    Returns:
        For each place the numbers of the land regions that hold it, smallest first, and of the waters within `SHORE_KM`
        or around it (an island in a sea), smallest first.
    """
    inside: list[list[int]] = [[] for _ in latlon]
    by_water: list[list[int]] = [[] for _ in latlon]
    if not regions:
        return inside, by_water
    by_area = np.argsort(shapely.area(shapes), kind="stable")
    points = shapely.points(latlon[:, 1], latlon[:, 0])
    tree = shapely.STRtree(points)
    surface = cKDTree(geo.unit_xyz(latlon))
    chord = float(geo.chord(SHORE_KM * 1000 / geo.EARTH_RADIUS_M))
    for index in by_area:
        region, shape = regions[index], shapes[index]
        within = np.sort(tree.query(shape, predicate="intersects"))
        if region.kind not in WATER_KINDS:
            for place in within:
                inside[place].append(int(index))
            continue
        outline = shapely.get_coordinates(shapely.segmentize(shape, _OUTLINE_STEP_DEG))[:, ::-1]
        near = surface.query_ball_point(geo.unit_xyz(outline), chord)
        places = set(within.tolist()).union(*near) if len(near) else set(within.tolist())
        for place in sorted(places):
            by_water[place].append(int(index))
    return inside, by_water
