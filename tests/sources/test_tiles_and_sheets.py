"""Map tiles become GeoTIFFs of the right place and scale; sheets of the Dutch heights are found by their index."""

import json

import numpy as np
import pytest
import rasterio
from rasterio.warp import transform_bounds, transform_geom
from starlette.responses import Response

from tests.sources import pictures
from unigeoclip.errors import DownloadError, InputError
from unigeoclip.sources.ahn import INDEX, AhnSource
from unigeoclip.sources.base import Wanted
from unigeoclip.sources.xyz import TileSource

BOUNDS = (52.360, 4.880, 52.366, 4.890)
AERIAL, SURFACE = Wanted(BOUNDS, "aerial", 2.0), Wanted(BOUNDS, "surface", 2.0)
TILES = "https://tiles.test/{z}/{x}/{y}.png"
SHEETS = "/service.pdok.nl/rws/ahn/atom/downloads/dsm_05m"


# Tiles


def test_tiles_become_a_picture_of_the_area(services, web, tmp_path):
    source = TileSource(TILES)
    found = source.find(AERIAL, web)
    assert services.count() == 0, "the plan needs no request"
    assert found.items[0].license == "", "a person has to state it"
    edges = []
    for item in found.items:
        path = tmp_path / f"{item.name}.tif"
        assert source.fetch(item, AERIAL, path, web)
        with rasterio.open(path) as picture:
            assert picture.crs == "EPSG:3857"
            assert picture.colorinterp[3].name == "alpha"
            # Zoom 16 has 2.39 m at the equator, 1.46 m here; zoom 15 would be too coarse.
            assert picture.res[0] == pytest.approx(2.3887, rel=1e-3)
            edges.append(picture.bounds)
            red, green, blue, alpha = picture.read()
            x, y = int(item.detail["x"]), int(item.detail["y"])
            assert (red[0, 0], green[0, 0], blue[0, 0]) == (x % 256, y % 256, 16)
            assert red[0, -1] == (x + int(item.detail["w"]) - 1) % 256
            assert green[-1, 0] == (y + int(item.detail["h"]) - 1) % 256
            assert (alpha == 255).all()
    west, south, east, north = transform_bounds("EPSG:4326", "EPSG:3857", BOUNDS[1], BOUNDS[0], BOUNDS[3], BOUNDS[2])
    assert min(edge.left for edge in edges) <= west
    assert max(edge.right for edge in edges) >= east
    assert min(edge.bottom for edge in edges) <= south
    assert max(edge.top for edge in edges) >= north
    assert services.count() == sum(item.requests for item in found.items)


def test_every_tile_is_asked_for_once(web):
    items = TileSource(TILES).find(Wanted((52.30, 4.80, 52.40, 4.95), "aerial", 2.0), web).items
    tiles = [
        (x, y)
        for item in items
        for x in range(int(item.detail["x"]), int(item.detail["x"] + item.detail["w"]))
        for y in range(int(item.detail["y"]), int(item.detail["y"] + item.detail["h"]))
    ]
    assert len(tiles) == len(set(tiles)) > 500
    assert len({item.name for item in items}) == len(items)


def test_tiles_that_are_not_there_are_transparent(services, web, tmp_path):
    services.tile = lambda z, x, y: pictures.tile(z, x, y) if x % 2 else None
    source = TileSource(TILES)
    item = source.find(AERIAL, web).items[0]
    assert source.fetch(item, AERIAL, tmp_path / "a.tif", web)
    with rasterio.open(tmp_path / "a.tif") as picture:
        alpha = picture.read(4)
    assert set(np.unique(alpha)) == {0, 255}
    services.tile = lambda z, x, y: None
    assert not source.fetch(item, AERIAL, tmp_path / "b.tif", web)
    assert not (tmp_path / "b.tif").exists()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Response(b"<html>", media_type="text/html"), "gave text/html"),
        (Response(b"no picture", media_type="image/png"), "is no picture that can be read"),
        (Response(pictures.jpeg(300, 200), media_type="image/jpeg"), "picture of 300 x 200, not a map tile"),
        (Response(b"P6 256 256 255\n" + bytes(196_608), media_type="image/x-ppm"), "is no picture that can be read"),
    ],
)
def test_tiles_that_are_something_else(services, web, tmp_path, answer, said):
    services.faults["/tiles.test"] = [answer]
    source = TileSource(TILES)
    with pytest.raises(DownloadError, match=said):
        source.fetch(source.find(AERIAL, web).items[0], AERIAL, tmp_path / "a.tif", web)
    assert not (tmp_path / "a.tif").exists()


