"""Votes on results: the formula, what is changed by hand, and the vectors that they stand for."""

import numpy as np
import pytest

from tests.explorable import use_hashed_sentences, write_explorable_city
from unigeoclip.errors import InputError
from unigeoclip.search.composing.rocchio import BETA, DOWN, GAMMA, UP, vote_of, voted
from unigeoclip.search.explorer import Explorer, QueryItem
from unigeoclip.search.query_items import GalleryItem, parse_item, write_item


def items_of(explorer, modality, count):
    places = explorer.atlas.places["place_id"].iloc[explorer.item_rows(modality)[:count]]
    return [GalleryItem(modality, place_id) for place_id in places]


def test_votes_move_the_query_as_rocchio_says(explorer, hashed_sentences):
    a, b, c = items_of(explorer, "aerial", 3)
    picture = QueryItem("place", a.place_id)
    items = (picture,)
    for item, vote in ((a, UP), (b, UP), (c, DOWN)):
        items = voted(items, item, vote)
    query = explorer.query(items)
    of = {each: explorer.vectors("aerial")[number].astype(np.float64) for number, each in enumerate((a, b, c))}
    start = explorer.query([picture]).vector
    scale = query.scales
    expected = scale[0] * start + BETA * (scale[1] * of[a] + scale[2] * of[b]) / 2 - GAMMA * scale[3] * of[c]
    np.testing.assert_allclose(query.vector, expected / np.linalg.norm(expected), atol=1e-5)
    assert query.origin == explorer.query([picture]).origin, "votes are no points that distances are measured from"


def test_weights_are_shared_and_what_is_changed_by_hand_stays():
    a, b, c = (GalleryItem("aerial", name) for name in "abc")
    text = QueryItem("text", "sea", 1.5)
    items = voted((text,), a, UP, "A")
    assert [(each.weight, each.label) for each in items] == [(1.5, ""), (0.75, "A")]
    items = voted(items, b, DOWN)
    assert [each.weight for each in items] == [1.5, 0.75, -0.25]
    items = voted(items, c, UP)
    assert [each.weight for each in items] == [1.5, 0.375, -0.25, 0.375]
    changed = (items[0], QueryItem("item", a, 2.0), *items[2:])
    assert [each.weight for each in voted(changed, c, UP)] == [1.5, 2.0, -0.25], "the same vote again takes it back"
    assert [each.weight for each in voted(changed, b, UP)] == [1.5, 2.0, 0.25, 0.25]
    assert [vote_of(items, each) for each in (a, b, GalleryItem("text", "a"))] == [UP, DOWN, 0]


@pytest.mark.parametrize("item", [GalleryItem("aerial", "w1"), GalleryItem("street", "a:b", 12)])
def test_items_are_spelled_in_links(item):
    query_item = QueryItem("item", item, -0.5)
    assert parse_item(write_item(query_item)).value == item
    assert parse_item(write_item(query_item)).weight == -0.5


@pytest.mark.parametrize(
    "text", ["item:aerial", "item:w1", "item:aerial.0:w1", "item:aerial.100:w1", "item:a:" + "9" * 201]
)
def test_what_is_no_item_is_refused(text):
    with pytest.raises(InputError, match="not a query item"):
        parse_item(text)


def test_items_that_do_not_exist_are_refused(explorer):
    (item,) = items_of(explorer, "aerial", 1)
    for wrong, says in (
        (GalleryItem("aerial", "nobody"), "no place 'nobody'"),
        (GalleryItem("aerial", item.place_id, 7), "no such item"),
        (GalleryItem("smell", item.place_id), "no such item"),
    ):
        with pytest.raises(InputError, match=says):
            explorer.query([QueryItem("item", wrong)])


@pytest.mark.slow
def test_of_a_place_with_several_windows_a_match_names_its_own(tmp_path, monkeypatch):
    use_hashed_sentences(monkeypatch)
    city = Explorer.open(write_explorable_city(tmp_path / "madeup"), cache_dir=tmp_path / "cache")
    query = city.query([QueryItem("text", "a port")])
    found = city.search(query, k=50, modalities=["aerial", "street"])
    assert any(match.window for match in found["aerial"])
    for match in (*found["aerial"], *found["street"]):
        vector = city.item_vector(GalleryItem(match.modality, match.place_id, match.window))
        assert float(vector @ query.vector) == pytest.approx(match.similarity, abs=1e-5)
