"""Query items as text: what is written is read back to the last digit, and what is no item is refused."""

import numpy as np
import pytest

from unigeoclip.errors import InputError
from unigeoclip.search.query_items import PackedVector, QueryItem, parse_item, write_item


def unit(dim=256, seed=0):
    vector = np.random.default_rng(seed).normal(size=dim)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (QueryItem("text", "hot desert"), "text:hot desert"),
        (QueryItem("text", "a: b*c\n~d", -0.5), "-0.5*text:a: b*c\n~d"),
        (QueryItem("location", (48.85, 2.35)), "at:48.85,2.35"),
        (QueryItem("location", (-0.00001, 180.0), 2.0), "2*at:-0.00001,180"),
        (QueryItem("location", (1 / 3, -1e-7), 1 / 3), "0.3333333333333333*at:0.3333333333333333,-0.0000001"),
        (QueryItem("place", "w000123", 0.25), "0.25*place:w000123"),
        (QueryItem("location", (1.2345678901234e-20, -1e-300), 1e-9), "0.000000001*at:1.2345678901234e-20,-1e-300"),
        (QueryItem("view", (42.3601, -71.0589, 45.0)), "view:42.3601,-71.0589,45"),
    ],
)
def test_items_survive_the_way_through_their_spelling(item, text):
    assert write_item(item) == text
    back = parse_item(text)
    assert (back.modality, back.value, back.weight) == (item.modality, item.value, item.weight)


def test_a_picture_travels_as_its_embedding_with_its_name():
    item = QueryItem("aerial", PackedVector.of(unit(), "0123456789ab"), -0.75, "field~of wheat.png")
    text = write_item(item)
    assert text.startswith("-0.75*vec:aerial:")
    assert text.endswith("~field~of wheat.png")
    assert len(text) < 400
    assert parse_item(text) == item
    assert write_item(QueryItem("aerial", np.zeros((3, 4, 4), np.uint8))) is None


@pytest.mark.parametrize("seed", range(20))
def test_packing_keeps_the_direction_and_is_stable(seed):
    packed = PackedVector.of(unit(seed=seed), "0123456789ab")
    assert packed.vector.dtype == np.float32
    assert np.linalg.norm(packed.vector) == pytest.approx(1, abs=1e-6)
    assert packed.vector @ unit(seed=seed) > 0.9999
    again = PackedVector.from_text(packed.text)
    assert again == packed
    np.testing.assert_array_equal(again.vector, packed.vector)
    assert PackedVector.of(packed.vector, packed.model) == packed, "packing twice loses no more"


@pytest.mark.parametrize(
    "vector", [2 * unit(), np.zeros(8), np.full(4, np.nan), np.array([np.inf, 0.0]), unit()[None], np.zeros(0), [[]]]
)
def test_only_unit_vectors_are_packed(vector):
    with pytest.raises(InputError, match="length 1"):
        PackedVector.of(vector, "0123456789ab")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "text:WORDS"),
        ("text:", "text:WORDS"),
        ("image:cat", "text:WORDS"),
        ("x*text:sea", "number from -1000 to 1000"),
        ("nan*text:sea", "number from -1000 to 1000"),
        ("at:1", "two numbers"),
        ("at:1e3,5", "two numbers"),
        ("view:1,2", "three numbers"),
        ("vec:aerial", "a modality and a code"),
        ("vec:aerial:", "a modality and a code"),
        ("vec:aerial:AB CD", "a modality and a code"),
        ("vec:aerial:ABCDE", "cut or changed"),
        ("vec:aerial:ABC", "too short"),
        ("vec:aerial:" + "A" * 20_000, "at most 16,384"),
        ("text:\ud800", "Unicode"),
        ("vec:aerial:ABCDEFGH~\ud800", "Unicode"),
        ("place:" + "w" * 5000, "at most 200"),
        ("1e308*text:sea", "number from -1000 to 1000"),
        ("1001*text:sea", "number from -1000 to 1000"),
        ("9" * 5000 + "*text:sea", "number from -1000 to 1000"),
        ("\u0663*text:sea", "number from -1000 to 1000"),
        ("at:" + "9" * 400 + ",1", "two numbers"),
        ("at:1,541", "longitude 541 is outside"),
        ("at:95,1", "latitude 95 is outside"),
        ("view:42.36,-71.06," + "9" * 400, "three numbers"),
        ("view:42.36,-71.06," + "9" * 30, "Each number of a view"),
        ("view:42.36,-71.06,nan", "Each number of a view"),
        ("view:95,-71.06,45", "latitude 95 is outside"),
    ],
)
def test_what_is_no_item_is_refused_with_what_one_looks_like(text, words):
    with pytest.raises(InputError, match=words) as caught:
        parse_item(text)
    assert len(str(caught.value)) < 300, "what is wrong is repeated in an excerpt"


def test_a_code_of_zeros_is_refused():
    with pytest.raises(InputError, match="only zeros"):
        PackedVector(bytes(8), "012345").vector  # noqa: B018


def test_a_foreign_picture_stays_one_in_a_link():
    item = QueryItem("street", PackedVector.of(unit(), "0123456789ab", is_foreign=True), 1.0, "kitchen.jpg")
    spelled = write_item(item)
    assert "!~kitchen.jpg" in spelled
    again = parse_item(spelled)
    assert again == item
    assert again.value.is_foreign
    plain = parse_item(spelled.replace("!", ""))
    assert not plain.value.is_foreign
    assert plain.value.codes == item.value.codes
    with pytest.raises(InputError):
        parse_item(spelled.replace("!", "!!"))
