"""Queries and vectors of an atlas in words."""

import numpy as np
import pytest

from tests.explorable import CITY_CONFIG, HashedSentences
from unigeoclip.atlas import load_atlas
from unigeoclip.errors import InputError
from unigeoclip.modalities import text as text_modality
from unigeoclip.search import descriptions
from unigeoclip.search.explorer import Explorer, QueryItem
from unigeoclip.search.query import Query
from unigeoclip.words.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def described(folder, tmp_path_factory):
    """The tiny atlas, with the captions of its places and two phrases that none of them says as the vocabulary."""
    with pytest.MonkeyPatch.context() as patch:
        atlas, hashed = load_atlas(folder), HashedSentences()
        known = dict(zip(atlas.sentences["text"], atlas.sentence_vectors(), strict=False))  # what ships, the first ones

        class Sentences:
            def embed(self, sentences, batch=128, progress=None):
                return np.stack([known.get(each, hashed.embed([each])[0]) for each in sentences])

        patch.setattr(text_modality, "sentence_encoder", Sentences)
        cache = tmp_path_factory.mktemp("words")
        explorer = Explorer.open(folder, cache_dir=cache)
        said = tuple(known)
        own = Vocabulary("own", (*said, "purple elephants", "unheard of"), ("said",) * len(said) + ("made up",) * 2)
        patch.setattr(descriptions, "vocabulary_of_window", lambda window_m: own)
        explorer.descriptions.prepare()
        yield explorer, said, cache


def test_a_query_in_words_is_described_by_itself(described):
    explorer, said, _ = described
    found = explorer.describe(explorer.query([QueryItem("text", said[0])]))
    assert found.is_known
    assert found.phrases[0].text == said[0]
    assert 0 < found.chance < found.explained <= 1
    assert found.phrases[0].kind == "said"


def test_phrases_that_no_caption_comes_near_are_left_out(described):
    explorer, said, _ = described
    assert set(explorer.descriptions.describer.vocabulary.phrases) == set(said)


def test_words_that_the_vocabulary_does_not_come_near_are_not_known(described):
    explorer, said, _ = described
    for items in (["asdf qwer"], ["purple elephants"], [said[0], "asdf qwer"]):
        found = explorer.describe(explorer.query([QueryItem("text", each) for each in items]))
        assert (found.phrases, found.note) == ((), descriptions.FAR_WORDS)


def test_every_modality_has_a_reference_and_sums_are_described(described):
    explorer, said, _ = described
    place = explorer.atlas.places["place_id"][0]
    for items in (
        [QueryItem("location", (10.0, 20.0))],
        [QueryItem("place", place)],
        [QueryItem("location", (10.0, 20.0)), QueryItem("text", said[0], -0.5)],
        [QueryItem("text", ". ".join(f"{each} and more" for each in said[:6]))],
    ):
        found = explorer.describe(explorer.query(items))
        assert found.is_known or found.note
        assert 0 < found.chance < 1
    vector = explorer.vectors("aerial")[0]
    same = explorer.descriptions.vector(vector, "aerial", explorer.descriptions.reference("aerial").mean)
    assert same == explorer.descriptions.vector(vector, "aerial")


def test_the_cache_gives_the_same_answers(described, folder):
    explorer, said, cache = described
    query = explorer.query([QueryItem("text", said[1]), QueryItem("location", (10.0, 20.0))])
    files = sorted(path.name for path in (cache / "words").iterdir() if path.suffix == ".npy")
    assert len(files) == 7  # phrases, short texts, whole places, and four modalities
    again = Explorer.open(folder, cache_dir=cache)
    assert again.describe(query) == explorer.describe(query)


def test_what_cannot_be_described(described, hashed_sentences, folder, tmp_path):
    explorer, _, _ = described
    with pytest.raises(InputError, match="encoded by an explorer"):
        explorer.describe(Query((), np.zeros(16, np.float32)))
    with pytest.raises(InputError, match="'street'"):
        explorer.descriptions.vector(np.zeros(CITY_CONFIG.dim), "street")


def test_captions_about_nothing_in_the_vocabulary(hashed_sentences, folder, tmp_path):
    explorer = Explorer.open(folder, cache_dir=tmp_path)
    with pytest.raises(InputError, match="No phrase of the vocabulary"):
        explorer.describe(explorer.query([QueryItem("location", (10.0, 20.0))]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("atlas", "known", "unknown"),
    [
        ("boston", {"golf course": "golf course", "brick row houses": "brick row houses"}, ("zebra", "asdf qwer")),
        ("world", {"hot desert": "hot desert climate", "vineyards": "vineyards"}, ("zebra", "stapler")),
    ],
)
def test_shipped_models_know_what_they_were_taught(atlas, known, unknown):
    explorer = Explorer.open(atlas)
    for text, phrase in known.items():
        found = explorer.describe(explorer.query([QueryItem("text", text)]))
        assert found.phrases[0].text == phrase
        assert found.explained > 0.5
    for text in unknown:
        assert not explorer.describe(explorer.query([QueryItem("text", text)])).is_known
