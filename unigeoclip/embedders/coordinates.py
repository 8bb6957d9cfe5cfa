"""What can be said of a place from its position alone, without having learned anything: coordinates, and features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.embedders.base import Provenance, embed_in_batches
from unigeoclip.geo import EARTH_RADIUS_M, unit_xyz

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from unigeoclip.atlas.store import Atlas

LENGTHS_ACROSS = 20  # of the kernel, over the diagonal of an atlas
LARGEST_LENGTH_M = 1e6
FOURIER_DIM = 256


class CoordinatesEmbedder:
    """The point itself on the unit sphere, (x, y, z): its similarities are cosines of angles between places."""

    name = "coordinates"
    title = "Plain coordinates"
    dim = 3
    provenance = Provenance(
        made_by="Nobody: the position on the sphere, nothing learned.",
        source="Computed: x towards (0, 0), y towards (0, 90 E), z towards the north pole.",
        licence="None needed.",
    )

    def embed(self, latlon: ArrayLike) -> NDArray[np.float32]:
        """See :meth:`unigeoclip.embedders.base.Embedder.embed`."""
        return embed_in_batches(latlon, self.dim, lambda points: unit_xyz(points).astype(np.float32), rows=65_536)


class FourierEmbedder:
    """Random Fourier features of the point on the sphere (Rahimi & Recht, NeurIPS 2007).

    Their similarity is close to exp(-d^2 / 2 l^2) at a chord of d: near places are alike and all others are not, with
    one length l for all of them. It shows what a scale alone gives.
    """

    name = "fourier"
    title = "Random Fourier features"
    dim = FOURIER_DIM

    def __init__(self, length_m: float) -> None:
        """Draw the frequencies, always the same ones.

        Args:
            length_m: l, metres.
        """
        self.length_m = length_m
        normal = np.random.default_rng(0).normal(size=(3, FOURIER_DIM // 2))
        self._frequencies = normal * (EARTH_RADIUS_M / length_m)
        self.provenance = Provenance(
            made_by="Nobody: drawn at random, nothing learned.",
            source=f"Computed: {FOURIER_DIM // 2} waves, similarity falls over {length_m / 1000:.3g} km.",
            licence="None needed.",
        )

    @classmethod
    def for_atlas(cls, atlas: Atlas | None) -> FourierEmbedder:
        """With a length that suits the size of an atlas; without one, 1000 km."""
        if atlas is None:
            return cls(LARGEST_LENGTH_M)
        south, west, north, east = atlas.manifest.bounds
        lower, upper = unit_xyz(np.array([[south, west], [north, east]]))
        across_m = float(np.linalg.norm(upper - lower)) * EARTH_RADIUS_M
        whole = east - west > 180  # its corners meet at the back of the Earth
        return cls(LARGEST_LENGTH_M if whole else min(LARGEST_LENGTH_M, across_m / LENGTHS_ACROSS))

    def embed(self, latlon: ArrayLike) -> NDArray[np.float32]:
        """See :meth:`unigeoclip.embedders.base.Embedder.embed`."""
        return embed_in_batches(latlon, self.dim, self._encode, rows=16_384)

    def _encode(self, points: NDArray[np.float64]) -> NDArray[np.float32]:
        phase = unit_xyz(points) @ self._frequencies  # float64: a city is a millionth of the radius
        return np.concatenate([np.cos(phase), np.sin(phase)], axis=1).astype(np.float32)
