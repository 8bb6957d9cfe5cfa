"""Whether descriptions are true: the rules, and the figures that are made of them."""

from types import SimpleNamespace

import numpy as np
import pytest

from unigeoclip.build.world.climate import CLIMATE_WORDS
from unigeoclip.build.world.word_tables import PATTERN_WORDS, TERRAIN_WORDS, WATER_WORDS
from unigeoclip.evaluation.words import accuracy as words
from unigeoclip.evaluation.words.facts import CITY_RULES, WORLD_RULES, rule_of
from unigeoclip.words.city import CITY
from unigeoclip.words.describer import Description, Phrase
from unigeoclip.words.vocabulary import Vocabulary
from unigeoclip.words.world import WORLD


@pytest.mark.parametrize(("table", "rules"), [(CITY, CITY_RULES), (WORLD, WORLD_RULES)])
def test_every_rule_covers_a_phrase_of_its_kind(table, rules):
    assert set(rules) <= set(table)
    for kind, some in rules.items():
        used = {id(rule_of(phrase, kind, rules)) for phrase in table[kind]}
        assert {id(rule) for rule in some} <= used, kind


@pytest.mark.parametrize(
    ("phrase", "kind", "rules", "stratum", "captions", "true"),
    [
        ("brick row houses", "housing", CITY_RULES, "rows", (), True),
        ("brick row houses", "housing", CITY_RULES, "suburb", (("fabric", "garden suburb"),), False),
        ("no tall buildings", "buildings", CITY_RULES, "towers", (), False),
        ("no tall buildings", "buildings", CITY_RULES, "industrial", (("fabric", "low-rise"),), True),
        ("by the river", "fresh water", CITY_RULES, "park", (("water", "by the Charles River"),), True),
        ("by the river", "fresh water", CITY_RULES, "park", (("street", "River Street"),), False),
        ("coffee shops", "food and nightlife", CITY_RULES, "houses", (("cafe", "Flour Bakery"),), True),
        ("hot desert climate", "climate", WORLD_RULES, "land", (("climate", "hot and dry, hardly any rain"),), True),
        ("hot desert climate", "climate", WORLD_RULES, "land", (("climate", "cold desert"),), False),
        ("mountains", "terrain", WORLD_RULES, "land", (("terrain", "elevated plain between mountains"),), False),
        ("coast", "coast and sea", WORLD_RULES, "land", (("water", "away from the sea"),), False),
        ("coast", "coast and sea", WORLD_RULES, "land", (("water", "on the coast"),), True),
        ("sparsely populated", "population", WORLD_RULES, "land", (("pattern", "densely populated area"),), False),
    ],
)
def test_what_is_true_of_a_place(phrase, kind, rules, stratum, captions, true):
    assert rule_of(phrase, kind, rules).holds(stratum, captions) is true


def test_what_no_rule_covers_is_not_judged():
    assert rule_of("rolling hills", "terrain", CITY_RULES) is None
    assert rule_of("vineyards", "farming", WORLD_RULES) is None
    assert rule_of("small neighborhood shops", "shops", CITY_RULES).captions == {"shop": ""}


@pytest.fixture
def explorer():
    """Four places: two of row houses, one park, one suburb."""
    atlas = SimpleNamespace(
        places={"stratum": SimpleNamespace(to_numpy=lambda: np.array(["rows", "rows", "park", "suburb"]))},
        captions=lambda row: [],
    )
    vocabulary = Vocabulary("city", ("brick row houses", "public park"), ("housing", "parks"))
    describer = SimpleNamespace(vocabulary=vocabulary)
    return SimpleNamespace(atlas=atlas, descriptions=SimpleNamespace(describer=describer))


def test_precision_and_chance(explorer):
    def said(*phrases):
        kinds = {"brick row houses": "housing", "public park": "parks", "rolling hills": "terrain"}
        return Description(tuple(Phrase(each, kinds[each], 0.5) for each in phrases), 0.4, 0.1)

    items = SimpleNamespace(rows=np.arange(4))
    described = [said("brick row houses"), said("public park", "brick row houses"), said("public park"), said()]
    figures = words._precision(*words._judgments(explorer, items, described))
    assert figures["judged_phrases"] == 4
    assert figures["precision"] == pytest.approx(3 / 4)  # the park in the second place is wrong
    # Row houses are true of one of the three others, twice; the park of one of three, and of none where it is true.
    assert figures["chance"] == pytest.approx((1 / 3 + 1 / 3 + 1 / 3 + 0) / 4)
    assert figures["first_phrase_precision"] == pytest.approx(2 / 3)
    assert figures["by_kind"]["parks"] == {"n": 2, "precision": 0.5, "chance": pytest.approx(1 / 6)}
    low, high = figures["precision_interval_95"]
    assert low <= 3 / 4 <= high
    assert words._precision(*words._judgments(explorer, items, [said("rolling hills")])) == {"judged_phrases": 0}


@pytest.mark.parametrize(
    ("kind", "table", "judged"),
    [
        ("climate", CLIMATE_WORDS, ("climate", "seasons", "land cover")),
        ("terrain", TERRAIN_WORDS, ("terrain", "city setting")),
        ("water", WATER_WORDS, ("coast and sea", "islands and interior")),
        ("pattern", PATTERN_WORDS, ("population",)),
    ],
)
def test_every_word_of_the_captions_makes_some_phrase_true(kind, table, judged):
    rules = [rule for name in judged for rule in WORLD_RULES[name]]
    for said in table.values():
        for text in said:
            assert any(rule.holds("land", [(kind, text)]) for rule in rules), text


def test_words_of_one_climate_are_not_taken_for_another():
    def is_true(phrase, kind, text):
        return rule_of(phrase, kind, WORLD_RULES).holds("land", [("climate", text)])

    assert not is_true("hot desert climate", "climate", "semi-desert")
    assert not is_true("tundra climate", "climate", "grassland without trees")
    assert not is_true("continental climate", "climate", "long snowy winters")
    assert not is_true("Mediterranean climate", "climate", "dry desert with freezing winters")
    assert is_true("subarctic climate", "climate", "spruce forest")
