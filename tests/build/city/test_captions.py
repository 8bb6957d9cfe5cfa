import re

import numpy as np
import pytest

from tests.build.made_up_city import GRID, empty_layers, lines, made_up_rasters, middle_latlon, point, square, table
from unigeoclip.build.city import captions, morphology, synonyms, vocabulary
from unigeoclip.city.layers import LAND


def town_layers():
    layers = empty_layers()
    layers["place"] = table(
        "place",
        [point(3000, 0), point(200, 100), point(-100, 100)],
        name=["Springfield", "Elm Park", "Mill Corner"],
        **{"class": ["city", "suburb", "neighbourhood"]},
        rank=[4, 12, 20],
    )
    names = ["Bangkok Garden", "Corner Market", "Lincoln School", "Mill Square", "Room 101", None, "Blue Bottle"]
    subclasses = ["restaurant", "supermarket", "school", "subway", "bar", "playground", "cafe"]
    spots = [point(10 * i, 15) for i in range(6)] + [point(900, 900)]
    layers["poi"] = table("poi", spots, name=names, subclass=subclasses, **{"class": subclasses})
    layers["transportation_name"] = lines({"minor": [(-150, 10, 150, 10)]}, name="Elm Street")
    layers["transportation"] = lines({"minor": [(-150, 10, 150, 10)]})
    layers["building"] = table(
        "building", [square(east, north, 12) for east in range(-90, 100, 25) for north in (-40, 40)]
    )
    return layers


def town_rasters():
    rasters = made_up_rasters("residential")
    for house in town_layers()["building"].geometry:
        west, north = GRID.to_pixel((house.bounds[0], house.bounds[3])).astype(int)
        where = (slice(north, north + 5), slice(west, west + 5))
        rasters.building_id[where], rasters.height_m[where], rasters.land[where] = 9, 8, LAND["building"]
    return rasters


@pytest.fixture(scope="module")
def told():
    return captions.describe(["89e3"], middle_latlon(), town_layers(), town_rasters())[0]


def test_a_cell_is_named_after_its_street_and_neighborhood(told):
    assert told.name == "Elm Street, Mill Corner, Springfield"
    assert told.stratum in vocabulary.FABRIC


def test_sentences_say_where_it_is_how_it_is_built_and_what_is_near(told):
    texts = dict.fromkeys(text for _, text in told.sentences)
    kinds = {kind for kind, _ in told.sentences}
    assert {"town", "neighbourhood", "fabric", "setting", "street", "amenities", "restaurant", "school"} <= kinds
    assert "Elm Park" in texts
    assert "Mill Corner" in texts
    everything = " | ".join(texts)
    for words in (
        "Springfield",
        "Elm Street",
        "Thai",
        "Corner Market",
        "Lincoln School",
        "playground",
    ):
        assert words in everything
    assert "Blue Bottle" not in everything, "that is too far to walk"


def test_no_sentence_holds_figures_and_none_is_said_twice(told):
    texts = [text for _, text in told.sentences]
    assert len(texts) == len(set(texts))
    assert not [text for text in texts if re.search(r"\d", text)]
    assert all(text == text.strip() and text for text in texts)
    assert {kind for kind, _ in told.sentences} <= set(captions.KINDS)


def test_the_same_map_gives_the_same_sentences_alone_and_among_others(told):
    points = np.repeat(middle_latlon(), 3, axis=0) + np.array([[0.001, 0], [0, 0], [0, 0.001]])
    among = captions.describe(["a", "89e3", "b"], points, town_layers(), town_rasters())
    assert among[1] == told
    assert among[0].sentences != told.sentences


def test_an_empty_map_still_says_something():
    found = captions.describe(["x"], middle_latlon(), empty_layers(), made_up_rasters("wood"))[0]
    assert found.stratum == "woods"
    assert "fabric" in {kind for kind, _ in found.sentences}
    assert found.name


def test_a_river_parts_a_place_from_a_nearer_name():
    layers = empty_layers()
    layers["place"] = table(
        "place",
        [point(-180, 0), point(220, 0)],
        name=["Far Bank", "This Side"],
        **{"class": ["suburb", "suburb"]},
        rank=[10, 10],
    )
    dry, wet = made_up_rasters("residential"), made_up_rasters("residential")
    middle = GRID.width // 2
    wet.land[:, middle - 45 : middle - 10] = LAND["water"]
    texts = [
        {text for _, text in captions.describe(["x"], middle_latlon(), layers, rasters)[0].sentences}
        for rasters in (dry, wet)
    ]
    assert "Far Bank" in texts[0]
    assert "This Side" in texts[1]


