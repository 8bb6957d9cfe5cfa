"""The town of `made_up_tiles` as OpenStreetMap has it, written as XML and as PBF without GDAL."""

import zlib
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from tests.build import made_up_tiles as made_up
from unigeoclip import geo

BBOX = made_up.bbox(440)
_UNIT = 100  # nanodegrees, of positions in PBF


def features():
    """The town: (geometry in mercator meters, tags of OpenStreetMap) of each thing."""
    town = made_up.town()
    found = []
    for geometry, said in town["building"]:
        tags = {"building": "yes"}
        if said["render_height"] != 5:
            tags["height"] = f"{said['render_height']} m"
        if "colour" in said:
            tags["building:colour"] = said["colour"]
        found.append((geometry, tags))
    road, main, tram, planned = (geometry for geometry, _ in town["transportation"])
    found += [
        (road, {"highway": "residential", "name": "Elm Street"}),
        (main, {"highway": "primary"}),
        (tram, {"railway": "tram", "tunnel": "yes"}),
        (planned, {"highway": "construction", "construction": "residential"}),
    ]
    tags = {
        "water": {"natural": "water"},
        "landcover": {"landuse": "forest"},
        "landuse": {"landuse": "residential"},
        "place": {"place": "town", "name": "Madeup"},
        "poi": {"amenity": "school", "name": "Elm School"},
    }
    return found + [(town[layer][0][0], said) for layer, said in tags.items()]


def _elements(things):
    """Nodes (lat, lon, tags), counted from 1, and ways (numbers of nodes, tags)."""
    nodes, ways = [], []
    for geometry, tags in things:
        line = geometry.exterior if geometry.geom_type == "Polygon" else geometry
        latlon = geo.inverse_web_mercator(np.asarray(line.coords)).tolist()
        if geometry.geom_type == "Point":
            nodes.append((*latlon[0], tags))
            continue
        closed = latlon[0] == latlon[-1]
        numbers = []
        for lat, lon in latlon[:-1] if closed else latlon:
            nodes.append((lat, lon, {}))
            numbers.append(len(nodes))
        ways.append(([*numbers, numbers[0]] if closed else numbers, tags))
    return nodes, ways


def write_osm(path: Path, things=None, bounds=BBOX) -> Path:
    """Write OpenStreetMap XML."""
    nodes, ways = _elements(features() if things is None else things)
    south, west, north, east = bounds
    text = ['<osm version="0.6">', f'<bounds minlat="{south}" minlon="{west}" maxlat="{north}" maxlon="{east}"/>']
    for number, (lat, lon, tags) in enumerate(nodes, 1):
        text.append(f'<node id="{number}" lat="{lat:.7f}" lon="{lon:.7f}">{_xml(tags)}</node>')
    for number, (refs, tags) in enumerate(ways, 1):
        members = "".join(f'<nd ref="{ref}"/>' for ref in refs)
        text.append(f'<way id="{number}">{members}{_xml(tags)}</way>')
    path.write_text("\n".join([*text, "</osm>"]), encoding="utf-8")
    return path


def _xml(tags):
    return "".join(f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in tags.items())


def write_pbf(path: Path, things=None, bounds=BBOX) -> Path:
    """Write PBF as https://wiki.openstreetmap.org/wiki/PBF_Format has it; nodes and ways, one block each."""
    nodes, ways = _elements(features() if things is None else things)
    south, west, north, east = (round(edge * 1e9) for edge in bounds)
    box = b"".join(_number(field, _zigzag(edge)) for field, edge in enumerate((west, east, north, south), 1))
    header = made_up._field(1, box) if bounds else b""
    header += made_up._field(4, b"OsmSchema-V0.6")
    strings = [""]

    def tagged(tags):
        for text in (*tags.keys(), *tags.values()):
            if text not in strings:
                strings.append(text)
        keys, values = ([strings.index(text) for text in texts] for texts in (tags.keys(), tags.values()))
        return (_packed(2, keys) + _packed(3, values)) if tags else b""

    group = b"".join(
        made_up._field(1, _number(1, _zigzag(number)) + tagged(tags)
                       + _number(8, _zigzag(round(lat * 1e9 / _UNIT))) + _number(9, _zigzag(round(lon * 1e9 / _UNIT))))
        for number, (lat, lon, tags) in enumerate(nodes, 1)
    )  # fmt: skip
    node_block = _block(strings, group)
    strings = [""]
    group = b""
    for number, (refs, tags) in enumerate(ways, 1):
        steps = [_zigzag(step) for step in np.diff([0, *refs]).tolist()]
        group += made_up._field(3, _number(1, number) + tagged(tags) + _packed(8, steps))
    blobs = [("OSMHeader", header), ("OSMData", node_block), ("OSMData", _block(strings, group))]
    path.write_bytes(b"".join(_blob(kind, data) for kind, data in blobs))
    return path


