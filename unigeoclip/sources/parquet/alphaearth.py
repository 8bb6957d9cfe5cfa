"""AlphaEarth embeddings of an area, out of the GeoTIFFs that Source Cooperative mirrors.

The index is a table of all files with their boxes and years; of it the columns and row groups that are needed are read,
of the files the blocks of the area. One file covers 82 x 82 km of a UTM zone at 10 m, with 64 bands of int8.
"""

from __future__ import annotations

import itertools
import math
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import rasterio
import shapely
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.transform import from_origin
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from unigeoclip.errors import DownloadError, InputError, excerpt
from unigeoclip.files.atomic import atomic
from unigeoclip.sources.base import UNREADABLE, Found, RasterItem
from unigeoclip.sources.parquet.remote_table import open_table
from unigeoclip.sources.parquet.row_groups import check_groups, groups_touching
from unigeoclip.sources.remote_raster import READ_AHEAD, copy_window
from unigeoclip.sources.selection import covering, longitude_m

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow.parquet as pq

    from unigeoclip.geo import Bounds
    from unigeoclip.sources.base import Wanted
    from unigeoclip.sources.web import Web

__all__ = ["CREDIT", "HOST", "INDEX", "LICENSE", "AlphaEarthSource", "write_mosaic"]

HOST = "https://data.source.coop"
INDEX = f"{HOST}/tge-labs/aef/v1/annual/aef_index.parquet"
LICENSE = "CC BY 4.0"
CREDIT = "The AlphaEarth Foundations Satellite Embedding dataset is produced by Google and Google DeepMind."
PAGE = "https://source.coop/tge-labs/aef"
BANDS, PX_M, MISSING = 64, 10.0, -128
_BOX = ("wgs84_south", "wgs84_west", "wgs84_north", "wgs84_east")
_FILE = re.compile(r"tge-labs/aef/v1/annual/(20\d\d)/(\d\d?[NS])/([\w-]+)\.tiff?")
_COMPRESSED = 0.8
_BLOCK_PX = 256  # a block at each edge of the area is read whole
_REQUEST_BYTES = 60_000  # a block of one band: bands lie apart
_ROWS_AT_ONCE = 256


class AlphaEarthSource:
    """A vector for each 10 m of land and year.

    Args:
        rest: Year; the newest that covers the area if empty.

    Raises:
        InputError: It is no year.
    """

    def __init__(self, rest: str) -> None:
        if rest and not re.fullmatch(r"20\d\d", rest):
            raise InputError(f"alphaearth:{excerpt(rest)}: write alphaearth: alone, or alphaearth:YEAR such as 2024.")
        self._year = rest

    def find(self, wanted: Wanted, web: Web) -> Found[RasterItem]:
        """See `RasterSource.find`."""
        found: Found[RasterItem] = Found()
        files: dict[str, list[tuple[RasterItem, shapely.Geometry]]] = {}
        years = set()
        for row in _rows(wanted.bounds, web):
            made = _item(row, wanted)
            if made is None:
                found.left_out[UNREADABLE] += 1
                continue
            years.add(made[0].year)
            files.setdefault(made[0].year, []).append(made)
        if not files:
            return found
        year = self._year or max(files)
        if year not in files:
            raise InputError(f"AlphaEarth has {', '.join(sorted(years))} in the --bbox, not {year}.")
        # The zone that holds most of the area is the one that the others are fitted to.
        chosen = sorted(files[year], key=lambda each: (-_share(each[1], wanted.bounds), each[0].name))
        kept, found.coverage = covering([each[1] for each in chosen], wanted.bounds)
        found.items = [chosen[number][0] for number in kept]
        return found

    def fetch(self, item: RasterItem, wanted: Wanted, path: Path, web: Web) -> bool:
        """See `RasterSource.fetch`."""
        return copy_window(web, lambda _again: item.url, wanted, path)


def _rows(bounds: Bounds, web: Web) -> list[dict[str, Any]]:
    """Rows of the index whose box touches the area."""
    names = ["path", "year", *_BOX]
    with open_table(web, INDEX) as table:
        if lacking := [name for name in names if name not in table.schema_arrow.names]:
            raise DownloadError(f"{INDEX} has no column {lacking[0]}: it has changed its form.")
        groups = groups_touching(table.metadata, bounds, _BOX)
        check_groups(table.metadata, groups, names, INDEX)
        return [row for group in groups for row in _touching(table, group, bounds)]


