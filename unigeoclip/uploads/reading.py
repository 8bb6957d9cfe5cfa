"""Which reader a modality's files take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unigeoclip.uploads.heights import read_surface
from unigeoclip.uploads.pictures import read_picture

if TYPE_CHECKING:
    from unigeoclip.uploads.pictures import Decoded

__all__ = ["read"]


def read(kind: str, data: bytes, size: tuple[int, int]) -> Decoded:
    """Decode in this process: heights for "surface", else a picture; see `read_surface` and `read_picture`."""
    return read_surface(data, size[0]) if kind == "surface" else read_picture(data, *size)
