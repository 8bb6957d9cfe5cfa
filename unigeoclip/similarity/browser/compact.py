"""The vectors of a grid, compressed for a browser, which computes heatmaps from them while the pointer moves.

The vectors, less their mean, are turned onto their principal components, of which the first are kept, and rounded to
whole numbers of one step for all. The step is the same for all since that spreads the error evenly (reverse
water-filling: Cover & Thomas, Elements of Information Theory, section 10.3.3): later components then have small
numbers, which compress well. ``evaluate --compact`` measures what the rounding costs.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.errors import InputError
from unigeoclip.geo import EARTH_RADIUS_M, METERS_PER_DEGREE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.similarity.grid import Grid

__all__ = ["COMPONENTS", "FORMAT", "STEPS", "CompactGrid"]

FORMAT = 1  # of the bytes: raise it when they change
COMPONENTS = 144
FEW, FINEST = 16, 127.0  # components that take so little that their steps can be as fine as a byte allows
STEPS = 32.0  # to either side of zero, in the widest component: finer ones cost bytes that more components use better
MOST_ROWS = 16  # that a mean over neighbors may reach up or down


@dataclass(frozen=True, eq=False)
class CompactGrid:
    """Vectors of the cells of a grid, in few bytes.

    Attributes:
        grid: The cells.
        codes: (components, cells) int8: the vectors less their mean, along each component, in steps.
        step: Length of a step.
        mean: (dim,) float64, the mean vector by area.
        basis: (dim, components) float64, orthonormal.
        reach: (rows of the grid, 2 r + 1): a heatmap is the mean over neighbors, so many columns to either side in the
            r rows above, in its own, and in the r rows below; -1 where a row is too far.
    """

    grid: Grid
    codes: NDArray[np.int8]
    step: float
    mean: NDArray[np.float64]
    basis: NDArray[np.float64]
    reach: NDArray[np.int64]

    @classmethod
    def fit(
        cls,
        grid: Grid,
        vectors: NDArray[np.float32],
        radius_m: float = 0.0,
        components: int = COMPONENTS,
        steps: float | None = None,
    ) -> CompactGrid:
        """Find the components and round.

        Args:
            grid: The cells.
            vectors: (cells, dim) finite: of the centers of the cells.
            radius_m: Heatmaps are means over the cells within that distance, as `gallery_embeddings.mean_over_waves`
                has them.
            components: At most so many; no more than dim.
            steps: To either side of zero in the widest component; fewer are coarser and take fewer bytes. `STEPS` by
                default, or `FINEST` for vectors of `FEW` components at most.

        Raises:
            InputError: Not as many vectors as cells, or they are not finite.
        """
        if len(vectors) != len(grid) or not np.isfinite(vectors).all():
            raise InputError(f"A compact grid takes {len(grid):,} finite vectors, one for each cell.")
        shares = grid.area_km2 / grid.area_km2.sum()
        mean = shares @ vectors.astype(np.float64)
        centered = vectors - mean.astype(np.float32)
        covariance = (centered * shares[:, None].astype(np.float32)).T @ centered
        basis = np.linalg.eigh(covariance.astype(np.float64))[1][:, ::-1][:, :components]
        basis *= np.where(basis[np.abs(basis).argmax(axis=0), np.arange(basis.shape[1])] < 0, -1.0, 1.0)
        along = centered @ basis.astype(np.float32)
        steps = (FINEST if basis.shape[1] <= FEW else STEPS) if steps is None else steps
        step = float(np.abs(along).max()) / steps or 1.0  # of equal vectors nothing is left
        codes = np.rint(along / step).astype(np.int8).T.copy()
        return cls(grid, codes, step, mean, basis, _reach(grid, radius_m))

    @classmethod
    def of_heatmaps(cls, grid: Grid, heatmaps: NDArray[np.floating]) -> CompactGrid:
        """Keep heatmaps themselves: `similarities` of weights (heatmaps,) is then their weighted sum.

        Args:
            grid: The cells.
            heatmaps: (heatmaps, cells) finite.

        Raises:
            InputError: They are not of these cells, or not finite.
        """
        if heatmaps.ndim != 2 or heatmaps.shape[1] != len(grid) or not np.isfinite(heatmaps).all():
            raise InputError(f"A compact grid takes heatmaps of {len(grid):,} finite numbers, one for each cell.")
        mean = heatmaps.mean(axis=1, dtype=np.float64)
        centered = heatmaps - mean[:, None]
        step = float(np.abs(centered).max()) / FINEST or 1.0
        alone = np.zeros((grid.shape[0], 1), np.int64)  # no neighbors
        return cls(grid, np.rint(centered / step).astype(np.int8), step, mean, np.eye(len(heatmaps)), alone)

    @cached_property
    def id(self) -> str:
        """What tells its codes from others, to know whether an encoder was made for them."""
        return f"{zlib.crc32(self.codes.tobytes()):08x}"

    def similarities(self, vector: NDArray[np.floating]) -> NDArray[np.float32]:
        """The approximate heatmap of a vector (dim,): (cells,), each the mean of the products with its neighbors."""
        weights = (self.basis.T @ vector * self.step).astype(np.float32)
        return self._mean_over_neighbors(weights @ self.codes + np.float32(self.mean @ vector))

    def _mean_over_neighbors(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        mask = self.grid.mask
        filled = np.zeros(mask.shape)
        filled[mask] = values
        sums, counts = self._window_sums(filled), self._window_sums(mask.astype(np.float64))
        means: NDArray[np.float32] = (sums[mask] / counts[mask]).astype(np.float32)
        return means

    def _window_sums(self, array: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums over the neighbors of each cell, (h, w) -> (h, w), by running sums along the rows."""
        height, width = array.shape
        around = width if self._is_ring else 0  # the columns before and after the date line are neighbors
        wide = np.pad(array, ((0, 0), (around, around)), mode="wrap") if around else array
        running = np.pad(np.cumsum(wide, axis=1), ((0, 0), (1, 0)))
        rows, most = np.arange(height), self.reach.shape[1] // 2
        columns, total = np.arange(width) + around, np.zeros(array.shape)
        for offset in range(-most, most + 1):
            reach, other = self.reach[:, offset + most], rows + offset
            has = (reach >= 0) & (other >= 0) & (other < height)
            low = np.clip(columns - reach[has, None], 0, wide.shape[1])
            high = np.clip(columns + reach[has, None] + 1, 0, wide.shape[1])
            line = running[other[has]]
            total[has] += np.take_along_axis(line, high, axis=1) - np.take_along_axis(line, low, axis=1)
        return total

    @property
    def _is_ring(self) -> bool:
        _, west, _, east = self.grid.bounds
        return east - west == 360.0

    def vector_at(self, lat: float, lon: float) -> NDArray[np.float64] | None:
        """The approximate unit vector of a point, (dim,): what the browser asks with when the pointer is there.

        It is interpolated between the centers of the cells around, of those that count; None where the point's own does
        not.
        """
        if self.grid.cell_at(lat, lon) is None:
            return None
        lat_step, lon_step = self.grid.step_deg
        down = (self.grid.bounds[2] - lat) / lat_step - 0.5
        along = (lon - self.grid.bounds[1]) % 360 / lon_step - 0.5
        mixed, total = np.zeros(len(self.codes)), 0.0
        for row in (math.floor(down), math.floor(down) + 1):
            for column in (math.floor(along), math.floor(along) + 1):
                if (cell := self._cell_in(row, column)) is not None:
                    weight = (1 - abs(down - row)) * (1 - abs(along - column))
                    mixed += weight * self.codes[:, cell]
                    total += weight
        vector = self.mean + self.basis @ (mixed / total * self.step)
        return vector / (np.linalg.norm(vector) or 1.0)

    def _cell_in(self, row: int, column: int) -> int | None:
        """Number of the cell in a row and a column, if there is one that counts."""
        height, width = self.grid.shape
        column = column % width if self._is_ring else column
        if not (0 <= row < height and 0 <= column < width and self.grid.mask[row, column]):
            return None
        return int(self._numbers[row, column])

    @cached_property
    def _numbers(self) -> NDArray[np.int64]:
        return np.cumsum(self.grid.mask).reshape(self.grid.shape) - 1

    def to_bytes(self) -> bytes:
        """What the browser reads: see ``compact-grid.js``.

        The length of a header, 4 bytes, little-endian; the header, JSON; then, compressed (zlib), the grid's mask, a
        bit a cell, row by row from the north-west, and the codes, component by component, each less the one before it.
        The header holds all that is needed to compare cells with each other and with a vector that the server has
        turned onto the components; the basis stays with the server.
        """
        header = {
            "format": FORMAT,
            "id": self.id,
            "bounds": self.grid.bounds,
            "shape": self.grid.shape,
            "cells": self.codes.shape[1],
            "components": self.codes.shape[0],
            "step": self.step,
            "mean": (self.basis.T @ self.mean).tolist(),
            "square": float(self.mean @ self.mean),
            "reach": self.reach.tolist(),
        }
        text = json.dumps(header, separators=(",", ":")).encode()
        differences = np.diff(self.codes.view(np.uint8), axis=1, prepend=np.uint8(0))  # modulo 256
        body = np.packbits(self.grid.mask).tobytes() + differences.tobytes()
        # Of noise no run comes twice, and entropy coding alone makes it smallest; smooth grids have long runs of zeros.
        packed = [_deflated(body, strategy) for strategy in (zlib.Z_HUFFMAN_ONLY, zlib.Z_DEFAULT_STRATEGY)]
        return struct.pack("<I", len(text)) + text + min(packed, key=len)


