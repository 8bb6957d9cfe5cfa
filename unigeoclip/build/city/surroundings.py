"""What lies near the cells of a city, by the map: things to visit, streets, waters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from unigeoclip.build.city import vocabulary as words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from unigeoclip.build.city.morphology import Fabric
    from unigeoclip.city.layers import CityLayers

RIVER_REACH_M, LAKE_REACH_M = 200.0, 180.0
POND_M2, LARGEST_POND_M2 = 2_500.0, 80_000.0
GROUND_HERE_M = 60.0  # from the edge of a ground; from a point it is half of what is still near
STREET_REACH_M, BUSY_REACH_M = 95.0, 110.0
DIGIT = re.compile(r"\d")


@dataclass(frozen=True)
class Poi:
    """A named thing to visit: kind (key of `city_words.WALK_M`), what it is, name, cuisine or empty."""

    kind: str
    noun: str
    name: str
    cuisine: str = ""

    @property
    def grand(self) -> bool:
        """Whether its name is said wherever one stands on its ground or close to it."""
        return self.kind in words.GRAND or self.noun in words.GRAND


@dataclass(frozen=True)
class NearPoi:
    """A point of interest near a cell, and whether the cell is on its ground or close enough to be called by it."""

    poi: Poi
    here: bool


def clean_name(name: object) -> str:
    """A name fit for a sentence, or nothing: figures and codes are left out."""
    text = " ".join(name.split()) if isinstance(name, str) else ""
    return "" if DIGIT.search(text) or not 1 < len(text) <= 48 else text


def with_names(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The rows whose names are fit for a sentence."""
    return table[np.array([bool(clean_name(name)) for name in table["name"]], dtype=np.bool_)]


def pois_near(xy: NDArray[np.float64], layers: CityLayers, meter: float) -> list[list[NearPoi]]:
    """What is within walking distance of each point, the nearest first.

    A thing that stands on a ground of its own, such as a park or a hospital, is as near as the edge of that ground.
    """
    table = layers["poi"]
    pois, points = [], []
    rows = zip(table["class"], table["subclass"], table["name"], table.geometry, strict=True)
    for kind_of_map, subclass, name, point in rows:
        poi = _poi(str(kind_of_map), str(subclass), clean_name(name))
        if poi:
            pois.append(poi)
            points.append(point)
    found: list[list[NearPoi]] = [[] for _ in range(len(xy))]
    if not pois:
        return found
    shapes, on_ground = _with_grounds(pois, np.array(points), layers)
    walk = np.array(
        [words.GROUND_WALK_M if own else words.WALK_M[poi.kind] for poi, own in zip(pois, on_ground, strict=True)]
    )
    cells = shapely.points(xy)
    at, other = shapely.STRtree(shapes).query(cells, predicate="dwithin", distance=walk.max() * meter)
    distance = shapely.distance(cells[at], shapes[other]) / meter
    here = distance <= np.where(on_ground, GROUND_HERE_M, walk / 2)[other]
    seen: list[set[Poi]] = [set() for _ in range(len(xy))]
    for nth in np.lexsort((other, distance, at)):
        poi, row = pois[other[nth]], at[nth]
        if distance[nth] <= walk[other[nth]] and poi not in seen[row]:
            seen[row].add(poi)
            found[row].append(NearPoi(poi, bool(here[nth])))
    return found


def _with_grounds(
    pois: list[Poi], points: NDArray[np.object_], layers: CityLayers
) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """The ground of each thing where the map has one, else its point; and which have one, (n,).

    The ground is the smallest area of a fitting class that holds the point.
    """
    use, cover = layers["landuse"], layers["landcover"]
    shapes = np.concatenate([use.geometry.to_numpy(), cover.geometry.to_numpy()])
    classes = np.concatenate([use["class"].to_numpy(object), cover["subclass"].to_numpy(object)])
    nouns = np.array([poi.noun for poi in pois], dtype=object)
    out, own = points.copy(), np.zeros(len(pois), bool)
    for noun, fitting in words.GROUNDS.items():
        rows, areas = np.flatnonzero(nouns == noun), shapes[np.isin(classes, fitting)]
        areas = areas[np.argsort(-shapely.area(areas), kind="stable")]  # the smallest is the last to be taken
        at, area = shapely.STRtree(areas).query(points[rows], predicate="intersects")
        for nth in np.argsort(area, kind="stable"):
            out[rows[at[nth]]], own[rows[at[nth]]] = areas[area[nth]], True
    return out, own


def _poi(kind_of_map: str, subclass: str, name: str) -> Poi | None:
    entry = words.POI.get(subclass) or words.POI.get(kind_of_map)
    if entry is None or (not name and entry[0] not in words.WITHOUT_NAME):
        return None
    kind, noun = entry
    cuisine = ""
    if kind == "restaurant":
        lower = f" {name.lower()} "
        cuisine = next((cuisine for sign, cuisine in words.CUISINES if sign in lower), "")
    return Poi(kind, noun, name, cuisine)


