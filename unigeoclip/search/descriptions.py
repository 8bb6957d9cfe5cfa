"""Queries and vectors of an atlas in words: where the describer gets its vectors from, and what it is asked."""

from __future__ import annotations

import hashlib
import json
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unigeoclip.atlas.schema import SPLITS
from unigeoclip.errors import InputError
from unigeoclip.files.cache import cache_array, cache_folder, cached_array
from unigeoclip.modalities import text as text_modality
from unigeoclip.modalities.towers.text import TextTower
from unigeoclip.search.gallery_embeddings import gallery_rows, sentence_inputs, text_batch
from unigeoclip.search.query_items import PLACE, space_of
from unigeoclip.search.texts import PHRASE, is_phrase, sentences_of
from unigeoclip.sentences import SENTENCE_DIM
from unigeoclip.words.combination import unit_rows
from unigeoclip.words.describer import Describer, Description, Reference, measure_reference
from unigeoclip.words.vocabulary import vocabulary_of_window

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.model import UniGeoCLIP
    from unigeoclip.search.gallery import Gallery
    from unigeoclip.search.query import Query
    from unigeoclip.search.query_items import QueryItem

__all__ = ["Descriptions", "PhraseVectors", "phrase_vectors"]

# Cosine of a text with its closest phrase, in the space of the frozen sentence encoder, from which the vocabulary has
# something to say of it. Twenty texts that are about no place ("asdf qwer", "stapler", "tax return form") reach 0.46 at
# most; of 1,500 random words of the encoder's own vocabulary 90 % stay below 0.53 (city) and 0.49 (world), and what
# lies above is mostly about places: "mosque", "canals", "coastal".
CLOSE = 0.5
# The same of a phrase with its closest sentence of the atlas's captions: what lies below was never learned.
LEARNED = 0.6
FAR_WORDS = "The vocabulary has nothing close to these words."
_CAPTIONS = 8  # in whose company a phrase is encoded
_REPEATED = 10  # times: about as many sentences as a caption has
_SEED = 0
_FORMAT = 1  # of the cached files: raise it when what they hold changes


