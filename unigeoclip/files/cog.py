"""Writing Cloud-Optimized GeoTIFFs, the same bytes each time."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import rasterio
import rasterio.shutil
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile
from rasterio.transform import Affine
from rasterio.windows import Window

from unigeoclip.errors import AtlasError
from unigeoclip.files.atomic import atomic, write_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from rasterio.io import DatasetWriter

_BLOCK_PX = 512
_CACHE_BYTES = 256_000_000  # of decoded blocks while a raster is written block by block


def write_cog(
    path: Path,
    array: NDArray[np.generic],
    transform: Affine,
    *,
    crs: str = "EPSG:4326",
    nodata: float | None = None,
    **options: Any,
) -> None:
    """Write (c, h, w) as a COG with overviews, under a temporary name, then rename.

    Args:
        path: Where.
        array: (c, h, w) pixels.
        transform: Pixel to CRS coordinates.
        crs: Coordinate reference system.
        nodata: Value that means no data.
        options: Creation options of GDAL's COG driver (compress, quality, max_z_error, overview_resampling...).
    """
    profile = {
        "driver": "COG",
        "count": array.shape[0],
        "height": array.shape[1],
        "width": array.shape[2],
        "dtype": array.dtype.name,
        "crs": crs,
        "transform": transform,
        "nodata": nodata,
        "num_threads": 1,
    }
    # GDAL notices a full disk late or never, so that Python writes the bytes.
    with MemoryFile() as file:
        with file.open(**profile, **options) as dataset:
            dataset.write(array)
        write_bytes(path, bytes(file.getbuffer()), error=AtlasError)


@contextmanager
def cog_by_blocks(
    path: Path,
    shape: tuple[int, int, int],
    dtype: str,
    transform: Affine,
    *,
    crs: str,
    nodata: float | None = None,
    **options: Any,
) -> Iterator[DatasetWriter]:
    """Write a COG that need not fit into memory: window by window, in any order.

    Blocks that nothing was written to take no room; they are read as ``nodata``, or 0.

    Args:
        path: Where; a temporary raster lies beside it meanwhile.
        shape: Bands, rows, columns.
        dtype: Of the pixels.
        transform: Pixel to CRS coordinates.
        crs: Coordinate reference system.
        nodata: Value that means no data.
        options: Creation options of GDAL's COG driver.

    Yields:
        The raster to write into, in blocks of 512 pixels.

    Raises:
        AtlasError: It cannot be written.
    """
    count, height, width = shape
    profile = {"driver": "GTiff", "count": count, "height": height, "width": width, "dtype": dtype, "crs": crs,
               "transform": transform, "nodata": nodata, "tiled": True, "blockxsize": _BLOCK_PX,
               "blockysize": _BLOCK_PX, "compress": "ZSTD", "zstd_level": 1, "sparse_ok": True,
               "bigtiff": "IF_SAFER"}  # fmt: skip
    part = path.with_name(f"{path.stem}.part.tif")
    try:
        with rasterio.Env(GDAL_CACHEMAX=_CACHE_BYTES):
            with rasterio.open(part, "w", **profile) as dataset:
                yield dataset
            with atomic(path, error=AtlasError, failures=(RasterioError,)) as made:
                rasterio.shutil.copy(
                    part, made, driver="COG", num_threads=1, sparse_ok=True, blocksize=_BLOCK_PX, **options
                )
                _refuse_cut(made, shape)
    except RasterioError as error:
        raise AtlasError(f"{path} cannot be written: {error}. Make room on the disk.") from error
    finally:
        part.unlink(missing_ok=True)


def _refuse_cut(path: Path, shape: tuple[int, int, int]) -> None:
    """GDAL may not notice that a disk is full: the last pixel of a COG lies at its end."""
    with rasterio.open(path) as dataset:
        dataset.read(window=Window(shape[2] - 1, shape[1] - 1, 1, 1))


def global_transform(height: int, width: int) -> Affine:
    """Transform of a raster in degrees that covers the whole Earth."""
    return Affine(360.0 / width, 0.0, -180.0, 0.0, -180.0 / height, 90.0)
