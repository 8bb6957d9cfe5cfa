"""Where vector tiles come from: a folder, an .mbtiles or .pmtiles archive, or a server.

A source is a folder of z/x/y.pbf files, an .mbtiles or .pmtiles archive, or a URL template with {z}, {x} and {y}.
"""

from __future__ import annotations

import hashlib
import math
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, GeometryError

from unigeoclip import geo
from unigeoclip.build.city.tile_downloads import MAX_TILE_BYTES, download_tiles, keep_tile
from unigeoclip.errors import InputError
from unigeoclip.files.cache import cache_folder, is_sound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Progress = Callable[[str, float], None]

ZOOM = 14  # the level of the schema that holds every building and street
SCATTERED_SHARE = 0.5  # of the rectangle round all tiles: with less, groups of tiles are areas of their own
MAX_TILES = 4096  # some 100 x 100 km; a city is far smaller, so more is a mistake
UNREADABLE = (DataSourceError, DataLayerError, FeatureError, GeometryError)  # what GDAL raises
_ENDINGS = (".pbf", ".mvt")


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
        side = 2 * geo.MERCATOR_HALF_M / 2**self.z
        left, upper = self.x * side - geo.MERCATOR_HALF_M, geo.MERCATOR_HALF_M - self.y * side
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
        areas: Bounds in degrees of groups of tiles that lie far from each other, such as several cities; none where
            the tiles fill their rectangle.
    """

    source: str
    tiles: list[Tile]
    missing: list[str] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    attribution: str = ""
    areas: tuple[geo.Bounds, ...] = ()

    @property
    def bounds_deg(self) -> geo.Bounds:
        """South, west, north, east of all tiles together."""
        return _bounds_of(self.tiles)

    @property
    def files(self) -> tuple[Path, ...]:
        """What is read; of tiles inside an archive, which are no files, what GDAL calls them."""
        return tuple(Path(tile.path) for tile in self.tiles)


def _bounds_of(tiles: Sequence[Tile]) -> geo.Bounds:
    edges = np.array([tile.bounds_m for tile in tiles])
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
            f"{text} is no source of vector tiles. Give a folder of z/x/y.pbf files, an .mbtiles or .pmtiles file, "
            "a URL with {z}, {x} and {y} in it, or an extract of OpenStreetMap (.osm.pbf)."
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
    side = 2 * geo.MERCATOR_HALF_M / 2**z
    tiny = 1.0  # metre: a box that ends at the edge of a tile, as far as six digits say, does not touch the next one
    first_x, last_x = (math.floor((edge + geo.MERCATOR_HALF_M) / side) for edge in (left + tiny, right - tiny))
    first_y, last_y = (math.floor((geo.MERCATOR_HALF_M - edge) / side) for edge in (upper - tiny, lower + tiny))
    count = (last_x - first_x + 1) * (last_y - first_y + 1)
    if count > MAX_TILES:
        raise InputError(
            f"The box {', '.join(f'{edge:g}' for edge in bbox)} holds {count:,} tiles of zoom {z}; at most "
            f"{MAX_TILES:,} are read. Choose a smaller one: a city is about 0.2 degrees wide."
        )
    return [(x, y) for x in range(first_x, last_x + 1) for y in range(first_y, last_y + 1)]


def _find_missing(tile_set: TileSet) -> None:
    """Note the groups of tiles that lie far from each other, and the holes in the rectangles that they fill."""
    there = {(tile.x, tile.y) for tile in tile_set.tiles}
    whole = _Rectangle.of(there)
    if whole.area > MAX_TILES:
        raise InputError(
            f"The tiles of {tile_set.source} span {whole.area:,} places of zoom {ZOOM}, more than a city. Choose with "
            "--bbox."
        )
    rectangles = [whole]
    if len(there) < SCATTERED_SHARE * whole.area and len(groups := _groups(there)) > 1:
        rectangles = groups
        tile_set.areas = tuple(
            _bounds_of([Tile(ZOOM, each.left, each.upper, ""), Tile(ZOOM, each.right, each.lower, "")])
            for each in groups
        )
    names = {f"{ZOOM}/{x}/{y}" for each in rectangles for x, y in each.tiles()}
    there_names = {tile.name for tile in tile_set.tiles}
    absent = set(tile_set.missing) if len(rectangles) == 1 else set()
    tile_set.missing = sorted((names | absent) - there_names)


@dataclass(frozen=True)
class _Rectangle:
    """Columns and rows of tiles, the last ones included."""

    left: int
    upper: int
    right: int
    lower: int

    @classmethod
    def of(cls, tiles: Iterable[tuple[int, int]]) -> _Rectangle:
        columns, rows = zip(*tiles, strict=True)
        return cls(min(columns), min(rows), max(columns), max(rows))

    @property
    def area(self) -> int:
        return (self.right - self.left + 1) * (self.lower - self.upper + 1)

    def tiles(self) -> list[tuple[int, int]]:
        return [(x, y) for x in range(self.left, self.right + 1) for y in range(self.upper, self.lower + 1)]

    def touches(self, other: _Rectangle) -> bool:
        return (self.left <= other.right + 1 and other.left <= self.right + 1
                and self.upper <= other.lower + 1 and other.upper <= self.lower + 1)  # fmt: skip

    def with_(self, other: _Rectangle) -> _Rectangle:
        return _Rectangle.of([(each.left, each.upper) for each in (self, other)]
                             + [(each.right, each.lower) for each in (self, other)])  # fmt: skip


def _groups(there: set[tuple[int, int]]) -> list[_Rectangle]:
    """Rectangles round groups of tiles that do not touch each other, from west to east."""
    groups: list[_Rectangle] = []
    for tile in sorted(there):
        grown = _Rectangle.of([tile])
        while near := [each for each in groups if each.touches(grown)]:
            for each in near:
                groups.remove(each)
                grown = grown.with_(each)
        groups.append(grown)
    return sorted(groups, key=lambda each: (each.left, each.upper))


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
    except (*UNREADABLE, IndexError) as error:
        raise InputError(f"{archive} is not a readable .pmtiles archive of vector tiles: {error}.") from error
    tiles = [Tile(ZOOM, x, y, f"{root}/{ZOOM}/{x}/{y}.mvt") for x, y in wanted]
    return TileSet(str(archive), [tile for tile in tiles if tile.path in names])
