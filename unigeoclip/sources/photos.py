"""What all sources of photos share: reading strangers' JSON strictly, and fetching JPEGs."""

from __future__ import annotations

import datetime
import hashlib
import math
import re
from typing import TYPE_CHECKING, Any

from unigeoclip.errors import excerpt
from unigeoclip.sources.web import UnusableError, bare

if TYPE_CHECKING:
    from unigeoclip.sources.web import Web

__all__ = ["address", "angle", "fetch_jpeg", "is_panorama", "place", "save_name", "text", "time_of"]

MOST_PHOTO_BYTES = 30_000_000
_JPEG = b"\xff\xd8\xff"


def fetch_jpeg(url: str, web: Web, most_bytes: int = MOST_PHOTO_BYTES) -> bytes:
    """A JPEG of at most so many bytes.

    Raises:
        UnusableError: There is none, or it is something else.
        DownloadError: It cannot be fetched.
    """
    data = web.get(url, types=("image/jpeg", "image/jpg", "octet-stream"), most_bytes=most_bytes)
    if not data.startswith(_JPEG):
        raise UnusableError(f"{bare(url)} is no JPEG.")
    return data


def address(said: Any) -> str:
    """An address that can be asked for.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(said, str) or not said.startswith(("https://", "http://")):
        raise ValueError
    return said


def place(coordinates: Any) -> tuple[float, float]:
    """Latitude and longitude of a point of GeoJSON.

    Raises:
        ValueError, TypeError: It is no point on the Earth.
    """
    lon, lat = (float(number) for number in coordinates[:2])
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise ValueError
    return lat, lon


def angle(said: Any) -> float | None:
    """Degrees clockwise from north, 0 to 360; None for anything that is no number."""
    if isinstance(said, bool) or not isinstance(said, int | float) or not math.isfinite(said):
        return None
    return float(said) % 360.0


def time_of(said: Any) -> str:
    """A time in ISO 8601, to the second in UTC; empty if it is none."""
    try:
        moment = datetime.datetime.fromisoformat(str(said))
    except ValueError:
        return ""
    moment = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def text(said: Any) -> str:
    """A short text in one line; empty for anything else."""
    return excerpt(said, 100) if isinstance(said, str) else ""


def is_panorama(camera: Any) -> bool:
    """Whether the orientation of a camera (extension pers of STAC) is that of one that looks all around."""
    return isinstance(camera, dict) and camera.get("field_of_view") == 360


def save_name(identifier: str) -> str:
    """A file name that every file system takes, and that no other photo has."""
    safe = re.sub(r"[^A-Za-z0-9_-]", "-", identifier)[:64].strip("-")
    return safe if safe == identifier else f"{safe}-{hashlib.sha256(identifier.encode()).hexdigest()[:8]}"