def _block(strings, group):
    table = b"".join(made_up._field(1, text.encode()) for text in strings)
    return made_up._field(1, table) + made_up._field(2, group)


def _blob(kind, data):
    blob = _number(2, len(data)) + made_up._field(3, zlib.compress(data))
    header = made_up._field(1, kind.encode()) + _number(3, len(blob))
    return len(header).to_bytes(4, "big") + header + blob


def _packed(field, numbers):
    return made_up._field(field, b"".join(made_up._varint(number) for number in numbers))


def _number(field, value):
    return made_up._varint(field << 3) + made_up._varint(value)


def _zigzag(value):
    return value << 1 if value >= 0 else (-value << 1) - 1


def mercator(*points):
    """A line through points so many meters east and north of where the tiles meet."""
    return shapely.LineString([made_up.here(*point) for point in points])


# Overture


def overture():
    """The town: type -> rows with the columns of Overture's schema, geometries in degrees."""
    town = made_up.town()
    osm = [{"property": "", "dataset": "OpenStreetMap", "record_id": "w1@1", "between": None}]

    def names(text):
        return {"primary": text, "common": None, "rules": None}

    buildings = []
    for number, (geometry, said) in enumerate(town["building"]):
        height = None if said["render_height"] == 5 else float(said["render_height"])
        source = [{**osm[0], "dataset": "Microsoft ML Buildings"}] if number % 4 == 0 else osm
        buildings.append({"geometry": geometry, "height": height, "num_floors": None, "min_height": None,
                          "facade_color": "#a52a2a" if "colour" in said else None, "is_underground": False,
                          "has_parts": False, "sources": source})  # fmt: skip
    road, main, tram, planned = (geometry for geometry, _ in town["transportation"])

    def way(geometry, subtype, kind, name=None, flags=None):
        rules = [{"values": flags, "between": None}] if flags else None
        return {"geometry": geometry, "subtype": subtype, "class": kind, "names": names(name) if name else None,
                "road_flags": rules if subtype == "road" else None, "rail_flags": rules if subtype == "rail" else None,
                "level_rules": None, "road_surface": None, "subclass": None, "sources": osm}  # fmt: skip

    def area(layer, subtype, kind):
        return {"geometry": town[layer][0][0], "subtype": subtype, "class": kind, "names": None, "sources": osm}

    places = [{"geometry": town["poi"][0][0], "names": names("Elm School"), "confidence": 0.9, "sources": osm,
               "categories": {"primary": "elementary_school", "alternate": None},
               "operating_status": "open"}]  # fmt: skip
    return {
        "building": buildings,
        "segment": [way(road, "road", "residential", "Elm Street"), way(main, "road", "primary"),
                    way(tram, "rail", "tram", flags=["is_tunnel"]),
                    way(planned, "road", "residential", flags=["is_under_construction"])],
        "water": [area("water", "lake", "lake")],
        "land": [area("landcover", "forest", "forest")],
        "land_use": [area("landuse", "residential", "residential")],
        "place": places,
        "division": [{"geometry": town["place"][0][0], "subtype": "locality", "class": "town",
                      "names": names("Madeup"), "population": None, "sources": osm}],
    }  # fmt: skip


def write_overture(folder: Path, tables=None, row_group_size=None, hive=True) -> Path:
    """Write GeoParquet as Overture does; a column of which nothing is known is text."""
    from unigeoclip.build.city.extracts.overture_tags import THEMES

    for kind, rows in (overture() if tables is None else tables).items():
        shapes = np.array([row["geometry"] for row in rows], dtype=object)
        shapes = shapely.transform(shapes, lambda xy: geo.inverse_web_mercator(xy)[:, ::-1])
        boxes = [
            dict(zip(("xmin", "ymin", "xmax", "ymax"), edges, strict=True)) for edges in shapely.bounds(shapes).tolist()
        ]
        table = pa.table({
            "id": [f"{kind}-{number}" for number in range(len(rows))],
            "geometry": shapely.to_wkb(shapes),
            "bbox": boxes,
            **{name: [row[name] for row in rows] for name in rows[0] if name != "geometry"},
        })  # fmt: skip
        path = (
            folder / f"theme={THEMES[kind]}" / f"type={kind}" / "part-0.parquet" if hive else folder / f"{kind}.parquet"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path, row_group_size=row_group_size)
    return folder
