"""Vector tiles of a made-up town of four tiles in the OpenMapTiles schema, written without GDAL."""

from pathlib import Path

import numpy as np
import shapely

from unigeoclip import geo
from unigeoclip.build.city.tile_sources import ZOOM, Tile

EXTENT = 4096
MARGIN = 64
TILES = [(4956, 6059), (4957, 6059), (4956, 6060), (4957, 6060)]  # north-west, north-east, south-west, south-east
GROUND = 0.7385  # metres on the ground per mercator metre there
CORNER = np.array(Tile(ZOOM, *TILES[3], "").bounds_m)[[0, 3]]  # where the four meet, mercator metres


def here(east_m, north_m):
    """Mercator metres of a point so many metres on the ground from where the four tiles meet."""
    return tuple(CORNER + np.array([east_m, north_m]) / GROUND)


def box(east_m, north_m, width_m, height_m):
    return shapely.box(*here(east_m, north_m), *here(east_m + width_m, north_m + height_m))


def line(*points):
    return shapely.LineString([here(*point) for point in points])


def bbox(reach_m=450.0):
    """South, west, north, east of the square so far around the middle."""
    (south, west), (north, east) = geo.inverse_web_mercator(
        np.array([here(-reach_m, -reach_m), here(reach_m, reach_m)])
    )
    return float(south), float(west), float(north), float(east)


def town():
    """Layers: name -> list of (geometry, properties)."""
    houses = [
        (box(x, y, 14, 10), {"render_height": 5, "render_min_height": 0})
        for x in range(-400, 400, 40)
        for y in (-120, -60, 60, 120)
    ]
    tower = (box(-30, -200, 30, 30), {"render_height": 60, "render_min_height": 0, "colour": "brown"})
    across = (box(-12, 200, 24, 12), {"render_height": 9, "render_min_height": 0})  # lies on the edge of two tiles
    bow_tie = shapely.Polygon([here(200, 200), here(220, 220), here(220, 200), here(200, 220)])
    return {
        "building": [*houses, tower, across, (bow_tie, {"render_height": 5, "render_min_height": 0})],
        "transportation": [
            (line((-430, 7), (430, 7)), {"class": "minor"}),
            (line((20, -430), (20, 430)), {"class": "primary"}),
            (line((-430, 300), (430, 300)), {"class": "tram", "brunnel": "tunnel"}),
            (line((-430, 250), (430, 250)), {"class": "minor_construction"}),
        ],
        "transportation_name": [(line((-430, 7), (430, 7)), {"class": "minor", "name:latin": "Elm Street"})],
        "water": [(box(-430, -430, 150, 100), {"class": "lake"})],
        "landcover": [(box(150, -400, 200, 150), {"class": "wood", "subclass": "forest"})],
        "landuse": [(box(-430, -150, 860, 320), {"class": "residential"})],
        "place": [(shapely.Point(here(5, 5)), {"class": "town", "name": "Madeup"})],
        "poi": [(shapely.Point(here(-100, 20)), {"class": "school", "subclass": "school", "name": "Elm School"})],
    }


def long_street():
    """The town and, a kilometre to the south, a straight street of 3.3 km with houses on either side."""
    layers, street = town(), line((-1650, -1000), (1650, -1000))
    houses = [
        (box(x, -1040 if number % 2 else -985, 14 + number % 5, 12), {"render_height": 5 + number % 9})
        for number, x in enumerate(range(-1640, 1640, 30))
    ]
    added = {
        "building": houses,
        "transportation": [(street, {"class": "minor"})],
        "transportation_name": [(street, {"class": "minor", "name": "Long Street"})],
        "landcover": [(box(-1650, -1100, 700, 80), {"class": "wood", "subclass": "forest"})],
    }
    return {name: features + added.get(name, []) for name, features in layers.items()}


def write_tiles(folder: Path, layers=None) -> Path:
    """Write z/x/y.pbf files; each holds what touches the tile and its margin, as real ones do."""
    layers = town() if layers is None else layers
    for x, y in TILES:
        left, lower, right, upper = Tile(ZOOM, x, y, "").bounds_m
        side = right - left
        margin = side * MARGIN / EXTENT
        window = shapely.box(left - margin, lower - margin, right + margin, upper + margin)
        content = b""
        for name, features in layers.items():
            kept = []
            for geometry, properties in features:
                if geometry.intersects(window) if geometry.is_valid else True:  # a bow tie is in every tile
                    part = shapely.intersection(geometry, window) if geometry.is_valid else geometry
                    scaled = shapely.transform(
                        part, lambda xy, o=(left, upper), s=side: (xy - o) / s * [1, -1] * EXTENT
                    )
                    kept.append((shapely.transform(scaled, np.round), properties))
            content += _field(3, _layer(name, kept))
        path = folder / str(ZOOM) / str(x) / f"{y}.pbf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def _varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(number, data):
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _layer(name, features):
    keys, values, out = [], [], b""
    for geometry, properties in features:
        tags = b""
        for key, value in properties.items():
            for known, item in ((keys, key), (values, value)):
                if item not in known:
                    known.append(item)
                tags += _varint(known.index(item))
        kind, commands = _commands(geometry)
        packed = b"".join(map(_varint, commands))
        out += _field(2, _field(2, tags) + _varint(3 << 3) + _varint(kind) + _field(4, packed))
    out = _field(1, name.encode()) + out + b"".join(_field(3, key.encode()) for key in keys)
    for value in values:
        stored = _field(1, value.encode()) if isinstance(value, str) else _varint(5 << 3) + _varint(value)
        out += _field(4, stored)
    return out + _varint(5 << 3) + _varint(EXTENT) + _varint(15 << 3) + _varint(2)


def _commands(geometry):
    """Kind of the geometry and the commands that draw it: move, line, close; positions relative to the last."""
    parts = shapely.get_parts(geometry)
    kind = {"Point": 1, "LineString": 2, "Polygon": 3}[parts[0].geom_type]
    commands, last = [], np.zeros(2, int)
    for part in parts:
        if kind == 3:
            part = shapely.geometry.polygon.orient(part) if part.is_valid else part
        xy = np.asarray((part.exterior if kind == 3 else part).coords, dtype=int)
        xy = xy[:-1] if kind == 3 else xy
        for number, point in enumerate(xy):
            if number == 0:
                commands.append(1 | 1 << 3)
            elif number == 1:
                commands.append(2 | (len(xy) - 1) << 3)
            commands += [int(d << 1 ^ d >> 31) for d in point - last]
            last = point
        if kind == 3:
            commands.append(7 | 1 << 3)
    return kind, commands
