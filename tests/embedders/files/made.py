"""Made files of embeddings in the layouts of the published ones."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import rasterio
import shapely
from rasterio.transform import Affine, from_origin

BOSTON_UTM = (328_000.0, 4_692_000.0)  # west, north of a raster in EPSG:32619, meters
NAMES = [f"A{number:02d}" for number in range(64)]


def unit_vectors(shape, dim, seed=0):
    """(*shape, dim) unit vectors that change slowly from pixel to pixel."""
    rng = np.random.default_rng(seed)
    rows, columns = np.meshgrid(*(np.linspace(0, 3, side) for side in shape), indexing="ij")
    waves = rng.normal(size=(3, dim))
    phase = rows[..., None] * waves[0] + columns[..., None] * waves[1] + waves[2]
    vectors = np.sin(phase) + 0.3
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def quantized(vectors):
    """AlphaEarth's int8 of unit vectors."""
    steps = np.sign(vectors) * np.sqrt(np.abs(vectors)) * 127.5
    return np.clip(np.rint(steps), -127, 127).astype(np.int8)


def write_raster(path, bands, *, transform=None, crs="EPSG:32619", names=(), tags=None, **options):
    """Bands (count, rows, columns) as a GeoTIFF."""
    transform = from_origin(*BOSTON_UTM, 10, 10) if transform is None else transform
    count, height, width = bands.shape
    with rasterio.open(
        path, "w", driver="GTiff", count=count, height=height, width=width, dtype=bands.dtype, crs=crs,
        transform=transform, **{"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate"} | options,
    ) as dataset:  # fmt: skip
        dataset.write(bands)
        for band, name in enumerate(names):
            dataset.set_band_description(band + 1, name)
        dataset.update_tags(**(tags or {}))
    return path


def write_alphaearth(path, vectors, missing=None, *, south_up=False):
    """AlphaEarth's layout; ``missing`` (rows, columns) have no vector; south-up as some mirrors keep it."""
    steps = np.moveaxis(quantized(vectors), -1, 0)
    if missing is not None:
        steps[:, missing] = -128
    transform = None
    if south_up:
        west, north = BOSTON_UTM
        transform = Affine(10, 0, west, 0, 10, north - 10 * vectors.shape[0])
        steps = steps[:, ::-1]
    return write_raster(path, steps, transform=transform, names=NAMES, nodata=-128)


def positions(rows, columns, *, transform=None, crs="EPSG:32619", within=0.5):
    """(n, 2) degrees of points in pixels, by default their centers."""
    from rasterio.warp import transform as warp

    transform = from_origin(*BOSTON_UTM, 10, 10) if transform is None else transform
    x = transform.c + transform.a * (np.asarray(columns) + within)
    y = transform.f + transform.e * (np.asarray(rows) + within)
    lon, lat = warp(crs, "EPSG:4326", np.ravel(x).tolist(), np.ravel(y).tolist())
    return np.stack([lat, lon], axis=1)


def write_table(path, latlon, vectors, *, lat="lat", lon="lon", column="embedding", kind=None, fixed=False, more=None):
    """A Parquet file with columns of degrees, and lists of numbers, of which None is no vector."""
    kind = kind or pa.float32()
    lists = pa.list_(kind, len(vectors[0])) if fixed else pa.list_(kind)
    table = {lat: latlon[:, 0], lon: latlon[:, 1], column: pa.array(list(vectors), lists), **(more or {})}
    pq.write_table(pa.table(table), path, row_group_size=64)
    return path


def write_geoparquet(path, latlon, vectors, *, column="vector", half_side_deg=0.01, crs=None, geometries=None):
    """GeoParquet with squares around positions, as Clay's files have it."""
    boxes = geometries
    if boxes is None:
        lat, lon = latlon.T
        side = half_side_deg
        boxes = shapely.box(lon - side, lat - side, lon + side, lat + side)
    told = {"encoding": "WKB", "geometry_types": ["Polygon"]} | ({} if crs is None else {"crs": crs})
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": told}}
    table = pa.table({"geometry": shapely.to_wkb(boxes), column: pa.array(list(vectors), pa.list_(pa.float32()))})
    pq.write_table(table.replace_schema_metadata({b"geo": json.dumps(geo).encode()}), path)
    return path


def spread_out(count_lat, count_lon, step_deg=0.02, south=42.3, west=-71.1):
    """(n, 2) degrees of a regular grid."""
    lat, lon = np.meshgrid(
        south + step_deg * np.arange(count_lat), west + step_deg * np.arange(count_lon), indexing="ij"
    )
    return np.stack([lat.ravel(), lon.ravel()], axis=1)
