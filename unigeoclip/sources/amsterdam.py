"""Panoramas of the streets of Amsterdam, by the city."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unigeoclip.errors import DownloadError, InputError, excerpt
from unigeoclip.sources.base import UNREADABLE, PhotoItem
from unigeoclip.sources.photos import address, fetch_jpeg, place, save_name, time_of
from unigeoclip.sources.selection import photos_of
from unigeoclip.sources.web import bare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unigeoclip.geo import Bounds
    from unigeoclip.sources.base import Found, Wanted
    from unigeoclip.sources.web import Web

__all__ = ["AmsterdamSource"]

API = "https://api.data.amsterdam.nl/panorama/panoramas/"
LICENSE, CREDIT = "open data, with credit", "Gemeente Amsterdam, Panoramabeelden"
BOX_M = 250.0
PAGE = 100
MOST_PAGES = 2  # of one box
_TYPICAL_BYTES = 450_000  # of a panorama of 2,000 x 1,000 px


class AmsterdamSource:
    """The panoramas of the city's cars and boats.

    Args:
        rest: Address of another server of the same interface; the city's if empty.

    Raises:
        InputError: It is something else.
    """

    def __init__(self, rest: str) -> None:
        if rest and not rest.startswith(("https://", "http://")):
            raise InputError(f"amsterdam:{excerpt(rest)}: write amsterdam: alone.")
        self._api = rest or API

    def find(self, wanted: Wanted, web: Web) -> Found[PhotoItem]:
        """See `PhotoSource.find`."""
        return photos_of(wanted.bounds, BOX_M, lambda box: self._panoramas(box, web), _photo)

    def fetch(self, item: PhotoItem, web: Web) -> bytes:
        """See `PhotoSource.fetch`."""
        return fetch_jpeg(item.url, web)

    def _panoramas(self, box: Bounds, web: Web) -> Iterator[Any]:
        south, west, north, east = box
        query: dict[str, Any] | None = {
            "bbox": f"{west:.6f},{south:.6f},{east:.6f},{north:.6f}",
            "srid": 4326,
            "newest_in_range": "true",
            "page_size": PAGE,
        }
        url = self._api
        for _ in range(MOST_PAGES):
            said = web.get_json(url, query)
            try:
                listed, onward = said["_embedded"]["panoramas"], (said["_links"].get("next") or {}).get("href")
            except (KeyError, TypeError, AttributeError) as error:
                raise DownloadError(f"{bare(url)} did not answer as the city's service does.") from error
            yield from listed if isinstance(listed, list) else ()
            if not isinstance(onward, str) or not listed:
                return
            url, query = onward, None


def _photo(raw: Any) -> PhotoItem | str:
    """The panorama, or why it cannot be used.

    The pictures are turned by the publisher so that their middle is north, whatever way the car went. Where all three
    angles of the car are exactly 0, they are not known, and so neither is where the middle looks.
    """
    try:
        lat, lon = place(raw["geometry"]["coordinates"])
        url = address(raw["_links"]["equirectangular_small"]["href"])
        page = str(raw["_links"]["self"]["href"])
        identifier = str(raw["pano_id"])
        turned = any(float(raw.get(name) or 0.0) != 0.0 for name in ("heading", "pitch", "roll"))
    except (KeyError, TypeError, ValueError, AttributeError):
        return UNREADABLE
    return PhotoItem(
        name=save_name(identifier),
        url=url,
        lat=lat,
        lon=lon,
        heading=0.0 if turned else None,
        license=LICENSE,
        credit=CREDIT,
        time=time_of(raw.get("timestamp")),
        page=bare(page),
        projection="equirectangular",
        bytes=_TYPICAL_BYTES,
    )
