"""Vector tiles of the OpenMapTiles schema, from any source, as one clean table per layer.

A source is a folder of z/x/y.pbf files, an .mbtiles or .pmtiles archive, or a URL template with {z}, {x} and {y}. GDAL
decodes the tiles one by one, so that a missing or broken one costs that one only and each is cut at its own edge.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import sqlite3
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from PIL import ImageColor
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, GeometryError

from unigeoclip import geo
from unigeoclip.build.city.tile_downloads import MAX_TILE_BYTES, download_tiles, keep_tile
from unigeoclip.city.layers import CRS, GEOMETRY, NUMBER_COLUMNS, TEXT_COLUMNS, CityLayers
from unigeoclip.errors import InputError
from unigeoclip.files.atomic import read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Progress = Callable[[str, float], None]

ZOOM = 14  # the level of the schema that holds every building and street
MAX_PLAIN_BYTES = 100_000_000  # of a tile when unpacked
MAX_TILES = 4096  # some 100 x 100 km; a city is far smaller, so more is a mistake
_MERCATOR_HALF_M = math.pi * geo.MERCATOR_RADIUS_M
_ENDINGS = (".pbf", ".mvt")
_COLUMNS_IN_TILES = {"height_m": "render_height", "min_height_m": "render_min_height"}
# Extracts differ in which names they keep: the local one if there is, else the one in Latin letters.
_NAMES_IN_TILES = ("name", "name:latin", "name_int", "name:en", "name_en")
_UNREADABLE = (DataSourceError, DataLayerError, FeatureError, GeometryError)
_BROKEN = (*_UNREADABLE, InputError, OSError, ValueError, EOFError, zlib.error, shapely.errors.GEOSException)
# A height that most buildings share is what the tiles say when the map says nothing (5 m or 3.66 m, by version).
_DEFAULT_HEIGHT_BELOW_M = 6.0
_DEFAULT_HEIGHT_SHARE = 0.5
_RAIL = {"narrow_gauge": "rail", "preserved": "rail"} | dict.fromkeys(
    ("tram", "light_rail", "subway", "monorail", "funicular"), "transit"
)
_NOT_THERE = ("abandoned", "construction", "disused", "ferry", "proposed", "razed")


@dataclass(frozen=True)
class Tile:
    """One tile: its place in the XYZ scheme and what GDAL opens."""

    z: int
    x: int
    y: int
    path: str

    @property
    def name(self) -> str:
        """Zoom, column and row, as in file names and URLs."""
        return f"{self.z}/{self.x}/{self.y}"

    @property
    def bounds_m(self) -> tuple[float, float, float, float]:
        """Left, lower, right, upper edge in EPSG:3857."""
        side = 2 * _MERCATOR_HALF_M / 2**self.z
        left, upper = self.x * side - _MERCATOR_HALF_M, _MERCATOR_HALF_M - self.y * side
        return left, upper - side, left + side, upper


@dataclass
class TileSet:
    """The tiles of a city.

    Attributes:
        source: Where they come from, as the person gave it.
        tiles: Those that are there.
        missing: Names of those that the rectangle lacks.
        broken: Name -> what is wrong, of those that cannot be read; filled by `read_layers`.
        attribution: What the archive says about its authors, or nothing.
    """

    source: str
    tiles: list[Tile]
    missing: list[str] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    attribution: str = ""

    @property
    def bounds_deg(self) -> geo.Bounds:
        """South, west, north, east of all tiles together."""
        edges = np.array([tile.bounds_m for tile in self.tiles])
        corners = np.array([edges[:, :2].min(axis=0), edges[:, 2:].max(axis=0)])
        (south, west), (north, east) = geo.inverse_web_mercator(corners)
        return float(south), float(west), float(north), float(east)


def open_tiles(
    source: str | Path, bbox: geo.Bounds | None = None, cache: Path | None = None, progress: Progress | None = None
) -> TileSet:
    """Find the tiles of a source; those of a URL template are downloaded, those of .mbtiles unpacked.

    Args:
        source: Folder of z/x/y.pbf (or the folder round it), .mbtiles, .pmtiles, or URL template with {z}, {x}, {y}.
        bbox: South, west, north, east in degrees: only tiles that touch it. A URL template needs one.
        cache: Folder for downloaded and unpacked tiles; the package's cache folder by default.
        progress: Called with what is being done and the share done, 0 to 1.

    Raises:
        InputError: No such source, no tile in it, too many tiles, or a source of another kind.
        DownloadError: The server cannot be reached or refuses.
    """
    text = str(source)
    wanted = None if bbox is None else tiles_touching(bbox)
    if "://" in text:
        tile_set = _from_url(text, wanted, cache, progress)
    elif Path(text).is_dir():
        tile_set = _from_folder(Path(text), wanted)
    elif Path(text).suffix == ".mbtiles" and Path(text).is_file():
        tile_set = _from_mbtiles(Path(text), wanted, cache)
    elif Path(text).suffix == ".pmtiles" and Path(text).is_file():
        tile_set = _from_pmtiles(Path(text), wanted)
    else:
        raise InputError(
            f"{text} is no source of vector tiles. Give a folder of z/x/y.pbf files, an .mbtiles or .pmtiles file, or "
            "a URL with {z}, {x} and {y} in it."
        )
    if not tile_set.tiles:
        where = " there" if bbox is None else f" in the box {', '.join(f'{edge:g}' for edge in bbox)}"
        raise InputError(f"{text} has no vector tile of zoom {ZOOM}{where}. Check the folder, or the order of --bbox.")
    tile_set.tiles.sort(key=lambda tile: (tile.x, tile.y))  # whatever the source, the same tables
    _find_missing(tile_set)
    return tile_set


def tiles_touching(bbox: geo.Bounds, z: int = ZOOM) -> list[tuple[int, int]]:
    """Column and row of every tile that touches a box of degrees (south, west, north, east), north to south.

    Raises:
        InputError: The box is empty, not on the map, or holds more than `MAX_TILES` tiles.
    """
    south, west, north, east = bbox
    limit = geo.MAX_MERCATOR_LAT_DEG
    if not (-limit < south < north < limit and -180 <= west < east <= 180):
        raise InputError(
            f"The box {', '.join(f'{edge:g}' for edge in bbox)} is not south, west, north, east in degrees; "
            "for example 42.30,-71.15,42.40,-71.00."
        )
    (left, lower), (right, upper) = geo.web_mercator(np.array([[south, west], [north, east]]))
    side = 2 * _MERCATOR_HALF_M / 2**z
    tiny = 1.0  # metre: a box that ends at the edge of a tile, as far as six digits say, does not touch the next one
    first_x, last_x = (math.floor((edge + _MERCATOR_HALF_M) / side) for edge in (left + tiny, right - tiny))
    first_y, last_y = (math.floor((_MERCATOR_HALF_M - edge) / side) for edge in (upper - tiny, lower + tiny))
    count = (last_x - first_x + 1) * (last_y - first_y + 1)
    if count > MAX_TILES:
        raise InputError(
            f"The box {', '.join(f'{edge:g}' for edge in bbox)} holds {count:,} tiles of zoom {z}; at most "
            f"{MAX_TILES:,} are read. Choose a smaller one: a city is about 0.2 degrees wide."
        )
    return [(x, y) for x in range(first_x, last_x + 1) for y in range(first_y, last_y + 1)]


def _find_missing(tile_set: TileSet) -> None:
    """Note the holes in the rectangle that the tiles fill."""
    there = {(tile.x, tile.y) for tile in tile_set.tiles}
    columns, rows = {x for x, _ in there}, {y for _, y in there}
    area = (max(columns) - min(columns) + 1) * (max(rows) - min(rows) + 1)
    if area > MAX_TILES:
        raise InputError(
            f"The tiles of {tile_set.source} span {area:,} places of zoom {ZOOM}, more than a city. Choose with --bbox."
        )
    names = {f"{ZOOM}/{x}/{y}" for x in range(min(columns), max(columns) + 1) for y in range(min(rows), max(rows) + 1)}
    there_names = {tile.name for tile in tile_set.tiles}
    tile_set.missing = sorted((names - there_names) | (set(tile_set.missing) - there_names))


# The kinds of sources


def _from_folder(folder: Path, wanted: Sequence[tuple[int, int]] | None) -> TileSet:
    root = _zoom_folder(folder)
    chosen = None if wanted is None else set(wanted)
    tiles = []
    for path in sorted(root.glob("*/*")):
        if path.suffix in _ENDINGS and path.stem.isdigit() and path.parent.name.isdigit():
            x, y = int(path.parent.name), int(path.stem)
            if chosen is None or (x, y) in chosen:
                tiles.append(Tile(ZOOM, x, y, str(path)))
    return TileSet(str(folder), tiles)


def _zoom_folder(folder: Path) -> Path:
    """The folder of the zoom that is read: in the folder given, in its only sub-folder that has one, or itself.

    Raises:
        InputError: Several sub-folders have one.
    """
    root = folder / str(ZOOM)
    if root.is_dir():
        return root
    if folder.name == str(ZOOM):
        return folder
    deeper = sorted(path for path in folder.glob(f"*/{ZOOM}") if path.is_dir())
    if len(deeper) > 1:
        names = ", ".join(str(path.parent) for path in deeper[:5])
        raise InputError(f"{folder} holds {len(deeper)} folders of vector tiles; give one of them: {names}.")
    return deeper[0] if deeper else root


def _from_url(
    template: str, wanted: Sequence[tuple[int, int]] | None, cache: Path | None, progress: Progress | None
) -> TileSet:
    if not all(part in template for part in ("{z}", "{x}", "{y}")):
        raise InputError(f"The address {template} lacks {{z}}, {{x}} or {{y}}: it must name one tile each.")
    if wanted is None:
        raise InputError("Tiles from a server need --bbox SOUTH,WEST,NORTH,EAST: how much to fetch must be bounded.")
    paths, absent = download_tiles(template, ZOOM, wanted, cache, progress)
    tiles = [Tile(ZOOM, x, y, str(path)) for (x, y), path in paths.items()]
    return TileSet(template, tiles, missing=[f"{ZOOM}/{x}/{y}" for x, y in absent])


def _from_mbtiles(archive: Path, wanted: Sequence[tuple[int, int]] | None, cache: Path | None) -> TileSet:
    """Unpack the tiles: the archive is a table of blobs whose rows count from the south."""
    from unigeoclip.files.cache import cache_folder, is_sound

    status = archive.stat()
    key = hashlib.sha256(f"{archive.resolve()} {status.st_size} {status.st_mtime_ns}".encode()).hexdigest()[:16]
    folder = (cache or cache_folder()) / "tiles" / key
    chosen = None if wanted is None else set(wanted)
    tiles = []
    try:
        connection = sqlite3.connect(f"{archive.resolve().as_uri()}?mode=ro", uri=True)
        try:
            metadata = dict(connection.execute("select name, value from metadata").fetchall())
            query = "select tile_column, tile_row from tiles where zoom_level = ? order by 1, 2"
            places = [(x, 2**ZOOM - 1 - row) for x, row in connection.execute(query, (ZOOM,))]
            _refuse_pictures(archive, metadata)
            places = [place for place in places if chosen is None or place in chosen]
            _refuse_too_many(archive, len(places))
            for x, y in places:
                path = folder / str(ZOOM) / str(x) / f"{y}.pbf"
                if not is_sound(path):
                    query = "select tile_data from tiles where zoom_level = ? and tile_column = ? and tile_row = ?"
                    data = connection.execute(query, (ZOOM, x, 2**ZOOM - 1 - y)).fetchone()[0]
                    if not isinstance(data, bytes) or len(data) > MAX_TILE_BYTES:
                        raise InputError(
                            f"{archive}: the tile {ZOOM}/{x}/{y} is too large, or no tile. Fetch it again."
                        )
                    keep_tile(path, data)
                tiles.append(Tile(ZOOM, x, y, str(path)))
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise InputError(f"{archive} is not a readable .mbtiles archive: {error}. Fetch it again.") from error
    return TileSet(str(archive), tiles, attribution=str(metadata.get("attribution", "")))


def _refuse_pictures(archive: Path, metadata: dict[str, str]) -> None:
    if metadata.get("format", "pbf") not in ("pbf", "mvt"):
        raise InputError(
            f"{archive} holds {metadata['format']} pictures; vector tiles (pbf) of the OpenMapTiles schema are needed."
        )


def _refuse_too_many(archive: Path, count: int) -> None:
    if count > MAX_TILES:
        raise InputError(
            f"{archive} has {count:,} tiles of zoom {ZOOM}; at most {MAX_TILES:,} are read. Choose with --bbox."
        )


def _from_pmtiles(archive: Path, wanted: Sequence[tuple[int, int]] | None) -> TileSet:
    """GDAL shows the tiles inside the archive as files; which exist is seen when they are read."""
    try:
        if wanted is None:
            name = pyogrio.list_layers(archive)[0][0]
            left, lower, right, upper = pyogrio.read_info(archive, layer=name, force_total_bounds=True)["total_bounds"]
            (south, west), (north, east) = geo.inverse_web_mercator(np.array([[left, lower], [right, upper]]))
            wanted = tiles_touching((float(south), float(west), float(north), float(east)))
        root = f"/vsipmtiles/{archive.resolve()}"
        names = set(pyogrio.vsi_listtree(f"{root}/{ZOOM}"))
    except (*_UNREADABLE, IndexError) as error:
        raise InputError(f"{archive} is not a readable .pmtiles archive of vector tiles: {error}.") from error
    tiles = [Tile(ZOOM, x, y, f"{root}/{ZOOM}/{x}/{y}.mvt") for x, y in wanted]
    return TileSet(str(archive), [tile for tile in tiles if tile.path in names])


# Reading


def read_layers(tile_set: TileSet, progress: Progress | None = None) -> CityLayers:
    """Read all layers the city is drawn from; ``tile_set.broken`` then names the tiles that could not be read.

    Polygons are repaired, everything is cut at the edge of its own tile, and the pieces of a building that lies on an
    edge are joined again.

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
    for number, start, end in _fields(data, 0, len(data)):
        if number == 3:  # a layer; its field 1 is the name
            names.update(data[a:b].decode() for inner, a, b in _fields(data, start, end) if inner == 1)
    return names


