import gzip
import http.server
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from tests.build import made_up_tiles as made_up
from unigeoclip.build.city import tile_downloads
from unigeoclip.build.city.tile_sources import MAX_TILES, ZOOM, open_tiles, tiles_touching
from unigeoclip.build.city.vector_tiles import MAX_PLAIN_BYTES, layer_names, read_layers
from unigeoclip.city.layers import NUMBER_COLUMNS, TEXT_COLUMNS
from unigeoclip.errors import DownloadError, InputError
from unigeoclip.sources import web


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return made_up.write_tiles(tmp_path_factory.mktemp("tiles"))


@pytest.fixture(scope="module")
def layers(folder):
    return read_layers(open_tiles(folder))


@pytest.fixture
def copy(tmp_path):
    return made_up.write_tiles(tmp_path / "copy")


def tile(folder, number):
    x, y = made_up.TILES[number]
    return folder / str(ZOOM) / str(x) / f"{y}.pbf"


def test_every_layer_is_there_with_its_columns(layers):
    assert set(layers) == set(TEXT_COLUMNS)
    for name, table in layers.items():
        assert list(table.columns) == [*TEXT_COLUMNS[name], *NUMBER_COLUMNS.get(name, ()), "geometry"]
        assert table.crs == "EPSG:3857"


def test_nothing_is_twice(layers):
    roads = layers["transportation"]
    street = roads[roads["class"] == "minor"]
    assert shapely.length(street.geometry.to_numpy()).sum() * made_up.GROUND == pytest.approx(860, abs=2)
    assert len(layers["place"]) == len(layers["poi"]) == 1
    assert shapely.area(layers["water"].geometry.to_numpy()).sum() * made_up.GROUND**2 == pytest.approx(
        15_000, rel=0.01
    )


def test_a_name_in_the_margin_is_kept_if_its_own_tile_was_not_read(tmp_path):
    town = made_up.town()
    town["place"] += [
        (shapely.Point(made_up.here(east, north)), {"class": "village", "name": name})
        for name, east, north in (("Inside", 10, -10), ("Outside", 5, 1810), ("Far", 5, 2000))
    ]
    places = read_layers(open_tiles(made_up.write_tiles(tmp_path, town)))["place"]
    assert sorted(places["name"]) == ["Inside", "Madeup", "Outside"]


def test_a_building_on_an_edge_is_one(layers):
    found = layers["building"][layers["building"].intersects(made_up.box(-12, 200, 24, 12))]
    assert len(found) == 1
    assert found.geometry.iloc[0].area * made_up.GROUND**2 == pytest.approx(24 * 12, rel=0.1)


def test_heights_colors_and_names(layers):
    building = layers["building"]
    assert len(building) == 20 * 4 + 3 or building.geometry.is_valid.all()  # the bow tie may be repaired into two
    tagged = building["height_m"].dropna()
    assert sorted(tagged) == [9, 60], "the height that most buildings share is the default, so unknown"
    assert building["colour"].dropna().tolist() == ["#a52a2a"]
    assert set(layers["transportation_name"]["name"]) == {"Elm Street"}, "Latin names stand in for local ones"


def test_invalid_polygons_are_repaired(layers):
    assert layers["building"].geometry.is_valid.all()
    near = layers["building"].intersects(made_up.box(199, 199, 22, 22))
    assert layers["building"][near].area.sum() * made_up.GROUND**2 == pytest.approx(200, rel=0.3)


def test_classes_are_normalized(layers):
    roads = layers["transportation"]
    assert set(roads["class"]) == {"minor", "primary", "transit"}, "what is under construction is not there"
    assert set(roads.loc[roads["class"] == "transit", "subclass"]) == {"tram"}


def test_a_box_chooses_tiles(folder):
    assert len(open_tiles(folder, made_up.bbox()).tiles) == 4
    south, _, _, east = made_up.bbox(100)
    assert len(open_tiles(folder, (south, east - 1e-4, south + 1e-4, east)).tiles) == 1
    rounded = tuple(round(edge, 6) for edge in open_tiles(folder).bounds_deg)
    assert len(tiles_touching(rounded)) == 4, "six digits of a tile's edge do not reach into the next one"
    with pytest.raises(InputError, match="no vector tile of zoom 14 in the box"):
        open_tiles(folder, (10.0, 10.0, 10.1, 10.1))
    with pytest.raises(InputError, match="south, west, north, east"):
        open_tiles(folder, (42.4, -71.0, 42.3, -71.1))
    with pytest.raises(InputError, match=f"at most {MAX_TILES:,}"):
        tiles_touching((40.0, -75.0, 45.0, -70.0))


