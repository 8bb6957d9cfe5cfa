import pytest

from unigeoclip.build.city.extracts import osm_tags
from unigeoclip.build.city.extracts.osm_tags import layers_of, meters
from unigeoclip.build.city.vocabulary import GROUNDS, POI
from unigeoclip.city.city_model import _LANDCOVER, _LANDUSE
from unigeoclip.city.layers import GEOMETRY, NUMBER_COLUMNS, RAIL_WIDTH_M, ROAD_WIDTH_M, TEXT_COLUMNS

POINT, LINE, AREA = 0, 1, 2


def told(dimension, **tags):
    """Layer -> columns that say something."""
    return {
        layer: {name: value for name, value in row.items() if value not in (None, False)}
        for layer, row in layers_of({key.replace("__", ":"): value for key, value in tags.items()}, dimension)
    }


@pytest.mark.parametrize(
    ("dimension", "tags", "expected"),
    [
        (LINE, {"highway": "residential"}, {"transportation": {"class": "minor", "subclass": "residential"}}),
        (LINE, {"highway": "trunk_link", "bridge": "viaduct", "layer": "1"},
         {"transportation": {"class": "trunk", "subclass": "trunk_link", "brunnel": "bridge", "layer": 1.0}}),
        (LINE, {"highway": "footway", "footway": "sidewalk", "surface": "gravel"},
         {"transportation": {"class": "path", "subclass": "sidewalk", "surface": "unpaved"}}),
        (LINE, {"highway": "proposed", "name": "Later Road"}, {}),
        (LINE, {"railway": "subway", "tunnel": "yes"},
         {"transportation": {"class": "transit", "subclass": "subway", "brunnel": "tunnel"}}),
        (LINE, {"railway": "abandoned"}, {}),
        (LINE, {"waterway": "canal", "name": "Singel"}, {"waterway": {"class": "canal", "name": "Singel"}}),
        (LINE, {"boundary": "administrative", "admin_level": "8"}, {"boundary": {"admin_level": 8.0}}),
        (LINE, {"boundary": "administrative", "admin_level": "eight"}, {}),
        (LINE, {"natural": "coastline"}, {"coastline": {}}),
        (AREA, {"building": "no"}, {}),
        (AREA, {"building__part": "yes", "height": "40 ft", "min_height": "3"},
         {"building": {"height_m": pytest.approx(12.192), "min_height_m": 3.0, "is_part": True}}),
        (AREA, {"building": "yes", "building__levels": "4", "building__colour": "red"},
         {"building": {"height_m": pytest.approx(14.64), "colour": "red"}}),
        (AREA, {"natural": "water", "water": "pond", "name": "Frog Pond"},
         {"water": {"class": "pond"}, "water_name": {"class": "lake", "name": "Frog Pond"}}),
        (AREA, {"natural": "water", "water": "river"}, {"water": {"class": "river"}}),
        (AREA, {"leisure": "park", "name": "Common"},
         {"landcover": {"class": "grass", "subclass": "park"},
          "poi": {"class": "park", "subclass": "park", "name": "Common"}}),
        (AREA, {"amenity": "school"},
         {"landuse": {"class": "school"}, "poi": {"class": "school", "subclass": "school"}}),
        (AREA, {"highway": "pedestrian", "area": "yes"},
         {"transportation_area": {"class": "path", "subclass": "pedestrian"}}),
        (AREA, {"man_made": "pier"}, {"transportation_area": {"class": "pier", "subclass": "pier"}}),
        (AREA, {"aeroway": "apron"}, {"aeroway": {"class": "apron"}}),
        (POINT, {"place": "city", "name": "Boston", "population": "650706"},
         {"place": {"class": "city", "name": "Boston", "rank": 5.0}}),
        (POINT, {"place": "town"}, {}),
        (POINT, {"amenity": "place_of_worship", "religion": "jewish", "name": "Beth"},
         {"poi": {"class": "place_of_worship", "subclass": "jewish", "name": "Beth"}}),
        (POINT, {"railway": "station", "station": "subway", "name": "Park Street"},
         {"poi": {"class": "subway", "subclass": "subway", "name": "Park Street"}}),
        (POINT, {"amenity": "bench"}, {}),
        (POINT, {"amenity": "bench", "tourism": "museum"}, {"poi": {"class": "museum", "subclass": "museum"}}),
        (POINT, {"leisure": "marina"}, {"poi": {"class": "harbor", "subclass": "marina"}}),
        (POINT, {"building": "yes"}, {}),
    ],
)  # fmt: skip
def test_what_tags_mean(dimension, tags, expected):
    assert told(dimension, **tags) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("12", 12.0), ("12.5 m", 12.5), ("3,5", 3.5), ("10'", 3.048), ("100 feet", 30.48), ("tall", None), ("", None),
     (None, None), ("9" * 400, None), ("12 storeys", None), ("-3", None)],
)  # fmt: skip
def test_lengths(text, expected):
    assert meters(text) == (None if expected is None else pytest.approx(expected))


def test_every_class_is_one_that_the_city_is_drawn_from():
    assert {name for values in osm_tags._LANDUSE.values() for name in values.values()} <= set(_LANDUSE) | {"library"}
    assert {name for values in osm_tags._LANDCOVER.values() for name in values.values()} <= set(_LANDCOVER)
    assert set(osm_tags._ROADS.values()) | {"pedestrian"} == set(ROAD_WIDTH_M)
    assert set(osm_tags._RAILS.values()) == set(RAIL_WIDTH_M)
    of_tags = {
        value for table in (osm_tags._LANDUSE, osm_tags._LANDCOVER) for values in table.values() for value in values
    }
    grounds = {name for names in GROUNDS.values() for name in names}
    assert grounds <= of_tags | {"wood", "golf_course"}


def test_rows_have_columns_of_their_layer_only():
    for key, values in (("highway", osm_tags._ROADS), ("railway", osm_tags._RAILS), ("amenity", POI), ("shop", POI)):
        for value in values:
            for dimension in (POINT, LINE, AREA):
                for layer, row in layers_of({key: value, "name": "x"}, dimension):
                    assert set(row) <= {*TEXT_COLUMNS[layer], *NUMBER_COLUMNS.get(layer, ()), "is_part", "service",
                                        "surface", "layer"}  # fmt: skip
                    assert (
                        GEOMETRY[layer] in (("point",), ("line", "any"), ("polygon", "point", "line", "any"))[dimension]
                    )
