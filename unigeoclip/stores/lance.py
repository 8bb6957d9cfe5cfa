"""A store on disk or in an object store: LanceDB tables with an IVF-RQ index, whose candidates are ranked exactly.

LanceDB reads what a query needs: the centers of the partitions, the codes of some of them, and the vectors of the
candidates. Nothing else is in memory.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.errors import InputError
from unigeoclip.geo import METERS_PER_DEGREE, distance_m
from unigeoclip.stores.base import CHUNK, Chunk, Found, Items, check_modality, check_search
from unigeoclip.stores.filters import Filter, quoted_text
from unigeoclip.stores.lance_folder import MANIFEST, LanceFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import ArrayLike, NDArray

    from unigeoclip.geo import Bounds
    from unigeoclip.stores.lance_folder import Manifest

__all__ = ["LanceStore"]

PROBES = 20  # partitions searched; `bench --growth` measures the recall
REFINE = 10  # candidates for each result, ranked by their vectors
LEAST_CANDIDATES = 100  # also for a single result: its code alone does not tell it from its neighbors
# A filter that leaves fewer rows than that is answered exactly: partitions near the query may hold none of them.
EXACT_ROWS = 20_000
_PLACE = ["place_id", "lat", "lon"]
_NEAR_DEG = 0.005  # half of the first box in which the nearest row is looked for
_WHOLE_SHARE = 0.1  # of the rows in a box, from which reading all positions in order is quicker than finding them


class LanceStore:
    """Embeddings in LanceDB, approximate above some thousand rows. See `EmbeddingStore`."""

    def __init__(self, folder: LanceFolder, manifest: Manifest, *, probes: int = PROBES, refine: int = REFINE) -> None:
        """Open the tables; `LanceStore.open` reads the manifest.

        Args:
            folder: Where they are.
            manifest: Which versions.
            probes: Partitions of the index that a query searches: more find more and take longer.
            refine: Candidates of the index for each result, which are then ranked by their vectors.

        Raises:
            InputError: A table is missing or damaged.
        """
        self.manifest, self._folder, self._probes, self._refine = manifest, folder, probes, refine
        self._tables: dict[str, Any] = {}
        database = folder.connect()
        for modality, known in manifest.tables.items():
            try:
                table = database.open_table(modality)
                table.checkout(known.version)
                found = table.count_rows()
            except Exception as error:
                raise folder.failure(error) from error
            if found != known.rows:
                raise InputError(
                    f"{folder.uri} has {found:,} rows of {modality}, not {known.rows:,}: build the index again."
                )
            self._tables[modality] = table

    @classmethod
    def open(cls, where: str | Path, *, probes: int = PROBES, refine: int = REFINE) -> LanceStore:
        """Open a folder that `unigeoclip index` wrote.

        Args:
            where: Folder, or address s3://, gs:// or az://, with credentials from the environment.
            probes: See `LanceStore`.
            refine: See `LanceStore`.

        Raises:
            InputError: It is none, or damaged.
            MissingPackageError: The extra `scale` is not installed.
        """
        folder = LanceFolder(where)
        manifest = folder.read()
        if manifest is None:
            raise InputError(f"{folder.uri} holds no {MANIFEST}: give a folder that 'unigeoclip index' wrote.")
        return cls(folder, manifest, probes=probes, refine=refine)

    @property
    def modalities(self) -> tuple[str, ...]:
        """See `EmbeddingStore.modalities`."""
        return tuple(self._tables)

    def count(self, modality: str) -> int:
        """See `EmbeddingStore.count`."""
        return self.manifest.tables[check_modality(self, modality)].rows

    def dim(self, modality: str) -> int:
        """See `EmbeddingStore.dim`."""
        check_modality(self, modality)
        return self.manifest.dim

    def search(
        self,
        vectors: NDArray[np.float32],
        modality: str,
        top: int,
        *,
        bbox: Bounds | None = None,
        where: Mapping[str, str | bool | int | float | tuple[float, float]] | None = None,
    ) -> Found:
        """See `EmbeddingStore.search`; exact where the modality or what passes the filter is small."""
        queries = check_search(self, vectors, modality, top)
        wanted = Filter.of(bbox, where, self.manifest.attributes).sql()
        try:
            table = self._tables[modality]
            exact = bool(wanted) and table.count_rows(wanted) <= EXACT_ROWS
            answers = [self._nearest(table, query, top, wanted, exact) for query in queries]
        except Exception as error:
            raise self._folder.failure(error) from error
        found = Found(np.full((len(queries), top), -1, np.int64), np.full((len(queries), top), -np.inf, np.float32))
        for line, (query, answer) in enumerate(zip(queries, answers, strict=True)):
            # LanceDB rounds a query to the type of the stored vectors: with float16 its products are off by 1e-4.
            similarities = _vectors(answer["vector"], self.manifest.dim) @ query
            order = np.argsort(-similarities, kind="stable")
            found.rows[line, : len(order)] = answer["_rowid"].to_numpy().astype(np.int64)[order]
            found.similarities[line, : len(order)] = similarities[order]
        return found

    def _nearest(self, table: Any, query: NDArray[np.float32], top: int, wanted: str, exact: bool) -> pa.Table:
        asked = table.search(query, vector_column_name="vector").distance_type("dot").limit(top)
        if exact:
            asked = asked.bypass_vector_index()
        else:
            asked = asked.nprobes(self._probes).refine_factor(max(self._refine, -(-LEAST_CANDIDATES // top)))
        if wanted:
            asked = asked.where(wanted, prefilter=True)
        return asked.select(["vector", "_distance"]).with_row_id(True).to_arrow()

    def vectors(self, modality: str, rows: ArrayLike) -> NDArray[np.float32]:
        """See `EmbeddingStore.vectors`."""
        return _vectors(self._take(modality, rows, ["vector"])["vector"], self.manifest.dim)

    def items(self, modality: str, rows: ArrayLike) -> Items:
        """See `EmbeddingStore.items`."""
        return _items(self._take(modality, rows, _PLACE))

    def rows_of(self, modality: str, place_id: str) -> NDArray[np.int64]:
        """See `EmbeddingStore.rows_of`."""
        check_modality(self, modality)
        wanted = f"place_id = {quoted_text(place_id)}"
        try:
            asked = self._tables[modality].search().where(wanted).select(["place_id"]).with_row_id(True)
            return np.sort(asked.to_arrow()["_rowid"].to_numpy().astype(np.int64))
        except Exception as error:
            raise self._folder.failure(error) from error

    def nearest(self, modality: str, lat: float, lon: float) -> NDArray[np.int64]:
        """See `EmbeddingStore.nearest`: of the rows in a box round the point, which grows until it surely holds it."""
        check_modality(self, modality)
        table, half = self._tables[modality], _NEAR_DEG
        try:
            while True:
                within = Filter.of(_box(lat, lon, half), None, {}).sql()
                count = table.count_rows(within)
                if count > _WHOLE_SHARE * self.count(modality):
                    return _nearest(table, "", lat, lon)[0]
                if not count:
                    half *= 2
                    continue
                row, meters = _nearest(table, within, lat, lon)
                if meters <= half * METERS_PER_DEGREE:
                    return row
                half = 1.001 * meters / METERS_PER_DEGREE
        except Exception as error:
            raise self._folder.failure(error) from error

    def chunks(self, modality: str, size: int = CHUNK) -> Iterator[Chunk]:
        """See `EmbeddingStore.chunks`."""
        check_modality(self, modality)
        asked = self._tables[modality].search().select([*_PLACE, "vector"]).with_row_id(True)
        try:
            for batch in asked.to_batches(size):
                rows = batch["_rowid"].to_numpy().astype(np.int64)
                yield Chunk(rows, _items(batch), _vectors(batch["vector"], self.manifest.dim))
        except Exception as error:
            raise self._folder.failure(error) from error

    def _take(self, modality: str, rows: ArrayLike, columns: list[str]) -> pa.Table:
        """Columns of rows, in their order."""
        import pyarrow as pa
        import pyarrow.compute as pc

        check_modality(self, modality)
        numbers = np.asarray(rows, np.int64)
        known, back = np.unique(numbers, return_inverse=True)
        if len(known) and known[0] < 0:
            raise InputError(f"There is no row {known[0]} of {modality!r}.")
        try:
            asked = self._tables[modality].take_row_ids(known.tolist()).select(columns).with_row_id()
            found = asked.to_arrow()
        except Exception as error:
            raise self._folder.failure(error) from error
        if len(found) != len(known):
            raise InputError(f"Some of these rows of {modality!r} are not in {self._folder.uri}.")
        order = np.argsort(found["_rowid"].to_numpy())[back]
        return pc.take(found, pa.array(order))


def _nearest(table: Any, within: str, lat: float, lon: float) -> tuple[NDArray[np.int64], float]:
    """The row nearest to a point, (1,), of those that pass a filter, and its distance in meters."""
    asked = table.search().select(["lat", "lon"]).with_row_id(True)
    row, least = 0, math.inf
    for batch in (asked.where(within) if within else asked).to_batches(CHUNK):
        meters = distance_m((lat, lon), np.column_stack([batch[name].to_numpy() for name in ("lat", "lon")]))
        best = int(meters.argmin())
        if meters[best] < least:
            row, least = batch["_rowid"][best].as_py(), float(meters[best])
    return np.array([row], np.int64), least


def _box(lat: float, lon: float, half_deg: float) -> Bounds:
    """South, west, north, east of a box that holds everything within ``half_deg`` degrees of arc of a point."""
    south, north = max(lat - half_deg, -90.0), min(lat + half_deg, 90.0)
    squeeze = math.cos(math.radians(max(-south, north)))
    across = half_deg / squeeze if max(-south, north) < 90 and squeeze > 0 else 180.0
    if across >= 180:
        return south, -180.0, north, 180.0
    west = lon - across if lon - across >= -180 else lon - across + 360
    return south, west, north, west + 2 * across


def _items(table: Any) -> Items:
    positions = np.column_stack([table[name].to_numpy() for name in ("lat", "lon")])
    return Items(table["place_id"].to_pylist(), positions)


def _vectors(column: Any, dim: int) -> NDArray[np.float32]:
    """A column of lists of a fixed size as an array."""
    parts = column.chunks if hasattr(column, "chunks") else [column]
    numbers = [part.flatten().to_numpy(zero_copy_only=False) for part in parts]
    return np.concatenate([*numbers, np.zeros(0, np.float32)]).astype(np.float32).reshape(-1, dim)
