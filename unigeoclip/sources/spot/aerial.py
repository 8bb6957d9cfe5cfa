"""The present aerial picture of a spot, out of the map tiles of an open service that has the place.

Tiles are in Web Mercator, windows of atlases in local meters: the window is sampled out of the tiles, north up.
"""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
from scipy import ndimage

from unigeoclip.errors import DownloadError
from unigeoclip.geo import MERCATOR_HALF_M, offset_m, overlap, web_mercator
from unigeoclip.sources.services import TILES, Tiles
from unigeoclip.sources.spot.picture import NothingThereError, SpotPicture, decoded, encoded, failed, is_blank
from unigeoclip.sources.web import AbsentError
from unigeoclip.sources.xyz import TILE_PX, tile_url

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.geo import Bounds
    from unigeoclip.sources.web import Web

__all__ = ["aerial_hosts", "aerial_picture"]

SIDE_PX = 256
LEAST_PX = 200  # of the tiles across the window
MOST_TILE_BYTES = 1_000_000
LARGEST_LAT_DEG = 80.0  # tiles end at 85 degrees, and a window reaches beyond its center
DAYS_AGO = 2  # the last day of which all satellite passes have been processed
_MAP_M = 2 * MERCATOR_HALF_M
_DAY = "{day}"

# Any day since 2018, without a key; https://nasa-gibs.github.io/gibs-api-docs/
_DAILY = Tiles(
    "satellite picture of the VIIRS instrument, 250 m",
    "https://gibs.earthdata.nasa.gov/wmts/epsg3857/best/VIIRS_NOAA20_CorrectedReflectance_TrueColor/default/"
    f"{_DAY}/GoogleMapsCompatible_Level9/{{z}}/{{y}}/{{x}}.jpg",
    "free use with credit",
    "NASA EOSDIS GIBS, NOAA-20 VIIRS",
    9,
)


@dataclass(frozen=True)
class _Choice:
    """Tiles that may show a spot: where they are, and how wide windows of them make sense."""

    tiles: Tiles
    where: Bounds
    least_m: float = 0.0
    most_m: float = 20_000.0
    time: str = ""
    remark: str = ""


_CHOICES = (
    _Choice(TILES["massgis-2021"], (41.23, -73.51, 42.89, -69.92), time="2021"),
    _Choice(TILES["naip"], (24.4, -125.0, 49.4, -66.9), remark="The latest of its state."),
    _Choice(TILES["pdok-ortho"], (50.75, 3.35, 53.56, 7.23), remark="The latest of the country."),
    _Choice(_DAILY, (-LARGEST_LAT_DEG, -180.0, LARGEST_LAT_DEG, 180.0), 50_000.0, 2_000_000.0, _DAY,
            "One day, with its clouds."),
)  # fmt: skip


def aerial_hosts(bounds: Bounds, window_m: float) -> tuple[str, ...]:
    """Hosts that may be asked for aerial pictures of an area (south, west, north, east in degrees)."""
    fitting = [each for each in _CHOICES if overlap(each.where, bounds) and each.least_m <= window_m <= each.most_m]
    return tuple(_host(each.tiles) for each in fitting)


def aerial_picture(
    lat: float, lon: float, window_m: float, web: Web, today: datetime.date | None = None
) -> SpotPicture:
    """The present picture of a window, north up, from the first service that has it.

    Args:
        lat: Of its center, degrees.
        lon: Degrees.
        window_m: Its side, meters.
        web: Asks.
        today: The present day; UTC's by default.

    Raises:
        NothingThereError: No service that is known has it.
        DownloadError: A service that may have it cannot be asked.
    """
    fitting = [each for each in _CHOICES if _is_in(lat, lon, each.where) and each.least_m <= window_m <= each.most_m]
    failure: DownloadError | None = None
    for choice in fitting:
        dated = _dated(choice, today or datetime.datetime.now(datetime.UTC).date())
        try:
            pixels = _window(dated.tiles, lat, lon, window_m, web)
        except AbsentError:
            continue
        except DownloadError as error:
            failure = failure or failed(error, dated.tiles.template)
            continue
        if not is_blank(pixels):
            return _picture(dated, lat, lon, window_m, pixels)
    if failure is not None:
        raise failure
    if not fitting:
        raise NothingThereError("No open source of aerial pictures is known for this place.")
    raise NothingThereError(f"No aerial picture of this spot at {' or '.join(_host(each.tiles) for each in fitting)}.")


