"""The Dutch surface model AHN: GeoTIFFs of 0.5 m that an index file of PDOK lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely
from rasterio.warp import transform_geom

from unigeoclip.errors import DownloadError, InputError, excerpt
from unigeoclip.sources.base import Found, RasterItem
from unigeoclip.sources.remote_raster import READ_AHEAD, copy_window
from unigeoclip.sources.selection import covering, longitude_m, outline
from unigeoclip.sources.web import bare

if TYPE_CHECKING:
    from pathlib import Path

    from unigeoclip.sources.base import Wanted
    from unigeoclip.sources.web import Web

__all__ = ["AhnSource"]

INDEX = "https://service.pdok.nl/rws/ahn/atom/downloads/dsm_05m/kaartbladindex.json"
CRS = "EPSG:28992"
LICENSE, CREDIT = "CC BY 4.0", "Actueel Hoogtebestand Nederland (AHN), Rijkswaterstaat"
MOST_SHEETS = 5_000
_PX_BYTES, _COMPRESSED = 4, 0.7
_BLOCK_BYTES = 500_000


class AhnSource:
    """Sheets of the surface model (dsm_05m).

    Args:
        rest: Address of another index of the same form; the surface model of PDOK if empty.

    Raises:
        InputError: It is something else.
    """

    def __init__(self, rest: str) -> None:
        if rest and not rest.startswith(("https://", "http://")):
            raise InputError(f"ahn:{excerpt(rest)}: write ahn: alone, or ahn:URL with the address of an index file.")
        self._index = rest or INDEX

    def find(self, wanted: Wanted, web: Web) -> Found[RasterItem]:
        """See `RasterSource.find`."""
        if wanted.modality != "surface":
            raise InputError("ahn: gives heights: use it for --surface.")
        said = web.get_json(self._index)
        sheets = said.get("features") if isinstance(said, dict) else None
        if not isinstance(sheets, list):
            raise DownloadError(f"{bare(self._index)} is no index of map sheets. Check the address.")
        south, west, north, east = wanted.bounds
        near = shapely.box(west, south, east, north)
        found: Found[RasterItem] = Found()
        usable = []
        for sheet in sheets[:MOST_SHEETS]:
            made = _sheet(sheet, near, wanted)
            if made == "":
                found.left_out["are described in a way that cannot be read"] += 1
            elif isinstance(made, tuple):
                usable.append(made)
        usable.sort(key=lambda each: each[0].name)
        chosen, found.coverage = covering([each[1] for each in usable], wanted.bounds)
        found.items = [usable[number][0] for number in chosen]
        return found

    def fetch(self, item: RasterItem, wanted: Wanted, path: Path, web: Web) -> bool:
        """See `RasterSource.fetch`."""
        return copy_window(web, lambda _again: item.url, wanted, path, CRS)


def _sheet(sheet: Any, near: shapely.Geometry, wanted: Wanted) -> tuple[RasterItem, shapely.Geometry] | str | None:
    """A sheet and where it lies; None if it is elsewhere, an empty text if it cannot be read."""
    try:
        properties, geometry = sheet["properties"], sheet["geometry"]
        url = str(properties["url"])
        first = geometry["coordinates"]
        while isinstance(first[0], list):
            first = first[0]
        if abs(float(first[0])) > 180:  # in meters, though GeoJSON has degrees
            geometry = transform_geom(CRS, "EPSG:4326", geometry)
        shape = outline(geometry)
        if shape is None or not url.startswith(("https://", "http://")):
            return ""
        here = shape.intersection(near)
        if here.is_empty:
            return None
        name = str(properties.get("kaartbladNr") or url.rpartition("/")[2].removesuffix(".tif"))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return ""
    step_m = 0.5
    while step_m * 2 <= wanted.ground_px_m:
        step_m *= 2
    area_m2 = here.area * longitude_m(0.0) * longitude_m(wanted.bounds[0])
    size = int(area_m2 / step_m**2 * _PX_BYTES * _COMPRESSED) + READ_AHEAD
    safe = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in name[:60])
    return RasterItem(
        name=safe,
        url=url,
        license=LICENSE,
        credit=CREDIT,
        page=bare(url),
        bytes=size,
        requests=2 + size // _BLOCK_BYTES,
    ), shape
