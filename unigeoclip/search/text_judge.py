"""Whether the texts of a query are about anything in an atlas, and what to say of those that are not."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from unigeoclip.errors import excerpt
from unigeoclip.modalities import text as text_modality
from unigeoclip.search.query import Note
from unigeoclip.search.texts import sentences_of
from unigeoclip.similarity.calibration import calibration
from unigeoclip.similarity.certainty import TextCertainty, nearness

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.search.query_items import QueryItem

__all__ = ["Judgement", "TextJudge"]


class Judgement(NamedTuple):
    """What there is to know of the texts of a query; see the attributes of `Query`."""

    notes: tuple[Note, ...]
    certainty: float | None
    is_foreign: bool


class TextJudge:
    """Judges texts by the calibration of an atlas's model; its methods may run in any thread."""

    def __init__(self, atlas: Atlas) -> None:
        """Read nothing yet."""
        self._atlas = atlas
        # A query needs them twice: to be encoded and to be judged.
        self.sentence_vectors = lru_cache(maxsize=64)(_sentence_vectors)

    @cached_property
    def _measured(self) -> TextCertainty | None:
        found = calibration(self._atlas)
        return None if found is None or not len(self._atlas.sentence_vectors()) else found.texts

    def judge(self, items: Sequence[QueryItem]) -> Judgement:
        """Judge the texts among the terms of a query.

        Raises:
            CheckpointError: ``calibration.json`` is there but cannot be read.
        """
        added = [item for item in items if item.weight > 0]
        typed = [item for item in items if item.modality == "text" and isinstance(item.value, str)]
        measured = self._measured if typed else None
        if measured is None:
            return Judgement((), None, False)
        certainties = [self._certainty(measured, item.value) for item in typed]
        foreign = [place for place, certainty in enumerate(certainties) if certainty < measured.threshold]
        return Judgement(
            tuple(dict.fromkeys(_nothing(typed[place], certainties[place]) for place in foreign)),
            max((each for item, each in zip(typed, certainties, strict=True) if item.weight > 0), default=None),
            bool(added) and all(any(item is typed[place] for place in foreign) for item in added),
        )

    def _certainty(self, measured: TextCertainty, text: str) -> float:
        """That of the sentence that is most surely about the atlas: one is enough."""
        near = nearness(self.sentence_vectors(text), self._atlas.sentence_vectors())
        return float(measured.probability(near).max())


def _sentence_vectors(text: str) -> NDArray[np.float32]:
    """Vectors of the sentences of a text, (n, 384)."""
    return text_modality.sentence_encoder().embed(sentences_of(text)[0])


def _nothing(item: QueryItem, certainty: float) -> Note:
    """What to say of a text that is about nothing in the atlas."""
    percent = f"{100 * certainty:.0f} %" if certainty >= 0.01 else "under 1 %"
    return Note(
        "nothing",
        f"Nothing here is like \u201c{excerpt(item.value)}\u201d. The probability that it is about anything in this "
        f"atlas is {percent}, judged by how far it is from all captions.",
    )
