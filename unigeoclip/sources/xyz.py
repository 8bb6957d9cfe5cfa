"""Aerial pictures out of map tiles in Web Mercator: XYZ, WMTS and ArcGIS by one template."""

from __future__ import annotations

import io
import math
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
import rasterio
from PIL import Image
from rasterio.enums import ColorInterp
from rasterio.transform import Affine

from unigeoclip.errors import DownloadError, InputError, excerpt
from unigeoclip.files.atomic import atomic
from unigeoclip.geo import MERCATOR_HALF_M
from unigeoclip.sources.base import Found, RasterItem
from unigeoclip.sources.services import TILES, Tiles
from unigeoclip.sources.web import AbsentError, UnusableError, bare

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from unigeoclip.sources.base import Wanted
    from unigeoclip.sources.web import Web

__all__ = ["TILE_PX", "TileSource", "tile_url"]

TILE_PX = 256
SIDE = 8  # tiles across one GeoTIFF: what an interruption costs at most
MOST_TILES = 20_000
MOST_TILE_BYTES = 5_000_000
_TYPICAL_BYTES = 20_000
_FORMATS = ("JPEG", "PNG", "WEBP")
_MAP_M = 2 * MERCATOR_HALF_M  # width of Web Mercator


class TileSource:
    """A server of tiles: one of `TILES` by its name, or any by a template with {z}, {x}, and {y} or {-y}.

    Args:
        rest: Name or template.

    Raises:
        InputError: It is neither.
    """

    def __init__(self, rest: str) -> None:
        template = rest.replace("%7B", "{").replace("%7D", "}")
        self._tiles = TILES.get(rest) or Tiles(urlsplit(template).hostname or "", template)
        fields = set(re.findall(r"\{(-?\w+)\}", self._tiles.template))
        if not template.startswith(("https://", "http://")) and rest not in TILES:
            raise InputError(
                f"xyz:{excerpt(rest)} is unknown. Known are {', '.join(f'xyz:{name}' for name in TILES)}; any other "
                "server is xyz:URL with {z}, {x} and {y} in it."
            )
        if not ({"z", "x"} <= fields and fields & {"y", "-y"}) or fields - {"z", "x", "y", "-y"}:
            raise InputError(f"xyz:{excerpt(rest)} needs {{z}}, {{x}} and {{y}} (or {{-y}}) and no other braces.")

    def find(self, wanted: Wanted, web: Web) -> Found[RasterItem]:
        """See `RasterSource.find`; the server is not asked."""
        if wanted.modality != "aerial":
            raise InputError("xyz: gives pictures, not heights: use it for --aerial.")
        south, west, north, east = wanted.bounds
        zoom = self._zoom(wanted)
        left, top = _tile(north, west, zoom)
        right, bottom = _tile(south, east, zoom)
        columns, rows = range(int(left), int(right) + 1), range(int(top), int(bottom) + 1)
        if len(columns) * len(rows) > MOST_TILES:
            raise InputError(
                f"The --bbox takes {len(columns) * len(rows):,} tiles of zoom {zoom}; at most {MOST_TILES:,} are "
                "fetched. Choose a smaller one."
            )
        items = []
        for x in range(columns.start // SIDE, columns[-1] // SIDE + 1):
            for y in range(rows.start // SIDE, rows[-1] // SIDE + 1):
                across = range(max(x * SIDE, columns.start), min((x + 1) * SIDE, columns.stop))
                down = range(max(y * SIDE, rows.start), min((y + 1) * SIDE, rows.stop))
                count = len(across) * len(down)
                items.append(
                    RasterItem(
                        name=f"{zoom}-{across.start}-{down.start}",
                        url=self._tiles.template,
                        license=self._tiles.license,
                        credit=self._tiles.credit or self._tiles.title,
                        page=bare(self._tiles.template.partition("{")[0]),
                        bytes=count * _TYPICAL_BYTES,
                        requests=count,
                        detail={"z": zoom, "x": across.start, "y": down.start, "w": len(across), "h": len(down)},
                    )
                )
        return Found(items, coverage=None)

    def fetch(self, item: RasterItem, wanted: Wanted, path: Path, web: Web) -> bool:
        """See `RasterSource.fetch`."""
        zoom, left, top, width, height = (int(item.detail[name]) for name in "zxywh")
        pixels = np.zeros((4, height * TILE_PX, width * TILE_PX), np.uint8)
        for row in range(height):
            for column in range(width):
                tile = self._picture(zoom, left + column, top + row, web)
                if tile is not None:
                    at = slice(row * TILE_PX, (row + 1) * TILE_PX), slice(column * TILE_PX, (column + 1) * TILE_PX)
                    pixels[(slice(None), *at)] = tile
        if not pixels[3].any():
            return False
        size_m = _MAP_M / 2**zoom
        step_m = size_m / TILE_PX
        corner = -_MAP_M / 2 + left * size_m, _MAP_M / 2 - top * size_m
        profile = {
            "driver": "GTiff",
            "count": 4,
            "dtype": "uint8",
            "width": pixels.shape[2],
            "height": pixels.shape[1],
            "crs": "EPSG:3857",
            "transform": Affine(step_m, 0, corner[0], 0, -step_m, corner[1]),
            "tiled": True,
            "compress": "deflate",
            "photometric": "rgb",
        }
        with atomic(path, error=DownloadError) as temporary, rasterio.open(temporary, "w", **profile) as written:
            written.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
            written.write(pixels)
        return True

    def _zoom(self, wanted: Wanted) -> int:
        """The coarsest zoom whose pixels are fine enough, or the finest that there is."""
        lat = math.radians((wanted.bounds[0] + wanted.bounds[2]) / 2)
        zoom = math.log2(_MAP_M * math.cos(lat) / TILE_PX / wanted.ground_px_m)
        return min(max(math.ceil(zoom - 0.01), 0), self._tiles.largest_zoom)

    def _picture(self, z: int, x: int, y: int, web: Web) -> NDArray[np.uint8] | None:
        """Red, green, blue and opacity of a tile, (4, TILE_PX, TILE_PX); None if the server has none."""
        url = tile_url(self._tiles.template, z, x, y)
        try:
            data = web.get(url, types=("image/",), most_bytes=MOST_TILE_BYTES)
        except AbsentError:
            return None
        try:
            with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
                if opened.size not in ((TILE_PX, TILE_PX), (2 * TILE_PX, 2 * TILE_PX)):
                    raise DownloadError(
                        f"{bare(url)} is a picture of {opened.width} x {opened.height}, not a map tile."
                    )
                small = opened.convert("RGBA")
                if small.width != TILE_PX:
                    small = small.reduce(small.width // TILE_PX)
        except (OSError, SyntaxError, ValueError, TypeError, Image.DecompressionBombError) as error:
            raise UnusableError(f"{bare(url)} is no picture that can be read.") from error
        return np.moveaxis(np.asarray(small), 2, 0)


def tile_url(template: str, z: int, x: int, y: int) -> str:
    """Address of a tile."""
    for name, value in (("{z}", z), ("{x}", x), ("{y}", y), ("{-y}", 2**z - 1 - y)):
        template = template.replace(name, str(value))
    return template


def _tile(lat: float, lon: float, zoom: int) -> tuple[float, float]:
    """Column and row of a point, with fractions."""
    y = math.asinh(math.tan(math.radians(lat)))
    return (lon + 180) / 360 * 2**zoom, (1 - y / math.pi) / 2 * 2**zoom
