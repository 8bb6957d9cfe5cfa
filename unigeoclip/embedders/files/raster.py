"""Embeddings as the bands of a raster: GeoTIFF (a COG is one) or VRT; AlphaEarth, TESSERA, or plain numbers."""

from __future__ import annotations

import contextlib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import MemoryFile
from rasterio.windows import Window

from unigeoclip.embedders.files.grid import GridVectors, PixelGrid
from unigeoclip.embedders.files.products import ALPHAEARTH, TESSERA, UNKNOWN, Kind, Product
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from rasterio.io import DatasetReader

    from unigeoclip.embedders.files.address import FileAddress
    from unigeoclip.embedders.files.grid import Read

__all__ = ["RasterVectors", "opened_raster"]

_GDAL_OPTIONS = {
    "GDAL_CACHEMAX": 256,  # MB; by default a share of the machine's memory. Holds a block of each of 64 bands
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
}
_LARGEST_BLOCK_BYTES = 256 * 2**20  # of all bands: what GDAL reads for a single pixel
_BANDS = (2, 4096)
_ALPHAEARTH_BANDS, _TESSERA_BANDS = 64, 128
_ALPHAEARTH_NONE = -128
_WANTED = (
    "Known are 64 bands of int8 (AlphaEarth), 128 bands of int8 with a raster of scales (TESSERA) and bands of "
    "floating-point numbers; kind=float takes whole numbers as they are."
)


@contextlib.contextmanager
def opened_raster(source: Path | bytes, name: str) -> Iterator[DatasetReader]:
    """Open a raster; what GDAL complains about while it is open is an `InputError` that names it."""
    try:
        with warnings.catch_warnings(), rasterio.Env(**_GDAL_OPTIONS):
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # refused with a sentence
            if isinstance(source, bytes):
                with MemoryFile(source) as file, file.open(driver="GTiff") as dataset:
                    yield dataset
            else:
                driver = "VRT" if source.suffix.lower() == ".vrt" else "GTiff"  # no other: GDAL reads a hundred formats
                with rasterio.open(source, driver=driver) as dataset:
                    yield dataset
    except RasterioError as error:
        if isinstance(source, bytes):  # what GDAL says names a file that nobody knows
            raise InputError(f"{name} cannot be read as a GeoTIFF: it is damaged, or of another kind.") from error
        raise InputError(f"{name} cannot be read as a GeoTIFF or VRT: {error}.") from error


class RasterVectors(GridVectors):
    """Embeddings in the bands of a raster."""

    def __init__(self, source: Path | bytes, name: str, address: FileAddress) -> None:
        """Look at the header; pixels are read when they are needed.

        Args:
            source: The file, or its content.
            name: Of the file, for messages.
            address: How to read it.

        Raises:
            InputError: It cannot be read, says not where it lies, or holds no embeddings that are known.
        """
        self._source, self._name = source, name
        self._scales: Path | None = None
        with opened_raster(source, name) as dataset:
            self._kind, self._own_scale = _kind_of(dataset, name, address.kind), False
            dim = dataset.count
            if self._kind == "tessera":
                self._own_scale = dim == _TESSERA_BANDS + 1
                self._scales = None if self._own_scale else _scales_of(source, name, address, dataset)
                dim = _TESSERA_BANDS
            _check_blocks(dataset, name)
            grid = _grid_of(dataset, name)
            product = _product_of(dataset, self._kind)
            tags = dataset.tags()
            year = tags.get("TESSERA_YEAR", "")[:4]
        described = f"{dim} bands read as {self._kind}{f', {year}' if year.isdigit() else ''}"
        super().__init__(grid, dim, product, described, bilinear=address.bilinear)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Read]:
        with contextlib.ExitStack() as stack:
            dataset = stack.enter_context(opened_raster(self._source, self._name))
            if (dataset.height, dataset.width) != (self.grid.height, self.grid.width):
                raise InputError(f"{self._name} has changed since it was opened: start again.")
            scales = dataset if self._own_scale else None
            if self._scales is not None:
                scales = stack.enter_context(opened_raster(self._scales, self._scales.name))

            def read(top: int, bottom: int, left: int, right: int) -> NDArray[np.float32]:
                window = Window(left, top, right - left, bottom - top)
                raw = dataset.read(list(range(1, self.dim + 1)), window=window)
                if self._kind == "alphaearth":
                    found = _alphaearth(raw)
                elif self._kind == "tessera":
                    assert scales is not None
                    found = _scaled(raw, scales.read(scales.count if self._own_scale else 1, window=window))
                else:
                    found = _plain(raw, dataset)
                return np.moveaxis(found, 0, -1)

            yield read


def _alphaearth(raw: NDArray[np.int8]) -> NDArray[np.float32]:
    """The published mapping back to numbers; see the dataset's own description of its files."""
    part = raw.astype(np.float32) / np.float32(127.5)
    found: NDArray[np.float32] = np.sign(part) * part * part
    found[:, (raw == _ALPHAEARTH_NONE).any(axis=0)] = np.nan
    return found


