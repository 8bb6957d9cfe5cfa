"""Sparse combinations and descriptions, in a space whose phrases are known."""

import numpy as np
import pytest

from unigeoclip.errors import InputError
from unigeoclip.words.city import CITY
from unigeoclip.words.combination import sparse_combination, unit_rows
from unigeoclip.words.describer import NOT_CLOSE, NOT_EXPLAINED, Describer, Reference, measure_reference
from unigeoclip.words.vocabulary import Vocabulary, vocabulary_of_window
from unigeoclip.words.world import WORLD

DIM = 32
RNG = np.random.default_rng(0)


def phrases(count=40):
    return unit_rows(np.random.default_rng(1).normal(size=(count, DIM)))


def vocabulary(count=40):
    return Vocabulary("made up", tuple(f"phrase {n}" for n in range(count)), ("a", "b") * (count // 2))


def reference(level=0.3, chance=0.1, mean=None):
    return Reference(np.zeros(DIM) if mean is None else mean, np.eye(DIM), level, chance)


# Combinations


def test_a_sum_of_phrases_is_taken_apart():
    known = np.linalg.qr(np.random.default_rng(2).normal(size=(DIM, DIM)))[0][:10]
    vector = 0.8 * known[3] + 0.6 * known[7]
    numbers, weights, explained = sparse_combination(vector, known, 0.1)
    assert numbers.tolist() == [3, 7]
    np.testing.assert_allclose(weights, [0.8, 0.6], atol=1e-6)
    assert explained == pytest.approx(1)


def test_weights_are_never_negative():
    known = phrases()
    for vector in unit_rows(np.random.default_rng(3).normal(size=(20, DIM))):
        numbers, weights, explained = sparse_combination(vector, known, -1.0)
        assert (weights > 0).all()
        assert (np.diff(weights) <= 0).all()
        assert len(numbers) == len(set(numbers.tolist())) <= 5
        assert explained == pytest.approx(1 - np.sum((vector - weights @ known[numbers]) ** 2), abs=1e-6)


def test_phrases_that_say_the_same_do_not_crowd_each_other_out():
    known = phrases(10)
    twins = unit_rows(known[4] + 0.1 * unit_rows(np.random.default_rng(4).normal(size=(3, DIM))))
    other = known[8] - (known[8] @ known[4]) * known[4]
    numbers = sparse_combination(
        0.9 * known[4] + 0.4 * other / np.linalg.norm(other), np.vstack([known, twins]), 0.2
    ).numbers
    assert len(set(numbers.tolist()) & {4, 10, 11, 12}) == 1
    assert 8 in numbers


def test_only_phrases_above_the_level_are_taken():
    known = phrases()
    assert len(sparse_combination(known[0], known, 0.999).numbers) == 1
    nothing = sparse_combination(known[0], known, 1.1)
    assert len(nothing.numbers) == 0
    assert nothing.explained == 0


# Descriptions


def test_a_phrase_is_described_by_itself():
    describer = Describer(vocabulary(), phrases())
    found = describer.describe([(3 * phrases()[5], reference())])
    assert found.is_known
    assert found.note == ""
    assert (found.phrases[0].text, found.phrases[0].kind) == ("phrase 5", "b")
    assert found.explained > 0.99
    assert found.summary() == "phrase 5"


def test_what_is_not_known_has_no_words():
    describer = Describer(vocabulary(), phrases())
    far = describer.describe([(np.ones(DIM), reference(level=0.99))])
    assert (far.phrases, far.explained, far.note, far.chance) == ((), 0.0, NOT_CLOSE, 0.1)
    weak = describer.describe([(phrases()[0], reference(chance=1.0))])
    assert (weak.phrases, weak.note) == ((), NOT_EXPLAINED)
    assert describer.describe([(np.zeros(DIM), reference())]).note == NOT_CLOSE


def test_vectors_that_cannot_be_described():
    describer = Describer(vocabulary(), phrases())
    for vector in (np.ones(DIM - 1), np.full(DIM, np.nan), np.ones((1, DIM))):
        with pytest.raises(InputError, match="32 finite numbers"):
            describer.describe([(vector, reference())])
    with pytest.raises(InputError, match="nothing to describe"):
        describer.describe([])
    with pytest.raises(InputError, match="need as many vectors"):
        Describer(vocabulary(), phrases()[:3])


def test_the_strictest_level_counts():
    describer = Describer(vocabulary(), phrases())
    terms = [(0.5 * phrases()[0], reference(level=0.1)), (0.5 * phrases()[0], reference(level=0.3, chance=0.7))]
    found = describer.describe(terms)
    assert found.chance == 0.7
    assert found.phrases[0].text == "phrase 0"


def test_random_vectors_are_mostly_not_known_and_structured_ones_are():
    """What the reference is for: a modality whose vectors are phrases plus noise, in a turned space."""
    known, rng = phrases(), np.random.default_rng(5)
    turn = np.linalg.qr(rng.normal(size=(DIM, DIM)))[0]
    texts = known[rng.integers(40, size=(600, 2))].sum(axis=1)
    vectors = (texts + 0.1 * rng.normal(size=(600, DIM))) @ turn + 2.0
    measured = measure_reference(vectors, known, texts)
    describer = Describer(vocabulary(), known)
    told = [describer.describe([(each - measured.mean, measured)]) for each in vectors]
    random = [describer.describe([(each, measured)]) for each in rng.normal(size=(600, DIM))]
    assert np.mean([each.is_known for each in told]) > 0.9
    assert np.mean([each.is_known for each in random]) < 0.65
    assert np.mean([each.explained for each in told]) > np.mean([each.explained for each in random]) + 0.2
    found = describer.describe([(known[7] @ turn, measured)])  # turned back by the map to texts
    assert found.phrases[0].text == "phrase 7"


def test_a_reference_needs_two_places():
    with pytest.raises(InputError, match="At least two places"):
        measure_reference(phrases()[:1], phrases())


# Vocabularies


@pytest.mark.parametrize("table", [CITY, WORLD])
def test_vocabularies_are_balanced_and_say_each_thing_once(table):
    listed = [phrase for phrases in table.values() for phrase in phrases]
    assert len(listed) == len({phrase.casefold() for phrase in listed}) > 300
    sizes = [len(phrases) for phrases in table.values()]
    assert max(sizes) <= 2 * min(sizes)
    assert len(sizes) >= 12
    for phrase in listed:
        assert phrase == phrase.strip()
        assert 1 <= len(phrase.split()) <= 6


def test_no_phrase_names_a_place():
    """Capitals are names; these adjectives are kinds of climate, kitchen or sea, not places."""
    allowed = {"Mediterranean", "Arctic", "Chinese", "Italian", "Mexican"}
    for table in (CITY, WORLD):
        for phrase in (each for some in table.values() for each in some):
            assert {word for word in phrase.split() if word[:1].isupper()} <= allowed, phrase


def test_which_vocabulary():
    assert vocabulary_of_window(225.0).name == "city"
    assert vocabulary_of_window(333_585.0).name == "world"
    kept = vocabulary_of_window(225.0).kept([False, True])
    assert (kept.phrases, kept.kinds) == ((CITY["housing"][1],), ("housing",))
    assert kept.digest != vocabulary_of_window(225.0).digest
    assert Vocabulary.of_table("own", {"a": ("x", "y"), "b": ("y",)}).kinds == ("a", "a")
