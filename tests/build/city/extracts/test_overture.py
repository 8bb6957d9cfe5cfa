import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from tests.build import made_up_extracts as made_up
from tests.build import made_up_tiles
from unigeoclip.build.city import vocabulary
from unigeoclip.build.city.extracts import overture_tags
from unigeoclip.build.city.extracts.open_map import open_map
from unigeoclip.build.city.extracts.osm_tags import layers_of
from unigeoclip.build.city.extracts.overture_tags import COLUMNS, tags_of
from unigeoclip.build.city.tile_sources import open_tiles
from unigeoclip.build.city.vector_tiles import read_layers
from unigeoclip.errors import InputError
from unigeoclip.sources.parquet import row_groups


def silent(_text, _share):
    pass


def read(folder, bbox=made_up.BBOX):
    return open_map(f"overture:{folder}", bbox).read_layers(silent)


@pytest.fixture(scope="module", params=[True, False], ids=["hive", "files"])
def folder(request, tmp_path_factory):
    return made_up.write_overture(tmp_path_factory.mktemp("overture"), hive=request.param)


def test_a_town_is_that_of_its_tiles(folder, tmp_path):
    found, tiled = read(folder), read_layers(open_tiles(made_up_tiles.write_tiles(tmp_path)))
    assert len(found["building"]) == len(tiled["building"])
    assert sorted(found["building"]["height_m"].dropna()) == [9, 60]
    assert found["building"]["colour"].dropna().tolist() == ["#a52a2a"]
    for layer in ("building", "landuse", "landcover", "water"):
        one, other = (shapely.union_all(table[layer].geometry.to_numpy()) for table in (found, tiled))
        assert shapely.intersection(one, other).area / shapely.union(one, other).area > 0.95, layer
    lengths = [table["transportation"].dissolve("class").length for table in (found, tiled)]
    assert dict(lengths[0]) == pytest.approx(dict(lengths[1]), rel=0.01)
    for layer in ("transportation_name", "place", "poi"):
        assert set(found[layer]["name"]) == set(tiled[layer]["name"])


def test_licenses_and_credits_are_those_of_themes(folder):
    tables = open_map(f"overture:{folder}", made_up.BBOX)
    tables.read_layers(silent)
    sources = {source.package.rpartition("=")[2]: source for source in tables.sources(10, "abc")}
    assert set(sources) == {"base", "buildings", "divisions", "places", "transportation"}
    assert sources["buildings"].licence == "ODbL 1.0"
    assert "© OpenStreetMap contributors" in sources["buildings"].attribution
    assert "Microsoft ML Buildings" in sources["buildings"].attribution
    assert sources["places"].licence.startswith("CDLA-Permissive-2.0")
    assert "OpenStreetMap" not in sources["places"].attribution


def test_a_part_of_a_segment_may_be_a_bridge(tmp_path):
    tables = made_up.overture()
    (road, *_) = tables["segment"]
    road["road_flags"] = [{"values": ["is_bridge"], "between": [0.25, 0.75]}]
    road["level_rules"] = [{"value": 1, "between": [0.25, 0.75]}]
    roads = read(made_up.write_overture(tmp_path, {"segment": [road]}))["transportation"]
    assert len(roads) == 3
    bridge = roads[roads["brunnel"] == "bridge"]
    assert bridge.length.sum() == pytest.approx(roads.length.sum() / 2, rel=0.01)
    assert bridge["layer"].tolist() == [1.0]


@pytest.mark.parametrize(
    ("kind", "row", "tags"),
    [
        ("building", {"is_underground": True}, {}),
        ("building", {"num_floors": 3}, {"building": "yes", "building:levels": "3"}),
        ("building_part", {"height": 12.5, "min_height": 3.0},
         {"building:part": "yes", "height": "12.5", "min_height": "3.0"}),
        ("land_use", {"class": "park", "names": {"primary": "Common"}}, {"leisure": "park", "name": "Common"}),
        ("land_use", {"class": "school"}, {"amenity": "school"}),
        ("land_use", {"class": "cemetery"}, {"landuse": "cemetery"}),
        ("land", {"class": "beach"}, {"natural": "beach"}),
        ("land", {"class": "land", "subtype": "land"}, {}),
        ("water", {"class": "ocean", "subtype": "ocean"}, {"natural": "ocean", "place": "ocean"}),
        ("water", {"class": "pond", "subtype": "pond"}, {"natural": "water", "water": "pond"}),
        ("infrastructure", {"class": "pier"}, {"man_made": "pier"}),
        ("infrastructure", {"class": "bench"}, {}),
        ("place", {"categories": {"primary": "pizza_restaurant"}, "confidence": 0.9}, {"amenity": "restaurant"}),
        ("place", {"taxonomy": {"primary": "art_museum"}}, {"tourism": "museum"}),
        ("place", {"basic_category": "mosque"}, {"amenity": "place_of_worship", "religion": "muslim"}),
        ("place", {"categories": {"primary": "hotel"}, "confidence": 0.2}, {}),
        ("place", {"categories": {"primary": "hotel"}, "operating_status": "permanently_closed"}, {}),
        ("place", {"categories": None}, {}),
        ("division", {"subtype": "locality", "class": "megacity", "population": 10_000_000},
         {"place": "city", "population": "10000000"}),
        ("division", {"subtype": "neighborhood"}, {"place": "neighbourhood"}),
        ("division", {"subtype": "country"}, {}),
        ("division_boundary", {"subtype": "locality", "class": "land"},
         {"boundary": "administrative", "admin_level": "8"}),
        ("division_boundary", {"subtype": "country", "class": "maritime"}, {}),
        ("segment", {"subtype": "road", "class": "motorway", "flags": ["is_link"]}, {"highway": "motorway_link"}),
        ("segment", {"subtype": "road", "class": "footway", "subclass": "crosswalk"},
         {"highway": "footway", "footway": "crossing"}),
        ("segment", {"subtype": "rail", "class": "standard_gauge"}, {"railway": "rail"}),
        ("segment", {"subtype": "water", "class": None}, {}),
    ],
)  # fmt: skip
def test_what_features_are_in_tags(kind, row, tags):
    assert tags_of(kind, row, kind == "segment") == tags


