"""AlphaEarth's index and files as the mirror has them, of made-up vectors."""

from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import rasterio
from rasterio.transform import Affine
from rasterio.warp import transform_bounds

from unigeoclip.sources.parquet.alphaearth import HOST

AEF_HOST = urlsplit(HOST).netloc
ROOT = "tge-labs/aef/v1/annual"
BOSTON = (42.340, -71.090, 42.350, -71.075)  # in zone 19
SIDE = 256


def vectors(rng, side=SIDE):
    """(64, side, side) of int8, different in each pixel, with a corner that has none."""
    found = rng.integers(-127, 128, (64, side, side), np.int8)
    found[:, :10, :10] = -128
    return found


def write_file(services, year, zone, name, epsg, west_m, north_m, bands, *, south_up=True, **options):
    """A file of the mirror, rows from south to north as there; returns its row in the index."""
    side = bands.shape[1]
    transform = Affine(10, 0, west_m, 0, -10, north_m)
    if south_up:
        transform, bands = Affine(10, 0, west_m, 0, 10, north_m - 10 * side), bands[:, ::-1]
    path = f"{ROOT}/{year}/{zone}/{name}.tiff"
    file = services.folder / AEF_HOST / path
    file.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        file, "w", driver="GTiff", count=64, width=side, height=side, dtype="int8", crs=f"EPSG:{epsg}", nodata=-128,
        transform=transform, **{"tiled": True, "blockxsize": 64, "blockysize": 64, "interleave": "band",
                                "compress": "deflate", "zlevel": 1} | options,
    ) as written:  # fmt: skip
        written.write(bands)
    west, south, east, north = transform_bounds(
        f"EPSG:{epsg}", "EPSG:4326", west_m, north_m - 10 * side, west_m + 10 * side, north_m
    )
    return {"fid": 1, "path": f"s3://us-west-2.opendata.source.coop/{path}", "year": year, "utm_zone": zone,
            "crs": f"EPSG:{epsg}", "wgs84_west": west, "wgs84_south": south, "wgs84_east": east,
            "wgs84_north": north}  # fmt: skip


def write_index(services, rows, group=50):
    """The index, with many other files before those given, as those of other zones are."""
    others = [{**rows[0], "path": f"s3://x/{ROOT}/2024/33N/{number}.tiff", "wgs84_west": 10.0, "wgs84_east": 11.0}
              for number in range(500)]  # fmt: skip
    path = services.folder / AEF_HOST / ROOT / "aef_index.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(others + rows), path, row_group_size=group)
    return path