def _picture(choice: _Choice, lat: float, lon: float, window_m: float, pixels: NDArray[np.uint8]) -> SpotPicture:
    return SpotPicture(
        modality="aerial",
        data=encoded(pixels, "PNG"),
        preview=encoded(pixels, "WEBP", quality=85),
        lat=lat,
        lon=lon,
        license=choice.tiles.license,
        credit=choice.tiles.credit,
        host=_host(choice.tiles),
        time=choice.time,
        remark=choice.remark,
        across_m=window_m,
    )


def _dated(choice: _Choice, today: datetime.date) -> _Choice:
    """The choice for the last day that is complete, where it has one picture for each day."""
    day = (today - datetime.timedelta(days=DAYS_AGO)).isoformat()
    tiles = replace(choice.tiles, template=choice.tiles.template.replace(_DAY, day))
    return replace(choice, tiles=tiles, time=choice.time.replace(_DAY, day))


def _window(tiles: Tiles, lat: float, lon: float, window_m: float, web: Web) -> NDArray[np.uint8]:
    """The window, (SIDE_PX, SIDE_PX, 3), bilinear.

    Raises:
        AbsentError: The service lacks a tile of it.
        DownloadError: It cannot be asked.
    """
    zoom = _zoom(tiles, lat, window_m)
    steps = ((np.arange(SIDE_PX) + 0.5) / SIDE_PX - 0.5) * window_m
    east, north = np.meshgrid(steps, -steps)
    points = offset_m(np.array([lat, lon]), east, north)
    # Longitudes go on beyond 180 degrees, so that no window is torn apart there.
    points[..., 1] = lon + (points[..., 1] - lon + 180) % 360 - 180
    columns, rows = (web_mercator(points) * [1, -1] + _MAP_M / 2).transpose(2, 0, 1) / _MAP_M * 2**zoom
    left, top = math.floor(columns.min()), math.floor(rows.min())
    mosaic = np.concatenate([
        np.concatenate([_tile(tiles, zoom, x, y, web) for x in range(left, math.floor(columns.max()) + 1)], axis=1)
        for y in range(top, math.floor(rows.max()) + 1)
    ])  # fmt: skip
    at = np.stack([rows - top, columns - left]) * TILE_PX - 0.5
    bands = [ndimage.map_coordinates(mosaic[..., band], at, order=1, mode="nearest") for band in range(3)]
    return np.stack(bands, axis=-1)


def _zoom(tiles: Tiles, lat: float, window_m: float) -> int:
    """The coarsest zoom that has `LEAST_PX` across the window, or the finest that there is."""
    zoom = math.log2(_MAP_M * math.cos(math.radians(lat)) / TILE_PX * LEAST_PX / window_m)
    return min(max(math.ceil(zoom), 0), tiles.largest_zoom)


def _tile(tiles: Tiles, zoom: int, x: int, y: int, web: Web) -> NDArray[np.uint8]:
    url = tile_url(tiles.template, zoom, x % 2**zoom, min(max(y, 0), 2**zoom - 1))
    data = web.get(url, types=("image/",), most_bytes=MOST_TILE_BYTES)
    return decoded(data, TILE_PX, TILE_PX, _host(tiles))


def _host(tiles: Tiles) -> str:
    return urlsplit(tiles.template).hostname or ""


def _is_in(lat: float, lon: float, where: Bounds) -> bool:
    return where[0] <= lat <= where[2] and where[1] <= lon <= where[3]