def test_water_is_told_with_its_name():
    layers = empty_layers()
    layers["waterway"] = table(
        "waterway",
        lines({"minor": [(-150, 60, 150, 60)]}).geometry.tolist(),
        name=["Mill River"],
        **{"class": ["river"]},
    )
    texts = {
        text for _, text in captions.describe(["x"], middle_latlon(), layers, made_up_rasters("grass"))[0].sentences
    }
    assert "Mill River" in texts
    settings = {f"{what} {side}" for what in vocabulary.FABRIC_SHORT["park"] for side in vocabulary.WATER_SIDE["river"]}
    assert texts & settings


def told_of(layers, land="grass", place="x"):
    return {text for _, text in captions.describe([place], middle_latlon(), layers, made_up_rasters(land))[0].sentences}


def poi(layers, *things):
    """Put things on the map: (subclass, name, east, north)."""
    subclasses, names, east, north = zip(*things, strict=True)
    spots = [point(x, y) for x, y in zip(east, north, strict=True)]
    layers["poi"] = table("poi", spots, name=[*names], subclass=[*subclasses], **{"class": [*subclasses]})
    return layers


def test_one_is_in_a_park_wherever_its_ground_reaches():
    layers = poi(empty_layers(), ("park", "Long Meadow", 500, 0))
    assert not [text for text in told_of(layers) if "Long Meadow" in text], "its label is too far to walk"
    layers["landcover"] = table("landcover", [square(480, 0, 1000)], **{"class": ["grass"], "subclass": ["park"]})
    assert {"Long Meadow", "Long Meadow, a park"} <= told_of(layers)
    layers["landcover"] = table("landcover", [square(620, 0, 1000)], **{"class": ["grass"], "subclass": ["park"]})
    beside = told_of(layers)
    assert "near Long Meadow" in beside
    assert "Long Meadow" not in beside
    layers["landcover"] = table("landcover", [square(480, 0, 1000)], **{"class": ["sand"], "subclass": ["beach"]})
    assert not [text for text in told_of(layers) if "Long Meadow" in text], "a beach is no park's ground"


def test_the_plain_noun_is_said_close_by_only():
    for east, here in ((50, True), (200, False)):
        texts = told_of(poi(empty_layers(), ("museum", "Old Mill Museum", east, 0)))
        assert ("museum" in texts) == here
        assert ("Old Mill Museum" in texts) == here
        assert [text for text in texts if "museum" in text]


def test_things_are_called_by_other_words_too():
    layers = poi(empty_layers(), ("mall", "", 10, 0), ("golf_course", "", 20, 0), ("theatre", "Globe", 200, 0))
    assert {"golf course"} < told_of(layers)
    assert told_of(layers) & set(synonyms.NOUNS["golf course"])
    texts = set().union(*(told_of(layers, place=str(number)) for number in range(40)))
    for noun in ("theatre", "theater", "playhouse"):
        assert [text for text in texts if noun in text], noun
    assert "Globe Theater, a theatre" not in told_of(poi(layers, ("theatre", "Globe Theater", 200, 0)))


def test_words_of_a_region_are_said_there_only():
    station = poi(empty_layers(), ("subway", "Mill Square", 20, 0))
    texts = set().union(*(told_of(station, place=str(number)) for number in range(40)))
    assert texts & set(synonyms.DIALECTS["New England"].nouns["subway station"])
    assert synonyms.dialect_at(42.36, -71.06) is synonyms.DIALECTS["New England"]
    amsterdam = synonyms.dialect_at(52.37, 4.9)
    assert not amsterdam.nouns
    assert not amsterdam.fabric


def test_several_of_a_kind_make_a_quarter():
    stages = [("theatre", name, 60 * number, 0) for number, name in enumerate(("Globe", "Rose", "Swan"))]
    quarter = set(vocabulary.CLUSTERS["theatre"][1])
    assert told_of(poi(empty_layers(), *stages)) & quarter
    assert not told_of(poi(empty_layers(), *stages[:2])) & quarter


def test_waters_are_called_by_name_and_size():
    cases = ((250, None, "pond"), (900, None, "lake"), (900, "Fresh Pond", "pond"), (60, "Duck Lake", "lake"))
    for side_m, name, kind in cases:
        layers = empty_layers()
        layers["water"] = table("water", [square(side_m / 2 + 50, 0, side_m)], **{"class": ["lake"]})
        layers["water_name"] = table("water_name", [point(side_m / 2 + 50, 0)], name=[name], **{"class": ["lake"]})
        texts = told_of(layers)
        assert texts & set(vocabulary.WATER[kind]), (name, side_m)
        assert name is None or name in texts
    layers["water"] = table("water", [square(60, 0, 30)], **{"class": ["lake"]})
    assert not told_of(layers) & {*vocabulary.WATER["pond"], *vocabulary.WATER["lake"]}, "a garden pool is no pond"


