"""Reading a table in this process, whatever its format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unigeoclip.uploads.tables.delimited import read_delimited
from unigeoclip.uploads.tables.formats import CSV, PARQUET, opened
from unigeoclip.uploads.tables.parquet import read_parquet
from unigeoclip.uploads.tables.vector import read_vector

if TYPE_CHECKING:
    from unigeoclip.uploads.tables.file_table import FileTable, TableRequest

__all__ = ["read_in_this_process"]


def read_in_this_process(data: bytes, request: TableRequest) -> FileTable:
    """Read what is wanted of a file.

    Raises:
        InputError: It cannot be read; other errors of the libraries that read it are possible.
    """
    if request.crs:
        from unigeoclip.uploads.tables.geometries import check_crs

        check_crs(request.crs)
    form, content = opened(data)
    if form == CSV:
        return read_delimited(content, request)
    if form == PARQUET:
        return read_parquet(content, request)
    return read_vector(form, content, request)
