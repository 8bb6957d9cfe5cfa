"""Reading tables of strangers in processes of their own, see `uploads.decoder`."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from unigeoclip.errors import InputError
from unigeoclip.uploads.decoder import Decoder
from unigeoclip.uploads.headers import refusing
from unigeoclip.uploads.tables.file_table import MAX_ANSWER_BYTES, FileTable, TableRequest
from unigeoclip.uploads.tables.formats import check_table_size, is_plain
from unigeoclip.uploads.tables.reading import read_in_this_process

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["TableDecoder", "read_table"]

MEMORY_BYTES = 2_000_000_000  # 100 MB of GeoJSON take some 1.5 GB, see the tests
SECONDS = 60  # of processor time for one file
PATIENCE_S = 90.0


def read_table(
    data: bytes,
    *,
    columns: Sequence[str] | None = None,
    layer: str | None = None,
    sample: int | None = None,
    crs: str = "",
) -> FileTable:
    """Read a table that anybody may have sent, within limits of memory and time.

    Args:
        data: Content of the file: CSV, Parquet, GeoParquet, GeoJSON, GeoPackage, or a ZIP archive with a shapefile or
            one file of these; at most `MAX_TABLE_BYTES`, `MAX_ROWS` and `MAX_COLUMNS`.
        columns: Names of the columns that are wanted; all by default.
        layer: Of a file with several.
        sample: At most so many rows, spread over the file; all by default.
        crs: Coordinate reference system of the geometries, in place of what the file says: "EPSG:25832".

    Raises:
        InputError: It is damaged, of another kind, or takes too much memory or time.
    """
    check_table_size(data)
    request = TableRequest(None if columns is None else tuple(dict.fromkeys(columns)), layer, sample, crs)
    return _decoder("plain" if is_plain(data) else "vector").table(data, request)


class TableDecoder(Decoder):
    """A process that reads tables."""

    def __init__(
        self,
        family: str,
        memory_bytes: int = MEMORY_BYTES,
        seconds: int = SECONDS,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Start nothing yet.

        Args:
            family: "plain" for CSV and Parquet, "vector" for what GDAL reads.
            memory_bytes: How much memory a file may take.
            seconds: How much time of the processor.
            patience_s: How long a caller waits for its turn, and for the answer.
        """
        super().__init__(memory_bytes, seconds, patience_s)
        self.worker = ("unigeoclip.uploads.tables.worker", family)

    def table(self, data: bytes, request: TableRequest) -> FileTable:
        """See `read_table`."""
        with self.turn_of(data):
            answer = self.ask({"table": request.as_json()}, data, MAX_ANSWER_BYTES)
            if answer is None:
                with refusing("file"):
                    return read_in_this_process(data, request)
            try:
                return FileTable.unpacked(*answer)
            except (ValueError, KeyError, TypeError) as error:
                self.close()
                raise InputError("The file could not be read: its decoder gave no table.") from error


@functools.cache
def _decoder(family: str) -> TableDecoder:
    """The one of this process for a family."""
    return TableDecoder(family)