def test_missing_broken_and_packed_tiles(copy, layers):
    tile(copy, 0).unlink()
    data = tile(copy, 1).read_bytes()
    tile(copy, 1).write_bytes(data[: len(data) // 2])
    tile(copy, 2).write_bytes(gzip.compress(tile(copy, 2).read_bytes()))
    tile_set = open_tiles(copy)
    found = read_layers(tile_set)
    assert tile_set.missing == ["14/4956/6059"]
    assert list(tile_set.broken) == ["14/4957/6059"]
    assert "cut short" in tile_set.broken["14/4957/6059"]
    assert 0 < len(found["building"]) < len(layers["building"])


def test_a_tile_cut_short_anywhere_is_noticed(folder):
    data = tile(folder, 3).read_bytes()
    assert "transportation" in layer_names(data)
    for end in range(3, len(data) // 8, 7):  # within the first layer
        with pytest.raises(ValueError, match="cut short"):
            layer_names(data[:end])


def test_when_nothing_can_be_read(copy):
    for number in range(4):
        tile(copy, number).write_bytes(b"<html>not a tile</html>")
    with pytest.raises(InputError, match="None of the 4 tiles"):
        read_layers(open_tiles(copy))


def test_tiles_of_another_schema(tmp_path):
    made_up.write_tiles(tmp_path, {"streets": made_up.town()["transportation"]})
    with pytest.raises(InputError, match=r"not in the OpenMapTiles schema.*streets"):
        read_layers(open_tiles(tmp_path))


def test_sources_that_are_none(tmp_path):
    with pytest.raises(InputError, match="has no vector tile"):
        open_tiles(tmp_path)
    with pytest.raises(InputError, match="is no source of vector tiles"):
        open_tiles(tmp_path / "nothing.mbtiles")
    (tmp_path / "wrong.mbtiles").write_bytes(b"not a database" * 100)
    with pytest.raises(InputError, match=r"not a readable \.mbtiles"):
        open_tiles(tmp_path / "wrong.mbtiles")
    (tmp_path / "wrong.pmtiles").write_bytes(b"not an archive" * 100)
    with pytest.raises(InputError, match=r"not a readable \.pmtiles"):
        open_tiles(tmp_path / "wrong.pmtiles")


def write_mbtiles(path, folder, tile_format="pbf"):
    with sqlite3.connect(path) as connection:
        connection.execute("create table metadata (name text, value text)")
        connection.execute("create table tiles (zoom_level int, tile_column int, tile_row int, tile_data blob)")
        rows = [("format", tile_format), ("attribution", "<a href='x'>Somebody</a>")]
        connection.executemany("insert into metadata values (?, ?)", rows)
        for number, (x, y) in enumerate(made_up.TILES):
            data = gzip.compress(tile(folder, number).read_bytes())
            connection.execute("insert into tiles values (?, ?, ?, ?)", (ZOOM, x, 2**ZOOM - 1 - y, data))
    connection.close()
    return path


def test_mbtiles_give_the_same_tables(tmp_path, folder, layers):
    tile_set = open_tiles(write_mbtiles(tmp_path / "town.mbtiles", folder), cache=tmp_path)
    assert "Somebody" in tile_set.attribution
    found = read_layers(tile_set)
    for name, table in layers.items():
        assert table.equals(found[name]), name
    with pytest.raises(InputError, match="holds png pictures"):
        open_tiles(write_mbtiles(tmp_path / "pictures.mbtiles", folder, "png"))


def test_pmtiles(tmp_path, layers):
    path = tmp_path / "town.pmtiles"
    roads = layers["transportation"][["class", "geometry"]]
    pyogrio.write_dataframe(roads, path, driver="PMTiles", layer="transportation", MINZOOM=ZOOM, MAXZOOM=ZOOM)
    found = read_layers(open_tiles(path, made_up.bbox()))
    assert set(found["transportation"]["class"]) == set(roads["class"])
    lengths = [shapely.length(table.geometry.to_numpy()).sum() for table in (roads, found["transportation"])]
    assert lengths[0] == pytest.approx(lengths[1], rel=0.01)


class Server(http.server.ThreadingHTTPServer):
    """Serves tiles from a folder; ``failures`` answers come first, and every request is noted."""

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.failures, self.requests = folder, [], []

    @property
    def template(self):
        return f"http://127.0.0.1:{self.server_port}/{{z}}/{{x}}/{{y}}.pbf"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append((self.path, self.headers["User-Agent"]))
        path = self.server.folder / self.path.lstrip("/")
        status = self.server.failures.pop(0) if self.server.failures else 200 if path.is_file() else 404
        data = path.read_bytes() if status == 200 else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(copy, monkeypatch):
    monkeypatch.setattr(web.time, "sleep", lambda _: None)
    with Server(copy) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_tiles_from_a_server(server, tmp_path):
    server.failures = [503, 429]
    tile(server.folder, 0).unlink()
    said = []
    tile_set = open_tiles(server.template, made_up.bbox(), tmp_path, lambda text, _: said.append(text))
    assert said[0].startswith("Downloading 4 tiles, about")
    assert tile_set.missing == ["14/4956/6059"]
    assert len(tile_set.tiles) == 3
    assert len(server.requests) == 6, "two refusals were tried again"
    assert all("unigeoclip" in agent for _, agent in server.requests)
    assert len(read_layers(tile_set)["building"]) > 0

    open_tiles(server.template, made_up.bbox(), tmp_path)
    assert len(server.requests) == 6, "the second time everything comes from the cache"


def test_an_interrupted_download_goes_on(server, tmp_path):
    server.failures = [200, 403]
    with pytest.raises(DownloadError, match="refused"):
        open_tiles(server.template, made_up.bbox(), tmp_path)
    open_tiles(server.template, made_up.bbox(), tmp_path)
    paths = [path for path, _ in server.requests]
    assert len(paths) == 5, "the first tile was not fetched again"


def test_a_server_that_fails_again_and_again(server, tmp_path):
    server.failures = [500] * 100
    with pytest.raises(DownloadError, match=r"5 attempts \(HTTP 500\)"):
        open_tiles(server.template, made_up.bbox(), tmp_path)
    assert len(server.requests) == 5


def test_a_tile_that_never_ends_is_refused(server, tmp_path, monkeypatch):
    monkeypatch.setattr(tile_downloads, "MAX_TILE_BYTES", 100)
    with pytest.raises(DownloadError, match="is larger than"):
        open_tiles(server.template, made_up.bbox(), tmp_path)
    assert not list((tmp_path / "tiles").rglob("*.pbf"))


def test_a_tile_that_unpacks_to_too_much_is_broken(copy):
    bomb = gzip.compress(bytes(MAX_PLAIN_BYTES + 1), 9)
    assert len(bomb) < 200_000
    tile(copy, 0).write_bytes(bomb)
    tile_set = open_tiles(copy, made_up.bbox())
    read_layers(tile_set)
    assert list(tile_set.broken.values()) == ["larger than 100 MB when unpacked"]


def test_a_damaged_tile_in_the_cache_is_fetched_again(server, tmp_path):
    first = open_tiles(server.template, made_up.bbox(), tmp_path)
    path = Path(first.tiles[0].path)
    good = path.read_bytes()
    path.write_bytes(good[: len(good) // 2])
    asked = len(server.requests)
    open_tiles(server.template, made_up.bbox(), tmp_path)
    assert path.read_bytes() == good
    assert len(server.requests) == asked + 1


def test_downloads_are_bounded(server, tmp_path):
    with pytest.raises(InputError, match="need --bbox"):
        open_tiles(server.template, None, tmp_path)
    with pytest.raises(InputError, match="lacks"):
        open_tiles("http://127.0.0.1/tiles", made_up.bbox(), tmp_path)
    with pytest.raises(InputError, match="at most 1,024 are fetched"):
        open_tiles(server.template, (42.0, -71.5, 42.6, -70.8), tmp_path)
    with pytest.raises(InputError, match="not an http"):
        open_tiles("ftp://127.0.0.1/{z}/{x}/{y}", made_up.bbox(), tmp_path)
    assert server.requests == []


def test_numbers_that_are_words(tmp_path):
    layers = made_up.town()
    layers["building"] = [(made_up.box(10, 10, 20, 20), {"render_height": "about 12"})]
    found = read_layers(open_tiles(made_up.write_tiles(tmp_path, layers)))
    assert np.isnan(found["building"]["height_m"]).all()
