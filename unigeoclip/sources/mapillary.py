"""Street photos of Mapillary, for whoever has a token: it is read from the environment and kept nowhere."""

from __future__ import annotations

import datetime
import os
from typing import TYPE_CHECKING, Any

from unigeoclip.errors import DownloadError, InputError, excerpt
from unigeoclip.sources.base import UNREADABLE, PhotoItem
from unigeoclip.sources.photos import angle, fetch_jpeg, place, save_name, text
from unigeoclip.sources.selection import photos_of
from unigeoclip.sources.web import UnusableError, bare

if TYPE_CHECKING:
    from unigeoclip.geo import Bounds
    from unigeoclip.sources.base import Found, Wanted
    from unigeoclip.sources.web import Web

__all__ = ["TOKEN", "MapillarySource"]

TOKEN = "MAPILLARY_TOKEN"  # name of the environment variable
API = "https://graph.mapillary.com"
LICENSE = "CC BY-SA 4.0"
BOX_M = 250.0  # wider boxes run into the time limit of the service
PAGE = 100
_FIELDS = (
    "id,computed_geometry,geometry,computed_compass_angle,compass_angle,captured_at,is_pano,creator,thumb_1024_url"
)
_TYPICAL_BYTES = 200_000


class MapillarySource:
    """Photos with the positions and directions that Mapillary has computed.

    Args:
        rest: Empty.

    Raises:
        InputError: It is not, or there is no token.
    """

    def __init__(self, rest: str) -> None:
        if rest:
            raise InputError(f"mapillary:{excerpt(rest)}: write mapillary: alone.")
        token = os.environ.get(TOKEN, "").strip()
        if not token or not token.isprintable() or not token.isascii():
            raise InputError(
                f"mapillary: needs a token in the environment variable {TOKEN}; "
                "https://www.mapillary.com/dashboard/developers gives one. Without: --street panoramax:"
            )
        self._headers = {"Authorization": f"OAuth {token}"}

    def find(self, wanted: Wanted, web: Web) -> Found[PhotoItem]:
        """See `PhotoSource.find`."""
        return photos_of(wanted.bounds, BOX_M, lambda box: self._listed(box, web), _photo)

    def fetch(self, item: PhotoItem, web: Web) -> bytes:
        """See `PhotoSource.fetch`: asks for the address of the picture first, since such addresses expire."""
        said = web.get_json(item.url, {"fields": "thumb_1024_url"}, headers=self._headers, secret=True)
        url = said.get("thumb_1024_url") if isinstance(said, dict) else None
        if not isinstance(url, str):
            raise UnusableError(f"{bare(item.url)} has no picture.")
        return fetch_jpeg(url, web)

    def _listed(self, box: Bounds, web: Web) -> list[Any]:
        south, west, north, east = box
        query = {"fields": _FIELDS, "bbox": f"{west:.6f},{south:.6f},{east:.6f},{north:.6f}", "limit": PAGE}
        said = web.get_json(f"{API}/images", query, headers=self._headers, secret=True)
        listed = said.get("data") if isinstance(said, dict) else None
        if not isinstance(listed, list):
            raise DownloadError(f"{API} did not answer as Mapillary does.")
        return listed


def _photo(raw: Any) -> PhotoItem | str:
    """The photo, or why it cannot be used."""
    try:
        lat, lon = place((raw.get("computed_geometry") or raw["geometry"])["coordinates"])
        identifier = str(int(raw["id"]))
        moment = datetime.datetime.fromtimestamp(float(raw["captured_at"]) / 1000, datetime.UTC)
        maker = text((raw.get("creator") or {}).get("username"))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError):
        return UNREADABLE
    compass = angle(raw.get("computed_compass_angle"))
    return PhotoItem(
        name=save_name(identifier),
        url=f"{API}/{identifier}",
        lat=lat,
        lon=lon,
        heading=angle(raw.get("compass_angle")) if compass is None else compass,
        license=LICENSE,
        credit=f"{maker}, Mapillary" if maker else "Mapillary",
        time=moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        page=f"https://www.mapillary.com/app/?pKey={identifier}",
        projection="equirectangular" if raw.get("is_pano") is True else "perspective",
        bytes=_TYPICAL_BYTES,
        requests=2,
    )
