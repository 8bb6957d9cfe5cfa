"""Parts of a region in words: what UniGeoCLIP's location vectors of their cells stand for, beside the whole region.

Other embedders have no texts in their space. Their clusters and components are parts of the same region, so they are
described by our vectors of the same cells.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from unigeoclip.errors import InputError
from unigeoclip.words.describer import Description

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.compare.regions import Region
    from unigeoclip.search.explorer import Explorer

__all__ = ["RegionWords"]

END_SHARE = 0.05  # of the region's area at either end of a component
# Distance of a group's mean from that of the region, in spreads of the region's cells, below which it is no kind of
# place. Eight clusters of UniGeoCLIP or GeoCLIP lie 0.22 to 0.66 away, on both atlases; those of a SatCLIP that has
# learned no detail, cells scattered everywhere, 0.07 to 0.11.
LEAST_DISTANCE = 0.15
NOT_DIFFERENT = "Its cells are hardly different from the region as a whole."


class RegionWords:
    """Describes groups of cells of a region."""

    def __init__(self, explorer: Explorer, region: Region) -> None:
        """Find the cells of the atlas's heatmaps that the region's cells lie in.

        Args:
            explorer: Of the atlas; its cells are averaged over the finest wave of the location encoder.
            region: A part of the atlas.
        """
        self._explorer, self._region = explorer, region
        self._cells = explorer.grid.cells_at(region.grid.cells)

    def groups(self, labels: NDArray[np.integer[Any]], count: int) -> list[Description | None]:
        """What each group of cells is, beside the region as a whole.

        Args:
            labels: (n,) group of each cell of the region from 0; -1 for none.
            count: Groups.

        Returns:
            A description of each; None for a group without a cell.

        Raises:
            InputError: The number of labels is not that of the cells, or the model knows no words.
        """
        if len(labels) != len(self._cells):
            raise InputError(f"A region of {len(self._cells)} cells needs as many labels, not {len(labels)}.")
        group = np.asarray(labels, np.int64)
        everything = np.where(self._cells >= 0, 0, -1)
        mean = self._means(everything, 1)[0]
        if mean is None:
            return [None] * count
        means = self._means(np.where(self._cells >= 0, group, -1), count)
        return [None if each is None else self._beside(mean, each) for each in means]

    def _beside(self, mean: NDArray[np.float64], group: NDArray[np.float64]) -> Description:
        """The mean of a group beside that of the region."""
        spread = math.sqrt(max(self._mean_square - float(mean @ mean), 0.0))
        if float(np.linalg.norm(group - mean)) < LEAST_DISTANCE * spread:
            return Description((), 0.0, 0.0, NOT_DIFFERENT)
        return self._explorer.descriptions.vector(group, "location", mean)

    @cached_property
    def _mean_square(self) -> float:
        """Mean squared length of the region's vectors by area."""
        known = self._cells >= 0
        squares = np.einsum("nd,nd->n", self._explorer.cells, self._explorer.cells)[self._cells[known]]
        return float(np.average(squares, weights=self._region.grid.area_km2[known]))

    def ends(self, scores: NDArray[np.floating]) -> tuple[Description | None, Description | None]:
        """What the low and the high end of a component are: the cells of 5 % of the area at either.

        Args:
            scores: (n,) coordinate of each cell along the component.
        """
        order = np.argsort(scores, kind="stable")
        share = np.cumsum(self._region.grid.area_km2[order])
        share /= share[-1]
        labels = np.full(len(scores), -1)
        labels[order[share <= max(END_SHARE, float(share[0]))]] = 0
        labels[order[share > 1 - END_SHARE]] = 1
        low, high = self.groups(labels, 2)
        return low, high

    def _means(self, labels: NDArray[np.int64], count: int) -> list[NDArray[np.float64] | None]:
        """Mean vector of each group by area; None for an empty one."""
        rows = np.flatnonzero(labels >= 0)
        area = self._region.grid.area_km2[rows]
        shape = (count, len(self._explorer.cells))
        weights = csr_array((area, (labels[rows], self._cells[rows])), shape=shape)
        totals, sums = np.asarray(weights.sum(axis=1)), weights @ self._explorer.cells
        return [each / total if total > 0 else None for each, total in zip(sums, totals, strict=True)]
