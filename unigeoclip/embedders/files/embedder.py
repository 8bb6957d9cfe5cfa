"""An embedder whose vectors are read from a file: where it has none, neither has the embedder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from unigeoclip.embedders.base import Provenance
from unigeoclip.embedders.files.checksum import checksum_of
from unigeoclip.errors import InputError
from unigeoclip.geo import as_latlon

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from unigeoclip.embedders.files.address import FileAddress
    from unigeoclip.embedders.files.products import Product
    from unigeoclip.geo import Bounds

__all__ = ["FileEmbedder", "VectorSource", "open_source"]

_ROWS = 8192  # points that are looked up together
_NAME = re.compile(r"[^a-z0-9]+")
_RASTERS = (".tif", ".tiff", ".vrt")
_TABLES = (".parquet", ".geoparquet", ".pq")
_NO_LICENCE = "unknown; look it up before you publish"


class VectorSource(Protocol):
    """Vectors in a file, by position."""

    dim: int
    product: Product
    described: str

    @property
    def coverage(self) -> Bounds:
        """South, west, north, east of what the file covers, degrees."""

    def at(self, latlon: NDArray[np.float64]) -> NDArray[np.float32]:
        """(n, 2) degrees -> (n, dim), of any length; NaN where there is none."""


def open_source(address: FileAddress) -> tuple[VectorSource, list[Path]]:
    """What an address names, by the ending of its name, and the files that it consists of.

    Raises:
        InputError: There is no such file, or it holds no embeddings.
    """
    from unigeoclip.embedders.files.table import TableVectors
    from unigeoclip.embedders.files.zarr_store import ZarrVectors, is_zarr

    path = address.path
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if is_zarr(path):
        _check_unused(
            address, within=address.within_m, column=address.column, modality=address.modality, scales=address.scales,
            grid=address.grid, kind=address.kind,
        )  # fmt: skip
        files = sorted(each for each in path.rglob("*") if each.is_file())
        if not files:
            raise InputError(f"{path} is no Zarr store, but an empty folder or nothing.")
        return ZarrVectors(path, bilinear=address.bilinear), files
    if not files or not all(each.is_file() for each in files):
        raise InputError(
            f"{path} is no file of embeddings: give the path of a GeoTIFF, VRT, NPY or Parquet file or of a Zarr store."
        )
    ending = path.suffix.lower()
    if path.is_dir() or ending in _TABLES:
        _check_unused(
            address, sample=address.bilinear, scales=address.scales, grid=address.grid,
            kind=address.kind not in (None, "vectors"),
        )  # fmt: skip
        return TableVectors(files, path.name, address), files
    _check_unused(
        address, within=address.within_m, column=address.column, modality=address.modality,
        kind=address.kind == "vectors",
    )  # fmt: skip
    if ending == ".npy":
        from unigeoclip.embedders.files.tessera import TesseraTile

        return TesseraTile(path, address), [path]
    if ending in _RASTERS:
        from unigeoclip.embedders.files.raster import RasterVectors

        return RasterVectors(path, path.name, address), [path]
    raise InputError(
        f"{path.name} has an unknown ending. Files of embeddings end in {', '.join((*_RASTERS, *_TABLES, '.npy'))}."
    )


def _check_unused(address: FileAddress, **options: object) -> None:
    if wrong := next((name for name, value in options.items() if value), ""):
        raise InputError(f"{wrong}= does not apply to {address.path.name}: leave it out.")


class FileEmbedder:
    """Embeds points by the vectors that a file has for them."""

    is_private = False

    def __init__(self, source: VectorSource, address: FileAddress, checksum: str, name: str = "") -> None:
        """Wrap vectors; :meth:`from_address` opens a file.

        Args:
            source: The vectors.
            address: How the file is named.
            checksum: Of the file, in words.
            name: Of the embedder; by default of the file's name and checksum.
        """
        self._source, product, file = source, source.product, address.path.name
        short = _NAME.sub("-", address.path.stem.lower()).strip("-")[:30] or "embeddings"
        self.name: str = name or f"file-{short}-{checksum[-16:]}"
        self.title: str = f"{product.title} ({file})" if product.title else file
        self.dim: int = source.dim
        self.spelling: str = address.spelling
        self.credit: str = address.credit or product.credit
        licence = address.licence or product.licence or _NO_LICENCE
        self.provenance = Provenance(
            made_by=product.made_by,
            source=f"{file}, {checksum}: {source.dim} dimensions, {source.described}",
            licence=f"{licence}. Credit: {self.credit}" if self.credit else licence,
        )

    @classmethod
    def from_address(cls, address: FileAddress, name: str = "") -> FileEmbedder:
        """Open the file that an address names.

        Raises:
            InputError: There is no such file, it cannot be read, or it holds no embeddings that are known.
        """
        source, files = open_source(address)
        more = [each for each in (address.scales, address.grid) if each is not None]
        return cls(source, address, checksum_of([*files, *more]), name)

    @property
    def coverage(self) -> Bounds:
        """See `PartialEmbedder.coverage`."""
        return self._source.coverage

    def embed(self, latlon: ArrayLike) -> NDArray[np.float32]:
        """Embed points by what the file has there.

        Args:
            latlon: (n, 2) degrees, or one (lat, lon).

        Returns:
            (n, dim) float32, C-contiguous: rows of L2 norm 1, and rows of NaN where the file has no vector.

        Raises:
            InputError: Not coordinates, or the file cannot be read any more.
        """
        points = as_latlon(latlon)
        vectors = np.empty((len(points), self.dim), np.float32)
        for start in range(0, len(points), _ROWS):
            some = self._source.at(points[start : start + _ROWS])
            length = np.linalg.norm(some, axis=1, keepdims=True)
            usable = np.isfinite(length) & (length > 0)  # a vector of zeros points nowhere
            vectors[start : start + _ROWS] = np.where(usable, some / np.where(usable, length, 1), np.nan)
        return vectors
