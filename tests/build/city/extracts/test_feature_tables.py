import numpy as np
import pytest
import shapely

from tests.build import made_up_extracts, made_up_tiles
from tests.build.made_up_tiles import GROUND, box, here
from unigeoclip import geo
from unigeoclip.build.city.extracts import feature_tables
from unigeoclip.build.city.extracts.coast import sea_polygons
from unigeoclip.build.city.extracts.feature_tables import AROUND_M, FeatureTables
from unigeoclip.city.layers import NUMBER_COLUMNS, TEXT_COLUMNS
from unigeoclip.errors import InputError

FRAME = (0.0, 0.0, 100.0, 100.0)


def layers(*features, bounds=made_up_extracts.BBOX):
    tables = FeatureTables(bounds)
    degrees = [
        shapely.transform(geometry, lambda xy: geo.inverse_web_mercator(xy)[:, ::-1]) for geometry, _ in features
    ]
    tables.add(np.array(degrees, dtype=object), [tags for _, tags in features])
    return tables.layers()


def ground_m2(table):
    return table.geometry.area.sum() * GROUND**2


def test_every_layer_is_there_with_its_columns():
    for found in (layers(), layers(*made_up_extracts.features())):
        assert set(found) == set(TEXT_COLUMNS)
        for name, table in found.items():
            assert list(table.columns) == [*TEXT_COLUMNS[name], *NUMBER_COLUMNS.get(name, ()), "geometry"]
            assert table.crs == "EPSG:3857"


def test_land_and_streets_end_outside_of_the_city_and_buildings_are_whole():
    far = AROUND_M + 440
    found = layers(
        (box(-5000, -5000, 10000, 10000), {"landuse": "residential"}),
        (made_up_tiles.line((-5000, 0), (5000, 0)), {"highway": "residential"}),
        (box(far - 10, 0, 30, 10), {"building": "yes"}),
        (box(far + 10, 0, 30, 10), {"building": "yes"}),
        (shapely.Point(here(far + 50, 0)), {"amenity": "school"}),
    )
    assert ground_m2(found["landuse"]) == pytest.approx((2 * far) ** 2, rel=0.01)
    assert found["transportation"].length.sum() * GROUND == pytest.approx(2 * far, rel=0.01)
    assert ground_m2(found["building"]) == pytest.approx(300, rel=0.01)
    assert found["poi"].empty


def test_an_outline_gives_way_to_its_parts():
    outline, half = (box(0, 0, 20, 20), {"building": "yes"}), {"building:part": "yes"}
    parts = [(box(0, 0, 10, 20), {**half, "height": "30"}), (box(10, 0, 10, 20), {**half, "height": "9"})]
    assert sorted(layers(outline, *parts)["building"]["height_m"]) == [9, 30]
    assert len(layers(outline, parts[0])["building"]) == 2, "parts of a half leave the outline"
    both = {"building": "yes", "building:part": "yes"}
    assert len(layers((outline[0], both))["building"]) == 1


def test_areas_become_points_and_lines_where_layers_have_such():
    found = layers(
        (box(0, 0, 100, 100), {"amenity": "school", "name": "Elm School"}),
        (box(0, 0, 100, 100), {"boundary": "administrative", "admin_level": "8"}),
    )
    assert found["poi"].geometry.iloc[0].within(found["landuse"].geometry.iloc[0])
    assert found["boundary"].length.sum() * GROUND == pytest.approx(400, rel=0.01)


def test_what_no_map_shows_is_left_out():
    tables = FeatureTables(made_up_extracts.BBOX)
    odd = [shapely.Point(0, 91), shapely.Point(np.nan, 1), shapely.Polygon(), None, shapely.Point(400, 0)]
    tables.add(np.array(odd, dtype=object), [{"amenity": "school"}] * len(odd))
    assert tables.layers()["poi"].empty


def test_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(feature_tables, "MOST_ROWS", 10)
    with pytest.raises(InputError, match="more than 10 features in the area. Choose a smaller --bbox"):
        layers(*made_up_extracts.features())


# The sea


@pytest.mark.parametrize(
    ("lines", "area"),
    [
        ([[(-10, 40), (110, 40)]], 4000),  # eastward: the land is north
        ([[(110, 40), (-10, 40)]], 6000),
        ([[(-10, 40), (50, 40)], [(50, 40), (110, 40)]], 4000),
        ([[(40, 40), (60, 40), (60, 60), (40, 60), (40, 40)]], 9600),  # an island, counterclockwise
        ([[(-10, 40), (110, 40)], [(40, 10), (60, 10), (60, 30), (40, 30), (40, 10)]], 3600),
        ([[(-10, 40), (50, 40)]], 0),  # an end in the middle parts nothing
        ([[(200, 0), (300, 0)]], 0),
        ([], 0),
    ],
)
def test_the_sea_lies_to_the_right_of_coastlines(lines, area):
    found = sea_polygons(np.array([shapely.LineString(line) for line in lines], dtype=object), FRAME)
    assert shapely.area(found).sum() == pytest.approx(area)


def test_the_sea_is_water():
    found = layers((made_up_tiles.line((-2000, 0), (2000, 0)), {"natural": "coastline"}))["water"]
    assert set(found["class"]) == {"ocean"}
    assert ground_m2(found) == pytest.approx((2 * (440 + AROUND_M)) ** 2 / 2, rel=0.01)
    island = layers((box(-50, -50, 100, 100), {"natural": "coastline"}))["water"]
    assert ground_m2(island) == pytest.approx((2 * (440 + AROUND_M)) ** 2 - 10_000, rel=0.01)
