"""Towns by municipal boundaries, on a schematic map whose nearest names are often those of another town."""

import numpy as np
import pytest
import shapely
from shapely import ops

from tests.build.made_up_city import at, empty_layers, made_up_rasters, table
from unigeoclip.build.city.areas import areas_of, municipal_polygons
from unigeoclip.city.layers import CityGrid

GRID = CityGrid.cover((42.28, -71.18, 42.40, -71.02), 25.0)
# Each town is a rectangle of west, south, east, north in km from the middle, with the spot that its name is written at.
TOWNS = {
    "Boston": ((-1, -6, 6, 2), (5, 1.5), 3),
    "Brookline": ((-4, -3, -1, 0), (-1.2, -2.6), 11),
    "Cambridge": ((-1, 2, 3, 6), (-0.8, 2.2), 11),
    "Somerville": ((3, 2, 6, 6), (3.3, 5.6), 11),
    "Newton": ((-6, -6, -4, 6), (-4.2, 0.2), 11),
}
NEIGHBORHOODS = {
    "Boston": "Allston -0.8 1.8, Brighton -0.7 -0.4, Fenway 0.5 1.2, Mission Hill -0.6 -1.5, Back Bay 2 1.6, "
    "Roxbury 1.5 -2, Dorchester 4 -3, Jamaica Plain -0.6 -3.2, Hyde Park 0 -5.5, Charlestown 4 1.8, Mattapan 2 -4.5",
    "Brookline": "Coolidge Corner -1.4 -0.4, Brookline Village -1.2 -1.8, Chestnut Hill -3.8 -1, Fisher Hill -2.4 -1.4",
    "Cambridge": "Harvard Square 0 4, Central Square 0.5 2.6, Kendall Square 2.7 2.3, Porter Square 2.8 5",
    "Somerville": "Davis Square 3.2 4.6, Union Square 3.4 2.5, Winter Hill 4.8 3.6",
    "Newton": "Oak Hill -4.6 -4, Waban -5.4 0, Newton Corner -4.1 3",
}


def spot(east_km, north_km):
    return shapely.Point(at(1000 * east_km, 1000 * north_km, GRID))


def outline(west, south, east, north):
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return shapely.LineString([at(1000 * x, 1000 * y, GRID) for x, y in corners])


def drawn(outlines, level=8.0):
    return table("boundary", list(outlines), admin_level=[level] * len(outlines))


def neighborhoods():
    """(name, town, east, north) of all of them."""
    for town, listed in NEIGHBORHOODS.items():
        for entry in listed.split(", "):
            name, east, north = entry.rsplit(" ", 2)
            yield name, town, float(east), float(north)


def city(outlines=None):
    """The map of the towns, whose outlines lie twice where two towns meet, as in no tile, and once elsewhere."""
    layers = empty_layers()
    layers["boundary"] = drawn([outline(*box) for box, _, _ in TOWNS.values()] if outlines is None else outlines)
    road = shapely.LineString([at(-6500, -6500, GRID), at(6500, 6500, GRID)])  # says how far the map reaches
    layers["transportation"] = table("transportation", [road], **{"class": ["minor"]})
    parts = list(neighborhoods())
    layers["place"] = table(
        "place",
        [*(spot(*where) for _, where, _ in TOWNS.values()), *(spot(*part[2:]) for part in parts)],
        name=[*TOWNS, *(part[0] for part in parts)],
        rank=[*(rank for _, _, rank in TOWNS.values()), *[15] * len(parts)],
        **{"class": ["city" if name != "Brookline" else "town" for name in TOWNS] + ["suburb"] * len(parts)},
    )
    return layers


def areas(layers, *spots):
    xy = np.array([at(1000 * east, 1000 * north, GRID) for east, north in spots])
    return areas_of(xy, layers, made_up_rasters("residential", GRID))


@pytest.mark.parametrize(("name", "town", "east", "north"), list(neighborhoods()))
def test_a_neighborhood_lies_in_the_town_whose_boundary_holds_it(name, town, east, north):
    (area,) = areas(city(), (east, north))
    assert (area.town, area.suburb, area.bounded) == (town, name, True)


def test_the_nearest_city_would_often_be_wrong():
    """What the boundaries are for: without them the same map gives other towns."""
    parts = list(neighborhoods())
    found = areas(city(outlines=[]), *(part[2:] for part in parts))
    wrong = [part[0] for part, area in zip(parts, found, strict=True) if area.town != part[1]]
    assert {"Allston", "Coolidge Corner"} <= set(wrong)
    assert not any(area.bounded for area in found)


def test_a_part_is_named_by_a_name_of_its_own_town_only():
    layers = city()
    (area,) = areas(layers, (-1.02, -0.4))  # 0.32 km from Brighton, 0.38 km from Coolidge Corner
    assert (area.town, area.suburb) == ("Brookline", "Coolidge Corner")


def test_lines_of_two_tiles_meet_though_rounded():
    box = outline(*TOWNS["Brookline"][0])
    north, south = ops.substring(box, 0.3, 0.8, normalized=True), [ops.substring(box, a, b, normalized=True)
                                                                   for a, b in ((0.0, 0.3), (0.8, 1.0))]  # fmt: skip
    shifted = shapely.transform(north, lambda xy: xy + np.array([0.6, 0.6]))
    layers = city([shifted, *south])
    assert len(municipal_polygons(layers)) == 2, "Brookline and what lies around it"
    (area,) = areas(layers, (-1.4, -0.4))
    assert (area.town, area.bounded) == ("Brookline", True)
    layers["boundary"] = drawn([shapely.transform(north, lambda xy: xy + np.array([20.0, 20.0])), *south])
    assert not len(municipal_polygons(layers)), "they are too far apart"


def test_a_boundary_with_a_gap_bounds_nothing():
    box = outline(*TOWNS["Brookline"][0])
    layers = city([ops.substring(box, 0.0, 0.9, normalized=True)])
    assert not len(municipal_polygons(layers))
    assert not areas(layers, (-1.4, -0.4))[0].bounded


def test_boundaries_of_parts_of_a_municipality_do_not_count():
    layers = city()
    layers["boundary"]["admin_level"] = 10.0
    assert not len(municipal_polygons(layers))
    layers["boundary"]["admin_level"] = 6.0  # a county's line that is a town's too has the county's level
    assert len(municipal_polygons(layers)) > len(TOWNS)


def test_a_village_in_a_city_is_part_of_it():
    layers = city()
    layers["place"].loc[layers["place"]["name"] == "Hyde Park", "class"] = "village"
    (area,) = areas(layers, (0, -5.4))
    assert (area.town, area.suburb) == ("Boston", "Hyde Park")


def test_a_town_cut_by_the_edge_of_the_map_takes_its_name_from_outside():
    layers = city([shapely.LineString([at(0, -6500, GRID), at(0, 6500, GRID)])])
    classes = {"class": ["town", "town"]}
    layers["place"] = table(
        "place", [spot(-7, 0), spot(2, 0)], name=["Westville", "Eastville"], rank=[11, 11], **classes
    )
    assert [area.town for area in areas(layers, (-1, 0), (1, 0))] == ["Westville", "Eastville"]
    layers["place"] = layers["place"][1:]
    west, east = areas(layers, (-1, 0), (1, 0))
    assert (west.town, west.bounded) == ("", False), "another town's name would be wrong"
    assert (east.town, east.bounded) == ("Eastville", True)
