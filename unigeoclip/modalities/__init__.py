"""The five modalities: what each takes, how it is prepared, and the encoder that reads it.

A new modality is one new file and one line in :data:`MODALITIES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from unigeoclip.errors import InputError
from unigeoclip.modalities.aerial import AerialEncoder
from unigeoclip.modalities.convolution import ConvConfig
from unigeoclip.modalities.location import LocationConfig, LocationEncoder
from unigeoclip.modalities.street import StreetConfig, StreetEncoder
from unigeoclip.modalities.surface import SurfaceConfig, SurfaceEncoder
from unigeoclip.modalities.surface_vit import KIND as VIT
from unigeoclip.modalities.surface_vit import SurfaceVit, SurfaceVitConfig
from unigeoclip.modalities.text import TextConfig, TextEncoder
from unigeoclip.modalities.towers.pictures import AerialTower, StreetTower, TowerConfig
from unigeoclip.modalities.towers.pretrained import DINOV2, SIGLIP2
from unigeoclip.modalities.towers.text import TextTower, TextTowerConfig

__all__ = ["MODALITIES", "Architecture", "Modality"]


@dataclass(frozen=True)
class Architecture:
    """One way to read a modality."""

    config: type[Any]  # dataclass of the encoder's shape
    encoder: Callable[[Any, int], nn.Module]  # (config, dim) -> module with prepare() and forward()


@dataclass(frozen=True)
class Modality:
    """One way of seeing a place."""

    name: str
    title: str  # as people read it
    takes: str  # the input contract in words
    config: type[Any]  # dataclass of the encoder's shape
    encoder: Callable[[Any, int], nn.Module]  # (config, dim) -> module with prepare() and forward()
    kinds: Mapping[str, Architecture] = field(default_factory=dict)  # others, chosen by the option "kind"

    def architecture(self, options: Mapping[str, Any]) -> Architecture:
        """The encoder that options describe: the compact one, unless they name a ``kind``.

        Raises:
            InputError: There is no such kind.
        """
        kind = options.get("kind")
        if kind is None:
            return Architecture(self.config, self.encoder)
        if not isinstance(kind, str) or kind not in self.kinds:
            known = f"known are {', '.join(self.kinds)}" if self.kinds else "leave out 'kind'"
            raise InputError(f"encoders.{self.name}: there is no kind {str(kind)[:40]!r} of encoder; {known}.")
        return self.kinds[kind]


_AERIAL, _STREET = Architecture(TowerConfig, AerialTower), Architecture(TowerConfig, StreetTower)
_TABLE = (
    Modality("location", "Location", "(n, 2) latitude, longitude in degrees", LocationConfig, LocationEncoder),
    Modality(
        "aerial",
        "Aerial image",
        "(n, 3, px, px) uint8 RGB, north up",
        ConvConfig,
        AerialEncoder,
        {SIGLIP2: _AERIAL, DINOV2: _AERIAL},
    ),
    Modality(
        "street",
        "Street view",
        "(n, 3, h, w) uint8 RGB, one view each, or a StreetBatch",
        StreetConfig,
        StreetEncoder,
        {SIGLIP2: _STREET, DINOV2: _STREET},
    ),
    Modality(
        "surface",
        "Surface model",
        "(n, 1, px, px) metres, NaN for no data",
        SurfaceConfig,
        SurfaceEncoder,
        {VIT: Architecture(SurfaceVitConfig, SurfaceVit)},
    ),
    Modality(
        "text",
        "Text",
        "n lists of sentences",
        TextConfig,
        TextEncoder,
        {SIGLIP2: Architecture(TextTowerConfig, TextTower)},
    ),
)
MODALITIES: dict[str, Modality] = {modality.name: modality for modality in _TABLE}
