"""Values of the cells of a grid as files: Web Mercator pictures, GeoTIFF and GeoJSON."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image

from unigeoclip.errors import InputError
from unigeoclip.similarity.colormaps import png_texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from unigeoclip.atlas.provenance import Provenance
    from unigeoclip.similarity.grid import Grid

__all__ = ["cells_geojson", "colored_picture", "geotiff", "outline"]

_BLENDED: dict[str, Any] = {"quality": 88, "method": 2, "alpha_quality": 100}
_CLASSES: dict[str, Any] = {"lossless": True, "quality": 30, "method": 2}


def colored_picture(
    grid: Grid,
    rgb: NDArray[np.uint8],
    *,
    blend: bool = True,
    form: Literal["WEBP", "PNG"] = "WEBP",
    width_px: int | None = None,
    provenance: Provenance | None = None,
) -> bytes:
    """Draw colours of cells as a picture in Web Mercator (EPSG:3857), to be laid over ``grid.mercator_bounds``.

    Args:
        grid: The cells.
        rgb: (n, 3) sRGB, one colour per cell.
        blend: Whether colours pass into one another; colours that stand for classes must not.
        form: WebP, small and not exact where colours are blended, or PNG, exact.
        width_px: Width of the picture, `Grid.picture_width_px` by default; its height follows from the bounds.
        provenance: Kept in a PNG as the text "Provenance", in JSON.

    Raises:
        InputError: The number of colours is not that of the cells.
    """
    if rgb.shape != (len(grid), 3):
        raise InputError(f"A picture of {len(grid)} cells needs as many colours, (n, 3); got {rgb.shape}.")
    plan = grid.picture_plan(grid.picture_width_px if width_px is None else width_px)
    picture = np.zeros((*plan.shape, 4), np.uint8)
    pixels = picture.reshape(-1, 4)
    pixels[plan.pixels, :3] = np.rint(plan.weights @ rgb.astype(np.float32)) if blend else rgb[plan.leading_cells]
    pixels[plan.pixels, 3] = 255
    file = io.BytesIO()
    options = _BLENDED if blend else _CLASSES
    if form == "PNG":
        texts = {} if provenance is None else {"Provenance": provenance.json()}
        options = {"pnginfo": png_texts(texts)}
    Image.fromarray(picture, "RGBA").save(file, form, **options)
    return file.getvalue()


def _to_degrees(grid: Grid) -> Any:
    """The affine transform from (column, row) of a grid to (longitude, latitude)."""
    from rasterio import Affine

    _, west, north, _ = grid.bounds
    lat_step, lon_step = grid.step_deg
    return Affine(lon_step, 0, west, 0, -lat_step, north)


def geotiff(
    grid: Grid,
    raster: NDArray[Any],
    *,
    band: str = "",
    tags: Mapping[str, str] | None = None,
    band_tags: Mapping[str, str] | None = None,
    colors: Mapping[int, tuple[int, int, int, int]] | None = None,
) -> bytes:
    """A raster over a grid as a compressed GeoTIFF in EPSG:4326, one pixel a cell.

    Args:
        grid: The grid.
        raster: (h, w) float32, NaN for no data; (h, w) of whole numbers, 0 for no data; or (4, h, w) uint8: red, green,
            blue and alpha.
        band: Name of a single band.
        tags: More metadata, name -> text.
        band_tags: Of a single band, name -> text.
        colors: Of a single band of uint8: number -> red, green, blue and alpha.
    """
    from rasterio.enums import ColorInterp
    from rasterio.io import MemoryFile

    single, whole = raster.ndim == 2, np.issubdtype(raster.dtype, np.integer)
    bands = raster[None] if single else raster
    profile = {
        "driver": "GTiff", "height": grid.shape[0], "width": grid.shape[1], "count": len(bands),
        "dtype": raster.dtype.name, "crs": "EPSG:4326", "transform": _to_degrees(grid),
        "compress": "deflate", "predictor": 2 if whole else 3,
    }  # fmt: skip
    with MemoryFile() as memory:
        with memory.open(**profile, **({"nodata": 0 if whole else np.nan} if single else {})) as tiff:
            if colors:
                tiff.write_colormap(1, dict(colors))  # before the pixels: the file is then one with a palette
            tiff.write(bands)
            if single:
                tiff.set_band_description(1, band)
                tiff.update_tags(1, **(band_tags or {}))
            else:
                tiff.colorinterp = (ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha)
            if tags:
                tiff.update_tags(**tags)
        return bytes(memory.getbuffer())


def cells_geojson(grid: Grid, cells: NDArray[np.intp], similarities: NDArray[np.float32]) -> dict[str, Any]:
    """Cells as a GeoJSON FeatureCollection (RFC 7946) of polygons, each with its "similarity".

    Args:
        grid: The grid.
        cells: (n,) numbers of the cells to write, in this order.
        similarities: (n,) of these cells.
    """
    lat_step, lon_step = grid.step_deg
    features = []
    for (lat, lon), similarity in zip(grid.cells[cells].tolist(), similarities.tolist(), strict=True):
        west, east = round(lon - lon_step / 2, 6), round(lon + lon_step / 2, 6)
        south, north = round(lat - lat_step / 2, 6), round(lat + lat_step / 2, 6)
        # GeoJSON wants (longitude, latitude), the outer ring counter-clockwise.
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        features.append({
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "properties": {"similarity": round(similarity, 4)},
        })  # fmt: skip
    return {"type": "FeatureCollection", "features": features}


def outline(grid: Grid, inside: NDArray[np.bool_]) -> dict[str, Any]:
    """Where some cells end: a GeoJSON MultiPolygon (longitude, latitude), with the corners of cells rounded.

    Args:
        grid: The grid.
        inside: (n,) bool, of each of its cells.
    """
    import shapely
    from rasterio.features import shapes

    chosen = np.zeros(grid.shape, np.uint8)
    chosen[grid.mask] = inside
    blocks = [
        shapely.geometry.shape(shape) for shape, _ in shapes(chosen, mask=chosen > 0, transform=_to_degrees(grid))
    ]
    rounded, radius = shapely.MultiPolygon(blocks), 0.45 * min(grid.step_deg)
    for by in (-radius, 2 * radius, -radius):  # convex corners, then concave ones
        rounded = shapely.buffer(rounded, by, quad_segs=2)
    polygons = shapely.get_parts(rounded.simplify(radius / 8))
    rings = [[polygon.exterior, *polygon.interiors] for polygon in polygons]
    degrees = [[shapely.get_coordinates(ring).round(5).tolist() for ring in polygon] for polygon in rings]
    return {"type": "MultiPolygon", "coordinates": degrees}
