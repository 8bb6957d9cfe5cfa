"""A store in memory with exact search: FAISS flat indexes, the referee of every other store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.errors import InputError
from unigeoclip.geo import distance_m
from unigeoclip.stores.base import CHUNK, Chunk, Found, Items, check_modality, check_search
from unigeoclip.stores.filters import Filter, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import ArrayLike, NDArray

    from unigeoclip.geo import Bounds
    from unigeoclip.stores.base import EmbeddingStore

__all__ = ["FlatStore"]


class FlatStore:
    """All vectors in memory, float32, searched one by one; rows are positions. See `EmbeddingStore`."""

    def __init__(
        self,
        vectors: Mapping[str, NDArray[np.float32]],
        items: Mapping[str, Items],
        attributes: Mapping[str, Mapping[str, NDArray[Any]]] | None = None,
    ) -> None:
        """Build the indexes.

        Args:
            vectors: Modality -> (n, dim); one without rows is left out.
            items: Modality -> the n places they belong to.
            attributes: Modality -> name -> (n,) values to filter by.

        Raises:
            InputError: The number of places or values is not that of the vectors.
        """
        import faiss

        self._indexes: dict[str, Any] = {}
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self._items, self._attributes = dict(items), {name: dict((attributes or {}).get(name, {})) for name in vectors}
        for modality, rows in vectors.items():
            if not len(rows):
                continue
            lengths = {len(self._items[modality]), *map(len, self._attributes[modality].values())}
            if lengths != {len(rows)}:
                raise InputError(f"{len(rows)} vectors of {modality!r} come with {min(lengths - {len(rows)})} places.")
            index = faiss.IndexFlatIP(rows.shape[1])
            index.add(np.ascontiguousarray(rows, np.float32))
            self._indexes[modality] = index
            # The index's own memory, not a copy of it.
            self._vectors[modality] = faiss.rev_swig_ptr(index.get_xb(), index.ntotal * index.d).reshape(-1, index.d)

    @classmethod
    def copy_of(cls, store: EmbeddingStore) -> FlatStore:
        """Everything that another store holds, without its attributes."""
        vectors, items = {}, {}
        for modality in store.modalities:
            chunks = list(store.chunks(modality))
            vectors[modality] = np.concatenate([chunk.vectors for chunk in chunks])
            ids = [place_id for chunk in chunks for place_id in chunk.items.place_ids]
            items[modality] = Items(ids, np.concatenate([chunk.items.latlon for chunk in chunks]))
        return cls(vectors, items)

    @property
    def modalities(self) -> tuple[str, ...]:
        """See `EmbeddingStore.modalities`."""
        return tuple(self._indexes)

    def count(self, modality: str) -> int:
        """See `EmbeddingStore.count`."""
        return len(self._of(modality))

    def dim(self, modality: str) -> int:
        """See `EmbeddingStore.dim`."""
        return int(self._of(modality).shape[1])

    def search(
        self,
        vectors: NDArray[np.float32],
        modality: str,
        top: int,
        *,
        bbox: Bounds | None = None,
        where: Mapping[str, str | bool | int | float | tuple[float, float]] | None = None,
    ) -> Found:
        """See `EmbeddingStore.search`; exact."""
        import faiss

        queries = check_search(self, vectors, modality, top)
        attributes, index = self._attributes[modality], self._indexes[modality]
        wanted = Filter.of(bbox, where, {name: kind_of(each[0].item()) for name, each in attributes.items()})
        if wanted:
            keep = wanted.mask(self._items[modality].latlon, attributes)
            bits = np.packbits(keep, bitorder="little")
            selector = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type]  # its wrapper counts the bits
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]  # so does this one
            similarities, rows = index.search(queries, top, params=parameters)
        else:
            similarities, rows = index.search(queries, top)
        return Found(rows, np.where(rows < 0, -np.inf, similarities).astype(np.float32, copy=False))

    def vectors(self, modality: str, rows: ArrayLike) -> NDArray[np.float32]:
        """See `EmbeddingStore.vectors`."""
        return self._of(modality)[self._checked(modality, rows)]

    def items(self, modality: str, rows: ArrayLike) -> Items:
        """See `EmbeddingStore.items`."""
        numbers, items = self._checked(modality, rows), self._items[modality]
        return Items([items.place_ids[number] for number in numbers.tolist()], items.latlon[numbers])

    def rows_of(self, modality: str, place_id: str) -> NDArray[np.int64]:
        """See `EmbeddingStore.rows_of`."""
        check_modality(self, modality)
        ids = self._items[modality].place_ids
        return np.array([row for row, each in enumerate(ids) if each == place_id], np.int64)

    def nearest(self, modality: str, lat: float, lon: float) -> NDArray[np.int64]:
        """See `EmbeddingStore.nearest`."""
        check_modality(self, modality)
        return np.array([distance_m((lat, lon), self._items[modality].latlon).argmin()], np.int64)

    def chunks(self, modality: str, size: int = CHUNK) -> Iterator[Chunk]:
        """See `EmbeddingStore.chunks`."""
        for start in range(0, self.count(modality), size):
            rows = np.arange(start, min(start + size, self.count(modality)))
            yield Chunk(rows, self.items(modality, rows), self.vectors(modality, rows))

    def _of(self, modality: str) -> NDArray[np.float32]:
        return self._vectors[check_modality(self, modality)]

    def _checked(self, modality: str, rows: ArrayLike) -> NDArray[np.int64]:
        numbers, count = np.asarray(rows, np.int64), self.count(modality)
        if len(numbers) and not (numbers.min() >= 0 and numbers.max() < count):
            raise InputError(f"Rows of {modality!r} are numbers from 0 to {count - 1}.")
        return numbers
