"""An embedder of neighborhoods: the mean of another's vectors over a disc round each position."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.embedders.base import PartialEmbedder
from unigeoclip.geo import as_latlon, in_round_figures
from unigeoclip.tasks.neighborhoods import POINTS, check_radius, points_around

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from unigeoclip.embedders.base import Embedder, Provenance

__all__ = ["Around"]

_AT_ONCE = 4096  # positions whose points are embedded together


class Around:
    """Averages the vectors of an embedder over discs, and brings the means to length one.

    Fine waves, which tell a place from its neighbors, cancel in the mean; what a neighborhood has in common remains.
    """

    def __init__(self, embedder: Embedder, radius_m: float) -> None:
        """Wrap an embedder.

        Args:
            embedder: Whose vectors are averaged.
            radius_m: Of the discs, 10 m to 1,000 km.

        Raises:
            InputError: The radius is out of range.
        """
        check_radius(radius_m)
        self._embedder, self._radius_m = embedder, radius_m
        self.name: str = f"{embedder.name}@{radius_m:g}m"
        self.title: str = f"{embedder.title}, mean within {in_round_figures(radius_m)}"
        self.dim: int = embedder.dim
        self.provenance: Provenance = embedder.provenance
        if isinstance(embedder, PartialEmbedder):
            self.coverage = embedder.coverage

    def embed(self, latlon: ArrayLike) -> NDArray[np.float32]:
        """Embed the neighborhoods of points, see `Embedder.embed`; `POINTS` points each, of those that have vectors."""
        positions = as_latlon(latlon)
        means = np.empty((len(positions), self.dim), np.float32)
        for start in range(0, len(positions), _AT_ONCE):
            points = points_around(positions[start : start + _AT_ONCE], self._radius_m)
            vectors = self._embedder.embed(points.reshape(-1, 2)).reshape(len(points), POINTS, self.dim)
            known = np.isfinite(vectors[:, :, :1])
            sums = vectors.mean(axis=1) if known.all() else np.where(known, vectors, 0).sum(axis=1)
            means[start : start + _AT_ONCE] = np.where(known.any(axis=1), sums, np.nan)
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        return means
