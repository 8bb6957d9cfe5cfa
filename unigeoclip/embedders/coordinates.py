"""Plain coordinates: what can be said of a place from its position alone, without having learned anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.embedders.base import Provenance, embed_in_batches
from unigeoclip.geo import unit_xyz

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


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
