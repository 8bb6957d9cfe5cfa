"""Writing Cloud-Optimized GeoTIFFs, the same bytes each time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rasterio.io import MemoryFile
from rasterio.transform import Affine

from unigeoclip.errors import AtlasError
from unigeoclip.files.atomic import write_bytes

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


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


def global_transform(height: int, width: int) -> Affine:
    """Transform of a raster in degrees that covers the whole Earth."""
    return Affine(360.0 / width, 0.0, -180.0, 0.0, -180.0 / height, 90.0)
