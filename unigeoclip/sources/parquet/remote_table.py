"""Parquet files on servers: their footers, and the columns of the row groups that are wanted."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from unigeoclip.files.atomic import reason
from unigeoclip.sources.remote_raster import RemoteFile
from unigeoclip.sources.web import UnusableError, bare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unigeoclip.sources.web import Web

__all__ = ["open_table"]


class _Reader(io.RawIOBase):
    """A remote file as pyarrow reads one; a failure of the network ends the reading."""

    def __init__(self, file: RemoteFile) -> None:
        super().__init__()
        self._file, self._at = file, 0

    def readable(self) -> bool:
        """See `io.IOBase`."""
        return True

    def seekable(self) -> bool:
        """See `io.IOBase`."""
        return True

    def tell(self) -> int:
        """See `io.IOBase`."""
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """See `io.IOBase`."""
        self._at = offset + (0, self._at, self._file.size)[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        """See `io.RawIOBase`."""
        data = self._file.read(self._at, self._file.size - self._at if size < 0 else size)
        if self._file.failure is not None:
            raise OSError("the network failed")
        self._at += len(data)
        return data


@contextlib.contextmanager
def open_table(web: Web, url: str) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file on a server; what is read of it is asked for when it is read.

    Args:
        web: Asks for the bytes.
        url: Address.

    Raises:
        AbsentError: There is no such file.
        UnusableError: It is no Parquet file; also while it is read.
        DownloadError: It cannot be read; also while it is read.
    """
    file = RemoteFile(web, lambda _again: url)
    try:
        with pq.ParquetFile(_Reader(file), pre_buffer=True) as table:
            yield table
    except (pa.ArrowException, OSError) as error:
        raise file.failure or UnusableError(f"{bare(url)} cannot be read as Parquet: {reason(error)}.") from error
