import pytest
import shapely

from tests.build import made_up_extracts as made_up
from tests.build import made_up_tiles
from unigeoclip.build.city.extracts import osm
from unigeoclip.build.city.extracts.open_map import open_map
from unigeoclip.build.city.tile_sources import TileSet, open_tiles
from unigeoclip.build.city.vector_tiles import read_layers
from unigeoclip.errors import InputError

WRITERS = {".osm": made_up.write_osm, ".osm.pbf": made_up.write_pbf}


def silent(_text, _share):
    pass


def read(path, bbox=None):
    return open_map(path, bbox).read_layers(silent)


@pytest.fixture(scope="module", params=WRITERS)
def extract(request, tmp_path_factory):
    return WRITERS[request.param](tmp_path_factory.mktemp("osm") / f"town{request.param}")


@pytest.fixture(scope="module")
def tiled(tmp_path_factory):
    return read_layers(open_tiles(made_up_tiles.write_tiles(tmp_path_factory.mktemp("tiles"))))


def test_a_town_is_that_of_its_tiles(extract, tiled):
    found = read(extract)
    assert len(found["building"]) == len(tiled["building"])
    assert sorted(found["building"]["height_m"].dropna()) == sorted(tiled["building"]["height_m"].dropna()) == [9, 60]
    assert found["building"]["colour"].dropna().tolist() == ["#a52a2a"]
    for layer in ("building", "landuse", "landcover", "water"):
        one, other = (shapely.union_all(table[layer].geometry.to_numpy()) for table in (found, tiled))
        common = shapely.intersection(one, other).area / shapely.union(one, other).area
        assert common > 0.95, layer  # tiles round to 0.6 m
    lengths = [table["transportation"].dissolve("class").length for table in (found, tiled)]
    assert dict(lengths[0]) == pytest.approx(dict(lengths[1]), rel=0.01)
    for layer in ("transportation_name", "place", "poi"):
        assert set(found[layer]["name"]) == set(tiled[layer]["name"])
    assert not {"construction", "minor_construction"} & set(found["transportation"]["class"])


def test_a_box_chooses_a_part(extract):
    south, west, north, east = made_up.BBOX
    whole = open_map(extract)
    assert whole.bounds_deg == pytest.approx(made_up.BBOX, abs=1e-6)
    part = open_map(extract, (south, west, (south + north) / 2, (west + east) / 2))
    assert 0 < len(part.read_layers(silent)["building"]) < len(whole.read_layers(silent)["building"])


def test_a_folder_of_tiles_is_still_tiles(tmp_path):
    assert isinstance(open_map(made_up_tiles.write_tiles(tmp_path)), TileSet)


def test_a_ring_of_a_street_is_no_area(tmp_path):
    ring = made_up_tiles.box(0, 0, 100, 100).exterior
    things = [(ring, {"highway": "residential"}), (ring, {"leisure": "park"})]
    found = read(made_up.write_osm(tmp_path / "ring.osm", things))
    assert len(found["transportation"]) == len(found["landcover"]) == 1
    assert found["transportation_area"].empty


def test_what_the_manifest_says(extract):
    (source,) = open_map(extract).sources(10, "abc")
    assert (source.licence, source.attribution) == ("ODbL 1.0", "© OpenStreetMap contributors (ODbL)")
    assert (source.package, source.bytes, source.sha256) == (extract.name, 10, "abc")


@pytest.mark.parametrize("ending", WRITERS)
@pytest.mark.parametrize("share", [0, 0.02, 0.4, 0.7, 0.999])
def test_a_file_cut_short_anywhere_is_noticed(tmp_path, ending, share):
    path = WRITERS[ending](tmp_path / f"town{ending}")
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError, match="no OpenStreetMap data, or is damaged") as refused:
        read(path)
    assert "\n" not in str(refused.value)


def test_a_changed_byte_is_noticed(tmp_path):
    path = made_up.write_pbf(tmp_path / "town.osm.pbf")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        read(path)


VRT = b"<OGRVRTDataSource><OGRVRTLayer name='points'><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer>"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text.osm.pbf", b"hello world" * 100, "a block is too large"),
        ("zeros.osm.pbf", bytes(1000), "does not begin as .osm.pbf files do"),
        ("other.osm", VRT, "its first element is 'OGRVRTDataSource'"),
        ("packed.osm", b"\x1f\x8b\x08", "damaged"),
        ("nowhere.osm", b"<osm></osm>", "does not say which area it covers. Choose with --bbox"),
        (
            "sea.osm",
            b'<osm><bounds minlat="1" minlon="1" maxlat="1.01" maxlon="1.01"/></osm>',
            "has no street in the box",
        ),
        (
            "world.osm",
            b'<osm><bounds minlat="-80" minlon="-170" maxlat="80" maxlon="170"/></osm>',
            "Choose a smaller one",
        ),
    ],
)
def test_files_that_are_none(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read(tmp_path / name)


def test_a_block_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    from unigeoclip.build.city.extracts import osm_files

    path = made_up.write_pbf(tmp_path / "town.osm.pbf")
    monkeypatch.setattr(osm_files, "_LARGEST_BLOB", 1_000)
    with pytest.raises(InputError, match="too large"):
        read(path)


def test_a_country_is_to_be_cut_first(tmp_path, monkeypatch):
    path = made_up.write_pbf(tmp_path / "town.osm.pbf")
    monkeypatch.setattr(osm, "MOST_BYTES", 100)
    with pytest.raises(InputError, match="osmium extract --bbox"):
        open_map(path, made_up.BBOX)


def test_a_box_elsewhere(extract):
    with pytest.raises(InputError, match="has no street in the box 10, 10, 10.1, 10.1"):
        read(extract, (10.0, 10.0, 10.1, 10.1))
