"""A part of the Earth on which embedders are compared: a grid of cells, samples of them, and parts of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.compare import figures
from unigeoclip.errors import InputError
from unigeoclip.evaluation import structure
from unigeoclip.geo import METERS_PER_DEGREE
from unigeoclip.search.gallery_embeddings import land_grid
from unigeoclip.similarity.grid import Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.geo import Bounds

__all__ = ["CELLS_ACROSS", "LEAST_PART", "RINGS", "SAMPLE", "Region"]

CELLS_ACROSS = 200
COARSE = 4  # every so many rows and columns come first
SAMPLE = 3000  # cells that figures are computed on
RINGS = 8  # of distance, for Moran's I
LEAST_PART = 100  # cells of a part of a region: fewer make no map, no clusters and no figures


@dataclass(frozen=True, eq=False)
class Region:
    """A part of the Earth as a grid of cells.

    Attributes:
        name: "atlas" for all of one, else the bounds.
        grid: Its land cells.
    """

    name: str
    grid: Grid

    @classmethod
    def whole(cls, atlas: Atlas) -> Region:
        """The land of an atlas, on the grid of its heatmaps."""
        return cls("atlas", land_grid(atlas))

    @classmethod
    def rectangle(cls, atlas: Atlas, bounds: Bounds, across: int = CELLS_ACROSS) -> Region:
        """The land inside a rectangle of an atlas.

        Args:
            atlas: What is cut from.
            bounds: South, west, north, east, degrees; what lies outside the atlas is cut off.
            across: Cells along the longer side, measured on the ground.

        Raises:
            InputError: The rectangle is turned round, lies outside the atlas, or holds no land.
        """
        south, west, north, east = bounds
        if not (south < north and west < east):
            raise InputError(f"South, west, north, east of a rectangle rise: {south:g}, {west:g}, {north:g}, {east:g}.")
        low, high = atlas.manifest.bounds[:2], atlas.manifest.bounds[2:]
        south, west, north, east = max(south, low[0]), max(west, low[1]), min(north, high[0]), min(east, high[1])
        if not (south < north and west < east):
            raise InputError(f"The rectangle lies outside the atlas {atlas.title!r}: choose one inside its map.")
        squeeze = float(np.cos(np.radians((south + north) / 2)))
        step = max(north - south, (east - west) * squeeze) / across
        rows = max(2, round((north - south) / step))
        columns = max(2, round((east - west) * squeeze / step))
        full = Grid((south, west, north, east), np.ones((rows, columns), bool))
        land = atlas.is_land(full.cells).reshape(rows, columns)
        if land.sum() < 2:
            raise InputError("There is no land in this rectangle: choose another one.")
        name = ",".join(f"{value:.5f}" for value in (south, west, north, east))
        return cls(name, Grid((south, west, north, east), land))

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Cells in the order in which they are embedded: those of every fourth row and column first."""
        rows, columns = np.nonzero(self.grid.mask)
        coarse = (rows % COARSE == COARSE // 2) & (columns % COARSE == COARSE // 2)
        return np.concatenate([np.flatnonzero(coarse), np.flatnonzero(~coarse)])

    @cached_property
    def n_coarse(self) -> int:
        """How many of `order` belong to the coarse part."""
        rows, columns = np.nonzero(self.grid.mask)
        return int(((rows % COARSE == COARSE // 2) & (columns % COARSE == COARSE // 2)).sum())

    @property
    def side_m(self) -> float:
        """The shorter side of the region on the ground, meters; a parallel is measured in its middle."""
        south, west, north, east = self.grid.bounds
        return METERS_PER_DEGREE * min(north - south, (east - west) * math.cos(math.radians((south + north) / 2)))

    @cached_property
    def figure_sample(self) -> figures.Sample:
        """The cells that figures are computed on, the same for all embedders, and how far they lie apart.

        Rings of distance: each twice as far as the one before, the last at a quarter of the region's side.
        """
        latlon = self.grid.cells[self.sample(SAMPLE)]
        edges = np.concatenate([[0.0], self.side_m / 4 / 2.0 ** np.arange(RINGS - 1, -1, -1)])
        return figures.Sample(latlon, self.side_m, edges, structure.rings(latlon, edges.tolist()))

    def forget_figure_sample(self) -> None:
        """Free the memory of `figure_sample`, some 100 MB; it is computed again when it is needed."""
        self.__dict__.pop("figure_sample", None)

    def sample(self, most: int) -> NDArray[np.int64]:
        """So many cells at most, drawn by area, always the same ones, rising."""
        count = len(self.grid)
        if count <= most:
            return np.arange(count)
        share = self.grid.area_km2 / self.grid.area_km2.sum()
        return np.sort(np.random.default_rng(0).choice(count, most, replace=False, p=share))

    def part(self, keep: NDArray[np.bool_]) -> Region:
        """The region without some of its cells: those for which an embedder has no vector, say.

        Args:
            keep: (n,) which cells stay.

        Returns:
            The region itself where all stay; the same part for the same cells, so that what is known of it is kept.

        Raises:
            InputError: Fewer than `LEAST_PART` stay.
        """
        if keep.all():
            return self
        if (count := int(keep.sum())) < LEAST_PART:
            raise InputError(
                f"{count:,} of the {len(keep):,} cells of this region have vectors; {LEAST_PART} are needed. Choose "
                "another region, or other models."
            )
        key = np.packbits(keep).tobytes()
        if key not in self._parts:
            self._parts[key] = Region(self.name, self.grid.only(keep))
        return self._parts[key]

    @cached_property
    def _parts(self) -> dict[bytes, Region]:
        return {}

    def shared_with(self, other: Region) -> Region:
        """The cells that two parts of one region have in common.

        Raises:
            InputError: Fewer than `LEAST_PART`.
        """
        keep = other.grid.mask[self.grid.mask]
        return other if int(keep.sum()) == len(other.grid) else self.part(keep)