def _touching(table: pq.ParquetFile, group: int, bounds: Bounds) -> list[dict[str, Any]]:
    """The names of files are read only where a box touches the area: they are most of the index."""
    south, west, north, east = bounds
    boxes = table.read_row_group(group, columns=[*_BOX], use_threads=False)
    here = pc.and_(
        pc.and_(pc.less(boxes[_BOX[0]], north), pc.greater(boxes[_BOX[2]], south)),
        pc.and_(pc.less(boxes[_BOX[1]], east), pc.greater(boxes[_BOX[3]], west)),
    )
    if not pc.any(here).as_py():
        return []
    names = table.read_row_group(group, columns=["path", "year"], use_threads=False)
    rows: list[dict[str, Any]] = pa.Table.from_arrays(
        [*boxes.columns, *names.columns], [*boxes.column_names, *names.column_names]
    ).filter(here).to_pylist()  # fmt: skip
    return rows


def _item(row: dict[str, Any], wanted: Wanted) -> tuple[RasterItem, shapely.Geometry] | None:
    path = _FILE.search(str(row["path"]))
    edges = [row[name] for name in _BOX]
    if path is None or not all(isinstance(edge, float) and math.isfinite(edge) for edge in edges):
        return None
    south, west, north, east = edges
    box = shapely.box(west, south, east, north)
    size = _bytes(box, wanted.bounds)
    return RasterItem(
        name=f"{path[1]}-{path[2]}-{path[3]}",
        url=f"{HOST}/{path[0]}",
        license=LICENSE,
        credit=CREDIT,
        year=path[1],
        page=PAGE,
        bytes=size,
        requests=2 + size // _REQUEST_BYTES,
    ), box


def _bytes(box: shapely.Geometry, bounds: Bounds) -> int:
    """About how many are read of a file: the area in whole blocks."""
    south, west, north, east = bounds
    left, lower, right, upper = shapely.intersection(box, shapely.box(west, south, east, north)).bounds
    wide = (right - left) * longitude_m((south + north) / 2) / PX_M + _BLOCK_PX
    high = (upper - lower) * longitude_m(0.0) / PX_M + _BLOCK_PX
    return int(wide * high * BANDS * _COMPRESSED) + READ_AHEAD


def _share(box: shapely.Geometry, bounds: Bounds) -> float:
    south, west, north, east = bounds
    return float(shapely.area(shapely.intersection(box, shapely.box(west, south, east, north))))


def write_mosaic(files: Sequence[Path], out: Path, bounds: Bounds, year: str) -> None:
    """Join files of one area into one GeoTIFF, in the system of the first; what it lacks is taken from the next.

    Vectors are copied, not mixed: a pixel of another zone goes to the nearest one.

    Args:
        files: Local GeoTIFFs of 64 bands.
        out: The file.
        bounds: South, west, north, east in degrees of the area.
        year: Of the embeddings.

    Raises:
        InputError: A file is none of AlphaEarth's, or the result cannot be written.
    """
    south, west, north, east = bounds
    with ExitStack() as stack:
        sources = [stack.enter_context(rasterio.open(path)) for path in files]
        for source in sources:
            if source.count != BANDS or set(source.dtypes) != {"int8"}:
                raise InputError(f"{source.name} has {source.count} bands of {source.dtypes[0]}, not 64 of int8.")
        crs = sources[0].crs
        left, lower, right, upper = transform_bounds("EPSG:4326", crs, west, south, east, north, densify_pts=21)
        left, upper = math.floor(left / PX_M) * PX_M, math.ceil(upper / PX_M) * PX_M
        width, height = math.ceil((right - left) / PX_M), math.ceil((upper - lower) / PX_M)
        grid = {"crs": crs, "transform": from_origin(left, upper, PX_M, PX_M), "width": width, "height": height}
        layers = [
            stack.enter_context(
                WarpedVRT(source, resampling=Resampling.nearest, src_nodata=MISSING, nodata=MISSING, **grid)
            )
            for source in sources
        ]
        profile = {**grid, "driver": "GTiff", "count": BANDS, "dtype": "int8", "nodata": MISSING, "tiled": True,
                   "blockxsize": 256, "blockysize": 256, "compress": "deflate", "bigtiff": "if_safer"}  # fmt: skip
        with (
            atomic(out, failures=(RasterioError,)) as temporary,
            rasterio.open(temporary, "w", **profile) as written,
        ):
            written.update_tags(
                TIFFTAG_COPYRIGHT=f"{LICENSE}. {CREDIT}", TIFFTAG_IMAGEDESCRIPTION=f"AlphaEarth embeddings, {year}",
                license=LICENSE, credit=CREDIT, year=year, source=PAGE,
            )  # fmt: skip
            edges = [*range(0, height, _ROWS_AT_ONCE), height]
            for first, last in itertools.pairwise(edges):
                window = Window(0, first, width, last - first)
                rows = np.full((BANDS, last - first, width), MISSING, np.int8)
                for layer in layers:
                    read = layer.read(window=window)
                    lacking = rows[0] == MISSING
                    rows[:, lacking] = read[:, lacking]
                written.write(rows, window=window)
