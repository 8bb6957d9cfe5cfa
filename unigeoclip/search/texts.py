"""Texts that people type: their sentences, and whether they are short."""

from __future__ import annotations

import re
from typing import Any

from unigeoclip.errors import InputError
from unigeoclip.search.query import Note

__all__ = ["MAX_TEXT_CHARACTERS", "PHRASE", "is_phrase", "sentences_of"]

MAX_TEXT_CHARACTERS = 2000
PHRASE = "phrase"  # a short text, as people type it; what is longer is like a caption
_SHORT = 3  # sentences up to which a text is short


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
