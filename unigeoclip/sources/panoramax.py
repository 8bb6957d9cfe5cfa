"""Street photos of Panoramax, a federation of servers with one search; each photo has its own license and maker."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from unigeoclip.errors import DownloadError, InputError, excerpt
from unigeoclip.sources.base import NO_LICENSE, UNREADABLE, PhotoItem
from unigeoclip.sources.photos import address, angle, fetch_jpeg, is_panorama, place, save_name, text, time_of
from unigeoclip.sources.selection import photos_of
from unigeoclip.sources.services import license_of
from unigeoclip.sources.web import bare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unigeoclip.geo import Bounds
    from unigeoclip.sources.base import Found, Wanted
    from unigeoclip.sources.web import Web

__all__ = ["PanoramaxSource"]

API = "https://api.panoramax.xyz/api"
BOX_M = 250.0
PAGE = 100
MOST_PAGES = 3  # of one box
_TYPICAL_BYTES = 400_000  # of a picture in standard definition, 2,048 px wide


class PanoramaxSource:
    """The whole federation, or one server of it.

    Args:
        rest: Address of a server's API; that of the federation if empty.

    Raises:
        InputError: It is something else.
    """

    def __init__(self, rest: str) -> None:
        if rest and not rest.startswith(("https://", "http://")):
            raise InputError(f"panoramax:{excerpt(rest)}: write panoramax: alone, or panoramax:URL of a server's API.")
        self._api = (rest or API).rstrip("/")

    def find(self, wanted: Wanted, web: Web) -> Found[PhotoItem]:
        """See `PhotoSource.find`."""
        return photos_of(wanted.bounds, BOX_M, lambda box: self._features(box, web), lambda raw: _photo(raw, self._api))

    def photos(self, box: Bounds, web: Web) -> Iterator[PhotoItem | str]:
        """All that is listed of a box of `BOX_M` at most; of what cannot be used, why.

        Raises:
            DownloadError: The service cannot be asked.
        """
        return (_photo(raw, self._api) for raw in self._features(box, web))

    def fetch(self, item: PhotoItem, web: Web) -> bytes:
        """See `PhotoSource.fetch`."""
        return fetch_jpeg(item.url, web)

    def _features(self, box: Bounds, web: Web) -> Iterator[Any]:
        south, west, north, east = box
        query: dict[str, Any] | None = {"bbox": f"{west:.6f},{south:.6f},{east:.6f},{north:.6f}", "limit": PAGE}
        url = f"{self._api}/search"
        for _ in range(MOST_PAGES):
            said = web.get_json(url, query)
            features = said.get("features") if isinstance(said, dict) else None
            if not isinstance(features, list):
                raise DownloadError(f"{bare(url)} did not answer as Panoramax does. Check the address.")
            yield from features
            links = said.get("links")
            onward = [link.get("href") for link in links if isinstance(link, dict)
                      and link.get("rel") == "next"] if isinstance(links, list) else []  # fmt: skip
            if not features or not onward or not isinstance(onward[0], str):
                return
            url, query = onward[0], None


def _photo(raw: Any, api: str) -> PhotoItem | str:
    """The photo, or why it cannot be used."""
    try:
        properties, assets = raw["properties"], raw["assets"]
        lat, lon = place(raw["geometry"]["coordinates"])
        url = next(address(assets[name]["href"]) for name in ("sd", "hd") if name in assets)
        identifier, said = str(raw["id"]), license_of(properties.get("license"))
    except (KeyError, TypeError, ValueError, StopIteration, AttributeError):
        return UNREADABLE
    if not said:
        return NO_LICENSE
    camera = properties.get("pers:interior_orientation")
    maker = text(properties.get("geovisio:producer")) or _maker(raw.get("providers") or properties.get("providers"))
    return PhotoItem(
        name=save_name(identifier),
        url=url,
        lat=lat,
        lon=lon,
        heading=angle(properties.get("view:azimuth")),
        license=said,
        credit=f"{maker}, Panoramax" if maker else "Panoramax",
        time=time_of(properties.get("datetime")),
        page=f"{api}/pictures/{identifier}" if re.fullmatch(r"[\w-]{1,64}", identifier) else "",
        projection="equirectangular" if is_panorama(camera) else "perspective",
        bytes=_TYPICAL_BYTES,
    )


def _maker(providers: Any) -> str:
    if not isinstance(providers, list):
        return ""
    return ", ".join(text(each.get("name")) for each in providers if isinstance(each, dict) and each.get("name"))
