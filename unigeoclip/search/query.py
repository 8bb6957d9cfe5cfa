"""Encoded queries, and notes on what to know about their answers."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unigeoclip.errors import excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from unigeoclip.geo import Bounds
    from unigeoclip.search.query_items import QueryItem

__all__ = ["ANY", "COMBINATIONS", "SUM", "Alternative", "Note", "Query"]

SUM, ANY = COMBINATIONS = ("sum", "any")  # how several items are one query


@dataclass(frozen=True)
class Note:
    """Something to know about an answer; ``kind`` is "outside", "unlike", "nothing", "truncated" or "language"."""

    kind: str
    text: str


class Alternative(NamedTuple):
    """One of the examples that a query is like any of, as a linear function of what it is compared with.

    Attributes:
        vector: (dim,) float32, at most unit length.
        offset: Added to its inner products.
        shares: As `Query.shares`, of this vector.
    """

    vector: NDArray[np.float32]
    offset: float
    shares: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Query:
    """An encoded query.

    Attributes:
        items: Its terms.
        vector: (dim,) float32, unit length; of any of several examples their sum, which nothing is compared with.
        notes: What to know about the answer, in whole sentences.
        origin: (lat, lon) of its only location or place, from which distances are measured; None if there is not one.
        scales: By what each term was multiplied besides its weight, (items,), see `QueryEncoder.encode`; 1 where there
            are words only, or none.
        offsets: What was added to the similarities to each term, (items,), so that all modalities have one mean.
        spelled: The items as links spell them, pictures as their embeddings.
        vectors: (items, dim) float32, unit vector of each item.
        shares: Kind of query (a modality, or "phrase" for a short text) -> the part that its terms have in ``vector``:
            weight times scale over the length of the sum. What is subtracted of hubs is shared likewise.
        certainty: The probability, 0 to 1, that the texts that are added are about something in the atlas, that of the
            most certain one; None without any, or where it was not measured.
        is_foreign: Whether nothing in the atlas is like the query: all that is added are texts about nothing here and
            pictures unlike those here.
        any_of: Of a query for anything like one of several examples, these, see `similarities`; empty for a sum.
        area: South, west, north, east in degrees within which the query is answered; None for everywhere.
    """

    items: tuple[QueryItem, ...]
    vector: NDArray[np.float32]
    notes: tuple[Note, ...] = ()
    origin: tuple[float, float] | None = None
    scales: tuple[float, ...] = ()
    offsets: tuple[float, ...] = ()
    spelled: tuple[str, ...] = ()
    vectors: NDArray[np.float32] | None = None
    shares: Mapping[str, float] = field(default_factory=dict)
    certainty: float | None = None
    is_foreign: bool = False
    any_of: tuple[Alternative, ...] = ()
    area: Bounds | None = None

    @property
    def combine(self) -> str:
        """How the items are combined, one of `COMBINATIONS`."""
        return ANY if self.any_of else SUM

    @property
    def alternatives(self) -> tuple[Alternative, ...]:
        """What the query is the largest of: one linear function for a sum, several for any of several examples."""
        return self.any_of or (Alternative(self.vector, 0.0, self.shares),)

    def similarities(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """How like the query unit vectors are, (n, dim) -> (n,): the inner product, or the largest of several."""
        if not self.any_of:
            return vectors @ self.vector
        products = vectors @ np.stack([each.vector for each in self.any_of], axis=1)
        largest: NDArray[np.float32] = (products + np.array([each.offset for each in self.any_of], np.float32)).max(1)
        return largest

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
