"""What `encode` writes: a folder with store.json and GeoParquet parts, read part by part."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from unigeoclip.errors import InputError
from unigeoclip.files.atomic import reason
from unigeoclip.stores.filters import check_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["MANIFEST", "OWN_COLUMNS", "EncodedParts", "attribute_kind"]

MANIFEST = "store.json"
PARTS = "parts"
OWN_COLUMNS = ("place_id", "modality", "lat", "lon", "geometry", "bbox", "vector")
_ROWS = 16_384  # of a batch: 8 MB of vectors at 256 dimensions in float16
_MAX_DIM = 4096


@dataclass(frozen=True)
class EncodedParts:
    """Parts of one folder; all have the same columns.

    Attributes:
        folder: The folder.
        files: Names of the parts, sorted.
    """

    folder: Path
    files: tuple[str, ...]

    @classmethod
    def open(cls, folder: str | Path) -> EncodedParts:
        """Look at a folder and at the columns of its first part; nothing else is read.

        Raises:
            InputError: The folder is none of `encode`, has no parts yet, or its parts lack a column.
        """
        folder = Path(folder)
        if not (folder / MANIFEST).is_file():
            raise InputError(f"{folder} holds no {MANIFEST}: give a folder that 'unigeoclip encode' wrote.")
        # Names that begin with a dot are files that are being written.
        files = sorted(path.name for path in (folder / PARTS).glob("*.parquet") if not path.name.startswith("."))
        if not files:
            raise InputError(f"{folder} has no parts yet: run 'unigeoclip encode' to its end.")
        parts = cls(folder, tuple(files))
        parts._check()
        return parts

    @cached_property
    def schema(self) -> pa.Schema:
        """Columns of the first part."""
        return self._dataset(self.files[:1]).schema

    @property
    def dim(self) -> int:
        """Length of the vectors."""
        return int(self.schema.field("vector").type.list_size)

    @property
    def attributes(self) -> pa.Schema:
        """The columns beyond `OWN_COLUMNS`, to filter by."""
        return pa.schema([_plain(field) for field in self.schema if field.name not in OWN_COLUMNS])

    @property
    def emb(self) -> dict[str, Any]:
        """What `encode` says of the vectors: model, atlas, dim, dtype."""
        try:
            said = json.loads((self.schema.metadata or {}).get(b"emb", b"{}"))
        except ValueError as error:
            raise InputError(
                f"{self._path(self.files[0])}: its metadata 'emb' is not JSON; encode it again."
            ) from error
        return said if isinstance(said, dict) else {}

    def modalities(self, files: Sequence[str]) -> dict[str, int]:
        """Modality -> rows in these parts, sorted by name.

        Raises:
            InputError: A part is damaged, or a modality has a name that cannot be stored.
        """
        counts: dict[str, int] = {}
        for batch in self._batches(files, ["modality"]):
            for entry in pc.value_counts(batch["modality"].cast(pa.string())).to_pylist():
                counts[entry["values"]] = counts.get(entry["values"], 0) + entry["counts"]
        return {check_name(name, "a modality"): counts[name] for name in sorted(counts)}

    def batches(self, files: Sequence[str], modality: str) -> Iterator[pa.RecordBatch]:
        """Rows of a modality: place_id, lat, lon, attributes, and vectors as float16 or float32.

        Raises:
            InputError: A part is damaged, or a vector or position is none.
        """
        columns = ["place_id", "lat", "lon", *self.attributes.names, "vector"]
        wanted = ds.field("modality").cast(pa.string()) == modality
        for batch in self._batches(files, columns, wanted):
            if len(batch):
                yield self._row_batch(batch)

    def row_schema(self) -> pa.Schema:
        """Of what `batches` gives."""
        vector = pa.float32() if self.schema.field("vector").type.value_type == pa.float32() else pa.float16()
        own = [("place_id", pa.string()), ("lat", pa.float64()), ("lon", pa.float64())]
        return pa.schema([*own, *self.attributes, ("vector", pa.list_(vector, self.dim))])

    def _row_batch(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        schema, vectors = self.row_schema(), batch["vector"].flatten()
        if batch["vector"].null_count or len(vectors) != len(batch) * self.dim:
            raise InputError(f"A part of {self.folder} has rows without a vector: encode it again.")
        numbers = vectors.to_numpy(zero_copy_only=False)
        if numbers.dtype == np.int8:
            numbers = _unit_rows(numbers.reshape(len(batch), self.dim)).astype(np.float16).ravel()
        positions = np.column_stack([batch[name].to_numpy(zero_copy_only=False) for name in ("lat", "lon")])
        if not (np.isfinite(numbers).all() and (np.abs(positions) <= (90, 180)).all()):
            raise InputError(
                f"A part of {self.folder} holds numbers that are no vector or no position: encode it again."
            )
        stored = pa.FixedSizeListArray.from_arrays(pa.array(numbers), self.dim)
        plain = [batch[name].cast(schema.field(name).type) for name in schema.names[:-1]]
        return pa.record_batch([*plain, stored], schema=schema)

    def _batches(
        self, files: Sequence[str], columns: list[str], wanted: ds.Expression | None = None
    ) -> Iterator[pa.RecordBatch]:
        for file in files:
            try:
                part = self._dataset([file])
                if not part.schema.equals(self.schema):
                    raise InputError(f"{self._path(file)} has other columns than {self.files[0]}: encode it again.")
                yield from part.to_batches(columns=columns, filter=wanted, batch_size=_ROWS, use_threads=False)
            except (pa.ArrowException, OSError) as error:
                raise InputError(f"{self._path(file)} is damaged ({reason(error)}): encode it again.") from error

    def _dataset(self, files: Sequence[str]) -> ds.Dataset:
        try:
            return ds.dataset([str(self._path(file)) for file in files], format="parquet")
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{self._path(files[0])} is damaged ({reason(error)}): encode it again.") from error

    def _path(self, file: str) -> Path:
        return self.folder / PARTS / file

    def _check(self) -> None:
        path, names = self._path(self.files[0]), self.schema.names
        if missing := [name for name in ("place_id", "modality", "lat", "lon", "vector") if name not in names]:
            raise InputError(f"{path} has no column {missing[0]!r}, so it is no part of 'unigeoclip encode'.")
        vector = self.schema.field("vector").type
        kinds = (pa.float16(), pa.float32(), pa.int8())
        if not pa.types.is_fixed_size_list(vector) or vector.value_type not in kinds or vector.list_size > _MAX_DIM:
            raise InputError(f"{path}: vectors are lists of a fixed size up to {_MAX_DIM} of float16, float32 or int8.")
        for field in self.attributes:
            check_name(field.name, "an attribute")
            attribute_kind(field)


def _unit_rows(numbers: NDArray[np.int8]) -> NDArray[np.float32]:
    """Vectors of int8, 127 of which are 1.0; rounding has changed their length by some thousandths."""
    rows = numbers.astype(np.float32)
    units: NDArray[np.float32] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1)
    return units


def attribute_kind(field: pa.Field) -> str:
    """Which of `filters.KINDS` a column holds.

    Raises:
        InputError: Something else.
    """
    kind = field.type
    if pa.types.is_string(kind):
        return "text"
    if pa.types.is_boolean(kind):
        return "truth"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return "number"
    raise InputError(f"The column {field.name!r} holds {kind}: only text, numbers and truth values can be stored.")


def _plain(field: pa.Field) -> pa.Field:
    """A column without its dictionary."""
    return field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
