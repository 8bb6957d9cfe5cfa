"""A picture of a spot, and reading it: pictures of services are decoded as files from strangers are."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

from unigeoclip.errors import DownloadError, InputError, excerpt
from unigeoclip.sources.web import RefusedError, UnansweredError, UnusableError
from unigeoclip.uploads import read_upload

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NothingThereError", "SpotPicture", "decoded", "encoded", "failed", "is_blank"]

BLANK_SHARE = 0.6  # of one and the same color, from which on a picture shows nothing


class NothingThereError(DownloadError):
    """The services have no picture of a spot."""


@dataclass(frozen=True)
class SpotPicture:
    """A present picture of a spot.

    Attributes:
        modality: "aerial" or "street".
        data: A JPEG or PNG that is to be encoded as the query.
        preview: WebP of what of it a model sees.
        lat: Of its center, or of the camera, degrees.
        lon: Degrees.
        license: Such as "CC BY 4.0".
        credit: Whom to name.
        host: Where it came from.
        time: ISO 8601, a date or a year; empty where the service does not say it.
        remark: What is special about it, a sentence; or nothing.
        across_m: Width on the ground of an aerial picture, meters; 0 for photos.
        heading: Of a photo, degrees clockwise from north; None if unknown.
        distance_m: From the spot to the camera, meters.
    """

    modality: str
    data: bytes
    preview: bytes
    lat: float
    lon: float
    license: str
    credit: str
    host: str
    time: str = ""
    remark: str = ""
    across_m: float = 0.0
    heading: float | None = None
    distance_m: float = 0.0


def decoded(data: bytes, width: int, height: int, where: str, kind: str = "aerial") -> NDArray[np.uint8]:
    """Red, green and blue of a picture that a service gave, (height, width, 3), by the process that decodes uploads.

    Raises:
        UnusableError: It is no picture that can be read.
    """
    try:
        array = read_upload(kind, data, (width, height)).array
    except InputError as error:
        raise UnusableError(f"{where} gave no picture that can be read: {error}") from error
    return np.ascontiguousarray(array.transpose(1, 2, 0))


def encoded(pixels: NDArray[np.uint8], file: str, **options: Any) -> bytes:
    """A picture of (height, width, 3) as a file of that format."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, file, **options)
    return stream.getvalue()


def is_blank(pixels: NDArray[np.uint8]) -> bool:
    """Whether most of a picture is one color, as where a service has no data."""
    colors = (pixels.astype(np.uint32) << np.array([16, 8, 0], np.uint32)).sum(axis=-1)
    _, counts = np.unique(colors, return_counts=True)
    return bool(counts.max() > BLANK_SHARE * colors.size)


def failed(error: DownloadError, url: str) -> DownloadError:
    """What went wrong with a service, in a sentence for whoever clicked on a map."""
    host = excerpt(urlsplit(url).hostname or "", 80)
    if isinstance(error, UnansweredError):
        return DownloadError(f"{host} did not answer: {error.why}. Try again later.")
    if isinstance(error, RefusedError):
        return DownloadError(f"{host} did not let this server in. Try again later.")
    return DownloadError(f"{host} gave something that cannot be used. Try again later.")
