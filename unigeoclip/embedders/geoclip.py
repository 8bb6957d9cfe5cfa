"""GeoCLIP's published location encoder (Vivanco, Nayak & Shah, NeurIPS 2023, arXiv 2309.16020).

(lat, lon) -> Equal Earth -> three capsules, one per scale sigma = 1, 16, 256: Gaussian Fourier features, then an MLP
512-1024-1024-1024-512 with ReLU between; the capsules' outputs are summed. 9.4 million parameters, 512 dimensions.

The weights are read from the installed ``geoclip`` package, see :mod:`unigeoclip.embedders.geoclip_wheel`.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unigeoclip.embedders.base import Provenance, embed_in_batches
from unigeoclip.embedders.geoclip_wheel import LOCATION_ENCODER, PACKAGE, VERSION, read_weights
from unigeoclip.errors import InputError
from unigeoclip.geo import EQUAL_EARTH_A, as_latlon

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from unigeoclip.embedders.geoclip_images import GeoCLIPImages

__all__ = ["Capsule", "GeoCLIPEmbedder", "GeoCLIPLocationEncoder"]

_CAPSULES = 3
_WIDTHS = (512, 1024, 1024, 1024, 512)  # Fourier features, three hidden layers, embedding
_LAYER_NAMES = ("capsule.1", "capsule.3", "capsule.5", "head.0")  # as the published file has them
_EQUAL_EARTH_SCALE = 66.50336  # then divided by 180: (0, 180 E) becomes (1, 0)

# Weight decay has left the published file with weights down to the subnormal range (4 % of one matrix), where a
# processor multiplies ten times slower. Below this they change no bit of any output.
_NEGLIGIBLE_WEIGHT = 1e-20


class Capsule(nn.Module):
    """One scale: (n, 2) projected positions -> (n, 512)."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("frequencies", torch.zeros(_WIDTHS[0] // 2, 2))
        self.frequencies: Tensor
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in itertools.pairwise(_WIDTHS))

    def forward(self, xy: Tensor) -> Tensor:
        """Fourier features, then the MLP."""
        return self.of_phase((2 * math.pi * xy) @ self.frequencies.T)

    def of_phase(self, phase: Tensor) -> Tensor:
        """The MLP on waves at these phases, (n, 256) radians -> (n, 512)."""
        hidden = torch.cat([phase.cos(), phase.sin()], dim=1)
        for layer in self.layers[:-1]:
            hidden = F.relu(layer(hidden), inplace=True)
        out: Tensor = self.layers[-1](hidden)
        return out


class GeoCLIPLocationEncoder(nn.Module):
    """The architecture, with random weights: (n, 2) float32 latitude, longitude in degrees -> (n, 512), any length."""

    def __init__(self) -> None:
        super().__init__()
        self.capsules = nn.ModuleList(Capsule() for _ in range(_CAPSULES))

    def forward(self, latlon: Tensor) -> Tensor:
        """Sum of the capsules."""
        xy = _project(latlon)
        total = torch.zeros(len(latlon), _WIDTHS[-1])
        for capsule in self.capsules:
            total += capsule(xy)
        return total


def _project(latlon: Tensor) -> Tensor:
    """Equal Earth in float32, operation by operation as the published encoder does it.

    At sigma = 256 the last bit of a float32 position moves the unit vector by up to 1e-4: the encoder was trained on
    positions rounded this way, and `geo.equal_earth`, which is exact to float64, would give another embedding.
    """
    a1, a2, a3, a4 = EQUAL_EARTH_A
    lat, lon = torch.deg2rad(latlon[:, 0]), torch.deg2rad(latlon[:, 1])
    t = torch.asin(math.sqrt(3) / 2 * torch.sin(lat))
    x = 2 * math.sqrt(3) * lon * torch.cos(t) / (3 * (9 * a4 * t**8 + 7 * a3 * t**6 + 3 * a2 * t**2 + a1))
    y = a4 * t**9 + a3 * t**7 + a2 * t**3 + a1 * t
    return torch.stack([x, y], dim=1) * _EQUAL_EARTH_SCALE / 180


class GeoCLIPEmbedder:
    """GeoCLIP's published location encoder; float32, equal to the ``geoclip`` package's own output to 1e-5."""

    name = "geoclip"
    title = "GeoCLIP"
    dim = _WIDTHS[-1]
    picture_kinds = ("aerial", "street")
    provenance = Provenance(
        made_by="Vivanco, Nayak & Shah (NeurIPS 2023), trained on 4.7 million geotagged photographs (MP-16).",
        source=f"Weights {LOCATION_ENCODER.sha256[:12]} in package {PACKAGE} {VERSION} of PyPI",
        licence="MIT, copyright (c) 2024 Vicente Vivanco",
    )

    def __init__(self, encoder: GeoCLIPLocationEncoder) -> None:
        """Wrap an encoder; :meth:`from_package` reads the published one."""
        self.encoder = encoder.eval()

    @classmethod
    def from_package(cls) -> GeoCLIPEmbedder:
        """Read the published weights from the installed ``geoclip`` package; never from the network.

        Raises:
            CheckpointError: The package is not installed, or its file of weights is not the published one.
        """
        return cls(_published_encoder())

    def embed(self, latlon: ArrayLike) -> NDArray[np.float32]:
        """See :meth:`unigeoclip.embedders.base.Embedder.embed`; 180 E is embedded as 180 W, the same meridian."""
        return embed_in_batches(latlon, self.dim, self._encode)

    def embed_picture(self, data: bytes, kind: str) -> NDArray[np.float32]:
        """See :meth:`unigeoclip.embedders.base.PictureEmbedder.embed_picture`; trained on photographs, asked by any."""
        if kind == "surface":
            raise InputError("GeoCLIP reads photographs, not heights.")
        return self._images.embed_file(data)

    @functools.cached_property
    def _images(self) -> GeoCLIPImages:
        from unigeoclip.embedders.geoclip_images import GeoCLIPImages

        return GeoCLIPImages.from_cache()

    def raw(self, latlon: ArrayLike) -> NDArray[np.float32]:
        """The encoder's output before it is brought to length one: (n, 2) degrees -> (n, 512) float32.

        Raises:
            InputError: Not coordinates; the message names the first bad row.
        """
        return self._encode(as_latlon(latlon))

    @torch.inference_mode()
    def _encode(self, points: NDArray[np.float64]) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = self.encoder(torch.from_numpy(points.astype(np.float32))).numpy()
        return vectors


def _published_encoder() -> GeoCLIPLocationEncoder:
    """The encoder with the published weights, without drawing random ones first.

    Raises:
        CheckpointError: They are not on this machine.
    """
    published = read_weights(LOCATION_ENCODER)
    state = {}
    for i in range(_CAPSULES):
        state[f"capsules.{i}.frequencies"] = published[f"LocEnc{i}.capsule.0.b"]
        for j, layer in enumerate(_LAYER_NAMES):
            for part in ("weight", "bias"):
                tensor = published[f"LocEnc{i}.{layer}.{part}"]
                state[f"capsules.{i}.layers.{j}.{part}"] = torch.where(tensor.abs() < _NEGLIGIBLE_WEIGHT, 0.0, tensor)
    with torch.device("meta"):
        encoder = GeoCLIPLocationEncoder()
    encoder.load_state_dict(state, assign=True)
    return encoder
