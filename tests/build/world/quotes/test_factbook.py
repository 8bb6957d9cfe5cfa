"""The World Factbook: clauses, and of which places they are said."""

from dataclasses import replace

import numpy as np
import pytest

from tests.build.made_up_packages import factbook_package, npm_package
from tests.build.world.test_captions import ALPS, LYON, NOWHERE
from unigeoclip.build.world.climate import CLIMATE_WORDS
from unigeoclip.build.world.quotes.factbook import FIELDS, read_clauses, read_profiles, split_clauses, split_items
from unigeoclip.build.world.quotes.farming import PRODUCTS, grows
from unigeoclip.build.world.quotes.statements import Position, fits, positions_in_countries, quote_factbook
from unigeoclip.errors import DownloadError

MIDDLE = Position(0.5, 0.5)


def test_clauses_of_countries_and_of_their_parts(tmp_path):
    package = factbook_package(tmp_path / "factbook.tgz")
    said = read_clauses(package, {"fr": "FR", "us": "US"}, {"France": "FR", "Reunion": "RE"})
    assert set(said) == {"FR", "RE", "US"}
    assert set(said["FR"]) == set(FIELDS)
    assert said["FR"]["factbook_climate"] == (
        ("cool winters and mild summers",),
        ("hot summers along the Mediterranean",),
    )
    assert said["RE"]["factbook_climate"] == (("tropical, but temperature moderates with elevation",),)
    assert said["FR"]["crops"] == (("wheat", "wine grapes"), ("beef", "dairy products"), ("fish",))
    assert said["FR"]["industries"] == (("machinery", "chemicals", "aircraft"), ("tourism",))
    assert said["US"]["factbook_climate"] == (
        ("mostly temperate",),
        ("tropical in Hawaii",),
        ("arid in the southwest",),
    )


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("tropical; hot, humid; varies", ["tropical", "hot, humid"]),
        ("equatorial in south, tropical in center, arid in north", None),
        ("rainy season (May to November)", ["rainy season"]),
        ("rains 250 cm per year; none; remainder is mountainous", []),
        ("large, flat plains in east, mountains in west", ["flat plains in east", "mountains in west"]),
        ("a" * 200, []),
    ],
)
def test_split_clauses(text, clauses):
    assert split_clauses(text) == (text.split(", ") if clauses is None else clauses)


def test_split_items():
    assert split_items("cotton, rice, and corn; other livestock; fish (cod, hake), fish") == (
        ("cotton", "rice", "corn"),
        ("fish",),
    )
    assert split_items("none") == ()


def test_no_factbook(tmp_path):
    (tmp_path / "odd.tgz").write_bytes(b"no tarball")
    with pytest.raises(DownloadError, match=r"odd\.tgz is not the expected package"):
        read_profiles(tmp_path / "odd.tgz")
    assert read_profiles(npm_package(tmp_path / "other.tgz", {"readme.json": {}})) == []


@pytest.mark.parametrize(
    ("clause", "facts", "position", "said"),
    [
        ("arid in north", NOWHERE, Position(0.9, 0.5), True),
        ("arid in north", NOWHERE, Position(0.1, 0.5), False),
        ("cold winters in southeast", LYON, Position(0.1, 0.9), True),
        ("cold winters in southeast", LYON, Position(0.1, 0.1), False),
        ("low plains in north to hills in south", LYON, Position(0.1, 0.5), True),
        ("hot, dry desert", NOWHERE, MIDDLE, True),
        ("hot, dry desert", LYON, MIDDLE, False),
        ("tropical", LYON, MIDDLE, False),
        ("temperate", LYON, MIDDLE, True),
        ("mild, modified by southeast trade winds", replace(LYON, water="coast"), Position(0.9, 0.1), True),
        ("mild winters along coast", LYON, MIDDLE, False),
        ("mild winters along coast", replace(LYON, water="coast"), MIDDLE, True),
        ("colder interior", replace(LYON, water="coast"), MIDDLE, False),
        ("Alps in east", LYON, Position(0.5, 0.9), True),
        ("Pyrenees in east", LYON, Position(0.5, 0.9), False),
        ("rugged mountains", NOWHERE, MIDDLE, False),
        ("mostly flat plains", NOWHERE, MIDDLE, True),
        ("temperate in valleys to arctic on peaks", LYON, MIDDLE, True),
    ],
)
def test_a_clause_is_said_of_the_part_it_speaks_of(clause, facts, position, said):
    assert fits(clause, facts, position) is said


def test_positions_are_ranks_within_the_country_even_across_180_degrees():
    latlon = np.array([[10.0, 170.0], [20.0, -170.0], [0.0, 179.0], [50.0, 0.0]])
    found = positions_in_countries(latlon, ["FJ", "FJ", "FJ", "FR"])
    assert [position.east for position in found] == pytest.approx([1 / 6, 5 / 6, 1 / 2, 1 / 2])
    assert [position.north for position in found] == pytest.approx([1 / 2, 5 / 6, 1 / 6, 1 / 2])


SAID = {
    "factbook_climate": (("temperate",), ("tropical in south",)),
    "crops": (("rice", "wheat", "potatoes"), ("fish",)),
    "resources": (("coal", "iron ore"), ("fish", "timber")),
    "industries": (("machinery", "ships"),),
}


def quoted(facts, count=200):
    return {text for i in range(count) for text in quote_factbook(replace(facts, place_id=f"w{i}"), MIDDLE, SAID)}


def test_a_place_has_a_sentence_of_each_kind_that_fits():
    texts = quoted(LYON)
    assert ("factbook_climate", "temperate") in texts
    assert ("crops", "wheat fields") in texts
    assert ("crops", "wheat, potatoes") in texts
    assert {text for kind, text in texts if kind == "industries"} == {"machinery"}  # a city, far from the sea
    assert not any("rice" in text or "fish" in text for _, text in texts)
    assert not [text for kind, text in texts if kind == "resources"]


def test_what_is_said_of_the_countryside_and_of_empty_land():
    rural = replace(LYON, settlement="countryside", water="coast")
    assert {kind for kind, _ in quoted(rural)} == {"factbook_climate", "crops", "resources"}
    assert ("crops", "fish") in quoted(rural)
    empty = replace(NOWHERE, inside=(ALPS,))
    assert {kind for kind, _ in quoted(empty)} == {"resources"}
    assert not any("timber" in text for _, text in quoted(empty))
    assert quote_factbook(LYON, MIDDLE, {}) == []


def test_things_grow_somewhere_and_never_on_ice():
    for item, product in PRODUCTS.items():
        where = [climate for climate in CLIMATE_WORDS if grows(item, climate, "inland")]
        assert where, item
        assert "EF" not in where
        assert len(set(product.wordings)) == len(product.wordings)
    assert grows("rice", "Aw", "inland")
    assert not grows("rice", "Dfc", "inland")
    assert grows("timber", "Dfc", "inland")
    assert not grows("shrimp", "Aw", "inland")