def test_known_servers_state_their_license(web):
    items = TileSource("pdok-ortho").find(AERIAL, web).items
    assert {item.license for item in items} == {"CC BY 4.0"}
    finest = Wanted(BOUNDS, "aerial", 0.01)
    assert TileSource("pdok-ortho").find(finest, web).items[0].detail["z"] == 19, "no finer one is there"


def test_orders_of_rows(services, web, tmp_path):
    source = TileSource("https://tiles.test/{z}/{x}/{-y}.png")
    item = source.find(AERIAL, web).items[0]
    source.fetch(item, AERIAL, tmp_path / "a.tif", web)
    assert services.asked[0][0] == f"/tiles.test/16/{item.detail['x']:.0f}/{2**16 - 1 - item.detail['y']:.0f}.png"


@pytest.mark.parametrize("word", ["nope", "https://tiles.test/{z}/{x}", "https://tiles.test/{z}/{x}/{y}?k={key}", ""])
def test_templates_that_are_none(word):
    with pytest.raises(InputError, match="xyz:"):
        TileSource(word)


def test_too_many_tiles(web):
    with pytest.raises(InputError, match=r"takes [\d,]+ tiles of zoom"):
        TileSource(TILES).find(Wanted((52.0, 4.0, 52.9, 4.9), "aerial", 1.0), web)
    with pytest.raises(InputError, match="not heights"):
        TileSource(TILES).find(SURFACE, web)


# Sheets


def write_index(services, sheets, in_meters=True):
    features = []
    for name, (south, west, north, east) in sheets.items():
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        if in_meters:
            geometry = transform_geom("EPSG:4326", "EPSG:28992", geometry)
        url = f"https://service.pdok.nl/rws/ahn/atom/downloads/dsm_05m/R_{name}.tif"
        features.append({"type": "Feature", "geometry": geometry, "properties": {"kaartbladNr": name, "url": url}})
    path = services.folder / INDEX.removeprefix("https://")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


@pytest.mark.parametrize("in_meters", [True, False])
def test_sheets_of_the_area(services, web, tmp_path, in_meters):
    west, east = (52.35, 4.86, 52.37, 4.885), (52.35, 4.8849, 52.37, 4.91)
    write_index(services, {"25GN1": west, "25GN2": east, "01AB1": (53.0, 5.0, 53.1, 5.1)}, in_meters)
    for name, bounds in (("25GN1", west), ("25GN2", east)):
        pictures.write_raster(services.folder / f"{SHEETS[1:]}/R_{name}.tif", bounds, bands=1, dtype="float32",
                              crs="EPSG:28992", nodata=3.4028234663852886e38)  # fmt: skip
    source = AhnSource("")
    found = source.find(SURFACE, web)
    assert [item.name for item in found.items] == ["25GN1", "25GN2"]
    assert found.coverage == pytest.approx(1.0, abs=0.01)
    for item in found.items:
        assert source.fetch(item, SURFACE, tmp_path / f"{item.name}.tif", web)
        with rasterio.open(tmp_path / f"{item.name}.tif") as heights:
            assert heights.crs == "EPSG:28992"
            assert heights.nodata == pytest.approx(3.4028234663852886e38)


def test_an_index_that_is_none(services, web):
    path = write_index(services, {})
    for content in ("[]", "{}", '{"features": 7}'):
        path.write_text(content)
        with pytest.raises(DownloadError, match="no index of map sheets"):
            AhnSource("").find(SURFACE, web)
    path.write_text('{"features": [null, {"properties": {}}, {"properties": {"url": "x"}, "geometry": {}}]}')
    assert AhnSource("").find(SURFACE, web).left_out == {"are described in a way that cannot be read": 3}
    with pytest.raises(InputError, match="write ahn: alone"):
        AhnSource("25GN1")
    with pytest.raises(InputError, match="--surface"):
        AhnSource("").find(AERIAL, web)
