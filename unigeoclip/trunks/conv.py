"""The convolutions of an aerial encoder that was trained already, frozen: the trunk of the shipped models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.modalities.aerial import AerialEncoder

__all__ = ["ConvTrunk"]

_BATCH = 128


class ConvTrunk:
    """What the convolutions of an aerial encoder make of a picture, before its own head."""

    name = "conv"

    def __init__(self, encoder: AerialEncoder, fingerprint: str) -> None:
        """Wrap an encoder.

        Args:
            encoder: Of the modality aerial.
            fingerprint: Of its weights.
        """
        self._encoder = encoder.eval()
        self.px = encoder.config.px
        self.features = encoder.trunk.stages.features
        self.groups: tuple[int, ...] = (self.features,)
        self.fingerprint = fingerprint

    @torch.inference_mode()
    def embed(self, pictures: NDArray[np.uint8]) -> NDArray[np.float16]:
        """See `Trunk.embed`."""
        out = np.empty((len(pictures), self.features), np.float16)
        for start in range(0, len(pictures), _BATCH):
            prepared = self._encoder.prepare(pictures[start : start + _BATCH])
            scaled = self._encoder.scaled(prepared)
            out[start : start + _BATCH] = self._encoder.trunk.stages(scaled).flatten(1).half().numpy()
        return out