def _scaled(raw: NDArray[np.int8], scales: NDArray[np.floating]) -> NDArray[np.float32]:
    found = raw.astype(np.float32) * scales.astype(np.float32)
    found[:, ~np.isfinite(scales) | (scales == 0)] = np.nan
    return found


def _plain(raw: NDArray[np.generic], dataset: DatasetReader) -> NDArray[np.float32]:
    found = raw.astype(np.float32)
    missing = ~np.isfinite(found)
    for band, nothing in enumerate(dataset.nodatavals):
        if nothing is not None and np.isfinite(nothing):
            missing[band] |= raw[band] == nothing
    if set(dataset.scales) != {1.0} or set(dataset.offsets) != {0.0}:
        scales, offsets = (np.array(each, np.float32)[:, None, None] for each in (dataset.scales, dataset.offsets))
        found = found * scales + offsets
    found[:, missing.any(axis=0)] = np.nan
    return found


def _kind_of(dataset: DatasetReader, name: str, asked: Kind | None) -> Kind:
    """What the bands are, by their number and type; checked if it was said.

    Raises:
        InputError: They are none of those that are known.
    """
    kinds, count = {np.dtype(each) for each in dataset.dtypes}, dataset.count
    if not _BANDS[0] <= count <= _BANDS[1]:
        raise InputError(f"{name} has {count} bands; embeddings have {_BANDS[0]} to {_BANDS[1]}, a band a number.")
    bytes_only = kinds == {np.dtype(np.int8)}
    mixed = count == _TESSERA_BANDS + 1 and {np.dtype(each) for each in dataset.dtypes[:-1]} == {np.dtype(np.int8)}
    found: Kind | None = None
    if bytes_only and count == _ALPHAEARTH_BANDS:
        found = "alphaearth"
    elif (bytes_only and count == _TESSERA_BANDS) or (mixed and np.dtype(dataset.dtypes[-1]).kind == "f"):
        found = "tessera"
    elif len(kinds) == 1 and next(iter(kinds)).kind == "f":
        found = "float"
    if asked in (None, found):
        if found is None:
            raise InputError(f"{name} has {count} bands of {', '.join(sorted(set(dataset.dtypes)))}. {_WANTED}")
        return found
    if asked == "float" and len(kinds) == 1 and next(iter(kinds)).kind in "iu":
        return "float"
    raise InputError(
        f"{name} has {count} bands of {', '.join(sorted(set(dataset.dtypes)))}, which cannot be read as {asked}. "
        f"{_WANTED}"
    )


def _product_of(dataset: DatasetReader, kind: Kind) -> Product:
    if kind == "alphaearth":
        return ALPHAEARTH
    names = dataset.tags(), dataset.descriptions[0] or ""
    return TESSERA if kind == "tessera" or "TESSERA_YEAR" in names[0] or names[1].startswith("Tessera") else UNKNOWN


def _grid_of(dataset: DatasetReader, name: str) -> PixelGrid:
    if dataset.crs is None or dataset.transform.is_identity:
        raise InputError(
            f"{name} does not say where it lies: it needs a coordinate reference system and a transform, as "
            "gdal_translate -a_srs EPSG:... -a_ullr ... writes them."
        )
    if dataset.transform.is_degenerate:
        raise InputError(f"{name} has pixels of no size: its transform is damaged.")
    grid = PixelGrid(dataset.height, dataset.width, dataset.transform, dataset.crs)
    _ = grid.bounds
    return grid


def _check_blocks(dataset: DatasetReader, name: str) -> None:
    """GDAL reads a file block by block: one block must fit into memory, whatever the size of the whole."""
    rows, columns = np.max(dataset.block_shapes, axis=0).tolist()
    held = sum(np.dtype(kind).itemsize for kind in dataset.dtypes) * rows * columns
    if held > _LARGEST_BLOCK_BYTES:
        raise InputError(
            f"{name} is stored in blocks of {columns:,} x {rows:,} pixels, {held / 2**20:,.0f} MB with all bands; at "
            f"most {_LARGEST_BLOCK_BYTES / 2**20:,.0f} MB are read at once. Store it in tiles: gdal_translate -of COG "
            "in.tif out.tif"
        )


def _scales_of(source: Path | bytes, name: str, address: FileAddress, dataset: DatasetReader) -> Path:
    """The raster of scales that belongs to bands of int8.

    Raises:
        InputError: There is none, or it is one of other pixels.
    """
    if isinstance(source, bytes):
        raise InputError(
            f"{name} has TESSERA's bands without their scales, which lie in a file of their own. Upload the GeoTIFF of "
            "floating-point numbers that geotessera download --format tiff writes."
        )
    path = address.scales or source.with_name(f"{source.stem}_scales{source.suffix}")
    if not path.is_file():
        raise InputError(f"{name} needs its raster of scales: {path} is no file. Name it with scales=PATH.")
    with opened_raster(path, path.name) as scales:
        same = (scales.height, scales.width) == (dataset.height, dataset.width)
        if scales.count != 1 or not same or not scales.transform.almost_equals(dataset.transform):
            raise InputError(f"{path} is not the raster of scales of {name}: it has other pixels or several bands.")
    return path
