"""A photo from a street near a spot, out of Panoramax; of a panorama, what a camera sees that looks ahead."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from unigeoclip.errors import DownloadError
from unigeoclip.geo import METERS_PER_DEGREE, distance_m
from unigeoclip.sources.base import NO_LICENSE
from unigeoclip.sources.panoramax import API, PanoramaxSource
from unigeoclip.sources.photos import fetch_jpeg
from unigeoclip.sources.selection import longitude_m
from unigeoclip.sources.spot.picture import NothingThereError, SpotPicture, decoded, encoded, failed
from unigeoclip.uploads import panoramas

if TYPE_CHECKING:
    from unigeoclip.geo import Bounds
    from unigeoclip.sources.base import PhotoItem
    from unigeoclip.sources.web import Web

__all__ = ["STREET_HOSTS", "street_photo"]

STREET_HOSTS = (urlsplit(API).hostname or "",)
NEAR_M = 100.0  # searched first; a whole town has more photos than a search lists
STEP_M = 25.0  # photos within it count as equally near: the newest goes first
ATTEMPTS = 3  # photos that are tried
MOST_PHOTO_BYTES = 5_000_000  # in standard definition, 2,048 px wide, they have some 0.4 MB
PREVIEW_PX = (480, 360)
PANORAMA_PX = (2048, 1024)


def street_photo(lat: float, lon: float, reach_m: float, web: Web) -> SpotPicture:
    """A photo taken near a spot: the newest of the nearest.

    Args:
        lat: Of the spot, degrees.
        lon: Degrees.
        reach_m: How far away it may be, meters.
        web: Asks.

    Raises:
        NothingThereError: There is none, or none with a license.
        DownloadError: The service cannot be asked.
    """
    unlicensed = 0
    failure: DownloadError | None = None
    for reach in dict.fromkeys((min(NEAR_M, reach_m), reach_m)):
        photos, count = _near(lat, lon, reach, web)
        unlicensed = max(unlicensed, count)
        for photo, away_m in photos[:ATTEMPTS]:
            try:
                return _picture(photo, away_m, web)
            except DownloadError as error:
                failure = failure or failed(error, photo.url)
        if photos:
            break
    if failure is not None:
        raise failure
    why = f"; {unlicensed:,} without a license are left out" if unlicensed else ""
    raise NothingThereError(f"Panoramax has no street photo within {reach_m:,.0f} m{why}.")


def _near(lat: float, lon: float, reach_m: float, web: Web) -> tuple[list[tuple[PhotoItem, float]], int]:
    """Photos within reach with their distances, the best first; and how many have no license."""
    high, wide = reach_m / METERS_PER_DEGREE, reach_m / longitude_m(lat)
    box: Bounds = (max(lat - high, -90.0), max(lon - wide, -180.0), min(lat + high, 90.0), min(lon + wide, 180.0))
    photos, unlicensed = [], 0
    try:
        for photo in PanoramaxSource("").photos(box, web):
            if isinstance(photo, str):
                unlicensed += photo == NO_LICENSE
                continue
            away_m = float(distance_m((lat, lon), (photo.lat, photo.lon)))
            if away_m <= reach_m and _is_public(photo.url):
                photos.append((photo, away_m))
    except DownloadError as error:
        raise failed(error, API) from error
    photos.sort(key=lambda each: each[0].time, reverse=True)
    photos.sort(key=lambda each: each[1] // STEP_M)
    return photos, unlicensed


def _picture(photo: PhotoItem, away_m: float, web: Web) -> SpotPicture:
    data = fetch_jpeg(photo.url, web, MOST_PHOTO_BYTES)
    host = urlsplit(photo.url).hostname or ""
    if photo.projection == "equirectangular":
        whole = decoded(data, *PANORAMA_PX, host, "street")
        seen = panoramas.cut(whole, 0.0, *PREVIEW_PX)
        data = encoded(seen, "JPEG", quality=92)
    else:
        seen = decoded(data, *PREVIEW_PX, host, "street")
    return SpotPicture(
        modality="street",
        data=data,
        preview=encoded(seen, "WEBP", quality=80),
        lat=photo.lat,
        lon=photo.lon,
        license=photo.license,
        credit=photo.credit,
        host=host,
        time=photo.time,
        remark="Part of a panorama." if photo.projection == "equirectangular" else "",
        heading=photo.heading,
        distance_m=away_m,
    )


def _is_public(url: str) -> bool:
    """Whether an address that a service names is https at a host of the internet: nothing inside a network is asked."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return parts.scheme == "https" and "." in host and not host.endswith((".local", ".internal", ".localhost"))
    return False
