"""Small pictures of gallery places, many to a file, so that a browser fetches them at once."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

if TYPE_CHECKING:
    from unigeoclip.search.explorer import Explorer

__all__ = ["TILE_PX", "Sprite"]

TILE_PX = {"aerial": (96, 96), "surface": (96, 96), "street": (128, 96)}
_COLUMNS = 16
_QUALITY = 55


class _Spot(NamedTuple):
    """Where a picture is taken; the heading of a camera, or None."""

    lat: float
    lon: float
    heading_deg: float | None


class Sprite:
    """Pictures of one modality, numbered as they are asked for; none twice."""

    def __init__(self, explorer: Explorer, modality: str) -> None:
        """Start without pictures; ``modality`` is a key of `TILE_PX`."""
        self._explorer, self.modality = explorer, modality
        self._numbers: dict[_Spot, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def tile(self, lat: float, lon: float, heading_deg: float | None = None) -> int:
        """Number of the picture at a point, which is drawn by `webp`."""
        return self._numbers.setdefault(_Spot(lat, lon, heading_deg), len(self._numbers))

    @property
    def columns(self) -> int:
        """Pictures in a row."""
        return _COLUMNS

    @property
    def key(self) -> tuple[object, ...]:
        """Tells sprites of one atlas apart."""
        return (self.modality, *self._numbers)

    def webp(self) -> bytes:
        """All pictures, row by row, as one WebP file."""
        width, height = TILE_PX[self.modality]
        rows = max(1, math.ceil(len(self) / _COLUMNS))
        sheet = Image.new("RGB", (width * _COLUMNS, height * rows))
        for spot, number in self._numbers.items():
            sheet.paste(self._draw(spot, width, height), (number % _COLUMNS * width, number // _COLUMNS * height))
        file = io.BytesIO()
        sheet.save(file, "WEBP", quality=_QUALITY, method=4)
        return file.getvalue()

    def _draw(self, spot: _Spot, width: int, height: int) -> Image.Image:
        if self.modality != "street":
            return self._explorer.picture(self.modality, (spot.lat, spot.lon), px=width)
        streets, heading_deg = self._explorer.streets, spot.heading_deg
        assert streets is not None
        assert heading_deg is not None
        return streets.picture(spot.lat, spot.lon, heading_deg, width=width, height=height)
