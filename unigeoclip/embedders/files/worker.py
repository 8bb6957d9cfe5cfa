"""The process that reads embeddings of strangers: ``python -m unigeoclip.embedders.files.worker MEMORY SECONDS``.

It is like `uploads.worker`; requests and answers are those of `upload.answer`.
"""

from __future__ import annotations

from typing import Any

from unigeoclip.embedders.files.upload import MAX_REQUEST_BYTES, answer
from unigeoclip.errors import UniGeoError
from unigeoclip.uploads.headers import refusing
from unigeoclip.uploads.worker import serve

__all__ = ["main"]


def _answer(request: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        with refusing("file"):
            return answer(request, content)
    except UniGeoError as error:
        return {"error": str(error), "memory": isinstance(error.__cause__, MemoryError)}, b""


def main() -> None:
    """Serve until the input ends."""
    # Libraries must be loaded before memory is limited.
    import pandas  # noqa: F401
    import pyarrow as pa
    import pyarrow.parquet
    import rasterio.warp  # noqa: F401
    import scipy.spatial  # noqa: F401
    import shapely  # noqa: F401

    import unigeoclip.embedders.files.raster
    import unigeoclip.embedders.files.table  # noqa: F401

    pa.set_cpu_count(1)  # each thread would reserve address space, which is what is limited
    pa.set_io_thread_count(1)
    serve(_answer, MAX_REQUEST_BYTES)


if __name__ == "__main__":
    main()
