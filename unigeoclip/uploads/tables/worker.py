"""The process that reads tables of strangers: ``python -m unigeoclip.uploads.tables.worker FAMILY MEMORY SECONDS``.

FAMILY is "plain" for what Arrow reads, or "vector" for what GDAL reads: that one starts again with every driver but
ours switched off. Else it is like `uploads.worker`. A request is a `TableRequest` as JSON under "table"; the answer is
``FileTable.packed``.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from unigeoclip.errors import UniGeoError
from unigeoclip.uploads.headers import refusing
from unigeoclip.uploads.tables.file_table import MAX_TABLE_BYTES, TableRequest
from unigeoclip.uploads.tables.reading import read_in_this_process
from unigeoclip.uploads.tables.vector import skip_other_drivers
from unigeoclip.uploads.worker import serve

__all__ = ["main"]


def _answer(request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        with refusing("file"):
            return read_in_this_process(data, TableRequest.from_json(request["table"])).packed()
    except UniGeoError as error:
        return {"error": str(error), "memory": isinstance(error.__cause__, MemoryError)}, b""


def main() -> None:
    """Serve until the input ends."""
    import pyarrow as pa

    family, *_ = sys.argv[1:]
    if family == "vector":
        if skip_other_drivers():
            os.execv(sys.executable, [sys.executable, "-P", "-m", "unigeoclip.uploads.tables.worker", *sys.argv[1:]])
        import geopandas  # noqa: F401  # its libraries must be loaded before memory is limited
        import pyogrio  # noqa: F401
    import pyarrow.csv
    import pyarrow.parquet

    pa.set_cpu_count(1)  # each thread would reserve address space, which is what is limited
    pa.set_io_thread_count(1)
    serve(_answer, MAX_TABLE_BYTES)


if __name__ == "__main__":
    main()
