"""Layers of vector tiles of the OpenMapTiles schema, as one clean table each.

GDAL decodes the tiles one by one, so that a missing or broken one costs that one only and each is cut at its own edge.
"""

from __future__ import annotations

import gzip
import io
import zlib
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from PIL import ImageColor

from unigeoclip import geo
from unigeoclip.build.city.tile_sources import UNREADABLE
from unigeoclip.city.layers import CRS, GEOMETRY, NUMBER_COLUMNS, TEXT_COLUMNS, CityLayers
from unigeoclip.errors import InputError
from unigeoclip.files.atomic import read_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.build.city.tile_sources import Progress, Tile, TileSet

MAX_PLAIN_BYTES = 100_000_000  # of a tile when unpacked
_COLUMNS_IN_TILES = {"height_m": "render_height", "min_height_m": "render_min_height"}
# Extracts differ in which names they keep: the local one if there is, else the one in Latin letters.
_NAMES_IN_TILES = ("name", "name:latin", "name_int", "name:en", "name_en")
_BROKEN = (*UNREADABLE, InputError, OSError, ValueError, EOFError, zlib.error, shapely.errors.GEOSException)
# A height that most buildings share is what the tiles say when the map says nothing (5 m or 3.66 m, by version).
_DEFAULT_HEIGHT_BELOW_M = 6.0
_DEFAULT_HEIGHT_SHARE = 0.5
_RAIL = {"narrow_gauge": "rail", "preserved": "rail"} | dict.fromkeys(
    ("tram", "light_rail", "subway", "monorail", "funicular"), "transit"
)
_NOT_THERE = ("abandoned", "construction", "disused", "ferry", "proposed", "razed")


def read_layers(tile_set: TileSet, progress: Progress | None = None) -> CityLayers:
    """Read all layers the city is drawn from; ``tile_set.broken`` then names the tiles that could not be read.

    Polygons are repaired, everything is cut at the edge of its own tile, and the pieces of a building that lies on an
    edge are joined again. Names of places in the margin of a tile are kept where no tile that was read holds them: a
    town at the edge of the map may have its name outside.

    Returns:
        A table for every key of `TEXT_COLUMNS`, in EPSG:3857.

    Raises:
        InputError: No tile can be read, or the tiles are of another schema than OpenMapTiles.
    """
    report = progress or (lambda _text, _share: None)
    parts: dict[str, list[gpd.GeoDataFrame]] = {name: [] for name in TEXT_COLUMNS}
    seen: set[str] = set()
    for number, tile in enumerate(tile_set.tiles):
        report(f"Reading tile {number + 1} of {len(tile_set.tiles)}", number / len(tile_set.tiles))
        try:
            names = _layer_names(tile)
            seen.update(names)
            tables = {name: _read_layer(tile, name) for name in sorted(names & set(TEXT_COLUMNS))}
        except _BROKEN as error:
            tile_set.broken[tile.name] = " ".join(str(error).split())[:120] or type(error).__name__
            continue
        for name, table in tables.items():
            parts[name].append(table)
    _refuse_other_schemas(tile_set, seen)
    layers = {name: _joined(name, tables) for name, tables in parts.items() if name != "transportation_area"}
    layers["transportation"], layers["transportation_area"] = _split_areas(layers["transportation"])
    layers["building"] = _clean_buildings(layers["building"])
    layers["place"] = _each_once(layers["place"], tile_set)
    report(f"{len(tile_set.tiles) - len(tile_set.broken)} tiles are read", 1.0)
    return layers


def _refuse_other_schemas(tile_set: TileSet, seen: set[str]) -> None:
    if len(tile_set.broken) == len(tile_set.tiles):
        name, why = next(iter(tile_set.broken.items()))
        raise InputError(f"None of the {len(tile_set.tiles)} tiles of {tile_set.source} can be read; {name}: {why}")
    if "transportation" not in seen:
        found = ", ".join(sorted(seen)) or "none"
        raise InputError(
            f"{tile_set.source} is not in the OpenMapTiles schema: it has no layer 'transportation' (layers found: "
            f"{found}). Sources in this schema: OpenMapTiles, OpenFreeMap, planetiler's default profile."
        )