def _deflated(body: bytes, strategy: int) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS, 9, strategy)
    return packer.compress(body) + packer.flush()


def _reach(grid: Grid, radius_m: float) -> NDArray[np.int64]:
    """See `CompactGrid.reach`: how many columns lie within a distance, on the sphere, between centers of cells."""
    lat_step, lon_step = grid.step_deg
    most = min(MOST_ROWS, int(radius_m / (METERS_PER_DEGREE * lat_step) + 1))
    lat = np.radians(grid.bounds[2] - (np.arange(grid.shape[0]) + 0.5) * lat_step)[:, None]
    other = lat - np.radians(lat_step) * np.arange(-most, most + 1)
    # Haversine formula, solved for the difference of longitude.
    free = np.sin(radius_m / (2 * EARTH_RADIUS_M)) ** 2 - np.sin((lat - other) / 2) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        sine = np.sqrt(free / (np.cos(lat) * np.cos(other)))
        columns = np.floor(np.degrees(2 * np.arcsin(np.clip(sine, 0, 1))) / lon_step + 1e-9)
    columns = np.minimum(columns, (grid.shape[1] - 1) // 2)  # none twice, all round the globe
    reach: NDArray[np.int64] = np.where((free >= -1e-18) & (np.abs(other) < np.pi / 2), np.nan_to_num(columns), -1)
    reach = reach.astype(np.int64)
    needed = (reach >= 0).any(axis=0)
    edge = int(np.argmax(needed))
    return reach[:, edge : reach.shape[1] - edge]
