"""Compared maps as files of geographic information systems: GeoTIFF and GeoParquet."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.errors import InputError
from unigeoclip.similarity.grid_files import geotiff

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.compare.regions import Comparison
    from unigeoclip.similarity.grid import Grid

__all__ = ["colors_geotiff", "geoparquet"]


def colors_geotiff(grid: Grid, rgb: NDArray[np.uint8], describe: str = "") -> bytes:
    """Colours of cells as a GeoTIFF: red, green, blue and alpha, EPSG:4326, one pixel a cell, transparent off the grid.

    Args:
        grid: The cells.
        rgb: (n, 3) sRGB.
        describe: What they mean, for the file's description.

    Raises:
        InputError: The number of colours is not that of the cells.
    """
    if rgb.shape != (len(grid), 3):
        raise InputError(f"{len(grid)} cells need as many colours, (n, 3); got {rgb.shape}.")
    pixels = np.zeros((4, *grid.shape), np.uint8)
    pixels[:, grid.mask] = np.column_stack([rgb, np.full(len(rgb), 255, np.uint8)]).T
    return geotiff(grid, pixels, tags={"TIFFTAG_IMAGEDESCRIPTION": describe})


def geoparquet(comparison: Comparison, describe: dict[str, Any] | None = None) -> bytes:
    """The cells of a region with the vectors of every model, as GeoParquet.

    Args:
        comparison: The models, embedded completely or coarsely.
        describe: More columns, name -> (n, ...) values of the cells.

    Returns:
        A file with a point a row, in EPSG:4326: "area_km2", the columns of ``describe``, and one column a model, named
        like it, of ``dim`` float32 numbers.
    """
    import geopandas

    grid = comparison.region.grid
    columns: dict[str, Any] = {"area_km2": grid.area_km2} | (describe or {})
    columns |= {name.replace("-", "_"): list(embedded.vectors) for name, embedded in comparison.embedded.items()}
    points = geopandas.points_from_xy(grid.cells[:, 1], grid.cells[:, 0])
    file = io.BytesIO()
    geopandas.GeoDataFrame(columns, geometry=points, crs="EPSG:4326").to_parquet(file, compression="zstd")
    return file.getvalue()
