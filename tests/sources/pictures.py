"""Small pictures and heights, made."""

import io

import numpy as np
import rasterio
from PIL import Image
from rasterio.transform import from_bounds
from rasterio.warp import transform_bounds


def write_raster(path, bounds, *, size=(256, 256), bands=4, dtype="uint8", crs="EPSG:26919", nodata=None, array=None,
                 driver="COG", edges_in=None, **options):  # fmt: skip
    """A raster over an area (south, west, north, east); a ramp in each band, of another slope each."""
    south, west, north, east = bounds
    edges = transform_bounds("EPSG:4326", edges_in or crs, west, south, east, north, densify_pts=21)
    height, width = size if array is None else array.shape[1:]
    if array is None:
        ramp = np.add.outer(np.arange(height), np.arange(width))
        array = np.stack([(ramp * (band + 1) // 4 % 251) for band in range(bands)]).astype(dtype)
    profile = {"driver": driver, "count": len(array), "height": height, "width": width, "dtype": array.dtype.name,
               "crs": crs, "transform": from_bounds(*edges, width, height), "nodata": nodata}  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(path, "w", **profile, **options) as written:
        written.write(array)
    return path


def write_vast(path, bounds, *, side=100_000, crs="EPSG:26919"):
    """A picture of 40 GB, open to write, that takes little room on disk: what nobody writes is not in the file."""
    south, west, north, east = bounds
    edges = transform_bounds("EPSG:4326", crs, west, south, east, north, densify_pts=21)
    path.parent.mkdir(parents=True, exist_ok=True)
    return rasterio.open(path, "w", driver="GTiff", count=4, height=side, width=side, dtype="uint8", crs=crs,
                         transform=from_bounds(*edges, side, side), tiled=True, blockxsize=512, blockysize=512,
                         interleave="pixel", SPARSE_OK=True, BIGTIFF="YES")  # fmt: skip


def jpeg(width=64, height=48, shade=100):
    """A JPEG with a slope from left to right."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = shade
    pixels[..., 1] = np.linspace(0, 255, width)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG")
    return stream.getvalue()


def tile(z, x, y):
    """A map tile whose color says which it is."""
    stream = io.BytesIO()
    Image.new("RGB", (256, 256), (x % 256, y % 256, z)).save(stream, "PNG")
    return stream.getvalue()
