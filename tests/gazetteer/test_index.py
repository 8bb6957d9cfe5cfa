import time

import pytest

from unigeoclip.gazetteer import MAX_CHARACTERS, Gazetteer, PlaceName
from unigeoclip.gazetteer.folding import fold

NAMES = [
    PlaceName("Paris", "Texas, United States", "town", 33.66, -95.56, 25_000),
    PlaceName("Paris", "France", "town", 48.85, 2.35, 2_100_000, ("Parigi", "Lutetia")),
    PlaceName("Parma", "Italy", "town", 44.8, 10.33, 190_000),
    PlaceName("Munich", "Germany", "town", 48.14, 11.58, 1_200_000, ("München", "Monaco di Baviera")),
    PlaceName("Monaco", "Monaco", "town", 43.73, 7.42, 32_000),
    PlaceName("New York City", "New York, United States", "town", 40.71, -74.01, 8_800_000, ("Big Apple",)),
    PlaceName("York", "United Kingdom", "town", 53.96, -1.08, 150_000),
    PlaceName("Sahara", "landscape", "landscape", 24.0, 11.0, 300),
    PlaceName("Sahāranpur", "India", "town", 29.97, 77.55, 700_000),
    PlaceName("Park Street", "station in Boston", "transit", 42.36, -71.06, 8),
    PlaceName("Park Street", "street in Newton", "street", 42.35, -71.18, 60),
]


@pytest.fixture(scope="module")
def gazetteer():
    return Gazetteer(NAMES)


def found(gazetteer, text, **options):
    return [(place.name, place.detail) for place in gazetteer.search(text, **options)]


def test_names_that_begin_so_come_in_the_order_of_their_size(gazetteer):
    assert found(gazetteer, "par")[:3] == [("Paris", "France"), ("Parma", "Italy"), ("Paris", "Texas, United States")]


@pytest.mark.parametrize("text", ["PARIS", "parís", " paris ", "Parigi", "lutet"])
def test_spelling_does_not_matter(gazetteer, text):
    assert found(gazetteer, text)[0] == ("Paris", "France")


def test_a_name_that_is_typed_in_full_comes_before_larger_ones(gazetteer):
    assert found(gazetteer, "york") == [("York", "United Kingdom"), ("New York City", "New York, United States")]
    assert found(gazetteer, "monaco") == [("Monaco", "Monaco"), ("Munich", "Germany")]
    assert found(gazetteer, "sahara")[0] == ("Sahara", "landscape")


@pytest.mark.parametrize("text", ["paris, tex", "Paris,Texas", "paris texas", "paris united states"])
def test_what_tells_a_name_from_others_may_follow_it(gazetteer, text):
    assert found(gazetteer, text) == [("Paris", "Texas, United States")]


def test_a_station_comes_before_a_longer_street(gazetteer):
    assert found(gazetteer, "park street") == [
        ("Park Street", "station in Boston"),
        ("Park Street", "street in Newton"),
    ]


def test_every_place_is_listed_once_and_not_more_than_asked_for(gazetteer):
    assert len(found(gazetteer, "m")) == 2  # Munich has two names with m
    assert len(found(gazetteer, "p", most=3)) == 3
    assert found(gazetteer, "p", most=0) == []


@pytest.mark.parametrize("text", ["", "   ", ",", "...", "xyzzy", "paris, bavaria", "\0", "[", "\\", "a" * 10_000])
def test_what_is_no_name_finds_nothing(gazetteer, text):
    assert gazetteer.search(text) == []


def test_every_name_is_found_by_any_beginning_of_any_of_its_words(gazetteer):
    for place in NAMES:
        words = fold(place.name).split()
        for first in range(len(words)):
            rest = " ".join(words[first:])
            for length in range(1, len(rest) + 1):
                assert place in gazetteer.search(rest[:length], most=len(NAMES)), rest[:length]


def test_it_is_fast_enough_to_answer_every_key_of_a_large_atlas():
    """The claim is 30 ms; a linear scan of these names takes ten times as long as this bound."""
    large = Gazetteer([PlaceName(f"A{number:06d} b c", "Nowhere", "town", 0, 0, number) for number in range(50_000)])
    begin = time.process_time()
    for text in ("a", "a0", "b", "zz", "a000123 b", "nowhere at all in the world"):
        large.search(text)
    assert time.process_time() - begin < 6 * 0.03
    assert large.search("a" * (MAX_CHARACTERS + 5)) == []
