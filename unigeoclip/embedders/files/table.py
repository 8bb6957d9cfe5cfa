"""Embeddings as a column of a table: Parquet and GeoParquet, the vector of the nearest row within a distance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from unigeoclip.embedders.files.parquet_columns import Columns, opened_table, positions_of, vectors_of
from unigeoclip.embedders.files.products import MAJOR_TOM, UNKNOWN, Product
from unigeoclip.errors import InputError, excerpt
from unigeoclip.geo import EARTH_RADIUS_M, chord, unit_xyz

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow.parquet as pq
    from numpy.typing import NDArray
    from scipy.spatial import cKDTree

    from unigeoclip.embedders.files.address import FileAddress
    from unigeoclip.geo import Bounds

__all__ = ["TableVectors"]

MOST_ROWS = 5_000_000  # whose positions are in memory at a time: some 0.4 GB with the tree
_IN_MEMORY = 64_000_000  # numbers of vectors that are kept once they were read: 256 MB
_BATCH = 4096  # rows that are read together
_SAMPLE = 2000  # rows of which the spacing is measured
_TYPICAL = 0.9  # quantile of their distances that is the spacing: grids of degrees are denser towards the poles
_WITHIN = 0.75  # of the spacing: a little more than half of the diagonal of a square
_WORLD: Bounds = (-90.0, -180.0, 90.0, 180.0)


class _Index(NamedTuple):
    """Rows by position: those of a rectangle, or all."""

    box: Bounds
    tree: cKDTree
    rows: NDArray[np.int64]
    latlon: NDArray[np.float64]


class TableVectors:
    """A vector in each row of one or several Parquet files; memory is bounded whatever their size.

    Of several rows at one position the first counts.
    """

    def __init__(self, sources: Sequence[Path | bytes], name: str, address: FileAddress) -> None:
        """Look at the columns, and at all positions where there are no more than `MOST_ROWS`.

        Args:
            sources: The files, or the content of one.
            name: Of the file, for messages.
            address: How to read it.

        Raises:
            InputError: It cannot be read, or has no column of vectors or no positions.
        """
        self._sources, self._name, self._modality = list(sources), name, address.modality
        with opened_table(self._sources[0], name) as file:
            self._columns = Columns.of(file.schema_arrow, name, address)
            metadata = dict(file.schema_arrow.metadata or {})
        self._counts = np.array([self._rows_of(source) for source in self._sources])
        self._held: NDArray[np.float32] | None = None
        self._index = self._indexed(_WORLD) if self._counts.sum() <= MOST_ROWS else None
        self.dim = self._length()
        self.within_m = address.within_m or self._spacing()
        self.coverage = self._extent(metadata)
        self.product, more = _product_of(metadata, self._columns)
        modality = f" of {self._modality}" if self._modality else ""
        self.described = f"column {self._columns.vector!r}{modality}, nearest row within {self.within_m:,.0f} m{more}"

    def at(self, latlon: NDArray[np.float64]) -> NDArray[np.float32]:
        """Vectors at points, (n, 2) degrees -> (n, dim), of any length; NaN where no row is near."""
        vectors = np.full((len(latlon), self.dim), np.nan, np.float32)
        index = self._around(latlon) if len(latlon) else None
        if index is None:
            return vectors
        reach = float(chord(self.within_m / EARTH_RADIUS_M))
        _, nearest = index.tree.query(unit_xyz(latlon), distance_upper_bound=reach)
        found = nearest < len(index.rows)
        rows, places = np.unique(index.rows[nearest[found]], return_inverse=True)
        vectors[found] = self._vectors(rows)[places]
        return vectors

    def _rows_of(self, source: Path | bytes) -> int:
        with opened_table(source, self._name) as file:
            if self._columns.missing_in(file.schema_arrow):
                raise InputError(f"The Parquet files of {self._name} have different columns: name one of them.")
            return int(file.metadata.num_rows)

    # Positions

    def _around(self, latlon: NDArray[np.float64]) -> _Index | None:
        """The rows near points; of a large table they are read again unless they are in memory."""
        if self._counts.sum() <= MOST_ROWS:
            return self._index
        reach = np.degrees(self.within_m / EARTH_RADIUS_M)
        (south, west), (north, east) = latlon.min(axis=0) - reach, latlon.max(axis=0) + reach
        wide = np.degrees(
            np.arctan2(np.sin(np.radians(reach)), max(np.cos(np.radians(max(abs(south), abs(north)))), 1e-6))
        )
        box = (float(south), float(west - wide), float(north), float(east + wide))
        if self._index is None or not _holds(self._index.box, box):
            if box[1] < -180 or box[3] > 180:
                box = (box[0], -180.0, box[2], 180.0)
            self._index = self._indexed(box)
        return self._index

    def _indexed(self, box: Bounds) -> _Index | None:
        """The rows of a rectangle by position; None without any.

        Raises:
            InputError: There are more than `MOST_ROWS`.
        """
        import pandas as pd
        from scipy.spatial import cKDTree

        kept, numbers, count = [], [], 0
        for rows, latlon in self._positions(box):
            kept.append(latlon)
            numbers.append(rows)
            count += len(rows)
            if count > MOST_ROWS:
                raise InputError(
                    f"{self._name} has more than {MOST_ROWS:,} vectors in this region: embed a smaller one."
                )
        if not count:
            return None
        latlon, rows = np.concatenate(kept), np.concatenate(numbers)
        first = ~pd.DataFrame(latlon).duplicated().to_numpy()
        return _Index(box, cKDTree(unit_xyz(latlon[first])), rows[first], latlon[first])

    def _positions(self, box: Bounds) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """Numbers and positions of the rows of a rectangle, batch by batch."""
        south, west, north, east = box
        for start, source in zip(np.cumsum(self._counts) - self._counts, self._sources, strict=True):
            with opened_table(source, self._name) as file:
                at = int(start)
                for batch in file.iter_batches(_BATCH * 8, columns=self._columns.wanted(modality=bool(self._modality))):
                    latlon = positions_of(batch, self._columns, self._name, at)
                    lat, lon = latlon.T
                    keep = (lat >= south) & (lat <= north) & (lon >= west) & (lon <= east)
                    if self._modality:
                        said = batch.column(batch.schema.get_field_index("modality")).cast(pa.string())
                        keep &= said.to_numpy(zero_copy_only=False) == self._modality
                    chosen = np.flatnonzero(keep)
                    if len(chosen):
                        yield chosen + at, latlon[chosen]
                    at += len(batch)

    def _spacing(self) -> float:
        """How far a row reaches, in meters: three quarters of the distance between neighbors, by its 90th percentile.

        Raises:
            InputError: It cannot be measured.
        """
        if self._index is None or len(self._index.rows) < 2:
            if self._counts.sum() <= MOST_ROWS and self._index is None:
                of = f" of the modality {excerpt(self._modality)!r}" if self._modality else " with a position"
                raise InputError(f"{self._name} has no rows{of}.")
            raise InputError(
                f"How far apart the {self._counts.sum():,} rows of {self._name} lie is not measured: say how far the "
                "nearest may be, such as within=500m."
            )
        points = unit_xyz(self._index.latlon)
        some = np.linspace(0, len(points) - 1, min(len(points), _SAMPLE)).astype(np.int64)
        chords, _ = self._index.tree.query(points[some], k=2)
        return float(_WITHIN * 2 * np.arcsin(np.quantile(chords[:, 1], _TYPICAL) / 2) * EARTH_RADIUS_M)

    def _extent(self, metadata: dict[bytes, bytes]) -> Bounds:
        """South, west, north, east of the rows; of a large table as its metadata say."""
        if self._index is None:
            box = _json(metadata.get(b"geo")).get("columns", {}).get(self._columns.geometry, {}).get("bbox")
            return (box[1], box[0], box[3], box[2]) if isinstance(box, list) and len(box) == 4 else _WORLD
        (south, west), (north, east) = self._index.latlon.min(axis=0).tolist(), self._index.latlon.max(axis=0).tolist()
        reach = float(np.degrees(self.within_m / EARTH_RADIUS_M))
        wide = reach / max(float(np.cos(np.radians(max(abs(south), abs(north))))), 1e-3)
        return max(south - reach, -90.0), max(west - wide, -180.0), min(north + reach, 90.0), min(east + wide, 180.0)

    # Vectors

    def _length(self) -> int:
        """Numbers of a vector: that of the first one."""
        for source in self._sources:
            with opened_table(source, self._name) as file:
                for batch in file.iter_batches(64, columns=[self._columns.vector]):
                    if dim := vectors_of(batch.column(0), self._name, 0).shape[1]:
                        return int(dim)
        raise InputError(f"The column {self._columns.vector!r} of {self._name} holds no vectors.")

    def _vectors(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Vectors of rows by number, rising: (n, dim); NaN where there is none."""
        if self._held is None and self._counts.sum() * self.dim <= _IN_MEMORY:
            self._held = self._read(np.arange(self._counts.sum()))
        return self._read(rows) if self._held is None else self._held[rows]

    def _read(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        found = np.full((len(rows), self.dim), np.nan, np.float32)
        for start, count, source in zip(
            np.cumsum(self._counts) - self._counts, self._counts, self._sources, strict=True
        ):
            if not np.searchsorted(rows, start + count) - np.searchsorted(rows, start):
                continue
            with opened_table(source, self._name) as file:
                for at, batch in _batches(file, rows - start, self._columns.vector):
                    low, high = np.searchsorted(rows, [start + at, start + at + len(batch)])
                    if high > low:
                        vectors = vectors_of(
                            batch.take(pa.array(rows[low:high] - start - at)), self._name, int(start + at), self.dim
                        )
                        found[low:high] = vectors
        return found


def _batches(file: pq.ParquetFile, rows: NDArray[np.int64], column: str) -> Iterator[tuple[int, pa.Array]]:
    """Batches of a column with the number of their first row; row groups without any of the rows are left out."""
    at = 0
    for group in range(file.num_row_groups):
        count = file.metadata.row_group(group).num_rows
        if np.searchsorted(rows, at + count) - np.searchsorted(rows, at):
            first = at
            for batch in file.iter_batches(_BATCH, row_groups=[group], columns=[column]):
                yield first, batch.column(0)
                first += len(batch)
        at += count


def _holds(outer: Bounds, inner: Bounds) -> bool:
    return outer[0] <= inner[0] and outer[1] <= inner[1] and outer[2] >= inner[2] and outer[3] >= inner[3]


def _product_of(metadata: dict[bytes, bytes], columns: Columns) -> tuple[Product, str]:
    """What the vectors are, by our own metadata or by the names of columns, and more for the provenance."""
    emb = _json(metadata.get(b"emb"))
    model = emb.get("model")
    if isinstance(model, str) and isinstance(emb.get("atlas"), str):
        sources = [each for each in emb.get("sources", []) if isinstance(each, dict)]
        credited = "; ".join(
            dict.fromkeys(str(each.get("attribution", "")) for each in sources if each.get("attribution"))
        )
        licences = ", ".join(dict.fromkeys(str(each.get("licence", "")) for each in sources if each.get("licence")))
        made = f"{excerpt(model)} on the atlas {excerpt(emb['atlas'])!r}, written by 'unigeoclip encode'."
        return Product(
            f"{excerpt(model)} of {excerpt(emb['atlas'])}", made, excerpt(licences, 200), excerpt(credited, 400)
        ), (f", model {excerpt(emb.get('model_id', ''), 40)}")
    if columns.is_major_tom:
        return MAJOR_TOM, ""
    told = emb.get("columns", {}).get(columns.vector, {}) if isinstance(emb.get("columns"), dict) else {}
    links = told.get("links", []) if isinstance(told, dict) else []
    titles = [each.get("title") for each in links if isinstance(each, dict) and each.get("rel") == "emb:model"]
    return UNKNOWN, f", model {excerpt(titles[0], 120)}" if titles and isinstance(titles[0], str) else ""


def _json(text: bytes | None) -> dict[str, Any]:
    try:
        value = json.loads(text or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
