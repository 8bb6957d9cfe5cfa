"""Build and extend Lance stores, out of batches that are never all in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from unigeoclip.errors import InputError, UniGeoError
from unigeoclip.extras import needs_extra
from unigeoclip.stores.filters import check_name
from unigeoclip.stores.lance_folder import FORMAT, LanceFolder, Manifest, TableVersion
from unigeoclip.stores.parts import OWN_COLUMNS, EncodedParts, attribute_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = ["index_parts", "write_batches"]

INDEX_FROM = 20_000  # rows; fewer are searched exactly in milliseconds
_PARTITION_ROWS = 8192
# Of RaBitQ's codes for each dimension. One finds queries of the same modality; of texts that ask for aerial images it
# misses one result in seven (Boston), with four one in a hundred.
_BITS = 4
_LOOKED_UP = ("place_id", "lat", "lon")  # columns with an index of their own: of `rows_of`, boxes and `nearest`
# k-means of the partitions: more of either costs minutes a million rows and finds nothing more in `bench --growth`.
_ITERATIONS, _SAMPLES = 10, 64


def index_parts(
    source: str | Path, out: str | Path, *, say: Callable[[str], None] | None = None, index_from: int = INDEX_FROM
) -> Manifest:
    """Index what `unigeoclip encode` wrote; parts that are in the index already are left out.

    Args:
        source: Folder with store.json and parts/*.parquet.
        out: Folder of the index, or address s3://, gs:// or az://; made, or extended by new parts.
        say: Told what is being done.
        index_from: Rows of a modality from which it gets an approximate index.

    Returns:
        What the index holds now.

    Raises:
        InputError: The parts cannot be used or do not fit those that are indexed, or the index cannot be written.
        MissingPackageError: The extra `scale` is not installed.
    """
    parts, folder = EncodedParts.open(source), LanceFolder(out)
    before = folder.read()
    new = [name for name in parts.files if before is None or name not in before.parts]
    if before is not None and not new:
        return before
    counts = parts.modalities(new)
    if say is not None:
        say(f"{len(new)} parts: " + ", ".join(f"{count:,} of {name}" for name, count in counts.items()))
    batches = {name: parts.batches(new, name) for name in counts}
    emb = parts.emb
    if before is not None and before.emb != emb:
        raise InputError(f"{source} was encoded by another model than the index in {folder.uri}: choose another --out.")
    return write_batches(folder, batches, parts.row_schema(), emb=emb, parts=new, say=say, index_from=index_from)


def write_batches(
    folder: LanceFolder,
    batches: Mapping[str, Iterable[pa.RecordBatch]],
    schema: pa.Schema,
    *,
    emb: Mapping[str, Any] | None = None,
    parts: Sequence[str] = (),
    say: Callable[[str], None] | None = None,
    index_from: int = INDEX_FROM,
) -> Manifest:
    """Make a store, or append to it. Until the last step, readers see what was there before.

    Args:
        folder: Where.
        batches: Modality -> batches of the schema.
        schema: place_id (string), lat, lon (float64 degrees), attributes, and vector, a list of fixed size of float16
            or float32 numbers of L2 norm 1.
        emb: What to keep about the vectors.
        parts: Names of what is added, which a later `index_parts` leaves out.
        say: Told what is being done.
        index_from: Rows of a modality from which it gets an approximate index.

    Returns:
        What the store holds now.

    Raises:
        InputError: A modality or attribute has a name that cannot be stored, the schema is another than the store's,
            a batch does, or the store cannot be written.
        MissingPackageError: The extra `scale` is not installed.
    """
    attributes = {field.name: attribute_kind(field) for field in schema if field.name not in OWN_COLUMNS}
    for name in (*batches, *attributes):
        check_name(name, "a modality or an attribute")
    dim = int(schema.field("vector").type.list_size)
    before = folder.read() or Manifest(FORMAT, dim, attributes, (), {}, dict(emb or {}))
    if (before.dim, before.attributes) != (dim, attributes):
        raise InputError(
            f"The index in {folder.uri} has {before.dim} dimensions and the attributes "
            f"{', '.join(before.attributes) or 'none'}; these rows have {dim} and {', '.join(attributes) or 'none'}."
        )
    database, tables = folder.connect(), dict(before.tables)
    try:
        for modality, rows in batches.items():
            if say is not None:
                say(f"Indexing {modality}")
            known = tables.get(modality)
            table = _opened(database, modality, known, schema)
            table.add(pa.RecordBatchReader.from_batches(schema, rows))
            indexed = _index(table, 0 if known is None else known.indexed, index_from)
            tables[modality] = TableVersion(table.version, table.count_rows(), indexed)
    except UniGeoError:
        raise
    except Exception as error:
        raise folder.failure(error) from error
    manifest = replace(before, parts=(*before.parts, *parts), tables=tables)
    folder.write(manifest)
    return manifest


def _opened(database: Any, modality: str, known: TableVersion | None, schema: pa.Schema) -> Any:
    """The table of a modality as index.json knows it: what a run that was stopped has left is undone."""
    if known is None:
        return database.create_table(modality, schema=schema, mode="overwrite")
    table = database.open_table(modality)
    if table.version != known.version:
        table.checkout(known.version)
        table.restore()
    return table


def _index(table: Any, indexed: int, index_from: int) -> int:
    """Index what is new; returns the number of rows that the partitions were chosen for."""
    with needs_extra("scale"):
        from lancedb.index import BTree, IvfRq
    rows = table.count_rows()
    if rows < index_from:
        return 0
    if indexed and rows < 2 * indexed:
        table.optimize()
        return indexed
    config = IvfRq(
        distance_type="dot",
        num_bits=_BITS,
        num_partitions=max(1, rows // _PARTITION_ROWS),
        max_iterations=_ITERATIONS,
        sample_rate=_SAMPLES,
    )
    table.create_index("vector", config=config, replace=True)
    for column in _LOOKED_UP:
        table.create_index(column, config=BTree(), replace=True)
    return int(rows)
