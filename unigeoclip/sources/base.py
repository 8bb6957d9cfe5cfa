"""What a source of rasters or photos is: it finds items in an area, says what they cost, and fetches one at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from pathlib import Path

    from unigeoclip.geo import Bounds
    from unigeoclip.sources.web import Web

__all__ = ["Found", "PhotoItem", "PhotoSource", "RasterItem", "RasterSource", "Wanted"]

# Why items are left out, see `Found.left_out`.
NO_LICENSE = "have no license"
UNREADABLE = "are described in a way that cannot be read"


@dataclass(frozen=True)
class Wanted:
    """What a city needs of a source.

    Attributes:
        bounds: South, west, north, east in degrees.
        modality: "aerial", "surface", "street" or "embeddings".
        ground_px_m: Ground resolution that suffices, in meters; finer data are read at a coarser level.
    """

    bounds: Bounds
    modality: str
    ground_px_m: float = 1.0


@dataclass(frozen=True)
class RasterItem:
    """A raster, or a part of one, that becomes one GeoTIFF.

    Attributes:
        name: Of its file, without an ending; no two items of a find share it.
        url: Where its pixels are, without signature.
        license: Such as "CC BY 4.0"; empty if a person has to state it.
        credit: Whom to name.
        year: Four digits, or empty.
        page: Address that a reader may follow.
        bytes: About how many are read.
        requests: About how many requests that takes.
        detail: What the source needs to fetch it.
    """

    name: str
    url: str
    license: str
    credit: str
    year: str = ""
    page: str = ""
    bytes: int = 0
    requests: int = 1
    detail: dict[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class PhotoItem:
    """A photo from a street.

    Attributes:
        name: Of its file, without an ending.
        url: Of the JPEG.
        lat: Degrees.
        lon: Degrees.
        heading: Of its middle column, degrees clockwise from north; None if unknown.
        license: Such as "CC BY-SA 4.0".
        credit: Whom to name.
        time: ISO 8601, or empty.
        page: Address that a reader may follow.
        projection: "perspective" or "equirectangular".
        bytes: About how many are read.
        requests: How many requests that takes.
    """

    name: str
    url: str
    lat: float
    lon: float
    heading: float | None
    license: str
    credit: str
    time: str = ""
    page: str = ""
    projection: str = "perspective"
    bytes: int = 0
    requests: int = 1


Item = TypeVar("Item", RasterItem, PhotoItem)


@dataclass
class Found(Generic[Item]):
    """What a source has in an area.

    Attributes:
        items: Those to fetch.
        left_out: Why items are not used -> how many; a phrase that follows a number of items.
        coverage: Share of the area that the items cover, by their outlines; None if unknown.
    """

    items: list[Item] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    coverage: float | None = None


class RasterSource(Protocol):
    """Aerial pictures or heights."""

    def find(self, wanted: Wanted, web: Web) -> Found[RasterItem]:
        """Items that cover the area, the best for each part of it.

        Raises:
            DownloadError: The service cannot be asked.
            InputError: The source cannot serve what is wanted.
        """

    def fetch(self, item: RasterItem, wanted: Wanted, path: Path, web: Web) -> bool:
        """Write what an item has of the area as one GeoTIFF, whole or not at all.

        Returns:
            Whether there is anything; nothing was written otherwise.

        Raises:
            UnusableError: The service no longer has it, or it is something else.
            DownloadError: It cannot be fetched.
        """


class PhotoSource(Protocol):
    """Photos from streets."""

    def find(self, wanted: Wanted, web: Web) -> Found[PhotoItem]:
        """Photos spread over the area, the newest of each part of it.

        Raises:
            DownloadError: The service cannot be asked.
            InputError: The source cannot serve what is wanted.
        """

    def fetch(self, item: PhotoItem, web: Web) -> bytes:
        """The JPEG of a photo.

        Raises:
            UnusableError: The service no longer has it, or it is something else.
            DownloadError: It cannot be fetched.
        """
