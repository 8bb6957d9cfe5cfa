"""Whether the texts and pictures of a query are like anything in an atlas, and what to say of those that are not."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unigeoclip.errors import excerpt
from unigeoclip.modalities import text as text_modality
from unigeoclip.search.query import Note
from unigeoclip.search.query_items import PackedVector
from unigeoclip.search.texts import sentences_of
from unigeoclip.similarity.calibration import calibration
from unigeoclip.similarity.certainty import nearness
from unigeoclip.similarity.picture_certainty import JUDGED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.search.query_items import QueryItem
    from unigeoclip.similarity.calibration import Calibration
    from unigeoclip.similarity.certainty import TextCertainty

__all__ = ["Judge", "Judgement"]

_KINDS = {"aerial": "aerial pictures", "street": "street views"}


class Judgement(NamedTuple):
    """What there is to know of the texts and pictures of a query.

    Attributes:
        notes: One for each that is like nothing here.
        certainty: See `Query.certainty`.
        is_foreign: See `Query.is_foreign`.
    """

    notes: tuple[Note, ...]
    certainty: float | None
    is_foreign: bool


class Judge:
    """Judges queries by the calibration of an atlas's model; its methods may run in any thread."""

    def __init__(self, atlas: Atlas) -> None:
        """Read nothing yet."""
        self._atlas = atlas
        # A query needs them twice: to be encoded and to be judged.
        self.sentence_vectors = lru_cache(maxsize=64)(_sentence_vectors)

    def judge(self, items: Sequence[QueryItem]) -> Judgement:
        """Judge the terms of a query.

        Raises:
            CheckpointError: ``calibration.json`` is there but cannot be read.
        """
        foreign: list[QueryItem] = []
        notes, certainties = [], []
        for item in items:
            certainty = self._certainty(item)
            if certainty is not None and item.weight > 0:
                certainties.append(certainty)
            note = _about_nothing(item, certainty) if self._is_foreign_text(certainty) else self._unlike(item)
            if note is not None:
                foreign.append(item)
                notes.append(note)
        added = [item for item in items if item.weight > 0]
        is_foreign = bool(added) and all(any(item is each for each in foreign) for item in added)
        return Judgement(tuple(dict.fromkeys(notes)), max(certainties, default=None), is_foreign)

    def is_foreign(self, item: QueryItem) -> bool:
        """Whether a picture looks like nothing in the atlas; false for what is none, and where nobody measured.

        Raises:
            CheckpointError: ``calibration.json`` is there but cannot be read.
        """
        if isinstance(item.value, PackedVector):
            return item.value.is_foreign
        measured = None if self._measured is None else self._measured.pictures.get(item.modality)
        if measured is None:
            return False
        return bool(measured.distances(np.asarray(item.value)[None])[0] > measured.threshold)

    @cached_property
    def _measured(self) -> Calibration | None:
        return calibration(self._atlas)

    @cached_property
    def _texts(self) -> TextCertainty | None:
        return None if self._measured is None or not len(self._atlas.sentence_vectors()) else self._measured.texts

    def _certainty(self, item: QueryItem) -> float | None:
        """That of the sentence of a text that is most surely about the atlas: one is enough."""
        if item.modality != "text" or not isinstance(item.value, str) or self._texts is None:
            return None
        near = nearness(self.sentence_vectors(item.value), self._atlas.sentence_vectors())
        return float(self._texts.probability(near).max())

    def _is_foreign_text(self, certainty: float | None) -> bool:
        return certainty is not None and self._texts is not None and certainty < self._texts.threshold

    def _unlike(self, item: QueryItem) -> Note | None:
        """A note on a picture that looks like nothing in the atlas."""
        if item.modality not in JUDGED or not self.is_foreign(item):
            return None
        named = f"the picture \u201c{excerpt(item.label)}\u201d" if item.label else "this picture"
        return Note(
            "nothing",
            f"Nothing here is like {named}. Its colors and textures differ from this atlas's "
            f"{_KINDS[item.modality]} more than those of nearly all test pictures: the results are a guess.",
        )


def _sentence_vectors(text: str) -> NDArray[np.float32]:
    """Vectors of the sentences of a text, (n, 384)."""
    return text_modality.sentence_encoder().embed(sentences_of(text)[0])


def _about_nothing(item: QueryItem, certainty: float | None) -> Note:
    """What to say of a text that is about nothing in the atlas."""
    percent = f"{100 * certainty:.0f} %" if certainty is not None and certainty >= 0.01 else "under 1 %"
    return Note(
        "nothing",
        f"Nothing here is like \u201c{excerpt(item.value)}\u201d. The probability that it is about anything in this "
        f"atlas is {percent}, judged by how far it is from all captions.",
    )
