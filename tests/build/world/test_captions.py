"""Sentences: no figures, every kind, short names among them, the same each time."""

from dataclasses import replace

import numpy as np
import pytest
import shapely

from unigeoclip.build.world import captions
from unigeoclip.build.world.captions import KINDS, PlaceFacts, caption, place_name
from unigeoclip.build.world.climate import CLIMATE_WORDS
from unigeoclip.build.world.geonames import Country
from unigeoclip.build.world.natural_regions import NaturalRegion, regions_of_places
from unigeoclip.build.world.place_attributes import continent_and_parts, settlement_class

SAHARA = NaturalRegion("Sahara", "desert", ("the Great Desert",), "sand and rock desert")
ALPS = NaturalRegion("Alps", "range", ("European Alps",), "high mountains")
VICTORIA = NaturalRegion("Lake Victoria", "lake", ())
BLACK_SEA = NaturalRegion("Black Sea", "sea", ())

LYON = PlaceFacts(
    place_id="w000001",
    settlement="large city",
    pattern="dense",
    terrain="hills",
    water="inland",
    climate="Cfb",
    town="Lyon",
    town_class="city",
    big_city="Geneva",
    region="Auvergne-Rhône-Alpes",
    country_code="FR",
    country="France",
    continent="Europe",
    parts=("Western Europe",),
    inside=(ALPS,),
    by_water=(BLACK_SEA,),
    quoted=(
        ("factbook_climate", "temperate in north"),
        ("factbook_terrain", "flat plains"),
        ("resources", "coal, iron ore"),
        ("crops", "wheat fields"),
        ("industries", "chemicals"),
        ("gloss", "a city in eastern France"),
    ),
)
NOWHERE = PlaceFacts("w000002", "wilderness", "empty", "plain", "deep inland", "BWh", inside=(SAHARA,))


def many(facts, count=300):
    return caption([replace(facts, place_id=f"w{i:06d}") for i in range(count)])


def test_every_kind_is_there():
    (written,) = caption([LYON])
    assert {kind for kind, _ in written} == set(KINDS)
    assert 15 <= len(written) <= 32


def test_a_place_never_repeats_a_sentence():
    for written in many(LYON):
        texts = [text for _, text in written]
        assert len(texts) == len(set(texts))
        assert all(text == text.strip() and text for text in texts)


def test_no_figures_whatever_the_names():
    facts = replace(LYON, town="Kilometre 7", region="Region 12", big_city="Zone 4", parts=("Sector 3",))
    for written in many(facts):
        assert not any(letter.isdigit() for _, text in written for letter in text)


@pytest.mark.parametrize("facts", [LYON, NOWHERE])
def test_short_names_are_among_the_sentences(facts):
    texts = {text for written in many(facts) for _, text in written}
    expected = {"Alps", "France", "Europe", "oceanic climate"} if facts is LYON else {"Sahara", "hot desert", "desert"}
    assert expected <= texts


def test_a_rare_name_has_one_wording_and_a_frequent_one_several():
    alone = [caption([replace(LYON, place_id=f"w{i}")])[0] for i in range(50)]
    assert len({text for written in alone for kind, text in written if kind == "region"}) == 1
    assert len({text for written in many(LYON) for kind, text in written if kind == "region"}) == 3


def test_the_same_facts_give_the_same_sentences():
    assert caption([LYON, NOWHERE]) == caption([LYON, NOWHERE])


def test_articles():
    texts = {text for facts in (LYON, NOWHERE) for written in many(facts) for _, text in written}
    assert "in the Sahara" in texts
    assert "Sahara desert" in texts
    assert "on the coast of the Black Sea" in texts
    by_lake = {text for written in many(replace(LYON, by_water=(VICTORIA,))) for _, text in written}
    assert "by Lake Victoria" in by_lake
    american = many(replace(LYON, country="United States", country_code="US"))
    countries = {text for written in american for kind, text in written if kind == "country"}
    assert {"United States", "in the United States", "USA"} <= countries


def test_settings_combine_size_sea_and_climate():
    by_sea = many(replace(LYON, water="coast", climate="Csa"))
    assert "big city by the sea" in {text for written in by_sea for kind, text in written if kind == "setting"}
    desert = {text for written in many(NOWHERE) for kind, text in written if kind == "setting"}
    assert desert == {"desert plain"}


def test_every_class_has_words():
    for table in (captions.SETTLEMENT_WORDS, captions.TERRAIN_WORDS, captions.WATER_WORDS, captions.PATTERN_WORDS):
        assert all(words and len(set(words)) == len(words) for words in table.values())
    for settlement in captions.SETTLEMENT_WORDS:
        for terrain in captions.TERRAIN_WORDS:
            for water in captions.WATER_WORDS:
                for climate in CLIMATE_WORDS:
                    facts = replace(LYON, settlement=settlement, terrain=terrain, water=water, climate=climate)
                    assert captions._settings(facts)


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (LYON, "Lyon, France"),
        (replace(LYON, town_class="countryside"), "near Lyon, France"),
        (replace(LYON, town=""), "Alps, France"),
        (replace(LYON, town="", inside=(), by_water=()), "France"),
        (NOWHERE, "Sahara"),
        (replace(NOWHERE, inside=()), "open land"),
    ],
)
def test_names_of_places(facts, name):
    assert place_name(facts) == name


@pytest.mark.parametrize(
    ("population", "word"),
    [
        (0, "village"),
        (9_999, "village"),
        (10_000, "town"),
        (150_000, "city"),
        (2_000_000, "large city"),
        (9**8, "megacity"),
    ],
)
def test_sizes_of_settlements(population, word):
    assert settlement_class(population) == word


def test_russia_is_divided_at_the_urals():
    russia = Country("RU", "Russia", "Europe")
    assert continent_and_parts(russia, 37.6, {})[0] == "Europe"
    assert continent_and_parts(russia, 104.3, {})[0] == "Asia"
    assert "the Russian Far East" in continent_and_parts(russia, -175.0, {})[1]


def square(south, west, north, east):
    return shapely.box(west, south, east, north)


def test_regions_of_places():
    regions = [NaturalRegion("Big", "desert"), NaturalRegion("Small", "plateau"), NaturalRegion("Sea", "sea")]
    shapes = np.array([square(0, 0, 30, 30), square(10, 10, 20, 20), square(30, 0, 40, 30)], dtype=object)
    latlon = np.array([[15.0, 15.0], [5.0, 5.0], [29.5, 15.0], [28.0, 15.0], [35.0, 15.0], [-50.0, 170.0]])
    inside, by_water = regions_of_places(latlon, regions, shapes)
    assert inside == [[1, 0], [0], [0], [0], [], []]  # smallest first
    assert by_water == [[], [], [2], [], [2], []]  # half a degree from the shore, two degrees, an island in it


def test_without_regions_there_are_none():
    assert regions_of_places(np.zeros((2, 2)), [], np.array([], dtype=object)) == ([[], []], [[], []])
