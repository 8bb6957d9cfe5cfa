"""WordNet's glosses: read, cleaned, and matched by name, kind and country."""

from dataclasses import replace

import numpy as np
import pytest

from tests.build.made_up_packages import debian_package, wordnet_package
from tests.build.world.test_captions import ALPS, LYON
from unigeoclip.build.world.geonames import Country, Towns
from unigeoclip.build.world.natural_regions import NaturalRegion
from unigeoclip.build.world.quotes.gazetteer import Gazetteer
from unigeoclip.build.world.quotes.wordnet import fold_name, read_glosses
from unigeoclip.errors import DownloadError

COUNTRIES = {
    code: Country(code, name, "Europe")
    for code, name in (("FR", "France"), ("US", "United States"), ("ID", "Indonesia"))
}


@pytest.fixture(scope="module")
def glosses(tmp_path_factory):
    return read_glosses(wordnet_package(tmp_path_factory.mktemp("wordnet") / "wordnet.deb"))


def towns(*rows):
    """Towns of (code, region, name, population)."""
    code, region, name, population = (np.array(column, dtype=object) for column in zip(*rows, strict=True))
    return Towns(np.zeros((len(rows), 2)), population.astype(np.int64), name, code, region)


def clauses(gloss):
    return gloss and gloss.clauses


def test_glosses_are_of_places_of_today(glosses):
    said = {gloss.names[0]: gloss.clauses for gloss in glosses}
    assert said["france"] == ("a republic in western Europe",)  # without its past
    assert said["alps"] == ("a large mountain system", "has glaciers")  # without its example
    assert said["java"] == ("an island in Indonesia", "one of the world's most crowded regions")
    assert not {"gaul", "taurus", "coffee", "united states", "city"} & set(said)
    lyon = next(gloss for gloss in glosses if "lyon" in gloss.names)
    assert lyon.names == ("lyon", "lyons")
    assert lyon.kinds == {"city"}
    assert {"france", "french republic"} <= lyon.within


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Côte d'Azur", "the Cote d Azur"),
        ("St. Louis", "Saint Louis"),
        ("Sao Tome", "São Tomé"),
        ("Guinea-Bissau",) * 2,
    ],
)
def test_names_are_compared_without_accents_and_articles(one, other):
    assert fold_name(one) == fold_name(other)


def test_towns_are_matched_by_country_and_state(glosses):
    gazetteer = Gazetteer(
        glosses,
        towns(
            ("FR", "Auvergne-Rhône-Alpes", "Lyon", 500_000),
            ("US", "Missouri", "Springfield", 170_000),
            ("US", "Illinois", "Springfield", 110_000),
            ("US", "Oregon", "Springfield", 60_000),
            ("ID", "Java", "Springfield", 900_000),
            ("FR", "Somewhere", "Java", 900_000),
        ),
        COUNTRIES,
    )
    assert clauses(gazetteer.town("FR", "Auvergne-Rhône-Alpes", "Lyon"))[0] == "a city in east-central France"
    assert clauses(gazetteer.town("US", "Missouri", "Springfield")) == ("a city of southwestern Missouri",)
    assert clauses(gazetteer.town("US", "Illinois", "Springfield")) == ("capital of the state of Illinois",)
    assert gazetteer.town("US", "Oregon", "Springfield") is None
    assert gazetteer.town("ID", "Java", "Springfield") is None
    assert gazetteer.town("FR", "Somewhere", "Java") is None


def test_two_towns_of_one_name_are_told_apart_or_left_out(glosses):
    first, second = ("FR", "Here", "Lyon", 500_000), ("FR", "There", "Lyon", 20_000)
    clear = Gazetteer(glosses, towns(first, second), COUNTRIES)
    assert clear.town("FR", "Here", "Lyon")
    assert clear.town("FR", "There", "Lyon") is None
    unclear = Gazetteer(glosses, towns(first, (*second[:3], 400_000)), COUNTRIES)
    assert unclear.town("FR", "Here", "Lyon") is None


def test_regions_countries_and_natural_regions_are_matched_by_kind(glosses):
    gazetteer = Gazetteer(glosses, towns(("FR", "", "Nowhere", 1)), COUNTRIES)
    assert clauses(gazetteer.country("FR")) == ("a republic in western Europe",)
    assert gazetteer.country("ID") is None
    assert clauses(gazetteer.region("US", "Illinois")) == ("a midwestern state",)
    assert gazetteer.region("FR", "Illinois") is None
    assert gazetteer.natural(NaturalRegion("Java", "island"))
    assert gazetteer.natural(NaturalRegion("Java", "lake")) is None
    assert gazetteer.natural(ALPS)
    assert gazetteer.natural(NaturalRegion("Taurus Mountains", "range", ("Taurus",))) is None


def test_a_place_has_two_glosses_at_most(glosses):
    gazetteer = Gazetteer(glosses, towns(("FR", "Auvergne-Rhône-Alpes", "Lyon", 500_000)), COUNTRIES)
    texts = {text for i in range(60) for _, text in gazetteer.sentences(replace(LYON, place_id=f"w{i}"))}
    assert {"a city in east-central France", "noted for silk"} <= texts
    assert {"a large mountain system", "a republic in western Europe"} <= texts
    assert all(len(gazetteer.sentences(replace(LYON, place_id=f"w{i}"))) == 2 for i in range(20))
    outside = replace(LYON, town_class="countryside")
    assert not {"noted for silk"} & {
        text for i in range(60) for _, text in gazetteer.sentences(replace(outside, place_id=f"w{i}"))
    }


def test_no_wordnet(tmp_path):
    odd = debian_package(tmp_path / "odd.deb", {"./usr/share/wordnet/data.noun": b"no synset | at all"})
    with pytest.raises(DownloadError, match=r"odd\.deb is not the expected package"):
        read_glosses(odd)
    empty = debian_package(tmp_path / "empty.deb", {"./other": b""})
    with pytest.raises(DownloadError, match="does not hold"):
        read_glosses(empty)
