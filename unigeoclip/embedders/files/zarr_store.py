"""Embeddings in a Zarr store that describes them by the conventions ``geoemb:``, ``proj:`` and ``spatial:``.

See https://github.com/geo-embeddings/embeddings-zarr-convention and https://github.com/zarr-conventions/spatial. Read
are groups with one array of three axes: the numbers of the vectors, rows and columns, in any order that the array's
names of its axes give.
"""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.embedders.files.grid import GridVectors, PixelGrid
from unigeoclip.embedders.files.products import ALPHAEARTH, TESSERA, UNKNOWN, Product
from unigeoclip.errors import InputError, excerpt
from unigeoclip.extras import needs_extra

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from rasterio import Affine
    from rasterio.crs import CRS

    from unigeoclip.embedders.files.grid import Read

__all__ = ["ZarrVectors", "is_zarr"]

_MARKS = ("zarr.json", ".zgroup", ".zarray")  # of a group or an array, in both versions of the format
_NAME = "embeddings"  # of the array, where there are several
_DIMS = (2, 4096)
_LARGEST_CHUNK_BYTES = 256 * 2**20  # read for a single pixel
_DIMENSION, _TYPE, _QUANTIZATION = "geoemb:dimensions", "geoemb:type", "geoemb:quantization"


def is_zarr(path: Path) -> bool:
    """Whether a path is that of a Zarr store, or of a group in one."""
    return path.suffix == ".zarr" or any((path / name).exists() for name in _MARKS)


class ZarrVectors(GridVectors):
    """Embeddings in an array of a Zarr group."""

    def __init__(self, path: Path, *, bilinear: bool) -> None:
        """Look at the metadata; chunks are read when they are needed.

        Args:
            path: Folder of the group.
            bilinear: Whether vectors are interpolated between the four pixels around a point.

        Raises:
            InputError: It cannot be read, or does not describe embeddings on a grid.
            MissingPackageError: The extra "zarr" is not installed.
        """
        self._path = path
        group = _opened(path)
        said = _said(path, group)
        self._array = _array_of(path, group, said)
        axes = _axes(path, self._array, said)
        self._axes = axes  # of the numbers, rows and columns
        dim, height, width = (int(self._array.shape[axis]) for axis in axes)
        _check(path, self._array, dim, said)
        self._scale, self._offset, self._scales = _scale_of(path, group, said, (height, width))
        fill = self._array.metadata.fill_value
        self._fill = float(fill) if np.dtype(self._array.dtype).kind == "f" else math.nan
        grid = PixelGrid(height, width, _transform(path, said), _crs(path, said))
        _ = grid.bounds
        super().__init__(grid, dim, _product(said), f"{dim} numbers of a Zarr array", bilinear=bilinear)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Read]:
        def read(top: int, bottom: int, left: int, right: int) -> NDArray[np.float32]:
            numbers, rows, columns = self._axes
            window: list[slice] = [slice(None)] * 3
            window[rows], window[columns] = slice(top, bottom), slice(left, right)
            try:
                raw = np.transpose(self._array[tuple(window)], (rows, columns, numbers))
                scales = None if self._scales is None else np.asarray(self._scales[top:bottom, left:right], np.float32)
            except Exception as error:  # whatever a codec raises over damaged chunks
                raise InputError(f"{self._path} is damaged: {excerpt(str(error))}.") from error
            found: NDArray[np.float32] = raw.astype(np.float32) * np.float32(self._scale) + np.float32(self._offset)
            missing = ~np.isfinite(found).all(axis=-1)
            if math.isfinite(self._fill) and self._fill:
                missing |= (raw == self._fill).all(axis=-1)
            if scales is not None:
                missing |= ~np.isfinite(scales) | (scales == 0)
                found *= np.where(missing, 0, scales)[..., None]
            found[missing] = np.nan
            return found

        yield read


def _opened(path: Path) -> Any:
    with needs_extra("zarr"):
        import zarr
    try:
        return zarr.open_group(path, mode="r")
    except Exception as error:  # its own errors, and those of JSON that is none
        raise InputError(f"{path} cannot be read as a Zarr group: {excerpt(str(error))}.") from error


def _said(path: Path, group: Any) -> dict[str, Any]:
    """Attributes of the group over those of the store that holds it, where stores have a group a zone."""
    above = path.parent
    outer = dict(_opened(above).attrs) if is_zarr(above) else {}
    said = {key: value for key, value in outer.items() if str(key).startswith("geoemb:")} | dict(group.attrs)
    if _TYPE in said:
        return said
    raise InputError(
        f"{path} does not say what it holds: the attributes of its group lack {_TYPE} of the convention geoemb: "
        "(https://github.com/geo-embeddings/embeddings-zarr-convention)."
    )


def _array_of(path: Path, group: Any, said: Mapping[str, Any]) -> Any:
    arrays = {name: array for name, array in group.arrays() if array.ndim == 3}
    if _NAME in arrays:
        return arrays[_NAME]
    if len(arrays) == 1:
        return next(iter(arrays.values()))
    if not arrays and (inner := sorted(name for name, _ in group.groups())):
        raise InputError(
            f"{path} is kept in groups{' of UTM zones' if said.get('geoemb:spatial_layout') == 'utm_zones' else ''}: "
            f"give the path of one, {', '.join(str(path / name) for name in inner[:3])}."
        )
    raise InputError(
        f"{path} has {len(arrays)} arrays of three axes and none called {_NAME}: embeddings are one array of numbers, "
        "rows and columns. A year or another axis more is chosen by an export of its own."
    )


