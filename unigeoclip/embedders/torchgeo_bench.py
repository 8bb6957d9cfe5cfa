"""Embedders as location encoders of torchgeo-bench, whose track CoordBench probes them on its own data.

In its configuration::

    model:
      name: unigeoclip
      target: unigeoclip.embedders.torchgeo_bench.location_encoder
      kwargs: {embedder: unigeoclip, atlas: world}

The interface is that of torchgeo-bench at commit 0b26fe22e9ec8934cb892c6ae2ac7f4bd44e6fbe: a location encoder encodes
(lon, lat, year) to one row of features a point.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.embedders import is_of_an_atlas, load_embedder
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["location_encoder"]

_INTERFACE = "torchgeo_bench.coordbench.models"


class _Alone:
    """What torchgeo-bench's base class does, where that package is not installed: batches."""

    def __init__(self, device: str = "cpu", batch_size: int = 8192) -> None:
        self.device, self.batch_size = device, batch_size

    def encode(
        self, lon: NDArray[np.float64], lat: NDArray[np.float64], year: NDArray[np.float64] | None = None
    ) -> NDArray[np.float32]:
        """Encode all points, (n,) degrees each, to (n, dim) float32; the year is not used."""
        lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
        starts = range(0, max(len(lon), 1), self.batch_size)
        return np.concatenate(
            [self._encode(lon[i:][: self.batch_size], lat[i:][: self.batch_size], None) for i in starts]
        )

    def _encode(
        self, lon: NDArray[np.float64], lat: NDArray[np.float64], year: NDArray[np.float64] | None
    ) -> NDArray[np.float32]:
        raise NotImplementedError


def location_encoder(
    embedder: str = "unigeoclip",
    atlas: str = "world",
    *,
    raw: bool = True,
    device: str = "cpu",
    batch_size: int = 8192,
) -> Any:
    """An embedder as torchgeo-bench runs it: an instance of its ``LocationEncoder`` where that package is installed.

    Args:
        embedder: Name in the table of embedders.
        atlas: Name or folder of the atlas whose model is meant.
        raw: Whether vectors are given before they are brought to length one, by embedders that have them, as the
            benchmark's own adapters do.
        device: Embedders run on the processor; others are refused.
        batch_size: Points at once.

    Raises:
        InputError: Unknown embedder, or a device that it does not run on.
        AtlasError: The atlas cannot be used.
        CheckpointError: Weights are missing or damaged.
    """
    if device != "cpu":
        raise InputError(f"Embedders run on the processor: set the device to cpu, not {device!r}.")
    opened = None
    if is_of_an_atlas(embedder):
        from unigeoclip.atlas.store import load_atlas

        opened = load_atlas(atlas)
    loaded = load_embedder(embedder, opened)
    embed = getattr(loaded, "raw", loaded.embed) if raw else loaded.embed

    class Encoder(_base()):  # type: ignore[misc]
        name = embedder

        def _encode(
            self, lon: NDArray[np.float64], lat: NDArray[np.float64], year: NDArray[np.float64] | None
        ) -> NDArray[np.float32]:
            vectors: NDArray[np.float32] = embed(np.stack([lat, lon], axis=1))
            return vectors

    return Encoder(device=device, batch_size=batch_size)


def _base() -> type:
    """The base class of torchgeo-bench, or what stands in for it. By name: nothing of ours needs the package."""
    try:
        base: type = importlib.import_module(_INTERFACE).LocationEncoder
    except ModuleNotFoundError:
        return _Alone
    return base
