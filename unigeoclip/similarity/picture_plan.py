"""How values of the cells of a grid become pixels of a picture in Web Mercator (EPSG:3857)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.geo import MAX_MERCATOR_LAT_DEG, inverse_web_mercator, web_mercator

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from unigeoclip.geo import Bounds

__all__ = ["PicturePlan", "within_mercator"]

_BAND_ROWS = 128


def within_mercator(bounds: Bounds) -> Bounds:
    """Bounds (south, west, north, east) in degrees, cut off where the Web Mercator square ends."""
    south, west, north, east = bounds
    return max(south, -MAX_MERCATOR_LAT_DEG), west, min(north, MAX_MERCATOR_LAT_DEG), east


@dataclass(frozen=True, eq=False)
class PicturePlan:
    """How cell values become the pixels of a Web Mercator picture: computed once per grid and width."""

    shape: tuple[int, int]
    pixels: NDArray[np.intp]  # flat numbers of the painted pixels, (p,)
    weights: csr_array  # (p, n): bilinear weights of the cells

    @cached_property
    def leading_cells(self) -> NDArray[np.int32]:
        """The cell that weighs most in each painted pixel, (p,)."""
        first = np.argmax(self.weights.data.reshape(-1, 4), axis=1)
        cells: NDArray[np.int32] = self.weights.indices.reshape(-1, 4)[np.arange(len(first)), first]
        return cells

    @classmethod
    def of(cls, bounds: Bounds, numbers: NDArray[np.int32], width_px: int) -> PicturePlan:
        """Plan a picture of a grid, cut off where the Web Mercator square ends.

        Args:
            bounds: Outer edges of the grid, degrees.
            numbers: (h, w) number of each cell that counts, row by row from the north; -1 elsewhere.
            width_px: Width of the picture.
        """
        from scipy.sparse import csr_array

        south, west, north, east = within_mercator(bounds)
        left_m, right_m = web_mercator(np.array([(0.0, west), (0.0, east)]))[:, 0]
        bottom_m, top_m = web_mercator(np.array([(south, 0.0), (north, 0.0)]))[:, 1]
        height_px = max(1, round(width_px * float((top_m - bottom_m) / (right_m - left_m))))
        y_m = top_m - (np.arange(height_px) + 0.5) * (top_m - bottom_m) / height_px
        lat = inverse_web_mercator(np.stack([np.zeros_like(y_m), y_m], axis=1))[:, 0]
        height, width = numbers.shape
        lat_step, lon_step = (bounds[2] - bounds[0]) / height, (bounds[3] - bounds[1]) / width
        rows, row_weights = _neighbors((bounds[2] - lat) / lat_step - 0.5, height, wraps=False)
        across = (np.arange(width_px) + 0.5) * (east - west) / width_px / lon_step - 0.5
        columns, column_weights = _neighbors(across, width, wraps=east - west == 360)

        # Band by band, so that a large picture needs no more memory on the way than at the end.
        bands = []
        for top in range(0, height_px, _BAND_ROWS):
            band = slice(top, top + _BAND_ROWS)
            corners = numbers[rows[band, None, :, None], columns[None, :, None, :]].reshape(-1, 4)
            weights = (row_weights[band, None, :, None] * column_weights[None, :, None, :]).reshape(-1, 4)
            bands.append((top * width_px, *_painted(corners, weights)))
        pixels = np.concatenate([first + painted for first, painted, _, _ in bands])
        shares = np.concatenate([shares for *_, shares in bands]).ravel()
        cells = np.concatenate([cells for _, _, cells, _ in bands]).ravel()
        starts = np.arange(0, len(shares) + 1, 4, dtype=np.int32)
        shape = (len(pixels), int(numbers.max()) + 1)
        return cls((height_px, width_px), pixels, csr_array((shares, cells, starts), shape=shape))


def _painted(
    cells: NDArray[np.int32], weights: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.int32], NDArray[np.float32]]:
    """Which pixels are painted, from which cells, in which shares.

    Args:
        cells: (pixels, 4) numbers of the cells round each pixel, -1 where they do not count.
        weights: (pixels, 4) their bilinear weights. What a missing cell weighs goes to the others, so that no value
            bleeds over a coast.

    Returns:
        Numbers of the painted pixels (p,), the cells (p, 4) and shares (p, 4) of each.
    """
    weights = np.where(cells < 0, 0.0, weights)
    total = weights.sum(axis=1)
    painted = np.flatnonzero(total >= 0.5)  # half: the coast stays where the cells' edges are, and is smooth
    shares = (weights[painted] / total[painted, None]).astype(np.float32)
    return painted, np.maximum(cells[painted], 0), shares


def _neighbors(at: NDArray[np.float64], count: int, *, wraps: bool) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The two cells next to each fractional position and their linear weights, both (len(at), 2)."""
    first = np.floor(at).astype(np.intp)
    share = at - first
    both = np.stack([first, first + 1], axis=1)
    both = both % count if wraps else np.clip(both, 0, count - 1)
    return both, np.stack([1 - share, share], axis=1)
