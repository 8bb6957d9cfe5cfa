"""The five modalities: what each takes, how it is prepared, and the encoder that reads it.

A new modality is one new file and one line in :data:`MODALITIES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from unigeoclip.modalities.aerial import AerialEncoder
from unigeoclip.modalities.convolution import ConvConfig
from unigeoclip.modalities.location import LocationConfig, LocationEncoder
from unigeoclip.modalities.street import StreetConfig, StreetEncoder
from unigeoclip.modalities.surface import SurfaceConfig, SurfaceEncoder
from unigeoclip.modalities.text import TextConfig, TextEncoder

__all__ = ["MODALITIES", "Modality"]


@dataclass(frozen=True)
class Modality:
    """One way of seeing a place."""

    name: str
    title: str  # as people read it
    takes: str  # the input contract in words
    config: type[Any]  # dataclass of the encoder's shape
    encoder: Callable[[Any, int], nn.Module]  # (config, dim) -> module with prepare() and forward()


_TABLE = (
    Modality("location", "Location", "(n, 2) latitude, longitude in degrees", LocationConfig, LocationEncoder),
    Modality("aerial", "Aerial image", "(n, 3, px, px) uint8 RGB, north up", ConvConfig, AerialEncoder),
    Modality(
        "street", "Street view", "(n, 3, h, w) uint8 RGB, one view each, or a StreetBatch", StreetConfig, StreetEncoder
    ),
    Modality("surface", "Surface model", "(n, 1, px, px) metres, NaN for no data", SurfaceConfig, SurfaceEncoder),
    Modality("text", "Text", "n lists of sentences", TextConfig, TextEncoder),
)
MODALITIES: dict[str, Modality] = {modality.name: modality for modality in _TABLE}
