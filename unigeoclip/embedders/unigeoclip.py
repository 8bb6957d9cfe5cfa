"""UniGeoCLIP's own location encoder as an embedder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from unigeoclip.checkpoint import checkpoint_id, load_model
from unigeoclip.embedders.base import Provenance, embed_in_batches
from unigeoclip.errors import CheckpointError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.model import UniGeoCLIP


class UniGeoCLIPEmbedder:
    """The location encoder of a UniGeoCLIP model; its vectors live in the space that all modalities share."""

    name = "unigeoclip"
    title = "UniGeoCLIP"

    def __init__(self, model: UniGeoCLIP, provenance: Provenance) -> None:
        """Wrap a model.

        Args:
            model: In evaluation mode.
            provenance: Where its weights come from.

        Raises:
            CheckpointError: The model has no location encoder.
        """
        if "location" not in model.modalities:
            raise CheckpointError(
                f"This model cannot embed coordinates: it encodes {', '.join(model.modalities)} but not location."
            )
        self.model = model
        self.dim: int = model.dim
        self.provenance = provenance

    @classmethod
    def from_atlas(cls, atlas: Atlas) -> UniGeoCLIPEmbedder:
        """The model that ships with an atlas.

        Raises:
            CheckpointError: It is missing or damaged, or has no location encoder.
        """
        model = load_model(atlas.model_path)
        provenance = Provenance(
            made_by=f"This project, trained on the atlas {atlas.title!r}; architecture of arXiv 2604.11668.",
            source=f"Model {checkpoint_id(atlas.model_path)} of the atlas {atlas.name!r}",
            licence="MIT",
        )
        return cls(model, provenance)

    def embed(self, latlon: ArrayLike) -> NDArray[np.float32]:
        """See :meth:`unigeoclip.embedders.base.Embedder.embed`."""
        return embed_in_batches(latlon, self.dim, self._encode)

    @torch.inference_mode()
    def _encode(self, points: NDArray[np.float64]) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = self.model.encode({"location": points})["location"].cpu().numpy()
        return vectors
