"""What a store of embeddings can do: counts, search with filters, vectors by row, iteration in chunks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from unigeoclip.errors import InputError, excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from unigeoclip.geo import Bounds

__all__ = ["CHUNK", "MAX_TOP", "Chunk", "EmbeddingStore", "Found", "Items", "check_modality", "check_search"]

CHUNK = 65_536  # rows of a chunk: 64 MB at 256 dimensions in float32
MAX_TOP = 500_000  # results of a query


class Found(NamedTuple):
    """What a search found, a line a query.

    Attributes:
        rows: (q, top) int64 rows of the store, the most similar first; -1 where fewer than ``top`` match.
        similarities: (q, top) float32 inner products in falling order; -inf where there is no row.
    """

    rows: NDArray[np.int64]
    similarities: NDArray[np.float32]


@dataclass(frozen=True)
class Items:
    """Which places rows belong to.

    Attributes:
        place_ids: n ids.
        latlon: (n, 2) float64 degrees.
    """

    place_ids: Sequence[str]
    latlon: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.latlon)


@dataclass(frozen=True)
class Chunk:
    """Some rows of a modality with everything that is stored of them.

    Attributes:
        rows: (n,) int64.
        items: Their places.
        vectors: (n, dim) float32.
    """

    rows: NDArray[np.int64]
    items: Items
    vectors: NDArray[np.float32]


class EmbeddingStore(Protocol):
    """Embeddings of places, by modality; its methods may run in any thread.

    A row is a number that means one item of one modality in the store that was opened. It is not a position, is not
    kept when a store is written again, and means nothing to another store.
    """

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities that have at least one row."""
        ...

    def count(self, modality: str) -> int:
        """Number of rows.

        Raises:
            InputError: There is no such modality.
        """
        ...

    def dim(self, modality: str) -> int:
        """Length of the vectors.

        Raises:
            InputError: There is no such modality.
        """
        ...

    def search(
        self,
        vectors: NDArray[np.float32],
        modality: str,
        top: int,
        *,
        bbox: Bounds | None = None,
        where: Mapping[str, str | bool | int | float | tuple[float, float]] | None = None,
    ) -> Found:
        """The rows with the largest inner products with each query.

        Args:
            vectors: (q, dim) float32 queries.
            modality: Whose rows.
            top: How many for each query, 1 to `MAX_TOP`.
            bbox: (south, west, north, east) degrees, edges included; east exceeds 180 across the date line. Only rows
                within it are searched.
            where: Attribute -> value that it equals, or (low, high) within which it lies. Only such rows are searched.

        Returns:
            Rows and inner products; of an approximate store, the products are exact and rows may be missed.

        Raises:
            InputError: No such modality or attribute, queries of another length or not finite, ``top`` out of range, or
                bounds that are no part of the globe.
        """
        ...

    def vectors(self, modality: str, rows: ArrayLike) -> NDArray[np.float32]:
        """Vectors of rows, (n,) int64 -> (n, dim) float32, in that order.

        Raises:
            InputError: There is no such modality or row.
        """
        ...

    def items(self, modality: str, rows: ArrayLike) -> Items:
        """Places of rows, (n,) int64, in that order.

        Raises:
            InputError: There is no such modality or row.
        """
        ...

    def rows_of(self, modality: str, place_id: str) -> NDArray[np.int64]:
        """Rows of a place, (n,); none if the modality has nothing of it.

        Raises:
            InputError: There is no such modality.
        """
        ...

    def nearest(self, modality: str, lat: float, lon: float) -> NDArray[np.int64]:
        """The row nearest to a point on the globe, degrees, (1,).

        Raises:
            InputError: There is no such modality.
        """
        ...

    def chunks(self, modality: str, size: int = CHUNK) -> Iterator[Chunk]:
        """All rows, each once, at most ``size`` at a time.

        Raises:
            InputError: There is no such modality.
        """
        ...


def check_modality(store: EmbeddingStore, modality: str) -> str:
    """The modality, which the store must have.

    Raises:
        InputError: It has not.
    """
    if modality not in store.modalities:
        known = ", ".join(store.modalities) or "nothing"
        raise InputError(f"'{excerpt(modality)}' cannot be searched here; choose among {known}.")
    return modality


def check_search(store: EmbeddingStore, vectors: NDArray[np.float32], modality: str, top: int) -> NDArray[np.float32]:
    """Queries as an index takes them, (q, dim) float32, C-contiguous.

    Raises:
        InputError: See `EmbeddingStore.search`.
    """
    check_modality(store, modality)
    if not 1 <= top <= MAX_TOP:
        raise InputError(f"The number of matches must lie between 1 and {MAX_TOP:,}, not {top}.")
    queries = np.ascontiguousarray(vectors, np.float32)
    dim = store.dim(modality)
    if queries.ndim != 2 or queries.shape[1] != dim:
        raise InputError(f"Queries of this store have the shape (q, {dim}), not {queries.shape}.")
    if not np.isfinite(queries).all():
        raise InputError("A query holds numbers that are not finite.")
    return queries