def _axes(path: Path, array: Any, said: Mapping[str, Any]) -> tuple[int, int, int]:
    """Which axis has the numbers, the rows and the columns."""
    names = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS")
    spatial = said.get("spatial:dimensions") or array.attrs.get("spatial:dimensions") or ["y", "x"]
    if not names or any(name is None for name in names):
        return 0, 1, 2  # the order of the convention where nobody says
    if not isinstance(spatial, list) or len(spatial) != 2 or not set(map(str, spatial)) < set(names):
        raise InputError(
            f"{path} has an array of {', '.join(map(str, names))}; which of them are rows and columns has to stand in "
            'spatial:dimensions, such as ["y", "x"].'
        )
    rows, columns = (list(names).index(name) for name in spatial)
    return 3 - rows - columns, rows, columns


def _check(path: Path, array: Any, dim: int, said: Mapping[str, Any]) -> None:
    if not _DIMS[0] <= dim <= _DIMS[1] or said.get(_DIMENSION) != dim:
        raise InputError(
            f"{path} says {_DIMENSION} {excerpt(str(said.get(_DIMENSION)))}, and its array has vectors of {dim}; they "
            f"have to agree and be {_DIMS[0]} to {_DIMS[1]}."
        )
    if np.dtype(array.dtype).kind not in "fiu":
        raise InputError(f"{path} holds {array.dtype}, not numbers.")
    chunk = math.prod(array.chunks) * np.dtype(array.dtype).itemsize
    if chunk > _LARGEST_CHUNK_BYTES:
        raise InputError(
            f"{path} is stored in chunks of {chunk / 2**20:,.0f} MB; at most {_LARGEST_CHUNK_BYTES / 2**20:,.0f} MB "
            "are read at once. Store it in smaller chunks."
        )


def _scale_of(
    path: Path, group: Any, said: Mapping[str, Any], shape: tuple[int, int]
) -> tuple[float, float, Any | None]:
    """Factor, summand and array of factors that turn what is stored into numbers."""
    stored = said.get(_QUANTIZATION)
    if stored is None:
        return 1.0, 0.0, None
    scale = stored.get("scale") if isinstance(stored, dict) else None
    scale = scale if isinstance(scale, dict) else {}
    kind = scale.get("type")
    if kind == "scalar":
        factor, summand = scale.get("scale"), scale.get("offset", 0.0)
        if all(isinstance(each, int | float) and math.isfinite(each) for each in (factor, summand)) and factor:
            return float(factor), float(summand), None
    elif kind == "array":
        found = dict(group.arrays()).get(str(scale.get("array_name")))
        if found is not None and found.shape == shape and np.dtype(found.dtype).kind == "f":
            return 1.0, 0.0, found
        raise InputError(f"{path} needs an array of factors, {shape[0]} x {shape[1]}, as its {_QUANTIZATION} says.")
    raise InputError(
        f"{path} is quantized in a way that is not read. Known are a factor for all numbers (scale of the type scalar) "
        "and one for each pixel (array)."
    )


def _transform(path: Path, said: Mapping[str, Any]) -> Affine:
    from rasterio import Affine

    values = said.get("spatial:transform")
    is_affine = said.get("spatial:transform_type", "affine") == "affine"
    is_six = isinstance(values, list) and len(values) == 6 and all(isinstance(each, int | float) for each in values)
    if not is_affine or not isinstance(values, list) or not is_six:
        raise InputError(f"{path} does not say where it lies: spatial:transform has to be six numbers.")
    transform = Affine(*values)
    if not np.isfinite(values).all() or transform.is_degenerate:
        raise InputError(f"{path} has pixels of no size: its spatial:transform is damaged.")
    if said.get("spatial:registration", "pixel") == "node":  # coordinates are those of the middles of pixels
        transform @= Affine.translation(-0.5, -0.5)
    return transform


def _crs(path: Path, said: Mapping[str, Any]) -> CRS:
    import json

    from rasterio.crs import CRS
    from rasterio.errors import CRSError

    code, text, parts = (said.get(f"proj:{name}") for name in ("code", "wkt2", "projjson"))
    try:
        if isinstance(code, str):
            return CRS.from_string(code)
        if isinstance(text, str):
            return CRS.from_wkt(text)
        if isinstance(parts, dict):
            return CRS.from_string(json.dumps(parts))
    except CRSError as error:
        raise InputError(f"{path} has an unknown coordinate reference system: {excerpt(str(error))}.") from error
    raise InputError(f"{path} does not say where it lies: it needs proj:code, such as EPSG:32619.")


def _product(said: Mapping[str, Any]) -> Product:
    model = excerpt(str(said.get("geoemb:model", "")))
    if "tessera" in model.lower():
        return TESSERA
    if "2507.22291" in model or "alphaearth" in model.lower():
        return ALPHAEARTH
    return Product(made_by=f"Made by the model {model}.") if model else UNKNOWN