def streets_of(xy: NDArray[np.float64], layers: CityLayers, meter: float) -> tuple[list[list[str]], list[str]]:
    """Names of the streets of each point, the nearest first, and its traffic."""
    named = with_names(layers["transportation_name"])
    streets: list[list[str]] = [[] for _ in range(len(xy))]
    lines, points = named.geometry.to_numpy(), shapely.points(xy)
    at, line = shapely.STRtree(lines).query(points, predicate="dwithin", distance=STREET_REACH_M * meter)
    distance = shapely.distance(points[at], lines[line])
    names = named["name"].tolist()
    for nth in np.lexsort((line, distance, at)):
        name = clean_name(names[line[nth]])
        if name not in streets[at[nth]]:
            streets[at[nth]].append(name)
    roads = layers["transportation"]
    roads = roads[roads["brunnel"] != "tunnel"]
    traffic = ["quiet"] * len(xy)
    for word, classes in (("main road", ("primary", "trunk", "secondary")), ("highway", ("motorway",))):
        tree = shapely.STRtree(roads[roads["class"].isin(classes)].geometry.to_numpy())
        for row in np.unique(tree.query(points, predicate="dwithin", distance=BUSY_REACH_M * meter)[0]):
            traffic[row] = word
    return streets, traffic


def waters_of(
    xy: NDArray[np.float64], layers: CityLayers, fabric: Sequence[Fabric], meter: float
) -> list[list[tuple[str, str]]]:
    """Classes and names of the waters at each point, the most telling first."""
    points = shapely.points(xy)
    found: list[list[tuple[str, str]]] = [[] for _ in range(len(xy))]

    def near(table: gpd.GeoDataFrame, reach_m: float) -> list[tuple[int, int]]:
        geometry = table.geometry.to_numpy()
        at, other = shapely.STRtree(geometry).query(points, predicate="dwithin", distance=reach_m * meter)
        order = np.lexsort((other, shapely.distance(points[at], geometry[other]), at))
        return [(int(at[nth]), int(other[nth])) for nth in order]

    water, ways, named = layers["water"], layers["waterway"], layers["water_name"]
    sea = {row for row, _ in near(water[water["class"] == "ocean"], 180)}
    ways_and_areas = (layers["transportation"], layers["transportation_area"])
    docks = [table[table["class"] == "pier"] for table in ways_and_areas]
    harbours = layers["poi"][layers["poi"]["class"].isin(("harbor", "ferry_terminal"))]
    docked = {row for table in (*docks, harbours) for row, _ in near(table, 260)}
    for row in sorted(sea):
        found[row].append(("harbour" if row in docked else "sea", ""))
    rivers = ways[ways["class"].isin(("river", "canal"))]
    kinds, names = rivers["class"].tolist(), [clean_name(name) for name in rivers["name"]]
    bodies = water[~water["class"].isin(("ocean", "dock"))]
    of_river = _rivers_in(bodies, rivers)  # a wide river is as near as its bank
    for row, line in near(rivers, RIVER_REACH_M):
        found[row].append((kinds[line], names[line]))
    banks = bodies.iloc[list(of_river)]
    for row, nth in near(banks, RIVER_REACH_M):
        line = of_river[[*of_river][nth]]
        found[row].append((kinds[line], names[line]))
    still = bodies.iloc[[body for body in range(len(bodies)) if body not in of_river]]
    still = still[still.area / meter**2 >= POND_M2]
    said = _names_of_lakes(still, named, meter)
    for row, body in near(still, LAKE_REACH_M):
        if not words.POOL.search(said[body]):
            found[row].append((_lake_or_pond(said[body], still.geometry.iloc[body].area / meter**2), said[body]))
    for row, cell in enumerate(fabric):
        if not found[row] and cell.water > 0.04:
            found[row].append(("some", ""))
        found[row] = list(dict.fromkeys(found[row]))
    return found


def _rivers_in(bodies: gpd.GeoDataFrame, rivers: gpd.GeoDataFrame) -> dict[int, int]:
    """Row of a water area -> row of the river line that runs farthest in it, for the areas that are rivers."""
    lines, areas = rivers.geometry.to_numpy(), bodies.geometry.to_numpy()
    line, area = shapely.STRtree(areas).query(lines, predicate="intersects")
    inside = shapely.length(shapely.intersection(lines[line], areas[area]))
    along = inside > np.sqrt(shapely.area(areas[area])) / 2  # a brook that ends in a pond makes no river of it
    order = np.argsort(inside, kind="stable")
    return {int(area[nth]): int(line[nth]) for nth in order if along[nth]}


def _names_of_lakes(lakes: gpd.GeoDataFrame, named: gpd.GeoDataFrame, meter: float) -> list[str]:
    """The name that the map writes on each lake, or nothing."""
    labels = with_names(named[named["class"] != "ocean"])
    found = [""] * len(lakes)
    shapes = lakes.geometry.to_numpy()
    label, lake = shapely.STRtree(shapes).query(labels.geometry.to_numpy(), predicate="dwithin", distance=30 * meter)
    for nth in np.argsort(-label, kind="stable"):
        found[lake[nth]] = clean_name(labels["name"].iloc[label[nth]])
    return found


def _lake_or_pond(name: str, area_m2: float) -> str:
    if "pond" in name.lower():
        return "pond"
    return "lake" if area_m2 > LARGEST_POND_M2 or "lake" in name.lower() else "pond"