def _fields(data: bytes, position: int, end: int) -> list[tuple[int, int, int]]:
    """Fields of a protocol buffer message: number, start and end of the value."""
    found = []
    while position < end:
        key, position = _varint(data, position, end)
        kind = key & 7
        if kind == 0:
            start = position
            _, position = _varint(data, position, end)
        elif kind == 2:
            length, start = _varint(data, position, end)
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


def _varint(data: bytes, position: int, end: int) -> tuple[int, int]:
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
    """One layer of one tile, repaired, cut at the tile's edge (buildings are left uncut), with the columns wanted."""
    wanted = [*TEXT_COLUMNS[name], *(_COLUMNS_IN_TILES.get(column, column) for column in NUMBER_COLUMNS.get(name, ()))]
    wanted += ["hide_3d"] if name == "building" else []
    wanted += _NAMES_IN_TILES[1:] if "name" in wanted else []
    # GDAL would cut the polygons itself, and stop the whole layer at the first invalid one.
    meta, _, wkb, values = pyogrio.raw.read(tile.path, layer=name, columns=wanted, CLIP="NO")
    data = dict(zip(meta["fields"], values, strict=True))
    geometry = _repaired(shapely.from_wkb(wkb, on_invalid="ignore"))
    if name != "building":
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


def _repaired(geometry: NDArray[Any]) -> NDArray[Any]:
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
    extra = ["tile", "on_edge"] if name == "building" else []
    columns = [*TEXT_COLUMNS[name], *NUMBER_COLUMNS.get(name, ()), *extra]
    tables = [table for table in tables if len(table)]
    if not tables:
        return gpd.GeoDataFrame({column: [] for column in columns}, geometry=[], crs=CRS)
    import pandas as pd

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
        colour=[_hex(color) for color in table["colour"]],
    )[["colour", "height_m", "min_height_m", "geometry"]]


def _hex(color: Any) -> str | None:
    if not isinstance(color, str):
        return None
    try:
        return "#{:02x}{:02x}{:02x}".format(*ImageColor.getrgb(color)[:3])
    except ValueError:
        return None  # not a colour name: as if there were none


def _join_over_edges(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Each tile holds its part of a building and a margin; parts of two tiles that overlap there are one building."""
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
