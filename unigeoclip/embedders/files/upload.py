"""Files of embeddings from anybody: read in a process of their own, within limits of memory and time."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.embedders.files.address import FileAddress
from unigeoclip.embedders.files.embedder import FileEmbedder
from unigeoclip.embedders.files.products import Product
from unigeoclip.errors import InputError, excerpt
from unigeoclip.uploads.decoder import Decoder
from unigeoclip.uploads.headers import MAX_FILE_BYTES, TIFF_MAGICS, check_size, refusing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.embedders.files.embedder import VectorSource
    from unigeoclip.geo import Bounds

__all__ = ["ENDINGS", "MAX_REQUEST_BYTES", "UploadedEmbedder", "answer"]

ENDINGS = ("tif", "tiff", "parquet", "geoparquet")
_POINT_BYTES = 16
_MAX_POINTS = 8192
_NAME_SIGNS = 60
MAX_REQUEST_BYTES = MAX_FILE_BYTES + _MAX_POINTS * _POINT_BYTES


class UploadedEmbedder(FileEmbedder):
    """A file that a visitor has uploaded; it stays in memory, and neither it nor its vectors are written to disk.

    Attributes:
        nbytes: Size of the file.
    """

    is_private = True

    def __init__(self, data: bytes, filename: str) -> None:
        """Look at a file.

        Args:
            data: Its content: a GeoTIFF or a Parquet file.
            filename: Its name, for people.

        Raises:
            InputError: It is too large, damaged, or holds no embeddings that are known.
        """
        check_size(data, 1)
        name = excerpt(Path(filename.replace("\\", "/")).name or "embeddings", _NAME_SIGNS).replace("?", "")
        self.nbytes = len(data)
        checksum = f"sha256 {hashlib.sha256(data).hexdigest()[:16]}"
        super().__init__(_UploadedVectors(data, name), FileAddress(Path(name)), checksum)


class _UploadedVectors:
    """Vectors in an uploaded file."""

    def __init__(self, data: bytes, name: str) -> None:
        self._data, self._name = data, name
        told, _ = _asked({"name": name, "points": 0}, data, 0)
        try:
            self.dim = int(told["dim"])
            self.described = str(told["described"])
            self.product = Product(*(str(each) for each in told["product"]))
            south, west, north, east = (float(each) for each in told["coverage"])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{name} could not be read: its decoder gave no description.") from error
        self._coverage = (south, west, north, east)

    @property
    def coverage(self) -> Bounds:
        """See `VectorSource.coverage`."""
        return self._coverage

    def at(self, latlon: NDArray[np.float64]) -> NDArray[np.float32]:
        """See `VectorSource.at`."""
        count, most = len(latlon), len(latlon) * self.dim * 4
        _, content = _asked({"name": self._name, "points": count}, latlon.tobytes() + self._data, most)
        if len(content) != most:
            raise InputError(f"{self._name} could not be read: its decoder gave no vectors.")
        return np.frombuffer(content, np.float32).reshape(count, self.dim)


def _asked(request: dict[str, Any], content: bytes, most: int) -> tuple[dict[str, Any], bytes]:
    decoder = _decoder()
    with decoder.turn_of(content):
        found = decoder.ask(request, content, most)
        if found is not None:
            return found
        with refusing("file"):
            return answer(request, content)


@functools.cache
def _decoder() -> Decoder:
    """The one of this process."""
    decoder = Decoder()
    decoder.worker = ("unigeoclip.embedders.files.worker",)
    return decoder


def answer(request: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """What a file is, and its vectors at points.

    Args:
        request: "name" of the file, and "points": how many are asked for.
        content: Latitude and longitude of the points, float64, then the file.

    Returns:
        "dim", "described", "product" and "coverage" where no points are asked for; else the vectors, float32.

    Raises:
        InputError: The file holds no embeddings that are known.
    """
    count = int(request["points"])
    source = _source(content[count * _POINT_BYTES :], str(request["name"]))
    if count:
        latlon = np.frombuffer(content[: count * _POINT_BYTES], np.float64).reshape(-1, 2)
        return {}, np.ascontiguousarray(source.at(latlon), np.float32).tobytes()
    product = source.product
    told = [product.title, product.made_by, product.licence, product.credit]
    return {"dim": source.dim, "described": source.described, "product": told, "coverage": source.coverage}, b""


def _source(data: bytes, name: str) -> VectorSource:
    address = FileAddress(Path(name))
    if data.startswith(TIFF_MAGICS):
        from unigeoclip.embedders.files.raster import RasterVectors

        return RasterVectors(data, name, address)
    if data.startswith(b"PAR1"):
        from unigeoclip.embedders.files.table import TableVectors

        return TableVectors([data], name, address)
    raise InputError(f"{name} is neither a GeoTIFF nor a Parquet file: upload embeddings as one of these.")
