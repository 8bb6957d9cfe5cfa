"""A query about nothing in the atlas says so, with how sure that is; the answer is there all the same."""

from dataclasses import replace

import numpy as np
import pytest

from tests.explorable import use_hashed_sentences, write_explorable_city
from tests.fields import NOISE, fields
from unigeoclip.atlas import load_atlas
from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.config import write_json
from unigeoclip.evaluation.certainty.pictures import fit_pictures
from unigeoclip.search.explorer import Explorer, QueryItem
from unigeoclip.search.query_items import parse_item
from unigeoclip.similarity.calibration import FILE, Calibration
from unigeoclip.similarity.certainty import FEATURES, TextCertainty


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_explorable_city(tmp_path_factory.mktemp("atlases") / "madeup")


@pytest.fixture
def city(folder, tmp_path, monkeypatch):
    """Only what a caption says word for word is close to captions for the hashed sentences of these tests."""
    use_hashed_sentences(monkeypatch)
    atlas = load_atlas(folder)
    weights = dict.fromkeys(FEATURES, 0.0) | {"closest": 20.0}
    texts = TextCertainty(weights, -10.0, 0.45)
    pictures = {"aerial": fit_pictures(fields(300, 0), fields(60, 1), {}, np.random.default_rng(0))}
    measured = Calibration(1, atlas.data_hash, checkpoint_id(atlas.model_path), "views", 0, {}, texts, pictures)
    write_json(atlas.model_path / FILE, measured)
    yield Explorer.open(folder, cache_dir=tmp_path)
    (atlas.model_path / FILE).unlink()


def told(query):
    return [note.text for note in query.notes if note.kind == "nothing"]


def test_foreign_words_are_named_and_answered_all_the_same(city):
    query = city.query([QueryItem("text", "asdf qwer")])
    assert query.is_foreign
    assert query.certainty < 0.1
    (text,) = told(query)
    assert text.startswith("Nothing here is like “asdf qwer”. The probability that")
    assert city.search(query, k=1)["text"]


def test_words_of_the_captions_are_about_the_atlas(city):
    said = city.atlas.sentences["text"].iloc[0]
    query = city.query([QueryItem("text", said)])
    assert (query.is_foreign, told(query)) == (False, [])
    assert query.certainty > 0.9
    together = city.query([QueryItem("text", f"Asdf qwer.\n{said}")])
    assert not together.is_foreign, "one sentence about the atlas is enough"


def test_a_sum_is_foreign_if_all_that_is_added_is(city):
    foreign, said = QueryItem("text", "asdf qwer"), QueryItem("text", city.atlas.sentences["text"].iloc[0])
    point = QueryItem("location", tuple(city.grid.cells[0].tolist()))
    assert city.query([foreign, QueryItem("text", "zxcv")]).is_foreign
    for others in ([said], [point]):
        query = city.query([foreign, *others])
        assert not query.is_foreign
        assert len(told(query)) == 1, "the term is named"
    subtracted = city.query([said, QueryItem("text", "asdf qwer", -0.5)])
    assert not subtracted.is_foreign
    assert subtracted.certainty > 0.9


def test_points_have_no_certainty_and_nor_has_a_model_without_calibration(city, folder, tmp_path):
    assert city.query([QueryItem("location", tuple(city.grid.cells[0].tolist()))]).certainty is None
    kept = (city.atlas.model_path / FILE).read_bytes()
    (city.atlas.model_path / FILE).unlink()
    try:
        query = Explorer.open(folder, cache_dir=tmp_path).query([QueryItem("text", "asdf qwer")])
        assert (query.certainty, query.is_foreign, told(query)) == (None, False, [])
    finally:
        (city.atlas.model_path / FILE).write_bytes(kept)


def test_a_picture_that_looks_like_nothing_here_is_named(city):
    own, noise = (QueryItem("aerial", picture, 1.0, "p.png") for picture in (fields(1, 9)[0], NOISE))
    assert (city.query([own]).is_foreign, told(city.query([own]))) == (False, [])
    query = city.query([noise])
    assert query.is_foreign
    assert query.certainty is None
    (text,) = told(query)
    assert text.startswith("Nothing here is like the picture “p.png”. Its colors and textures")
    assert "aerial pictures" in text
    assert "unlike" not in [note.kind for note in query.notes], "it is said once"
    assert city.search(query, k=1)["aerial"]
    assert not city.query([own, replace(noise, weight=-1.0)]).is_foreign
    assert city.query([noise, QueryItem("text", "asdf qwer")]).is_foreign


def test_a_link_to_a_foreign_picture_says_so_too(city):
    noise = QueryItem("aerial", NOISE, 1.0, "p.png")
    packed = city.packed(noise)
    assert packed.value.is_foreign
    (spelled,) = city.query([noise]).spelled
    query = city.query([parse_item(spelled)])
    assert query.is_foreign
    assert told(query) == told(city.query([noise]))
    assert city.packed(packed) is packed
    assert not city.packed(QueryItem("aerial", fields(1, 9)[0])).value.is_foreign


def test_pictures_of_a_kind_that_was_not_measured_are_not_judged(city):
    views = np.random.default_rng(0).integers(0, 256, (3, 8, 16), np.uint8)
    assert not city.query([QueryItem("street", views)]).is_foreign
