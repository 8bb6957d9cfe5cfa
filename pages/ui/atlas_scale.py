"""What differs between an atlas of the Earth and one of a city: digits of coordinates, and the words for its land."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.geo import web_mercator

if TYPE_CHECKING:
    from unigeoclip.atlas.schema import Manifest

CITY_WINDOW_M = 2_000.0  # pictures narrower than this show streets, not landscapes
WHOLE_EARTH_DEG = 359.0
WIDE_SHARE, SQUARE_SHARE = 2.15, 1.5
WIDE_ASPECT = 1.5  # of an atlas that fills a wide map


@dataclass(frozen=True)
class Scale:
    """How coordinates and areas of an atlas read.

    Attributes:
        is_city: Whether its places are parts of a town.
        digits: Decimals of a point that is named in a sentence.
        best_digits: Decimals of the best match: its cell is no finer.
        click_digits: Decimals that are kept of a click.
        land: What the legend's shares are shares of.
        where: Where the map shows what is similar to a query.
        map_share: Width of the map beside results of width 1: as much as its atlas can fill.
    """

    is_city: bool
    digits: int
    best_digits: int
    click_digits: int
    land: str
    where: str
    map_share: float = WIDE_SHARE


def of(manifest: Manifest) -> Scale:
    """The scale of an atlas, by the size of its pictures and its extent."""
    south, west, north, east = manifest.bounds
    corners = web_mercator(np.array([[south, west], [north, east]]))
    width, height = (corners[1] - corners[0]).tolist()
    share = WIDE_SHARE if width > WIDE_ASPECT * height else SQUARE_SHARE
    if manifest.window_m < CITY_WINDOW_M:
        return Scale(True, 4, 4, 5, "the city", f"where in {manifest.title}", share)
    where = "where on Earth" if east - west >= WHOLE_EARTH_DEG else f"where in {manifest.title}"
    # The whole Earth is seen without its poles: its map is wide.
    return Scale(False, 2, 1, 4, "the land", where, WIDE_SHARE if east - west >= WHOLE_EARTH_DEG else share)
