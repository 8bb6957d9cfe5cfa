"""Tables of texts and of picture files, and folders of pictures: embeddings as parquet out, part by part.

As with tables of points, everything that can be told without decoding is checked over all rows before anything is
embedded, and the file is written whole or not at all. A row that cannot be read ends the work, with its number and
what to do; or, where that is asked for, its embedding stays empty and the result says so.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from unigeoclip.embedders import PictureEmbedder
from unigeoclip.embedders.unigeoclip import UniGeoCLIPEmbedder
from unigeoclip.errors import InputError, excerpt
from unigeoclip.export.embedding_tables import EMBEDDING, check_out, check_spare, metadata_of
from unigeoclip.export.point_tables import MAX_ROWS, PART_ROWS, CsvTable
from unigeoclip.files.atomic import atomic, read_bytes, reason
from unigeoclip.search.query_encoder import sentences_of
from unigeoclip.uploads import MAX_FILE_BYTES, read_upload
from unigeoclip.uploads.headers import check_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.atlas.provenance import Provenance
    from unigeoclip.embedders.base import Embedder

__all__ = ["Embedded", "ItemReader", "ItemTable", "PictureFolder", "embed_items", "picture_reader", "text_reader"]

FIRST = 3  # rows of a kind that are named
PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
_SKIP = "leave its embedding empty with --skip-unreadable"


@dataclass(frozen=True)
class ItemReader:
    """How the values of a column become vectors.

    Attributes:
        embedder: Whose space they are in.
        modality: What they are.
        check: Refuses a value with InputError as far as that can be told without decoding it.
        read: Value -> what ``encode`` takes, and what to know about it; InputError where it cannot be read.
        encode: n of those, n >= 1 -> (n, dim) float32 unit vectors.
        batch: The largest n.
    """

    embedder: Embedder
    modality: str
    check: Callable[[str], object]
    read: Callable[[str], tuple[Any, tuple[str, ...]]]
    encode: Callable[[list[Any]], NDArray[np.float32]]
    batch: int


def text_reader(embedder: Embedder) -> ItemReader:
    """A reader of texts, each some words or sentences.

    Raises:
        InputError: The embedder, or its model, encodes no texts.
    """
    if not isinstance(embedder, UniGeoCLIPEmbedder):
        raise InputError(f"The embedder {embedder.name!r} takes no texts: {_takes(embedder)}.")
    model = embedder.model
    if "text" not in model.modalities:
        raise InputError(f"This model takes no texts: it encodes {', '.join(model.modalities)}.")

    def read(value: str) -> tuple[Any, tuple[str, ...]]:
        sentences, notes = sentences_of(value)
        return sentences, tuple(note.text for note in notes)

    def encode(batch: list[Any]) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = model.encode({"text": batch})["text"].cpu().numpy()
        return vectors

    return ItemReader(embedder, "text", sentences_of, read, encode, batch=256)


def picture_reader(embedder: Embedder, modality: str, folder: Path) -> ItemReader:
    """A reader of picture files, decoded within the limits of uploads, see `uploads.read_upload`.

    Args:
        embedder: Encodes them.
        modality: "aerial", "street" or "surface".
        folder: What paths that are not absolute are relative to.

    Raises:
        InputError: The embedder, or its model, encodes no pictures of that kind.
    """
    if not isinstance(embedder, PictureEmbedder) or modality not in embedder.picture_kinds:
        raise InputError(f"The embedder {embedder.name!r} takes no {modality} pictures: {_takes(embedder)}.")
    pictures: PictureEmbedder = embedder
    model = embedder.model if isinstance(embedder, UniGeoCLIPEmbedder) else None

    def check(value: str) -> None:
        try:
            status = _file(folder, value).stat()
            can_be_read = stat.S_ISREG(status.st_mode) and 0 < status.st_size <= MAX_FILE_BYTES
        except (OSError, ValueError):
            can_be_read = False
        if not can_be_read:
            _content(folder, value)  # says why

    def read(value: str) -> tuple[Any, tuple[str, ...]]:
        data = _content(folder, value)
        try:
            if model is None:
                return pictures.embed_picture(data, modality), ()
            decoded = read_upload(modality, data, model.input_size(modality))
        except InputError as error:
            raise InputError(f"{_file(folder, value)}: {error}") from error
        return decoded.array, decoded.notes

    def encode(batch: list[Any]) -> NDArray[np.float32]:
        if model is None:
            return np.stack(batch)
        vectors: NDArray[np.float32] = model.encode({modality: np.stack(batch)})[modality].cpu().numpy()
        return vectors

    return ItemReader(embedder, modality, check, read, encode, batch=64)


def _takes(embedder: Embedder) -> str:
    """What an embedder takes, with the options that give it."""
    takes = ["coordinates (--lat, --lon)"]
    if isinstance(embedder, UniGeoCLIPEmbedder) and "text" in embedder.model.modalities:
        takes.append("texts (--text)")
    if isinstance(embedder, PictureEmbedder) and embedder.picture_kinds:
        takes.append(f"pictures (--image, --images with --modality {' or '.join(embedder.picture_kinds)})")
    return f"it takes {' and '.join(takes)}"


def _file(folder: Path, value: str) -> Path:
    if not value.strip():
        raise InputError("No picture is named.")
    return folder / value


def _content(folder: Path, value: str) -> bytes:
    path = _file(folder, value)
    data = read_bytes(path, MAX_FILE_BYTES)
    try:
        check_size(data, 1)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return data


class ItemSource(Protocol):
    """Rows, each with one value to embed."""

    path: Path
    rows: int

    def schema(self) -> pa.Schema:
        """Names and types of the columns."""

    def values(self) -> Iterator[tuple[pa.Table, list[str]]]:
        """The rows in parts, with the value of each."""

    def place(self, row: int) -> str:
        """Where row ``row`` is, from 0, in words."""


@dataclass
class ItemTable(CsvTable):
    """A CSV with a column of texts or paths."""

    checked_by: Callable[[str], object] | None = field(default=None, kw_only=True)

    @classmethod
    def checked(cls, path: Path, option: str, column: str, check: Callable[[str], object] | None = None) -> ItemTable:
        """Read a table once, whole.

        Args:
            path: The file, see `embedding_tables.read_points`.
            option: That names the column.
            column: Of the values.
            check: Refuses a value with InputError; None lets all pass.

        Raises:
            InputError: It cannot be used, or a value is refused; names file and row.
        """
        table = cls(path, {option: column}, checked_by=check)
        table.read_once()
        return table

    def check(self, part: list[pa.StringArray]) -> None:
        """See `CsvTable.check`."""
        if self.checked_by is not None:
            for row, value in enumerate(self._of(part), self.before):
                _told(self, row, self.checked_by, value)

    def values(self) -> Iterator[tuple[pa.Table, list[str]]]:
        """See `ItemSource.values`."""
        for table, part in self.read_again():
            yield table, self._of(part)

    def place(self, row: int) -> str:
        """See `ItemSource.place`."""
        return f"{self.path}, row {row + 1}: "

    def _of(self, part: list[pa.StringArray]) -> list[str]:
        (name,) = self.wanted.values()
        values: list[str] = part[self.names.index(name)].to_pylist()
        return values


class PictureFolder:
    """The pictures in a folder, not in folders below it, in the order of their names.

    Attributes:
        path: The folder.
        names: Of the files.
        rows: How many they are.
        others: Files that are no pictures by how their names end; hidden files are not looked at.
    """

    def __init__(self, path: Path, modality: str, check: Callable[[str], object] | None = None) -> None:
        """Look into a folder.

        Args:
            path: The folder.
            modality: "aerial", "street" or "surface", which may be in .npy files, too.
            check: Refuses a file name with InputError; None lets all pass.

        Raises:
            InputError: There is no such folder, no picture in it, too many, or one is refused.
        """
        endings = (*PICTURE_ENDINGS, ".npy") if modality == "surface" else PICTURE_ENDINGS
        self.path = path
        try:
            with os.scandir(path) as found:
                files = sorted(each.name for each in found if not each.name.startswith(".") and not each.is_dir())
        except (OSError, ValueError) as error:
            raise InputError(
                f"{path} cannot be read: {reason(error)}. Give --images a folder with pictures."
            ) from error
        self.names = [name for name in files if name.lower().endswith(endings)]
        self.others = [name for name in files if not name.lower().endswith(endings)]
        self.rows = len(self.names)
        if not self.names:
            raise InputError(f"{path} holds no pictures: no file there ends in {', '.join(endings)}.")
        if self.rows > MAX_ROWS:
            raise InputError(f"{path} holds more than {MAX_ROWS:,} pictures. Split it into several folders.")
        if undecoded := [name for name in self.names if not _is_unicode(name)]:
            raise InputError(f"{path}: the name {excerpt(ascii(undecoded[0]))} is not UTF-8. Rename the file.")
        if check is not None:
            for row, name in enumerate(self.names):
                _told(self, row, check, name)

    def schema(self) -> pa.Schema:
        """One column, "path": the names, relative to the folder."""
        return pa.schema([("path", pa.string())])

    def values(self) -> Iterator[tuple[pa.Table, list[str]]]:
        """See `ItemSource.values`."""
        for start in range(0, self.rows, PART_ROWS):
            some = self.names[start : start + PART_ROWS]
            yield pa.table([pa.array(some)], schema=self.schema()), some

    def place(self, _row: int) -> str:
        """Nothing: what is wrong with a file names it."""
        return ""


def _is_unicode(name: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in name)


def _told(source: ItemSource, row: int, call: Callable[[str], Any], value: str) -> Any:
    """What a call returns, or its refusal with the row and what to do."""
    try:
        return call(value)
    except InputError as error:
        raise InputError(f"{source.place(row)}{error} Correct or remove it, or {_SKIP}.") from error


@dataclass
class Embedded:
    """What came of embedding a table.

    Attributes:
        rows: How many it has.
        dim: Numbers of an embedding.
        skipped: Rows that could not be read, whose embedding is empty.
        why: Where the first of them are, and what is wrong there.
        noted: Rows that were read with something to know, as that a text was cut.
        notes: Where the first of them are, and what it is.
    """

    rows: int = 0
    dim: int = 0
    skipped: int = 0
    why: list[str] = field(default_factory=list)
    noted: int = 0
    notes: list[str] = field(default_factory=list)


def embed_items(
    reader: ItemReader,
    source: ItemSource,
    out: Path,
    *,
    skip_unreadable: bool = False,
    progress: Callable[[str, float], None] | None = None,
    provenance: Provenance | None = None,
) -> Embedded:
    """Add the embedding of every row's text or picture and write the table as parquet, whole or not at all.

    Args:
        reader: From `text_reader` or `picture_reader`.
        source: The rows: `ItemTable` or `PictureFolder`.
        out: Parquet file: the columns of the source in the order of its rows, then "embedding", a list of ``dim``
            float32 numbers.
        skip_unreadable: Leave the embedding of a row that cannot be read empty (null).
        progress: Called with what is being done, and the share of it that is done.
        provenance: Kept in the file's metadata under "provenance", as JSON.

    Raises:
        InputError: A row cannot be read (with ``skip_unreadable``: none can), the table has a column "embedding"
            already, or ``out`` cannot be written (see `embedding_tables.check_out`).
    """
    check_out(source.path, out)
    check_spare(source.path, source.schema().names)
    rows, dim = source.rows, reader.embedder.dim
    vector = pa.field(EMBEDDING, pa.list_(pa.float32(), dim), nullable=skip_unreadable)
    metadata = {**metadata_of(reader.embedder, provenance), b"modality": reader.modality.encode()}
    schema = source.schema().append(vector).with_metadata(metadata)
    result = Embedded(dim=dim)
    with atomic(out) as temporary, pq.ParquetWriter(temporary, schema) as writer:
        for part, values in source.values():
            vectors, empty = np.zeros((len(values), dim), np.float32), np.zeros(len(values), bool)
            for start in range(0, len(values), reader.batch):
                batch = slice(start, start + reader.batch)
                _embed_batch(reader, source, values[batch], vectors[batch], empty[batch], skip_unreadable, result)
                if progress is not None:
                    progress("Embedding", result.rows / rows)
            flat = pa.array(vectors.ravel())
            column = pa.FixedSizeListArray.from_arrays(flat, dim, mask=pa.array(empty) if empty.any() else None)
            writer.write_table(part.append_column(vector, column).cast(schema))
        if result.skipped == result.rows:
            raise InputError(f"{source.path}: none of the {rows:,} rows can be read. The first: {result.why[0]}")
    return result


def _embed_batch(
    reader: ItemReader,
    source: ItemSource,
    values: list[str],
    vectors: NDArray[np.float32],
    empty: NDArray[np.bool_],
    skip_unreadable: bool,
    result: Embedded,
) -> None:
    """Fill in the vectors of some rows, and which have none."""
    found: list[Any] = []
    for place, value in enumerate(values):
        row = result.rows + place
        try:
            item, notes = reader.read(value) if skip_unreadable else _told(source, row, reader.read, value)
        except InputError as error:
            if not skip_unreadable:
                raise
            empty[place] = True
            result.skipped += 1
            if len(result.why) < FIRST:
                result.why.append(f"{source.place(row)}{error}")
            continue
        found.append(item)
        result.noted += bool(notes)
        if notes and len(result.notes) < FIRST:
            where = source.place(row) or f"{source.path / value}: "
            result.notes.append(f"{where}{' '.join(notes)}")
    if found:
        vectors[~empty] = reader.encode(found)
    result.rows += len(values)