def test_water_lines_are_waterways():
    assert tags_of("water", {"class": "canal"}, True) == {"waterway": "canal"}
    assert tags_of("water", {"class": "lake"}, True) == {}


def test_categories_of_places_are_spoken_of():
    for category, (key, value) in overture_tags._CATEGORIES.items():
        tags = tags_of("place", {"categories": {"primary": category}}, False)
        (said,) = [row for layer, row in layers_of({**tags, "name": "x"}, 0) if layer == "poi"]
        assert said["subclass"] in vocabulary.POI or said["class"] in vocabulary.POI, (category, key, value)


def test_only_row_groups_of_the_area_are_read(tmp_path):
    tables = made_up.overture()
    house = tables["building"][0]
    tables["building"] = [
        {**house, "geometry": made_up_tiles.box(east, 20, 14, 10)} for east in range(-10_000, 10_000, 20)
    ]
    folder = made_up.write_overture(tmp_path, tables, row_group_size=20)
    (path,) = folder.rglob("type=building/*.parquet")
    metadata = pq.ParquetFile(path).metadata
    assert len(row_groups.groups_touching(metadata, made_up.BBOX)) < 8 < metadata.num_row_groups
    assert row_groups.groups_touching(metadata, made_up.BBOX, ("no", "such", "columns", "here")) == [*range(50)]
    assert len(read(folder)["building"]) == pytest.approx(2 * (440 + 300) / 20, abs=3)


# What cannot be used


def test_places_that_are_no_tables(tmp_path):
    with pytest.raises(InputError, match="is no folder. Give the folder with files of Overture, or overture: alone"):
        read(tmp_path / "gone")
    with pytest.raises(InputError, match=r"has no streets: no file type=segment/\*\.parquet"):
        read(tmp_path)
    made_up.write_overture(tmp_path)
    with pytest.raises(InputError, match="Choose with --bbox"):
        read(tmp_path, None)
    with pytest.raises(InputError, match="has no street in the box"):
        read(tmp_path, (10.0, 10.0, 10.1, 10.1))


HERE = shapely.to_wkb(shapely.Point(-71.08, 42.36))


@pytest.mark.parametrize(
    "table",
    [
        {"other": [1]},
        {"geometry": [1]},
        {"geometry": [HERE], "names": ["text"], "sources": [1]},
        {"geometry": [HERE], "confidence": ["high"]},
    ],
)
def test_tables_of_another_form(tmp_path, table):
    made_up.write_overture(tmp_path)
    pq.write_table(pa.table(table), tmp_path / "place.parquet")
    with pytest.raises(InputError, match="cannot be read as place of Overture") as refused:
        read(tmp_path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("geometry", [b"no geometry", b"", None])
def test_a_geometry_that_is_none_is_left_aside(tmp_path, geometry):
    made_up.write_overture(tmp_path)
    pq.write_table(pa.table({"geometry": pa.array([geometry], pa.binary())}), tmp_path / "place.parquet")
    assert len(read(tmp_path)["poi"]) == 1


def test_a_damaged_file(tmp_path):
    made_up.write_overture(tmp_path, hive=False)
    data = (tmp_path / "segment.parquet").read_bytes()
    (tmp_path / "segment.parquet").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"segment\.parquet cannot be read as segment of Overture"):
        read(tmp_path)


def test_row_groups_that_would_not_fit_into_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(row_groups, "LARGEST_GROUP_BYTES", 1000)
    with pytest.raises(InputError, match="Write it again with smaller row groups"):
        read(made_up.write_overture(tmp_path))


def test_every_type_has_columns():
    assert set(COLUMNS) == set(overture_tags.THEMES)
