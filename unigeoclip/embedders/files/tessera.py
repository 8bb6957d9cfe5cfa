"""TESSERA's tiles as ``geotessera download --format npy`` writes them: int8, scales, and where they lie."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.embedders.files.grid import GridVectors, PixelGrid
from unigeoclip.embedders.files.products import TESSERA
from unigeoclip.embedders.files.raster import opened_raster
from unigeoclip.errors import InputError
from unigeoclip.files.atomic import reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from unigeoclip.embedders.files.address import FileAddress
    from unigeoclip.embedders.files.grid import Read

__all__ = ["TesseraTile"]

_DIM = 128
_LANDMASKS = "global_0.1_degree_tiff_all"  # folder beside that of the embeddings
_LEVELS = 3  # from a tile up to the folder that holds both


class TesseraTile(GridVectors):
    """One tile: ``grid_LON_LAT.npy``, ``grid_LON_LAT_scales.npy``, and the land mask ``grid_LON_LAT.tiff``."""

    def __init__(self, path: Path, address: FileAddress) -> None:
        """Look at the headers; pixels are read when they are needed.

        Raises:
            InputError: A file is missing, or is not what it should be.
        """
        self._values = _mapped(path)
        scales = address.scales or path.with_name(f"{path.stem}_scales.npy")
        if not scales.is_file():
            raise InputError(f"{path.name} needs its scales: {scales} is no file. Name it with scales=PATH.")
        self._scales = _mapped(scales)
        shape = self._values.shape
        if self._values.dtype != np.int8 or len(shape) != 3 or shape[2] != _DIM:
            raise InputError(
                f"{path.name} is {self._values.dtype} {shape}; a tile of TESSERA is int8 (rows, columns, {_DIM})."
            )
        if self._scales.dtype.kind != "f" or self._scales.shape not in (shape[:2], shape):
            raise InputError(f"{scales.name} is {self._scales.dtype} {self._scales.shape}, no scales of {path.name}.")
        mask = address.grid or _mask_of(path)
        with opened_raster(mask, mask.name) as dataset:
            if (dataset.height, dataset.width) != shape[:2] or dataset.crs is None:
                raise InputError(f"{mask} is not the land mask of {path.name}: it has other pixels, or lies nowhere.")
            grid = PixelGrid(dataset.height, dataset.width, dataset.transform, dataset.crs)
        super().__init__(grid, _DIM, TESSERA, "NPY tile read as tessera", bilinear=address.bilinear)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Read]:
        def read(top: int, bottom: int, left: int, right: int) -> NDArray[np.float32]:
            scales = self._scales[top:bottom, left:right].astype(np.float32)
            scales = scales[..., None] if scales.ndim == 2 else scales
            found: NDArray[np.float32] = self._values[top:bottom, left:right].astype(np.float32) * scales
            found[~(np.isfinite(scales) & (scales != 0)).all(axis=2)] = np.nan
            return found

        yield read


def _mapped(path: Path) -> NDArray[np.generic]:
    try:
        array: NDArray[np.generic] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path} cannot be read as a NumPy array: {reason(error)}.") from error
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path} holds several arrays; a tile of TESSERA is one, in a file .npy.")
    return array


def _mask_of(path: Path) -> Path:
    """The land mask of a tile, beside it or where geotessera puts it."""
    places = [path.with_suffix(ending) for ending in (".tiff", ".tif")]
    if len(path.resolve().parents) > _LEVELS:
        places.append(path.resolve().parents[_LEVELS] / _LANDMASKS / f"{path.stem}.tiff")
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise InputError(
            f"{path.name} does not say where it lies: its land mask {path.stem}.tiff is neither beside it nor in a "
            f"folder {_LANDMASKS}. Name it with grid=PATH."
        )
    return found