def _layer_names(tile: Tile) -> set[str]:
    """Layers of a tile; raises ValueError (with EOFError, zlib.error) where the file ends too early."""
    if tile.path.startswith("/vsi"):
        return {str(name) for name, _ in pyogrio.list_layers(tile.path)}
    data = read_bytes(tile.path, MAX_PLAIN_BYTES)
    return layer_names(_unpacked(data) if data[:2] == b"\x1f\x8b" else data)


def _unpacked(data: bytes) -> bytes:
    """Gunzip at most `MAX_PLAIN_BYTES`; raises EOFError, zlib.error, or ValueError where there is more."""
    with gzip.open(io.BytesIO(data)) as file:
        plain: bytes = file.read(MAX_PLAIN_BYTES + 1)
    if len(plain) > MAX_PLAIN_BYTES:
        raise ValueError(f"larger than {MAX_PLAIN_BYTES // 1_000_000} MB when unpacked")
    return plain


def layer_names(data: bytes) -> set[str]:
    """Names of the layers in the bytes of a tile; GDAL itself would read half a tile in silence.

    Raises:
        ValueError: The bytes are cut short or not a vector tile.
    """
    names: set[str] = set()
    for number, start, end in message_fields(data, 0, len(data)):
        if number == 3:  # a layer; its field 1 is the name
            names.update(data[a:b].decode() for inner, a, b in message_fields(data, start, end) if inner == 1)
    return names


def message_fields(data: bytes, position: int, end: int) -> list[tuple[int, int, int]]:
    """Fields of a protocol buffer message: number, start and end of the value; ValueError where it is none."""
    found = []
    while position < end:
        key, position = varint(data, position, end)
        kind = key & 7
        if kind == 0:
            start = position
            _, position = varint(data, position, end)
        elif kind == 2:
            length, start = varint(data, position, end)
            position = start + length
        elif kind in (1, 5):
            start = position
            position += 8 if kind == 1 else 4
        else:
            raise ValueError("not a vector tile")
        if position > end:
            raise ValueError("the tile is cut short")
        found.append((key >> 3, start, position))
    return found


def varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    """A number of a protocol buffer message and where it ends; ValueError where there is none."""
    value = shift = 0
    while True:
        if position >= end or shift > 63:
            raise ValueError("the tile is cut short")
        byte = data[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return value, position


def _read_layer(tile: Tile, name: str) -> gpd.GeoDataFrame:
    """One layer of one tile with the columns wanted, repaired, and cut at the tile's edge but for buildings, places."""
    wanted = [*TEXT_COLUMNS[name], *(_COLUMNS_IN_TILES.get(column, column) for column in NUMBER_COLUMNS.get(name, ()))]
    wanted += ["hide_3d"] if name == "building" else []
    wanted += _NAMES_IN_TILES[1:] if "name" in wanted else []
    # GDAL would cut the polygons itself, and stop the whole layer at the first invalid one.
    meta, _, wkb, values = pyogrio.raw.read(tile.path, layer=name, columns=wanted, CLIP="NO")
    data = dict(zip(meta["fields"], values, strict=True))
    geometry = repaired(shapely.from_wkb(wkb, on_invalid="ignore"))
    if name not in ("building", "place"):
        geometry = shapely.clip_by_rect(geometry, *tile.bounds_m)
    keep = ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    if name == "building" and "hide_3d" in data:  # outlines whose parts are mapped too
        keep &= ~np.array([value in (1, True, "1", "true") for value in data["hide_3d"]], dtype=bool)
    columns: dict[str, Any] = {column: _texts(data.get(column), len(geometry)) for column in TEXT_COLUMNS[name]}
    for other in _NAMES_IN_TILES[1:] if "name" in columns else ():
        unnamed = columns["name"] == np.array(None)
        columns["name"][unnamed] = _texts(data.get(other), len(geometry))[unnamed]
    for column in NUMBER_COLUMNS.get(name, ()):
        columns[column] = _numbers(data.get(_COLUMNS_IN_TILES.get(column, column)), len(geometry))
    table = gpd.GeoDataFrame(columns, geometry=geometry, crs=CRS)[keep]
    if name == "place":
        table["tile"] = tile.name
    if name == "building":
        table["tile"] = tile.name
        left, lower, right, upper = tile.bounds_m
        edges = table.geometry.bounds
        table["on_edge"] = ~(
            (edges["minx"] > left) & (edges["miny"] > lower) & (edges["maxx"] < right) & (edges["maxy"] < upper)
        )
        inside = (edges["maxx"] > left) & (edges["maxy"] > lower) & (edges["minx"] < right) & (edges["miny"] < upper)
        table = table[inside]  # what lies wholly in the margin belongs to the neighbour
    return table


def repaired(geometry: NDArray[Any]) -> NDArray[Any]:
    """The same array with what is invalid made valid."""
    bad = ~(shapely.is_valid(geometry) | shapely.is_missing(geometry))
    geometry[bad] = shapely.make_valid(geometry[bad])
    return geometry


def _texts(values: NDArray[Any] | None, count: int) -> NDArray[np.object_]:
    found = np.full(count, None, dtype=object)
    if values is not None:
        for i, value in enumerate(values):
            if isinstance(value, str) and value:
                found[i] = value
    return found


def _numbers(values: NDArray[Any] | None, count: int) -> NDArray[np.float64]:
    if values is None:
        return np.full(count, np.nan)
    found = np.full(count, np.nan)
    for i, value in enumerate(values):
        try:
            found[i] = float(value)
        except (TypeError, ValueError):
            continue  # "2;3", "ground": not a number, so unknown
    return found


def _joined(name: str, tables: list[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """All tiles of a layer in one table, of its kind of geometry only."""
    extra = {"building": ["tile", "on_edge"], "place": ["tile"]}.get(name, [])
    columns = [*TEXT_COLUMNS[name], *NUMBER_COLUMNS.get(name, ()), *extra]
    tables = [table for table in tables if len(table)]
    if not tables:
        return gpd.GeoDataFrame({column: [] for column in columns}, geometry=[], crs=CRS)
    table = gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), crs=CRS)
    dimension = {"polygon": (2,), "line": (1,), "point": (0,), "any": (1, 2)}[GEOMETRY[name]]
    if name == "transportation":
        dimension = (1, 2)
    whole = table.explode(ignore_index=True) if name != "building" else table.explode(index_parts=False)
    whole = whole[np.isin(shapely.get_dimensions(whole.geometry.array), dimension)]
    if name == "transportation":
        whole = _normalize_classes(whole)
    return whole[[*columns, "geometry"]].reset_index(drop=True)


def _normalize_classes(roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """One name for each kind of rail, and nothing that is planned, gone or a ferry."""
    there = [
        not (isinstance(name, str) and (name in _NOT_THERE or name.endswith("_construction")))
        for name in roads["class"]
    ]
    roads = roads[there].copy()
    is_rail = roads["class"].isin(_RAIL)
    roads.loc[is_rail, "subclass"] = roads.loc[is_rail, "class"]
    roads["class"] = roads["class"].replace(_RAIL)
    return roads


def _split_areas(table: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    is_area = shapely.get_dimensions(table.geometry.array) == 2
    areas = table.loc[is_area, [*TEXT_COLUMNS["transportation_area"], "geometry"]]
    return table[~is_area].reset_index(drop=True), areas.reset_index(drop=True)


def _each_once(places: gpd.GeoDataFrame, tile_set: TileSet) -> gpd.GeoDataFrame:
    """Names of places without the copies in margins: of each the one in its own tile, or any if that was not read."""
    zoom = tile_set.tiles[0].z
    side = 2 * geo.MERCATOR_HALF_M / 2**zoom
    column = ((places.geometry.x + geo.MERCATOR_HALF_M) // side).astype(int)
    row = ((geo.MERCATOR_HALF_M - places.geometry.y) // side).astype(int)
    places = places.assign(home=[f"{zoom}/{x}/{y}" for x, y in zip(column, row, strict=True)])
    read = {tile.name for tile in tile_set.tiles} - set(tile_set.broken)
    at_home = places["tile"] == places["home"]
    copies = places[~places["home"].isin(read)].drop_duplicates(["class", "name", "home"])
    kept = pd.concat([places[at_home], copies], ignore_index=True)
    return kept[[*TEXT_COLUMNS["place"], *NUMBER_COLUMNS["place"], "geometry"]]


# Buildings


def _clean_buildings(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Join the pieces over tile edges, forget the default height, write colours as #rrggbb."""
    table = _join_over_edges(table)
    heights = table["height_m"].to_numpy(np.float64).copy()
    known = heights[np.isfinite(heights)]
    if len(known):
        values, counts = np.unique(np.round(known, 2), return_counts=True)
        most = counts.argmax()
        if counts[most] >= _DEFAULT_HEIGHT_SHARE * len(known) and values[most] < _DEFAULT_HEIGHT_BELOW_M:
            heights[np.round(heights, 2) == values[most]] = np.nan
    heights[heights <= 0] = np.nan
    return table.assign(
        height_m=heights,
        min_height_m=np.maximum(np.nan_to_num(table["min_height_m"].to_numpy(np.float64)), 0.0),
        colour=[hex_color(color) for color in table["colour"]],
    )[["colour", "height_m", "min_height_m", "geometry"]]


def hex_color(color: Any) -> str | None:
    """#rrggbb of a color by name or number; None for anything else."""
    if not isinstance(color, str):
        return None
    try:
        return "#{:02x}{:02x}{:02x}".format(*ImageColor.getrgb(color)[:3])
    except ValueError:
        return None  # not a colour name: as if there were none


def _join_over_edges(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Each tile holds its part of a building and a margin; parts of two tiles that overlap there are one building.

    The row of the joined building is the root of its union-find tree. SciPy's connected components give the same groups
    without a root, in more time (Boston, 389,149 parts: 3.2 s against 2.0 s).
    """
    on_edge = np.flatnonzero(table["on_edge"].to_numpy(bool))
    if not len(on_edge):
        return table
    geometry = table.geometry.to_numpy()
    tile = table["tile"].to_numpy()
    height = np.stack([np.nan_to_num(table["height_m"]), np.nan_to_num(table["min_height_m"])], axis=1)
    parent = np.arange(len(table))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = int(parent[i])
        return i

    tree = shapely.STRtree(geometry[on_edge])
    pairs = on_edge[tree.query(geometry[on_edge], predicate="intersects")]
    pairs = pairs[:, (pairs[0] < pairs[1]) & (tile[pairs[0]] != tile[pairs[1]])]
    pairs = pairs[:, (height[pairs[0]] == height[pairs[1]]).all(axis=1)]
    shared = shapely.area(shapely.intersection(geometry[pairs[0]], geometry[pairs[1]]))
    for a, b in pairs[:, shared > 1.0].T:
        parent[root(int(b))] = root(int(a))
    groups: dict[int, list[int]] = {}
    for i in on_edge:
        groups.setdefault(root(int(i)), []).append(int(i))
    gone = []
    for first, members in groups.items():
        if len(members) > 1:
            geometry[first] = shapely.union_all(geometry[members])
            gone += [i for i in members if i != first]
    return table.set_geometry(gpd.GeoSeries(geometry, index=table.index, crs=CRS)).drop(index=table.index[gone])
