"""Encoded queries, and notes on what to know about their answers."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from unigeoclip.errors import excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from unigeoclip.search.query_items import QueryItem

__all__ = ["Note", "Query"]


@dataclass(frozen=True)
class Note:
    """Something to know about an answer; ``kind`` is "outside", "unlike", "nothing", "truncated" or "language"."""

    kind: str
    text: str


@dataclass(frozen=True, eq=False)
class Query:
    """An encoded query.

    Attributes:
        items: Its terms.
        vector: (dim,) float32, unit length.
        notes: What to know about the answer, in whole sentences.
        origin: (lat, lon) of its only location or place, from which distances are measured; None if there is not one.
        scales: By what each term was multiplied besides its weight, (items,), see `QueryEncoder.encode`; 1 where there
            are words only, or none.
        spelled: The items as links spell them, pictures as their embeddings.
        vectors: (items, dim) float32, unit vector of each item.
        shares: Kind of query (a modality, or "phrase" for a short text) -> the part that its terms have in ``vector``:
            weight times scale over the length of the sum. What is subtracted of hubs is shared likewise.
        certainty: The probability, 0 to 1, that the texts that are added are about something in the atlas, that of the
            most certain one; None without any, or where it was not measured.
        is_foreign: Whether nothing in the atlas is like the query: all that is added are texts about nothing here and
            pictures unlike those here.
    """

    items: tuple[QueryItem, ...]
    vector: NDArray[np.float32]
    notes: tuple[Note, ...] = ()
    origin: tuple[float, float] | None = None
    scales: tuple[float, ...] = ()
    spelled: tuple[str, ...] = ()
    vectors: NDArray[np.float32] | None = None
    shares: Mapping[str, float] = field(default_factory=dict)
    certainty: float | None = None
    is_foreign: bool = False

    def _repr_html_(self) -> str:
        """Terms with their weights, and the notes, for notebooks."""
        terms = "".join(
            f"<tr><td>{item.weight:+g}</td><td>{html.escape(item.modality)}</td><td>"
            f"{html.escape(excerpt(item.label or spelling))}</td></tr>"
            for item, spelling in zip(self.items, self.spelled or [""] * len(self.items), strict=True)
        )
        notes = "".join(f"<p>{html.escape(note.text)}</p>" for note in self.notes)
        head = "<tr><th>weight</th><th>modality</th><th>value</th></tr>"
        return f"<table><thead>{head}</thead><tbody>{terms}</tbody></table>{notes}"
