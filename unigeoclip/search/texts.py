"""Texts that people type: their sentences, whether they are short, and their vectors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from unigeoclip.errors import InputError
from unigeoclip.modalities.text import TextBatch
from unigeoclip.search.query import Note

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.model import UniGeoCLIP

__all__ = ["MAX_TEXT_CHARACTERS", "PHRASE", "encode_words", "is_phrase", "sentences_of"]

MAX_TEXT_CHARACTERS = 2000
PHRASE = "phrase"  # a short text, as people type it; what is longer is like a caption
_SHORT = 3  # sentences up to which a text is short
_NEAREST = 10  # captions through which words are read that no caption has
_SOFTNESS = 0.1  # of the cosine similarity of two sentences: how fast a caption loses weight against the nearest one


def is_phrase(text: Any) -> bool:
    """Whether the value of a query item in words is short; that of an embedding is, for nobody knows its text."""
    return not isinstance(text, str) or len(sentences_of(text)[0]) <= _SHORT


def sentences_of(text: str) -> tuple[list[str], list[Note]]:
    """Split a person's text into the sentences that the text encoder reads as a bag.

    Returns:
        At least one sentence, and what to know: that a long text was cut, or is in a script the encoder does not read.

    Raises:
        InputError: There is no word in it.
    """
    if not isinstance(text, str):
        raise InputError(f"A text query must be text, not {type(text).__name__}.")
    if any("\ud800" <= character <= "\udfff" for character in text):  # what is left of bytes that are not UTF-8
        raise InputError(f"The text {text[:60]!r} holds characters that are not valid Unicode; type it again in UTF-8.")
    notes = []
    kept = text.strip()
    if len(kept) > MAX_TEXT_CHARACTERS:
        kept = kept[:MAX_TEXT_CHARACTERS]
        notes.append(
            Note("truncated", f"The text is long: only its first {MAX_TEXT_CHARACTERS:,} characters were used.")
        )
    # A full stop after a word of one or two letters ("St. Louis", "Mt. Fuji") ends no sentence.
    parts = re.split(r"(?<=\w{3}[.!?;])\s+|[\r\n]+", kept)
    written = [" ".join(part.split()) for part in parts if any(character.isalnum() for character in part)]
    sentences = list(dict.fromkeys(written))  # saying it twice adds nothing but time
    if not sentences:
        raise InputError("The text has no words: type a few, for instance 'hot desert'.")
    letters = [character for character in kept if character.isalpha()]
    if sum(character.isascii() for character in letters) < len(letters) / 2:
        notes.append(
            Note("language", "The text encoder was trained on English: in other scripts its answer is a guess.")
        )
    return sentences, notes


def encode_words(model: UniGeoCLIP, atlas: Atlas, sentences: NDArray[np.float32]) -> NDArray[np.float32]:
    """The unit vector (dim,) of words that a person types.

    The head of text learned the sentences of the atlas, and is the less sure of others the less they resemble these.
    So a part of the vector is that of the nearest sentences of the atlas, weighted by a softmax of their similarity:
    as large a part as the similarity to the nearest one falls short of 1. What the atlas says itself keeps its vector.

    Args:
        model: With a head of text on frozen sentence vectors.
        atlas: Its sentence vectors that ship; without any the head alone decides.
        sentences: (n, 384) unit vectors of what is typed, n >= 1, which are read as a bag.
    """

    def encode(vectors: NDArray[np.float32], lengths: list[int]) -> NDArray[np.float32]:
        batch = TextBatch(torch.from_numpy(vectors), torch.tensor(lengths))
        encoded: NDArray[np.float32] = model.encode({"text": batch})["text"].cpu().numpy()
        return encoded

    own: NDArray[np.float32] = encode(sentences, [len(sentences)])[0]
    known = atlas.sentence_vectors()
    if not len(known):
        return own
    similarity = sentences @ known.T
    count = min(_NEAREST, len(known))
    nearest = np.argpartition(similarity, -count, axis=1)[:, -count:]
    similarity = np.take_along_axis(similarity, nearest, axis=1)
    highest = similarity.max(axis=1, keepdims=True)
    weights = np.exp((similarity - highest) / _SOFTNESS)
    weights /= weights.sum(axis=1, keepdims=True)
    # Each is read alone, as a person's words are.
    vectors = encode(known[nearest.ravel()], [1] * nearest.size)
    through = _unit(weights.ravel() @ vectors)
    part = min(1.0, max(0.0, 1 - float(highest.mean())))
    return _unit((1 - part) * own + part * through)


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = (vector / np.linalg.norm(vector)).astype(np.float32)
    return unit
