"""UniGeoCLIP's own location encoder as an embedder."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch

from unigeoclip.atlas.models import load_fitting
from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.embedders.base import WITHOUT, Provenance, embed_in_batches
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.geo import in_round_figures

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.modalities.location import LocationEncoder
    from unigeoclip.model import UniGeoCLIP

NAME, TITLE = "unigeoclip", "UniGeoCLIP"


class UniGeoCLIPEmbedder:
    """The location encoder of a UniGeoCLIP model; its vectors live in the space that all modalities share."""

    def __init__(self, model: UniGeoCLIP, provenance: Provenance, without: int | None = None) -> None:
        """Wrap a model.

        Args:
            model: In evaluation mode.
            provenance: Where its weights come from.
            without: Number from 0 of a spatial scale that is switched off: what changes is what that scale adds.

        Raises:
            CheckpointError: The model has no location encoder.
            InputError: There is no such scale, or no other.
        """
        if "location" not in model.modalities:
            raise CheckpointError(
                f"This model cannot embed coordinates: it encodes {', '.join(model.modalities)} but not location."
            )
        self.model = model
        self.dim: int = model.dim
        self.provenance = provenance
        self._encoder = cast("LocationEncoder", model.encoders["location"])
        wavelengths_m = self._encoder.wavelengths_m()
        if without is not None and not 0 <= without < len(wavelengths_m) > 1:
            raise InputError(
                f"Scales 1 to {len(wavelengths_m)} can be switched off, one of several, not {without + 1}."
            )
        self._without = without
        self.name = NAME if without is None else f"{WITHOUT}{without + 1}"
        self.title = TITLE if without is None else f"{TITLE} without {in_round_figures(wavelengths_m[without])}"

    @property
    def location_encoder(self) -> LocationEncoder | None:
        """See `unigeoclip.embedders.base.EncodingEmbedder`; None without one of its scales."""
        return self._encoder if self._without is None else None

    @property
    def n_scales(self) -> int:
        """Spatial scales of the encoder."""
        return len(self._encoder.wavelengths_m())

    @property
    def picture_kinds(self) -> tuple[str, ...]:
        """Which kinds of pictures the model encodes."""
        return tuple(kind for kind in ("aerial", "street", "surface") if kind in self.model.modalities)

    def without_scale(self, number: int) -> UniGeoCLIPEmbedder:
        """The same model with one scale switched off; scales count from 0, the widest first.

        Raises:
            InputError: There is no such scale, or no other.
        """
        return UniGeoCLIPEmbedder(self.model, self.provenance, number)

    @classmethod
    def from_atlas(cls, atlas: Atlas) -> UniGeoCLIPEmbedder:
        """The model of an atlas: the one that ships with it, or that of `Atlas.with_model`.

        Raises:
            CheckpointError: It is missing or damaged, has no location encoder, or does not fit the atlas.
        """
        model = load_fitting(atlas)
        provenance = Provenance(
            made_by=f"This project, trained on the atlas {atlas.title!r}; architecture of arXiv 2604.11668.",
            source=f"Model {checkpoint_id(atlas.model_path)} of the atlas {atlas.name!r}",
            licence="MIT",
        )
        if not atlas.has_shipped_model:
            provenance = Provenance(
                made_by=f"A model of your own, in {atlas.model_path}; architecture of arXiv 2604.11668.",
                source=f"Model {checkpoint_id(atlas.model_path)} in {atlas.model_path}",
                licence="yours",
            )
        return cls(model, provenance)

    def embed(self, latlon: ArrayLike) -> NDArray[np.float32]:
        """See :meth:`unigeoclip.embedders.base.Embedder.embed`."""
        return embed_in_batches(latlon, self.dim, self._encode)

    def embed_picture(self, data: bytes, kind: str) -> NDArray[np.float32]:
        """See :meth:`unigeoclip.embedders.base.PictureEmbedder.embed_picture`."""
        from unigeoclip.uploads import read_upload

        decoded = read_upload(kind, data, self.model.input_size(kind))
        vector: NDArray[np.float32] = self.model.encode({kind: decoded.array[None]})[kind][0].cpu().numpy()
        return vector

    @torch.inference_mode()
    def _encode(self, points: NDArray[np.float64]) -> NDArray[np.float32]:
        xy = self._encoder.prepare(points).to(self.model.log_scale.device)
        vectors: NDArray[np.float32] = self._encoder(xy, self._without).float().cpu().numpy()
        return vectors
