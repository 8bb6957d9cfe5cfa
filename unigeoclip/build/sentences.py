"""Sentences of places: choosing their wording, numbering the distinct ones, and writing their vectors."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.atlas.sentence_vectors import cache_sentence_vectors, write_vectors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import TypeAlias

    from numpy.typing import NDArray

    Sentence: TypeAlias = tuple[str, str]  # kind, text
    Embed: TypeAlias = Callable[[Sequence[str]], NDArray[np.float32]]


def hash_text(*parts: str) -> int:
    """A number without pattern, 0 to 2**32 - 1, the same on every machine."""
    return zlib.crc32("\x1f".join(parts).encode())


def number_sentences(
    written: Sequence[Sequence[Sentence]], gallery: NDArray[np.bool_]
) -> tuple[list[Sentence], list[list[int]], int]:
    """Number the distinct sentences of places, those of the gallery first.

    Args:
        written: (n,) sentences of each place.
        gallery: (n,) which places are in the gallery.

    Returns:
        The distinct sentences, their rows for each place, and how many of them the gallery uses.
    """
    of_gallery = {sentence for i in np.flatnonzero(gallery).tolist() for sentence in written[i]}
    others = {sentence for of_place in written for sentence in of_place} - of_gallery
    sentences = sorted(of_gallery) + sorted(others)
    row_of = {sentence: row for row, sentence in enumerate(sentences)}
    return sentences, [[row_of[sentence] for sentence in of_place] for of_place in written], len(of_gallery)


def write_sentence_vectors(path: Path, texts: list[str], embed: Embed | None, progress: Callable[[int], None]) -> None:
    """Write the vectors of sentences in the form that takes least room, see `pack_vectors`.

    Args:
        path: The file.
        texts: (m,) sentences.
        embed: Sentences -> (m, 384) unit vectors; the frozen sentence encoder by default.
        progress: Called with how many are done.
    """
    if embed is not None:
        write_vectors(path, embed(texts))
        return
    from unigeoclip.modalities.text import sentence_encoder  # loads a language model: only when one is needed

    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        progress(done)

    vectors = sentence_encoder().embed(texts, progress=count)
    cache_sentence_vectors(texts, vectors)
    write_vectors(path, vectors)