class Descriptions:
    """What vectors of an atlas's model stand for, in words; its methods may run in any thread."""

    def __init__(
        self, atlas: Atlas, model: UniGeoCLIP, gallery: Gallery, model_id: str, cache_dir: Path | None = None
    ) -> None:
        """Compute nothing yet; `prepare` or the first description does.

        Args:
            atlas: The atlas.
            model: Its model.
            gallery: The atlas's places.
            model_id: Identity of the model, `checkpoint.checkpoint_id`.
            cache_dir: Where vectors of phrases are kept; by default ``cache_folder()``.
        """
        self._folder = (cache_dir or cache_folder()) / "words"
        self._atlas, self._model, self._gallery, self._model_id = atlas, model, gallery, model_id
        self._references: dict[str, Reference] = {}
        self._lock = threading.RLock()

    @property
    def available(self) -> bool:
        """Whether the model knows words, and the atlas has texts to compare them with."""
        return "text" in self._model.modalities and "text" in self._gallery.modalities

    def prepare(self) -> None:
        """Compute, or read, what descriptions need, so that no later one takes long."""
        if self.available:
            for modality in (PHRASE, PLACE, *self._gallery.modalities):
                self.reference(modality)

    def query(self, query: Query) -> Description:
        """A query in words.

        Raises:
            InputError: The model knows no words.
        """
        if query.vectors is None:
            raise InputError("Only a query that was encoded by an explorer can be described.")
        if query.any_of:
            raise InputError("Any of several examples is no single vector, so it has no description: ask for each.")
        references = [self.reference(self._modality(item)) for item in query.items]
        scales = query.scales or (1.0,) * len(query.items)
        terms = [
            (item.weight * scale * (vector - each.mean), each)
            for item, scale, vector, each in zip(query.items, scales, query.vectors, references, strict=True)
        ]
        described = self.describer.describe(terms)
        if any(self._is_far(item) for item in query.items):
            return Description((), 0.0, described.chance, FAR_WORDS)
        return described

    def vector(
        self, vector: NDArray[np.floating], modality: str = "location", mean: NDArray[np.floating] | None = None
    ) -> Description:
        """A vector of a modality in words.

        Args:
            vector: (dim,).
            modality: One of the gallery's, or "place" for the mean of all modalities of a place.
            mean: (dim,) what it is compared with; by default the mean of the modality over the gallery.

        Raises:
            InputError: The model knows no words, or there is no such modality.
        """
        reference = self.reference(modality)
        return self.describer.describe([(vector - (reference.mean if mean is None else mean), reference)])

    def reference(self, modality: str) -> Reference:
        """What descriptions of a modality are measured against; computed once, and kept in the cache folder.

        Raises:
            InputError: The gallery has no such modality, or the model knows no words.
        """
        with self._lock:
            if modality not in self._references:
                self._references[modality] = self._reference(modality)
            return self._references[modality]

    def _reference(self, modality: str) -> Reference:
        dim = self._model.dim
        path = self._folder / f"{self._key}-{modality}.npy"
        stored = cached_array(path, (dim + 2, dim), np.float64)
        if stored is None:
            alone = modality == PHRASE
            vectors, texts = (self._phrases.alone, None) if alone else self._pairs(modality)
            found = measure_reference(vectors, self.describer.phrases, None if modality == "text" else texts)
            levels = np.zeros(dim)
            levels[:2] = found.level, found.chance
            cache_array(path, np.vstack([found.mean, levels, found.to_text]))
            return found
        kept = np.array(stored)
        return Reference(kept[0], kept[2:], float(kept[1, 0]), float(kept[1, 1]))

    def _pairs(self, modality: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Vectors of a modality and of the texts of the same gallery places, without those that a split holds out."""
        names = self._gallery.modalities if modality == PLACE else (modality,)
        rows = {name: self._gallery.item_rows(name) for name in (*names, "text")}
        common = np.array(sorted(set.intersection(*(set(each.tolist()) for each in rows.values()))), np.int64)
        places = self._atlas.places.iloc[common]
        seen = np.ones(len(common), bool)
        for split in SPLITS:
            if split in places:
                seen &= (places[split] != "held_out").to_numpy()
        kept = common[seen] if seen.sum() > 1 else common
        of_kept = {name: self._gallery.vectors(name)[np.searchsorted(rows[name], kept)] for name in rows}
        together = unit_rows(sum((of_kept[name] for name in names), np.zeros(1, np.float32)))
        return together, of_kept["text"]

    @cached_property
    def describer(self) -> Describer:
        """The phrases that the atlas's captions come near to, in the space of the model.

        Raises:
            InputError: The model knows no words, or the captions are about none of the phrases.
        """
        found = self._phrases
        learned = found.learned >= LEARNED
        if not learned.any():
            raise InputError(
                f"No phrase of the vocabulary is close to the captions of the atlas {self._atlas.name!r}, so its model "
                "can describe nothing; the phrases are English."
            )
        vectors = unit_rows(_without_mean(found.together) + _without_mean(found.alone))
        vocabulary = vocabulary_of_window(self._atlas.window_m)
        return Describer(vocabulary.kept(learned.tolist()), _without_mean(vectors)[learned])

    @cached_property
    def _phrases(self) -> PhraseVectors:
        if not self.available:
            raise InputError(
                f"The model of the atlas {self._atlas.name!r} knows no words, so it can describe nothing; train one "
                "with the modality text."
            )
        vocabulary, dim = vocabulary_of_window(self._atlas.window_m), self._model.dim
        shape, path = (len(vocabulary), 2 * dim + SENTENCE_DIM + 1), self._folder / f"{self._key}.npy"
        with self._lock:
            stored = cached_array(path, shape, np.float32)
            if stored is None:
                rows = gallery_rows(self._atlas, "text")
                captions = np.random.default_rng(_SEED).choice(rows, min(_CAPTIONS, len(rows)), replace=False)
                found = phrase_vectors(self._model, self._atlas, vocabulary.phrases, captions)
                stored = np.hstack([*found[:3], found.learned[:, None]])
                cache_array(path, stored)
        together, alone, sentences, learned = np.split(np.array(stored), [dim, 2 * dim, shape[1] - 1], axis=1)
        return PhraseVectors(together, alone, sentences, learned[:, 0])

    @cached_property
    def _key(self) -> str:
        """Changes with the phrases, the model and the data."""
        vocabulary = vocabulary_of_window(self._atlas.window_m)
        parts = [_FORMAT, vocabulary.digest, self._model_id, self._atlas.files_hash]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]

    def _modality(self, item: QueryItem) -> str:
        if item.modality == "text" and isinstance(item.value, str):
            return PHRASE if is_phrase(item.value) else "text"
        return space_of(item)

    def _is_far(self, item: QueryItem) -> bool:
        """Whether an item is a text that the vocabulary has nothing close to."""
        if item.modality != "text" or not isinstance(item.value, str):
            return False
        asked = text_modality.sentence_encoder().embed(sentences_of(item.value)[0])
        known = self._phrases.sentences[self._phrases.learned >= LEARNED]
        return float((asked @ known.T).max()) < CLOSE


class PhraseVectors(NamedTuple):
    """Vectors of phrases.

    Attributes:
        together: (n, dim) in the company of captions.
        alone: (n, dim) as texts of one sentence.
        sentences: (n, 384) of the frozen sentence encoder.
        learned: (n,) cosine with the closest sentence of the atlas's captions, there.
    """

    together: NDArray[np.float32]
    alone: NDArray[np.float32]
    sentences: NDArray[np.float32]
    learned: NDArray[np.float32]


def phrase_vectors(
    model: UniGeoCLIP, atlas: Atlas, phrases: Sequence[str], captions: NDArray[np.int64]
) -> PhraseVectors:
    """Encode phrases.

    The text encoder has learned from a dozen sentences at a time. So a phrase is added, several times, to the captions
    of some places: the mean over these places is what the phrase adds to a text. Phrases chosen by the sum of these
    vectors and those of the phrases alone are true of places more often than those chosen by either.

    Args:
        model: With the modality text.
        atlas: Whose captions.
        phrases: (n,) phrases.
        captions: Rows of places with texts.
    """
    sentences, known = text_modality.sentence_encoder().embed(phrases), sentence_inputs(model, atlas, captions)
    reader: Any = model.encoders["text"]
    read = reader.embed(phrases) if isinstance(reader, TextTower) else sentences  # what the text encoder takes of each
    bags = [known[np.asarray(bag, np.int64)] for bag in atlas.places["sentences"].iloc[captions]]
    alone = _encode(model, [each[None] for each in read])
    total = np.zeros(alone.shape, np.float64)
    for bag in bags:
        total += _encode(model, [np.concatenate([bag, np.repeat(each[None], _REPEATED, 0)]) for each in read])
    return PhraseVectors(unit_rows(total), alone, sentences, (sentences @ atlas.sentence_vectors().T).max(axis=1))


def _encode(model: UniGeoCLIP, bags: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
    ends = np.cumsum([len(bag) for bag in bags])
    rows = [np.arange(end - len(bag), end) for bag, end in zip(bags, ends, strict=True)]
    batch = text_batch(rows, np.concatenate(bags))
    encoded: NDArray[np.float32] = model.encode({"text": batch})["text"].cpu().numpy()
    return encoded


def _without_mean(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return unit_rows(vectors - vectors.mean(axis=0))