def test_a_wide_river_is_as_near_as_its_bank():
    layers = empty_layers()
    layers["waterway"] = table(
        "waterway",
        lines({"minor": [(-900, 400, 900, 400)]}).geometry.tolist(),
        name=["Broad River"],
        **{"class": ["river"]},
    )
    assert "Broad River" not in told_of(layers)
    layers["water"] = table("water", [square(0, 400, 600)], **{"class": ["river"]})
    assert "Broad River" in told_of(layers)


def test_industry_by_the_sea_is_a_port():
    for kind, port in (("ocean", True), ("lake", False)):
        layers = empty_layers()
        layers["water"] = table("water", [square(400, 0, 600)], **{"class": [kind]})
        assert bool(told_of(layers, "industrial") & set(vocabulary.PORT)) == port


def test_quiet_is_where_neither_traffic_nor_shops_are():
    layers, rasters = town_layers(), town_rasters()
    quiet = set(vocabulary.QUIET)

    def texts():
        return {text for _, text in captions.describe(["x"], middle_latlon(), layers, rasters)[0].sentences}

    assert texts() & quiet
    poi(layers, *(("restaurant", f"Kitchen {name}", 30, 30) for name in "ABC"))
    assert not texts() & quiet
    layers["poi"] = empty_layers()["poi"]
    layers["transportation"] = lines({"primary": [(-150, 10, 150, 10)]})
    assert not texts() & quiet


@pytest.mark.parametrize(
    ("land", "kind"),
    [("wood", "woods"), ("cemetery", "cemetery"), ("sand", "beach"), ("water", "water"), ("pitch", "fields")],
)
def test_open_land_is_called_what_it_is(land, kind):
    found = morphology.fabric_of(
        np.array([np.mean(np.reshape(GRID.bounds_m, (2, 2)), axis=0)]), empty_layers(), made_up_rasters(land)
    )
    assert found[0].kind == kind


def houses(gap_m):
    """Rows of houses, 12 m wide, so many metres apart."""
    layers = empty_layers()
    steps = np.arange(-96, 96, 12 + gap_m)
    layers["building"] = table("building", [square(east, north, 12) for east in steps for north in (-40, 40)])
    return layers


def test_towers_are_told_from_houses():
    spot = np.array([np.mean(np.reshape(GRID.bounds_m, (2, 2)), axis=0)])
    rasters = made_up_rasters("unknown")
    rasters.building_id[::2] = 4
    for height_m, gap_m, kind in ((90.0, 4, "towers"), (18.0, 4, "blocks"), (8.0, 0, "rows"), (8.0, 4, "close")):
        rasters.height_m[::2] = height_m
        found = morphology.fabric_of(spot, houses(gap_m), rasters)[0]
        assert found.kind == kind
        assert found.height_m == pytest.approx(height_m, rel=0.01)
        assert found.built == pytest.approx(0.5, abs=0.01)


def test_every_class_and_kind_has_its_words():
    assert set(vocabulary.FABRIC) == set(vocabulary.FABRIC_SHORT)
    assert set(vocabulary.WATER) == set(vocabulary.WATER_SIDE)
    assert set(synonyms.NOUNS) <= {noun for _, noun in vocabulary.POI.values()}
    assert set(synonyms.KINDS) <= set(vocabulary.KINDS_OF_AREAS)
    for dialect in synonyms.DIALECTS.values():
        assert set(dialect.fabric) <= set(vocabulary.FABRIC)
    assert {kind for kind, _ in vocabulary.POI.values()} == set(vocabulary.WALK_M) == set(vocabulary.PLURAL)
    assert set(vocabulary.RESIDENTIAL) <= set(vocabulary.FABRIC)
    groups = (vocabulary.FABRIC, vocabulary.FABRIC_SHORT, vocabulary.DETAILS, vocabulary.WATER, vocabulary.WATER_SIDE)
    groups += (vocabulary.TRAFFIC, synonyms.NOUNS, synonyms.KINDS)
    every = [text for group in groups for said in group.values() for text in said]
    assert not [text for text in every if re.search(r"\d", text)]
    assert not [text for text in every if len(text) < 3], "a tuple of one text without its comma"
